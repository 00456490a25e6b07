//! Words what a person or a model reads about signing in. Pure: a sign-in comes in, a text comes out.
//!
//! The sentences are stable: people search for them, and models learn them. They name the host that the person must
//! check, never a token, and they say when to call again, because a model that is only told to wait calls in a loop.

use std::time::Duration;

use aic_proto::message::{Pending, SessionReport, Shown};

/// What models are told about all tools. Some clients cut after 2 KB, so the important sentence comes first.
pub(crate) fn instructions(tenant: Option<&str>) -> String {
    let tenant = tenant.filter(|tenant| !tenant.is_empty()).unwrap_or("the configured tenant");
    let tenant: String = tenant.chars().take(200).collect();
    format!(
        "These tools act on {tenant} (PingOne Advanced Identity Cloud) with the rights of the person who signs in. \
         If a result says that sign-in is needed, tell the user what it says, wait for them, and then repeat the same \
         call once. Never ask for a password, a code or a token, and never try to sign in for the user. \
         A failed result says in `error.executed` whether anything was changed: after `unknown`, look before you \
         repeat a change."
    )
}

/// Says what the person must do, in the result of a call that could not wait longer.
pub(crate) fn sign_in_needed(pending: &Pending, wait: Duration) -> String {
    format!("{} {}", what_to_do(pending), call_again(wait))
}

/// The same for the tool `signIn`, which waits for nothing.
pub(crate) fn sign_in_started(pending: &Pending) -> String {
    format!("{} Then call the tools that are needed; getSessionStatus says who is signed in.", what_to_do(pending))
}

/// Says what the person must do, while a call waits.
pub(crate) fn what_to_do(pending: &Pending) -> String {
    match &pending.note {
        Some(note) => format!("{} ({note})", where_to(pending)),
        None => where_to(pending),
    }
}

fn where_to(pending: &Pending) -> String {
    let Pending { tenant, host, .. } = pending;
    match &pending.shown {
        Shown::Browser { opened: true, .. } => format!(
            "Sign-in needed for {tenant}. A browser window was opened at {host}. Ask the user to finish signing in \
             there (without such a window, the command `aic-broker login` shows the address)."
        ),
        Shown::Browser { url, opened: false } => format!(
            "Sign-in needed for {tenant}. Ask the user to open {url} in a browser on this computer and to sign in. \
             The address must begin with the host {host}."
        ),
        Shown::Device { uri, user_code, .. } => format!(
            "Sign-in needed for {tenant}. Ask the user to open {uri} and to enter the code {user_code} (valid {}). \
             The address in the browser must show the host {host}.",
            minutes(pending.expires_in)
        ),
    }
}

fn call_again(wait: Duration) -> String {
    format!(
        "Then call this tool again with the same arguments. That call waits up to {} s for the sign-in; do not call \
         it in a loop.",
        wait.as_secs()
    )
}

fn minutes(seconds: u64) -> String {
    match seconds {
        0..90 => format!("{seconds} s"),
        _ => format!("{} min", seconds / 60),
    }
}

/// The message of an empty form. No clickable link, as MCP asks of forms: the address stands there without its scheme.
pub(crate) fn form(tenant: &str, uri: &str, user_code: &str) -> String {
    let bare = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    format!("To sign in to {tenant}, open {bare} in a browser and enter the code {user_code}. Then press Accept.")
}

/// The message beside a URL that the client offers to open.
pub(crate) fn url(tenant: &str, host: &str, user_code: &str) -> String {
    format!("Sign in to {tenant} at {host}, and check that the page shows the code {user_code}.")
}

/// The person pressed Decline or Cancel.
pub(crate) const DECLINED: &str = "The user declined to sign in. Do not retry unless the user asks.";

/// The sign-in came too late for a tool that changes something.
pub(crate) fn signed_in_not_run(user: Option<&str>) -> String {
    format!("{} The tool was not run; call it again.", signed_in(user))
}

fn signed_in(user: Option<&str>) -> String {
    user.map_or("Signed in.".to_owned(), |user| format!("Signed in as {user}."))
}

/// Who is signed in.
pub(crate) fn session(report: &SessionReport) -> String {
    let tenant = &report.tenant;
    let until = report.expires_at.as_deref().map(|end| format!(" The session ends at {end}.")).unwrap_or_default();
    match (report.state.as_str(), &report.pending) {
        ("signed_in", _) => format!("{} Tenant: {tenant}.{until}", signed_in(report.user.as_deref())),
        (_, Some(pending)) => what_to_do(pending),
        ("expired", _) => format!("The session for {tenant} has ended. The next call or signIn starts a new sign-in."),
        _ => format!("Nobody is signed in to {tenant}. The next call or signIn starts a sign-in."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(shown: Shown) -> Pending {
        Pending {
            flow: "f".into(),
            tenant: "acme-dev".into(),
            host: "am.example.com".into(),
            shown,
            expires_at: "2026-01-01T00:05:00Z".into(),
            expires_in: 300,
            note: None,
        }
    }

    #[test]
    fn every_text_names_the_tenant_the_host_and_the_next_step() {
        let (uri, user_code) = ("https://am.example.com/device".to_owned(), "ACDE-FGHJ".to_owned());
        let shown = [
            Shown::Browser { url: "https://am.example.com/authorize".into(), opened: true },
            Shown::Browser { url: "https://am.example.com/authorize".into(), opened: false },
            Shown::Device { uri, uri_complete: None, user_code },
        ];

        for shown in shown {
            let text = sign_in_needed(&pending(shown), Duration::from_secs(40));
            for part in ["Sign-in needed", "acme-dev", "am.example.com", "same arguments", "up to 40 s", "in a loop"] {
                assert!(text.contains(part), "{part:?} is not in {text}");
            }
        }
    }

    #[test]
    fn the_device_code_stands_in_the_text_with_its_validity() {
        let (uri, user_code) = ("https://am.example.com/device".to_owned(), "ACDE-FGHJ".to_owned());
        let text = what_to_do(&pending(Shown::Device { uri, uri_complete: None, user_code }));

        assert!(text.contains("https://am.example.com/device") && text.contains("ACDE-FGHJ") && text.contains("5 min"));
    }

    #[test]
    fn a_form_holds_no_link() {
        let text = form("acme-dev", "https://am.example.com/device", "ACDE-FGHJ");

        assert!(text.contains("open am.example.com/device") && !text.contains("://"), "{text}");
    }

    #[test]
    fn instructions_stay_under_the_smallest_known_cut() {
        assert!(instructions(Some(&"x".repeat(100_000))).len() <= 2048);
        assert!(instructions(None).contains("Never ask for a password"));
    }

    #[test]
    fn a_session_is_told_by_its_state() {
        let report = |state: &str, user: Option<&str>| SessionReport {
            id: 1,
            tenant: "acme-dev".into(),
            state: state.into(),
            user: user.map(str::to_owned),
            expires_at: None,
            pending: None,
        };
        let cases = [
            (report("signed_in", Some("kim")), "Signed in as kim."),
            (report("signed_in", None), "Signed in."),
            (report("signed_out", None), "Nobody is signed in"),
            (report("expired", None), "has ended"),
        ];

        for (report, wanted) in cases {
            assert!(session(&report).contains(wanted), "{report:?}");
        }
    }
}
