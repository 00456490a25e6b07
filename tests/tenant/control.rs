//! The control path of the separate program, `/__sandbox/…`: what tests in another process may see and set.

use serde_json::{Value, json};

use super::faults::Fault;
use super::ledger::TokenKind;
use super::reply::{Outcome, Refusal, Reply};
use super::request::Request;
use super::wire::{Shared, lock};

/// Answers a control request. A browser's page must not steer the tenant: a request with `Origin` is refused.
pub fn answer(shared: &Shared, request: &Request) -> Reply {
    if request.header("origin").is_some() {
        return Reply::crest_error(403, "Not for web pages");
    }
    route(shared, request).unwrap_or_else(|refusal| *refusal)
}

fn route(shared: &Shared, request: &Request) -> Outcome {
    let what = request.path.trim_start_matches("/__sandbox/");
    match (request.method.as_str(), what) {
        ("GET", "ledger") => Ok(Reply::json(200, serde_json::to_value(&*lock(&shared.ledger)).unwrap_or_default())),
        ("DELETE", "ledger") => {
            lock(&shared.ledger).clear();
            done()
        }
        ("GET", "switches") => Ok(Reply::json(200, serde_json::to_value(&*lock(&shared.switches)).unwrap_or_default())),
        ("POST", "switches") => set_switches(shared, request),
        ("POST", "faults") => add_faults(shared, request),
        ("DELETE", "faults") => {
            lock(&shared.faults).clear();
            done()
        }
        ("GET", "canary") => Ok(Reply::json(200, json!({"canary": lock(&shared.world).book.canary}))),
        ("POST", "kill-primary") => kill(shared, TokenKind::Primary),
        ("POST", "kill-scoped") => kill(shared, TokenKind::Scoped),
        ("POST", "approve-devices") => approve(shared),
        _ => Err(Reply::crest_error(404, "Not Found").into()),
    }
}

fn bad(words: &str) -> Refusal {
    Reply::crest_error(400, words).into()
}

fn kill(shared: &Shared, kind: TokenKind) -> Outcome {
    lock(&shared.world).book.kill(kind);
    done()
}

fn approve(shared: &Shared) -> Outcome {
    let user = lock(&shared.switches).user.clone();
    lock(&shared.world).book.approve_devices(&user);
    done()
}

fn set_switches(shared: &Shared, request: &Request) -> Outcome {
    let changes = request.json()?;
    lock(&shared.switches).set(&changes).map_err(|words| bad(&words))?;
    done()
}

fn add_faults(shared: &Shared, request: &Request) -> Outcome {
    let list = match request.json()? {
        Value::Array(list) => list,
        one => vec![one],
    };
    let read = list.into_iter().map(serde_json::from_value::<Fault>).collect::<Result<Vec<_>, _>>();
    lock(&shared.faults).extend(read.map_err(|error| bad(&error.to_string()))?);
    done()
}

fn done() -> Outcome {
    Ok(Reply::json(200, json!({})))
}
