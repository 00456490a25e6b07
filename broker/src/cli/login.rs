//! `aic-broker login`: shows where to sign in, waits, says who is signed in.

use std::convert::Infallible;
use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use aic_proto::message::{End, How, Paste, Pending, Shown, SignIn, ToBroker, ToShim, Wait};

use super::link::{Link, converse, refused, strange};
use super::{code, say, stop};
use crate::config::Places;

/// The way that the flags ask for.
pub(super) fn how(device: bool, paste: bool, no_browser: bool) -> How {
    match (device, paste, no_browser) {
        (true, ..) => How::Device,
        (_, true, _) => How::Paste,
        (_, _, true) => How::NoBrowser,
        _ => How::Auto,
    }
}

/// Signs in.
pub(super) fn run(places: &Places, tenant: Option<String>, how: How) -> ExitCode {
    converse(async {
        let mut link = match Link::find_or_start(places).await {
            Ok(link) => link,
            Err(error) => return error.report(),
        };
        let answer = link.ask(&ToBroker::SignIn(SignIn { id: 1, tenant, how })).await;
        match answer {
            Ok(ToShim::SignInNeeded(needed)) => follow(&mut link, &needed.pending, how).await,
            Ok(ToShim::Session(session)) => {
                say(&format!(
                    "{}: signed in as {}",
                    session.tenant,
                    session.user.as_deref().unwrap_or("a user whose name the token does not tell")
                ));
                ExitCode::SUCCESS
            }
            Ok(ToShim::Failed(failed)) => refused(&failed.failure),
            Ok(_) => strange(),
            Err(error) => error.report(),
        }
    })
}

async fn follow(link: &mut Link, pending: &Pending, how: How) -> ExitCode {
    tell(pending);
    if how == How::Paste
        && let Err(code) = paste(link, pending).await
    {
        return code;
    }
    let waiting = ToBroker::Wait(Wait { id: 2, flow: pending.flow.clone() });
    let awaited = tokio::select! {
        ended = link.ask(&waiting) => ended,
        never = count_down(pending) => match never {},
    };
    wipe_line();
    match awaited {
        Ok(ToShim::SignInEnded(ended)) => match ended.end {
            End::SignedIn { user } => {
                say(&format!(
                    "{}: signed in as {}",
                    pending.tenant,
                    user.as_deref().unwrap_or("a user whose name the token does not tell")
                ));
                ExitCode::SUCCESS
            }
            End::Failed(failure) => refused(&failure),
        },
        Ok(_) => strange(),
        Err(error) => error.report(),
    }
}

fn tell(pending: &Pending) {
    match &pending.shown {
        Shown::Browser { url, opened: true } => {
            say(&format!("A browser was opened at {}. If you do not see it, open:\n{url}", pending.host))
        }
        Shown::Browser { url, opened: false } => say(&format!("Open this URL to sign in to {}:\n{url}", pending.host)),
        Shown::Device { uri, uri_complete, user_code } => {
            let short = uri_complete
                .as_ref()
                .map_or(String::new(), |complete| format!("\nor open {complete} and check the code"));
            say(&format!("Open {uri} on any device and enter the code {user_code}{short}"));
        }
    }
    if let Some(note) = &pending.note {
        say(&format!("({note})"));
    }
    if !std::io::stdout().is_terminal() {
        say(&waiting_line(pending, pending.expires_in));
    }
}

fn waiting_line(pending: &Pending, left: u64) -> String {
    format!("Waiting for the sign-in to {} (at most {left} s) …", pending.tenant)
}

/// Shows a person what is awaited and how long it may still take.
async fn count_down(pending: &Pending) -> Infallible {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    for left in (1..=pending.expires_in).rev() {
        seconds.tick().await;
        on_terminal(&format!("\r\x1b[K{}", waiting_line(pending, left)));
    }
    std::future::pending().await
}

fn wipe_line() {
    on_terminal("\r\x1b[K");
}

fn on_terminal(text: &str) {
    let mut terminal = std::io::stdout();
    if terminal.is_terminal() {
        let _ = terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush());
    }
}

async fn paste(link: &mut Link, pending: &Pending) -> Result<(), ExitCode> {
    if std::io::stdin().is_terminal() {
        say("The browser will end on a page that it cannot open. Copy that page's URL and paste it here:");
    }
    let mut url = String::new();
    if std::io::stdin().lock().read_line(&mut url).unwrap_or(0) == 0 {
        return Err(stop(code::SIGN_IN, "no URL was pasted"));
    }
    let request = ToBroker::Paste(Paste { id: 3, flow: pending.flow.clone(), url: url.trim().to_owned() });
    match link.ask(&request).await {
        Ok(ToShim::Done(_)) => Ok(()),
        Ok(ToShim::Failed(failed)) => Err(refused(&failed.failure)),
        Ok(_) => Err(strange()),
        Err(error) => Err(error.report()),
    }
}
