//! `aic-broker status`: what the broker holds, once or as it changes. Starts none.

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use aic_proto::message::{Ask, ToBroker, ToShim};
use serde_json::Value;

use super::link::{Error, Link, converse, strange};
use super::look::{Colour, Look, columns, distance};
use super::{code, say};
use crate::clock::Moment;
use crate::config::Places;

/// The pause between two looks of `--watch`: people see no more, and the broker has other things to do.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Where the cursor goes before a picture is drawn anew, and what is erased then.
const ANEW: &str = "\x1b[H\x1b[2J";

/// Shows the status.
pub(super) fn show(places: &Places, json: bool, watched: bool) -> ExitCode {
    converse(async {
        let mut link = match Link::find(places).await {
            Ok(link) => link,
            Err(Error::Absent) => return absent(json),
            Err(error) => return error.report(),
        };
        match watched {
            true => watch(&mut link, json).await,
            false => match ask(&mut link).await {
                Ok(text) => {
                    say(&picture(&text, json, Look::of_output()));
                    ExitCode::SUCCESS
                }
                Err(code) => code,
            },
        }
    })
}

fn absent(json: bool) -> ExitCode {
    say(if json {
        r#"{"running": false}"#
    } else {
        "no aic-broker is running; the first call or aic-broker login starts it"
    });
    ExitCode::from(code::NO_BROKER)
}

async fn ask(link: &mut Link) -> Result<String, ExitCode> {
    match link.ask(&ToBroker::Status(Ask { id: 1 })).await {
        Ok(ToShim::Status(text)) => Ok(text.text),
        Ok(_) => Err(strange()),
        Err(error) => Err(error.report()),
    }
}

/// Draws the picture anew on a terminal, and elsewhere prints it when something changed, until the broker leaves or Ctrl-C.
async fn watch(link: &mut Link, json: bool) -> ExitCode {
    let look = Look::of_output();
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut shown = String::new();
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            _ = tokio::signal::ctrl_c() => return ExitCode::SUCCESS,
        }
        let Ok(ToShim::Status(text)) = link.ask(&ToBroker::Status(Ask { id: 1 })).await else { return absent(json) };
        let picture = picture(&text.text, json, look);
        let written = match look.live && !json {
            true => draw(&picture),
            false if text.text != shown => line(&picture),
            false => Ok(()),
        };
        if written.is_err() {
            return ExitCode::SUCCESS;
        }
        shown = text.text;
    }
}

fn draw(picture: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    write!(output, "{ANEW}{picture}\n\nCtrl-C ends this\n")?;
    output.flush()
}

/// A reader that is gone ends the watch.
fn line(picture: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{picture}")?;
    output.flush()
}

fn picture(text: &str, json: bool, look: Look) -> String {
    match serde_json::from_str::<Value>(text).ok().filter(|_| !json) {
        Some(status) => table(&status, Moment::now().wall, look).trim_end().to_owned(),
        None => text.to_owned(),
    }
}

type Row = Vec<(String, Option<Colour>)>;

/// The status for people.
fn table(status: &Value, now: SystemTime, look: Look) -> String {
    let keychain = status.get("keychain").cloned().unwrap_or_default();
    let paused = match status.get("paused") == Some(&Value::Bool(true)) {
        true => format!("\n{}", look.paint(Colour::Bad, "PAUSED: every call is refused; aic-broker resume")),
        false => String::new(),
    };
    let mut text = format!(
        "aic-broker {} (pid {}), started {}\nkeychain: {} ({}){paused}\n",
        word(status, "version"),
        word(status, "pid"),
        when(status, "started_at", now),
        word(&keychain, "backend"),
        word(&keychain, "state"),
    );
    let mut sessions = vec![heading(&["TENANT", "STATE", "USER", "ENDS"])];
    sessions.extend(rows(status, "sessions").iter().map(|session| session_row(session, now)));
    let mut clients = vec![heading(&["CLIENT", "TENANT", "PID", "CALLS", "CONNECTED"])];
    clients.extend(rows(status, "clients").iter().map(|client| client_row(client, now)));
    for table in [&sessions, &clients].into_iter().filter(|table| table.len() > 1) {
        text.push_str(&format!("\n{}", columns(table, look)));
    }
    for session in rows(status, "sessions") {
        text.extend([changed_user(&session, look), sign_in(&session)].into_iter().flatten());
    }
    text
}

fn word(value: &Value, member: &str) -> String {
    match value.get(member) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}

fn when(value: &Value, member: &str, now: SystemTime) -> String {
    let text = word(value, member);
    Moment::read(&text).map_or(text, |at| distance(at, now))
}

fn rows(status: &Value, member: &str) -> Vec<Value> {
    status.get(member).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn heading(words: &[&str]) -> Row {
    words.iter().map(|word| ((*word).to_owned(), Some(Colour::Faint))).collect()
}

fn session_row(session: &Value, now: SystemTime) -> Row {
    let state = word(session, "state");
    let colour = match state.as_str() {
        "signed_in" => Colour::Good,
        "signing_in" => Colour::Notice,
        _ => Colour::Faint,
    };
    vec![
        (word(session, "tenant"), None),
        (state.replace('_', " "), Some(colour)),
        (word(session, "user"), None),
        (when(session, "expires_at", now), None),
    ]
}

fn changed_user(session: &Value, look: Look) -> Option<String> {
    let before = session.get("instead_of").and_then(Value::as_str)?;
    let text = format!("{}: ANOTHER USER than before, which was {before}", word(session, "tenant"));
    Some(format!("\n{}\n", look.paint(Colour::Bad, &text)))
}

fn client_row(client: &Value, now: SystemTime) -> Row {
    let plain = |text: String| (text, None);
    let cells = ["name", "tenant", "pid", "calls"].map(|member| plain(word(client, member)));
    cells.into_iter().chain([plain(when(client, "connected_at", now))]).collect()
}

fn sign_in(session: &Value) -> Option<String> {
    let login = session.get("login")?;
    let code = login.get("user_code").and_then(Value::as_str).map_or(String::new(), |code| format!(" (code {code})"));
    Some(format!("\nsign in to {} at{code}\n  {}\n", word(session, "tenant"), word(login, "url")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_has_what_people_look_for() {
        let status = json!({"version": "1", "pid": 7, "started_at": "2026-11-26T10:00:00Z", "paused": true,
            "keychain": {"backend": "memory", "state": "ok"},
            "sessions": [{"tenant": "acme", "state": "signed_in", "user": "kim", "instead_of": "ada", "expires_at": "2026-11-26T12:42:00Z"},
                {"tenant": "dev", "state": "signing_in", "user": null, "expires_at": null,
                "login": {"url": "https://x", "user_code": "ABCD", "expires_at": "then"}}],
            "clients": [{"pid": 8, "name": "editor", "tenant": "dev", "calls": 3, "connected_at": "2026-11-26T11:59:00Z"}]});

        let text = table(&status, Moment::read("2026-11-26T12:00:00Z").unwrap(), Look::PLAIN);

        let wanted = "aic-broker 1 (pid 7), started 2 h ago\n\
                      keychain: memory (ok)\n\
                      PAUSED: every call is refused; aic-broker resume\n\
                      \n\
                      TENANT  STATE       USER  ENDS\n\
                      acme    signed in   kim   in 42 min\n\
                      dev     signing in  -     -\n\
                      \n\
                      CLIENT  TENANT  PID  CALLS  CONNECTED\n\
                      editor  dev     8    3      1 min ago\n\
                      \n\
                      acme: ANOTHER USER than before, which was ada\n\
                      \n\
                      sign in to dev at (code ABCD)\n  https://x\n";
        assert_eq!(text, wanted);
    }
}
