//! The device authorization grant. Follows RFC 8628; words and statuses are the platform's.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::book::{Decision, Device};
use super::{
    Desk, LOGIN_CLIENT, check_scopes, form, grant, invalid_client, invalid_grant, pages, pkce, refuse, require,
};
use crate::tenant::chance;
use crate::tenant::reply::{Outcome, Refusal, Reply};
use crate::tenant::request::{Form, Request};

/// RFC 8628 §3.2: the interval when none is given.
const DEFAULT_INTERVAL: u64 = 5;

/// Answers a device authorization request.
///
/// Source: RFC 8628 §3.1, §3.2.
pub fn start(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    let form = form(request)?;
    require(&form, &["client_id"])?;
    if form.get("client_id") != Some(LOGIN_CLIENT) {
        return Err(invalid_client());
    }
    let scopes = form.scopes();
    check_scopes(&scopes, &desk.switches.login_scopes)?;
    let challenge = challenge(&form)?;
    let life = desk.switches.device_life_seconds;
    let device = Device {
        user_code: chance::user_code(),
        client: LOGIN_CLIENT.to_owned(),
        challenge,
        scopes,
        expires: request.at + Duration::from_secs(life),
        polled: None,
        decision: Decision::Pending,
    };
    let code = desk.book.secret("device code");
    let answer = offer(desk, &code, &device.user_code, life);
    desk.book.devices.insert(code, device);
    Ok(Reply::json(200, answer))
}

fn challenge(form: &Form) -> Result<Option<String>, Refusal> {
    let Some(challenge) = form.get("code_challenge") else { return Ok(None) };
    if form.get("code_challenge_method") != Some("S256") || !pkce::is_challenge(challenge) {
        return Err(refuse(400, "invalid_request", "The code challenge must be S256"));
    }
    Ok(Some(challenge.to_owned()))
}

fn offer(desk: &Desk<'_>, code: &str, user_code: &str, life: u64) -> Value {
    let own = || format!("{}/am/oauth2/device/user", desk.origin);
    let address = desk.switches.device_page.clone().unwrap_or_else(own);
    let mut answer = json!({
        "device_code": code, "user_code": user_code, "verification_uri": address, "expires_in": life,
    });
    if let Some(members) = answer.as_object_mut() {
        if let Some(interval) = desk.switches.device_interval_seconds {
            members.insert("interval".to_owned(), json!(interval));
        }
        if desk.switches.device_complete_uri {
            members.insert("verification_uri_complete".to_owned(), json!(format!("{address}?user_code={user_code}")));
        }
    }
    answer
}

/// What a poll leads to.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Expired,
    TooFast,
    Pending,
    Declined,
    Approved(String),
}

/// Decides a poll.
///
/// Source: RFC 8628 §3.5. Expiry wins over haste, haste over the user's decision.
fn step(device: &Device, interval: Duration, now: SystemTime) -> Step {
    let too_fast = |last: SystemTime| now.duration_since(last).unwrap_or_default() < interval;
    match &device.decision {
        _ if now >= device.expires => Step::Expired,
        _ if device.polled.is_some_and(too_fast) => Step::TooFast,
        Decision::Pending => Step::Pending,
        Decision::Denied => Step::Declined,
        Decision::Approved(user) => Step::Approved(user.clone()),
    }
}

/// Answers a poll.
pub fn poll(desk: &mut Desk<'_>, form: &Form, request: &Request) -> Outcome {
    require(form, &["device_code"])?;
    let code = form.get("device_code").unwrap_or_default().to_owned();
    let mut device = desk.book.devices.get(&code).cloned().ok_or_else(invalid_grant)?;
    grant::check_verifier(desk, form, device.challenge.as_deref())?;
    if desk.switches.device_auto_approve && device.decision == Decision::Pending {
        device.decision = Decision::Approved(desk.switches.user.clone());
    }
    let interval = Duration::from_secs(desk.switches.device_interval_seconds.unwrap_or(DEFAULT_INTERVAL));
    let next = scripted(desk).unwrap_or_else(|| Ok(step(&device, interval, request.at)))?;
    device.polled = Some(request.at);
    desk.book.devices.insert(code.clone(), device.clone());
    conclude(desk, &code, &device, next, request)
}

/// Takes the next word that a test has set.
fn scripted(desk: &mut Desk<'_>) -> Option<Result<Step, Refusal>> {
    let word = desk.switches.device_answers.pop_front()?;
    Some(match word.as_str() {
        "approved" => Ok(Step::Approved(desk.switches.user.clone())),
        "authorization_pending" => Ok(Step::Pending),
        "slow_down" => Ok(Step::TooFast),
        "expired_token" => Ok(Step::Expired),
        other => Err(refuse(400, other, "The device request has ended")),
    })
}

fn conclude(desk: &mut Desk<'_>, code: &str, device: &Device, next: Step, request: &Request) -> Outcome {
    let status = desk.switches.device_pending_status;
    match next {
        Step::Pending => Err(refuse(status, "authorization_pending", "The user has not yet completed authorization")),
        Step::TooFast => Err(refuse(400, "slow_down", "The polling interval has not elapsed since the last request")),
        Step::Expired => {
            desk.book.devices.remove(code);
            Err(refuse(400, "expired_token", "The device code has expired"))
        }
        Step::Declined => {
            desk.book.devices.remove(code);
            Err(refuse(400, &desk.switches.device_declined_word.clone(), "The user did not approve"))
        }
        Step::Approved(user) => {
            desk.book.devices.remove(code);
            Ok(grant::primary(desk, &user, &device.scopes, request).0)
        }
    }
}

/// Shows the page for a user code.
pub fn page(request: &Request) -> Outcome {
    Ok(Reply::html(200, pages::device(request.query("user_code").unwrap_or_default(), "")))
}

/// Takes the page's form.
pub fn decide(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    let form = request.form().unwrap_or_default();
    let typed = form.get("user_code").unwrap_or_default();
    let (Some(user), Some(_), Some(decision)) = (form.get("username"), form.get("password"), form.get("decision"))
    else {
        return Ok(Reply::html(400, pages::device(typed, "Code, name and password are all needed.")));
    };
    let waiting = |device: &&mut Device| {
        device.user_code == typed && device.decision == Decision::Pending && request.at < device.expires
    };
    let Some(device) = desk.book.devices.values_mut().find(waiting) else {
        return Ok(Reply::html(400, pages::device(typed, "This code is not known or has expired.")));
    };
    let approved = decision == "allow";
    device.decision = if approved { Decision::Approved(user.to_owned()) } else { Decision::Denied };
    Ok(Reply::html(200, pages::device_done(approved)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_poll_is_decided_by_expiry_then_haste_then_the_user() {
        let approved = || Decision::Approved("ada".to_owned());
        let cases = [
            (None, Decision::Pending, 0, Step::Pending),
            (Some(0), Decision::Pending, 5, Step::Pending),
            (Some(0), Decision::Pending, 4, Step::TooFast),
            (Some(0), approved(), 4, Step::TooFast),
            (Some(0), approved(), 5, Step::Approved("ada".to_owned())),
            (None, Decision::Denied, 1, Step::Declined),
            (Some(299), approved(), 300, Step::Expired),
        ];
        for (polled, decision, now, expected) in cases {
            let device = Device {
                user_code: String::new(),
                client: String::new(),
                challenge: None,
                scopes: Vec::new(),
                expires: at(300),
                polled: polled.map(at),
                decision: decision.clone(),
            };
            assert_eq!(step(&device, Duration::from_secs(5), at(now)), expected, "{polled:?} {decision:?} {now}");
        }
    }
}
