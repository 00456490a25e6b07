//! Sends one tool call's requests: bounded, journalled, repeated only where that cannot do harm.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{OwnedMutexGuard, Semaphore};
use tokio::time::Instant;
use url::Url;

use super::{Fault, Reply, Request, reply};
use crate::aside::by_size;
use crate::clock::Moment;
use crate::http::{self, API_LIMIT, HeaderMap, HeaderName, HeaderValue, Http};
use crate::secret::Bearer;

/// How many requests of one call are under way at once (the contract's section 6).
const AT_ONCE: usize = 16;
/// How often a read is repeated after a connection failure, 429 or 503.
const READ_REPEATS: u32 = 2;
/// The longest `Retry-After` that is waited for: longer is told to the caller instead.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(10);
/// The wait before a repeat where the tenant names none.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_millis(250);

/// A future that owns what it needs.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the API needs of the call that it works for.
pub trait Caller: Send + Sync {
    /// A token for the call's scopes; `refused` is the one that the tenant just rejected.
    ///
    /// Errors: [`Fault::SignedOut`] when nobody is signed in, [`Fault::Broker`] when none is to be had.
    fn bearer(&self, refused: Option<Bearer>) -> Later<'_, Result<Bearer, Fault>>;

    /// Puts the intent to write on record.
    ///
    /// Errors: [`Fault::Broker`] when it cannot be recorded: the write is not sent then.
    fn about_to_write(&self, method: &str, path: &str) -> Result<(), Fault>;
}

/// One request that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The method.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The status; `None` when no answer came.
    pub status: Option<u16>,
    /// Whether it was to change something.
    pub writes: bool,
}

/// What one call has sent so far. It outlives a call that is dropped.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<Sent>>>);

impl Journal {
    fn begin(&self, sent: Sent) -> usize {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(sent);
        all.len() - 1
    }

    fn answered(&self, place: usize, status: u16) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sent) = all.get_mut(place) {
            sent.status = Some(status);
        }
    }

    fn not_sent(&self, place: usize) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sent) = all.get_mut(place) {
            sent.writes = false;
        }
    }

    /// All requests, in the order in which they were begun.
    pub fn entries(&self) -> Vec<Sent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What an [`Api`] is made of.
pub struct Parts {
    /// The tenant's origin.
    pub origin: Url,
    /// The HTTP client.
    pub http: Http,
    /// Where tokens come from and intents go.
    pub caller: Box<dyn Caller>,
    /// Sent as `X-ForgeRock-TransactionId` on every request of the call.
    pub transaction_id: String,
    /// When the call must be over.
    pub deadline: Instant,
    /// The locks of whole documents, shared by all calls.
    pub documents: Documents,
    /// What was sent.
    pub journal: Journal,
}

/// One tool call's way to the tenant.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    parts: Parts,
    at_once: Semaphore,
    latest_transaction: Mutex<Option<String>>,
}

impl Api {
    /// Builds it.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner { parts, at_once: Semaphore::new(AT_ONCE), latest_transaction: Mutex::default() }))
    }

    /// The tenant's origin without a slash at the end, for example `https://openam-acme-dev.id.forgerock.io`.
    pub fn base_url(&self) -> &str {
        self.0.parts.origin.as_str().trim_end_matches('/')
    }

    /// The transaction id of the newest answer, else the one that was sent.
    pub fn transaction_id(&self) -> String {
        let latest = self.0.latest_transaction.lock().unwrap_or_else(PoisonError::into_inner).clone();
        latest.unwrap_or_else(|| self.0.parts.transaction_id.clone())
    }

    /// Sends a request; at most 16 of one call are under way at once.
    ///
    /// Errors: every status outside 2xx is a [`Fault`]; a write is never sent twice, unless nothing of it was received
    /// or the tenant refused the token.
    pub async fn send(&self, request: Request) -> Result<Reply, Fault> {
        self.send_and(request, |answer| Reply::read(answer)).await
    }

    /// Sends a request whose answer is handed on as it comes: its JSON text, `null` where nothing came.
    ///
    /// Errors: as [`Api::send`].
    pub async fn fetch(&self, request: Request) -> Result<String, Fault> {
        self.send_and(request, reply::take_text).await
    }

    async fn send_and<T>(&self, request: Request, read: fn(&mut http::Reply) -> Result<T, Fault>) -> Result<T, Fault> {
        let _permit = self.0.at_once.acquire().await.map_err(|_| Fault::SignedOut)?;
        let mut repeats = 0;
        let mut refused = None;
        loop {
            let bearer = self.0.parts.caller.bearer(refused.take()).await?;
            let outcome = self.send_once(&request, &bearer, read).await;
            match after(&outcome, request.writes, repeats) {
                Next::Return => return outcome,
                Next::NewToken => refused = Some(bearer),
                Next::Repeat(pause) if self.left() > pause => tokio::time::sleep(pause).await,
                Next::Repeat(_) => return outcome,
            }
            repeats += 1;
        }
    }

    /// Sends requests at once and gives their outcomes in order.
    pub async fn send_all(&self, requests: impl IntoIterator<Item = Request>) -> Vec<Result<Reply, Fault>> {
        join_all(requests.into_iter().map(|request| self.send(request))).await
    }

    /// Waits for the document that no other call of this broker may change meanwhile, for example `config/managed`.
    ///
    /// Errors: [`Fault::TimedOut`] when the call's time runs out first.
    pub async fn lock(&self, document: &str) -> Result<OwnedMutexGuard<()>, Fault> {
        let lock = self.0.parts.documents.of(self.base_url(), document);
        tokio::time::timeout_at(self.0.parts.deadline, lock.lock_owned()).await.map_err(|_| {
            Fault::TimedOut(format!("other calls were changing {document} for the whole time of this one"))
        })
    }

    async fn send_once<T>(
        &self,
        request: &Request,
        bearer: &Bearer,
        read: fn(&mut http::Reply) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let method = request.method.as_str();
        let path = request.path.as_str().to_owned();
        if request.writes {
            self.0.parts.caller.about_to_write(method, &path)?;
        }
        let prepared = self.prepare(request, bearer)?;
        let place =
            self.0.parts.journal.begin(Sent { method: method.to_owned(), path, status: None, writes: request.writes });
        let mut answer = self.0.parts.http.send(prepared).await.map_err(|error| {
            if matches!(error, http::Error::NotSent { .. }) {
                self.0.parts.journal.not_sent(place);
            }
            Fault::from_http(&error)
        })?;
        self.0.parts.journal.answered(place, answer.status);
        self.note_transaction(&answer);
        let outcome = by_size(answer.body.len(), || read(&mut answer));
        outcome.map_err(|fault| with_retry_after(fault, &answer))
    }

    fn prepare(&self, request: &Request, bearer: &Bearer) -> Result<http::Request, Fault> {
        let target = format!("{}{}", self.base_url(), request.target());
        let url = Url::parse(&target).map_err(|_| Fault::invalid("path", "cannot be part of a URL"))?;
        if url.path() != request.path.as_str() || url.origin() != self.0.parts.origin.origin() {
            return Err(Fault::invalid("path", "would leave the tool's own path"));
        }
        Ok(http::Request {
            method: request.method.clone(),
            url,
            headers: self.headers(request)?,
            body: request.body.as_ref().map(|body| body.to_string().into_bytes()),
            bearer: Some(bearer.clone()),
            within: self.left(),
            limit: API_LIMIT,
        })
    }

    fn headers(&self, request: &Request) -> Result<HeaderMap, Fault> {
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: &str| {
            let value = HeaderValue::from_str(value).map_err(|_| Fault::invalid(name, "cannot be sent in a header"))?;
            headers.insert(HeaderName::from_static(name), value);
            Ok::<(), Fault>(())
        };
        put("x-forgerock-transactionid", &self.0.parts.transaction_id)?;
        put("accept", "application/json")?;
        if request.body.is_some() {
            put("content-type", "application/json")?;
        }
        for (name, value) in &request.headers {
            put(name, value)?;
        }
        Ok(headers)
    }

    fn left(&self) -> Duration {
        self.0.parts.deadline.saturating_duration_since(Instant::now())
    }

    fn note_transaction(&self, answer: &http::Reply) {
        let told = answer.headers.get("x-forgerock-transactionid").and_then(|value| value.to_str().ok());
        if let Some(told) = told {
            *self.0.latest_transaction.lock().unwrap_or_else(PoisonError::into_inner) = Some(told.to_owned());
        }
    }
}

fn with_retry_after(fault: Fault, answer: &http::Reply) -> Fault {
    match fault {
        Fault::Upstream(mut upstream) => {
            upstream.retry_after = http::retry_after(&answer.headers, Moment::now().wall);
            Fault::Upstream(upstream)
        }
        other => other,
    }
}

/// What follows an outcome.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Return,
    NewToken,
    Repeat(Duration),
}

/// Decides whether a request is sent again.
///
/// Source: the contract's section 6, "Repeats".
fn after<T>(outcome: &Result<T, Fault>, writes: bool, repeats: u32) -> Next {
    let again = if repeats < READ_REPEATS { Next::Repeat(DEFAULT_RETRY_AFTER) } else { Next::Return };
    match outcome {
        Err(Fault::Upstream(upstream)) if upstream.status == 401 && repeats == 0 => Next::NewToken,
        Err(Fault::NotSent(_)) if repeats == 0 || !writes => again,
        Err(Fault::NoAnswer(_)) if !writes => again,
        Err(Fault::Upstream(upstream)) if !writes && matches!(upstream.status, 429 | 503) => {
            let pause = upstream.retry_after.unwrap_or(DEFAULT_RETRY_AFTER);
            match pause <= LONGEST_RETRY_AFTER && repeats < READ_REPEATS {
                true => Next::Repeat(pause),
                false => Next::Return,
            }
        }
        _ => Next::Return,
    }
}

/// The locks of whole documents: `config/managed`, themes and trees have no revisions, so their writers queue here.
#[derive(Debug, Clone, Default)]
pub struct Documents(Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>);

/// How many documents are remembered before those that nobody holds are forgotten.
const REMEMBERED: usize = 256;

impl Documents {
    fn of(&self, tenant: &str, document: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > REMEMBERED {
            all.retain(|_, lock| Arc::strong_count(lock) > 1);
        }
        Arc::clone(all.entry(format!("{tenant} {document}")).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aic::Upstream;

    fn answered(status: u16, retry_after: Option<u64>) -> Result<Reply, Fault> {
        let retry_after = retry_after.map(Duration::from_secs);
        Err(Fault::Upstream(Box::new(Upstream { retry_after, ..Upstream::read(status, b"", None) })))
    }

    #[test]
    fn a_write_is_repeated_only_when_nothing_was_received() {
        let pause = Next::Repeat(DEFAULT_RETRY_AFTER);
        let cases = [
            (Err(Fault::NotSent(String::new())), true, 0, Next::Repeat(DEFAULT_RETRY_AFTER)),
            (Err(Fault::NotSent(String::new())), true, 1, Next::Return),
            (Err(Fault::NoAnswer(String::new())), true, 0, Next::Return),
            (Err(Fault::TimedOut(String::new())), true, 0, Next::Return),
            (answered(429, None), true, 0, Next::Return),
            (answered(503, None), true, 0, Next::Return),
            (answered(401, None), true, 0, Next::NewToken),
            (answered(401, None), true, 1, Next::Return),
            (Err(Fault::NoAnswer(String::new())), false, 0, Next::Repeat(DEFAULT_RETRY_AFTER)),
            (Err(Fault::NoAnswer(String::new())), false, READ_REPEATS, Next::Return),
            (answered(429, Some(0)), false, 0, Next::Repeat(Duration::ZERO)),
            (answered(429, Some(11)), false, 0, Next::Return),
            (answered(503, None), false, 1, pause),
            (answered(500, None), false, 0, Next::Return),
        ];

        for (outcome, writes, repeats, wanted) in cases {
            assert_eq!(after(&outcome, writes, repeats), wanted, "{outcome:?} {writes} {repeats}");
        }
    }
}
