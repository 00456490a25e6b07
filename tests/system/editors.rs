//! Editors' configurations: an entry is added, and not a byte elsewhere; everything can be put back.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use aic_tests::harness::{Done, SOON, World, eventually};

use crate::world;

/// An editor's name, its configuration below the home directory, and one as a person has it.
const EDITORS: [(&str, &str, &str); 11] = [
    ("claude-code", ".claude.json", include_str!("fixtures/editors/claude-code.json")),
    (
        "claude-desktop",
        ".config/Claude/claude_desktop_config.json",
        include_str!("fixtures/editors/claude-desktop.json"),
    ),
    ("cursor", ".cursor/mcp.json", include_str!("fixtures/editors/cursor.json")),
    ("vscode", ".config/Code/User/mcp.json", include_str!("fixtures/editors/vscode.json")),
    ("vscode-insiders", ".config/Code - Insiders/User/mcp.json", include_str!("fixtures/editors/vscode-insiders.json")),
    ("vscodium", ".config/VSCodium/User/mcp.json", include_str!("fixtures/editors/vscodium.json")),
    ("codex", ".codex/config.toml", include_str!("fixtures/editors/codex.toml")),
    ("gemini", ".gemini/settings.json", include_str!("fixtures/editors/gemini.json")),
    ("zed", ".config/zed/settings.json", include_str!("fixtures/editors/zed.json")),
    ("windsurf", ".codeium/windsurf/mcp_config.json", include_str!("fixtures/editors/windsurf.json")),
    ("opencode", ".config/opencode/opencode.jsonc", include_str!("fixtures/editors/opencode.jsonc")),
];

fn lay(world: &World, place: &str, text: &str) -> PathBuf {
    let file = world.place.home.join(place);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, text).unwrap();
    file
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap()
}

/// All editors of the table, as a person has them.
fn furnished() -> (World, Vec<(PathBuf, String)>) {
    furnished_with(str::to_owned)
}

fn furnished_with(ends: fn(&str) -> String) -> (World, Vec<(PathBuf, String)>) {
    let world = world();
    let files = EDITORS.map(|(_, place, text)| (lay(&world, place, &ends(text)), ends(text))).to_vec();
    (world, files)
}

/// A text with the line ends of Unix, and of Windows.
fn with_lf(text: &str) -> String {
    text.replace("\r\n", "\n")
}

fn with_crlf(text: &str) -> String {
    with_lf(text).replace('\n', "\r\n")
}

fn install(world: &World) -> Done {
    world.run(&["install", "--tenant", "t0"])
}

#[test]
fn every_editor_gets_the_entry_and_is_put_back_byte_for_byte() {
    for ends in [str::to_owned, with_lf, with_crlf] {
        let (world, files) = furnished_with(ends);

        let said = install(&world).left_with(0).said();

        assert!(said.contains("aic-mcp answers with 54 tools"), "{said}");
        let shim = world.place.programs.join("aic-mcp").display().to_string();
        for (file, before) in &files {
            has_the_entry_and_nothing_else(&read(file), before, &shim);
        }
        world.run(&["uninstall"]).left_with(0);
        for (file, before) in &files {
            assert_eq!(read(file), *before);
        }
        assert!(!world.place.state.exists());
    }
}

/// A line of before may have got a comma behind it; the line ends are those of before.
fn has_the_entry_and_nothing_else(after: &str, before: &str, shim: &str) {
    assert!(after.contains(shim) && after.contains("AIC_BASE_URL") && after.contains("\"t0\""), "{after}");
    let mut rest = after.lines();
    for line in before.lines() {
        assert!(rest.any(|one| one.trim_end_matches(',') == line.trim_end_matches(',')), "{line:?} in {after}");
    }
    let windows = after.matches("\r\n").count();
    assert_eq!(windows, if before.contains("\r\n") { after.matches('\n').count() } else { 0 }, "{after}");
}

/// Every editor of the issue has a server of somebody else; comments, trailing commas, letters and line ends of all kinds are there.
#[test]
fn the_fixtures_are_as_people_have_them() {
    for (name, _, text) in EDITORS {
        assert!(text.contains("KEEP"), "{name}");
        assert!(
            name == "vscodium" || !text.is_ascii() && (text.contains("command") || text.contains("rl\":")),
            "{name}"
        );
    }
    let having = |what: fn(&str) -> bool| EDITORS.iter().filter(|(_, _, text)| what(text)).count();
    assert!(having(|text| text.contains("// ") || text.contains("/* ") || text.contains("# ")) >= 5);
    assert!(having(|text| text.contains(",\n}") || text.contains(",\n  }") || text.contains(",\n\t}")) >= 3);
    assert!(having(|text| text.contains("\r\n")) >= 2);
}

#[test]
fn what_a_person_changed_since_stays_when_the_entry_is_taken_out() {
    let (world, files) = furnished();
    install(&world).left_with(0);
    for (file, _) in &files {
        fs::write(file, read(file).replace("KEEP", "KEPT")).unwrap();
    }

    world.run(&["uninstall"]).left_with(0);

    for (file, before) in &files {
        let wanted = before.replace("KEEP", "KEPT");
        match before.contains("mcp") {
            true => assert_eq!(read(file), wanted),
            // the member for all servers was not there before: an empty one may stay
            false => assert!(read(file).contains("KEPT") && !read(file).contains("aic-mcp")),
        }
    }
}

#[test]
fn a_second_install_writes_nothing() {
    let (world, files) = furnished();
    install(&world).left_with(0);
    let inodes = || files.iter().map(|(file, _)| fs::metadata(file).unwrap().ino()).collect::<Vec<_>>();
    let before = inodes();

    let said = install(&world).left_with(0).said();

    assert_eq!(said.matches("is right already").count(), EDITORS.len(), "{said}");
    assert_eq!(inodes(), before);
}

#[test]
fn another_tenant_changes_the_entry_and_the_first_backup_is_what_comes_back() {
    let (world, files) = furnished();
    install(&world).left_with(0);

    world.run(&["install", "--tenant", "openam-other-dev.id.forgerock.io"]).left_with(0);

    for (file, _) in &files {
        assert!(read(file).contains("openam-other-dev.id.forgerock.io") && !read(file).contains("\"t0\""));
    }
    world.run(&["uninstall"]).left_with(0);
    for (file, before) in &files {
        assert_eq!(read(file), *before);
    }
}

#[test]
fn a_dry_run_shows_the_change_and_makes_none() {
    let (world, files) = furnished();

    let said = world.run(&["install", "--tenant", "t0", "--dry-run"]).left_with(0).said();

    assert_eq!(said.matches("would be changed").count(), EDITORS.len(), "{said}");
    assert!(said.contains("    + [mcp_servers.aic]"), "{said}");
    for (file, before) in &files {
        assert_eq!(read(file), *before);
    }
    assert!(!world.place.state.join("editors").exists());
}

/// Two accounts of one person, each with a directory of its own.
#[test]
fn every_configuration_that_a_variable_named_is_put_back() {
    let world = world();
    let (_, _, claude) = EDITORS[0];
    let (_, _, codex) = EDITORS[6];
    let files = [("work/.claude.json", claude), ("work/config.toml", codex), ("own/.claude.json", claude)];
    let files = files.map(|(place, text)| (lay(&world, place, text), text));
    for directory in ["work", "own"] {
        let directory = world.place.home.join(directory).display().to_string();
        let variables = [("CLAUDE_CONFIG_DIR", directory.as_str()), ("CODEX_HOME", directory.as_str())];

        world.begin_with(&["install", "--tenant", "t0"], &variables).done().left_with(0);
    }

    for (file, _) in &files {
        assert!(read(file).contains("aic-mcp"), "{}", file.display());
    }
    assert!(!world.place.home.join(".claude.json").exists() && !world.place.home.join(".codex").exists());
    world.run(&["uninstall"]).left_with(0);
    for (file, before) in &files {
        assert_eq!(read(file), *before);
    }
    assert!(!world.place.home.join("own/config.toml").exists() && !world.place.state.join("editors").exists());
}

#[test]
fn a_file_that_was_not_there_is_made_and_removed_again() {
    let world = world();
    for (name, place, _) in EDITORS {
        let file = world.place.home.join(place.replace(".jsonc", ".json"));

        world.run(&["install", "--tenant", "t0", "--client", name]).left_with(0);

        assert!(read(&file).contains("aic-mcp"), "{name}");
        world.run(&["uninstall"]).left_with(0);
        assert!(!file.exists(), "{name}");
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_told_with_its_place_and_left_alone() {
    let world = world();
    let cases = [
        (".cursor/mcp.json", "{\n  \"mcpServers\": {\n    \"a\" 1\n}", ":3:"),
        (".codex/config.toml", "model = = 1\n", ":1:9: "),
        (".gemini/settings.json", "{\"mcpServers\": []}", "\"mcpServers\" is not an object"),
        (".config/zed/settings.json", "{\"context_servers\": {\"aic\": {\"command\": \"other\"}}}", "starts other"),
    ];
    let good = lay(&world, ".claude.json", "{}\n");
    let bad = cases.map(|(place, text, words)| (lay(&world, place, text), text, words));

    let done = install(&world).left_with(1);

    for (file, text, words) in &bad {
        assert!(done.err.contains(&file.display().to_string()) && done.err.contains(words), "{words}: {}", done.err);
        assert_eq!(read(file), *text);
    }
    assert!(read(&good).contains("aic-mcp"), "one editor's trouble is no other's");
}

#[test]
fn a_link_stays_a_link_and_a_mode_stays_as_it_is() {
    let world = world();
    let real = lay(&world, "dotfiles/mcp.json", "{}\n");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    let link = world.place.home.join(".cursor/mcp.json");
    fs::create_dir(link.parent().unwrap()).unwrap();
    symlink(&real, &link).unwrap();

    install(&world).left_with(0);

    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(read(&real).contains("aic-mcp"));
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(real.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_backup_is_closed_to_others() {
    let (world, _) = furnished();

    install(&world).left_with(0);

    let kept = fs::read_dir(world.place.state.join("editors")).unwrap().flatten().collect::<Vec<_>>();
    assert_eq!(kept.len(), EDITORS.len());
    for one in kept {
        assert_eq!(one.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{one:?}");
    }
}

#[test]
fn a_tenant_that_may_not_be_administered_is_in_no_configuration() {
    let (world, files) = furnished();
    let cases = [
        ("openam-acme-prod.id.forgerock.io", "prod"),
        ("https://me:secret@openam-acme-dev.id.forgerock.io", "user name"),
        ("tenant.example.com", "[tenants."),
        ("", "is empty"),
    ];

    for (tenant, words) in cases {
        let done = world.run(&["install", "--tenant", tenant]).left_with(2);
        assert!(done.err.contains(words) && !done.err.contains("secret@"), "{tenant}: {}", done.err);
    }
    for (file, before) in &files {
        assert_eq!(read(file), *before);
    }
}

#[test]
fn a_tenant_that_nobody_named_is_asked_for_on_a_terminal_and_nowhere_else() {
    let world = world();
    world.write_configuration("browser = \"none\"\n");
    let file = lay(&world, ".claude.json", "{}");

    let told = world.run(&["install"]).left_with(2);
    assert!(told.err.contains("aic-broker install --tenant openam-acme-dev.id.forgerock.io"), "{told:?}");
    assert_eq!(read(&file), "{}");

    let mut asking = world.begin_at_terminal("install");
    eventually(SOON, "the question", || asking.said().contains("The tenant's host, for example").then_some(()));
    asking.type_in("openam-own-dev.id.forgerock.io");
    asking.done().left_with(0);
    assert!(read(&file).contains("\"AIC_BASE_URL\": \"openam-own-dev.id.forgerock.io\""), "{}", read(&file));
}

#[test]
fn what_is_missing_is_named() {
    let world = world();

    let unknown = world.run(&["install", "--client", "emacs", "--tenant", "t0"]).left_with(2);
    assert!(unknown.err.contains("claude-code, claude-desktop"), "{unknown:?}");

    let none = install(&world).left_with(1);
    assert!(none.err.contains("--client"), "{none:?}");

    lay(&world, ".claude.json", "{}");
    fs::remove_file(world.place.programs.join("aic-mcp")).unwrap();
    let alone = install(&world).left_with(1);
    assert!(alone.err.contains("aic-mcp") && alone.err.contains("beside"), "{alone:?}");
    assert_eq!(read(&world.place.home.join(".claude.json")), "{}");
}

#[test]
fn an_entry_is_tried_with_what_a_person_added_to_it() {
    let world = world();
    let file = lay(&world, ".claude.json", "{}");
    install(&world).left_with(0);
    let with = |arguments: &str| read(&file).replace("\"args\": []", arguments);
    let good = with("\"args\": [\"--read-only\"]");
    fs::write(&file, &good).unwrap();
    install(&world).left_with(0);
    let wrong = good.replace("--read-only", "--red-only");
    fs::write(&file, &wrong).unwrap();

    let done = install(&world).left_with(1);

    assert!(done.err.contains("--red-only` does not answer as an MCP server: it ended"), "{done:?}");
    assert!(done.err.contains(&file.display().to_string()), "{done:?}");
    assert_eq!(read(&file), wrong);
}

#[test]
fn a_program_that_is_no_mcp_server_is_not_registered() {
    let world = world();
    let file = lay(&world, ".claude.json", "{}");
    let shim = world.place.programs.join("aic-mcp");
    fs::remove_file(&shim).unwrap();
    fs::write(&shim, "#!/bin/sh\necho hello\n").unwrap();
    fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();

    let done = install(&world).left_with(1);

    assert!(done.err.contains("does not answer as an MCP server"), "{done:?}");
    assert_eq!(read(&file), "{}");
}
