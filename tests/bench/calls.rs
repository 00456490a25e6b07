//! What a warm call costs over a bare request: time, processor time, frames, allocations.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use aic_tests::harness::{Builder, Programs, Relay, World};
use serde_json::{Value, json};

use super::client::{self, Bare, Client, Streams};
use super::measure::{Pair, shown};
use super::report::Row;
use super::system;

const CALLS: usize = 3000;
const COUNTED: usize = 500;
const DISTANT: usize = 8;
/// The time in front of every answer of a distant tenant.
const FAR: Duration = Duration::from_millis(20);
const NODES: usize = 40;

/// All of it.
pub fn rows(programs: &Programs) -> Vec<Row> {
    let world = Builder::new(programs.clone()).build();
    let wanted = client::person(&world, "warm", &json!({}));
    let mut rows: Vec<Row> = [(Streams::Sockets, "sockets, as of Node"), (Streams::Pipes, "pipes")]
        .map(|(streams, name)| warm(&world, &wanted, streams, name))
        .into();
    rows.push(processor(&world, &wanted));
    rows.push(frames(&world, &wanted));
    rows.extend(far(&world, &wanted));
    rows.extend(allocations(programs));
    rows
}

fn warm(world: &World, wanted: &Value, streams: Streams, name: &str) -> Row {
    let mut editor = client::editor(world, streams);
    editor.call("getManagedObject", wanted);
    let bare = Bare::new(world, wanted);
    Pair::in_turn(100, || bare.get(), || editor.call("getManagedObject", wanted));
    let pair = Pair::in_turn(CALLS, || bare.get(), || editor.call("getManagedObject", wanted));
    world.tenant().clear_ledger();
    let (middle, late) = (pair.added(0.5), pair.added(0.99));
    Row::new(
        format!("warm `getManagedObject`, the editor's streams are {name}"),
        pair.floor.to_string(),
        pair.ours.to_string(),
    )
    .result(format!("p50 + {middle:.0} us, p99 + {late:.0} us"))
    .target("p50 ≤ + 150 us, p99 ≤ + 1 ms", (middle / 150.0).max(late / 1000.0))
}

/// Processor time and how often the processor changed hands, of shim and broker.
fn processor(world: &World, wanted: &Value) -> Row {
    let mut editor = client::editor(world, Streams::Sockets);
    editor.call("getManagedObject", wanted);
    let pids = [editor.pid(), world.broker().pid];
    let read = || pids.map(|pid| (system::processor(pid), system::switches(pid)));
    let before = read();
    editor.repeat(COUNTED, wanted);
    let after = read();
    let each = |place: usize, of: fn((f64, f64)) -> f64| (of(after[place]) - of(before[place])) / COUNTED as f64;
    let time = |place| shown(each(place, |read| read.0));
    let hands = |place| shown(each(place, |read| read.1));
    Row::new(
        "one warm call: processor time, context switches",
        "–",
        format!("shim {} us, {}; broker {} us, {}", time(0), hands(0), time(1), hands(1)),
    )
}

fn frames(world: &World, wanted: &Value) -> Row {
    let relay = Relay::start(&world.place.root.join("relay"), world.place.socket());
    let mut command = world.shim();
    command.env("AIC_BROKER_RUNTIME_DIR", &relay.directory);
    let mut editor = Client::start(command, Streams::Sockets).open();
    editor.call("getManagedObject", wanted);
    let before = relay.bytes().len();
    editor.repeat(100, wanted);
    let bytes = relay.bytes()[before..].to_vec();
    let (mut rest, mut frames) = (&bytes[..], 0.0);
    while let Some((head, more)) = rest.split_first_chunk::<4>() {
        rest = &more[u32::from_be_bytes(*head) as usize..];
        frames += 1.0;
    }
    let (each, size) = (frames / 100.0, bytes.len() as f64 / 100.0);
    Row::new("one warm call: frames between shim and broker", "2", format!("{each}, {size:.0} bytes"))
}

/// A tenant 20 ms away: round trips are what counts.
fn far(world: &World, wanted: &Value) -> [Row; 2] {
    let mut editor = client::editor(world, Streams::Sockets);
    journey(&mut editor);
    let bare = Bare::new(world, wanted);
    let read = json!({"realm": "alpha", "journeyName": "Long"});
    editor.call("getJourney", &read);
    world.tenant().switches().latency_milliseconds = FAR.as_millis() as u64;
    let twenty = Pair::in_turn(
        DISTANT,
        || (0..20).map(|_| bare.get()).sum(),
        || (0..20).map(|_| editor.call("getManagedObject", wanted)).sum(),
    );
    let trips = 3.0 + (NODES + 1) as f64 / 16.0;
    let long = Pair::in_turn(DISTANT, || bare.get(), || editor.call("getJourney", &read));
    world.tenant().switches().latency_milliseconds = 0;
    let (of_trips, allowed) = (long.ratio() / trips, 1.2 * trips);
    [
        Row::new("20 calls one after the other, 20 ms away", twenty.floor.to_string(), twenty.ours.to_string())
            .result(format!("{:.3} ×", twenty.ratio()))
            .target("≤ 1.05 ×", twenty.ratio() / 1.05),
        Row::new(
            "`getJourney` of 40 nodes, 20 ms away; the floor is one trip",
            long.floor.to_string(),
            long.ours.to_string(),
        )
        .result(format!("{:.2} trips, {of_trips:.2} × (3 + 41/16)", long.ratio()))
        .target("≤ 1.2 × (3 + 41/16) trips", long.ratio() / allowed),
    ]
}

/// Forty nodes in a row.
fn journey(editor: &mut Client) {
    let next = |place: usize| if place + 1 < NODES { format!("n{}", place + 1) } else { "success".to_owned() };
    let node = |place: usize| {
        json!({"nodeType": "RetryLimitDecisionNode", "displayName": format!("Node {place}"),
            "connections": {"Retry": next(place), "Reject": "failure"}, "config": {"retryLimit": 5}})
    };
    let nodes: serde_json::Map<String, Value> = (0..NODES).map(|place| (format!("n{place}"), node(place))).collect();
    let graph = json!({"entryNodeId": "n0", "nodes": nodes});
    editor.call(
        "createJourney",
        &json!({"realm": "alpha", "journeyName": "Long", "description": "Long", "journeyData": graph}),
    );
}

/// Allocations of one warm call, counted in the programs as they are by a library that stands before the OS's.
fn allocations(programs: &Programs) -> Option<Row> {
    let world = Builder::new(programs.clone()).build();
    let library = counter(&world)?;
    let files = ["broker", "shim"].map(|name| world.place.root.join(name));
    let load = library.display().to_string();
    let count = |file: &PathBuf| u64::from_ne_bytes(*fs::read(file).unwrap().first_chunk().unwrap());
    let of_broker = files[0].display().to_string();
    let _broker = world.begin_with(&["serve"], &[("LD_PRELOAD", &load), ("COUNT_INTO", &of_broker)]);
    aic_tests::harness::eventually(aic_tests::harness::SOON, "the broker listens", || world.status());
    let wanted = client::person(&world, "counted", &json!({}));
    let mut command = world.shim();
    command.env("LD_PRELOAD", &library).env("COUNT_INTO", &files[1]);
    let mut editor = Client::start(command, Streams::Sockets).open();
    editor.repeat(20, &wanted);
    let before = [count(&files[0]), count(&files[1])];
    editor.repeat(COUNTED, &wanted);
    let each = |place: usize| (count(&files[place]) - before[place]) as f64 / COUNTED as f64;
    Some(Row::new("one warm call: allocations", "–", format!("shim {:.0}, broker {:.0}", each(1), each(0))))
}

fn counter(world: &World) -> Option<PathBuf> {
    let (source, library) = (concat!(env!("CARGO_MANIFEST_DIR"), "/bench/count.c"), world.place.root.join("count.so"));
    let built = Command::new("cc").args(["-O2", "-shared", "-fPIC", source, "-o"]).arg(&library).status();
    built.is_ok_and(|status| status.success()).then_some(library)
}
