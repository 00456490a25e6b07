//! Lists of ESVs: everything with version 1.0, pages with version 2.0.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{invalid, refuse};
use crate::tenant::crest::filter::{self, Case, Filter};
use crate::tenant::crest::page::{self, Manner};
use crate::tenant::reply::{Outcome, Refusal, Reply};
use crate::tenant::request::Request;

/// Page size of version 2.0 when none is asked for.
const DEFAULT_PAGE: usize = 25;

/// Greatest page size of version 2.0.
const MAX_PAGE: i64 = 100;

/// Answers a list; version 2.0 leaves the `hidden` members out.
pub(super) fn answer(all: &BTreeMap<String, Value>, request: &Request, hidden: &[&str]) -> Outcome {
    let second = request.resource_version() == Some("2.0");
    if second {
        check_size(request)?;
    }
    let filter = read_filter(request)?;
    let only_pending = request.query("_onlyPending") == Some("true");
    let wanted = |object: &&Value| {
        filter.matches(object, Case::Kept) && !(only_pending && object.get("loaded") == Some(&Value::Bool(true)))
    };
    let found: Vec<Value> = all.values().filter(wanted).cloned().collect();
    let ask = page::read(request).map_err(|words| refuse(400, &words))?;
    let manner = Manner {
        cookie_on_full_last_page: false,
        cookie_percent_encoded: false,
        exact_totals: false,
        default_size: second.then_some(DEFAULT_PAGE),
    };
    let mut page = page::cut(found, &ask, manner);
    for object in page.get_mut("result").and_then(Value::as_array_mut).into_iter().flatten().filter(|_| second) {
        if let Some(members) = object.as_object_mut() {
            members.retain(|name, _| !hidden.contains(&name.as_str()));
        }
    }
    Ok(Reply::json(200, page))
}

fn check_size(request: &Request) -> Result<(), Refusal> {
    let Some(text) = request.query("_pageSize") else { return Ok(()) };
    match text.parse::<i64>() {
        Ok(size) if size > MAX_PAGE => {
            Err(invalid("parameter \"_pageSize\" in query has an error: number must be at most 100"))
        }
        Ok(size) if size < 1 => {
            Err(invalid("parameter \"_pageSize\" in query has an error: number must be at least 1"))
        }
        Ok(_) => Ok(()),
        Err(_) => {
            Err(invalid(&format!("parameter \"_pageSize\" in query has an error: value {text}: an invalid integer")))
        }
    }
}

fn read_filter(request: &Request) -> Result<Filter, Refusal> {
    let text = request.query("_queryFilter").unwrap_or("true");
    filter::read(text).map_err(|fault| refuse(400, &fault.words()))
}
