//! Two editors that change the same documents at the same time lose nothing.

use aic_tests::harness::{Editor, Waiting, World};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::world;

/// How often both editors write at once.
const ROUNDS: usize = 200;
/// The worlds among which the rounds are divided: as many as a small machine has cores.
const WORLDS: usize = 2;
/// The places of the two editors.
const EDITORS: [usize; 2] = [0, 1];
/// The theme of each editor, both in one document.
const THEMES: [&str; 2] = ["00000007-0000-4000-8000-000000000001", "00000007-0000-4000-8000-000000000003"];
/// The variable of each editor.
const VARIABLES: [&str; 2] = ["esv-race-one", "esv-race-two"];
/// The managed object type of each editor, both in one document.
const TYPES: [&str; 2] = ["alpha_role", "alpha_group"];

/// A world with two editors, both signed in and known to the broker.
fn two_editors() -> (World, Vec<Editor>) {
    let world = world();
    let mut editors: Vec<Editor> = EDITORS.map(|at| world.editor(["one", "two"][at])).into();
    for editor in &mut editors {
        editor.call("listManagedObjects", json!({})).succeeded();
    }
    (world, editors)
}

/// Lets two editors write at once, again and again, in worlds side by side: all rounds in one world take a minute.
fn race(write: impl Fn(&mut Editor, usize, &str) -> Waiting + Sync, stored: impl Fn(&World, usize) -> Value + Sync) {
    std::thread::scope(|threads| {
        for _ in 0..WORLDS {
            threads.spawn(|| race_in_one_world(&write, &stored));
        }
    });
}

/// Runs one world's rounds; after each round both changes must be there.
fn race_in_one_world(write: impl Fn(&mut Editor, usize, &str) -> Waiting, stored: impl Fn(&World, usize) -> Value) {
    let (world, mut editors) = two_editors();
    for round in 0..ROUNDS / WORLDS {
        let value = |at: usize| format!("round {round} of {at}");
        let waiting: Vec<Waiting> =
            editors.iter_mut().enumerate().map(|(at, editor)| write(editor, at, &value(at))).collect();
        waiting.into_iter().for_each(|one| drop(one.answer().succeeded()));
        for at in EDITORS {
            assert_eq!(stored(&world, at), json!(value(at)), "round {round}: a change was lost");
        }
    }
    assert_eq!(world.brokers().len(), 1, "both editors share the broker");
}

#[test]
fn two_editors_change_two_themes_at_once_and_no_change_is_lost() {
    race(
        |editor, at, value| {
            let updates = json!({"pageTitle": value});
            let update = json!({"realm": "alpha", "themeIdentifier": THEMES[at], "themeUpdates": updates});
            editor.begin("updateTheme", update)
        },
        |world, at| {
            let themes =
                world.tenant().with(|state| state.directory.configs["ui/themerealm"]["realm"]["alpha"].clone());
            super::flows::named(&themes, THEMES[at])["pageTitle"].clone()
        },
    );
}

#[test]
fn two_editors_change_two_variables_at_once_and_no_change_is_lost() {
    race(
        |editor, at, value| {
            let set = json!({"variableId": VARIABLES[at], "type": "string", "value": value});
            editor.begin("setVariable", set)
        },
        |world, at| {
            let variable = world.tenant().with(|state| state.environment.variables[VARIABLES[at]].clone());
            let bytes = STANDARD.decode(variable["valueBase64"].as_str().unwrap()).unwrap();
            String::from_utf8(bytes).unwrap().into()
        },
    );
}

#[test]
fn two_editors_change_two_types_at_once_and_no_change_is_lost() {
    race(
        |editor, at, value| {
            let operations = json!([{"operation": "replace", "field": "/schema/title", "value": value}]);
            editor.begin("patchManagedObjectDefinition", json!({"objectName": TYPES[at], "operations": operations}))
        },
        |world, at| {
            let document = world.tenant().with(|state| state.directory.document());
            super::flows::named(&document["objects"], TYPES[at])["schema"]["title"].clone()
        },
    );
}
