//! Every recorded answer of the platform is taken for what its status says. Skipped where the recordings are not beside the project.

use std::path::{Path, PathBuf};

use aic_tests::tenant::faults::{Fault, Kind};
use aic_tests::tenant::switches::Canned;
use serde_json::{Value, json};

use super::{samples, world};

/// The families that the tools speak with.
const OURS: [&str; 14] = [
    "am-authentication-settings",
    "am-journeys",
    "am-nodes",
    "am-oauth2-clients",
    "am-scripts",
    "am-services",
    "env-info",
    "env-secrets",
    "env-variables",
    "feature",
    "idm-config",
    "idm-managed",
    "idm-schema",
    "monitoring",
];

fn recordings() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/aic/recordings");
    let files =
        |family: &str| std::fs::read_dir(folder.join(family)).into_iter().flatten().flatten().map(|file| file.path());
    let json = |file: &PathBuf| file.extension().is_some_and(|kind| kind == "json");
    let mut found: Vec<PathBuf> = OURS.iter().flat_map(|family| files(family)).filter(json).collect();
    found.sort();
    let read = |file: &PathBuf| {
        Some((file.display().to_string(), serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()?))
    };
    found.iter().filter_map(read).collect()
}

/// The kinds that a status stands for; none is success.
fn wanted(status: u64) -> &'static [&'static str] {
    match status {
        200..300 => &[],
        401 | 403 => &["denied"],
        404 => &["not_found"],
        409 | 412 => &["conflict"],
        429 => &["rate_limited"],
        _ => &["upstream"],
    }
}

fn answer_of(recording: &Value) -> Canned {
    let response = &recording["response"];
    let content_type = response["headers"]["content-type"].as_str().unwrap_or("application/json").to_owned();
    let body = match &response["body"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let status = u16::try_from(response["status"].as_u64().unwrap_or(200)).unwrap();
    Canned { status, content_type: Some(content_type), body: Value::String(body) }
}

#[test]
fn a_recorded_answer_is_taken_for_what_its_status_says() {
    let recordings = recordings();
    if recordings.is_empty() {
        eprintln!("all skipped: no recordings here");
        return;
    }
    let world = world();
    let mut editor = world.editor("editor");
    editor.call("listManagedObjects", json!({})).succeeded();
    let read = json!({"objectType": "alpha_user", "objectId": samples::ID});
    let mut wrong = Vec::new();

    for (name, recording) in &recordings {
        let answer = answer_of(recording);
        let kinds = wanted(u64::from(answer.status));
        let is_json = answer
            .body
            .as_str()
            .is_none_or(|body| body.trim().is_empty() || serde_json::from_str::<Value>(body).is_ok());
        world.tenant().clear_faults();
        let kind = Kind::Reply { answer, retry_after: None, processed: false };
        world.tenant().add_fault(Fault { times: u32::MAX, ..Fault::once("/openidm/managed/", kind) });
        let told = editor.call("getManagedObject", read.clone());
        let right =
            if kinds.is_empty() { told.is_error() != is_json } else { told.is_error() && kinds.contains(&told.kind()) };
        if !right {
            wrong.push(format!("{name}: {}", told.text()));
        }
    }

    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), recordings.len(), wrong.join("\n"));
}
