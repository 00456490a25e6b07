//! Carries out one tool call: may it, with which token, what came of it, on record before it is answered.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aic_proto::catalogue::{self, Tool};
use aic_proto::message::{Answer, Call, Outcome, Pending, SignInNeeded, Success, ToShim};
use aic_proto::refusal::{Executed, Failure, Kind};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Broker, Client, arguments, fault, tenant_for};
use crate::aic::{self, Api, Fault, Journal, Later, Sent};
use crate::audit::{Entry, Request};
use crate::clock::{self, Moment};
use crate::config::Tenant;
use crate::guard::{Admission, policy};
use crate::oauth::Opener;
use crate::secret::Bearer;
use crate::tools::{self, Arguments, Output, Run};
use crate::vault::Need;

/// The most that a call may take, whatever its client says.
const LONGEST: Duration = Duration::from_secs(600);

/// A call that may be carried out.
struct Admitted {
    tool: &'static Tool,
    run: Run,
    arguments: Arguments,
    tenant: Tenant,
}

/// Carries a call out and gives its one answer. The audit line is written first.
pub(super) async fn carry_out<O: Opener + Clone + 'static>(
    broker: &Arc<Broker<O>>,
    client: &Arc<Client>,
    call: Call,
    cancelled: oneshot::Receiver<()>,
) -> ToShim {
    let id = call.id;
    let began = Moment::now();
    let admitted = match admit(broker, client, &call).await {
        Ok(admitted) => admitted,
        Err(failure) => {
            let entry = entry_of(client, &call.tool, client.shim.as_ref().and_then(|shim| shim.tenant.clone()), began);
            let _ = broker.record(&Entry { event: "refusal", outcome: Some(failure.kind.word().to_owned()), executed: Some("no"), ..entry });
            return ToShim::Answer(Answer { id, outcome: Outcome::Failure(failure) });
        }
    };
    let work = match Work::new(broker, client, &admitted) {
        Ok(work) => work,
        Err(failure) => return ToShim::Answer(Answer { id, outcome: Outcome::Failure(failure) }),
    };
    let deadline = Instant::now() + Duration::from_millis(call.within_ms).min(LONGEST);
    let outcome = work.run(admitted, deadline, cancelled).await;
    work.finish(id, outcome, began)
}

async fn admit<O: Opener + Clone + 'static>(broker: &Broker<O>, client: &Client, call: &Call) -> Result<Admitted, Failure> {
    let shim = client.shim.as_ref().ok_or_else(|| Failure::new(Kind::NotAllowed, "only a shim may call tools"))?;
    let unknown = || Failure::new(Kind::InvalidArguments, format!("there is no tool \"{}\"", call.tool.escape_debug()));
    let (tool, run) = catalogue::find(&call.tool).zip(tools::find(&call.tool)).ok_or_else(unknown)?;
    let arguments = arguments::check(tool, &call.arguments)?;
    let tenant = tenant_for(broker, shim.tenant.as_deref())?;
    policy::may_call(tool, &policy::selection(shim), &tenant, broker.paused.load(Ordering::Relaxed))?;
    match broker.guard.refused(&tenant).await {
        Some(failure) => Err(failure),
        None => Ok(Admitted { tool, run, arguments: Arguments(arguments), tenant }),
    }
}

/// What a call is carried out with, and what outlives it when it is dropped.
struct Work<O> {
    broker: Arc<Broker<O>>,
    client: Arc<Client>,
    tool: &'static Tool,
    tenant: Tenant,
    transaction_id: String,
    journal: Journal,
    pending: Arc<Mutex<Option<Pending>>>,
    user: Arc<Mutex<Option<String>>>,
    warning: Arc<Mutex<Option<String>>>,
}

/// How a call's work ended.
enum Ended {
    Done(Result<Output, Fault>, String),
    Cancelled,
    TimedOut,
    Refused(Failure),
}

impl<O: Opener + Clone + 'static> Work<O> {
    fn new(broker: &Arc<Broker<O>>, client: &Arc<Client>, admitted: &Admitted) -> Result<Self, Failure> {
        let transaction_id = clock::uuid().map_err(|error| Failure::new(Kind::Internal, format!("no randomness: {error}")))?;
        Ok(Self {
            broker: Arc::clone(broker),
            client: Arc::clone(client),
            tool: admitted.tool,
            tenant: admitted.tenant.clone(),
            transaction_id,
            journal: Journal::default(),
            pending: Arc::default(),
            user: Arc::default(),
            warning: Arc::default(),
        })
    }

    async fn run(&self, admitted: Admitted, deadline: Instant, cancelled: oneshot::Receiver<()>) -> Ended {
        let working = async {
            let api = self.api(deadline);
            match self.admit_tenant(&api).await {
                Err(fault) => Ended::Done(Err(fault), self.transaction_id.clone()),
                Ok(Some(failure)) => Ended::Refused(failure),
                Ok(None) => {
                    let outcome = (admitted.run)(api.clone(), admitted.arguments).await;
                    Ended::Done(outcome, api.transaction_id())
                }
            }
        };
        tokio::select! {
            ended = working => ended,
            _ = cancelled => Ended::Cancelled,
            () = tokio::time::sleep_until(deadline) => Ended::TimedOut,
        }
    }

    fn api(&self, deadline: Instant) -> Api {
        Api::new(aic::Parts {
            origin: self.tenant.origin().url().clone(),
            http: self.broker.http.clone(),
            caller: Box::new(self.errand()),
            transaction_id: self.transaction_id.clone(),
            deadline,
            documents: self.broker.documents.clone(),
            journal: self.journal.clone(),
        })
    }

    fn errand(&self) -> Errand<O> {
        Errand {
            broker: Arc::clone(&self.broker),
            client: Arc::clone(&self.client),
            tool: self.tool,
            tenant: self.tenant.clone(),
            transaction_id: self.transaction_id.clone(),
            pending: Arc::clone(&self.pending),
        }
    }

    /// Makes sure of the tenant before the first tool of a session; tools that send nothing need no tenant.
    async fn admit_tenant(&self, api: &Api) -> Result<Option<Failure>, Fault> {
        if self.tool.scopes.is_empty() {
            return Ok(None);
        }
        let bearer = aic::Caller::bearer(&self.errand(), None).await?;
        let report = self.broker.vault.report(&self.tenant).await;
        *self.user.lock().unwrap_or_else(PoisonError::into_inner) = report.user;
        match self.broker.guard.admit(&self.tenant, bearer.session, api).await? {
            Admission::Admitted => Ok(None),
            Admission::NotNow(failure) => Ok(Some(failure)),
            Admission::Never(failure) => {
                self.broker.vault.sign_out(&self.tenant).await;
                Ok(Some(failure))
            }
        }
    }

    /// Puts the outcome on record, then words the answer.
    fn finish(&self, id: u64, ended: Ended, began: Moment) -> ToShim {
        let sent = self.journal.entries();
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Ended::Done(Err(Fault::SignedOut), _), Some(pending)) = (&ended, pending)
            && fault::executed(&sent) == Executed::No
        {
            return ToShim::SignInNeeded(SignInNeeded { id, pending });
        }
        let outcome = self.outcome(ended, &sent);
        let recorded = self.broker.record(&self.entry(&outcome, &sent, began));
        ToShim::Answer(Answer { id, outcome: self.with_warning(outcome, recorded.err()) })
    }

    fn outcome(&self, ended: Ended, sent: &[Sent]) -> Outcome {
        let executed = fault::executed(sent);
        let told = |kind: Kind, message: &str| {
            let doubt = if executed == Executed::Unknown { "; a change may have been made: check before repeating it" } else { "" };
            let transaction_id = (!sent.is_empty()).then(|| self.transaction_id.clone());
            Outcome::Failure(Failure { executed, transaction_id, ..Failure::new(kind, format!("{message}{doubt}")) })
        };
        match ended {
            Ended::Done(Ok(output), transaction_id) => Outcome::Success(success(output, transaction_id, sent)),
            Ended::Done(Err(fault), _) => Outcome::Failure(fault::failure(fault, sent, &self.transaction_id)),
            Ended::Refused(failure) => Outcome::Failure(failure),
            Ended::Cancelled => told(Kind::Cancelled, "the call was cancelled"),
            Ended::TimedOut => told(Kind::TimedOut, "the time for the call ran out"),
        }
    }

    fn entry(&self, outcome: &Outcome, sent: &[Sent], began: Moment) -> Entry {
        let word = match outcome {
            Outcome::Success(_) => "success",
            Outcome::Failure(failure) => failure.kind.word(),
        };
        let executed = match outcome {
            Outcome::Success(_) => fault::executed(sent),
            Outcome::Failure(failure) => failure.executed,
        };
        Entry {
            event: "call",
            user: self.user.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            scopes: self.tool.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            requests: sent.iter().map(|sent| Request { method: sent.method.clone(), path: sent.path.clone(), status: sent.status }).collect(),
            transaction_id: Some(self.transaction_id.clone()),
            outcome: Some(word.to_owned()),
            executed: Some(executed.word()),
            ..entry_of(&self.client, self.tool.name, Some(self.tenant.name.clone()), began)
        }
    }

    fn with_warning(&self, outcome: Outcome, not_recorded: Option<String>) -> Outcome {
        let noted = self.warning.lock().unwrap_or_else(PoisonError::into_inner).take();
        let lost = not_recorded.map(|reason| format!("this call is missing in the audit log: {reason}"));
        match (outcome, noted.or(lost)) {
            (Outcome::Success(success), Some(warning)) => {
                let all = [success.warning.clone(), Some(warning)].into_iter().flatten().collect::<Vec<_>>().join("\n");
                Outcome::Success(Success { warning: Some(all), ..success })
            }
            (outcome, _) => outcome,
        }
    }
}

fn entry_of(client: &Client, tool: &str, tenant: Option<String>, began: Moment) -> Entry {
    let took = Moment::now().monotonic.saturating_duration_since(began.monotonic);
    Entry {
        client: Some(client.label.clone()),
        tool: Some(tool.chars().take(128).collect()),
        tenant,
        duration_ms: u64::try_from(took.as_millis()).ok(),
        ..Entry::default()
    }
}

fn success(output: Output, transaction_id: String, sent: &[Sent]) -> Success {
    let transaction_id = output.transaction_id.or_else(|| (!sent.is_empty()).then_some(transaction_id));
    let json = output.value.to_string();
    let (text, structured) = match (output.text, output.value.is_object()) {
        (text, true) => (text, Some(json)),
        (text, false) => (Some(text.unwrap_or(json)), None),
    };
    Success { text, structured, transaction_id, warning: output.warning }
}

/// What the API needs of its call: tokens and the intent on record.
struct Errand<O> {
    broker: Arc<Broker<O>>,
    client: Arc<Client>,
    tool: &'static Tool,
    tenant: Tenant,
    transaction_id: String,
    pending: Arc<Mutex<Option<Pending>>>,
}

impl<O: Opener + Clone + 'static> aic::Caller for Errand<O> {
    fn bearer(&self, refused: Option<Bearer>) -> Later<'_, Result<Bearer, Fault>> {
        Box::pin(async move {
            if let Some(refused) = refused {
                self.broker.vault.drop_scoped(&self.tenant, &refused).await;
            }
            match self.broker.vault.bearer(&self.tenant, self.tool.scopes).await {
                Ok(scoped) => Ok(scoped.bearer),
                Err(Need::SignIn(pending)) => {
                    *self.pending.lock().unwrap_or_else(PoisonError::into_inner) = Some(*pending);
                    Err(Fault::SignedOut)
                }
                Err(Need::Refused(failure)) => {
                    Err(Fault::Broker { kind: failure.kind, message: failure.message, hint: failure.hint })
                }
            }
        })
    }

    fn about_to_write(&self, method: &str, path: &str) -> Result<(), Fault> {
        let entry = Entry {
            event: "intent",
            requests: vec![Request { method: method.to_owned(), path: path.to_owned(), status: None }],
            transaction_id: Some(self.transaction_id.clone()),
            ..entry_of(&self.client, self.tool.name, Some(self.tenant.name.clone()), Moment::now())
        };
        self.broker.record(&Entry { duration_ms: None, ..entry }).map_err(|reason| Fault::Broker {
            kind: Kind::NotAllowed,
            message: format!("nothing was changed, because the audit log cannot be written: {reason}"),
            hint: Some("aic-broker doctor".to_owned()),
        })
    }
}
