//! How fast the shim starts: alone, in a storm, and without a broker up to the sign-in.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aic_tests::harness::{Builder, Mode, Programs, SOON, eventually};
use serde_json::json;

use super::client::{Client, Streams};
use super::measure::{Pair, Sample};
use super::report::Row;

const STARTS: usize = 100;
const STORMS: usize = 20;
/// How many start at once in a storm.
const AT_ONCE: usize = 50;
const COLD_STARTS: usize = 15;

/// All of it.
pub fn rows(programs: &Programs) -> Vec<Row> {
    let bare = Path::new(env!("CARGO_BIN_EXE_bare-server"));
    let to = |program: &Path, list: bool| {
        let began = Instant::now();
        let mut server = Client::start(Command::new(program), Streams::Sockets);
        server.initialize();
        if list {
            server.ask("tools/list", &json!({}));
        }
        let took = began.elapsed();
        server.close();
        took
    };
    let opened = Pair::in_turn(STARTS, || to(bare, false), || to(&programs.shim, false));
    let listed = Pair::in_turn(STARTS, || to(bare, true), || to(&programs.shim, true));
    let storm = Pair::in_turn(STORMS, || storm(Path::new("/bin/true")), || storm(&programs.shim));
    vec![
        compared("shim start to `initialize`", &opened).target("≤ 1.3 × a bare rmcp server", opened.ratio() / 1.3),
        compared("shim start to `tools/list` (the bare server's list is empty)", &listed),
        compared("1,000 starts and ends, 50 at once; the floor does nothing", &storm),
        cold(programs),
    ]
}

fn compared(what: &str, pair: &Pair) -> Row {
    Row::new(what, pair.floor.to_string(), pair.ours.to_string()).result(format!("{:.2} ×", pair.ratio()))
}

/// Starts programs at once whose input ends at once, and waits until all have left.
fn storm(program: &Path) -> Duration {
    let began = Instant::now();
    let started: Vec<_> = (0..AT_ONCE)
        .map(|_| Command::new(program).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
        .collect();
    started.into_iter().for_each(|mut child| drop(child.wait()));
    began.elapsed()
}

/// Without a broker: the list touches none, and the first call has reached the sign-in when the person sees a page.
fn cold(programs: &Programs) -> Row {
    let world = Builder::new(programs.clone()).build();
    world.browser.set(Mode::Ignore);
    let wanted = json!({"name": "getLogSources", "arguments": {}});
    let all = (0..COLD_STARTS).map(|round| {
        let mut editor = super::client::editor(&world, Streams::Sockets);
        editor.ask("tools/list", &json!({}));
        assert!(world.brokers().is_empty());
        let began = Instant::now();
        editor.begin("tools/call", &wanted);
        while world.browser.opened().len() == round {
            std::thread::yield_now();
        }
        let took = began.elapsed();
        drop(editor);
        world.run(&["stop"]);
        eventually(SOON, "the broker leaves", || world.brokers().is_empty().then_some(()));
        took
    });
    let all = Sample::of(all);
    let used = all.median() / 60_000.0;
    Row::new("first call without a broker, up to the browser's start", "–", all.to_string())
        .target("≤ 60 ms, and no broker for the list", used)
}
