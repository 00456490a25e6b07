//! AM's REST API below `/am/json`: realm paths, families, what cloud tenants lock.

mod client_schema;
mod clients;
mod contexts;
mod info;
mod node_kinds;
mod node_types;
mod nodes;
mod scripts;
pub mod seed;
mod settings;
pub mod store;
mod trees;

use serde_json::{Value, json};

use super::crest::filter::{self, Filter};
use super::crest::{fields, page};
use super::reply::{Outcome, Part, Refusal, Reply};
use super::request::Request;
use super::switches::Switches;
use store::{Realm, Realms};

/// What a cloud tenant says to everything that it locks.
const LOCKED: &str = "This operation is not available in PingOne Advanced Identity Cloud.";

/// What every family of a realm works on.
pub(super) struct Desk<'a> {
    /// The realm's configuration.
    pub realm: &'a mut Realm,
    /// The switches.
    pub switches: &'a Switches,
    /// Scheme, host, port and the path as asked: the base of a `Location`.
    pub address: String,
    /// Who asks.
    pub user: String,
}

/// Answers a request below `/am/json`.
pub fn answer(
    realms: &mut Realms,
    switches: &Switches,
    origin: &str,
    user: String,
    request: &Request,
) -> (Part, Reply) {
    let reply = route(realms, switches, origin, user, request).unwrap_or_else(|refusal| *refusal);
    let part = if reply.header("x-gateway").is_some() { Part::Edge } else { Part::Am };
    let mut reply = reply;
    reply.headers.retain(|(name, _)| name != "x-gateway");
    (part, reply)
}

fn route(realms: &mut Realms, switches: &Switches, origin: &str, user: String, request: &Request) -> Outcome {
    let route = request.route();
    let (realm, rest) = place(&route);
    match rest {
        ["serverinfo", what] => return info::server(what, request),
        ["global-config", "realms", id @ ..] if realm.is_none() => return info::realms(id, request),
        ["contexts", id] => return contexts::answer(id),
        _ => {}
    }
    let Some(realm) = realm.and_then(|name| realms.realms.get_mut(name)) else { return Err(locked()) };
    let mut desk = Desk { realm, switches, address: format!("{origin}{}", request.path), user };
    in_realm(&mut desk, rest, request)
}

/// Splits a path into its realm (none is the root) and the rest: all three ways to name a realm work.
fn place<'a, 'b>(route: &'b [&'a str]) -> (Option<&'a str>, &'b [&'a str]) {
    let rest = route.get(2..).unwrap_or_default();
    match rest {
        ["realms", "root", "realms", realm, rest @ ..] => (Some(*realm), rest),
        ["realms", "root", rest @ ..] => (None, rest),
        ["realms", realm, rest @ ..] => (Some(*realm), rest),
        [realm @ ("alpha" | "bravo"), rest @ ..] => (Some(*realm), rest),
        rest => (None, rest),
    }
}

fn in_realm(desk: &mut Desk<'_>, rest: &[&str], request: &Request) -> Outcome {
    match rest {
        ["realm-config", "authentication"] => settings::answer(desk, request),
        ["realm-config", "authentication", "authenticationtrees", kind, rest @ ..] => {
            check_tree_version(desk, request)?;
            match (*kind, rest) {
                ("trees", []) => trees::collection(desk, request),
                ("trees", [name]) => trees::one(desk, name, request),
                ("nodes", rest) => nodes::answer(desk, rest, request),
                _ => Err(refuse(404, "Not Found")),
            }
        }
        ["scripts"] => scripts::collection(desk, request),
        ["scripts", id] => scripts::one(desk, id, request),
        ["realm-config", "agents"] => clients::types(request),
        ["realm-config", "agents", "OAuth2Client"] => clients::collection(desk, request),
        ["realm-config", "agents", "OAuth2Client", id] => clients::one(desk, id, request),
        ["realm-config", "services", "oauth-oidc"] => settings::provider(desk, request),
        ["realm-config", "services", "id-repositories"] => Err(locked()),
        _ => Err(refuse(404, "Not Found")),
    }
}

/// The refusal of what a cloud tenant locks: it comes from the gateway, without AM's fields or a transaction.
fn locked() -> Refusal {
    let reply = Reply::crest_error(403, LOCKED).with("cache-control", "private, no-store");
    let transport = "max-age=31536000;includeSubDomains;preload";
    reply.with("strict-transport-security", transport).with("x-gateway", "1").with("x-no-transaction", "1").into()
}

/// Makes a CREST error that ends a handler.
pub(super) fn refuse(status: u16, message: &str) -> Refusal {
    Reply::crest_error(status, message).into()
}

/// The refusal of a method that a route does not have.
pub(super) fn no_method(request: &Request) -> Refusal {
    refuse(405, &format!("Method {} not supported", request.method))
}

/// The refusal of an action that a route does not have.
pub(super) fn no_action(request: &Request) -> Refusal {
    refuse(501, &format!("Action not supported: {}", request.action().unwrap_or_default()))
}

/// The refusal of an attribute that a configuration object does not have.
pub(super) fn invalid_attribute(valid: Vec<&str>) -> Refusal {
    let detail = json!({"validAttributes": valid});
    let body =
        json!({"code": 400, "reason": "Bad Request", "message": "Invalid attribute specified.", "detail": detail});
    Reply::json(400, body).into()
}

/// The refusal of an attribute's value.
pub(super) fn invalid_value(title: &str) -> Refusal {
    refuse(400, &format!("Data validation failed for the attribute, {title}"))
}

/// Says which version of the API answered.
pub(super) fn versioned(reply: Reply, version: &str) -> Reply {
    reply.with("content-api-version", &format!("resource={version}"))
}

/// Adds the version to what a handler gave, be it an answer or a refusal.
pub(super) fn version_all(outcome: Outcome, version: &str) -> Outcome {
    outcome.map(|reply| versioned(reply, version)).map_err(|refusal| versioned(*refusal, version).into())
}

/// Reads a body as JSON; a text that is none is refused by the gateway, before AM.
pub(super) fn body(request: &Request) -> Result<Value, Refusal> {
    if serde_json::from_slice::<Value>(&request.body).is_ok() {
        return request.json();
    }
    let detail = Value::String(String::from_utf8_lossy(&request.body).into_owned()).to_string();
    let body = json!({
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload;", "code": 400, "reason": "Bad Request",
        "message": "The request could not be processed because the provided content is not valid JSON", "detail": detail,
    });
    let reply = Reply::json(400, body).with("content-type", "application/json; charset=utf-8");
    let reply = reply.with("etag", "W/\"205-sandbox\"").with("x-frame-options", "SAMEORIGIN");
    Err(reply.with("x-gateway", "1").into())
}

/// Adds the content's revision to a configuration object.
pub(super) fn revised(id: &str, content: &Value) -> Value {
    let mut whole = content.clone();
    if let Some(members) = whole.as_object_mut() {
        members.insert("_id".to_owned(), json!(id));
        members.insert("_rev".to_owned(), json!(super::crest::revision::of_content(content)));
    }
    whole
}

/// Makes the answer with one configuration object: its revision is the etag.
pub(super) fn single(status: u16, object: Value, request: &Request) -> Reply {
    let etag = format!("\"{}\"", object.get("_rev").and_then(Value::as_str).unwrap_or_default());
    Reply::json(status, fields::select(&object, &fields::read(request.query("_fields")))).with("etag", &etag)
}

/// Makes the answer of a query over configuration objects, which knows `true` and no pages.
///
/// Source: AM's configuration collections support nothing else.
pub(super) fn listed(objects: Vec<Value>, request: &Request) -> Outcome {
    let ask = page::read(request).map_err(|words| refuse(400, &words))?;
    if filter(request)? != Filter::Always(true) {
        let text = request.query("_queryFilter").unwrap_or_default();
        return Err(refuse(501, &format!("Query not supported: {text}")));
    }
    let size = request.query("_pageSize").and_then(|size| size.parse::<i64>().ok()).unwrap_or(0);
    if size > 0 || request.query("_pagedResultsCookie").is_some() || request.query("_pagedResultsOffset").is_some() {
        return Err(refuse(501, "Query paging not currently supported"));
    }
    let manner = page::Manner {
        cookie_on_full_last_page: false,
        cookie_percent_encoded: false,
        exact_totals: false,
        default_size: None,
    };
    let mut page = page::cut(objects, &ask, manner);
    select_all(&mut page, request);
    Ok(Reply::json(200, page))
}

/// Selects fields in each result of a page.
pub(super) fn select_all(page: &mut Value, request: &Request) {
    let fields = fields::read(request.query("_fields"));
    for object in page.get_mut("result").and_then(Value::as_array_mut).into_iter().flatten() {
        *object = fields::select(object, &fields);
    }
}

/// Reads the filter of a query.
pub(super) fn filter(request: &Request) -> Result<Filter, Refusal> {
    let Some(text) = request.query("_queryFilter") else {
        return Err(refuse(400, "The request did not specify _queryFilter, _queryId or _queryExpression"));
    };
    filter::read(text).map_err(|fault| refuse(400, &fault.words()))
}

fn check_tree_version(desk: &Desk<'_>, request: &Request) -> Result<(), Refusal> {
    let old = matches!(request.resource_version(), None | Some("1.0" | "2.0"));
    let known = old || request.resource_version() == Some("3.0");
    if known && !(old && desk.switches.nodes_version_1_refused) {
        return Ok(());
    }
    let asked = request.resource_version().unwrap_or("1.0");
    Err(refuse(404, &format!("Version {asked} of the resource not found")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_can_be_named_in_three_ways() {
        let cases: [(&str, Option<&str>, &[&str]); 6] = [
            ("am/json/alpha/scripts", Some("alpha"), &["scripts"]),
            ("am/json/realms/alpha/scripts", Some("alpha"), &["scripts"]),
            ("am/json/realms/root/realms/bravo/scripts/1", Some("bravo"), &["scripts", "1"]),
            ("am/json/realms/root/scripts", None, &["scripts"]),
            ("am/json/scripts", None, &["scripts"]),
            ("am/json/serverinfo/*", None, &["serverinfo", "*"]),
        ];
        for (path, realm, rest) in cases {
            let route: Vec<&str> = path.split('/').collect();
            assert_eq!(place(&route), (realm, rest), "{path}");
        }
    }
}
