//! The log API below `/monitoring`: sources, queries, the rate limit.

mod limit;
mod query;
pub mod seed;

pub use limit::Limit;

use serde_json::{Value, json};

use super::reply::{Outcome, Part, Refusal, Reply};
use super::request::Request;
use super::switches::Switches;

/// The log entries and the count of requests.
#[derive(Debug, Default)]
pub struct Logs {
    /// Entries, oldest first.
    pub entries: Vec<Value>,
    /// The rate limit.
    pub limit: Limit,
}

/// Answers a request below `/monitoring`.
pub fn answer(logs: &mut Logs, switches: &Switches, request: &Request) -> (Part, Reply) {
    let state = logs.limit.count(request.at, switches.logs_per_minute);
    let reply = if state.exceeded {
        limit::refusal(switches, &state)
    } else {
        route(logs, switches, request).unwrap_or_else(|refusal| *refusal)
    };
    let reply = reply
        .with("x-ratelimit-limit", &switches.logs_per_minute.to_string())
        .with("x-ratelimit-remaining", &state.remaining.to_string())
        .with("x-ratelimit-reset", &state.reset_epoch.to_string());
    (Part::Gateway, reply)
}

fn route(logs: &Logs, switches: &Switches, request: &Request) -> Outcome {
    match (request.method.as_str(), request.route().as_slice()) {
        ("GET", ["monitoring", "logs", "sources"]) => Ok(sources()),
        ("GET", ["monitoring", "logs"]) => query::answer(logs, switches, request),
        ("GET", ["monitoring", "logs", "tail"]) => query::tail(logs, switches, request),
        _ => Err(refuse(404, "Not Found")),
    }
}

/// Makes an error that ends a handler.
pub(super) fn refuse(status: u16, message: &str) -> Refusal {
    Reply::crest_error(status, message).into()
}

fn sources() -> Reply {
    Reply::json(
        200,
        json!({
            "result": seed::SOURCES, "resultCount": seed::SOURCES.len(), "pagedResultsCookie": null,
            "totalPagedResultsPolicy": "NONE", "totalPagedResults": 1, "remainingPagedResults": 0,
        }),
    )
}
