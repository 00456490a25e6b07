//! Editors that start the existing server: `install` puts ours in its place, and `uninstall` brings it back.

use std::fs;
use std::path::PathBuf;

use aic_tests::harness::World;

use crate::world;

/// A configuration below the home directory that starts the existing server, and the entries that do.
const EDITORS: [(&str, &str, &[&str]); 4] = [
    (
        ".claude.json",
        include_str!("fixtures/editors/existing/claude-code.json"),
        &[
            "\"aic-mcp-server\" (npx -y @pingidentity/aic-mcp-server@0.3.0)\n",
            "\"aic\" (npx -y @pingidentity/aic-mcp-server) of /home/erika/Projekte/Zürich\n",
        ],
    ),
    (
        ".config/Code/User/mcp.json",
        include_str!("fixtures/editors/existing/vscode.json"),
        &["\"acme\" (cmd /c npx -y @pingidentity/aic-mcp-server)\n"],
    ),
    (
        ".codex/config.toml",
        include_str!("fixtures/editors/existing/codex.toml"),
        &["\"aic\" (npx -y @pingidentity/aic-mcp-server)\n"],
    ),
    (
        ".config/opencode/opencode.jsonc",
        include_str!("fixtures/editors/existing/opencode.jsonc"),
        &["\"ping\" (bunx @pingidentity/aic-mcp-server)\n"],
    ),
];

const PACKAGE: &str = "@pingidentity/aic-mcp-server";

fn furnished() -> (World, Vec<(PathBuf, &'static str)>) {
    let world = world();
    let files = EDITORS.map(|(place, text, _)| {
        let file = world.place.home.join(place);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        (file, text)
    });
    (world, files.to_vec())
}

fn read(file: &PathBuf) -> String {
    fs::read_to_string(file).unwrap()
}

#[test]
fn it_gives_way_and_comes_back_byte_for_byte() {
    let (world, files) = furnished();

    let said = world.run(&["install", "--tenant", "t0"]).left_with(0).said();

    for (file, _) in &files {
        let after = read(file);
        assert!(after.contains("aic-mcp\"") && !after.contains(PACKAGE) && after.contains("KEEP"), "{after}");
    }
    for older in EDITORS.iter().flat_map(|(_, _, older)| *older) {
        assert!(said.contains(&format!("in place of the existing server: {older}")), "{older} is not in {said}");
    }
    assert!(!said.contains("history"), "what lies between two changes is not shown: {said}");
    world.run(&["uninstall"]).left_with(0);
    for (file, before) in &files {
        assert_eq!(read(file), *before);
    }
}

#[test]
fn it_comes_back_beside_what_a_person_changed_since() {
    let (world, files) = furnished();
    world.run(&["install", "--tenant", "t0"]).left_with(0);
    for (file, _) in &files {
        fs::write(file, read(file).replace("KEEP", "KEPT")).unwrap();
    }
    world.run(&["install", "--tenant", "openam-other-dev.id.forgerock.io"]).left_with(0);
    for (file, _) in &files {
        fs::write(file, read(file).replace("KEPT", "KEPT TWICE")).unwrap();
    }

    world.run(&["uninstall"]).left_with(0);

    for (file, before) in &files {
        let after = read(file);
        assert_eq!(after.matches(PACKAGE).count(), before.matches(PACKAGE).count(), "{after}");
        assert!(after.contains("KEPT TWICE") || !before.contains("KEEP"), "{after}");
        assert!(!after.contains("aic-mcp\"") && after.contains("openam-acme-dev.id.forgerock.io"), "{after}");
    }
}

#[test]
fn a_dry_run_says_what_would_give_way() {
    let (world, files) = furnished();

    let said = world.run(&["install", "--tenant", "t0", "--dry-run"]).left_with(0).said();

    assert_eq!(said.matches("in place of the existing server: ").count(), 5, "{said}");
    for (file, before) in &files {
        assert_eq!(read(file), *before);
    }
}

/// Words and variables that a person added to our entry, and a time-out of their own.
#[test]
fn what_a_person_added_to_our_entry_stays_at_a_second_install() {
    let (world, files) = furnished();
    world.run(&["install", "--tenant", "t0"]).left_with(0);
    let more = [
        ("\"args\": []", "\"args\": [\"--read-only\"]"),
        ("\"AIC_BASE_URL\": \"t0\"", "\"AIC_BASE_URL\": \"t0\", \"AIC_TOOLSETS\": \"logs\""),
        ("AIC_BASE_URL = \"t0\"", "AIC_BASE_URL = \"t0\", AIC_TOOLSETS = \"logs\""),
        ("tool_timeout_sec = 60", "tool_timeout_sec = 90 # slow"),
    ];
    for (file, _) in &files {
        fs::write(file, more.iter().fold(read(file), |text, (from, to)| text.replace(from, to))).unwrap();
    }
    let changed: Vec<String> = files.iter().map(|(file, _)| read(file)).collect();

    let said = world.run(&["install", "--tenant", "t0"]).left_with(0).said();

    assert_eq!(said.matches("is right already").count(), files.len(), "{said}");
    world.run(&["install", "--tenant", "openam-other-dev.id.forgerock.io"]).left_with(0);
    for ((file, _), changed) in files.iter().zip(changed) {
        assert!(changed.contains("AIC_TOOLSETS"), "{changed}");
        assert_eq!(read(file), changed.replace("\"t0\"", "\"openam-other-dev.id.forgerock.io\""));
    }
}
