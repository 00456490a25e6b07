//! Which token may reach which API. Decides; knows no sockets. Follows the scopes that each API documents.

use super::ledger::{TokenKind, TokenUse};
use super::reply::{Part, Reply};
use super::request::Request;

/// The mark of a primary token at an API: the broker must never do that.
pub const PRIMARY_AT_API: &str = "primary token used at an API";

/// The mark of a token whose scopes do not cover the request.
pub const SCOPE_MISSING: &str = "token without the scope";

/// Refuses a request whose token does not reach; the mark goes into the ledger.
pub fn check(request: &Request, token: Option<&TokenUse>) -> Option<(Part, Reply, Option<&'static str>)> {
    let route = request.route();
    if is_open(&route) {
        return None;
    }
    let (part, needed) = needed(&route, request);
    let Some(token) = token.filter(|token| token.alive) else { return Some((part, unauthorized(part), None)) };
    if route == ["environment", "info"] {
        return None;
    }
    if token.kind == TokenKind::Primary {
        return Some((part, Reply::crest_error(403, PRIMARY_AT_API), Some(PRIMARY_AT_API)));
    }
    let has = |alternatives: &&[&str]| alternatives.iter().any(|scope| token.scopes.iter().any(|held| held == scope));
    if needed.iter().all(has) { None } else { Some((part, unauthorized(part), Some(SCOPE_MISSING))) }
}

fn is_open(route: &[&str]) -> bool {
    match route {
        ["am", "oauth2" | "XUI", ..] => true,
        ["am", "json", rest @ ..] => rest.contains(&"serverinfo"),
        _ => false,
    }
}

/// Returns the part that answers and the scopes that it needs: all of the groups, any of a group.
fn needed(route: &[&str], request: &Request) -> (Part, &'static [&'static [&'static str]]) {
    let reads = request.method == "GET";
    match route {
        ["openidm", ..] => (Part::Idm, &[&["fr:idm:*"]]),
        ["am", ..] => (Part::Am, &[&["fr:am:*"]]),
        ["monitoring", ..] => (Part::Gateway, &[&["fr:idc:monitoring:*"]]),
        ["environment", "info"] => (Part::Gateway, &[]),
        ["environment", "aiagent"] => (Part::Environment, &[&["fr:am:*"], &["fr:idm:*"]]),
        ["environment", "startup"] if !reads => (Part::Environment, &[&["fr:idc:esv:restart", "fr:idc:esv:*"]]),
        ["environment", "variables" | "secrets", ..] if !reads => {
            (Part::Environment, &[&["fr:idc:esv:update", "fr:idc:esv:*"]])
        }
        ["environment", "variables" | "secrets" | "count" | "startup", ..] => {
            (Part::Environment, &[&["fr:idc:esv:read", "fr:idc:esv:*"]])
        }
        ["environment", ..] => (Part::Environment, &[&["fr:idm:*", "fr:idc:esv:read", "fr:idc:esv:update"]]),
        _ => (Part::Edge, &[]),
    }
}

fn unauthorized(part: Part) -> Reply {
    match part {
        Part::Environment => Reply::environment_error(401, "Access Denied"),
        _ => Reply::crest_error(401, "Access Denied"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::SystemTime;

    use super::*;

    fn status(method: &str, path: &str, token: Option<(TokenKind, &str, bool)>) -> u16 {
        let request = Request::new(method, path, BTreeMap::new(), Vec::new(), SystemTime::UNIX_EPOCH);
        let token = token.map(|(kind, scopes, alive)| TokenUse {
            kind,
            scopes: scopes.split(' ').map(str::to_owned).collect(),
            alive,
        });
        check(&request, token.as_ref()).map_or(200, |(_, reply, _)| reply.status)
    }

    #[test]
    fn each_api_wants_its_own_scope() {
        use TokenKind::{Primary, Scoped};
        let cases = [
            ("GET", "/openidm/managed/alpha_user", Some((Scoped, "fr:idm:*", true)), 200),
            ("GET", "/openidm/managed/alpha_user", Some((Scoped, "fr:am:*", true)), 401),
            ("GET", "/openidm/managed/alpha_user", Some((Scoped, "fr:idm:*", false)), 401),
            ("GET", "/openidm/managed/alpha_user", None, 401),
            ("GET", "/openidm/managed/alpha_user", Some((Primary, "fr:idm:*", true)), 403),
            ("GET", "/environment/info", Some((Primary, "fr:idm:*", true)), 200),
            ("GET", "/environment/info", None, 401),
            ("GET", "/environment/variables", Some((Scoped, "fr:idc:esv:read", true)), 200),
            ("PUT", "/environment/variables/esv-a", Some((Scoped, "fr:idc:esv:read", true)), 401),
            ("PUT", "/environment/variables/esv-a", Some((Scoped, "fr:idc:esv:update", true)), 200),
            ("POST", "/environment/aiagent", Some((Scoped, "fr:am:*", true)), 401),
            ("POST", "/environment/aiagent", Some((Scoped, "fr:am:* fr:idm:*", true)), 200),
            ("GET", "/monitoring/logs", Some((Scoped, "fr:idc:monitoring:*", true)), 200),
            ("GET", "/am/json/alpha/scripts", Some((Scoped, "fr:am:*", true)), 200),
            ("GET", "/am/json/serverinfo/*", None, 200),
            ("POST", "/am/oauth2/access_token", None, 200),
        ];
        for (method, path, token, expected) in cases {
            assert_eq!(status(method, path, token), expected, "{method} {path} {token:?}");
        }
    }
}
