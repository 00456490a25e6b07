//! Carries out one tool call: may it, with which token, what came of it, on record before it is answered.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aic_proto::catalogue::{self, Tool};
use aic_proto::message::{Answer, Call, Outcome, SignInNeeded, Success, ToShim};
use aic_proto::refusal::{Executed, Failure, Kind};
use futures_util::FutureExt;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::errand::Errand;
use super::{Broker, Client, arguments, fault, presentable, tenant_for};
use crate::aic::{Fault, Journal, Sent};
use crate::aside::by_size;
use crate::audit::{Entry, Request};
use crate::clock::{self, Moment};
use crate::config::Tenant;
use crate::guard::policy;
use crate::guard::repeat::Fingerprint;
use crate::oauth::Opener;
use crate::tools::{self, Arguments, Output, Run};

/// The most that a call may take, whatever its client says.
const LONGEST: Duration = Duration::from_secs(600);

/// A call that may be carried out.
struct Admitted {
    tool: &'static Tool,
    run: Run,
    arguments: Arguments,
    fingerprint: Fingerprint,
    tenant: Tenant,
}

/// Carries a call out and gives its one answer. The audit line is written first.
pub(super) async fn carry_out<O: Opener + Clone + 'static>(
    broker: &Arc<Broker<O>>,
    client: &Arc<Client>,
    call: Call,
    cancelled: oneshot::Receiver<()>,
) -> ToShim {
    let (id, began) = (call.id, Moment::now());
    let deadline = Instant::now() + Duration::from_millis(call.within_ms).min(LONGEST);
    let admitted = admit(broker, client, &call).and_then(|admitted| Work::new(broker, client, admitted, began));
    match admitted {
        Ok((work, run, arguments)) => {
            let ended = work.run(run, arguments, deadline, cancelled).await;
            work.finish(id, ended)
        }
        Err(failure) => {
            let tenant = client.shim.as_ref().and_then(|shim| shim.tenant.as_deref()).map(presentable);
            let entry = Entry {
                event: "refusal",
                outcome: Some(failure.kind.word().to_owned()),
                executed: Some(failure.executed.word()),
                transaction_id: failure.transaction_id.clone(),
                ..entry_of(client, &call.tool, tenant, began)
            };
            let _ = broker.record(&entry);
            ToShim::Answer(Answer { id, outcome: Outcome::Failure(failure) })
        }
    }
}

fn admit<O>(broker: &Broker<O>, client: &Client, call: &Call) -> Result<Admitted, Failure> {
    let shim = client.shim.as_ref().ok_or_else(|| Failure::new(Kind::NotAllowed, "only a shim may call tools"))?;
    if broker.is_leaving() {
        return Err(
            Failure::new(Kind::BrokerUnavailable, "the broker is about to leave").with_hint("call the tool again")
        );
    }
    let unknown = || Failure::new(Kind::InvalidArguments, format!("there is no tool \"{}\"", call.tool.escape_debug()));
    let (tool, run) = catalogue::find(&call.tool).zip(tools::find(&call.tool)).ok_or_else(unknown)?;
    let arguments = arguments::check(tool, &call.arguments)?;
    let tenant = tenant_for(broker, shim.tenant.as_deref())?;
    policy::may_call(tool, &policy::selection(shim), &tenant, broker.paused.load(Ordering::Relaxed))?;
    let fingerprint = broker.repeats.fingerprint(&tenant.name, tool, &arguments);
    let refused = broker.guard.refused(&tenant);
    match refused.or_else(|| broker.repeats.known(&fingerprint, tool, client.number, Moment::now())) {
        Some(failure) => Err(failure),
        None => Ok(Admitted { tool, run, arguments: Arguments(arguments), fingerprint, tenant }),
    }
}

/// What a call is carried out with, and what outlives it when it is dropped.
struct Work<O> {
    errand: Errand<O>,
    tool: &'static Tool,
    began: Moment,
    user: Mutex<Option<String>>,
}

/// How a call's work ended.
enum Ended {
    Done(Result<Output, Fault>, String),
    Broken,
    Cancelled,
    TimedOut,
    Refused(Failure),
}

impl<O: Opener + Clone + 'static> Work<O> {
    fn new(
        broker: &Arc<Broker<O>>,
        client: &Arc<Client>,
        admitted: Admitted,
        began: Moment,
    ) -> Result<(Self, Run, Arguments), Failure> {
        let no_chance = |error| Failure::new(Kind::Internal, format!("the OS has no randomness: {error}"));
        let errand = Errand {
            broker: Arc::clone(broker),
            client: Arc::clone(client),
            tool: admitted.tool.name,
            scopes: admitted.tool.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            fingerprint: admitted.fingerprint,
            tenant: admitted.tenant,
            transaction_id: clock::uuid().map_err(no_chance)?,
            journal: Journal::default(),
            pending: Arc::default(),
            first: Arc::default(),
        };
        Ok((Self { errand, tool: admitted.tool, began, user: Mutex::default() }, admitted.run, admitted.arguments))
    }

    async fn run(&self, run: Run, arguments: Arguments, deadline: Instant, cancelled: oneshot::Receiver<()>) -> Ended {
        let work = AssertUnwindSafe(self.work(run, arguments, deadline)).catch_unwind();
        tokio::select! {
            ended = work => ended.unwrap_or(Ended::Broken),
            _ = cancelled => Ended::Cancelled,
            () = tokio::time::sleep_until(deadline) => Ended::TimedOut,
        }
    }

    /// Tools that send nothing need neither a session nor a tenant that is fit.
    async fn work(&self, run: Run, arguments: Arguments, deadline: Instant) -> Ended {
        let api = self.errand.api(deadline);
        if !self.tool.scopes.is_empty() {
            match self.errand.admit_tenant(&api).await {
                Err(fault) => return Ended::Done(Err(fault), self.errand.transaction_id.clone()),
                Ok(Err(failure)) => return Ended::Refused(failure),
                Ok(Ok(user)) => *self.user.lock().unwrap_or_else(PoisonError::into_inner) = user,
            }
        }
        let outcome = run(api.clone(), arguments).await;
        Ended::Done(outcome, api.transaction_id())
    }

    /// Puts the outcome on record, then words the answer.
    fn finish(&self, id: u64, ended: Ended) -> ToShim {
        let sent = self.errand.journal.entries();
        let pending = self.errand.take_pending();
        let nothing_done = fault::executed(&sent) == Executed::No;
        let signed_out = matches!(&ended, Ended::Done(Err(Fault::SignedOut), _));
        let outcome = self.outcome(ended, &sent);
        self.note(&outcome);
        let recorded = self.errand.broker.record(&self.entry(&outcome, &sent));
        let lost = recorded.err().map(|reason| format!("this call is missing in the audit log: {reason}"));
        let warnings = [self.another_user(&outcome), lost];
        match pending {
            Some(pending) if signed_out && nothing_done => ToShim::SignInNeeded(SignInNeeded { id, pending }),
            _ => ToShim::Answer(Answer { id, outcome: with_warnings(outcome, warnings) }),
        }
    }

    /// A write that may have been made holds its repeats back; whoever was told so and looks is free to repeat it.
    fn note(&self, outcome: &Outcome) {
        let (repeats, tenant, client) =
            (&self.errand.broker.repeats, &self.errand.tenant.name, self.errand.client.number);
        match outcome {
            Outcome::Failure(failure) if failure.executed == Executed::Unknown => {
                repeats.remember(&self.errand.fingerprint, tenant, self.tool, failure, client, Moment::now());
            }
            Outcome::Success(_) if self.tool.hints.read_only => {
                repeats.looked(tenant, self.tool.toolset, client, self.began);
            }
            _ => {}
        }
    }

    /// What a client must hear, once, whose calls are carried out as somebody else than before.
    fn another_user(&self, outcome: &Outcome) -> Option<String> {
        let user = self.user.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (Outcome::Success(_), Some(user)) = (outcome, user) else { return None };
        let mut acted_as = self.errand.client.acted_as.lock().unwrap_or_else(PoisonError::into_inner);
        let before = acted_as.replace(user.clone()).filter(|before| *before != user)?;
        Some(format!("this was done as {user}; until now it was {before}. Tell the user that somebody else signed in"))
    }

    fn outcome(&self, ended: Ended, sent: &[Sent]) -> Outcome {
        let transaction_id = &self.errand.transaction_id;
        match ended {
            Ended::Done(Ok(output), transaction_id) => {
                Outcome::Success(success(self.errand.tool, output, transaction_id, sent))
            }
            Ended::Done(Err(fault), _) => Outcome::Failure(fault::failure(fault, sent, transaction_id)),
            Ended::Refused(failure) => Outcome::Failure(failure),
            Ended::Broken => {
                let failure = fault::broken_off(Kind::Internal, "the broker failed at this call", sent, transaction_id);
                Outcome::Failure(failure.with_hint("aic-broker audit"))
            }
            Ended::Cancelled => {
                Outcome::Failure(fault::broken_off(Kind::Cancelled, "the call was cancelled", sent, transaction_id))
            }
            Ended::TimedOut => Outcome::Failure(fault::broken_off(
                Kind::TimedOut,
                "the time for the call ran out",
                sent,
                transaction_id,
            )),
        }
    }

    fn entry(&self, outcome: &Outcome, sent: &[Sent]) -> Entry {
        let (word, executed) = match outcome {
            Outcome::Success(_) => ("success", fault::executed(sent)),
            Outcome::Failure(failure) => (failure.kind.word(), failure.executed),
        };
        let request =
            |sent: &Sent| Request { method: sent.method.clone(), path: sent.path.clone(), status: sent.status };
        Entry {
            event: "call",
            user: self.user.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            scopes: self.errand.scopes.to_vec(),
            requests: sent.iter().map(request).collect(),
            transaction_id: Some(self.errand.transaction_id.clone()),
            outcome: Some(word.to_owned()),
            executed: Some(executed.word()),
            ..entry_of(&self.errand.client, self.errand.tool, Some(self.errand.tenant.name.clone()), self.began)
        }
    }
}

/// A success with more to say. Reads go on when the log cannot be written, and say so.
fn with_warnings(outcome: Outcome, more: [Option<String>; 2]) -> Outcome {
    match outcome {
        Outcome::Success(success) => {
            let all: Vec<String> = success.warning.into_iter().chain(more.into_iter().flatten()).collect();
            Outcome::Success(Success { warning: (!all.is_empty()).then(|| all.join("\n")), ..success })
        }
        failure => failure,
    }
}

fn entry_of(client: &Client, tool: &str, tenant: Option<String>, began: Moment) -> Entry {
    let took = Moment::now().monotonic.saturating_duration_since(began.monotonic);
    Entry {
        client: Some(client.label.clone()),
        tool: Some(presentable(tool)),
        tenant,
        duration_ms: u64::try_from(took.as_millis()).ok(),
        ..Entry::default()
    }
}

fn success(tool: &str, output: Output, transaction_id: String, sent: &[Sent]) -> Success {
    let transaction_id = output.transaction_id.or_else(|| (!sent.is_empty()).then_some(transaction_id));
    let (json, cut) = by_size(output.json.len(), || tools::fit(tool, output.json));
    let is_object = json.trim_ascii_start().starts_with('{');
    let (text, structured) = match (output.text, is_object) {
        (text, true) => (text, Some(json)),
        (text, false) => (Some(text.unwrap_or(json)), None),
    };
    let warnings: Vec<String> = [cut, output.warning].into_iter().flatten().collect();
    let warning = (!warnings.is_empty()).then(|| warnings.join("\n"));
    Success { text, structured, transaction_id, warning }
}
