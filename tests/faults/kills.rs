//! Kills the broker while a sign-in or a write is at a chosen byte, and compares what the editor is told with the ledger.

use std::time::{Duration, Instant};

use serde_json::json;

use super::caller::Told;
use super::oracle::{self, Ledger};
use super::plan::{Break, Chance, Plan, Way};
use super::stage::Stage;
use crate::harness::{Answer, Editor, Process, SOON, eventually};
use aic_proto::refusal::Kind;

/// How many bytes into a message the broker may be killed: more than the longest here has, so that some pass whole.
const BYTES: u64 = 900;
/// How long a kill at no byte waits at the most: longer than a whole write takes.
const MOMENT_US: u64 = 6000;

/// At what the broker is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// A byte of this request or its answer.
    Byte(&'static str),
    /// Whatever is under way after some microseconds.
    Moment(u64),
}

/// What a new broker asks of a tenant, in order, and the write itself.
const STATES: [&str; 4] =
    ["POST /am/oauth2/access_token", "GET /environment/info", "PUT /environment/variables/", "moment"];

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// How often the broker was killed.
    pub kills: usize,
    /// From the kill to the answer of the call in flight.
    pub answered: Vec<Duration>,
    /// From the next call to its answer: a new broker, a new sign-in.
    pub next: Vec<Duration>,
    /// What contradicts what.
    pub contradictions: Vec<String>,
}

/// Kills a broker so often; each time a write is under way that finds no session.
pub fn run(kills: usize, seed: u64) -> Report {
    let mut chance = Chance::new(seed);
    let mut report = Report::default();
    let stage = Stage::build(1);
    let mut editor = stage.world.editor("editor");
    let mut told = Vec::new();
    for number in 0..kills {
        let name = format!("esv-killed-{number:05}");
        let at = draw(&mut chance);
        let plan = Plan { way: [Way::Up, Way::Down][number % 2], at: draw_byte(&mut chance), what: Break::Stop };
        let (answer, took) = kill(&stage, &mut editor, &name, at, plan);
        report.answered.push(took);
        let began = Instant::now();
        let next = editor.call("getLogSources", json!({}));
        report.next.push(began.elapsed());
        if next.is_error() {
            report.contradictions.push(format!("{name}: the next call failed: {next}"));
        }
        told.push((name, at, plan, answer));
    }
    if !editor.violations().is_empty() {
        report.contradictions.push(format!("{:?}", editor.violations()));
    }
    judge(&stage, &mut report, told);
    report
}

fn draw(chance: &mut Chance) -> At {
    match STATES[usize::try_from(chance.below(STATES.len() as u64)).unwrap()] {
        "moment" => At::Moment(chance.below(MOMENT_US)),
        line => At::Byte(line),
    }
}

fn draw_byte(chance: &mut Chance) -> usize {
    usize::try_from(chance.below(BYTES)).unwrap()
}

/// Begins a write, kills the broker at the byte or moment, gives the answer and the time it took after the kill.
fn kill(stage: &Stage, editor: &mut Editor, name: &str, at: At, plan: Plan) -> (Answer, Duration) {
    let proxy = &stage.proxies[0];
    let arguments = json!({"variableId": name, "value": "green", "type": "string"});
    let begins_anew = at != At::Byte("PUT /environment/variables/");
    if begins_anew && matches!(at, At::Byte(_)) && !stage.world.brokers().is_empty() {
        stage.world.run(&["logout"]);
    }
    let held = proxy.held();
    let line = match at {
        At::Byte(line) if line.ends_with('/') => Some(format!("{line}{name}")),
        At::Byte(line) => Some(line.to_owned()),
        At::Moment(_) => None,
    };
    line.iter().for_each(|line| proxy.arm(line, plan));
    let waiting = editor.begin("setVariable", arguments);
    match at {
        At::Byte(_) => {
            // a message that is shorter than the plan's byte passes whole, and then the write is answered
            eventually(SOON, "the byte or the answer comes", || {
                (proxy.held() > held || stage.world.tenant().ledger().iter().any(|entry| entry.path.ends_with(name)))
                    .then_some(())
            });
        }
        At::Moment(microseconds) => {
            eventually(SOON, "a broker runs", || stage.world.brokers().pop());
            let until = Instant::now() + Duration::from_micros(microseconds);
            while Instant::now() < until {
                std::hint::spin_loop();
            }
        }
    }
    let killed = Instant::now();
    let brokers = stage.world.brokers();
    brokers.iter().for_each(Process::kill);
    line.iter().for_each(|line| _ = proxy.disarm(line));
    let answer = waiting.answer();
    let took = killed.elapsed();
    eventually(SOON, "the broker is gone", || brokers.iter().all(|broker| !broker.lives()).then_some(()));
    (answer, took)
}

fn judge(stage: &Stage, report: &mut Report, told: Vec<(String, At, Plan, Answer)>) {
    let (ledger, records) = (stage.world.tenant().ledger(), stage.records());
    for (name, at, plan, answer) in told {
        let own = || ledger.iter().filter(|entry| entry.path.ends_with(&name) && entry.status != Some(401));
        let seen = Ledger { arrived: own().count(), changed: own().filter(|entry| entry.changed).count() };
        let mut record = records.get(&name).cloned().unwrap_or_default();
        let told = Told::by(&answer);
        // a broker that was killed leaves its intent and no line of the call
        if let Told::Failed(Kind::BrokerUnavailable, executed) = told {
            record.calls = vec![(Kind::BrokerUnavailable.word().to_owned(), executed.word().to_owned())];
        }
        if let Some(words) = oracle::contradiction(told, &record, seen) {
            report.contradictions.push(format!("{words}: {name} {at:?} {plan:?}: {answer} {record:?} {seen:?}"));
        }
        report.kills += 1;
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} kills", self.kills)?;
        for (what, all) in
            [("call in flight answered after the kill", &self.answered), ("next call answered", &self.next)]
        {
            let mut all = all.clone();
            all.sort_unstable();
            if let (Some(median), Some(p99), Some(longest)) =
                (all.get(all.len() / 2), all.get(all.len() * 99 / 100), all.last())
            {
                writeln!(f, "  {what}: median {median:.1?}, p99 {p99:.1?}, longest {longest:.1?}")?;
            }
        }
        for contradiction in self.contradictions.iter().take(20) {
            writeln!(f, "CONTRADICTION {contradiction}")?;
        }
        write!(f, "{} contradictions", self.contradictions.len())
    }
}
