//! Lets the broker or a shim sleep at a moment of a write, and sets the broker's clock meanwhile.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::caller::Told;
use super::cases::{arguments, ledgers, name_of};
use super::oracle;
use super::plan::Chance;
use super::stage::Stage;
use crate::harness::{Answer, Asked, Editor};

/// How long a call may take.
const WITHIN: Duration = Duration::from_secs(2);
/// How much later than its time and its sleep an answer may come.
const GRACE: Duration = Duration::from_secs(3);
/// How long after its beginning a call is met at the most, in microseconds: longer than a whole write takes.
const MOMENT_US: u64 = 8000;
/// How long a sleep is, in milliseconds: shorter than the call's time, about as long, longer.
const SLEEPS_MS: [u64; 4] = [3, 60, 700, 2600];
/// By how much the wall clock is off after it, as libfaketime reads it.
const CLOCKS: [&str; 8] = ["+0s", "+0s", "+15s", "-15s", "+2h", "-2h", "+400d", "-400d"];

/// Who sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Broker,
    Shim,
}

/// One sleep.
#[derive(Debug, Clone, Copy)]
struct Sleep {
    who: Who,
    after: Duration,
    long: Duration,
    clock: &'static str,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// How often somebody slept.
    pub sleeps: usize,
    /// What contradicts what.
    pub contradictions: Vec<String>,
    /// Writes that were told as done.
    pub done: usize,
    /// How long it took.
    pub took: Duration,
}

/// Lets somebody sleep so often, each time with a write under way.
pub fn run(sleeps: usize, seed: u64) -> Report {
    let (began, mut chance) = (Instant::now(), Chance::new(seed));
    let stage = Stage::build(1);
    let clock = Clock::of(&stage);
    let stage = stage.serve_behind(&clock.wrapper());
    let (broker, world) = (stage.broker_pid(), &stage.world);
    let mut report = Report::default();
    let asked =
        Asked { arguments: vec!["--answer-within".to_owned(), WITHIN.as_secs().to_string()], ..Asked::default() };
    let mut editor = world.editor_as(asked);
    let mut told = Vec::new();
    for number in 0..sleeps {
        // whoever the clock has signed out signs in again
        stage.block_on(async { stage.caller(0).await.sign_in().await });
        let (name, sleep) = (name_of("esv-slept", number), draw(&mut chance));
        let answer = one(&mut editor, &name, sleep, broker, &clock);
        if answer.took > WITHIN + sleep.long + GRACE {
            report.contradictions.push(format!("late: {name} {sleep:?}: {answer}"));
        }
        told.push((name, sleep, Told::by(&answer)));
    }
    report.contradictions.extend(editor.violations());
    if world.broker().pid != broker {
        report.contradictions.push("another broker than at the beginning".to_owned());
    }
    judge(&stage, &mut report, told);
    report.took = began.elapsed();
    report
}

fn draw(chance: &mut Chance) -> Sleep {
    let mut of = |count: usize| usize::try_from(chance.below(count as u64)).unwrap();
    let (who, long, clock) =
        ([Who::Broker, Who::Shim][of(2)], SLEEPS_MS[of(SLEEPS_MS.len())], CLOCKS[of(CLOCKS.len())]);
    let after = Duration::from_micros(chance.below(MOMENT_US));
    Sleep { who, after, long: Duration::from_millis(long), clock }
}

fn one(editor: &mut Editor, name: &str, sleep: Sleep, broker: u32, clock: &Clock) -> Answer {
    let process = match sleep.who {
        Who::Broker => broker,
        Who::Shim => editor.pid(),
    };
    let process = Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    let waiting = editor.begin("setVariable", arguments(name));
    rest(sleep.after);
    kill_process(process, Signal::STOP).unwrap();
    clock.set(sleep.clock);
    rest(sleep.long);
    kill_process(process, Signal::CONT).unwrap();
    waiting.answer()
}

fn rest(long: Duration) {
    let until = Instant::now() + long;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::park_timeout(left);
    }
}

fn judge(stage: &Stage, report: &mut Report, told: Vec<(String, Sleep, Told)>) {
    let (ledgers, records) = (ledgers(&stage.world.tenant().ledger()), stage.records());
    for (name, sleep, told) in told {
        let ledger = ledgers.get(&name).copied().unwrap_or_default();
        let record = records.get(&name).cloned().unwrap_or_default();
        if let Some(words) = oracle::contradiction_apart(told, &record, ledger) {
            report.contradictions.push(format!("{words}: {name} {sleep:?}: {told:?} {record:?} {ledger:?}"));
        }
        report.sleeps += 1;
        report.done += usize::from(told == Told::Success);
    }
}

/// The broker's wall clock; what takes time takes as long as ever.
struct Clock(PathBuf);

impl Clock {
    fn of(stage: &Stage) -> Self {
        let clock = Self(stage.world.place.root.join("clock"));
        clock.set("+0s");
        clock
    }

    fn set(&self, ahead: &str) {
        let arriving = self.0.with_extension("new");
        std::fs::write(&arriving, ahead).unwrap();
        std::fs::rename(arriving, &self.0).unwrap();
    }

    fn wrapper(&self) -> Vec<String> {
        let library = library().expect("the package faketime");
        let words = ["/usr/bin/env".to_owned(), format!("LD_PRELOAD={}", library.display())];
        let file = format!("FAKETIME_TIMESTAMP_FILE={}", self.0.display());
        words.into_iter().chain([file, "FAKETIME_NO_CACHE=1".into(), "FAKETIME_DONT_FAKE_MONOTONIC=1".into()]).collect()
    }
}

fn library() -> Option<PathBuf> {
    let places =
        std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    places.chain([PathBuf::from("/usr/lib/faketime/libfaketimeMT.so.1")]).find(|library| library.exists())
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.took.as_secs_f32();
        writeln!(
            f,
            "{} sleeps of broker or shim in {seconds:.0} s, {} writes done all the same",
            self.sleeps, self.done
        )?;
        for contradiction in self.contradictions.iter().take(20) {
            writeln!(f, "CONTRADICTION {contradiction}")?;
        }
        write!(f, "{} contradictions", self.contradictions.len())
    }
}
