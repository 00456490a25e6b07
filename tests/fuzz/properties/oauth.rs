//! Answers of OAuth endpoints: a token is one that was sent, oauth2 never sees it, and what a person is told steers nobody.

use aic_broker::fuzzing::{device, exchanged, held_back, poll_refused};
use aic_proto::message::Shown;
use serde_json::Value;

use super::{assert_plain, with_tenant};

const SCOPES: [&str; 2] = ["fr:am:*", "fr:idm:*"];
const STATUSES: [u16; 8] = [200, 400, 401, 403, 404, 429, 500, 302];

/// The first byte chooses the status; the rest is the body.
pub(super) fn hold(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    let readable = std::str::from_utf8(body).is_ok();
    let status = STATUSES[usize::from(*choice) % STATUSES.len()];
    let document = serde_json::from_slice::<Value>(body).ok();
    exchange(status, body, document.as_ref());
    assert!(readable || held_back(body).1.is_none(), "a token came out of what is not UTF-8");
    holding_back(body, document.as_ref());
    asking_for_a_code(body);
    if let Some(failure) = with_tenant(|tenant| poll_refused(tenant, body)) {
        assert_plain(&failure.message);
    }
}

fn exchange(status: u16, body: &[u8], document: Option<&Value>) {
    match exchanged(status, body, &SCOPES) {
        Ok(token) => {
            assert_eq!(status, 200);
            assert_token(&token, document);
            let granted = document.and_then(|document| document.get("scope")?.as_str()).unwrap_or_default();
            assert!(granted.split_ascii_whitespace().all(|scope| SCOPES.contains(&scope)), "{granted}");
        }
        Err(told) => assert_plain(&told),
    }
}

fn holding_back(body: &[u8], document: Option<&Value>) {
    let (shown, token) = held_back(body);
    let Some(token) = token else { return assert_eq!(shown, body) };
    assert_token(&token, document);
    let shown: Value = serde_json::from_slice(&shown).expect("oauth2 is shown JSON");
    assert_eq!(shown.get("access_token"), Some(&Value::from("held")));
    assert_eq!(shown.get("refresh_token"), None);
}

/// In a member that nobody reads, serde lets pass what a whole document may not hold, for example a number without end.
fn assert_token(token: &str, document: Option<&Value>) {
    assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()), "{token:?}");
    let Some(document) = document else { return };
    let member = |name: &str| document.get(name).and_then(Value::as_str);
    assert_eq!(member("access_token"), Some(token));
    assert!(member("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")));
    assert_eq!(member("error"), None);
}

fn asking_for_a_code(body: &[u8]) {
    match with_tenant(|tenant| device(tenant, body)) {
        Some(Ok(Shown::Device { uri, uri_complete, user_code })) => {
            for page in [Some(uri), uri_complete].into_iter().flatten() {
                let url = url::Url::parse(&page).expect("a page is a URL");
                assert_eq!(url.origin().ascii_serialization(), "https://openam-acme-dev.id.forgerock.io");
                assert!(url.username().is_empty() && url.password().is_none(), "{page}");
                assert_plain(&page);
            }
            assert_plain(&user_code);
        }
        Some(Ok(other)) => panic!("{other:?}"),
        Some(Err(failure)) => assert_plain(&failure.message),
        None => {}
    }
}
