//! Waits for a sign-in in the middle of a call: a race of its end, a dialog's answer, progress, the time, the client.
//!
//! The sign-in itself belongs to the broker. It goes on whatever ends here.

pub(crate) mod budget;
mod dialog;
mod open;
mod state;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aic_proto::message::{End, Pending, ToBroker, ToShim, Wait};
use aic_proto::refusal::{Failure, Kind};
use rmcp::model::{
    CallToolRequestParams, ElicitRequest, InputRequest, InputRequests, InputRequiredResult, ProgressNotificationParam,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};

pub(crate) use dialog::Abilities;
pub(crate) use state::{Returned, returned};

use crate::link::{Connection, Lost};
use crate::words;
use dialog::{Dialog, Plan, Stage, Standing};
use open::{Open, Said};

/// How often a waiting call says so: often enough for a client that takes silence for death.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

/// What this process knows of its client's dialogs.
#[derive(Debug)]
pub(crate) struct Dialogs(Mutex<Stage>);

impl Dialogs {
    /// A client that was not asked yet; `allowed` is the user's word.
    pub(crate) fn new(allowed: bool) -> Self {
        Self(Mutex::new(if allowed { Stage::Free } else { Stage::Hidden }))
    }

    /// A dialog that was handed out has come back.
    pub(crate) fn came_back(&self) {
        self.set(Stage::Free);
    }

    fn take(&self, modern: bool) -> Standing {
        let mut stage = self.lock();
        let (next, standing) = dialog::take(*stage, modern, Instant::now());
        *stage = next;
        standing
    }

    fn set(&self, next: Stage) {
        *self.lock() = next;
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call at the gate.
pub(crate) struct Gate<'a> {
    /// The broker.
    pub(crate) connection: &'a Connection,
    /// The call.
    pub(crate) request: &'a CallToolRequestParams,
    /// Its client.
    pub(crate) context: &'a RequestContext<RoleServer>,
    /// What the client's dialogs did so far.
    pub(crate) dialogs: &'a Dialogs,
    /// How long the call may wait for a sign-in.
    pub(crate) until: Instant,
    /// The sign-in whose dialog the person accepted before this call.
    pub(crate) accepted: Option<&'a str>,
}

/// How a call leaves the gate.
#[derive(Debug)]
pub(crate) enum Passed {
    /// Somebody is signed in.
    SignedIn(Option<String>),
    /// The time is over; the sign-in goes on.
    Late,
    /// There is nothing to wait for any more.
    Ended(Failure),
    /// The client must show a dialog and call again.
    Asked(Box<InputRequiredResult>),
}

impl Gate<'_> {
    /// Waits for the sign-in's end, as long as the call's client can bear.
    ///
    /// Errors: a protocol error when the state for the client cannot be sealed.
    pub(crate) async fn pass(&self, pending: &Pending) -> Result<Passed, ErrorData> {
        let abilities = abilities(self.context);
        let left = self.until.saturating_duration_since(Instant::now());
        let dialog = dialog::dialog(pending, abilities);
        let standing = match (&dialog, self.accepted) {
            (None, _) => Standing::Hidden,
            (_, Some(flow)) if flow == pending.flow => Standing::Answered,
            _ => self.dialogs.take(abilities.modern),
        };
        match dialog::plan(pending, dialog, standing, abilities.progress, left) {
            Plan::Ask(dialog) if abilities.modern => self.hand_out(pending, dialog),
            Plan::Ask(dialog) => Ok(self.ask(pending, dialog, left).await),
            Plan::Wait(Duration::ZERO) => Ok(Passed::Late),
            Plan::Wait(wait) => {
                let until = Instant::now() + wait;
                Ok(self.race(pending, &mut None, until).await)
            }
        }
    }

    fn hand_out(&self, pending: &Pending, dialog: Dialog) -> Result<Passed, ErrorData> {
        let state = state::seal(self.connection.state_key, self.request, &pending.flow)?;
        let asked = InputRequest::Elicitation(ElicitRequest::new(open::params(dialog, String::new())));
        let requests = InputRequests::from([(state::LOGIN.to_owned(), asked)]);
        Ok(Passed::Asked(Box::new(InputRequiredResult::new(Some(requests), Some(state)))))
    }

    async fn ask(&self, pending: &Pending, dialog: Dialog, left: Duration) -> Passed {
        let mut open = Open::show(&self.context.peer, dialog, &pending.flow).await;
        let wait = if open.is_some() { left } else { left.min(budget::WITH_PROGRESS_ONLY) };
        let passed = self.race(pending, &mut open, Instant::now() + wait).await;
        let unanswered = match open {
            Some(open) => open.close(matches!(passed, Passed::SignedIn(_))).await,
            None => true,
        };
        let never_shown = unanswered && matches!(passed, Passed::Late);
        self.dialogs.set(if never_shown { Stage::Hidden } else { Stage::Free });
        passed
    }

    async fn race(&self, pending: &Pending, open: &mut Option<Open>, until: Instant) -> Passed {
        let passed = self.first(pending, open, until).await;
        match passed {
            Some(passed) => passed,
            None => {
                decline(self.connection, &pending.flow).await;
                Passed::Ended(declined())
            }
        }
    }

    /// The first thing that ends the wait; nothing when the person declined.
    async fn first(&self, pending: &Pending, open: &mut Option<Open>, mut until: Instant) -> Option<Passed> {
        let flow = &pending.flow;
        let mut ended = std::pin::pin!(self.connection.request(|id| ToBroker::Wait(Wait { id, flow: flow.clone() })));
        let mut ticks = tokio::time::interval(PROGRESS_EVERY);
        let mut told = 0_u32;
        loop {
            tokio::select! {
                biased;
                end = &mut ended => return Some(after(end)),
                () = self.context.ct.cancelled() => return Some(Passed::Ended(withdrawn())),
                said = Open::said(open) => match said {
                    Said::Accepted => {}
                    Said::Declined => return None,
                    Said::Nonsense => until = until.min(Instant::now() + budget::WITH_PROGRESS_ONLY),
                },
                () = tokio::time::sleep_until(until.into()) => return Some(Passed::Late),
                _ = ticks.tick() => {
                    told += 1;
                    self.tell_progress(told, pending).await;
                }
            }
        }
    }

    async fn tell_progress(&self, told: u32, pending: &Pending) {
        if let Some(token) = self.context.meta.get_progress_token() {
            let words = words::what_to_do(pending);
            let progress = ProgressNotificationParam::new(token, f64::from(told)).with_message(words);
            let _ = self.context.peer.notify_progress(progress).await;
        }
    }
}

/// What the client of a request says that it can do.
pub(crate) fn abilities(context: &RequestContext<RoleServer>) -> Abilities {
    let capabilities = context.client_capabilities().unwrap_or_default();
    // an empty object means forms only
    let elicitation = capabilities.elicitation.as_ref();
    Abilities {
        modern: is_modern(context),
        form: elicitation.is_some_and(|modes| modes.form.is_some() || modes.url.is_none()),
        url: elicitation.is_some_and(|modes| modes.url.is_some()),
        progress: context.meta.get_progress_token().is_some(),
    }
}

/// Whether a request is of the era without `initialize`.
pub(crate) fn is_modern(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| !version.has_initialize())
}

/// Tells the broker that the person declined.
pub(crate) async fn decline(connection: &Connection, flow: &str) {
    connection.tell(|id| ToBroker::Decline(Wait { id, flow: flow.to_owned() })).await;
}

/// The failure of a call whose person declined.
pub(crate) fn declined() -> Failure {
    Failure::new(Kind::LoginDeclined, words::DECLINED)
}

fn withdrawn() -> Failure {
    Failure::new(Kind::Cancelled, "the call was withdrawn while it waited for a sign-in; the sign-in goes on")
}

fn after(end: Result<ToShim, Lost>) -> Passed {
    match end {
        Ok(ToShim::SignInEnded(ended)) => match ended.end {
            End::SignedIn { user } => Passed::SignedIn(user),
            End::Failed(failure) => Passed::Ended(failure),
        },
        Ok(ToShim::Failed(failed)) => Passed::Ended(failed.failure),
        Ok(_) => {
            Passed::Ended(Failure::new(Kind::Internal, "aic-broker gave an answer that does not fit the question"))
        }
        Err(_) => Passed::Ended(
            Failure::new(Kind::BrokerUnavailable, "aic-broker ended during the sign-in; nothing was executed")
                .with_hint("Call this tool again to start a new sign-in."),
        ),
    }
}
