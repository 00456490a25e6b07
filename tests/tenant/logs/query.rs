//! Queries log entries: source, times, transaction, filter, pages.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::{Logs, refuse, seed};
use crate::tenant::crest::filter::{self, Case, Filter};
use crate::tenant::crest::page::{self, Manner};
use crate::tenant::reply::{Outcome, Refusal, Reply};
use crate::tenant::request::Request;
use crate::tenant::switches::Switches;
use crate::tenant::times;

/// Greatest span of a query, and the span without times.
const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// Greatest and default page size.
const MAX_PAGE: i64 = 1000;

/// What the first call of a tail shows.
const TAIL: Duration = Duration::from_secs(15);

/// Answers `/monitoring/logs`.
pub(super) fn answer(logs: &Logs, switches: &Switches, request: &Request) -> Outcome {
    let sources = sources(switches, request)?;
    let (begin, end) = window(request)?;
    check_size(request)?;
    let filter = read_filter(request)?;
    let transaction = request.query("transactionId").unwrap_or_default();
    let wanted = |entry: &&Value| {
        let at = entry.get("timestamp").and_then(Value::as_str).and_then(times::read);
        at.is_some_and(|at| begin <= at && at < end)
            && is_from(entry, &sources)
            && is_of_transaction(entry, transaction)
            && filter.as_ref().is_none_or(|filter| filter.matches(entry, Case::Kept))
    };
    page(logs.entries.iter().filter(wanted).cloned().collect(), switches, request)
}

/// Answers `/monitoring/logs/tail`.
pub(super) fn tail(logs: &Logs, switches: &Switches, request: &Request) -> Outcome {
    let sources = sources(switches, request)?;
    let begin = request.at - TAIL;
    let wanted = |entry: &&Value| {
        let at = entry.get("timestamp").and_then(Value::as_str).and_then(times::read);
        at.is_some_and(|at| begin <= at) && is_from(entry, &sources)
    };
    page(logs.entries.iter().filter(wanted).cloned().collect(), switches, request)
}

fn sources(switches: &Switches, request: &Request) -> Result<Vec<String>, Refusal> {
    let text = request.query("source").unwrap_or_default();
    let sources: Vec<String> =
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    if sources.is_empty() && switches.log_source_required {
        return Err(refuse(400, "The query parameter 'source' is required"));
    }
    match sources.iter().find(|source| !seed::SOURCES.contains(&source.as_str())) {
        Some(unknown) => Err(refuse(400, &format!("The source '{unknown}' is not known"))),
        None => Ok(sources),
    }
}

fn window(request: &Request) -> Result<(SystemTime, SystemTime), Refusal> {
    let time = |name: &str| match request.query(name) {
        None => Ok(None),
        Some(text) => {
            times::read(text).map(Some).ok_or_else(|| refuse(400, &format!("'{name}' is not an ISO 8601 time")))
        }
    };
    let (begin, end) = match (time("beginTime")?, time("endTime")?) {
        (None, None) => (request.at - WINDOW, request.at),
        (Some(begin), None) => (begin, begin + WINDOW),
        (None, Some(end)) => (end - WINDOW, end),
        (Some(begin), Some(end)) => (begin, end),
    };
    match end.duration_since(begin) {
        Ok(span) if span <= WINDOW => Ok((begin, end)),
        Ok(_) => Err(refuse(400, "The time between beginTime and endTime must not exceed 24 hours")),
        Err(_) => Err(refuse(400, "endTime is before beginTime")),
    }
}

fn check_size(request: &Request) -> Result<(), Refusal> {
    let size = request.query("_pageSize").map(str::parse::<i64>);
    match size {
        None | Some(Ok(1..=MAX_PAGE)) => Ok(()),
        _ => Err(refuse(400, "_pageSize must be between 1 and 1000")),
    }
}

/// A field without its leading slash makes the log service fail.
fn read_filter(request: &Request) -> Result<Option<Filter>, Refusal> {
    let Some(text) = request.query("_queryFilter") else { return Ok(None) };
    let filter = filter::read(text).map_err(|fault| refuse(400, &fault.words()))?;
    let bare = |name: &[String]| name.first().is_some_and(|first| !text.contains(&format!("/{first}")));
    if filter.fields().into_iter().any(bare) {
        return Err(refuse(500, "Internal Server Error"));
    }
    Ok(Some(filter))
}

fn is_from(entry: &Value, sources: &[String]) -> bool {
    let source = entry.get("source").and_then(Value::as_str).unwrap_or_default();
    let everything = source.split_once('-').map(|(part, _)| format!("{part}-everything")).unwrap_or_default();
    sources.is_empty() || sources.iter().any(|wanted| wanted == source || *wanted == everything)
}

/// A transaction gains suffixes on its way through the services.
fn is_of_transaction(entry: &Value, wanted: &str) -> bool {
    let id = entry.pointer("/payload/transactionId").and_then(Value::as_str).unwrap_or_default();
    wanted.is_empty()
        || id == wanted
        || id.starts_with(&format!("{wanted}/"))
        || id.starts_with(&format!("{wanted}-request-"))
}

fn page(found: Vec<Value>, switches: &Switches, request: &Request) -> Outcome {
    let ask = page::read(request).map_err(|words| refuse(400, &words))?;
    let manner = Manner {
        cookie_on_full_last_page: switches.cookie_on_full_last_page,
        cookie_percent_encoded: false,
        exact_totals: false,
        default_size: usize::try_from(MAX_PAGE).ok(),
    };
    let mut page = page::cut(found, &ask, manner);
    if switches.log_payload_as_text {
        page.get_mut("result").and_then(Value::as_array_mut).into_iter().flatten().for_each(plain);
    }
    if let (true, Some(members)) = (switches.log_count_as_text, page.as_object_mut()) {
        let count = members.get("resultCount").and_then(Value::as_u64).unwrap_or_default();
        members.insert("resultCount".to_owned(), json!(count.to_string()));
    }
    Ok(Reply::json(200, page))
}

fn plain(entry: &mut Value) {
    if let Some(members) = entry.as_object_mut() {
        let payload = members.get("payload").map(ToString::to_string).unwrap_or_default();
        members.insert("payload".to_owned(), json!(payload));
        members.insert("type".to_owned(), json!("text/plain"));
    }
}
