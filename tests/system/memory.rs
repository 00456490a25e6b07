//! The broker's memory: closed to everybody but root, and without a secret once nobody is signed in.

use std::time::Duration;

use aic_tests::harness::{SOON, World, eventually, memory_with};
use serde_json::json;

use crate::{builder, calls};

/// Every secret of the first tenant's run, with the marker that is in all that it issued. The URL of a finished
/// sign-in is kept for `status`, so `state` is no business of it.
fn needles(world: &World) -> Vec<(String, String)> {
    let tenant = world.tenant();
    let all = tenant.secrets().into_iter().filter(|secret| secret.what != "state");
    let marker = ("the marker".to_owned(), tenant.canary());
    all.map(|secret| (secret.what.to_owned(), secret.value)).chain([marker]).collect()
}

/// Looks until nothing is found; connections and tasks take a moment to end.
fn is_clean(world: &World, after: &str) {
    let (pid, needles) = (world.broker().pid, needles(world));
    let mut found = Vec::new();
    let clean = || {
        found = memory_with(pid, &needles).unwrap();
        found.is_empty().then_some(())
    };
    let ended =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| eventually(Duration::from_secs(5), after, clean)));
    assert!(ended.is_ok(), "after {after}: {found:?}");
}

#[test]
fn nothing_secret_is_left_in_memory_after_a_sign_out() {
    let world = builder().build();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    let (tool, arguments) = calls::write();
    editor.call(tool, arguments).succeeded();
    world.tenant().kill_scoped_tokens();
    calls::read(&mut editor).succeeded();
    world.run(&["token", "--tenant", "t0", "--scope", "fr:idm:*"]).left_with(0);
    let pid = world.broker().pid;
    let Ok(before) = memory_with(pid, &needles(&world)) else {
        let refused = memory_with(pid, &needles(&world)).unwrap_err();
        return assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied, "only root may look");
    };
    for kind in ["primary", "scoped", "the marker"] {
        assert!(before.iter().any(|found| found.starts_with(kind)), "the search finds {kind}: {before:?}");
    }

    world.run(&["logout", "--tenant", "t0"]).left_with(0);
    is_clean(&world, "a sign-out");

    world.tenant().switches().refresh_token = true;
    let device = world.begin(&["login", "--device", "--tenant", "t0"]);
    eventually(SOON, "the code is shown", || device.said().contains("enter the code").then_some(()));
    world.tenant().approve_devices();
    device.done().left_with(0);
    editor.call("listManagedObjects", json!({})).succeeded();
    world.run(&["logout", "--all"]).left_with(0);
    is_clean(&world, "the sign-out of a device");
    for what in ["primary", "scoped", "refresh", "authorization code", "code verifier", "device code"] {
        assert!(needles(&world).iter().any(|(kind, _)| kind == what), "the run made no {what}");
    }
}
