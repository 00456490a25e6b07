//! `aic-broker install` and `uninstall`: registers `aic-mcp` in the editors of this machine, and puts them back.

mod apply;
mod difference;
mod edit;
mod editors;
mod here;
mod keep;
mod leftovers;
mod probe;
mod service;

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use super::{code, say, stop};
use crate::config::{Config, Places, TenantError, resolve};
use crate::guard::tier;
use apply::{Outcome, put, take};
use editors::{EDITORS, Editor, Server};
use keep::Backups;
use probe::Probe;

pub(crate) use edit::{Older, Servers, State};
pub(crate) use here::editors;
pub(crate) use service::{Installed, installed, is_enabled as is_service_enabled};

/// What is asked for.
pub(super) struct Wanted {
    /// The editors' names; none means all that are here.
    pub(super) clients: Vec<String>,
    /// The tenant that the editors shall administer.
    pub(super) tenant: Option<String>,
    /// Also the service of this user.
    pub(super) service: bool,
    /// Only show.
    pub(super) dry_run: bool,
}

/// Installs what is asked for; that one part fails is no reason to leave the other.
pub(super) fn install(places: &Places, config: &Config, wanted: &Wanted) -> ExitCode {
    let service = if wanted.service { service::install(places, wanted.dry_run) } else { Ok(()) };
    let registered = register(places, config, wanted);
    service.map_or_else(|(code, reason)| stop(code, &reason), |()| registered)
}

/// Registers `aic-mcp`.
fn register(places: &Places, config: &Config, wanted: &Wanted) -> ExitCode {
    let prepared = chosen(&wanted.clients).and_then(|editors| {
        let tenant = tenant(wanted.tenant.as_deref(), config)?;
        Ok((editors, Server { command: shim()?, tenant }))
    });
    let (editors, server) = match prepared {
        Ok(prepared) => prepared,
        Err((_, reason)) if wanted.service && wanted.clients.is_empty() && is_without_editors() => {
            say(&reason);
            return ExitCode::SUCCESS;
        }
        Err((code, reason)) => return stop(code, &reason),
    };
    let mut probe = Probe::default();
    if wanted.dry_run {
        say(&format!("would start {} once and list its tools", server.command));
    } else {
        match probe.try_out(&server.plain()) {
            Ok(tools) => say(&format!("{} answers with {tools} tools for {}", server.command, server.tenant)),
            Err(reason) => return stop(code::FAILED, &format!("{reason}; no editor was changed")),
        }
    }
    let backups = Backups::below(&places.state);
    let word = if wanted.dry_run { "would be changed" } else { "registered" };
    let done = editors.iter().map(|(editor, file)| {
        let probe = (!wanted.dry_run).then_some(&mut probe);
        (*editor, file.clone(), put(editor, file, &server, &backups, probe))
    });
    report(done, [word, "is right already"])
}

/// Takes the service back, puts every editor back, and ends the broker. That one part fails is no reason to leave the others.
pub(super) fn uninstall(places: &Places, dry_run: bool) -> ExitCode {
    let service = service::uninstall(places, dry_run);
    let editors = put_back(places, dry_run);
    let broker = leftovers::clear(places, dry_run);
    service.and(broker).map_or_else(|(code, reason)| stop(code, &reason), |()| editors)
}

fn put_back(places: &Places, dry_run: bool) -> ExitCode {
    let Some(home) = here::home() else { return stop(code::FAILED, "this user has no home directory") };
    let backups = Backups::below(&places.state);
    let words = if dry_run { ["would be put back", ""] } else { ["put back", ""] };
    let files = EDITORS.iter().flat_map(|editor| {
        let changed = backups.files(editor.id);
        let own = Some(here::file_of(editor, &home)).filter(|own| !changed.contains(own));
        changed.into_iter().chain(own).map(move |file| (editor, file))
    });
    let done = files.map(|(editor, file)| {
        let outcome = take(editor, &file, backups.load(editor.id, &file), dry_run);
        if outcome.is_ok() && !dry_run {
            backups.forget(editor.id, &file);
        }
        (editor, file, outcome)
    });
    report(done, words)
}

type Failure = (u8, String);

fn is_without_editors() -> bool {
    here::home().is_some_and(|home| !EDITORS.iter().any(|editor| here::is_here(editor, &home)))
}

fn chosen(names: &[String]) -> Result<Vec<(&'static Editor, PathBuf)>, Failure> {
    let home = here::home().ok_or((code::FAILED, "this user has no home directory".to_owned()))?;
    let known = || EDITORS.map(|editor| editor.id).join(", ");
    if let Some(unknown) = names.iter().find(|name| EDITORS.iter().all(|editor| editor.id != **name)) {
        return Err((code::USAGE, format!("there is no client \"{unknown}\"; known are {}", known())));
    }
    let is_wanted = |editor: &&Editor| match names.is_empty() {
        true => here::is_here(editor, &home),
        false => names.iter().any(|name| name == editor.id),
    };
    let editors: Vec<_> =
        EDITORS.iter().filter(is_wanted).map(|editor| (editor, here::file_of(editor, &home))).collect();
    match editors.is_empty() {
        true => Err((
            code::FAILED,
            format!(
                "no editor was found on this machine; name one, and it is registered all the same: aic-broker install --client NAME, one of {}",
                known()
            ),
        )),
        false => Ok(editors),
    }
}

/// The tenant that is written into the entries: as it is named, if it is one that may be administered.
fn tenant(named: Option<&str>, config: &Config) -> Result<String, Failure> {
    let usage = |reason: String| (code::USAGE, reason);
    let asked = match resolve(named, config) {
        Err(TenantError::None(_)) if std::io::stdin().is_terminal() => Some(ask().map_err(usage)?),
        _ => named.map(str::to_owned),
    };
    let tenant = resolve(asked.as_deref(), config).map_err(|error| match error {
        TenantError::None(_) => {
            usage(format!("{error}; name one: aic-broker install --tenant openam-acme-dev.id.forgerock.io"))
        }
        other => usage(other.to_string()),
    })?;
    tier::before_sign_in(&tenant).map_err(|failure| {
        usage([Some(failure.message), failure.hint].into_iter().flatten().collect::<Vec<_>>().join("\n"))
    })?;
    Ok(tenant.name)
}

#[expect(clippy::print_stderr, reason = "a question on the terminal")]
fn ask() -> Result<String, String> {
    eprint!("The tenant's host, for example openam-acme-dev.id.forgerock.io: ");
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|error| error.to_string())?;
    Ok(line.trim().to_owned())
}

/// The `aic-mcp` beside this program.
fn shim() -> Result<String, Failure> {
    let failed = |reason: String| (code::FAILED, reason);
    let own =
        std::env::current_exe().map_err(|error| failed(format!("the place of aic-broker is unknown: {error}")))?;
    let shim = own.with_file_name(format!("aic-mcp{}", std::env::consts::EXE_SUFFIX));
    match (shim.is_file(), shim.to_str()) {
        (true, Some(text)) => Ok(text.to_owned()),
        (true, None) => {
            Err(failed(format!("{} cannot be written into a configuration: it is not text", shim.display())))
        }
        (false, _) => {
            Err(failed(format!("{} does not exist: aic-mcp must be installed beside aic-broker", shim.display())))
        }
    }
}

fn report(
    done: impl Iterator<Item = (&'static Editor, PathBuf, Result<Outcome, String>)>,
    [changed, as_it_was]: [&str; 2],
) -> ExitCode {
    let (mut failed, mut said) = (Vec::new(), false);
    for (editor, file, outcome) in done {
        let line = |word: &str| format!("{:<14}  {word}: {}", editor.title, file.display());
        match outcome {
            Ok(Outcome::Changed { lines, older }) => {
                let replaced = older.iter().map(|older| format!("\n    in place of the existing server: {older}"));
                let replaced: String = replaced.collect();
                say(&format!("{}{replaced}\n{}", line(changed), lines.trim_end_matches('\n')));
            }
            Ok(Outcome::AsItWas) if as_it_was.is_empty() => continue,
            Ok(Outcome::AsItWas) => say(&line(as_it_was)),
            Err(reason) => failed.push(format!("{}: {reason}", editor.title)),
        }
        said = true;
    }
    match (failed.is_empty(), said) {
        (true, true) => ExitCode::SUCCESS,
        (true, false) => {
            say("no editor has an entry of aic-broker");
            ExitCode::SUCCESS
        }
        (false, _) => stop(code::FAILED, &failed.join("\naic-broker: ")),
    }
}
