//! The authorization endpoint. Follows RFC 6749 §4.1, RFC 7636 §4.3 and RFC 9207.

use std::time::Duration;

use url::form_urlencoded;

use super::book::Code;
use super::{Desk, LOGIN_CLIENT, pages, pkce};
use crate::tenant::reply::{Outcome, Refusal, Reply};
use crate::tenant::request::{Form, Request};
use crate::tenant::switches::{Authorize, Issuer, Switches};

/// A good authorization request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    redirect_uri: String,
    state: Option<String>,
    challenge: String,
    scopes: Vec<String>,
}

/// Reads an authorization request.
///
/// Source: RFC 6749 §4.1.1, RFC 7636 §4.3. PKCE is demanded, S256 only, as the client is registered.
/// Errors: what is wrong, for a page: a bad request is never redirected.
fn read(form: &Form, redirect_uris: &[String], switches: &Switches) -> Result<Ask, &'static str> {
    if form.repeats() {
        return Err("A parameter must not be repeated.");
    }
    if form.get("client_id") != Some(LOGIN_CLIENT) {
        return Err("The client is not known.");
    }
    let redirect_uri = form.get("redirect_uri").filter(|uri| redirect_uris.iter().any(|known| known == uri));
    let redirect_uri = redirect_uri.ok_or("The redirect URI is not registered.")?;
    if form.get("response_type") != Some("code") {
        return Err("The response type is not supported.");
    }
    let challenge = form.get("code_challenge").filter(|text| pkce::is_challenge(text));
    let challenge = challenge.ok_or("A code challenge is required.")?;
    if form.get("code_challenge_method") != Some("S256") {
        return Err("The code challenge method must be S256.");
    }
    let scopes = form.scopes();
    if scopes.is_empty() || !scopes.iter().all(|scope| switches.login_scopes.contains(scope)) {
        return Err("A scope is missing or not allowed for this client.");
    }
    let (redirect_uri, challenge) = (redirect_uri.to_owned(), challenge.to_owned());
    Ok(Ask { redirect_uri, state: form.get("state").map(str::to_owned), challenge, scopes })
}

/// Answers a browser: to the login page, or back to the client when somebody is signed in.
pub fn by_browser(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    let ask = ask(desk, &Form(request.query.clone()))?;
    match desk.switches.authorize {
        Authorize::Never => return Ok(Reply::html(200, pages::waiting())),
        Authorize::Deny => return Ok(denied(&ask)),
        Authorize::Normal | Authorize::WrongState | Authorize::BadRequest => {}
    }
    match user(desk, request) {
        Some(user) => Ok(granted(desk, &ask, user, request)),
        None => Ok(Reply::redirect(&login_address(&desk.origin, request))),
    }
}

/// Answers a form post with a session's id as `csrf` and `decision=allow`, as headless clients send it.
pub fn headless(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    let form = request.form().ok_or_else(|| bad_request("The content type must be a form."))?;
    let ask = ask(desk, &form)?;
    let user = user(desk, request).ok_or_else(|| bad_request("Nobody is signed in."))?;
    if form.get("decision") != Some("allow") {
        return Ok(denied(&ask));
    }
    let session = request.cookie(&desk.book.cookie_name);
    if !desk.switches.auto_login && form.get("csrf") != session {
        return Err(bad_request("The csrf value is not the session's."));
    }
    Ok(granted(desk, &ask, user, request))
}

/// Sends the user's refusal of an authorization request (given as a query) back to the client.
pub fn cancelled(desk: &mut Desk<'_>, query: &str) -> Outcome {
    let form = Form(form_urlencoded::parse(query.as_bytes()).into_owned().collect());
    Ok(denied(&ask(desk, &form)?))
}

fn ask(desk: &mut Desk<'_>, form: &Form) -> Result<Ask, Refusal> {
    if desk.switches.authorize == Authorize::BadRequest {
        return Err(bad_request("The request is not acceptable."));
    }
    let ask = read(form, &desk.book.redirect_uris, desk.switches).map_err(bad_request)?;
    desk.book.remember("state", ask.state.as_deref().unwrap_or_default());
    Ok(ask)
}

fn bad_request(what: &str) -> Refusal {
    Reply::html(400, pages::bad_request(what)).into()
}

fn user(desk: &Desk<'_>, request: &Request) -> Option<String> {
    if desk.switches.auto_login {
        return Some(desk.switches.user.clone());
    }
    let session = request.cookie(&desk.book.cookie_name)?;
    desk.book.session_user(session, request.at).map(str::to_owned)
}

fn login_address(origin: &str, request: &Request) -> String {
    let pairs: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(&request.query).finish();
    let goto = format!("{origin}{}?{pairs}", request.path);
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("realm", "/").append_pair("goto", &goto).finish();
    format!("{origin}/am/XUI/?{query}")
}

fn granted(desk: &mut Desk<'_>, ask: &Ask, user: String, request: &Request) -> Reply {
    let code = desk.book.secret("authorization code");
    let record = Code {
        client: LOGIN_CLIENT.to_owned(),
        redirect_uri: ask.redirect_uri.clone(),
        challenge: ask.challenge.clone(),
        scopes: ask.scopes.clone(),
        user,
        expires: request.at + Duration::from_secs(desk.switches.code_life_seconds),
        redeemed: None,
    };
    desk.book.codes.insert(code.clone(), record);
    let mut pairs = vec![("code", code)];
    match &desk.switches.issuer {
        Issuer::Own => pairs.push(("iss", format!("{}/am/oauth2", desk.origin))),
        Issuer::Absent => {}
        Issuer::Text(text) => pairs.push(("iss", text.clone())),
    }
    pairs.extend(state(desk.switches, ask).map(|state| ("state", state)));
    pairs.push(("client_id", LOGIN_CLIENT.to_owned()));
    pairs.push(("scope", ask.scopes.join(" ")));
    Reply::redirect(&back(&ask.redirect_uri, &pairs))
}

fn state(switches: &Switches, ask: &Ask) -> Option<String> {
    let state = ask.state.clone()?;
    Some(if switches.authorize == Authorize::WrongState { "x".repeat(state.len()) } else { state })
}

fn denied(ask: &Ask) -> Reply {
    let mut pairs = vec![
        ("error", "access_denied".to_owned()),
        ("error_description", "Resource Owner did not authorize the request".to_owned()),
    ];
    pairs.extend(ask.state.clone().map(|state| ("state", state)));
    Reply::redirect(&back(&ask.redirect_uri, &pairs))
}

fn back(redirect_uri: &str, pairs: &[(&str, String)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{redirect_uri}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Vec<(String, String)> {
        let pairs = [
            ("response_type", "code"),
            ("client_id", LOGIN_CLIENT),
            ("scope", "fr:idm:* fr:am:*"),
            ("redirect_uri", "http://localhost:3000"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
            ("state", "abc"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn read_pairs(pairs: Vec<(String, String)>) -> Result<Ask, &'static str> {
        read(&Form(pairs), &["http://localhost:3000".to_owned()], &Switches::default())
    }

    #[test]
    fn a_good_request_is_read() {
        let ask = read_pairs(good());

        assert_eq!(ask.map(|ask| ask.state), Ok(Some("abc".to_owned())));
    }

    #[test]
    fn anything_missing_or_foreign_is_a_bad_request() {
        let cases = [
            ("response_type", "token"),
            ("client_id", "idmAdminClient"),
            ("scope", "fr:idm:* fr:iga:*"),
            ("scope", ""),
            ("redirect_uri", "http://localhost:3000/"),
            ("redirect_uri", "http://127.0.0.1:3000"),
            ("code_challenge", "plain"),
            ("code_challenge_method", "plain"),
        ];
        for (name, value) in cases {
            let changed = |(key, old): (String, String)| {
                let value = if key == name { value.to_owned() } else { old };
                (key, value)
            };
            assert!(read_pairs(good().into_iter().map(changed).collect()).is_err(), "{name}={value}");
            assert!(read_pairs(good().into_iter().filter(|(key, _)| key != name).collect()).is_err(), "no {name}");
        }
        let twice = good().into_iter().chain([("scope".to_owned(), "fr:am:*".to_owned())]).collect();
        assert!(read_pairs(twice).is_err(), "a repeated parameter");
    }
}
