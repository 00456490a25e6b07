//! Writes over TLS whose connection is broken: at each record of it, and at bytes of chance.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::caller::{Caller, Told};
use super::cases::{Case, arguments, judge, name_of, strange_since};
use super::oracle::{self, Ledger, Record};
use super::plan::{Chance, Plan, Way, every_kind, exhaustive};
use super::relay::Relay;
use super::report::Report;
use super::stage::Stage;
use super::terminator::Terminator;
use crate::harness::certificate;
use crate::tenant::switches::Issuer;

/// How many tenants are written to at once; every second one lets no session be resumed.
const LANES: usize = 4;
/// How long a call may take: a handshake and an exchange on a busy machine.
const WITHIN: Duration = Duration::from_millis(500);
/// A record's head: its kind, a version, and its length in two bytes.
///
/// Source: RFC 8446 section 5.1.
const RECORD_HEAD: usize = 5;

/// Breaks each record of a connection in every manner, and then bytes of chance, until there were so many writes.
pub fn run(writes: usize, seed: u64) -> Report {
    let (began, mut chance) = (Instant::now(), Chance::new(seed));
    let mut report = Report { rounds: 1, ..Report::default() };
    let (stage, mut lanes) = open();
    let cases = stage.block_on(async {
        for lane in &mut lanes {
            lane.learn(writes.div_ceil(LANES), &mut chance).await;
        }
        futures_util::future::join_all(lanes.iter_mut().map(|lane| lane.run(&stage))).await
    });
    report.lengths = lanes[0].lengths;
    let records = stage.records();
    for (lane, cases) in lanes.iter().zip(cases) {
        judge(&mut report, &stage.world.tenants[lane.number], &records, cases, verdict);
    }
    report.took = began.elapsed();
    report
}

/// What is changed on the way does not come through TLS at all.
fn verdict(case: &Case, record: &Record, ledger: Ledger) -> Option<&'static str> {
    let came_through = (case.strange > 0).then_some("a write that no caller made");
    came_through.or_else(|| oracle::contradiction(case.told, record, ledger))
}

/// One tenant behind TLS behind a relay, and its caller, who is signed in.
struct Lane {
    number: usize,
    relay: Relay,
    _terminator: Terminator,
    caller: Caller,
    lengths: (usize, usize),
    plans: VecDeque<Plan>,
}

fn open() -> (Stage, Vec<Lane>) {
    let stage = Stage::build(LANES);
    let chain = certificate(&stage.world.place.home, "authority", "localhost", 9);
    let ways: Vec<(Terminator, Relay, u16)> = stage
        .world
        .tenants
        .iter()
        .enumerate()
        .map(|(number, tenant)| {
            stage.block_on(async {
                let terminator = Terminator::start(&chain, tenant.port(), number % 2 == 0).await.expect("a terminator");
                let (relay, port) = Relay::tcp(terminator.port).await.expect("a relay");
                tenant.switches().issuer = Issuer::Text(format!("https://localhost:{port}/am/oauth2"));
                (terminator, relay, port)
            })
        })
        .collect();
    configure(&stage, &chain, &ways.iter().map(|(.., port)| *port).collect::<Vec<_>>());
    let stage = stage.serve();
    let lanes = ways.into_iter().enumerate().map(|(number, (terminator, relay, _))| {
        let caller = stage.block_on(async {
            let mut caller = stage.caller(number).await;
            caller.sign_in().await;
            caller
        });
        Lane { number, relay, _terminator: terminator, caller, lengths: (0, 0), plans: VecDeque::new() }
    });
    let lanes = lanes.collect();
    (stage, lanes)
}

/// The broker speaks TLS with the relays; the browser, which knows none, goes to the tenants themselves.
fn configure(stage: &Stage, chain: &std::path::Path, ports: &[u16]) {
    let world = &stage.world;
    let ca: PathBuf = chain.with_file_name("authority.pem");
    let browser = world.place.programs.join("browser");
    let ways: Vec<(String, String)> = world
        .tenants
        .iter()
        .zip(ports)
        .map(|(tenant, port)| (tenant.base_url(), format!("https://localhost:{port}")))
        .collect();
    let turns: String = ways.iter().map(|(tenant, outside)| format!("s#{outside}#{tenant}#;")).collect();
    let script =
        format!("exec {} {} \"$(echo \"$1\" | sed '{turns}')\"", browser.display(), world.place.browser.display());
    let top = format!("ca_file = {ca:?}\nbrowser = [\"/bin/sh\", \"-c\", {script:?}, \"browser\"]");
    let mut text = world.configuration(&top);
    for (tenant, outside) in &ways {
        text = text.replace(&format!("base_url = \"{tenant}\""), &format!("base_url = \"{outside}\""));
    }
    world.write_configuration(&text);
}

impl Lane {
    fn prefix(&self) -> String {
        format!("esv-tls-{:02}", self.number)
    }

    /// Learns an unbroken connection's records and draws the plans.
    async fn learn(&mut self, writes: usize, chance: &mut Chance) {
        self.relay.arm(None);
        let name = name_of(&self.prefix(), 0);
        let told = self.caller.call("setVariable", &arguments(&name), Duration::from_secs(20)).await;
        assert_eq!(told, Told::Success);
        let [up, down] = self.relay.passed();
        self.lengths = (up.len(), down.len());
        let of = |way, bytes: &[u8]| at_records(bytes).into_iter().map(move |at| (way, at)).collect::<Vec<_>>();
        let places = of(Way::Up, &up).into_iter().chain(of(Way::Down, &down));
        let anywhere = exhaustive(up.len(), down.len(), chance);
        self.plans = every_kind(places, chance).into_iter().chain(anywhere).take(writes).collect();
    }

    async fn run(&mut self, stage: &Stage) -> Vec<Case> {
        let (tenant, prefix) = (&stage.world.tenants[self.number], self.prefix());
        let mut cases = Vec::with_capacity(self.plans.len());
        while let Some(plan) = self.plans.pop_front() {
            let name = name_of(&prefix, cases.len() + 1);
            let before = tenant.ledger_length();
            self.relay.arm(Some(plan));
            let told = self.caller.call("setVariable", &arguments(&name), WITHIN).await;
            let met = !self.relay.disarm();
            if !met {
                self.plans.push_back(plan);
            }
            cases.push(Case { name, plan, met, told, strange: strange_since(tenant, before, &prefix) });
        }
        while !self.relay.is_quiet() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cases
    }
}

/// Before, in the head of, in the middle of and just before the end of each record.
fn at_records(bytes: &[u8]) -> Vec<usize> {
    let mut places = Vec::new();
    let mut start = 0;
    while let Some([.., high, low]) = bytes.get(start..start + RECORD_HEAD) {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        places.extend([
            start,
            start + 3,
            start + RECORD_HEAD,
            start + RECORD_HEAD + length / 2,
            start + RECORD_HEAD + length - 1,
        ]);
        start += RECORD_HEAD + length;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_record_is_found_by_the_one_before() {
        let bytes = [&[22, 3, 1, 0, 4, 1, 2, 3, 4][..], &[23, 3, 3, 0, 2, 5, 6], &[23, 3]].concat();

        assert_eq!(at_records(&bytes), [0, 3, 5, 7, 8, 9, 12, 14, 15, 15]);
    }
}
