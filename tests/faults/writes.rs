//! Writes through a broken network: every kind of break at every byte of request and answer, judged by the oracle.

use std::collections::{HashMap, VecDeque};
use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;

use super::caller::{Caller, Told};
use super::oracle::{self, Ledger, Record};
use super::plan::{Break, Chance, Plan, exhaustive};
use super::proxy::Proxy;
use super::stage::Stage;
use crate::tenant::Tenant;
use crate::tenant::ledger::Entry;

/// How long a call may take: long enough for an exchange on loopback, short enough for many that never end.
const WITHIN: Duration = Duration::from_millis(250);
/// How many tenants are written to at once, each by a caller of its own.
const LANES: usize = 16;

/// How much is broken.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Where chance begins.
    pub seed: u64,
    /// How many writes at the least.
    pub writes: usize,
    /// Whether each round has all offsets; else it has so many of them as `writes` asks for.
    pub whole_rounds: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Faulted writes.
    pub writes: usize,
    /// Rounds over all offsets.
    pub rounds: usize,
    /// The messages' lengths: up, down.
    pub lengths: (usize, usize),
    /// How often each kind of break ended in what.
    pub told: HashMap<(&'static str, Told), usize>,
    /// What contradicts what, with the plan.
    pub contradictions: Vec<String>,
    /// Whole writes of the tenant that no caller made: a flipped bit in a path makes such.
    pub strange: usize,
    /// How long it took.
    pub took: Duration,
}

/// One faulted write and what its caller was told.
struct Case {
    name: String,
    plan: Plan,
    met: bool,
    told: Told,
    strange: usize,
}

/// Breaks writes until there were enough; each round has a world of its own.
pub fn run(asked: Asked) -> Report {
    let (began, mut chance) = (Instant::now(), Chance::new(asked.seed));
    let mut report = Report::default();
    while report.writes < asked.writes {
        let most = if asked.whole_rounds { usize::MAX } else { asked.writes - report.writes };
        round(&mut report, &mut chance, most);
        progress(&report);
    }
    report.took = began.elapsed();
    report
}

/// Long runs say how far they are.
fn progress(report: &Report) {
    if report.rounds > 1 {
        let _ = writeln!(std::io::stderr(), "{} writes, {} contradictions", report.writes, report.contradictions.len());
    }
}

fn round(report: &mut Report, chance: &mut Chance, most: usize) {
    let stage = Stage::build(LANES).serve();
    let number = report.rounds;
    let cases = stage.block_on(async {
        let mut callers = Vec::new();
        for lane in 0..LANES {
            let mut caller = stage.caller(lane).await;
            caller.sign_in().await;
            callers.push(caller);
        }
        report.lengths = learn(&mut callers[0], &stage.proxies[0]).await;
        let mut plans = exhaustive(report.lengths.0, report.lengths.1, chance);
        plans.truncate(most);
        let parts = plans.chunks(plans.len().div_ceil(LANES));
        let lanes = callers.iter_mut().zip(parts).enumerate().map(|(lane, (caller, plans))| {
            let (tenant, proxy) = (&stage.world.tenants[lane], &stage.proxies[lane]);
            let prefix = format!("esv-{number:03}-{lane:02}");
            breaking(caller, tenant, proxy, plans, prefix)
        });
        let cases = futures_util::future::join_all(lanes).await;
        stage.settle().await;
        cases
    });
    let records = stage.records();
    let told: usize = cases.iter().map(Vec::len).sum();
    let written: usize = records.values().map(|record| record.calls.len()).sum();
    // one more: the unbroken write
    if written != told + 1 {
        report.contradictions.push(format!("{told} answers and {written} lines of calls"));
    }
    for (lane, cases) in cases.into_iter().enumerate() {
        judge(report, &ledgers(&stage.world.tenants[lane].ledger()), &records, cases);
    }
    report.rounds += 1;
}

/// The lengths of an unbroken write's messages; names are all of the same length.
async fn learn(caller: &mut Caller, proxy: &Proxy) -> (usize, usize) {
    let told = caller.call("setVariable", &arguments(&name_of("esv-xxx-xx", 0)), Duration::from_secs(20)).await;
    assert_eq!(told, Told::Success);
    proxy.lengths()
}

fn arguments(name: &str) -> serde_json::Value {
    json!({"variableId": name, "value": "green", "type": "string", "description": "a colour"})
}

async fn breaking(caller: &mut Caller, tenant: &Tenant, proxy: &Proxy, plans: &[Plan], prefix: String) -> Vec<Case> {
    let mut cases = Vec::with_capacity(plans.len());
    let mut waiting: VecDeque<Plan> = plans.iter().copied().collect();
    let mut number = 0;
    while let Some(plan) = waiting.pop_front() {
        number += 1;
        let name = name_of(&prefix, number);
        let before = tenant.ledger_length();
        let line = format!("PUT /environment/variables/{name}");
        proxy.arm(&line, plan);
        let told = caller.call("setVariable", &arguments(&name), WITHIN).await;
        // a call whose time ran out before its request came is no faulted one: its plan has another turn
        let met = !proxy.disarm(&line);
        if !met {
            waiting.push_back(plan);
        }
        let strange =
            tenant.ledger_after(before).iter().filter(|entry| entry.changed && !is_ours(entry, &prefix)).count();
        cases.push(Case { name, plan, met, told, strange });
    }
    cases
}

/// A name whose second number follows from its first, so that no flipped bit makes it another write's name.
fn name_of(prefix: &str, number: usize) -> String {
    format!("{prefix}-{number:05}-{:05}", 99_999 - number)
}

fn is_ours(entry: &Entry, prefix: &str) -> bool {
    let mut words = entry.path.rsplit('-').map(str::parse::<usize>);
    matches!((words.next(), words.next()), (Some(Ok(second)), Some(Ok(first))) if first + second == 99_999 && entry.path.contains(prefix))
}

fn ledgers(entries: &[Entry]) -> HashMap<String, Ledger> {
    let mut ledgers = HashMap::<String, Ledger>::new();
    for entry in entries.iter().filter(|entry| entry.method == "PUT" && entry.status != Some(401)) {
        let ledger = ledgers.entry(entry.path.rsplit('/').next().unwrap_or_default().to_owned()).or_default();
        ledger.arrived += 1;
        ledger.changed += usize::from(entry.changed);
    }
    ledgers
}

fn judge(report: &mut Report, ledgers: &HashMap<String, Ledger>, records: &HashMap<String, Record>, cases: Vec<Case>) {
    let nothing = Record::default();
    for case in cases {
        let own = ledgers.get(&case.name).copied().unwrap_or_default();
        let flipped = matches!(case.plan.what, Break::Flip(_));
        let strange = if flipped { case.strange } else { 0 };
        let ledger = Ledger { arrived: own.arrived + strange, changed: own.changed + strange };
        let record = records.get(&case.name).unwrap_or(&nothing);
        if let Some(words) = oracle::contradiction(case.told, record, ledger) {
            report
                .contradictions
                .push(format!("{words}: {} {:?}: told {:?}, {record:?}, {ledger:?}", case.name, case.plan, case.told));
        }
        report.strange += strange;
        report.writes += usize::from(case.met);
        *report.told.entry((case.plan.what.word(), case.told)).or_default() += 1;
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (up, down) = self.lengths;
        writeln!(f, "{} faulted writes in {:.0} s, {} rounds", self.writes, self.took.as_secs_f32(), self.rounds)?;
        writeln!(f, "request {up} bytes, answer {down} bytes; every offset of both, 5 kinds of break")?;
        let mut told: Vec<_> = self.told.iter().collect();
        told.sort_by_key(|((word, told), _)| (*word, format!("{told:?}")));
        for ((word, told), count) in told {
            writeln!(f, "  {word:7} {count:7}  {told:?}")?;
        }
        writeln!(f, "{} writes under another name for a flipped bit", self.strange)?;
        for contradiction in self.contradictions.iter().take(20) {
            writeln!(f, "CONTRADICTION {contradiction}")?;
        }
        write!(f, "{} contradictions", self.contradictions.len())
    }
}
