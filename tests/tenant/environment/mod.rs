//! The environment APIs below `/environment`: which route answers what. Their errors have no `reason`.

mod info;
mod list;
mod secrets;
mod startup;
mod store;
mod variables;

pub use store::Store;

use super::reply::{Outcome, Part, Refusal, Reply};
use super::request::Request;
use super::switches::Switches;

/// What every route works on.
pub(super) struct Desk<'a> {
    /// Variables, secrets, the restart.
    pub store: &'a mut Store,
    /// The switches.
    pub switches: &'a Switches,
    /// Who asks.
    pub user: String,
}

/// Answers a request below `/environment`.
pub fn answer(store: &mut Store, switches: &Switches, user: String, request: &Request) -> (Part, Reply) {
    let route = request.route();
    if route == ["environment", "info"] {
        return (Part::Gateway, info::answer(switches));
    }
    store.settle(request.at);
    let mut desk = Desk { store, switches, user };
    (Part::Environment, self::route(&mut desk, &route, request).unwrap_or_else(|refusal| *refusal))
}

fn route(desk: &mut Desk<'_>, route: &[&str], request: &Request) -> Outcome {
    if matches!(route, ["environment", "variables" | "secrets", ..]) {
        check_version(desk, request)?;
    }
    match (request.method.as_str(), route) {
        ("GET", ["environment", "variables"]) => list::answer(&desk.store.variables, request, &["valueBase64"]),
        (_, ["environment", "variables", id]) => variables::answer(desk, id, request),
        ("GET", ["environment", "secrets"]) => list::answer(&desk.store.secrets, request, &[]),
        (_, ["environment", "secrets", id, rest @ ..]) => secrets::answer(desk, id, rest, request),
        ("GET", ["environment", "count"]) => Ok(startup::count(desk)),
        (_, ["environment", "startup"]) => startup::answer(desk, request),
        ("GET", ["environment", "release"]) => Ok(info::release()),
        ("GET", ["environment", "direct-configuration", "session", "state"]) => Ok(info::session_state()),
        (_, ["environment", "certificates", _]) => {
            Ok(Reply::empty(404).with("content-type", "application/json").with("content-api-version", "resource=1.0"))
        }
        _ => Err(refuse(404, &format!("path {} was not found", request.path))),
    }
}

/// Makes an error that ends a handler.
pub(super) fn refuse(status: u16, message: &str) -> Refusal {
    Reply::environment_error(status, message).into()
}

/// Makes the refusal of a request that the API's own description does not allow; it has no transaction id.
pub(super) fn invalid(message: &str) -> Refusal {
    Reply::environment_error(400, message).with("x-no-transaction", "1").into()
}

fn check_version(desk: &Desk<'_>, request: &Request) -> Result<(), Refusal> {
    match request.resource_version() {
        Some("2.0") => Ok(()),
        None | Some("1.0") if !desk.switches.esv_version_1_refused => Ok(()),
        _ => Err(refuse(400, "The requested version of the API is not supported")),
    }
}
