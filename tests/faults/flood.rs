//! A healthy shim beside one that floods, strangers that stall, and strangers that send garbage.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use aic_proto::message::{Call, ToBroker};
use serde_json::json;

use super::caller::{Caller, Told, hello};
use super::soak::memory_of;
use super::stage::Stage;

/// How many strangers stall at once.
const STALLED: usize = 500;
/// How long one call may take.
const WITHIN: Duration = Duration::from_secs(20);

/// What offends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offender {
    /// A shim that calls as fast as it can and reads every answer.
    Floods,
    /// A shim that calls as fast as it can and reads no answer.
    Wedged,
    /// A shim that calls as fast as it can and reads one byte at a time.
    Sips,
    /// Strangers with half a hello, who come again when they are shown the door.
    Stalls,
    /// Strangers who send megabytes that are no frames, and announcements of 4 GiB.
    Garbage,
}

impl Offender {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Floods, Self::Wedged, Self::Sips, Self::Stalls, Self::Garbage];
}

/// What one offender cost.
#[derive(Debug)]
pub struct Cost {
    /// Who.
    pub offender: Offender,
    /// The 99th percentile of a healthy call, each the median of some blocks: without any offender, beside one that
    /// does the same to another broker of the machine, and beside one at the same broker.
    pub p99: [Duration; 3],
    /// The broker's resident memory in KiB before and at the most.
    pub memory: (u64, u64),
    /// Healthy calls that did not succeed.
    pub failed: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// For each offender.
    pub costs: Vec<Cost>,
}

impl Report {
    /// Every healthy call succeeded and the broker grew by no more than 64 MiB. Times are figures, not verdicts.
    pub fn is_good(&self) -> bool {
        self.costs.iter().all(|cost| cost.failed == 0 && cost.memory.1.saturating_sub(cost.memory.0) < 64 * 1024)
    }
}

/// Makes so many blocks of healthy calls beside each offender, and as many without.
///
/// What the offender costs whoever shares the two cores is told from what it costs whoever shares the broker.
pub fn run(blocks: usize, calls: usize) -> Report {
    let mut report = Report::default();
    let elsewhere = ready();
    for offender in Offender::ALL {
        let mut here = ready();
        report.costs.push(beside(&mut here, &elsewhere.0, offender, (blocks, calls)));
    }
    report
}

/// A stage and a healthy shim that is signed in.
fn ready() -> (Stage, Caller) {
    let stage = Stage::build(1).serve();
    let healthy = stage.block_on(async {
        let mut caller = stage.caller(0).await;
        caller.sign_in().await;
        caller
    });
    (stage, healthy)
}

fn beside(here: &mut (Stage, Caller), elsewhere: &Stage, offender: Offender, (blocks, calls): (usize, usize)) -> Cost {
    let (stage, healthy) = here;
    let before = memory_of(stage.broker_pid());
    let (mut most, mut failed) = (before, 0);
    let mut p99s = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..blocks {
        for (p99, offended) in p99s.iter_mut().zip([None, Some(elsewhere), Some(stage)]) {
            let offence = offended.map(|stage| Offence::begin(&stage.world.place.run, offender));
            p99.push(stage.block_on(measure(healthy, calls, &mut failed)));
            most = most.max(memory_of(stage.broker_pid()));
            offence.into_iter().for_each(Offence::end);
        }
    }
    Cost { offender, p99: p99s.map(median), memory: (before, most), failed }
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}

/// The 99th percentile of a block of calls.
async fn measure(caller: &mut Caller, calls: usize, failed: &mut usize) -> Duration {
    let mut took = Vec::with_capacity(calls);
    for _ in 0..calls {
        let began = Instant::now();
        let told = caller.call("getLogSources", &json!({}), WITHIN).await;
        took.push(began.elapsed());
        *failed += usize::from(told != Told::Success);
    }
    took.sort_unstable();
    took[took.len() * 99 / 100]
}

/// An offence under way.
struct Offence {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Offence {
    fn begin(run: &Path, offender: Offender) -> Self {
        let over = Arc::<AtomicBool>::default();
        let socket = run.join("broker.sock");
        let parts: Vec<Part> = match offender {
            Offender::Floods => vec![floods],
            Offender::Wedged => vec![wedged],
            Offender::Sips => vec![sips],
            Offender::Stalls => vec![stalls],
            Offender::Garbage => vec![garbage],
        };
        let threads = parts
            .into_iter()
            .map(|part| {
                let (socket, over) = (socket.clone(), Arc::clone(&over));
                std::thread::spawn(move || part(&socket, &over))
            })
            .collect();
        Self { over, threads }
    }

    fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

type Part = fn(&Path, &AtomicBool);

fn connect(socket: &Path) -> Option<UnixStream> {
    let stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(Duration::from_millis(20))).ok()?;
    stream.set_write_timeout(Some(Duration::from_millis(20))).ok()?;
    Some(stream)
}

fn call(id: u64) -> Vec<u8> {
    let (tool, arguments) = ("getLogSources".to_owned(), "{}".to_owned());
    ToBroker::Call(Call { id, tool, arguments, within_ms: 20_000 }).encode().unwrap()
}

fn floods(socket: &Path, over: &AtomicBool) {
    reads_and_pours(socket, over, 1 << 16, Duration::ZERO);
}

fn sips(socket: &Path, over: &AtomicBool) {
    reads_and_pours(socket, over, 1, Duration::from_millis(2));
}

/// Calls as fast as it goes, and reads so many bytes with so long a pause between.
fn reads_and_pours(socket: &Path, over: &AtomicBool, bytes: usize, pause: Duration) {
    let Some(mut stream) = connect(socket) else { return };
    let mut reader = stream.try_clone().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut part = vec![0; bytes];
            while !over.load(Ordering::Relaxed) {
                let _ = reader.read(&mut part);
                if !pause.is_zero() {
                    std::thread::park_timeout(pause);
                }
            }
        });
        let _ = stream.write_all(&hello("t0").encode().unwrap());
        pour(&mut stream, over);
    });
}

fn wedged(socket: &Path, over: &AtomicBool) {
    let Some(mut stream) = connect(socket) else { return };
    let _ = stream.write_all(&hello("t0").encode().unwrap());
    pour(&mut stream, over);
}

/// Writes calls for as long as it lasts; what did not go in whole goes on where it stopped.
fn pour(stream: &mut UnixStream, over: &AtomicBool) {
    let calls: Vec<u8> = (1..200).flat_map(call).collect();
    let mut at = 0;
    while !over.load(Ordering::Relaxed) {
        match stream.write(&calls[at..]) {
            Ok(written) => at = (at + written) % calls.len(),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
    }
}

fn stalls(socket: &Path, over: &AtomicBool) {
    let words = hello("t0").encode().unwrap();
    let mut strangers = Vec::new();
    while !over.load(Ordering::Relaxed) {
        strangers.retain_mut(|stream: &mut UnixStream| {
            let _ = stream.set_nonblocking(true);
            !matches!(stream.read(&mut [0; 16]), Ok(0))
        });
        while strangers.len() < STALLED && !over.load(Ordering::Relaxed) {
            let Some(mut stream) = connect(socket) else { break };
            let _ = stream.write_all(&words[..words.len() / 2]);
            strangers.push(stream);
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn garbage(socket: &Path, over: &AtomicBool) {
    let megabyte = vec![0xa5; 1 << 20];
    let bomb = [hello("t0").encode().unwrap(), vec![0xff, 0xff, 0xff, 0xff, 0, 10]].concat();
    while !over.load(Ordering::Relaxed) {
        for words in [&megabyte, &bomb] {
            if let Some(mut stream) = connect(socket) {
                let _ = stream.write_all(words);
            }
        }
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (line, cost) in self.costs.iter().enumerate() {
            let separator = if line > 0 { "\n" } else { "" };
            let [alone, elsewhere, with] = cost.p99;
            write!(
                f,
                "{separator}  {:8} p99 {alone:.1?} alone, {elsewhere:.1?} beside one at another broker, {with:.1?} beside it: {:+.2} ms; broker {} MiB, at the most {} MiB; {} calls failed",
                format!("{:?}", cost.offender),
                (with.as_secs_f64() - elsewhere.as_secs_f64()) * 1000.0,
                cost.memory.0 / 1024,
                cost.memory.1 / 1024,
                cost.failed
            )?;
        }
        Ok(())
    }
}
