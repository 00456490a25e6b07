//! The query of a collection: filter, sort, page, fields. Used by every family that has collections.

use serde_json::Value;

use super::refuse;
use crate::tenant::crest::filter::{self, Case, Filter};
use crate::tenant::crest::page::{self, Manner};
use crate::tenant::reply::Refusal;
use crate::tenant::request::Request;
use crate::tenant::switches::Switches;

/// Returns how IDM pages under these switches.
pub(crate) fn manner(switches: &Switches) -> Manner {
    Manner {
        cookie_on_full_last_page: switches.cookie_on_full_last_page,
        cookie_percent_encoded: switches.cookie_percent_encoded,
        exact_totals: switches.exact_totals,
        default_size: None,
    }
}

/// Reads the filter of a query.
///
/// Errors: 400 without one, and for one that is outside the grammar.
pub(super) fn read_filter(request: &Request) -> Result<Filter, Refusal> {
    let Some(text) = request.query("_queryFilter") else {
        return Err(refuse(400, "The request did not specify _queryFilter, _queryId or _queryExpression"));
    };
    filter::read(text).map_err(|fault| refuse(400, &fault.words()))
}

/// Runs a query over objects.
pub(super) fn run(
    objects: Vec<Value>,
    filter: &Filter,
    case: Case,
    request: &Request,
    manner: Manner,
) -> Result<Value, Refusal> {
    let ask = page::read(request).map_err(|words| refuse(400, &words))?;
    let found = objects.into_iter().filter(|object| filter.matches(object, case)).collect();
    Ok(page::cut(found, &ask, manner))
}
