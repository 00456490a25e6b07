//! Writes what a bug report needs into one private file: findings, settings, status, the ends of the logs; no secret,
//! and no name unless it is asked for.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::finding::Line;
use super::reach::Reach;
use super::{Scene, report, tenants};
use crate::audit;
use crate::config::{Browser, Config};

/// How many lines of each log are taken along: the last hour of a busy day.
const LINES: usize = 100;
/// Words longer than this, with letters and digits, could be a token or a code.
const LONGEST_WORD: usize = 31;
/// What of an audit line tells nothing of people.
const AUDIT_MEMBERS: [&str; 7] = ["time", "event", "tenant", "tool", "outcome", "executed", "duration_ms"];

/// The bundle's text.
pub(super) fn text(lines: &[Line], scene: &Scene, reach: &Reach, names: bool) -> String {
    let status = reach.broker().map(|broker| broker.status.clone()).unwrap_or_default();
    let mut bundle = json!({
        "program": {
            "version": env!("CARGO_PKG_VERSION"), "os": std::env::consts::OS, "arch": std::env::consts::ARCH,
            "container": scene.container,
        },
        "doctor": report::json(lines),
        "configuration": scene.config.as_ref().ok().map(settings),
        "status": without_urls(status.clone()),
        "log": scene.places.as_ref().ok().map(|places| tail(&places.state.join("broker.log"))),
        "audit": scene.places.as_ref().ok().map(|places| audit_tail(&places.state)),
    });
    let mut renamed = if names { Vec::new() } else { renames(scene, &status) };
    renamed.extend(directories::BaseDirs::new().map(|home| (home.home_dir().display().to_string(), "~".to_owned())));
    renamed.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    scrub(&mut bundle, &renamed);
    format!("{bundle:#}\n")
}

/// Writes it, for the user alone, and never over another file.
///
/// Errors: it is there already, or cannot be written.
pub(super) fn write(file: &Path, text: &str) -> io::Result<()> {
    crate::os::private_file(OpenOptions::new().write(true).create_new(true), file)?.write_all(text.as_bytes())
}

fn settings(config: &Config) -> Value {
    let browser = match &config.browser {
        Browser::Auto => "auto",
        Browser::None => "none",
        Browser::Program(..) => "a program",
    };
    let tenant = |name: &String, entry: &crate::config::TenantEntry| {
        json!({
            "name": name, "host": entry.base_url.authority(), "read_only": entry.read_only,
            "environment": entry.environment.map(|environment| format!("{environment:?}")),
            "login": format!("{:?}", entry.login), "redirect_uri": entry.redirect_uri.as_str(),
        })
    };
    json!({
        "keychain": format!("{:?}", config.keychain), "browser": browser,
        "proxy": config.proxy.is_some(), "ca_file": config.ca_file.is_some(),
        "login_timeout_seconds": config.login_timeout().as_secs(),
        "session_linger_seconds": config.session_linger().as_secs(),
        "notifications": config.notifications(),
        "tenants": config.tenants.iter().map(|(name, entry)| tenant(name, entry)).collect::<Vec<_>>(),
    })
}

/// A sign-in's URL holds `state`, and its code is for the person alone.
fn without_urls(mut status: Value) -> Value {
    let sessions = status.get_mut("sessions").and_then(Value::as_array_mut);
    for session in sessions.into_iter().flatten().filter_map(Value::as_object_mut) {
        if session.contains_key("login") {
            session.insert("login".to_owned(), Value::from("under way"));
        }
    }
    status
}

fn tail(log: &Path) -> Vec<String> {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(LINES)).map(|line| (*line).to_owned()).collect()
}

fn audit_tail(state: &Path) -> Vec<Value> {
    let mut lines = std::collections::VecDeque::new();
    let _ = audit::read(state, |line| {
        let whole: Map<String, Value> = serde_json::from_str(line).unwrap_or_default();
        let kept: Map<_, _> =
            whole.into_iter().filter(|(member, _)| AUDIT_MEMBERS.contains(&member.as_str())).collect();
        lines.push_back(Value::Object(kept));
        if lines.len() > LINES {
            lines.pop_front();
        }
    });
    lines.into()
}

/// What each name of a tenant, host and user becomes.
fn renames(scene: &Scene, status: &Value) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (number, tenant) in scene.config.as_ref().map(tenants::all).unwrap_or_default().into_iter().enumerate() {
        let number = number + 1;
        let host = tenant.origin().host();
        let domain = host.split_once('.').filter(|_| host.parse::<std::net::IpAddr>().is_err());
        let domain = domain.map_or(String::new(), |(_, domain)| format!(".{domain}"));
        all.push((host.to_owned(), format!("tenant-{number}{domain}")));
        all.push((tenant.name, format!("tenant-{number}")));
    }
    let sessions = status.get("sessions").and_then(Value::as_array).cloned().unwrap_or_default();
    let users = sessions.iter().filter_map(|session| session.get("user").and_then(Value::as_str));
    all.extend(users.enumerate().map(|(number, user)| (user.to_owned(), format!("user-{}", number + 1))));
    all
}

/// Renames and shortens in every text of a value.
fn scrub(value: &mut Value, names: &[(String, String)]) {
    match value {
        Value::String(text) => *text = scrubbed(text, names),
        Value::Array(items) => items.iter_mut().for_each(|item| scrub(item, names)),
        Value::Object(members) => members.values_mut().for_each(|member| scrub(member, names)),
        _ => {}
    }
}

fn scrubbed(text: &str, names: &[(String, String)]) -> String {
    let renamed = names.iter().fold(text.to_owned(), |text, (name, other)| rename(&text, name, other));
    let without_query = renamed.split_inclusive(char::is_whitespace).map(|word| match word.split_once('?') {
        Some((url, _)) if url.contains("://") => format!("{url}?[removed] "),
        _ => word.to_owned(),
    });
    let whole: String = without_query.collect();
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-+=".contains(c);
    let mut shown = String::new();
    for word in whole.split_inclusive(|c| !is_part(c)) {
        let (body, end) = word.split_at(word.trim_end_matches(|c| !is_part(c)).len());
        let is_long = body.len() > LONGEST_WORD && body.contains(|c: char| c.is_ascii_digit());
        shown.push_str(if is_long { "[removed]" } else { body });
        shown.push_str(end);
    }
    shown
}

/// Replaces a name where it stands as a word of its own.
fn rename(text: &str, name: &str, other: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = (!name.is_empty()).then(|| rest.split_once(name)).flatten() {
        let joined = before.chars().next_back().or(out.chars().next_back()).is_some_and(is_part)
            || after.chars().next().is_some_and(is_part);
        out.push_str(before);
        out.push_str(if joined { name } else { other });
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_queries_and_long_words_are_not_repeated() {
        let names = [("acme-dev.example.com", "tenant-1.example.com"), ("t", "tenant-1"), ("/home/kim", "~")];
        let names: Vec<_> = names.iter().map(|(name, other)| ((*name).to_owned(), (*other).to_owned())).collect();
        let cases = [
            ("t: it went to acme-dev.example.com", "tenant-1: it went to tenant-1.example.com"),
            ("/home/kim/x", "~/x"),
            ("https://x/y?code=1&state=2 next", "https://x/y?[removed] next"),
            ("token eyJhbGciOiJIUzI1NiJ9abcdefghijk1.x", "token [removed].x"),
            ("no tenant is named", "no tenant is named"),
        ];

        for (text, wanted) in cases {
            assert_eq!(scrubbed(text, &names), wanted);
        }
    }
}
