//! The whole state of a tenant and the way of a request through it. Touches no socket: a pure step but for fresh ids.

use std::time::SystemTime;

use serde_json::json;

use super::am::{self, store::Realms};
use super::environment::{self, Store};
use super::idm::{self, store::Directory};
use super::ledger::TokenUse;
use super::logs::{self, Logs};
use super::oauth::book::Book;
use super::reply::{Part, Reply};
use super::request::{Request, hides_separator};
use super::switches::Switches;
use super::{gate, oauth};

/// The state of a tenant.
#[derive(Debug)]
pub struct World {
    /// What OAuth has issued.
    pub book: Book,
    /// IDM's data.
    pub directory: Directory,
    /// ESVs.
    pub environment: Store,
    /// Log entries.
    pub logs: Logs,
    /// AM's configuration.
    pub realms: Realms,
}

/// An answer, who gives it, and what the ledger notes.
#[derive(Debug)]
pub struct Answered {
    /// The part that answers.
    pub part: Part,
    /// The answer.
    pub reply: Reply,
    /// The token that came along.
    pub token: Option<TokenUse>,
    /// What is wrong with the request.
    pub mark: Option<&'static str>,
}

impl World {
    /// Makes a fresh sandbox tenant.
    pub fn new(redirect_uris: Vec<String>, now: SystemTime) -> Self {
        Self {
            book: Book::new(redirect_uris),
            directory: idm::seed::directory(),
            environment: Store::seeded(now),
            logs: Logs { entries: logs::seed::entries(now), ..Logs::default() },
            realms: am::seed::realms(),
        }
    }

    /// Answers a request.
    pub fn answer(&mut self, switches: &mut Switches, request: &Request) -> Answered {
        let token = request.bearer().map(|bearer| self.book.token_use(bearer, request.at));
        if hides_separator(&request.path) {
            let reply = Reply::html(400, "<!doctype html><title>400</title>400 Bad Request".to_owned());
            return Answered { part: Part::Edge, reply, token, mark: None };
        }
        if let Some((part, reply, mark)) = gate::check(request, token.as_ref()) {
            return Answered { part, reply, token, mark };
        }
        let (part, reply) = self.route(switches, request);
        Answered { part, reply, token, mark: None }
    }

    fn route(&mut self, switches: &mut Switches, request: &Request) -> (Part, Reply) {
        let origin = origin(request);
        let route = request.route();
        self.environment.settle(request.at);
        let restarting = switches.restart_unavailable && self.environment.restart_ends.is_some();
        match route.as_slice() {
            ["am", "json", ..] | ["openidm", ..] if restarting => {
                (Part::Edge, Reply::crest_error(503, "Service Unavailable"))
            }
            ["am", "oauth2" | "XUI", ..] => oauth::answer(&mut self.book, switches, origin, request),
            ["am", "json", ..] => {
                let user = self.user(request);
                am::answer(&mut self.realms, switches, &origin, user, request)
            }
            ["openidm", ..] => idm::answer(&mut self.directory, switches, origin, request),
            ["environment", "aiagent"] => (Part::Environment, self.ai_agents(request)),
            ["environment", ..] => {
                let user = self.user(request);
                environment::answer(&mut self.environment, switches, user, request)
            }
            ["monitoring", ..] => logs::answer(&mut self.logs, switches, request),
            _ => (Part::Edge, Reply::html(404, "<!doctype html><title>404</title>404 Not Found".to_owned())),
        }
    }

    /// Switches AI agents on in both realms.
    fn ai_agents(&mut self, request: &Request) -> Reply {
        if (request.method.as_str(), request.action()) != ("POST", Some("enable")) {
            return Reply::environment_error(405, "method not allowed");
        }
        Reply::json(200, json!({"realms": self.realms.enable_ai_agents()})).changing()
    }

    fn user(&self, request: &Request) -> String {
        let token = request.bearer().and_then(|bearer| self.book.tokens.get(bearer));
        token.map(|token| token.user.clone()).unwrap_or_default()
    }
}

/// Returns scheme, host and port as the client named them; the port is always there, as in the platform's issuer.
fn origin(request: &Request) -> String {
    let host = request.header("host").unwrap_or("localhost");
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    if has_port { format!("http://{host}") } else { format!("http://{host}:80") }
}
