//! A short, seeded run of each part of the fault engine; the program `faults` runs them for their figures.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod as_root;
mod surroundings;

use aic_tests::faults::{bodies, flood, frames, kills, races, sleeps, soak, storm, tls, writes};

#[test]
fn broken_writes_contradict_nothing() {
    let report = writes::run(writes::Asked { seed: 7, writes: 400, whole_rounds: false });

    assert!(report.contradictions.is_empty(), "{report}");
    assert_eq!(report.writes, 400);
    assert!(report.lengths.0 > 200 && report.lengths.1 > 200, "{report}");
}

#[test]
fn a_broken_connection_between_shim_and_broker_contradicts_nothing() {
    let report = frames::run(160, 7);

    assert!(report.contradictions.is_empty(), "{report}");
    assert_eq!(report.writes, 160);
    assert!(report.lengths.0 > 100 && report.lengths.1 > 100, "{report}");
}

#[test]
fn a_broken_tls_connection_contradicts_nothing_and_lets_no_changed_byte_through() {
    let report = tls::run(400, 7);

    assert!(report.contradictions.is_empty(), "{report}");
    assert_eq!((report.writes, report.strange), (400, 0));
}

#[test]
fn a_race_for_the_socket_has_one_owner() {
    let report = races::run(300, races::CONTENDERS, 7);

    assert!(report.is_good(), "{report}");
}

#[test]
fn a_place_that_is_cleared_away_meanwhile_never_has_two_owners() {
    let report = races::while_cleared(300, races::CONTENDERS, 7);

    assert!(report.is_safe(), "{report}");
}

#[test]
fn brokers_that_start_at_once_leave_one() {
    for contenders in [2, races::CONTENDERS] {
        let report = races::with_brokers(6, contenders, 7);

        assert!(report.is_good(), "{report}");
    }
}

#[test]
fn a_killed_broker_leaves_no_lie() {
    let report = kills::run(12, 7);

    assert!(report.contradictions.is_empty(), "{report}");
    assert_eq!(report.kills, 12);
}

#[test]
fn a_broker_or_shim_that_slept_and_a_clock_that_jumped_leave_no_lie() {
    let report = sleeps::run(16, 7);

    assert!(report.contradictions.is_empty(), "{report}");
    assert_eq!(report.sleeps, 16);
}

#[test]
fn no_odd_answer_is_a_success_or_stays_with_the_broker() {
    let report = bodies::run();

    assert!(report.is_good() && report.answers > 200, "{report}");
}

#[test]
fn shims_that_start_at_once_share_one_broker() {
    let report = storm::run(40);

    assert!(report.is_good(), "{report}");
}

#[test]
fn offenders_cost_the_others_no_call() {
    let report = flood::run(2, 15);

    assert!(report.is_good(), "{report}");
}

#[test]
fn every_call_of_a_soak_has_an_outcome() {
    let report = soak::run(1500, 7);

    assert!(report.is_good(), "{report}");
}
