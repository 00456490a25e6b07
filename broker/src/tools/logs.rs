//! The tools of the tool set `logs`: what the tenant's log sources hold.

use serde::Deserialize;

use super::{Arguments, Output, Tool};
use crate::aic::{Api, Fault, Path, Request};

/// How many entries a page has when the caller does not say.
const DEFAULT_PAGE: u32 = 100;

/// The family.
pub(super) const TOOLS: &[Tool] = &[
    Tool { name: "getLogSources", run: |api, _| Box::pin(get_log_sources(api)) },
    Tool { name: "queryLogs", run: |api, arguments| Box::pin(query_logs(api, arguments)) },
];

/// Shape: the tenant's answer as it is: `{"result": [name…], "resultCount": n, …}`.
async fn get_log_sources(api: Api) -> Result<Output, Fault> {
    Ok(Output::as_it_came(api.fetch(Request::get(Path::fixed("/monitoring/logs/sources"))).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryLogs {
    sources: Vec<String>,
    begin_time: Option<String>,
    end_time: Option<String>,
    transaction_id: Option<String>,
    query_filter: Option<String>,
    paged_results_cookie: Option<String>,
    page_size: Option<u32>,
}

/// Shape: the tenant's page as it is: `{"result": […], "pagedResultsCookie": …}`.
async fn query_logs(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let wanted: QueryLogs = arguments.read()?;
    if wanted.sources.iter().any(|source| source.contains(',') || source.trim().is_empty()) {
        return Err(Fault::invalid("sources", "each must be the name of one log source: call getLogSources for them"));
    }
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let filter = filled(wanted.query_filter);
    let filtered = filter.is_some();
    let request = Request::get(Path::fixed("/monitoring/logs"))
        .query_opt("source", filled(Some(wanted.sources.join(","))))
        .query_opt("beginTime", filled(wanted.begin_time))
        .query_opt("endTime", filled(wanted.end_time))
        .query_opt("transactionId", filled(wanted.transaction_id))
        .query_opt("_queryFilter", filter)
        .query_opt("_pagedResultsCookie", filled(wanted.paged_results_cookie))
        .query("_pageSize", wanted.page_size.unwrap_or(DEFAULT_PAGE).to_string());
    let page = api.fetch(request).await.map_err(|fault| if filtered { explained(fault) } else { fault })?;
    Ok(Output::as_it_came(page))
}

/// The log service answers 500 to a filter whose paths lack their slash: says so, where it may be the cause.
fn explained(fault: Fault) -> Fault {
    match fault.status() {
        Some(500) => fault.explained(
            "the log service failed at this query",
            "in a queryFilter, paths begin with a slash: /payload/level eq \"ERROR\"",
        ),
        _ => fault,
    }
}
