//! Writes of real shims whose connection to the broker is broken: every kind of break at every byte from hello to answer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::caller::Told;
use super::cases::{Case, arguments, judge, name_of, strange_since};
use super::oracle::{self, Ledger, Record};
use super::plan::{Chance, Plan, exhaustive};
use super::relay::Relay;
use super::report::Report;
use super::stage::Stage;
use crate::harness::{Asked, Editor};

/// How many shims there are, each with a relay and a tenant of its own.
const LANES: usize = 8;
/// How long a call may take: a broken one that nobody is told of takes all of it.
const WITHIN_SECONDS: u64 = 2;
/// How much later than that its answer counts as late.
const GRACE: Duration = Duration::from_secs(3);

/// Breaks so many writes at the most; each offset and kind once.
pub fn run(writes: usize, seed: u64) -> Report {
    let (began, mut chance) = (Instant::now(), Chance::new(seed));
    let mut report = Report { rounds: 1, ..Report::default() };
    let stage = Stage::build(LANES).serve();
    let mut lanes: Vec<Lane<'_>> = (0..LANES).map(|number| Lane::open(&stage, number)).collect();
    report.lengths = lanes[0].learn();
    let mut plans = exhaustive(report.lengths.0, report.lengths.1, &mut chance);
    plans.truncate(writes);
    let each = plans.len().div_ceil(LANES);
    let told: Vec<Vec<Case>> = std::thread::scope(|scope| {
        let parts = lanes.iter_mut().zip(plans.chunks(each));
        let running: Vec<_> = parts.map(|(lane, plans)| scope.spawn(|| lane.run(plans))).collect();
        running.into_iter().map(|lane| lane.join().unwrap()).collect()
    });
    let records = stage.records();
    for (lane, cases) in lanes.iter().zip(told) {
        report.contradictions.extend(lane.editor.violations());
        report.contradictions.extend(lane.late.iter().cloned());
        judge(&mut report, &stage.world.tenants[lane.number], &records, cases, verdict);
    }
    report.took = began.elapsed();
    report
}

/// A bit flipped on the socket makes another message of it. Nothing can tell; there must be an answer and one write at
/// the most.
fn verdict(case: &Case, record: &Record, ledger: Ledger) -> Option<&'static str> {
    match case.told {
        Told::Nothing => Some("never answered"),
        _ if case.is_flipped() => (ledger.arrived > 1).then_some("sent twice"),
        told => oracle::contradiction_apart(told, record, ledger),
    }
}

/// One editor with its shim, and the relay before the broker.
struct Lane<'a> {
    stage: &'a Stage,
    number: usize,
    relay: Relay,
    editor: Editor,
    late: Vec<String>,
}

impl<'a> Lane<'a> {
    fn open(stage: &'a Stage, number: usize) -> Self {
        let world = &stage.world;
        let directory = world.place.root.join(format!("relay{number}"));
        let relay = stage.block_on(Relay::unix(&directory, world.place.socket())).expect("a relay");
        let variables =
            [("AIC_BROKER_RUNTIME_DIR", directory.display().to_string()), ("AIC_BASE_URL", format!("t{number}"))];
        let variables = variables.map(|(name, value)| (name.to_owned(), Some(value))).into();
        let arguments = vec!["--answer-within".to_owned(), WITHIN_SECONDS.to_string()];
        stage.block_on(async { stage.caller(number).await.sign_in().await });
        let editor = world.editor_as(Asked { variables, arguments, ..Asked::default() });
        Self { stage, number, relay, editor, late: Vec::new() }
    }

    /// How many bytes a connection with one unbroken write has.
    fn learn(&mut self) -> (usize, usize) {
        self.relay.arm(None);
        assert_eq!(self.write(&name_of(&self.prefix(), 0)), Told::Success);
        let [up, down] = self.relay.passed();
        (up.len(), down.len())
    }

    fn prefix(&self) -> String {
        format!("esv-frame-{:02}", self.number)
    }

    fn write(&mut self, name: &str) -> Told {
        let answer = self.editor.call("setVariable", arguments(name));
        if answer.took > Duration::from_secs(WITHIN_SECONDS) + GRACE {
            self.late.push(format!("late: {name}: {answer}"));
        }
        Told::by(&answer)
    }

    fn run(&mut self, plans: &[Plan]) -> Vec<Case> {
        let (tenant, prefix) = (&self.stage.world.tenants[self.number], self.prefix());
        let mut waiting: VecDeque<Plan> = plans.iter().copied().collect();
        let mut cases = Vec::with_capacity(plans.len());
        while let Some(plan) = waiting.pop_front() {
            let name = name_of(&prefix, cases.len() + 1);
            let before = tenant.ledger_length();
            self.relay.arm(Some(plan));
            let told = self.write(&name);
            let met = !self.relay.disarm();
            if !met {
                waiting.push_back(plan);
            }
            cases.push(Case { name, plan, met, told, strange: strange_since(tenant, before, &prefix) });
        }
        cases
    }
}
