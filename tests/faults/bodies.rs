//! Answers that are odd in each way, to a read, a write and a token request: none ends without an outcome or stays with
//! the broker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::answers::{Odd, all};
use super::caller::{Caller, Told};
use super::cases::{arguments, ledgers, name_of};
use super::oracle::{self, Ledger, Record};
use super::proxy::Instead;
use super::soak::{memory_of, peak_of};
use super::stage::Stage;

/// How many tenants are asked at once.
const LANES: usize = 8;
/// How long a call may take: less than answers without an end take, more than a repeat after a second.
const WITHIN: Duration = Duration::from_secs(2);
/// How much the broker may grow: for each tenant an answer of the largest size that is read, twice.
const GROWTH_KIB: u64 = LANES as u64 * 2 * 16 * 1024;

/// Whose answer is odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Read,
    Write,
    Token,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Odd answers that were given.
    pub answers: usize,
    /// What is wrong.
    pub wrong: Vec<String>,
    /// The broker's resident memory in KiB before and at the most.
    pub memory: (u64, u64),
    /// How long it took.
    pub took: Duration,
}

impl Report {
    /// Nothing is wrong, and the broker stayed small.
    pub fn is_good(&self) -> bool {
        self.wrong.is_empty() && self.memory.1.saturating_sub(self.memory.0) < GROWTH_KIB
    }
}

/// One call whose answer was odd.
struct Case {
    odd: &'static str,
    asked: Asked,
    name: String,
    told: Told,
    next: Told,
    met: bool,
    most: u64,
    may_succeed: bool,
}

/// Gives every odd answer to each kind of request.
pub fn run() -> Report {
    let began = Instant::now();
    let stage = Stage::build(LANES).serve();
    let mut report = Report { memory: (memory_of(stage.broker_pid()), 0), ..Report::default() };
    let all = all();
    let cases = stage.block_on(async {
        let lanes = (0..LANES).map(|lane| lane_of(&stage, lane, all.iter().skip(lane).step_by(LANES)));
        futures_util::future::join_all(lanes).await
    });
    let records = stage.records();
    for (lane, cases) in cases.into_iter().enumerate() {
        let ledgers = ledgers(&stage.world.tenants[lane].ledger());
        for case in cases {
            report.answers += usize::from(case.met);
            report.memory.1 = report.memory.1.max(case.most);
            let record = records.get(&case.name).cloned().unwrap_or_default();
            let wrong = judge(&case, &record, ledgers.get(&case.name).copied().unwrap_or_default());
            report.wrong.extend(wrong.map(|words| {
                format!("{words}: {} to {:?}: {:?}, then {:?}; {record:?}", case.odd, case.asked, case.told, case.next)
            }));
        }
    }
    report.took = began.elapsed();
    report
}

fn judge(case: &Case, record: &Record, ledger: Ledger) -> Option<&'static str> {
    let wrong = |is_wrong: bool, words| is_wrong.then_some(words);
    wrong(!case.met, "it was never asked for")
        .or_else(|| wrong(case.told == Told::Nothing, "never answered"))
        .or_else(|| wrong(case.told == Told::Success && !case.may_succeed, "told as done"))
        .or_else(|| wrong(case.next != Told::Success, "the next call failed"))
        .or_else(|| oracle::contradiction(case.told, record, ledger).filter(|_| case.asked == Asked::Write))
}

async fn lane_of(stage: &Stage, lane: usize, all: impl Iterator<Item = &Odd>) -> Vec<Case> {
    let mut caller = stage.caller(lane).await;
    caller.sign_in().await;
    let mut cases = Vec::new();
    for odd in all {
        for asked in [Asked::Read, Asked::Write, Asked::Token] {
            let name = name_of(&format!("esv-odd-{lane:02}"), cases.len());
            cases.push(one(stage, lane, &mut caller, odd, asked, name).await);
        }
    }
    cases
}

async fn one(stage: &Stage, lane: usize, caller: &mut Caller, odd: &Odd, asked: Asked, name: String) -> Case {
    let (proxy, tenant) = (&stage.proxies[lane], &stage.world.tenants[lane]);
    let line = match asked {
        Asked::Read => "GET /monitoring/logs/sources".to_owned(),
        Asked::Write => format!("PUT /environment/variables/{name}"),
        Asked::Token => "POST /am/oauth2/access_token".to_owned(),
    };
    match asked {
        Asked::Token => tenant.kill_scoped_tokens(),
        // so that the odd answer does not stand for the refusal of an old token
        Asked::Write => drop(caller.call("setVariable", &arguments(&format!("{name}-before")), WITHIN * 4).await),
        Asked::Read => {}
    }
    // a tenant that refuses has not done it
    let processed = !(400..500).contains(&odd.status);
    proxy.answer(&line, Instead { bytes: Arc::clone(&odd.bytes), again: odd.again, processed });
    let told = match asked {
        Asked::Write => caller.call("setVariable", &arguments(&name), WITHIN).await,
        Asked::Read | Asked::Token => caller.call("getLogSources", &json!({}), WITHIN).await,
    };
    let met = !proxy.disarm(&line);
    let most = peak_of(stage.broker_pid());
    // a token answer may have ended the session, rightly or not: then somebody signs in again
    let next = match caller.call("getLogSources", &json!({}), WITHIN * 4).await {
        Told::SignIn | Told::Failed(..) if asked == Asked::Token => {
            caller.sign_in().await;
            Told::Success
        }
        next => next,
    };
    // what is no write is asked again where there was no answer, and no odd answer holds a token
    let asked_again = asked == Asked::Token || (asked == Asked::Read && odd.status / 100 != 2);
    let may_succeed = odd.may_succeed || asked_again;
    Case { odd: odd.name, asked, name, told, next, met, most, may_succeed }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} odd answers in {:.0} s", self.answers, self.took.as_secs_f32())?;
        writeln!(f, "broker {} KiB before, at the most {} KiB", self.memory.0, self.memory.1)?;
        for wrong in self.wrong.iter().take(20) {
            writeln!(f, "WRONG {wrong}")?;
        }
        write!(f, "{} wrong", self.wrong.len())
    }
}
