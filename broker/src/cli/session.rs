//! `aic-broker logout`, `token`, `pause`, `resume` and `stop`.

use std::io::IsTerminal;
use std::process::ExitCode;

use aic_proto::message::{Ask, Logout, Pause, ToBroker, ToShim, TokenRequest};
use serde_json::json;

use super::link::{Error, Link, converse, refused, strange};
use super::{code, say, stop as end};
use crate::config::Places;

/// Asks a running broker one thing.
fn ask(places: &Places, request: ToBroker, tell: impl FnOnce(ToShim) -> ExitCode) -> ExitCode {
    converse(async {
        let answer = match Link::find(places).await {
            Ok(mut link) => link.ask(&request).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(ToShim::Failed(failed)) => refused(&failed.failure),
            Ok(answer) => tell(answer),
            Err(error) => error.report(),
        }
    })
}

/// Signs out and says what was revoked.
pub(super) fn logout(places: &Places, tenant: Option<String>, all: bool) -> ExitCode {
    if tenant.is_none() && !all {
        return end(code::USAGE, "say which session to end: --tenant TENANT or --all");
    }
    ask(places, ToBroker::Logout(Logout { id: 1, tenant }), |answer| match answer {
        ToShim::LoggedOut(text) => {
            say(&text.text);
            ExitCode::SUCCESS
        }
        _ => strange(),
    })
}

/// Prints a scoped token.
pub(super) fn token(places: &Places, tenant: String, scopes: Vec<String>, json: bool, show: bool) -> ExitCode {
    if std::io::stdout().is_terminal() && !show {
        return end(code::USAGE, "a token does not belong on a terminal: send it to a program, or give --show");
    }
    ask(places, ToBroker::Token(TokenRequest { id: 1, tenant, scopes }), |answer| match answer {
        ToShim::Token(token) if json => {
            let shown = json!({
                "access_token": token.access_token,
                "token_type": "Bearer",
                "expires_in": token.expires_in,
                "scope": token.scope,
            });
            say(&shown.to_string());
            ExitCode::SUCCESS
        }
        ToShim::Token(token) => {
            say(&token.access_token);
            ExitCode::SUCCESS
        }
        ToShim::SignInNeeded(needed) => end(
            code::SIGN_IN,
            &format!("the session of {0} ended; sign in: aic-broker login --tenant {0}", needed.pending.tenant),
        ),
        _ => strange(),
    })
}

/// Switches all calls off or on.
pub(super) fn pause(places: &Places, paused: bool) -> ExitCode {
    ask(places, ToBroker::Pause(Pause { id: 1, paused }), |answer| match answer {
        ToShim::Done(_) => {
            say(if paused { "paused: every call is refused until aic-broker resume" } else { "resumed" });
            ExitCode::SUCCESS
        }
        _ => strange(),
    })
}

/// Ends the broker and waits until it is gone.
pub(super) fn stop(places: &Places) -> ExitCode {
    converse(async {
        match leave(places).await {
            Ok(()) => {
                say(STOPPED);
                ExitCode::SUCCESS
            }
            Err(error) => error.report(),
        }
    })
}

/// What is said when it is gone.
pub(super) const STOPPED: &str = "stopped: all sessions are signed out";

/// Tells the broker to leave, and waits until it has signed out everywhere.
///
/// Errors: none runs, or it does something else.
pub(super) async fn leave(places: &Places) -> Result<(), Error> {
    let mut link = Link::find(places).await?;
    match link.ask(&ToBroker::Stop(Ask { id: 1 })).await? {
        ToShim::Done(_) => {}
        _ => return Err(Error::strange()),
    }
    match link.next().await {
        Err(Error::Broken(_)) => Ok(()),
        _ => Err(Error::strange()),
    }
}
