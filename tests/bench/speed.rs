//! Measures ratios to floors, both taken in one run, one after the other: `cargo bench -p aic-tests`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aic_tests::harness::{Builder, Editor, Programs, World};
use serde_json::json;

/// Rounds of each figure: enough for a steady median on two cores.
const STARTS: usize = 60;
const CALLS: usize = 1500;

fn main() {
    let programs = Programs {
        broker: PathBuf::from(env!("CARGO_BIN_EXE_broker-under-test")),
        shim: PathBuf::from(env!("CARGO_BIN_EXE_shim-under-test")),
        browser: PathBuf::from(env!("CARGO_BIN_EXE_fake-browser")),
    };
    let world = Builder::new(programs.clone()).build();
    let (bare, shim) = starts(&programs.shim);
    let (direct, through, exchanges) = calls(&world);
    let added = through.median.saturating_sub(direct.median);
    println!("| what | floor | ours | ratio or difference |\n|---|---|---|---|");
    println!("| start to `initialize`, median (p95) | {bare} | {shim} | {:.2} x |", ratio(&shim, &bare));
    println!("| warm `getManagedObject`, median (p95) | {direct} | {through} | + {} us |", added.as_micros());
    println!("| token exchanges for {} calls | - | {exchanges} | - |", CALLS + 1);
}

/// A median and a 95th percentile.
struct Figure {
    median: Duration,
    p95: Duration,
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} us ({})", self.median.as_micros(), self.p95.as_micros())
    }
}

fn figure(mut all: Vec<Duration>) -> Figure {
    all.sort_unstable();
    Figure { median: all[all.len() / 2], p95: all[all.len() * 95 / 100] }
}

fn ratio(ours: &Figure, floor: &Figure) -> f64 {
    ours.median.as_secs_f64() / floor.median.as_secs_f64()
}

/// The bare server and the shim in turn, from spawn to the answer of `initialize`.
fn starts(shim: &Path) -> (Figure, Figure) {
    let bare = Path::new(env!("CARGO_BIN_EXE_bare-server"));
    let (mut floor, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        floor.push(start(bare));
        ours.push(start(shim));
    }
    (figure(floor), figure(ours))
}

fn start(program: &Path) -> Duration {
    let began = Instant::now();
    let mut child =
        Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params":
        {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}});
    writeln!(child.stdin.as_mut().unwrap(), "{hello}").unwrap();
    let mut answer = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut answer).unwrap();
    let took = began.elapsed();
    assert!(answer.contains("\"result\""), "{answer}");
    drop(child.stdin.take());
    child.wait().unwrap();
    took
}

/// The same read directly and through shim and broker, in turn.
fn calls(world: &World) -> (Figure, Figure, usize) {
    let mut editor = world.editor("bench");
    let created = call(
        &mut editor,
        "createManagedObject",
        &json!({"objectType": "alpha_user", "objectData":
        {"userName": "bench", "givenName": "Bench", "sn": "Mark", "mail": "bench@example.com"}}),
    );
    let id = created["_id"].as_str().unwrap_or_else(|| panic!("{created}")).to_owned();
    let wanted = json!({"objectType": "alpha_user", "objectId": id});
    let token = world.run(&["token", "--tenant", "t0", "--scope", "fr:idm:*"]).out;
    let url = format!("{}/openidm/managed/alpha_user/{id}", world.tenant().base_url());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let (mut floor, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..CALLS {
        let began = Instant::now();
        let body = runtime.block_on(async {
            client.get(&url).bearer_auth(token.trim()).send().await.unwrap().bytes().await.unwrap()
        });
        floor.push(began.elapsed());
        assert!(body.len() > 10);
        let began = Instant::now();
        let answer = call(&mut editor, "getManagedObject", &wanted);
        ours.push(began.elapsed());
        assert_eq!(answer["_id"], wanted["objectId"]);
    }
    let exchanges = world.tenant().ledger().iter().filter(|entry| entry.is_grant("token-exchange")).count();
    (figure(floor), figure(ours), exchanges)
}

fn call(editor: &mut Editor, tool: &str, arguments: &serde_json::Value) -> serde_json::Value {
    editor.call(tool, arguments.clone()).succeeded().structured().clone()
}
