//! IDM below `/openidm`: which route answers what.

mod config;
mod feature;
mod managed;
mod policy;
mod query;
mod relations;
mod route_schema;
pub mod schema;
pub mod seed;
pub mod store;
mod themes;
mod types;
mod view;
mod write;

use super::reply::{Outcome, Part, Refusal, Reply};
use super::request::Request;
use super::switches::Switches;
use store::Directory;

/// Types that only the platform itself may reach.
const LOCKED_TYPES: [&str; 3] = ["svcacct", "teammember", "teammembermfa"];

/// What every route works on.
pub(super) struct Desk<'a> {
    /// IDM's data.
    pub directory: &'a mut Directory,
    /// The switches.
    pub switches: &'a mut Switches,
    /// Scheme, host and port as the client named them.
    pub origin: String,
}

/// Answers a request below `/openidm`.
pub fn answer(directory: &mut Directory, switches: &mut Switches, origin: String, request: &Request) -> (Part, Reply) {
    let mut desk = Desk { directory, switches, origin };
    let reply = route(&mut desk, request).unwrap_or_else(|refusal| *refusal);
    if reply.status == 403 && reply.header("content-type").is_some() {
        return (Part::Edge, reply);
    }
    (Part::Idm, versioned(reply))
}

fn route(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    match request.route().as_slice() {
        ["openidm", "managed", kind, ..] if LOCKED_TYPES.contains(kind) => Err(refuse(403, "Access denied")),
        ["openidm", "managed", kind] => managed::collection(desk, kind, request),
        ["openidm", "managed", kind, id] => managed::object(desk, kind, id, request),
        ["openidm", "managed", kind, id, property] => relations::collection(desk, kind, id, property, request),
        ["openidm", "managed", kind, id, property, link] => relations::link(desk, kind, id, property, link, request),
        ["openidm", "config"] => config::list(desk, request),
        ["openidm", "config", id @ ..] => config::document(desk, &id.join("/"), request),
        ["openidm", "schema", "managed", kind] => route_schema::whole(desk, kind, request),
        ["openidm", "schema", "managed", kind, "properties", name] => route_schema::property(desk, kind, name, request),
        ["openidm", "ui", "theme"] => themes::answer(desk, request),
        ["openidm", "feature"] => feature::list(desk, request),
        ["openidm", "feature", id @ ..] => feature::one(desk, &id.join("/"), request),
        _ => Err(refuse(404, "Not Found")),
    }
}

/// Makes a CREST error that ends a handler.
pub(super) fn refuse(status: u16, message: &str) -> Refusal {
    Reply::crest_error(status, message).into()
}

/// The refusal of a method that a route does not have.
pub(super) fn no_method(request: &Request) -> Refusal {
    refuse(405, &format!("Method {} not supported", request.method))
}

/// Errors and empty queries carry the version; objects of the directory do not, as recorded.
fn versioned(reply: Reply) -> Reply {
    let known = reply.header("content-api-version").is_some() || reply.header("x-object").is_some();
    let mut reply = if known { reply } else { reply.with("content-api-version", "protocol=2.1,resource=1.0") };
    reply.headers.retain(|(name, _)| name != "x-object");
    reply
}
