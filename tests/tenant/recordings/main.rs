//! Plays recorded exchanges with the platform against the sandbox tenant and compares the answers.
//!
//! The recordings are not part of this repository: they lie in `aic/recordings` below the folder that `AIC_SHARED`
//! names, or beside the workspace. Without them the test says so and passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing)]

mod compare;
mod exchange;
mod managed;
mod plan;

use std::path::{Path, PathBuf};

use aic_tests::tenant::{Options, Tenant};
use exchange::Recording;
use plan::Plan;
use serde_json::Value;

/// The folder of the recordings, if it is here.
fn folder() -> Option<PathBuf> {
    let shared = std::env::var_os("AIC_SHARED").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = shared.unwrap_or_else(beside).join("aic/recordings");
    folder.is_dir().then_some(folder)
}

#[tokio::test]
async fn the_sandbox_answers_as_the_platform_did() {
    let Some(folder) = folder() else {
        println!("all recordings skipped: no recordings here");
        return;
    };
    let index: Vec<Value> = serde_json::from_slice(&std::fs::read(folder.join("index.json")).unwrap()).unwrap();
    let (mut played, mut skipped, mut wrong) = (0, Vec::new(), Vec::new());

    for line in &index {
        let name = format!("{}/{}", line["family"].as_str().unwrap(), line["name"].as_str().unwrap());
        let recording = Recording::read(&folder.join(format!("{name}.json")));
        match plan::of(&name, &recording) {
            Plan::Skip(reason) => skipped.push(format!("{name}: {reason}")),
            Plan::Play(mut scene) => {
                let tenant = Tenant::start(Options::default()).await.unwrap();
                let token = exchange::token(&tenant, scene.scopes);
                tenant.with(std::mem::replace(&mut scene.setup, Box::new(|_| {})));
                let answer = exchange::send(&tenant, &recording, &token).await;
                wrong.extend(
                    compare::differences(&recording, &answer, &scene).into_iter().map(|what| format!("{name}: {what}")),
                );
                played += 1;
            }
        }
    }

    println!("{played} played, {} skipped", skipped.len());
    skipped.iter().for_each(|line| println!("skipped {line}"));
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}
