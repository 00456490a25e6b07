//! Takes the network away under broker and tenant and brings it back. To be run in a network namespace of its own.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::caller::{Caller, Told};
use super::cases::{arguments, ledgers, name_of};
use super::oracle;
use super::stage::Stage;

/// How long a call may take.
const WITHIN: Duration = Duration::from_secs(2);
/// How soon after the network's return a call must succeed.
const BACK_WITHIN: Duration = Duration::from_secs(5);

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// What a read, and a write, was told while there was no network.
    pub meanwhile: Vec<Told>,
    /// From the network's return to the first success.
    pub back: Vec<Duration>,
    /// What is wrong.
    pub wrong: Vec<String>,
}

/// Takes the loopback away so often.
///
/// Errors: panics where the loopback is not this process's own to take away.
pub fn run(times: usize) -> Report {
    link("up");
    let stage = Stage::build(1).serve();
    let mut report = Report::default();
    let mut told = Vec::new();
    stage.block_on(async {
        let mut caller = stage.caller(0).await;
        caller.sign_in().await;
        for number in 0..times {
            let name = name_of("esv-away", number);
            link("down");
            report.meanwhile.push(caller.call("getLogSources", &json!({}), WITHIN).await);
            let write = caller.call("setVariable", &arguments(&name), WITHIN).await;
            report.meanwhile.push(write);
            told.push((name, write));
            link("up");
            report.back.push(until_success(&mut caller).await);
        }
    });
    stage.block_on(stage.settle());
    let (ledgers, records) = (ledgers(&stage.world.tenant().ledger()), stage.records());
    for (name, told) in told {
        let (ledger, record) = (ledgers.get(&name).copied().unwrap_or_default(), records.get(&name).cloned());
        let found = oracle::contradiction(told, &record.unwrap_or_default(), ledger);
        report.wrong.extend(found.map(|words| format!("{words}: {name}: {told:?} {ledger:?}")));
    }
    report.judge();
    report
}

impl Report {
    fn judge(&mut self) {
        if self.meanwhile.iter().any(|told| !matches!(told, Told::Failed(..))) {
            self.wrong.push(format!("a call without a network: {:?}", self.meanwhile));
        }
        if self.back.iter().any(|took| *took > BACK_WITHIN) {
            self.wrong.push(format!("the network was back for {:?} before a call succeeded", self.back));
        }
    }
}

async fn until_success(caller: &mut Caller) -> Duration {
    let began = Instant::now();
    while began.elapsed() < BACK_WITHIN * 4 {
        if caller.call("getLogSources", &json!({}), WITHIN).await == Told::Success {
            return began.elapsed();
        }
    }
    Duration::MAX
}

fn link(way: &str) {
    let done = Command::new("ip").args(["link", "set", "lo", way]).status().expect("ip, of the package iproute2");
    assert!(done.success(), "the loopback of a namespace of its own");
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "the network went and came {} times; meanwhile {:?}", self.back.len(), self.meanwhile)?;
        writeln!(f, "a call succeeded after {:.1?}", self.back)?;
        write!(f, "{} wrong: {:?}", self.wrong.len(), self.wrong)
    }
}
