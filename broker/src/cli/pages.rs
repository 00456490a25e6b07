//! `aic-broker completions` and `man`: what packages install, made from the command line itself, so that it cannot drift.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::teach::{self, LESSONS, Lesson};
use super::{arguments, code, stop};

/// The shim's `--help`: its page is made from this one text.
const SHIM_HELP: &str = include_str!("../../../shim/src/help.txt");

/// Files that people look for.
const FILES: [(&str, &str); 4] = [
    ("~/.config/aic-broker/config.toml", "tenants and settings; every key is optional"),
    ("~/.local/state/aic-broker/audit.jsonl", "what was done, by whom, as a chain of lines"),
    ("~/.local/state/aic-broker/broker.log", "the daemon's warnings"),
    ("/run/user/UID/aic-broker/broker.sock", "the socket; /tmp/aic-broker-UID where there is no /run/user/UID"),
];

/// Prints a shell's completions.
pub(super) fn completions(shell: Shell) -> ExitCode {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut arguments::command(), "aic-broker", &mut text);
    print(String::from_utf8_lossy(&text).replace(MISSPELT, SPELT).as_bytes())
}

/// The generator for bash spells a program's hyphen in two ways (clap-rs/clap#6421), and an option of a command would never be completed.
const MISSPELT: &str = "aic__subcmd__broker";
const SPELT: &str = "aic__broker";

/// Prints the page of the whole program, or writes all pages.
pub(super) fn man(directory: Option<&Path>) -> ExitCode {
    let written = match directory {
        None => page(&whole(), None).map(|page| print(&page)),
        Some(directory) => write_all(directory).map(|()| ExitCode::SUCCESS),
    };
    written.unwrap_or_else(|error| stop(code::FAILED, &format!("the manual pages cannot be written: {error}")))
}

/// A reader that leaves early, as `head` does, is no failure.
fn print(bytes: &[u8]) -> ExitCode {
    let _ = io::stdout().write_all(bytes);
    ExitCode::SUCCESS
}

fn whole() -> clap::Command {
    let mut command = arguments::command().disable_help_subcommand(true).disable_help_flag(false);
    command.build();
    command
}

fn write_all(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let whole = whole();
    std::fs::write(directory.join("aic-broker.1"), page(&whole, None)?)?;
    for command in whole.get_subcommands() {
        let lesson = LESSONS.iter().find(|lesson| lesson.command == command.get_name());
        let file = directory.join(format!("aic-broker-{}.1", command.get_name()));
        std::fs::write(file, page(command, lesson)?)?;
    }
    std::fs::write(directory.join("aic-mcp.1"), shim_page(SHIM_HELP)?)
}

/// One command's page; without a lesson it is the page of the whole program.
fn page(command: &clap::Command, lesson: Option<&Lesson>) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone()).source(source("aic-broker")).manual(MANUAL).date(DATE);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    let mut rest = Roff::new();
    list(&mut rest, "OPTIONS", command.get_arguments().filter(|one| !one.is_hide_set()).map(option));
    if command.has_subcommands() {
        list(&mut rest, "COMMANDS", command.get_subcommands().map(|one| (one.get_name().to_owned(), about(one))));
    }
    match lesson {
        Some(lesson) => examples(&mut rest, lesson),
        None => list(&mut rest, "FILES", FILES.map(|(file, what)| (file.to_owned(), what))),
    }
    let codes = lesson.map_or(teach::ALL_CODES.as_slice(), |lesson| lesson.codes);
    list(&mut rest, "EXIT STATUS", codes.iter().map(|code| (code.to_string(), teach::meaning(*code))));
    rest.control("SH", ["SEE ALSO"]).text([bold("aic-broker"), roman("(1), "), bold("aic-mcp"), roman("(1)")]);
    rest.to_writer(&mut page)?;
    Ok(page)
}

const MANUAL: &str = "User Commands";
/// Of the pages' last change; formatters want one, and a build must give the same bytes every time.
const DATE: &str = "2026-11-26";

fn source(program: &str) -> String {
    format!("{program} {}", env!("CARGO_PKG_VERSION"))
}

fn examples(roff: &mut Roff, lesson: &Lesson) {
    roff.control("SH", ["EXAMPLES"]);
    for (line, what) in lesson.examples {
        roff.control("TP", []).text([bold(line)]).text([roman(what)]);
    }
}

fn list<W: Into<String>>(roff: &mut Roff, heading: &str, entries: impl IntoIterator<Item = (String, W)>) {
    roff.control("SH", [heading]);
    for (name, what) in entries {
        roff.control("TP", []).text([bold(name)]).text([roman(what)]);
    }
}

fn about(command: &clap::Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// An option as it is typed, with its help.
fn option(argument: &clap::Arg) -> (String, String) {
    let short = argument.get_short().map_or(String::new(), |letter| format!("-{letter}, "));
    let value =
        argument.get_value_names().filter(|_| argument.get_action().takes_values()).unwrap_or_default().join(" ");
    let typed = match argument.get_long() {
        Some(long) => format!("{short}--{long} {value}").trim_end().to_owned(),
        None => value,
    };
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let choices: Vec<String> = argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    match choices.is_empty() || !argument.get_action().takes_values() {
        true => (typed, help),
        false => (typed, format!("{help}: {}", choices.join(", "))),
    }
}

/// The shim's page from its help.
///
/// Shape: `NAME: WHAT`, `Usage: LINE`, options indented by two with two spaces before their text, closing lines.
fn shim_page(help: &str) -> io::Result<Vec<u8>> {
    let mut roff = Roff::new();
    roff.control("TH", ["AIC-MCP", "1", DATE, &source("aic-mcp"), MANUAL]);
    let mut options = false;
    for line in help.lines().filter(|line| !line.is_empty()) {
        if let Some((name, what)) = line.strip_prefix("  ").and_then(|option| option.split_once("  ")) {
            if !std::mem::replace(&mut options, true) {
                roff.control("SH", ["OPTIONS"]);
            }
            roff.control("TP", []).text([bold(name)]).text([roman(what.trim())]);
        } else if let Some(usage) = line.strip_prefix("Usage: ") {
            roff.control("SH", ["SYNOPSIS"]).text([bold(usage)]);
        } else if let Some((name, what)) = line.split_once(": ").filter(|_| !options) {
            roff.control("SH", ["NAME"]).text([roman(format!("{name} - {what}"))]);
        } else {
            roff.control("SH", ["DESCRIPTION"]).text([roman(line)]);
        }
    }
    roff.control("SH", ["SEE ALSO"]).text([bold("aic-broker"), roman("(1)")]);
    let mut page = Vec::new();
    roff.to_writer(&mut page)?;
    Ok(page)
}
