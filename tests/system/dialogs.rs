//! A person declines in one editor while another editor waits for the same sign-in.

use aic_tests::harness::{Answer, Asked, Editor, Era, SOON, World, eventually};
use serde_json::json;

use crate::{builder, calls};

const READ: &str = "getLogSources";

fn device_world() -> World {
    builder().entry("login = \"device\"").build()
}

fn editor(world: &World, era: Era, dialog: Option<&'static str>) -> Editor {
    let arguments = ["--answer-within", "20"].map(str::to_owned).to_vec();
    let capabilities = json!({"elicitation": {}});
    world.editor_as(Asked { era, arguments, capabilities, dialog, ..Asked::default() })
}

/// The call of an editor whose person declines.
fn declined(editor: &mut Editor, era: Era) -> Answer {
    let answer = calls::read(editor);
    match era {
        Era::Initialize => answer,
        Era::Discover => editor.retry(READ, json!({}), &answer, "decline").answer(),
    }
}

#[test]
fn a_declined_dialog_leaves_the_sign_in_to_the_others_who_were_shown_it() {
    for era in [Era::Initialize, Era::Discover] {
        let world = device_world();
        let mut unwilling = editor(&world, era, Some("decline"));
        // its dialog is a result, so nothing of it waits while the person looks at the dialog
        let mut willing = editor(&world, Era::Discover, None);
        let dialog = calls::read(&mut willing);
        assert_eq!(dialog.result()["resultType"], "input_required", "{dialog}");

        declined(&mut unwilling, era).refused("login_declined");
        let waiting = willing.retry(READ, json!({}), &dialog, "accept");
        world.tenant().approve_devices();

        waiting.answer().succeeded();
    }
}

#[test]
fn the_last_decline_ends_the_sign_in_for_everybody() {
    for era in [Era::Initialize, Era::Discover] {
        let world = device_world();
        let mut first = editor(&world, era, Some("decline"));
        let mut second = editor(&world, Era::Discover, None);
        let dialog = calls::read(&mut second);

        declined(&mut first, era).refused("login_declined");
        second.retry(READ, json!({}), &dialog, "decline").answer().refused("login_declined");

        eventually(SOON, "the sign-in ends", || {
            world.status().filter(|status| status["sessions"][0]["state"] == "signed_out")
        });
        calls::read(&mut first).refused("login_declined");
    }
}

#[test]
fn who_has_left_does_not_keep_a_declined_sign_in() {
    let world = device_world();
    let mut gone = editor(&world, Era::Discover, None);
    assert_eq!(calls::read(&mut gone).result()["resultType"], "input_required");
    gone.close();
    let mut last = editor(&world, Era::Initialize, Some("decline"));
    eventually(SOON, "the first editor is gone", || {
        world.status().filter(|status| status["clients"].as_array().is_some_and(Vec::is_empty))
    });

    declined(&mut last, Era::Initialize).refused("login_declined");

    eventually(SOON, "the sign-in ends", || {
        world.status().filter(|status| status["sessions"][0]["state"] == "signed_out")
    });
}
