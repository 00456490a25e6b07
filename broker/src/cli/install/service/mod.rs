//! The user's service: writes what the service manager reads, tells it, and takes both back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::link::{self, Link};
use super::{Failure, code, say};
use crate::config::Places;
use crate::os;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as this;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as this;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as this;

pub(crate) use this::is_enabled;

/// What happens where there is no service.
const INSTEAD: &str = "aic-mcp starts the broker by itself when a call needs it";

/// What a service is made from.
struct Setting<'a> {
    /// The whole path of `aic-broker`.
    program: &'a str,
    places: &'a Places,
    /// The `AIC_BROKER_*` variables of places that are not the usual ones.
    variables: Vec<(&'static str, String)>,
}

/// Everything that makes a service, in the words of one service manager.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    /// Succeeds where the manager is there; empty where it always is.
    probe: Vec<String>,
    /// Succeeds where the manager will have the service after the next log-in, too.
    enabled: Vec<String>,
    /// Succeeds where it has it now.
    active: Vec<String>,
    /// What a person types to have it now.
    start: String,
    /// What must be there, closed to others.
    directories: Vec<PathBuf>,
    files: Vec<(PathBuf, Vec<u8>)>,
    enable: Vec<Step>,
    disable: Vec<Step>,
    /// What the manager keeps beside our files.
    links: Vec<PathBuf>,
    /// Directories that may be empty by then; a link in the place of one is the user's own.
    emptied: Vec<PathBuf>,
    forget: Vec<Step>,
    /// What a person has to know of it.
    note: Option<String>,
}

/// A service that is installed, as far as it can be told.
#[derive(Debug)]
pub(crate) struct Installed {
    /// The file that names the program.
    pub(crate) file: PathBuf,
    /// The program that the manager starts.
    pub(crate) program: PathBuf,
    /// This program.
    pub(crate) own: PathBuf,
    /// Whether it is enabled; `None` where the manager does not run.
    pub(crate) enabled: Option<bool>,
    /// Whether the manager has it now, and clients find it.
    pub(crate) active: Option<bool>,
    /// The command that enables it.
    pub(crate) enable: String,
    /// The command that has it started.
    pub(crate) start: String,
}

/// One command for the manager.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    words: Vec<String>,
    /// Whether it may fail, because there may be nothing to do.
    may_fail: bool,
}

impl Step {
    fn new(words: &[&str]) -> Self {
        Self { words: words.iter().map(|word| (*word).to_owned()).collect(), may_fail: false }
    }

    fn or_nothing(words: &[&str]) -> Self {
        Self { may_fail: true, ..Self::new(words) }
    }
}

/// Installs the service, or says what would be done.
///
/// Errors: there is no service manager, or the service does not start; then nothing of it is left.
pub(super) fn install(places: &Places, dry_run: bool) -> Result<(), Failure> {
    let plan = prepare(places)?;
    plan.note.iter().for_each(|note| say(&format!("{:<14}  {note}", "service")));
    if dry_run {
        show(&plan);
        return Ok(());
    }
    require_manager(&plan)?;
    let failed = |reason: String| (code::FAILED, reason);
    for directory in &plan.directories {
        os::private_directory(directory).map_err(|error| failed(format!("{}: {error}", directory.display())))?;
    }
    let mut changed = false;
    for (file, text) in &plan.files {
        let written = write(file, text).map_err(failed)?;
        let word = if written { "written" } else { "is right already" };
        say(&format!("{:<14}  {word}: {}", "service", file.display()));
        changed |= written;
    }
    if !changed && [&plan.enabled, &plan.active].into_iter().all(|words| output(words).is_ok()) {
        return Ok(());
    }
    let started = plan.enable.iter().try_for_each(run).and_then(|()| answers(places));
    started.map_err(|reason| {
        take_back(&plan);
        failed(format!("the service does not start, so it was taken back: {reason} ({}); {INSTEAD}", this::WHY))
    })?;
    say(&format!("{:<14}  enabled: the next call starts the broker", "service"));
    Ok(())
}

/// Takes the service back, if there is one.
///
/// Errors: a file of it cannot be removed.
pub(super) fn uninstall(places: &Places, dry_run: bool) -> Result<(), Failure> {
    let plan = prepare(places)?;
    if !plan.files.iter().any(|(file, _)| file.exists()) {
        return Ok(());
    }
    let word = if dry_run { "would be removed" } else { "removed" };
    if !dry_run {
        take_back(&plan);
    }
    for (file, _) in &plan.files {
        match file.exists() && !dry_run {
            true => return Err((code::FAILED, format!("{} cannot be removed", file.display()))),
            false => say(&format!("{:<14}  {word}: {}", "service", file.display())),
        }
    }
    if dry_run {
        plan.disable.iter().chain(&plan.forget).for_each(|step| say(&format!("$ {}", line(&step.words))));
    }
    Ok(())
}

/// The service as `install` left it; `None` where it did not.
pub(crate) fn installed(places: &Places) -> Option<Installed> {
    let plan = prepare(places).ok()?;
    let read =
        |(file, _): &(PathBuf, Vec<u8>)| Some((file.clone(), this::program_in(&legible(&fs::read(file).ok()?))?));
    let (file, program) = plan.files.iter().find_map(read)?;
    let is_there = plan.probe.is_empty() || output(&plan.probe).is_ok();
    let is_named = places.endpoint.socket().exists();
    let says = |words: &[String]| is_there.then(|| output(words).is_ok());
    Some(Installed {
        file,
        program: program.into(),
        own: std::env::current_exe().ok()?,
        enabled: says(&plan.enabled),
        active: says(&plan.active).map(|active| active && (!this::ACTIVATES || is_named)),
        enable: plan.enable.last().map(|step| line(&step.words)).unwrap_or_default(),
        start: plan.start,
    })
}

fn prepare(places: &Places) -> Result<Plan, Failure> {
    let failed = |reason: String| (code::FAILED, reason);
    let own = std::env::current_exe().map_err(|error| failed(format!("the place of aic-broker: {error}")))?;
    let program = own.to_str().ok_or_else(|| failed(format!("{} is not text", own.display())))?;
    let variables = ["AIC_BROKER_RUNTIME_DIR", "AIC_BROKER_STATE_DIR", "AIC_BROKER_CONFIG"];
    let set = variables.into_iter().filter_map(|name| Some((name, std::env::var(name).ok()?)));
    let variables: Vec<_> = set.filter(|(_, value)| !value.is_empty()).collect();
    let (directory, state) = (places.endpoint.directory.to_string_lossy(), places.state.to_string_lossy());
    let words = variables.iter().map(|(_, value)| value.as_str()).chain([program, &directory, &state]);
    if let Some(word) = words.into_iter().find(|word| word.chars().any(char::is_control)) {
        return Err(failed(format!("{word:?} cannot be written into a service: it is no line of text")));
    }
    this::plan(&Setting { program, places, variables }).map_err(failed)
}

fn show(plan: &Plan) {
    for (file, text) in &plan.files {
        say(&format!("{:<14}  would be written: {}", "service", file.display()));
        legible(text).lines().for_each(|line| say(&format!("+ {line}")));
    }
    plan.enable.iter().for_each(|step| say(&format!("$ {}", line(&step.words))));
}

/// Text as it is, or as Windows keeps it.
fn legible(text: &[u8]) -> String {
    match text.strip_prefix(&[0xff, 0xfe]) {
        Some(wide) => String::from_utf16_lossy(
            &wide.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect::<Vec<_>>(),
        ),
        None => String::from_utf8_lossy(text).into_owned(),
    }
}

fn line(words: &[String]) -> String {
    words.join(" ")
}

fn require_manager(plan: &Plan) -> Result<(), Failure> {
    let is_there = plan.probe.is_empty() || output(&plan.probe).is_ok();
    let asked = line(&plan.probe);
    let reason =
        || format!("no service manager of this user runs here (`{asked}` fails), so nothing was written; {INSTEAD}");
    is_there.then_some(()).ok_or_else(|| (code::FAILED, reason()))
}

/// Whether a file had to be written.
fn write(file: &Path, text: &[u8]) -> Result<bool, String> {
    if fs::read(file).is_ok_and(|found| found == text) {
        return Ok(false);
    }
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    fs::create_dir_all(file.parent().unwrap_or(file)).map_err(failed)?;
    fs::write(file, text).map_err(failed)?;
    Ok(true)
}

fn run(step: &Step) -> Result<(), String> {
    match output(&step.words) {
        Err(reason) if !step.may_fail => Err(format!("`{}`: {reason}", line(&step.words))),
        _ => Ok(()),
    }
}

fn output(words: &[String]) -> Result<(), String> {
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let done =
        Command::new(program).args(arguments).stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    let complaint = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    match (done.status.success(), complaint.is_empty()) {
        (true, _) => Ok(()),
        (false, true) => Err(done.status.to_string()),
        (false, false) => Err(complaint),
    }
}

/// A broker that the manager starts says hello.
fn answers(places: &Places) -> Result<(), String> {
    if !this::ACTIVATES {
        return Ok(());
    }
    let met = link::to_its_end(Link::activate(places))?;
    met.map(drop).map_err(|error| error.to_string())
}

/// As far as it goes: what is not there cannot be taken back.
fn take_back(plan: &Plan) {
    plan.disable.iter().for_each(|step| drop(run(step)));
    plan.files.iter().for_each(|(file, _)| drop(fs::remove_file(file)));
    plan.links.iter().for_each(|link| drop(fs::remove_file(link)));
    plan.emptied.iter().for_each(|directory| drop(fs::remove_dir(directory)));
    plan.forget.iter().for_each(|step| drop(run(step)));
}
