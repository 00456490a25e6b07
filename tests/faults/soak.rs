//! Very many calls of many shims, with faults of every kind mixed in: each call must come to exactly one outcome.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::caller::Told;
use super::plan::{Break, Chance, Plan, Way};
use super::stage::Stage;
use crate::tenant::Tenant;
use crate::tenant::faults::{Fault, Kind, RetryAfter};
use crate::tenant::switches::Canned;

/// How many tenants there are, and shims for each.
const TENANTS: usize = 4;
const SHIMS: usize = 4;
/// How many calls a shim has in flight.
const IN_FLIGHT: usize = 8;
/// How long one call may take, and how much later its answer counts as missing.
const WITHIN: Duration = Duration::from_secs(2);
const MISSING_AFTER: Duration = Duration::from_secs(30);
/// How often the broker's memory and descriptors are looked at.
const LOOKS: usize = 20;

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Calls.
    pub calls: usize,
    /// How each ended.
    pub outcomes: BTreeMap<String, usize>,
    /// Calls without an outcome.
    pub without: usize,
    /// Answers to no call, or second ones.
    pub surplus: usize,
    /// Shims that left with calls in flight and came again; those calls have no reader.
    pub left: usize,
    /// Calls done, memory in KiB, descriptors.
    pub looks: Vec<(usize, u64, usize)>,
    /// How long it took.
    pub took: Duration,
}

impl Report {
    /// Every call has one outcome.
    pub fn is_good(&self) -> bool {
        self.without == 0 && self.surplus == 0
    }

    /// How the memory grew from the first quarter on, in KiB for 100,000 calls.
    pub fn slope(&self) -> f64 {
        let later = &self.looks[self.looks.len() / 4..];
        let count = later.len() as f64;
        let mean = |of: &dyn Fn(&(usize, u64, usize)) -> f64| later.iter().map(of).sum::<f64>() / count;
        let (x, y) = (mean(&|look| look.0 as f64), mean(&|look| look.1 as f64));
        let (mut over, mut under) = (0.0, 0.0);
        for look in later {
            let apart = look.0 as f64 - x;
            over += apart * (look.1 as f64 - y);
            under += apart * apart;
        }
        if under == 0.0 { 0.0 } else { over / under * 100_000.0 }
    }
}

/// Makes so many calls.
pub fn run(calls: usize, seed: u64) -> Report {
    let stage = Stage::build(TENANTS).serve();
    let mut report = Report::default();
    let began = Instant::now();
    let part = calls.div_ceil(LOOKS);
    let mut chances: Vec<Chance> = (0..TENANTS * SHIMS).map(|shim| Chance::new(seed * 1000 + shim as u64)).collect();
    stage.block_on(async {
        for tenant in 0..TENANTS {
            stage.caller(tenant).await.sign_in().await;
        }
    });
    look(&stage, &mut report);
    while report.calls < calls {
        let each = part.min(calls - report.calls).div_ceil(TENANTS * SHIMS);
        let shims = chances.iter_mut().enumerate().map(|(shim, chance)| one(&stage, shim, each, chance));
        let parts = stage.block_on(futures_util::future::join_all(shims));
        parts.into_iter().for_each(|part| report.add(part));
        stage.world.tenants.iter().for_each(Tenant::clear_ledger);
        stage.world.tenants.iter().for_each(Tenant::clear_faults);
        look(&stage, &mut report);
    }
    report.took = began.elapsed();
    report
}

impl Report {
    fn add(&mut self, part: Self) {
        self.calls += part.calls;
        self.without += part.without;
        self.surplus += part.surplus;
        self.left += part.left;
        for (outcome, count) in part.outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
    }
}

fn look(stage: &Stage, report: &mut Report) {
    let pid = stage.broker_pid();
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    report.looks.push((report.calls, memory_of(pid), descriptors));
}

/// Resident memory in KiB.
pub fn memory_of(pid: u32) -> u64 {
    status_of(pid, "VmRSS:")
}

/// The most resident memory that there was, in KiB.
pub fn peak_of(pid: u32) -> u64 {
    status_of(pid, "VmHWM:")
}

fn status_of(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_default()
}

/// One shim's part: calls with some in flight, and faults before some of them.
async fn one(stage: &Stage, shim: usize, calls: usize, chance: &mut Chance) -> Report {
    let tenant = shim % TENANTS;
    let mut report = Report::default();
    let mut caller = stage.caller(tenant).await;
    let mut open = HashSet::new();
    while report.calls < calls || !open.is_empty() {
        while open.len() < IN_FLIGHT && report.calls < calls {
            let (tool, arguments) = draw(stage, tenant, chance);
            let Some(id) = caller.send(tool, &arguments, WITHIN).await else { break };
            open.insert(id);
            report.calls += 1;
        }
        match tokio::time::timeout(MISSING_AFTER, caller.next_answer()).await {
            Ok(Some((id, told))) if open.remove(&id) => {
                *report.outcomes.entry(word(told)).or_default() += 1;
            }
            Ok(Some(_)) => report.surplus += 1,
            Ok(None) | Err(_) => {
                report.without += open.len();
                open.clear();
                caller = stage.caller(tenant).await;
            }
        }
        // an editor window is closed: what it had in flight is nobody's any more
        if chance.below(2000) == 0 {
            report.left += open.len();
            open.clear();
            caller = stage.caller(tenant).await;
        }
    }
    report
}

fn word(told: Told) -> String {
    match told {
        Told::Success => "success".to_owned(),
        Told::Failed(kind, executed) => format!("{}, executed {}", kind.word(), executed.word()),
        other => format!("{other:?}"),
    }
}

/// A call, and one time in ten a fault that waits for it or for another one.
fn draw(stage: &Stage, tenant: usize, chance: &mut Chance) -> (&'static str, Value) {
    let number = chance.number();
    let name = format!("esv-soak-{number:016x}");
    let writes = chance.below(4) == 0;
    if chance.below(10) == 0 {
        let path = if writes { name.as_str() } else { "/logs/sources" };
        stage.world.tenants[tenant].add_fault(Fault::once(path, fault(chance)));
    }
    if writes && chance.below(10) == 0 {
        let way = if chance.below(2) == 0 { Way::Up } else { Way::Down };
        let at = usize::try_from(chance.below(900)).unwrap();
        let what = [Break::Finish, Break::Reset, Break::Delay(chance.below(50)), Break::Stop]
            [usize::try_from(chance.below(4)).unwrap()];
        stage.proxies[tenant].arm(&format!("PUT /environment/variables/{name}"), Plan { way, at, what });
    }
    match writes {
        true => ("setVariable", json!({"variableId": name, "value": "green", "type": "string"})),
        false => ("getLogSources", json!({})),
    }
}

fn fault(chance: &mut Chance) -> Kind {
    let reply = |status, retry_after| Kind::Reply {
        answer: Canned { status, body: Value::Null, content_type: None },
        retry_after,
        processed: false,
    };
    match chance.below(9) {
        0 => Kind::ResetBefore,
        1 => Kind::ResetAfter,
        2 => Kind::Truncated,
        3 => Kind::Delay { milliseconds: chance.below(100) },
        4 => reply(429, Some(RetryAfter::Seconds(0))),
        5 => reply(503, Some(RetryAfter::Seconds(0))),
        6 => reply(500, None),
        7 => reply(401, None),
        _ => Kind::Huge { bytes: 100_000 },
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rate = self.calls as f64 / self.took.as_secs_f64();
        writeln!(
            f,
            "{} calls of {} shims in {:.0} s ({rate:.0} a second)",
            self.calls,
            TENANTS * SHIMS,
            self.took.as_secs_f32()
        )?;
        for (outcome, count) in &self.outcomes {
            writeln!(f, "  {count:8}  {outcome}")?;
        }
        writeln!(f, "  {:8}  in flight when their shim left", self.left)?;
        for (calls, memory, descriptors) in &self.looks {
            writeln!(f, "  after {calls:8} calls: {memory} KiB resident, {descriptors} descriptors")?;
        }
        writeln!(f, "memory grows by {:.0} KiB for 100,000 calls", self.slope())?;
        write!(f, "without an outcome: {}; answers too many: {}", self.without, self.surplus)
    }
}
