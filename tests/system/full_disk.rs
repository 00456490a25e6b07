//! A state directory that is full, read-only or out of inodes: reads go on, writes are refused, all is well again by itself.
//!
//! The broker runs in a mount namespace of its own, which ends with it. Needs root, which mounts.

use std::path::PathBuf;
use std::process::Command;

use aic_tests::harness::{Editor, Running, World};
use serde_json::json;

use crate::{calls, world};

fn can_mount() -> bool {
    rustix::process::geteuid().is_root()
}

/// A world whose broker sees a small file system as its state directory.
struct Small {
    world: World,
    broker: Running,
    editor: Editor,
}

impl Small {
    fn of(options: &str) -> Self {
        let world = world();
        let state = world.place.state.to_str().unwrap();
        let mount = format!("mount -t tmpfs -o mode=700,{options} tmpfs {state} && exec \"$0\" \"$@\"");
        let broker = world.serve_behind(&["/usr/bin/unshare", "--mount", "/bin/sh", "-c", &mount]);
        let editor = world.editor("editor");
        Self { world, broker, editor }
    }

    /// The state directory as the broker sees it.
    fn state(&self) -> PathBuf {
        let state = self.world.place.state.strip_prefix("/").unwrap();
        PathBuf::from(format!("/proc/{}/root", self.broker.pid())).join(state)
    }

    fn inside(&self, words: &[&str]) {
        let pid = self.broker.pid().to_string();
        let done = Command::new("/usr/bin/nsenter").args(["--target", &pid, "--mount"]).args(words).output().unwrap();
        assert!(done.status.success(), "{words:?}: {done:?}");
    }

    fn writes(&mut self) {
        let (tool, arguments) = calls::write();
        self.editor.call(tool, arguments).succeeded();
    }

    /// Reads go on with a warning, and no write is sent.
    #[track_caller]
    fn only_reads(&mut self) {
        let before = calls::requests_to_variables(self.world.tenant());
        let (tool, arguments) = calls::write();
        let refused = self.editor.call(tool, arguments).refused("not_allowed");
        assert!(refused.text().contains("audit log"), "{refused}");
        assert_eq!(calls::requests_to_variables(self.world.tenant()), before);
        let read = calls::read(&mut self.editor).succeeded();
        assert!(read.text().contains("missing in the audit log"), "{read}");
    }

    /// Writes and reads are on record again, and the log tells every write.
    #[track_caller]
    fn is_well(&mut self) {
        let read = calls::read(&mut self.editor).succeeded();
        assert!(!read.text().contains("audit log"), "{read}");
        self.writes();
        let log = std::fs::read_to_string(self.state().join("audit.jsonl")).unwrap();
        let intents = log.lines().filter(|line| line.contains("\"event\":\"intent\"")).count();
        assert_eq!(intents, calls::requests_to_variables(self.world.tenant()));
        let program = self.world.place.programs.join("aic-broker");
        let state = format!("AIC_BROKER_STATE_DIR={}", self.world.place.state.display());
        self.inside(&["/usr/bin/env", &state, program.to_str().unwrap(), "audit", "verify"]);
    }
}

#[test]
fn on_a_full_disk_reads_go_on_and_writes_are_refused_until_there_is_room() {
    if !can_mount() {
        return;
    }
    let mut small = Small::of("size=256k");
    small.writes();
    let filler = small.state().join("filler");
    let _full = std::fs::write(&filler, vec![0; 1024 * 1024]).unwrap_err();
    // the room that was kept for the outcomes of writes takes some lines more
    let look = |small: &mut Small| small.editor.call("getVariable", json!({"variableId": "esv-colour"})).succeeded();
    let lost = |small: &mut Small| look(small).text().contains("audit log");
    assert!((0..400).any(|_| lost(&mut small)));

    small.only_reads();
    std::fs::remove_file(filler).unwrap();
    small.is_well();
}

#[test]
fn on_a_read_only_disk_reads_go_on_and_writes_are_refused_until_it_is_writable() {
    if !can_mount() {
        return;
    }
    let mut small = Small::of("size=1m,ro");
    let state = small.world.place.state.to_str().unwrap().to_owned();

    small.only_reads();
    small.inside(&["/bin/mount", "-o", "remount,rw", &state]);
    small.is_well();
}

#[test]
fn without_inodes_a_lost_log_stops_writes_until_there_are_some() {
    if !can_mount() {
        return;
    }
    let mut small = Small::of("size=1m,nr_inodes=12");
    small.writes();
    let state = small.state();
    std::fs::rename(state.join("audit.jsonl"), state.join("kept")).unwrap();
    let fillers = (0..100).map(|number| state.join(format!("filler-{number}")));
    let made: Vec<PathBuf> = fillers.take_while(|filler| std::fs::write(filler, "").is_ok()).collect();
    assert!((1..12).contains(&made.len()));

    small.only_reads();
    std::fs::rename(state.join("kept"), state.join("audit.jsonl")).unwrap();
    small.is_well();
}
