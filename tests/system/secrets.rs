//! No token, code, verifier or `state` is found anywhere but where it belongs.

use aic_tests::harness::{
    Answer, Asked, Editor, Mode, Relay, SOON, World, eventually, files_with, processes_with, text_of,
};
use aic_tests::tenant::Tenant;
use aic_tests::tenant::faults::{Fault, Kind};
use aic_tests::tenant::switches::Canned;
use serde_json::json;

use crate::{builder, calls};

/// Every secret that a tenant issued or saw, with its kind; `state` where the sign-in's URL is no business of it.
fn secrets(tenant: &Tenant, with_state: bool) -> Vec<(String, String)> {
    let all = tenant.secrets().into_iter().filter(|secret| with_state || secret.what != "state");
    let marker = ("the marker in every secret".to_owned(), tenant.canary().to_string());
    all.map(|secret| (secret.what.to_owned(), secret.value)).chain([marker]).collect()
}

fn all_secrets(world: &World, with_state: bool) -> Vec<(String, String)> {
    world.tenants.iter().flat_map(|tenant| secrets(tenant, with_state)).collect()
}

fn editor_behind(world: &World, relay: &Relay, name: &str) -> Editor {
    let variables = vec![("AIC_BROKER_RUNTIME_DIR".to_owned(), Some(relay.directory.display().to_string()))];
    world.editor_as(Asked { name: name.to_owned(), variables, ..Asked::default() })
}

/// Everything that can happen to tokens: sign-ins of both kinds, reads, writes, refusals, dead tokens, expiry, sign-out.
fn lead_an_eventful_life(world: &World, editor: &mut Editor) -> Vec<Answer> {
    let tenant = world.tenant();
    let mut answers = vec![calls::read(editor)];
    let (tool, arguments) = calls::write();
    answers.push(editor.call(tool, arguments));
    answers.push(editor.call("getManagedObject", json!({"objectType": "alpha_user", "objectId": "nobody"})));
    answers.push(editor.call("getManagedObject", json!({"objectType": "alpha_user"})));
    tenant.kill_scoped_tokens();
    answers.push(calls::read(editor));
    tenant.kill_scoped_tokens();
    tenant.kill_primary_tokens();
    answers.push(calls::read(editor));
    tenant.switches().exchange_answers = vec![Canned::json(500, json!({"error": "server_error"})); 9].into();
    tenant.switches().refresh_token = true;
    tenant.kill_scoped_tokens();
    answers.push(calls::read(editor));
    tenant.switches().exchange_answers.clear();
    let page = Canned { status: 403, body: json!("<html>no</html>"), content_type: Some("text/html".to_owned()) };
    let refused = Kind::Reply { answer: page, retry_after: None, processed: false };
    tenant.add_fault(Fault::once("/logs/sources", refused));
    answers.push(calls::read(editor));
    tenant.switches().primary_life_seconds = 3;
    world.run(&["logout", "--tenant", "t0"]).left_with(0);
    answers.push(calls::read(editor));
    eventually(SOON, "the session expires", || {
        world.status().filter(|status| calls::session_of(status, "t0")["state"] == "expired")
    });
    tenant.switches().primary_life_seconds = 3600;
    answers.push(calls::read(editor));
    answers
}

#[test]
fn secrets_are_in_no_file_frame_answer_log_command_line_or_environment() {
    let world = builder().tenants(2).build();
    let mut first = world.editor("first");
    calls::read(&mut first).succeeded();
    let relay = Relay::start(&world.place.root.join("relay"), world.place.socket());
    let mut editor = editor_behind(&world, &relay, "behind the relay");

    let answers = lead_an_eventful_life(&world, &mut editor);
    let device = world.begin(&["login", "--device", "--tenant", "t1"]);
    eventually(SOON, "the code is shown", || device.said().contains("enter the code").then_some(()));
    world.tenants[1].approve_devices();
    let device = device.done().left_with(0);
    let shown = world.run(&["status"]).said() + &world.run(&["audit", "--json"]).said() + &device.said();

    assert!(answers.iter().filter(|answer| !answer.is_error()).count() >= 4, "{answers:?}");
    let (every, no_state) = (all_secrets(&world, true), all_secrets(&world, false));
    for what in ["primary", "scoped", "refresh", "authorization code", "code verifier", "device code", "state"] {
        assert!(every.iter().any(|(kind, _)| kind == what), "the run made no {what}");
    }
    assert!(text_of(&relay.bytes(), &[("a call".to_owned(), "getLogSources".to_owned())]).len() == 1);
    let pids: Vec<u32> = world.processes().iter().filter(|one| one.program != "browser").map(|one| one.pid).collect();
    assert!(pids.len() >= 3, "{pids:?}");
    let control = [("a variable".to_owned(), "AIC_BROKER_RUNTIME_DIR".to_owned())];
    let open = pids.iter().filter(|pid| std::fs::read(format!("/proc/{pid}/environ")).is_ok()).count();
    assert!(open >= 2, "root reads all environments, the user those of the shims");
    assert_eq!(processes_with(&pids, &control).len(), open);
    assert!(!files_with(&world.place.browser, &every).is_empty(), "the browser's diary holds what is searched for");
    assert_eq!(world.files_with(&every), [""; 0]);
    assert_eq!(processes_with(&pids, &every), [""; 0]);
    assert_eq!(text_of(&relay.bytes(), &no_state), [""; 0], "in a frame");
    for editor in [&first, &editor] {
        assert_eq!(text_of(&editor.output(), &no_state), [""; 0], "in an answer");
        assert_eq!(text_of(editor.complaints().as_bytes(), &every), [""; 0], "on standard error");
    }
    assert_eq!(text_of(shown.as_bytes(), &every), [""; 0], "on the command line");
}

#[test]
fn a_broker_in_the_foreground_says_no_secret_either() {
    let world = builder().build();
    let broker = world.serve();
    let mut editor = world.editor("editor");

    lead_an_eventful_life(&world, &mut editor);
    world.run(&["stop"]).left_with(0);

    let done = broker.done().left_with(0);
    assert_eq!(text_of(done.said().as_bytes(), &all_secrets(&world, true)), [""; 0]);
}

#[test]
fn a_token_is_handed_out_on_request_and_leaves_no_trace() {
    let world = builder().build();
    world.run(&["login"]).left_with(0);

    let done = world.run(&["token", "--tenant", "t0", "--scope", "fr:idm:*"]).left_with(0);

    let secrets = secrets(world.tenant(), false);
    assert_eq!(calls::kind_of(world.tenant(), done.out.trim()), Some("scoped"));
    assert_eq!(world.files_with(&secrets), [""; 0]);
    assert!(text_of(done.err.as_bytes(), &secrets).is_empty());
}

#[test]
fn the_broker_leaves_no_core_file() {
    let world = builder().build();
    world.browser.set(Mode::Ignore);
    let broker = world.serve();

    let limits = std::fs::read_to_string(format!("/proc/{}/limits", broker.pid())).expect("its limits");

    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line");
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
}

#[test]
fn an_editor_s_variables_do_not_reach_the_broker() {
    let world = builder().build();
    let variables =
        [("HTTPS_PROXY", "http://127.0.0.1:9"), ("http_proxy", "http://127.0.0.1:9"), ("BROWSER", "/bin/false")];
    let variables = variables.map(|(name, value)| (name.to_owned(), Some(value.to_owned()))).to_vec();
    let mut editor = world.editor_as(Asked { variables, ..Asked::default() });

    calls::read(&mut editor).succeeded();

    // the call shows that no proxy counted; root can read the broker's environment as well
    let environment = std::fs::read(format!("/proc/{}/environ", world.broker().pid)).unwrap_or_default();
    let needles = ["_PROXY", "_proxy", "BROWSER=/bin/false"].map(|word| (word.to_owned(), word.to_owned()));
    assert_eq!(text_of(&environment, &needles), [""; 0]);
}
