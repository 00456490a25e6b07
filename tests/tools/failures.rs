//! Each tool tells each way in which the tenant fails for what it is.

use aic_tests::harness::{Editor, World};
use aic_tests::tenant::faults::{Fault, Kind, RetryAfter};
use aic_tests::tenant::switches::Canned;
use serde_json::{Value, json};

use super::samples;
use super::world;

/// One way in which the tenant fails: status, content type, body, and the kinds that fit it.
struct Family {
    name: &'static str,
    status: u16,
    content_type: &'static str,
    body: String,
    retry_after: Option<RetryAfter>,
    kinds: &'static [&'static str],
}

fn family(name: &'static str, status: u16, body: impl ToString, kinds: &'static [&'static str]) -> Family {
    let body = body.to_string();
    let content_type = if body.starts_with('<') { "text/html" } else { "application/json" };
    Family { name, status, content_type, body, retry_after: None, kinds }
}

fn families() -> Vec<Family> {
    let crest = |code: u16, reason: &str, message: &str| json!({"code": code, "reason": reason, "message": message});
    let unread: &[&str] = &["upstream"];
    vec![
        family("JSON 400", 400, crest(400, "Bad Request", "Invalid attribute specified."), unread),
        family("without reason", 404, json!({"code": 404, "message": "The variable does not exist"}), &["not_found"]),
        family("404 of AM", 404, crest(404, "Not Found", "Not Found"), &["not_found"]),
        family("404 of IDM", 404, crest(404, "Not Found", "No Such Entry: x"), &["not_found"]),
        family("404 without a body", 404, "", &["not_found"]),
        family("HTML 403", 403, "<!doctype html><html>403 Forbidden</html>", &["denied"]),
        family("policy 403", 403, crest(403, "Forbidden", "Policy validation failed"), &["denied"]),
        family("409", 409, crest(409, "Conflict", "already exists"), &["conflict"]),
        family("412", 412, crest(412, "Precondition Failed", "Entry Already Exists"), &["conflict"]),
        family("422", 422, json!({"code": 606, "message": "encoding in body should be one of"}), unread),
        Family {
            retry_after: Some(RetryAfter::Seconds(60)),
            ..family("429", 429, crest(429, "Too Many Requests", "slow down"), &["rate_limited"])
        },
        family("500 without a body", 500, "", unread),
        family("JSON 500", 500, crest(500, "Internal Server Error", "Data validation failed"), unread),
    ]
}

fn fault(family: &Family) -> Fault {
    let content_type = Some(family.content_type.to_owned());
    let answer = Canned { status: family.status, content_type, body: Value::String(family.body.clone()) };
    let kind = Kind::Reply { answer, retry_after: family.retry_after, processed: false };
    Fault { times: u32::MAX, ..Fault::once("", kind) }
}

/// A world with one editor that is signed in and may use all scopes.
fn signed_in() -> (World, Editor) {
    let world = world();
    let mut editor = world.editor("editor");
    for (tool, arguments) in [
        ("getLogSources", json!({})),
        ("listManagedObjects", json!({})),
        ("queryESVs", json!({"type": "variable"})),
        ("setVariable", json!({"variableId": "esv-warm", "type": "string", "value": "x"})),
        ("listScripts", json!({"realm": "alpha"})),
        ("getOidcAppSchema", json!({"realm": "alpha"})),
    ] {
        let _ = editor.call(tool, arguments);
    }
    (world, editor)
}

/// Whether an answer shows a failure: flagged, or item by item.
fn is_shown(result: &Value, is_error: bool) -> bool {
    is_error || result.to_string().contains("\"error\"")
}

#[test]
fn every_failure_of_the_tenant_is_told_for_what_it_is() {
    let (world, mut editor) = signed_in();
    let mut wrong = Vec::new();

    for family in families() {
        world.tenant().clear_faults();
        world.tenant().add_fault(fault(&family));
        for sample in samples::all() {
            let answer = editor.call(sample.tool, sample.arguments.clone());
            let what = format!("{} {}: {}", sample.tool, family.name, answer.text());
            if !is_shown(answer.structured(), answer.is_error()) {
                wrong.push(format!("reads like success: {what}"));
            } else if answer.is_error() && !family.kinds.contains(&answer.kind()) {
                wrong.push(format!("kind {}: {what}", answer.kind()));
            } else if answer.is_error() && family.status < 500 && answer.executed() != "no" {
                wrong.push(format!("executed {}: {what}", answer.executed()));
            }
        }
    }

    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_connection_that_is_cut_is_never_a_success_and_no_write_is_sent_twice() {
    let (world, mut editor) = signed_in();

    for sample in samples::all() {
        world.tenant().clear_faults();
        world.tenant().clear_ledger();
        world.tenant().add_fault(Fault { times: u32::MAX, ..Fault::once("", Kind::ResetBefore) });
        let answer = editor.call(sample.tool, sample.arguments.clone());
        let writes = writes(&world);
        assert!(is_shown(answer.structured(), answer.is_error()), "{}: {}", sample.tool, answer.text());
        let mut once = writes.clone();
        once.dedup();
        assert_eq!(writes, once, "{}: a write was sent twice", sample.tool);
        if answer.is_error() && writes.is_empty() {
            assert_eq!(answer.executed(), "no", "{}: {}", sample.tool, answer.text());
        }
        if answer.is_error() && !writes.is_empty() {
            assert_eq!(answer.executed(), "unknown", "{}: {}", sample.tool, answer.text());
        }
    }
}

/// The requests that were to change something, as they came.
fn writes(world: &World) -> Vec<(String, String, String)> {
    const READING: [&str; 7] =
        ["schema", "template", "listOutcomes", "getAllTypes", "getType", "validate", "nextdescendents"];
    let ledger = world.tenant().ledger();
    let changing = ledger.iter().filter(|entry| entry.is_api() && entry.method != "GET");
    let writing = changing.filter(|entry| {
        !entry.query.iter().any(|(name, value)| name == "_action" && READING.contains(&value.as_str()))
    });
    writing.map(|entry| (entry.method.clone(), entry.path.clone(), entry.body.clone())).collect()
}
