//! The program `faults`: runs one part of the fault engine for its figures.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::process::ExitCode;

use aic_tests::faults::{bodies, flood, frames, kills, network, races, sleeps, soak, storm, tls, writes};

const HELP: &str = "usage: faults PART [COUNT] [SEED]
  writes  COUNT faulted writes (100000), every offset of request and answer
  frames  COUNT faulted writes of shims (all), every offset between shim and broker
  tls     COUNT faulted writes over TLS (4000), each record and bytes of chance
  bodies  every odd answer to a read, a write and a token request
  sleeps  COUNT sleeps of broker or shim, with clocks that jump (200)
  network COUNT times without a network (10); run it by unshare --net, as root
  races   COUNT starts of sixteen contenders (10000)
  clearings COUNT starts of eight while eight others clear the place away (10000)
  brokers COUNT starts of sixteen real brokers (200)
  kills   COUNT ends of the broker by SIGKILL (1000)
  storm   COUNT shims that start at once (1000)
  flood   a healthy shim beside each offender, blocks of COUNT calls (200)
  soak    COUNT calls with mixed faults (1000000)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, usual: u64| arguments.get(place).map_or(Ok(usual), |word| word.parse::<u64>());
    let (Some(part), Ok(seed)) = (arguments.first(), number(2, 1)) else { return usage() };
    let count = |usual| number(1, usual).ok().and_then(|count| usize::try_from(count).ok());
    let (report, good) = match part.as_str() {
        "writes" => {
            let Some(writes) = count(100_000) else { return usage() };
            let report = writes::run(writes::Asked { seed, writes, whole_rounds: true });
            (report.to_string(), report.contradictions.is_empty())
        }
        "frames" => {
            let Some(writes) = count(u64::MAX) else { return usage() };
            let report = frames::run(writes, seed);
            (report.to_string(), report.contradictions.is_empty())
        }
        "tls" => {
            let Some(writes) = count(4000) else { return usage() };
            let report = tls::run(writes, seed);
            (report.to_string(), report.contradictions.is_empty())
        }
        "bodies" => {
            let report = bodies::run();
            (report.to_string(), report.is_good())
        }
        "sleeps" => {
            let Some(sleeps) = count(200) else { return usage() };
            let report = sleeps::run(sleeps, seed);
            (report.to_string(), report.contradictions.is_empty())
        }
        "network" => {
            let Some(times) = count(10) else { return usage() };
            let report = network::run(times);
            (report.to_string(), report.wrong.is_empty())
        }
        "races" => {
            let Some(races) = count(10_000) else { return usage() };
            let report = races::run(races, races::CONTENDERS, seed);
            (report.to_string(), report.is_good())
        }
        "clearings" => {
            let Some(races) = count(10_000) else { return usage() };
            let report = races::while_cleared(races, races::CONTENDERS, seed);
            (report.to_string(), report.is_safe())
        }
        "brokers" => {
            let Some(races) = count(200) else { return usage() };
            let report = races::with_brokers(races, races::CONTENDERS, seed);
            (report.to_string(), report.is_good())
        }
        "kills" => {
            let Some(kills) = count(1000) else { return usage() };
            let report = kills::run(kills, seed);
            (report.to_string(), report.contradictions.is_empty())
        }
        "storm" => {
            let Some(shims) = count(1000) else { return usage() };
            let report = storm::run(shims);
            (report.to_string(), report.is_good())
        }
        "flood" => {
            let Some(calls) = count(200) else { return usage() };
            let report = flood::run(10, calls);
            (report.to_string(), report.is_good())
        }
        "soak" => {
            let Some(calls) = count(1_000_000) else { return usage() };
            let report = soak::run(calls, seed);
            (report.to_string(), report.is_good())
        }
        _ => return usage(),
    };
    println!("faults {} (seed {seed})\n{report}", arguments.join(" "));
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> ExitCode {
    println!("{HELP}");
    ExitCode::from(2)
}
