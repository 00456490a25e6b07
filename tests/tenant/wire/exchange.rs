//! One request and its answer on the wire, with the faults between.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt, Limited};
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};

use super::shape::Shaped;
use super::{Cut, Shared, lock};
use crate::tenant::faults::{self, Kind, RetryAfter};
use crate::tenant::headers::dress;
use crate::tenant::ledger::Entry;
use crate::tenant::reply::{Part, Reply};
use crate::tenant::request::Request;
use crate::tenant::switches::Canned;
use crate::tenant::world::Answered;
use crate::tenant::{chance, control, times};

/// Greatest body of a request; the largest document of a tenant is far smaller.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// Answers one request.
pub async fn answer(
    shared: &Shared,
    connection: usize,
    incoming: hyper::Request<Incoming>,
    reset: &AtomicBool,
) -> Result<Response<Shaped>, Cut> {
    let (request, target) = read(shared, incoming).await?;
    if shared.control && request.path.starts_with("/__sandbox/") {
        return Ok(response(Part::Edge, control::answer(shared, &request), None, shared.now(), Shaped::whole));
    }
    let noted = Noted::arrived(shared, connection, &request);
    let fault = faults::take(&mut lock(&shared.faults), &request, &target);
    wait(shared, fault.as_ref()).await;
    match fault {
        Some(Kind::ResetBefore) => Err(cut(reset)),
        Some(Kind::Hang) => std::future::pending().await,
        Some(Kind::ResetAfter) => {
            let answered = process(shared, &request);
            noted.processed(&answered);
            Err(cut(reset))
        }
        Some(Kind::Reply { answer, retry_after, processed }) => {
            let part = if processed { replaced(shared, &request, &noted) } else { Part::Edge };
            let reply = canned(&answer, retry_after, request.at);
            Ok(noted.finish(part, reply, &request, Shaped::whole))
        }
        Some(Kind::Redirect { status, location }) => {
            let reply =
                canned(&Canned::json(status, serde_json::json!({})), None, request.at).with("location", &location);
            Ok(noted.finish(Part::Edge, reply, &request, Shaped::whole))
        }
        other => {
            let answered = process(shared, &request);
            noted.processed(&answered);
            Ok(noted.finish(answered.part, answered.reply, &request, |bytes| shape(other.as_ref(), bytes)))
        }
    }
}

async fn read(shared: &Shared, incoming: hyper::Request<Incoming>) -> Result<(Request, String), Cut> {
    let (head, body) = incoming.into_parts();
    let body = Limited::new(body, MAX_BODY_BYTES).collect().await.map_err(|_| Cut)?.to_bytes();
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let joined = headers.entry(name.as_str().to_owned()).or_default();
        *joined = if joined.is_empty() { value } else { format!("{joined}, {value}") };
    }
    let target = head.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    Ok((Request::new(head.method.as_str(), &target, headers, body.to_vec(), shared.now()), target))
}

async fn wait(shared: &Shared, fault: Option<&Kind>) {
    let latency = lock(&shared.switches).latency_milliseconds;
    let delay = match fault {
        Some(Kind::Delay { milliseconds }) => *milliseconds,
        _ => 0,
    };
    if latency + delay > 0 {
        tokio::time::sleep(Duration::from_millis(latency + delay)).await;
    }
}

fn process(shared: &Shared, request: &Request) -> Answered {
    let mut switches = lock(&shared.switches);
    lock(&shared.world).answer(&mut switches, request)
}

fn replaced(shared: &Shared, request: &Request, noted: &Noted<'_>) -> Part {
    let answered = process(shared, request);
    noted.processed(&answered);
    answered.part
}

fn cut(reset: &AtomicBool) -> Cut {
    reset.store(true, Ordering::Relaxed);
    Cut
}

fn canned(answer: &Canned, retry_after: Option<RetryAfter>, now: SystemTime) -> Reply {
    let reply = answer.reply();
    match retry_after {
        Some(retry_after) => reply.with("retry-after", &retry_after.text(now)),
        None => reply,
    }
}

fn shape(fault: Option<&Kind>, bytes: Vec<u8>) -> Shaped {
    match fault {
        Some(Kind::Truncated) => Shaped::truncated(bytes),
        Some(Kind::Slow { milliseconds }) => Shaped::slow(bytes, Duration::from_millis(*milliseconds)),
        Some(Kind::Huge { bytes }) => Shaped::huge(*bytes),
        _ => Shaped::whole(bytes),
    }
}

/// A request's line in the ledger; counts it as in flight while it lives.
struct Noted<'a> {
    shared: &'a Shared,
    number: usize,
    counts: bool,
}

impl<'a> Noted<'a> {
    fn arrived(shared: &'a Shared, connection: usize, request: &Request) -> Self {
        let mut ledger = lock(&shared.ledger);
        let entry = Entry::new(ledger.len(), connection, shared.elapsed(), request);
        let (number, counts) = (entry.number, entry.is_api());
        ledger.push(entry);
        if counts {
            let now = shared.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
            shared.most_in_flight.fetch_max(now, Ordering::Relaxed);
        }
        Self { shared, number, counts }
    }

    fn change(&self, change: impl FnOnce(&mut Entry)) {
        let mut ledger = lock(&self.shared.ledger);
        // The ledger may have been cleared meanwhile.
        if let Some(entry) = ledger.get_mut(self.number) {
            change(entry);
        }
    }

    fn processed(&self, answered: &Answered) {
        self.change(|entry| {
            entry.changed = answered.reply.changed;
            entry.token = answered.token.clone();
            entry.marks.extend(answered.mark.map(str::to_owned));
        });
    }

    fn finish(
        self,
        part: Part,
        reply: Reply,
        request: &Request,
        shape: impl FnOnce(Vec<u8>) -> Shaped,
    ) -> Response<Shaped> {
        let answered = self.shared.elapsed();
        self.change(|entry| {
            entry.status = Some(reply.status);
            entry.answered = Some(answered);
        });
        let with_id = lock(&self.shared.switches).transaction_id && reply.header("x-no-transaction").is_none();
        let id = with_id.then(|| transaction_id(part, request));
        response(part, reply, id, request.at, shape)
    }
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        if self.counts {
            self.shared.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// The client's own id comes back; else each part makes one in its manner.
fn transaction_id(part: Part, request: &Request) -> String {
    match request.header("x-forgerock-transactionid") {
        Some(id) => id.to_owned(),
        None if part == Part::Environment => chance::uuid(),
        None if part == Part::Gateway => {
            format!("{}-{}-{}/0", times::epoch_milliseconds(request.at), chance::hex::<10>(), 1)
        }
        None => format!("{}/0", chance::uuid()),
    }
}

fn response(
    part: Part,
    reply: Reply,
    transaction_id: Option<String>,
    now: SystemTime,
    shape: impl FnOnce(Vec<u8>) -> Shaped,
) -> Response<Shaped> {
    let reply = dress(part, reply);
    let mut response = Response::new(shape(reply.bytes()));
    *response.status_mut() =
        hyper::StatusCode::from_u16(reply.status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    let own = [("date".to_owned(), times::http_date(now))];
    let id = transaction_id.map(|id| ("x-forgerock-transactionid".to_owned(), id));
    let all = reply.headers.into_iter().chain(own).chain(id);
    for (name, value) in all.filter(|(name, _)| name != "x-no-transaction") {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
