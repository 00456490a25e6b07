//! The doctor: each finding is caused with the real program, and gone once its printed fix was followed.

mod causes;
mod played;
mod scene;

use std::path::Path;

use aic_tests::harness::{Mode, mode_of, text_of};
use scene::{Scene, found};
use serde_json::Value;

use crate::{calls, world};

/// Makes the two tests of each finding, and the list of those that have them.
macro_rules! findings {
    ($($cause:ident $finding:literal;)*) => {
        $(mod $cause {
            #[test]
            fn is_found() {
                super::scene::is_found($finding, super::causes::$cause);
            }

            #[test]
            fn is_gone_after_its_fix() {
                super::scene::is_gone_after_its_fix($finding, super::causes::$cause);
            }
        })*

        const TESTED: &[&str] = &[$($finding,)*];
    };
}

findings! {
    check_too_slow "check-too-slow";
    places_unknown "places-unknown";
    configuration_wrong "configuration-wrong";
    configuration_unreadable "configuration-unreadable";
    configuration_writable "configuration-writable";
    certificates_unreadable "certificates-unreadable";
    tenants_none "tenants-none";
    tenant_refused "tenant-refused";
    socket_path_long "socket-path-long";
    socket_directory_open "socket-directory-open";
    socket_directory_foreign "socket-directory-foreign";
    socket_directory_none "socket-directory-none";
    socket_parent_writable "socket-parent-writable";
    socket_open "socket-open";
    socket_foreign "socket-foreign";
    socket_refused "socket-refused";
    broker_hanging "broker-hanging";
    broker_locked "broker-locked";
    broker_turned_away "broker-turned-away";
    broker_other_version "broker-other-version";
    broker_replaced "broker-replaced";
    shim_missing "shim-missing";
    shim_broken "shim-broken";
    shim_other_version "shim-other-version";
    keychain_absent "keychain-absent";
    keychain_required "keychain-required";
    keychain_hanging "keychain-hanging";
    port_taken "port-taken";
    port_refused "port-refused";
    browser_missing "browser-missing";
    browser_none "browser-none";
    proxy_only_in_shell "proxy-only-in-shell";
    certificates_only_in_shell "certificates-only-in-shell";
    proxy_failed "proxy-failed";
    name_unknown "name-unknown";
    unreachable "unreachable";
    silent "silent";
    tls_unknown_authority "tls-unknown-authority";
    tls_wrong_host "tls-wrong-host";
    tls_expired "tls-expired";
    tls_not_yet_valid "tls-not-yet-valid";
    tls_failed "tls-failed";
    clock_wrong "clock-wrong";
    editors_unregistered "editors-unregistered";
    editor_program_missing "editor-program-missing";
    editor_existing_server "editor-existing-server";
    editor_unreadable "editor-unreadable";
    state_unwritable "state-unwritable";
    disk_full "disk-full";
    audit_broken "audit-broken";
}

/// Where a real keyring or service manager causes what a played one cannot: each check names what it causes and mends.
const WITH_REAL_PARTS: &str =
    concat!(include_str!("../../real/check_doctor.py"), include_str!("../../real/check_service.py"));

#[test]
fn every_finding_has_both_tests() {
    let world = world();
    let listed = world.run(&["doctor", "--list", "--json"]).left_with(0).json();

    for finding in listed.as_array().unwrap() {
        let name = finding["finding"].as_str().unwrap();
        let tested = TESTED.contains(&name) || WITH_REAL_PARTS.contains(&format!("\"{name}\""));
        assert!(tested, "{name} is caused by no test");
        assert!(finding["meaning"].as_str().is_some_and(|meaning| !meaning.is_empty()), "{finding}");
    }
}

#[test]
fn a_sound_world_has_nothing_wrong_and_no_broker_is_started() {
    let scene = Scene::of(world());

    let (said, done) = scene.doctor_after("");

    assert_eq!(done.code, Some(0), "{said:#}");
    assert!(said["checks"].as_array().unwrap().iter().all(|check| check["level"] == "ok"), "{said:#}");
    assert!(scene.world.processes().is_empty() && scene.world.browser.opened().is_empty());
    let table = scene.shell("aic-broker doctor").out;
    assert!(table.ends_with("nothing is wrong\n") && !table.contains("fix:"), "{table}");
}

#[test]
fn the_answer_has_the_documented_shape() {
    let scene = causes::port_taken();

    let (said, _) = scene.doctor_after("");

    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&said), ["version", "ok", "checks"]);
    for check in said["checks"].as_array().unwrap() {
        assert_eq!(members(check), ["check", "level", "finding", "text", "fix"]);
    }
    let table = scene.shell("aic-broker doctor");
    let lines: Vec<&str> = table.out.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("error    port")).unwrap_or_else(|| panic!("{table:?}"));
    assert!(lines[at + 1].trim_start().starts_with("fix: kill "), "{table:?}");
}

#[test]
fn a_sign_in_under_way_holds_its_port_rightly() {
    let scene = Scene::of(world());
    scene.world.browser.set(Mode::Hold);
    let _login = scene.world.begin(&["login"]);
    aic_tests::harness::eventually(aic_tests::harness::SOON, "the sign-in is under way", || {
        scene.world.status().filter(|status| status["sessions"][0]["login"].is_object())
    });

    let (said, _) = scene.doctor_after("");

    assert!(found(&said, "port-taken").is_none(), "{said:#}");
}

/// Everything about people and their secrets that must not be in a bundle.
fn private(scene: &Scene) -> Vec<(String, String)> {
    let tenant = scene.world.tenant();
    let secrets = tenant.secrets().into_iter().map(|secret| (secret.what.to_owned(), secret.value));
    let marker = ("the marker in every secret".to_owned(), tenant.canary().to_string());
    secrets.chain([marker, ("the user".to_owned(), "admin@example.com".to_owned())]).collect()
}

#[test]
fn a_bundle_helps_and_has_no_secret_and_no_name() {
    let scene = Scene::of(world());
    let mut editor = scene.world.editor("editor");
    calls::read(&mut editor).succeeded();
    scene.world.run(&["logout", "--all"]).left_with(0);
    calls::read(&mut editor).succeeded();
    scene.world.browser.set(Mode::Hold);
    let bundle = scene.world.place.home.join("bundle.json");

    let done = scene.shell("aic-broker doctor --bundle bundle.json");

    assert!(done.out.contains("bundle.json"), "{done:?}");
    assert_eq!(mode_of(&bundle), 0o600);
    let bytes = std::fs::read(&bundle).unwrap();
    assert_eq!(text_of(&bytes, &private(&scene)), [""; 0]);
    let read = |name: &str| serde_json::from_slice::<Value>(&std::fs::read(scene.world.place.home.join(name)).unwrap());
    let value = read("bundle.json").unwrap();
    assert_eq!(value["status"]["sessions"][0]["user"], "user-1", "{value:#}");
    assert_eq!(value["configuration"]["tenants"][0]["name"], "tenant-1");
    assert!(value["audit"].as_array().is_some_and(|lines| lines.len() > 3), "{value:#}");
    assert!(value["doctor"]["checks"].is_array());
    assert!(!String::from_utf8_lossy(&bytes).contains(&scene.world.place.home.display().to_string()));

    scene.shell("aic-broker doctor --bundle named.json --names");
    assert_eq!(read("named.json").unwrap()["status"]["sessions"][0]["user"], "admin@example.com");
    let again = scene.shell("aic-broker doctor --bundle bundle.json");
    assert_eq!(again.code, Some(1), "another file is never written over: {again:?}");
    assert!(Path::new(&bundle).exists());
}
