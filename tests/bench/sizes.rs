//! What the size of an answer costs: time, the broker's memory, the delay of others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aic_tests::harness::{Builder, Programs, World};
use serde_json::{Value, json};

use super::client::{self, Bare, Client, Streams};
use super::measure::{Pair, Sample, shown};
use super::report::Row;
use super::system;

/// The sizes of the tenant's answers, in bytes, with how many rounds are worth their time.
const SIZES: [(usize, usize, &str); 4] =
    [(1_000, 400, "1 kB"), (100_000, 100, "100 kB"), (1_000_000, 30, "1 MB"), (10_000_000, 8, "10 MB")];

const TEN: usize = 10_000_000;

/// All of it.
pub fn rows(programs: &Programs) -> Vec<Row> {
    let mut rows: Vec<Row> = [("one text", large as Shape), ("100,000 rows", detailed)]
        .map(|(what, shape)| memory(&Builder::new(programs.clone()).build(), what, shape))
        .into();
    let world = Builder::new(programs.clone()).build();
    let mut editor = client::editor(&world, Streams::Sockets);
    rows.extend(SIZES.map(|size| timed(&world, &mut editor, size)));
    rows.push(others(&world, &mut editor));
    rows
}

/// Makes a person of so many bytes; gives the arguments of a read.
type Shape = fn(&World, usize) -> Value;

/// A person with so many bytes in one text.
fn large(world: &World, bytes: usize) -> Value {
    client::person(world, &format!("large{bytes}"), &json!({"description": "x".repeat(bytes)}))
}

/// A person with so many bytes in small members.
fn detailed(world: &World, bytes: usize) -> Value {
    let rows: Vec<Value> =
        (0..bytes / 100).map(|row| json!({"number": row, "name": format!("row {row}"), "active": true, "tags": ["one", "two"], "of": {"a": 1}, "text": "twenty-two characters."})).collect();
    client::person(world, &format!("detailed{bytes}"), &json!({"description": rows}))
}

fn timed(world: &World, editor: &mut Client, (bytes, rounds, name): (usize, usize, &str)) -> Row {
    let wanted = large(world, bytes);
    editor.call("getManagedObject", &wanted);
    let bare = Bare::new(world, &wanted);
    let pair = Pair::in_turn(rounds, || bare.get(), || editor.call("getManagedObject", &wanted));
    Row::new(
        format!("an answer of {name}, of which 256 KiB are passed on at most"),
        pair.floor.to_string(),
        pair.ours.to_string(),
    )
    .result(format!("{:.2} ×", pair.ratio()))
}

/// What a broker that has read little takes for ten megabytes, at most and afterwards.
fn memory(world: &World, what: &str, shape: Shape) -> Row {
    let mut editor = client::editor(world, Streams::Sockets);
    editor.repeat(20, &large(world, 1000));
    let (wanted, broker) = (shape(world, TEN), world.broker().pid);
    let before = system::rss(broker);
    system::forget_peak(broker);
    editor.repeat(1, &wanted);
    let (more, kept) = (system::peak(broker) - before, system::rss(broker) - before);
    let copies = more * 1024.0 / TEN as f64;
    let ours = format!("+ {} kB at most, + {} kB after", shown(more), shown(kept));
    Row::new(format!("the broker's memory for an answer of 10 MB, {what}"), "–", ours)
        .result(format!("{copies:.2} copies"))
        .target("≤ 3 copies", copies / 3.0)
}

/// Another editor's calls while ten megabytes are read again and again.
fn others(world: &World, editor: &mut Client) -> Row {
    let (small, wanted) = (client::person(world, "small", &json!({})), large(world, TEN));
    let mut other = client::editor(world, Streams::Sockets);
    other.call("getManagedObject", &small);
    let over = AtomicBool::new(false);
    let bare = Bare::new(world, &wanted);
    let mut timed = |disturb: &mut (dyn FnMut() -> Duration + Send)| {
        over.store(false, Ordering::Relaxed);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    disturb();
                }
            });
            let calls = Sample::of((0..200).map(|_| other.call("getManagedObject", &small)));
            over.store(true, Ordering::Relaxed);
            calls
        })
    };
    let floor = timed(&mut || bare.get());
    let ours = timed(&mut || editor.call("getManagedObject", &wanted));
    let ratio = ours.quantile(0.5) / floor.quantile(0.5);
    Row::new(
        "another editor's call meanwhile; the floor is while a bare client reads the 10 MB",
        floor.to_string(),
        ours.to_string(),
    )
    .result(format!("{ratio:.2} ×"))
}
