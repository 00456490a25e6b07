//! Carries out one sign-in from its first screen to its grant, whichever way it goes.

use std::sync::Arc;
use std::time::Duration;

use aic_proto::message::{How, Pending, Shown};
use aic_proto::refusal::Failure;
use oauth2::basic::BasicClient;
use oauth2::{AuthType, AuthorizationCode, ClientId, PkceCodeVerifier, RedirectUrl, TokenUrl};
use tokio::sync::{mpsc, oneshot};
use url::Url;

use super::authorize::{Attempt, Expected, Redirect, judge};
use super::callback::{self, Arrived};
use super::device::Device;
use super::page::{Page, render};
use super::token::Wire;
use super::{Grant, Loopback, PortTaken, declined, failed, grant, polling, said};
use crate::clock::Moment;
use crate::config::{LoginWay, Tenant};
use crate::http::Http;
use crate::secret::Secret;

/// How a person signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The browser flow; `open` says whether we open the browser.
    Browser {
        /// Whether the browser is opened for the person.
        open: bool,
        /// Whether the device flow may take over when the port or the browser is not to be had.
        fall_back: bool,
    },
    /// The browser flow without a listener.
    Paste,
    /// The device flow.
    Device,
}

/// What the machine offers a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surroundings {
    /// Container mode.
    pub container: bool,
    /// Whether a browser can be opened where the person sits.
    pub can_open: bool,
}

/// Chooses the way from what was asked for, the configuration and the machine.
pub fn choose(how: How, login: LoginWay, around: Surroundings) -> Way {
    let browser = Way::Browser { open: around.can_open, fall_back: login == LoginWay::Auto };
    match (how, login) {
        (How::Device, _) => Way::Device,
        (How::Paste, _) => Way::Paste,
        (How::NoBrowser, _) => Way::Browser { open: false, fall_back: false },
        (How::Auto, _) if around.container => Way::Device,
        (How::Auto, LoginWay::Device) => Way::Device,
        (How::Auto, LoginWay::Browser) => browser,
        (How::Auto, LoginWay::Auto) if around.can_open => browser,
        (How::Auto, LoginWay::Auto) => Way::Device,
    }
}

/// Opens a URL where the person sits, and names who holds a port.
pub trait Opener: Send + Sync {
    /// Opens the browser.
    ///
    /// Errors: why it could not be opened.
    fn open(&self, url: &Url) -> impl Future<Output = Result<(), String>> + Send;
    /// The program that holds a loopback port, as `name (pid)`.
    fn holder(&self, port: u16) -> Option<String>;
}

/// One sign-in.
pub struct Job<O> {
    /// Its random name.
    pub flow: String,
    /// The tenant.
    pub tenant: Tenant,
    /// The way.
    pub way: Way,
    /// How long it may take.
    pub timeout: Duration,
    /// The HTTP client.
    pub http: Http,
    /// The browser.
    pub opener: O,
}

/// Where the person is told, once.
type Tell = oneshot::Sender<Pending>;

impl<O: Opener> Job<O> {
    /// Signs in. What the person must see goes to `shown` as soon as it is known; pasted URLs come through `pasted`.
    ///
    /// Errors: declined, failed, or not finished in time.
    pub async fn run(self, shown: Tell, pasted: mpsc::Receiver<Secret>) -> Result<Grant, Failure> {
        match self.way {
            Way::Device => {
                drop(pasted);
                self.device(shown, None).await
            }
            Way::Paste => self.paste(shown, pasted).await,
            Way::Browser { open, fall_back } => match Loopback::hold(self.tenant.entry.redirect_uri.port).await {
                Ok(held) => self.browser(held, open, fall_back, shown, pasted).await,
                Err(taken) if fall_back => {
                    drop(pasted);
                    self.device(shown, Some(self.note_of(&taken))).await
                }
                Err(taken) => Err(self.port_taken(&taken)),
            },
        }
    }

    async fn browser(
        &self,
        held: Loopback,
        open: bool,
        fall_back: bool,
        shown: Tell,
        mut pasted: mpsc::Receiver<Secret>,
    ) -> Result<Grant, Failure> {
        let attempt = Attempt::new(&self.tenant).map_err(|reason| failed(&self.tenant, reason))?;
        let (found, mut arrivals) = mpsc::channel(1);
        let port = callback::serve(held, self.tenant.clone(), Arc::clone(&attempt.state), found);
        let opened = open && self.opener.open(&attempt.url).await.is_ok();
        if open && !opened && fall_back {
            drop(pasted);
            port.close().await;
            return self.device(shown, Some("no browser could be opened here".to_owned())).await;
        }
        let screen = Shown::Browser { url: attempt.url.to_string(), opened };
        let _ = shown.send(self.pending(screen, self.timeout, None));
        let awaited = async {
            tokio::select! {
                arrived = arrivals.recv() => match arrived {
                    Some(arrived) => self.finish(arrived, attempt.verifier).await,
                    None => Err(failed(&self.tenant, "the redirect listener ended")),
                },
                redirect = self.pasted_redirect(&mut pasted, &attempt.state) => self.redeem(redirect, attempt.verifier).await,
            }
        };
        let outcome = tokio::time::timeout(self.timeout, awaited).await.unwrap_or_else(|_| Err(self.too_late()));
        port.close().await;
        outcome
    }

    async fn finish(&self, arrived: Arrived, verifier: PkceCodeVerifier) -> Result<Grant, Failure> {
        let outcome = self.redeem(arrived.redirect, verifier).await;
        let page = match &outcome {
            Ok(grant) => render(Page::SignedIn { user: grant.user.as_deref() }, &self.tenant),
            Err(failure) => render(Page::Failed { reason: &failure.message }, &self.tenant),
        };
        let _ = arrived.page.send(page);
        outcome
    }

    async fn paste(&self, shown: Tell, mut pasted: mpsc::Receiver<Secret>) -> Result<Grant, Failure> {
        let attempt = Attempt::new(&self.tenant).map_err(|reason| failed(&self.tenant, reason))?;
        let screen = Shown::Browser { url: attempt.url.to_string(), opened: false };
        let _ = shown.send(self.pending(screen, self.timeout, None));
        let next = tokio::time::timeout(self.timeout, pasted.recv()).await.map_err(|_| self.too_late())?;
        let text = next.ok_or_else(|| failed(&self.tenant, "it was given up"))?;
        match judge_pasted(&text, &Expected { tenant: &self.tenant, state: &attempt.state }) {
            Redirect::NotOurs => Err(failed(&self.tenant, "the pasted URL is not the end of this sign-in")),
            redirect => self.redeem(redirect, attempt.verifier).await,
        }
    }

    /// The awaited redirect, pasted although a listener waits for it; anything else that is pasted changes nothing.
    async fn pasted_redirect(&self, pasted: &mut mpsc::Receiver<Secret>, state: &Secret) -> Redirect {
        while let Some(text) = pasted.recv().await {
            match judge_pasted(&text, &Expected { tenant: &self.tenant, state }) {
                Redirect::NotOurs => {}
                redirect => return redirect,
            }
        }
        std::future::pending().await
    }

    async fn device(&self, shown: Tell, note: Option<String>) -> Result<Grant, Failure> {
        let device = Device::begin(&self.http, &self.tenant, self.timeout).await?;
        let _ = shown.send(self.pending(device.shown(), device.expires_in(), note));
        device.finish().await
    }

    /// Redeems a code at once and once.
    ///
    /// Source: RFC 6749 section 4.1.3, RFC 7636 section 4.5.
    async fn redeem(&self, redirect: Redirect, verifier: PkceCodeVerifier) -> Result<Grant, Failure> {
        let code = match redirect {
            Redirect::Code(code) => code,
            Redirect::Refused { error, description } => return Err(refused(&self.tenant, &error, &description)),
            Redirect::NotOurs => return Err(failed(&self.tenant, "the redirect is not the end of this sign-in")),
        };
        let unusable = |error: oauth2::url::ParseError| failed(&self.tenant, error);
        let entry = &self.tenant.entry;
        let endpoint = self.tenant.origin().at(entry.token_path.as_str());
        let client = BasicClient::new(ClientId::new(entry.client_id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(endpoint.clone()))
            .set_redirect_uri(RedirectUrl::new(entry.redirect_uri.as_str().to_owned()).map_err(unusable)?);
        let wire = Wire::new(&self.http, endpoint);
        let request =
            client.exchange_code(AuthorizationCode::new(code.expose().to_owned())).set_pkce_verifier(verifier);
        let outcome = request.request_async(&wire).await;
        match (outcome, wire.take()) {
            (Ok(_), Some(answer)) => Ok(grant(answer)),
            (Ok(_), None) => Err(failed(&self.tenant, "the answer holds no token")),
            (Err(error), _) => Err(failed(&self.tenant, polling::words(&error))),
        }
    }

    fn pending(&self, shown: Shown, within: Duration, note: Option<String>) -> Pending {
        Pending {
            flow: self.flow.clone(),
            tenant: self.tenant.name.clone(),
            host: self.tenant.origin().authority(),
            shown,
            expires_at: Moment::now().plus(within).rfc3339(),
            expires_in: within.as_secs(),
            note,
        }
    }

    fn too_late(&self) -> Failure {
        failed(&self.tenant, format!("nobody finished it within {} s", self.timeout.as_secs()))
    }

    fn port_taken(&self, taken: &PortTaken) -> Failure {
        let what = format!("{}: {}", self.held_by(taken), taken.reason);
        failed(&self.tenant, what).with_hint(self.paste_command())
    }

    fn note_of(&self, taken: &PortTaken) -> String {
        format!(
            "not in the browser, because {}; without a second device: {}",
            self.held_by(taken),
            self.paste_command()
        )
    }

    fn held_by(&self, taken: &PortTaken) -> String {
        let holder =
            self.opener.holder(taken.port).unwrap_or_else(|| "another program (aic-broker doctor names it)".to_owned());
        format!("port {} is used by {holder}", taken.port)
    }

    fn paste_command(&self) -> String {
        format!("aic-broker login --tenant {} --paste", self.tenant.name)
    }
}

/// AM's refusal in the redirect, in its own words.
pub(super) fn refused(tenant: &Tenant, error: &str, description: &str) -> Failure {
    let words = said(if description.is_empty() { error } else { description });
    match error {
        "access_denied" => declined(tenant, &words),
        _ => failed(tenant, format!("AM says {}: {words}", said(error))),
    }
}

/// Judges a URL that a person pasted.
pub(super) fn judge_pasted(text: &Secret, expected: &Expected<'_>) -> Redirect {
    let query = Url::parse(text.expose().trim()).ok().and_then(|url| url.query().map(str::to_owned));
    judge(query.as_deref().unwrap_or_default(), expected)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aic_proto::refusal::Kind;

    use super::*;
    use crate::config::{Config, resolve};

    #[test]
    fn the_way_follows_what_was_asked_and_what_there_is() {
        let desktop = Surroundings { container: false, can_open: true };
        let remote = Surroundings { container: false, can_open: false };
        let container = Surroundings { container: true, can_open: true };
        let cases = [
            (How::Auto, LoginWay::Auto, desktop, Way::Browser { open: true, fall_back: true }),
            (How::Auto, LoginWay::Auto, remote, Way::Device),
            (How::Auto, LoginWay::Auto, container, Way::Device),
            (How::Auto, LoginWay::Device, desktop, Way::Device),
            (How::Auto, LoginWay::Browser, desktop, Way::Browser { open: true, fall_back: false }),
            (How::Auto, LoginWay::Browser, remote, Way::Browser { open: false, fall_back: false }),
            (How::Auto, LoginWay::Browser, container, Way::Device),
            (How::Device, LoginWay::Browser, desktop, Way::Device),
            (How::NoBrowser, LoginWay::Device, desktop, Way::Browser { open: false, fall_back: false }),
            (How::Paste, LoginWay::Auto, container, Way::Paste),
        ];

        for (how, login, around, wanted) in cases {
            assert_eq!(choose(how, login, around), wanted, "{how:?} {login:?} {around:?}");
        }
    }

    #[test]
    fn a_refusal_in_the_redirect_is_told_in_one_line() {
        let tenant = resolve(Some("openam-acme-dev.id.forgerock.io"), &Config::default()).unwrap();
        let cases = [
            ("access_denied", "", Kind::LoginDeclined, "declined: access_denied"),
            ("server_error", "a\u{1b}b", Kind::LoginFailed, "AM says server_error: a b"),
            ("x\u{1b}y", "", Kind::LoginFailed, "AM says x y: x y"),
        ];

        for (error, description, kind, wanted) in cases {
            let failure = refused(&tenant, error, description);
            assert_eq!(failure.kind, kind, "{error:?}");
            assert!(failure.message.ends_with(wanted), "{failure:?}");
        }
    }
}
