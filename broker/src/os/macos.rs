//! The macOS desktop: open, lsof; what only macOS has of hardening.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command as Question, Stdio};

use tokio::process::Command;

/// What opens URLs.
const OPENER: &str = "/usr/bin/open";
/// What knows who listens.
const PORTS: &str = "/usr/sbin/lsof";
/// Names and numbers as they are, listeners only, process and name as fields; a kernel call that hangs is given up after 2 s.
const PORTS_ARGUMENTS: [&str; 6] = ["-nPw", "-S", "2", "-sTCP:LISTEN", "-Fpc", "-a"];

/// Whether a person sits in front of a display of this machine.
pub(super) fn has_display(variable: &impl Fn(&str) -> Option<String>) -> bool {
    variable("SSH_CONNECTION").is_none_or(|value| value.is_empty())
}

/// The program that opens URLs.
pub(super) fn opener() -> Option<(PathBuf, Vec<String>)> {
    Path::new(OPENER).is_file().then(|| (PathBuf::from(OPENER), Vec::new()))
}

/// Nothing is needed here.
pub(super) fn dress(_command: &mut Command) {}

/// Refuses debuggers from now on.
///
/// Source: ptrace(2), `PT_DENY_ATTACH`.
/// Errors: a debugger is there already.
#[allow(unsafe_code)]
pub(super) fn deny_tracing() -> io::Result<()> {
    // SAFETY: this request takes no process, address or data.
    match unsafe { libc::ptrace(libc::PT_DENY_ATTACH, 0, std::ptr::null_mut(), 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// There is no sandbox.
pub(super) fn outside(program: PathBuf, arguments: Vec<String>) -> (PathBuf, Vec<String>) {
    (program, arguments)
}

/// The program of a process.
///
/// Source: `libproc.h`, `proc_pidpath`.
#[allow(unsafe_code)]
pub fn executable_of(pid: u32) -> Option<String> {
    /// `PROC_PIDPATHINFO_MAXSIZE`.
    const LONGEST: u32 = 4096;
    let mut path = vec![0_u8; usize::try_from(LONGEST).ok()?];
    // SAFETY: `path` has `LONGEST` bytes and outlives the call.
    let length = unsafe { libc::proc_pidpath(i32::try_from(pid).ok()?, path.as_mut_ptr().cast(), LONGEST) };
    let found = path.get(..usize::try_from(length).ok()?).filter(|found| !found.is_empty())?;
    Some(Path::new(OsStr::from_bytes(found)).display().to_string())
}

/// The program of a process, for a log.
pub fn program_of(pid: u32) -> Option<String> {
    executable_of(pid)
}

/// The program that listens on a loopback port, as `name (pid 1)`; only the user's own processes can be named.
pub fn holder_of_port(port: u16) -> Option<String> {
    let mut question = Question::new(PORTS);
    question.args(PORTS_ARGUMENTS).arg(format!("-iTCP:{port}")).stdin(Stdio::null()).stderr(Stdio::null());
    holder_in(&String::from_utf8_lossy(&question.output().ok()?.stdout))
}

/// The process that has a file open, which of a lock is its holder.
pub fn holder_of_lock(file: &Path) -> Option<u32> {
    let asked = Question::new(PORTS).arg("-tw").arg(file).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    String::from_utf8_lossy(&asked.stdout).lines().next()?.parse().ok()
}

/// Source: lsof(8), "OUTPUT FOR OTHER PROGRAMS".
fn holder_in(answer: &str) -> Option<String> {
    let field = |letter| answer.lines().find_map(|line| line.strip_prefix(letter));
    Some(format!("{} (pid {})", field('c')?, field('p')?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_first_holder_is_named() {
        let cases = [
            ("p412\ncnode\nf23\n", Some("node (pid 412)")),
            ("p412\ncnode\nf23\np77\ncother\n", Some("node (pid 412)")),
            ("", None),
        ];

        for (answer, wanted) in cases {
            assert_eq!(holder_in(answer).as_deref(), wanted, "{answer:?}");
        }
    }

    #[test]
    fn the_holder_of_a_port_is_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();

        let holder = holder_of_port(listener.local_addr().unwrap().port()).unwrap();

        assert!(holder.contains(&format!("(pid {})", std::process::id())), "{holder}");
    }

    #[test]
    fn a_process_has_a_program() {
        let own = std::env::current_exe().unwrap();

        assert!(executable_of(std::process::id()).unwrap().ends_with(own.file_name().unwrap().to_str().unwrap()));
    }
}
