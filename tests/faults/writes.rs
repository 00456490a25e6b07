//! Writes through a broken network: every kind of break at every byte of request and answer, judged by the oracle.

use std::collections::VecDeque;
use std::io::Write as _;
use std::time::{Duration, Instant};

use super::caller::{Caller, Told};
use super::cases::{Case, arguments, judge, name_of, strange_since};
use super::oracle;
use super::plan::{Chance, Plan, exhaustive};
use super::proxy::Proxy;
use super::report::Report;
use super::stage::Stage;
use crate::tenant::Tenant;

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
        let verdict = |case: &Case, record: &_, ledger| oracle::contradiction(case.told, record, ledger);
        judge(report, &stage.world.tenants[lane], &records, cases, verdict);
    }
    report.rounds += 1;
}

/// The lengths of an unbroken write's messages; names are all of the same length.
async fn learn(caller: &mut Caller, proxy: &Proxy) -> (usize, usize) {
    let told = caller.call("setVariable", &arguments(&name_of("esv-xxx-xx", 0)), Duration::from_secs(20)).await;
    assert_eq!(told, Told::Success);
    proxy.lengths()
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
        let strange = strange_since(tenant, before, &prefix);
        cases.push(Case { name, plan, met, told, strange });
    }
    cases
}
