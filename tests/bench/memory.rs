//! What shims and broker take: memory by the number of clients, and processor time while nobody calls.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use aic_proto::connection::{Reader, Writer, greet, next_reply, split};
use aic_proto::frame;
use aic_proto::hello::{Hello, Role, ShimHello};
use aic_proto::message::{Call, ToBroker};
use aic_proto::transport::{self, Stream};
use aic_tests::harness::{Builder, Programs, World};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::client::{self, Client, Streams};
use super::measure::{Sample, shown};
use super::report::Row;
use super::system;

const CALLS: usize = 4000;
const MANY: usize = 1000;
const IDLE: Duration = Duration::from_secs(60);

/// Memory.
pub fn rows(programs: &Programs) -> Vec<Row> {
    let world = Builder::new(programs.clone()).build();
    let wanted = client::person(&world, "memory", &json!({}));
    let mut rows = vec![idle_shim(programs)];
    let mut editors: Vec<Client> = (0..10).map(|_| client::editor(&world, Streams::Sockets)).collect();
    client::warm_up(&mut editors, &wanted);
    rows.push(ten(&world, &editors));
    editors.truncate(1);
    rows.extend(many(&world, &mut editors[0], &wanted));
    rows
}

fn idle_shim(programs: &Programs) -> Row {
    let of = |program: &Path| {
        let server = Client::start(Command::new(program), Streams::Sockets).open();
        (system::rss(server.pid()), system::pss(server.pid()))
    };
    let (bare, shim) = (of(Path::new(env!("CARGO_BIN_EXE_bare-server"))), of(&programs.shim));
    let words = |of: (f64, f64)| format!("RSS {} kB, PSS {} kB", shown(of.0), shown(of.1));
    let ratio = shim.0 / bare.0;
    Row::new("idle shim's memory", words(bare), words(shim))
        .result(format!("{ratio:.2} × RSS, {:.2} × PSS", shim.1 / bare.1))
        .target("≤ 1.3 × a bare rmcp server", ratio / 1.3)
}

fn ten(world: &World, editors: &[Client]) -> Row {
    let (shims, broker) = (editors.iter().map(|editor| system::pss(editor.pid())), system::pss(world.broker().pid));
    let shims: f64 = shims.sum();
    let all = (shims + broker) / 1000.0;
    Row::new("ten shims and the broker after a call each, PSS", "–", format!("{} + {} kB", shown(shims), shown(broker)))
        .result(format!("{all:.1} MB"))
        .target("< 60 MB", all / 60.0)
}

/// The broker with ever more connections, each of which made a call, and what that does to a call's time.
fn many(world: &World, editor: &mut Client, wanted: &Value) -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files }).unwrap();
    let broker = world.broker().pid;
    let mut time = || Sample::of((0..CALLS).map(|_| editor.call("getManagedObject", wanted)));
    let alone = time();
    let mut connections = Vec::new();
    let mut memory = vec![system::rss(broker)];
    for count in [10, 100, MANY] {
        connections.extend((connections.len() + 1..count).map(|_| connected(&runtime, world, wanted)));
        memory.push(system::rss(broker));
    }
    let among = time();
    drop(connections);
    let again = time();
    let alone = Sample::of_numbers([alone.median(), again.median()]);
    let (before, slower) = ((alone.quantile(0.0) + alone.quantile(1.0)) / 2.0, among.median());
    let each = (memory[3] - memory[0]) / (MANY - 1) as f64;
    let sizes: Vec<String> = memory.iter().map(|size| shown(size / 1000.0)).collect();
    vec![
        Row::new("broker's RSS with 1, 10, 100, 1,000 clients that called", "–", format!("{} MB", sizes.join(", ")))
            .result(format!("{each:.1} KiB each"))
            .target("≤ 40 KiB each", each / 40.0),
        Row::new(
            "a call's p50 among 1,000 clients; the floor is alone, before and after",
            format!("{before:.0} us"),
            among.to_string(),
        )
        .result(format!("{:.2} ×", slower / before))
        .target("no slower: ≤ 1.05 ×", slower / before / 1.05),
    ]
}

type Connected = (Reader<Stream>, Writer<Stream>);

/// A connection as a shim has it, after one call.
fn connected(runtime: &Runtime, world: &World, wanted: &Value) -> Connected {
    let endpoint = transport::endpoint(Some(world.place.run.clone()));
    let (client, tenant) = ("bench 1".to_owned(), Some("t0".to_owned()));
    let shim = ShimHello { client, tenant, read_only: false, toolsets: None, container: false };
    runtime.block_on(async {
        let (mut reader, mut writer) = split(transport::connect(&endpoint).await.unwrap());
        greet(&mut reader, &mut writer, &Hello::new("bench", Role::Shim(shim))).await.unwrap();
        let call =
            Call { id: 1, tool: "getManagedObject".to_owned(), arguments: wanted.to_string(), within_ms: 10_000 };
        frame::write(&mut writer, &ToBroker::Call(call).encode().unwrap()).await.unwrap();
        next_reply(&mut reader).await.unwrap().unwrap();
        (reader, writer)
    })
}

/// Processor time over a minute in which nobody calls.
pub fn idle(programs: &Programs) -> Vec<Row> {
    let world = Builder::new(programs.clone()).build();
    let wanted = client::person(&world, "idle", &json!({}));
    let mut editors: Vec<Client> = (0..10).map(|_| client::editor(&world, Streams::Sockets)).collect();
    client::warm_up(&mut editors, &wanted);
    let pids = [world.broker().pid, editors[0].pid()];
    std::thread::sleep(Duration::from_secs(1));
    let read = || pids.map(|pid| (system::processor(pid) / 1000.0, system::switches(pid)));
    let before = read();
    std::thread::sleep(IDLE);
    let after = read();
    let spent = |place: usize| (after[place].0 - before[place].0, after[place].1 - before[place].1);
    let words = |(time, switches): (f64, f64)| format!("{} ms, {} switches", shown(time), switches);
    vec![
        Row::new("an idle broker with ten shims, a minute's processor time", "–", words(spent(0)))
            .target("< 10 ms", spent(0).0 / 10.0),
        Row::new("an idle shim, a minute's processor time", "–", words(spent(1))),
    ]
}
