//! Carries one tool call to its answer: within its time, through the broker, waiting at the gate where somebody must sign in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aic_proto::catalogue::{Selection, Tool};
use aic_proto::message::{Answer, Call, Outcome, Pending, ToBroker, ToShim};
use aic_proto::refusal::{Executed, Failure, Kind};
use rmcp::model::{CallToolRequestParams, CallToolResponse, CallToolResult};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};

use crate::arguments::{Arguments, Elicitation};
use crate::gate::{self, Dialogs, Gate, Passed, Returned, budget};
use crate::link::{Connection, Link, Lost};
use crate::{offer, outcome, session, words};

/// How often one call waits for a sign-in: once, and once more when that session ended at once.
const SIGN_INS: u32 = 2;
/// What helps when there is no broker.
const DOCTOR: &str = "Ask the user to run `aic-broker doctor` in a terminal: it names the cause and the fix.";

/// What all calls of this process share.
#[derive(Debug)]
pub(crate) struct Calls {
    pub(crate) arguments: Arguments,
    selection: Selection,
    pub(crate) link: Link,
    dialogs: Dialogs,
}

/// One call.
pub(crate) struct Turn<'a> {
    pub(crate) calls: &'a Calls,
    pub(crate) tool: &'static Tool,
    pub(crate) request: &'a CallToolRequestParams,
    context: &'a RequestContext<RoleServer>,
    arrived: Instant,
}

/// Why a call ends before its answer.
pub(crate) enum Stop {
    Withdrawn,
    Late,
}

pub(crate) type Ended = Result<CallToolResponse, ErrorData>;

impl Calls {
    /// Nothing is connected or started yet.
    pub(crate) fn new(arguments: Arguments, selection: Selection) -> Self {
        let link = Link::new(&arguments);
        let dialogs = Dialogs::new(arguments.elicitation == Elicitation::Auto);
        Self { arguments, selection, link, dialogs }
    }

    /// Answers one call.
    ///
    /// Errors: a protocol error for a state or an input response that is not ours.
    pub(crate) async fn answer(
        &self,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
        arrived: Instant,
    ) -> Ended {
        let tool = match offer::admit(&request.name, &self.selection) {
            Ok(tool) => tool,
            Err(failure) => return refused(&failure),
        };
        if self.arguments.places.mixes_foreign_configuration() {
            return refused(&foreign_configuration());
        }
        let turn = Turn { calls: self, tool, request, context, arrived };
        match tool.name {
            "signIn" => session::sign_in(&turn).await,
            "getSessionStatus" => session::status(&turn).await,
            _ => turn.forward().await,
        }
    }
}

impl Turn<'_> {
    async fn forward(&self) -> Ended {
        let mut connection = match self.connect().await {
            Ok(connection) => connection,
            Err(failure) => return refused(&failure),
        };
        let returned = gate::returned(connection.state_key, self.request)?;
        if returned != Returned::Nothing {
            self.calls.dialogs.came_back();
        }
        if let Returned::Declined(flow) = &returned {
            gate::decline(&connection, flow).await;
            return refused(&gate::declined());
        }
        for _ in 0..SIGN_INS {
            let pending = match self.ask(&mut connection).await {
                Ok(pending) => pending,
                Err(answered) => return Ok(answered),
            };
            match self.pass(&connection, &pending, returned.accepted()).await? {
                Passed::SignedIn(user) if !self.may_start() => return refused(&not_run(user.as_deref())),
                Passed::SignedIn(_) => {}
                Passed::Late => return Ok(self.late(&pending)),
                Passed::Ended(failure) => return refused(&failure),
                Passed::Asked(asked) => return Ok((*asked).into()),
            }
        }
        Ok(self.ask(&mut connection).await.map_or_else(|answered| answered, |pending| self.late(&pending)))
    }

    /// Asks the broker, on a new connection when the old one had ended before anything was handed over, or leads to a
    /// broker that takes no new call.
    ///
    /// Errors: the call's answer, unless somebody must sign in first.
    async fn ask(&self, connection: &mut Arc<Connection>) -> Result<Pending, CallToolResponse> {
        let mut reply = self.call(connection).await;
        if is_turned_away(&reply) {
            connection.retire();
            *connection = self.connect().await.map_err(|failure| outcome::failed(&failure))?;
            reply = self.call(connection).await;
        }
        match reply {
            Ok(ToShim::SignInNeeded(needed)) => Ok(needed.pending),
            Ok(ToShim::Answer(answer)) => Err(outcome::result(answer.outcome).into()),
            Ok(other) => Err(outcome::failed(&unfitting(other)).into()),
            Err(failed) => Err(outcome::failed(&self.failure(&failed)).into()),
        }
    }

    pub(crate) async fn connect(&self) -> Result<Arc<Connection>, Failure> {
        let client = self.client();
        let searched = self.calls.link.connect(&client, self.remaining());
        match self.within(self.end(), searched).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(reason)) => Err(Failure::new(Kind::BrokerUnavailable, reason).with_hint(DOCTOR)),
            Err(Stop::Withdrawn) => Err(Failure::new(Kind::Cancelled, "the call was withdrawn; nothing was executed")),
            Err(Stop::Late) => {
                Err(Failure::new(Kind::BrokerUnavailable, "aic-broker did not answer in time").with_hint(DOCTOR))
            }
        }
    }

    async fn call(&self, connection: &Connection) -> Result<ToShim, Failed> {
        let arguments = serde_json::to_string(&self.request.arguments.clone().unwrap_or_default()).unwrap_or_default();
        let within = self.remaining().saturating_sub(budget::MARGIN);
        let within_ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        let build = |id| ToBroker::Call(Call { id, tool: self.tool.name.to_owned(), arguments, within_ms });
        let asked = self.within(self.end() + budget::GRACE, connection.request(build)).await;
        asked.map_err(Failed::Stopped)?.map_err(Failed::Lost)
    }

    async fn pass(
        &self,
        connection: &Connection,
        pending: &Pending,
        accepted: Option<&str>,
    ) -> Result<Passed, ErrorData> {
        let gate = Gate {
            connection,
            request: self.request,
            context: self.context,
            dialogs: &self.calls.dialogs,
            until: self.arrived + budget::sign_in(self.calls.arguments.answer_within),
            accepted,
        };
        gate.pass(pending).await
    }

    fn late(&self, pending: &Pending) -> CallToolResponse {
        let wait = budget::sign_in(self.calls.arguments.answer_within);
        outcome::sign_in_needed(pending, wait).into()
    }

    pub(crate) fn failure(&self, failed: &Failed) -> Failure {
        let read_only = self.tool.hints.read_only;
        match failed {
            Failed::Lost(Lost::TooLarge) => Failure::new(Kind::InvalidArguments, Lost::TooLarge.to_string()),
            Failed::Lost(Lost::Unsent) => {
                Failure::new(Kind::BrokerUnavailable, Lost::Unsent.to_string()).with_hint(DOCTOR)
            }
            Failed::Lost(lost) => outcome::broken_off(Kind::BrokerUnavailable, &lost.to_string(), read_only),
            Failed::Stopped(Stop::Withdrawn) => {
                outcome::broken_off(Kind::Cancelled, "the call was withdrawn", read_only)
            }
            Failed::Stopped(Stop::Late) => outcome::broken_off(
                Kind::TimedOut,
                "aic-broker did not answer within the time for this call",
                read_only,
            ),
        }
    }

    /// Waits for `work` until the client withdraws the call or the time is over.
    pub(crate) async fn within<T>(&self, until: Instant, work: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = self.context.ct.cancelled() => Err(Stop::Withdrawn),
            () = tokio::time::sleep_until(until.into()) => Err(Stop::Late),
        }
    }

    fn may_start(&self) -> bool {
        budget::may_start(self.tool.hints.read_only, self.remaining())
    }

    pub(crate) fn end(&self) -> Instant {
        self.arrived + self.calls.arguments.answer_within
    }

    fn remaining(&self) -> Duration {
        self.end().saturating_duration_since(Instant::now())
    }

    pub(crate) fn client(&self) -> String {
        let told = self.context.client_info();
        told.map_or_else(|| "unknown".to_owned(), |client| format!("{} {}", client.name, client.version))
    }
}

/// Why the broker's reply did not come.
pub(crate) enum Failed {
    Lost(Lost),
    Stopped(Stop),
}

pub(crate) fn refused(failure: &Failure) -> Ended {
    Ok(CallToolResponse::from(outcome::failed(failure)))
}

pub(crate) fn unfitting(reply: ToShim) -> Failure {
    match reply {
        ToShim::Failed(failed) => failed.failure,
        // the broker may have done anything
        _ => Failure {
            executed: Executed::Unknown,
            ..Failure::new(Kind::Internal, "aic-broker gave an answer that does not fit the question").with_hint(DOCTOR)
        },
    }
}

/// Nothing was begun, and the next broker may take the call. A broker says `broker_unavailable` only when it leaves.
fn is_turned_away(reply: &Result<ToShim, Failed>) -> bool {
    match reply {
        Err(Failed::Lost(Lost::Unsent)) => true,
        Ok(ToShim::Answer(Answer { outcome: Outcome::Failure(failure), .. })) => {
            failure.kind == Kind::BrokerUnavailable && failure.executed == Executed::No
        }
        _ => false,
    }
}

fn not_run(user: Option<&str>) -> Failure {
    Failure::new(Kind::LoginRequired, words::signed_in_not_run(user))
}

fn foreign_configuration() -> Failure {
    Failure::new(Kind::BrokerUnavailable, "AIC_BROKER_CONFIG is set without AIC_BROKER_RUNTIME_DIR")
        .with_hint("A foreign configuration needs its own socket: set both, or neither.")
}

/// The result for a call beyond those that may be in flight.
pub(crate) fn one_too_many(limit: usize) -> CallToolResult {
    let message = format!("{limit} calls are in flight already, which is all that this server takes at once");
    outcome::failed(&Failure::new(Kind::RateLimited, message).with_hint("Wait for some of them, then call again."))
}
