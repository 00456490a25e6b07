//! Sign-in, device flow and token exchange through the whole tenant.

use serde_json::Value;

use crate::tenant::rehearsal::{Heard, Rehearsal};
use crate::tenant::switches::{Authorize, Issuer};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const TOKEN: &str = "/am/oauth2/access_token";
const AUTHORIZE: &str = "/am/oauth2/authorize?response_type=code&client_id=AICMCPClient&scope=fr:idm:*%20fr:am:*\
    &redirect_uri=http%3A%2F%2Flocalhost%3A3000&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
    &code_challenge_method=S256&state=st-123";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

fn auto() -> Rehearsal {
    let mut tenant = Rehearsal::new();
    tenant.switches.auto_login = true;
    tenant
}

fn redeem(tenant: &mut Rehearsal, code: &str, verifier: &str) -> Heard {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", "http://localhost:3000"),
        ("client_id", "AICMCPClient"),
        ("code_verifier", verifier),
    ];
    tenant.form(TOKEN, &fields)
}

fn code(tenant: &mut Rehearsal) -> String {
    tenant.raw("GET", AUTHORIZE, &[], String::new()).parameter("code").unwrap()
}

fn primary(tenant: &mut Rehearsal) -> String {
    let code = code(tenant);
    redeem(tenant, &code, VERIFIER).text("/access_token").to_owned()
}

fn exchange(tenant: &mut Rehearsal, subject: &str, scope: &str) -> Heard {
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", subject),
        ("subject_token_type", ACCESS_TOKEN),
        ("requested_token_type", ACCESS_TOKEN),
        ("scope", scope),
        ("client_id", "AICMCPExchangeClient"),
    ];
    tenant.form(TOKEN, &fields)
}

#[test]
fn a_browser_signs_in_by_the_form() {
    let mut tenant = Rehearsal::new();
    let to_login = tenant.raw("GET", AUTHORIZE, &[], String::new());
    let page_address = to_login.headers["location"].strip_prefix("http://127.0.0.1:8080").unwrap().to_owned();

    let page = tenant.raw("GET", &page_address, &[], String::new());
    let empty = tenant.form(&page_address, &[("username", "ada"), ("password", "")]);
    let signed_in = tenant.form(&page_address, &[("username", "ada@example.com"), ("password", "any")]);
    let cookie = format!("cookie: {}", signed_in.headers["set-cookie"].split(';').next().unwrap());
    let goto = signed_in.headers["location"].strip_prefix("http://127.0.0.1:8080").unwrap().to_owned();
    let back = tenant.raw("GET", &goto, &[&cookie], String::new());

    assert!(page.body.as_str().unwrap().contains("name=\"username\""));
    assert_eq!(empty.status, 401);
    assert_eq!(back.status, 302);
    assert_eq!(back.parameter("state").as_deref(), Some("st-123"));
    assert_eq!(back.parameter("iss").as_deref(), Some("http://127.0.0.1:8080/am/oauth2"));
    assert!(back.headers["location"].starts_with("http://localhost:3000?code="));
}

#[test]
fn cancelling_the_form_comes_back_as_access_denied() {
    let mut tenant = Rehearsal::new();
    let to_login = tenant.raw("GET", AUTHORIZE, &[], String::new());
    let page_address = to_login.headers["location"].strip_prefix("http://127.0.0.1:8080").unwrap().to_owned();

    let back = tenant.form(&page_address, &[("cancel", "1")]);

    assert_eq!(back.parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(back.parameter("state").as_deref(), Some("st-123"));
}

#[test]
fn the_login_page_leads_nowhere_else() {
    let mut tenant = Rehearsal::new();

    let page = tenant.raw("GET", "/am/XUI/?realm=/&goto=https%3A%2F%2Fevil.example.com%2F", &[], String::new());

    assert_eq!(page.status, 400);
}

#[test]
fn a_bad_authorization_request_is_a_page_and_never_a_redirect() {
    let mut tenant = auto();
    for (from, to) in [
        ("localhost%3A3000", "localhost%3A3001"),
        ("S256", "plain"),
        ("AICMCPClient", "other"),
        ("fr:am:*", "fr:iga:*"),
    ] {
        let answer = tenant.raw("GET", &AUTHORIZE.replace(from, to), &[], String::new());
        assert_eq!((answer.status, answer.headers.get("location")), (400, None), "{to}");
        assert!(answer.body.as_str().unwrap().starts_with("<!DOCTYPE html>"));
    }
}

#[test]
fn a_code_is_redeemed_once_and_a_second_time_ends_its_token() {
    let mut tenant = auto();
    let code = code(&mut tenant);

    let first = redeem(&mut tenant, &code, VERIFIER);
    let second = redeem(&mut tenant, &code, VERIFIER);

    assert_eq!(first.status, 200);
    assert_eq!(first.body["expires_in"], 3599);
    assert_eq!(first.body.get("refresh_token"), None);
    assert_eq!((second.status, second.error()), (400, "invalid_grant"));
    let token = first.text("/access_token").to_owned();
    assert_eq!(exchange(&mut tenant, &token, "fr:idm:*").error(), "invalid_request");
}

#[test]
fn a_code_needs_its_verifier_and_its_time() {
    let mut tenant = auto();
    let foreign = code(&mut tenant);
    let late = code(&mut tenant);

    assert_eq!(redeem(&mut tenant, &foreign, CHALLENGE).error(), "invalid_grant");
    assert_eq!(redeem(&mut tenant, &foreign, VERIFIER).error(), "invalid_grant", "the wrong verifier used it up");
    tenant.pass(120);
    assert_eq!(redeem(&mut tenant, &late, VERIFIER).error(), "invalid_grant");
}

#[test]
fn token_requests_are_forms_of_known_clients() {
    let mut tenant = auto();
    let json = tenant.raw("POST", TOKEN, &["content-type: application/json"], "{}".to_owned());
    let unknown = tenant.form(TOKEN, &[("grant_type", "authorization_code"), ("client_id", "nobody")]);
    let secret = tenant
        .form(TOKEN, &[("grant_type", "authorization_code"), ("client_id", "AICMCPClient"), ("client_secret", "x")]);
    let password = tenant.form(TOKEN, &[("grant_type", "password"), ("client_id", "AICMCPClient")]);
    let missing = tenant.form(TOKEN, &[("grant_type", "authorization_code"), ("client_id", "AICMCPClient")]);
    let foreign = tenant.form(TOKEN, &[("grant_type", "authorization_code"), ("client_id", "AICMCPExchangeClient")]);

    assert_eq!((json.status, json.text("/error_description")), (400, "Invalid Content Type"));
    assert_eq!((unknown.status, unknown.error()), (401, "invalid_client"));
    assert_eq!((secret.status, secret.error()), (401, "invalid_client"));
    assert_eq!(password.error(), "unsupported_grant_type");
    assert_eq!(missing.text("/error_description"), "Missing parameters: code redirect_uri");
    assert_eq!(foreign.error(), "unauthorized_client");
}

#[test]
fn a_primary_token_is_exchanged_within_the_ceiling() {
    let mut tenant = auto();
    let subject = primary(&mut tenant);

    let wider = exchange(&mut tenant, &subject, "fr:idc:esv:read");
    let beyond = exchange(&mut tenant, &subject, "fr:iga:*");
    let none = exchange(&mut tenant, &subject, "");

    assert_eq!(wider.body["expires_in"], 899);
    assert_eq!(wider.text("/issued_token_type"), ACCESS_TOKEN);
    assert_eq!((beyond.status, beyond.error()), (400, "invalid_scope"));
    assert_eq!(none.error(), "invalid_scope");
}

#[test]
fn every_other_exchange_is_one_opaque_refusal() {
    let mut tenant = auto();
    let subject = primary(&mut tenant);
    let scoped = exchange(&mut tenant, &subject, "fr:idm:*").text("/access_token").to_owned();
    let opaque =
        |heard: &Heard| (heard.status, heard.error() == "invalid_request", heard.text("/error_description").to_owned());
    let expected = (400, true, "Invalid token exchange.".to_owned());

    assert_eq!(opaque(&exchange(&mut tenant, "forged", "fr:idm:*")), expected);
    assert_eq!(opaque(&exchange(&mut tenant, &scoped, "fr:idm:*")), expected);
    tenant.switches.may_act = false;
    let unnamed = primary(&mut tenant);
    assert_eq!(opaque(&exchange(&mut tenant, &unnamed, "fr:idm:*")), expected);
    tenant.pass(3600);
    assert_eq!(opaque(&exchange(&mut tenant, &subject, "fr:idm:*")), expected);
}

#[test]
fn tokens_carry_the_canary_and_their_claims() {
    let mut tenant = auto();
    let token = primary(&mut tenant);
    let canary = tenant.world.book.canary.clone();
    let payload =
        base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, token.split('.').nth(1).unwrap())
            .unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();

    assert!(token.contains(&canary));
    assert_eq!(claims["sub"], "admin@example.com");
    assert_eq!(claims["may_act"]["client_id"], "AICMCPExchangeClient");
    assert_eq!(claims["iss"], "http://127.0.0.1:8080/am/oauth2");
    tenant.switches.opaque_primary = true;
    assert!(!primary(&mut tenant).contains('.'));
}

#[test]
fn a_primary_token_reaches_info_only() {
    let mut tenant = auto();
    let token = format!("authorization: Bearer {}", primary(&mut tenant));

    assert_eq!(tenant.raw("GET", "/environment/info", &[&token], String::new()).status, 200);
    assert_eq!(tenant.raw("GET", "/openidm/config/managed", &[&token], String::new()).status, 403);
    assert_eq!(tenant.raw("GET", "/openidm/config/managed", &[], String::new()).status, 401);
}

#[test]
fn revocation_ends_a_token_and_ignores_unknown_ones() {
    let mut tenant = auto();
    let token = primary(&mut tenant);

    let known = tenant.form("/am/oauth2/token/revoke", &[("token", &token), ("client_id", "AICMCPClient")]);
    let unknown = tenant.form("/am/oauth2/token/revoke", &[("token", "x"), ("client_id", "AICMCPClient")]);

    assert_eq!((known.status, unknown.status), (200, 200));
    assert_eq!(exchange(&mut tenant, &token, "fr:idm:*").status, 400);
}

#[test]
fn a_device_waits_is_hasty_and_is_approved_on_the_page() {
    let mut tenant = Rehearsal::new();
    let fields = [
        ("client_id", "AICMCPClient"),
        ("scope", "fr:idm:*"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let offer = tenant.form("/am/oauth2/device/code", &fields);
    let (device, user_code) = (offer.text("/device_code").to_owned(), offer.text("/user_code").to_owned());
    let poll = |tenant: &mut Rehearsal, verifier: &str| {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let fields = [
            ("grant_type", grant),
            ("device_code", &device),
            ("client_id", "AICMCPClient"),
            ("code_verifier", verifier),
        ];
        tenant.form(TOKEN, &fields)
    };

    assert_eq!((offer.body["expires_in"].clone(), offer.body["interval"].clone()), (300.into(), 5.into()));
    assert_eq!(user_code.len(), 8);
    assert_eq!(poll(&mut tenant, CHALLENGE).error(), "invalid_grant");
    let pending = poll(&mut tenant, VERIFIER);
    assert_eq!((pending.status, pending.error()), (403, "authorization_pending"));
    let hasty = poll(&mut tenant, VERIFIER);
    assert_eq!((hasty.status, hasty.error()), (400, "slow_down"));
    let approval =
        [("user_code", user_code.as_str()), ("username", "ada@example.com"), ("password", "x"), ("decision", "allow")];
    assert_eq!(tenant.form("/am/oauth2/device/user", &approval).status, 200);
    tenant.pass(5);
    assert_eq!(poll(&mut tenant, VERIFIER).status, 200);
    assert_eq!(poll(&mut tenant, VERIFIER).error(), "invalid_grant");
}

#[test]
fn a_device_that_is_refused_or_late_is_told() {
    let mut tenant = Rehearsal::new();
    tenant.switches.device_pending_status = 400;
    let offer = |tenant: &mut Rehearsal| {
        tenant.form("/am/oauth2/device/code", &[("client_id", "AICMCPClient"), ("scope", "fr:idm:*")])
    };
    let poll = |tenant: &mut Rehearsal, device: &str| {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        tenant.form(TOKEN, &[("grant_type", grant), ("device_code", device), ("client_id", "AICMCPClient")])
    };
    let (refused, late) = (offer(&mut tenant), offer(&mut tenant));
    let denial =
        [("user_code", refused.text("/user_code")), ("username", "a"), ("password", "x"), ("decision", "deny")];
    tenant.form("/am/oauth2/device/user", &denial);

    assert_eq!(poll(&mut tenant, refused.text("/device_code")).error(), "authorization_declined");
    let pending = poll(&mut tenant, late.text("/device_code"));
    assert_eq!((pending.status, pending.error()), (400, "authorization_pending"));
    tenant.pass(300);
    assert_eq!(poll(&mut tenant, late.text("/device_code")).error(), "expired_token");
}

#[test]
fn switches_bend_the_authorization_response() {
    let mut tenant = auto();
    tenant.switches.issuer = Issuer::Text("https://elsewhere.example.com".to_owned());
    tenant.switches.authorize = Authorize::WrongState;
    let answer = tenant.raw("GET", AUTHORIZE, &[], String::new());

    assert_eq!(answer.parameter("iss").as_deref(), Some("https://elsewhere.example.com"));
    assert_eq!(answer.parameter("state").as_deref(), Some("xxxxxx"));
    tenant.switches.authorize = Authorize::Deny;
    assert_eq!(tenant.raw("GET", AUTHORIZE, &[], String::new()).parameter("error").as_deref(), Some("access_denied"));
}
