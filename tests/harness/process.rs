//! The processes of one world, known by the program file that they run. Follows proc(5).

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// One living process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its program's file name.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl Process {
    /// Ends it with SIGKILL. One that is gone is no error.
    pub fn kill(&self) {
        end(self.pid, Signal::KILL);
    }

    /// Asks it to end, with SIGTERM.
    pub fn terminate(&self) {
        end(self.pid, Signal::TERM);
    }

    /// Sends it another signal.
    pub fn end(&self, signal: Signal) {
        end(self.pid, signal);
    }

    /// Whether it is still there.
    pub fn lives(&self) -> bool {
        is_alive(self.pid)
    }

    /// Whether it is a daemon of the broker.
    pub fn is_broker(&self) -> bool {
        self.program == "aic-broker" && self.arguments.first().is_some_and(|word| word == "serve")
    }
}

fn end(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// Whether a process runs. One that has ended and waits for its parent does not, unless one of its other threads
/// still does: the sockets of the process are open until the last of them is gone.
pub(super) fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let has_ended = stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']));
    let threads = fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    !has_ended || threads > 1
}

/// The processes that run a program of this directory.
///
/// A process that hides its environment still shows its arguments, and each program here is started by its whole path.
pub fn processes_of(programs: &Path) -> Vec<Process> {
    let entries = fs::read_dir("/proc").unwrap();
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| read(pid, programs)).filter(Process::lives).collect()
}

fn read(pid: u32, programs: &Path) -> Option<Process> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let mut words = line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    let program = words.next()?;
    let name = Path::new(&program).strip_prefix(programs).ok()?.to_str()?.to_owned();
    let arguments = words.filter(|word| !word.is_empty()).collect();
    Some(Process { pid, program: name, arguments })
}
