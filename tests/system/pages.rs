//! Completions load in real shells, and manual pages are read by real formatters without a word of complaint.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use aic_tests::harness::World;

use crate::world;

/// Runs another program to its end.
fn run(program: &str, arguments: &[&str]) -> Output {
    let done = Command::new(program).args(arguments).env("HOME", "/nonexistent").env("LC_ALL", "C.UTF-8").output();
    done.unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs it"))
}

fn out(program: &str, arguments: &[&str]) -> String {
    let done = run(program, arguments);
    assert!(done.status.success() && done.stderr.is_empty(), "{program}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

/// The completions of a shell, in a file of this name.
fn completions(world: &World, shell: &str, name: &str) -> PathBuf {
    let file = world.place.home.join(name);
    std::fs::write(&file, world.run(&["completions", shell]).left_with(0).out).unwrap();
    file
}

#[test]
fn bash_completes_a_command_and_its_options() {
    let world = world();
    let file = completions(&world, "bash", "aic-broker.bash");
    let typed = |words: &str, current: usize| {
        let script = format!(
            "source {}; complete=$(complete -p aic-broker | sed 's/.*-F //; s/ .*//'); COMP_WORDS=({words}); COMP_CWORD={current}; \
             $complete aic-broker \"${{COMP_WORDS[{current}]}}\" x; echo \"${{COMPREPLY[@]}}\"",
            file.display()
        );
        out("bash", &["--norc", "-c", &script])
    };

    assert_eq!(typed("aic-broker st", 1).trim(), "status stop");
    assert_eq!(typed("aic-broker login --d", 2).trim(), "--device");
    assert_eq!(typed("aic-broker audit v", 2).trim(), "verify");
}

#[test]
fn fish_completes_a_command_and_its_options() {
    let world = world();
    let file = completions(&world, "fish", "aic-broker.fish");
    let typed = |line: &str| {
        let script = format!("source {}; complete -C '{line}'", file.display());
        let lines = out("fish", &["--no-config", "-c", &script]);
        lines.lines().filter_map(|line| line.split('\t').next().map(str::to_owned)).collect::<Vec<_>>()
    };

    assert_eq!(typed("aic-broker st"), ["status", "stop"]);
    assert_eq!(typed("aic-broker login --d"), ["--device"]);
}

#[test]
fn zsh_loads_the_completion_under_its_name() {
    let world = world();
    let file = completions(&world, "zsh", "_aic-broker");
    let script = format!(
        "fpath=({} $fpath); autoload -U compinit; compinit -u -D; autoload +X -U _aic-broker && print -- $_comps[aic-broker]",
        file.parent().unwrap().display()
    );

    assert_eq!(out("zsh", &["-f", "-c", &script]).trim(), "_aic-broker");
}

#[test]
fn the_other_shells_have_completions_too() {
    let world = world();

    for shell in ["powershell", "elvish"] {
        assert!(world.run(&["completions", shell]).left_with(0).out.contains("status"), "{shell}");
    }
    world.run(&["completions", "tcsh"]).left_with(2);
}

fn pages(world: &World) -> Vec<PathBuf> {
    let directory = world.place.home.join("man1");
    world.run(&["man", "--to", directory.to_str().unwrap()]).left_with(0);
    let mut pages: Vec<PathBuf> = std::fs::read_dir(directory).unwrap().flatten().map(|entry| entry.path()).collect();
    pages.sort();
    pages
}

fn name(page: &Path) -> &str {
    page.file_name().and_then(|name| name.to_str()).unwrap()
}

#[test]
fn every_command_has_a_page_that_formatters_read_without_a_warning() {
    let world = world();

    let pages = pages(&world);

    let names: Vec<&str> = pages.iter().map(|page| name(page)).collect();
    for wanted in ["aic-broker.1", "aic-broker-login.1", "aic-broker-status.1", "aic-mcp.1"] {
        assert!(names.contains(&wanted), "{names:?}");
    }
    for page in &pages {
        let path = page.to_str().unwrap();
        let text = out("groff", &["-man", "-ww", "-Tutf8", "-P-cbou", path]);
        assert!(text.contains("NAME") && text.contains("SYNOPSIS"), "{path}: {text}");
        let lint = run("mandoc", &["-Tlint", "-Wwarning", path]);
        assert!(lint.status.success(), "{path}: {}", String::from_utf8_lossy(&lint.stdout));
    }
    assert_eq!(
        world.run(&["man"]).left_with(0).out,
        std::fs::read_to_string(&pages[names.iter().position(|name| *name == "aic-broker.1").unwrap()]).unwrap()
    );
}

#[test]
fn the_shim_s_page_has_every_option_of_its_help() {
    let world = world();
    let help = Command::new(world.place.programs.join("aic-mcp")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let options: Vec<&str> = help.split_whitespace().filter(|word| word.starts_with("--")).collect();
    assert!(options.len() >= 7, "{help}");

    let page = pages(&world).into_iter().find(|page| name(page) == "aic-mcp.1").unwrap();

    let text = out("groff", &["-man", "-Tutf8", "-P-cbou", page.to_str().unwrap()]);
    for option in options {
        assert!(text.contains(option), "{option}: {text}");
    }
}
