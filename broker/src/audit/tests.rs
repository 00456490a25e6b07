#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::Write as _;

use super::check::{Broken, Place};
use super::files::LOG;
use super::*;

fn directory() -> PathBuf {
    std::env::temp_dir().join(format!("aic-audit-{}", crate::clock::random_id().unwrap()))
}

fn add(audit: &Audit, events: &[&'static str]) {
    for event in events {
        audit.append(&Entry { event, ..Entry::default() }).unwrap();
    }
}

fn world() -> PathBuf {
    let place = directory();
    add(&Audit::in_directory(&place), &["start", "sign_in", "call", "stop"]);
    place
}

/// A log of twelve lines in files of one or two lines each.
fn in_many_files() -> PathBuf {
    let place = directory();
    add(&Audit::with_files_of(&place, 200), &["call"; 12]);
    assert!(names(&place).len() > 5);
    place
}

/// The files of the log, in their order.
fn names(place: &Path) -> Vec<String> {
    files::all(place).unwrap().into_iter().map(|(name, _)| name).collect()
}

fn rewrite(place: &Path, change: impl FnOnce(&mut Vec<String>)) {
    let log = place.join(LOG);
    let mut lines: Vec<String> = std::fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
    change(&mut lines);
    std::fs::write(&log, lines.join("\n") + "\n").unwrap();
}

fn add_raw(place: &Path, text: &str) {
    std::fs::OpenOptions::new().append(true).open(place.join(LOG)).unwrap().write_all(text.as_bytes()).unwrap();
}

fn at(line: usize) -> Place {
    Place { file: LOG.to_owned(), line }
}

#[test]
fn an_untouched_log_is_whole_also_after_a_restart() {
    let place = world();

    add(&Audit::in_directory(&place), &["start"]);

    assert_eq!(verify(&place), Ok(5));
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn every_change_is_found() {
    type Change = fn(&mut Vec<String>);
    let cases: [(Change, Broken); 6] = [
        (
            |lines| lines[1] = lines[1].replace("sign_in", "sign_on"),
            Broken::Chain { place: at(3), found: 3, before: 2 },
        ),
        (|lines| drop(lines.remove(1)), Broken::Chain { place: at(2), found: 3, before: 1 }),
        (|lines| drop(lines.remove(0)), Broken::Chain { place: at(1), found: 2, before: 0 }),
        (|lines| lines.swap(1, 2), Broken::Chain { place: at(2), found: 3, before: 1 }),
        (|lines| drop(lines.pop()), Broken::End { found: 3, kept: 4 }),
        (|lines| lines[2].truncate(9), Broken::Line(at(3))),
    ];

    for (change, wanted) in cases {
        let place = world();
        rewrite(&place, change);
        assert_eq!(verify(&place), Err(wanted));
        std::fs::remove_dir_all(place).unwrap();
    }
}

#[test]
fn a_changed_last_line_is_found() {
    let place = world();

    rewrite(&place, |lines| lines[3] = lines[3].replace("stop", "step"));

    assert_eq!(verify(&place), Err(Broken::End { found: 4, kept: 4 }));
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn a_log_whose_end_nothing_knows_is_not_whole() {
    let place = world();

    std::fs::remove_file(place.join("audit.head")).unwrap();

    assert_eq!(verify(&place), Err(Broken::Head));
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn a_lost_end_stays_visible() {
    let place = world();
    rewrite(&place, |lines| drop(lines.pop()));

    add(&Audit::in_directory(&place), &["start"]);

    assert_eq!(verify(&place), Err(Broken::Chain { place: at(4), found: 5, before: 3 }));
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn half_a_line_that_was_never_on_record_is_taken_away() {
    let place = world();
    add_raw(&place, "{\"time\":\"2026");
    assert_eq!(verify(&place), Err(Broken::Line(at(5))), "nobody is writing it");

    add(&Audit::in_directory(&place), &["start"]);

    assert_eq!(verify(&place), Ok(5));
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn what_is_left_of_a_line_on_record_stays_to_be_seen() {
    let place = world();
    let text = std::fs::read_to_string(place.join(LOG)).unwrap();
    std::fs::write(place.join(LOG), &text[..text.len() - 20]).unwrap();

    add(&Audit::in_directory(&place), &["start"]);

    assert_eq!(verify(&place), Err(Broken::Line(at(4))));
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn a_last_line_without_its_end_is_ended() {
    let place = world();
    let text = std::fs::read_to_string(place.join(LOG)).unwrap();
    std::fs::write(place.join(LOG), text.trim_end()).unwrap();

    add(&Audit::in_directory(&place), &["start"]);

    assert_eq!(verify(&place), Ok(5));
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn a_line_that_is_being_written_is_left_out() {
    let place = directory();
    let audit = Audit::in_directory(&place);
    add(&audit, &["start", "call"]);

    add_raw(&place, "{\"time\":");
    let mut shown = 0;
    read(&place, |_| shown += 1).unwrap();

    assert_eq!((verify(&place), shown), (Ok(2), 2));
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn the_chain_goes_over_many_files_and_a_restart() {
    let place = in_many_files();
    let before = names(&place).len();

    add(&Audit::with_files_of(&place, 200), &["start", "call", "call"]);
    let mut shown = Vec::new();
    read(&place, |line| shown.push(serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"].clone())).unwrap();

    assert_eq!(verify(&place), Ok(15));
    assert_eq!(shown, (1..=15).collect::<Vec<u64>>());
    assert!(names(&place).len() > before);
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn a_missing_file_is_found_whichever_it_is() {
    let count = {
        let place = in_many_files();
        let count = names(&place).len();
        std::fs::remove_dir_all(place).unwrap();
        count
    };
    for number in 0..count {
        let place = in_many_files();
        std::fs::remove_file(place.join(&names(&place)[number])).unwrap();
        assert!(matches!(verify(&place), Err(Broken::Chain { .. } | Broken::End { .. })), "{number}");
        std::fs::remove_dir_all(place).unwrap();
    }
}

#[test]
fn a_log_that_grows_and_turns_its_files_is_whole_at_every_look() {
    let place = directory();
    let audit = Audit::with_files_of(&place, 400);
    add(&audit, &["start"]);

    std::thread::scope(|scope| {
        let writing = scope.spawn(|| add(&audit, &["call"; 400]));
        let mut seen = 1;
        while !writing.is_finished() {
            let now = verify(&place).unwrap();
            assert!(now >= seen, "{now} {seen}");
            seen = now;
        }
    });

    assert_eq!(verify(&place), Ok(401));
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn there_is_one_writer() {
    let place = directory();
    let (first, second) = (Audit::with_files_of(&place, 200), Audit::with_files_of(&place, 200));
    add(&first, &["start", "call", "call"]);

    let refused = second.append(&Entry { event: "start", ..Entry::default() }).unwrap_err();
    add(&first, &["stop"]);
    drop(first);
    add(&second, &["start"]);

    assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
    assert_eq!(verify(&place), Ok(5));
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn a_log_that_was_taken_away_is_begun_anew_and_the_gap_is_found() {
    let place = directory();
    let audit = Audit::in_directory(&place);
    add(&audit, &["start", "call"]);

    std::fs::remove_file(place.join(LOG)).unwrap();
    add(&audit, &["call"]);

    assert_eq!(verify(&place), Err(Broken::Chain { place: at(1), found: 3, before: 0 }));
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn a_write_is_in_doubt_until_its_call_is_answered() {
    let place = directory();
    let audit = Audit::with_files_of(&place, 1200);
    let line = |event, id: &str, executed| Entry {
        event,
        tenant: Some("t".to_owned()),
        tool: Some("setVariable".to_owned()),
        fingerprint: Some(format!("f-{}", id.trim_start_matches("again "))),
        transaction_id: Some(id.to_owned()),
        executed,
        ..Entry::default()
    };
    for (event, id, executed) in [
        ("intent", "answered", None),
        ("intent", "open", None),
        ("intent", "unknown", None),
        ("call", "answered", Some("yes")),
        ("call", "unknown", Some("unknown")),
        ("call", "another", Some("no")),
        ("intent", "repeated", None),
        ("call", "repeated", Some("unknown")),
        ("intent", "again repeated", None),
        ("call", "again repeated", Some("yes")),
    ] {
        audit.append(&line(event, id, executed)).unwrap();
    }

    let found = in_doubt(&place).unwrap();

    let ids: Vec<&str> = found.iter().map(|doubt| doubt.fingerprint.as_str()).collect();
    assert_eq!(ids, ["f-open", "f-unknown"]);
    std::fs::remove_dir_all(place).unwrap();
}
