//! Answers the two tools about the session itself, which the broker knows as messages of their own.

use aic_proto::message::{Ask, How, SessionReport, SignIn, ToBroker, ToShim};
use aic_proto::refusal::{Failure, Kind};

use crate::call::{Ended, Failed, Turn, refused, unfitting};
use crate::link::Lost;
use crate::outcome;

/// Starts or joins a sign-in and answers at once.
///
/// Errors: none of the protocol's.
pub(crate) async fn sign_in(turn: &Turn<'_>) -> Ended {
    let connection = match without_arguments(turn) {
        Ok(()) => turn.connect().await,
        Err(failure) => Err(failure),
    };
    let connection = match connection {
        Ok(connection) => connection,
        Err(failure) => return refused(&failure),
    };
    let asked = connection.request(|id| ToBroker::SignIn(SignIn { id, tenant: None, how: How::Auto }));
    match turn.within(turn.end(), asked).await {
        Ok(Ok(ToShim::SignInNeeded(needed))) => Ok(outcome::sign_in_started(&needed.pending).into()),
        Ok(reply) => told(turn, reply),
        Err(stop) => refused(&turn.failure(&Failed::Stopped(stop))),
    }
}

/// Says who is signed in. Starts no broker: without one, nobody is.
///
/// Errors: none of the protocol's.
pub(crate) async fn status(turn: &Turn<'_>) -> Ended {
    if let Err(failure) = without_arguments(turn) {
        return refused(&failure);
    }
    let client = turn.client();
    let asked = async {
        let connection = turn.calls.link.connect_to_running(&client).await?;
        Some(connection.request(|id| ToBroker::SessionStatus(Ask { id })).await)
    };
    match turn.within(turn.end(), asked).await {
        Ok(Some(reply)) => told(turn, reply),
        Ok(None) => Ok(outcome::session(&nobody(turn.calls.arguments.tenant.as_deref())).into()),
        Err(stop) => refused(&turn.failure(&Failed::Stopped(stop))),
    }
}

fn told(turn: &Turn<'_>, reply: Result<ToShim, Lost>) -> Ended {
    match reply {
        Ok(ToShim::Session(report)) => Ok(outcome::session(&report).into()),
        Ok(other) => refused(&unfitting(other)),
        Err(lost) => refused(&turn.failure(&Failed::Lost(lost))),
    }
}

fn nobody(tenant: Option<&str>) -> SessionReport {
    let tenant = tenant.unwrap_or("the configured tenant").to_owned();
    SessionReport { id: 0, tenant, state: "signed_out".to_owned(), user: None, expires_at: None, pending: None }
}

/// The broker never sees these tools' arguments, so they are checked here: there are none.
fn without_arguments(turn: &Turn<'_>) -> Result<(), Failure> {
    match turn.request.arguments.iter().flat_map(|given| given.keys()).next() {
        None => Ok(()),
        Some(name) => Err(Failure::new(
            Kind::InvalidArguments,
            format!("{} takes no arguments, and {name:.100?} was given", turn.tool.name),
        )),
    }
}
