//! The Linux desktop: xdg-open, `/proc`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio::process::Command;

/// Where xdg-open may be; `PATH` has no say, because an editor's project could set it.
const OPENERS: [&str; 2] = ["/usr/bin/xdg-open", "/usr/local/bin/xdg-open"];

/// Whether a person sits in front of a display of this machine.
pub(super) fn has_display(variable: &impl Fn(&str) -> Option<String>) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    (is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")) && !is_set("SSH_CONNECTION")
}

/// The program that opens URLs.
pub(super) fn opener() -> Option<(PathBuf, Vec<String>)> {
    OPENERS.iter().map(PathBuf::from).find(|path| path.is_file()).map(|path| (path, Vec::new()))
}

/// Nothing is needed here.
pub(super) fn dress(_command: &mut Command) {}

/// What starts a program outside of a unit's sandbox: `no_new_privs` and the namespaces of the unit would keep Chromium's
/// sandbox and snap-confine from starting.
const BY_THE_MANAGER: &str = "/usr/bin/systemd-run";
/// The unit is there until the launcher ends, fails when it fails, and leaves the browser that it started alone. Without
/// the words of its own it would be described by its command line, and the journal would have the URL.
const AS_A_UNIT: [&str; 7] = [
    "--user",
    "--collect",
    "--quiet",
    "--service-type=oneshot",
    "--property=KillMode=process",
    "--description=aic-broker opens the browser",
    "--",
];

/// The same command, started by the user's service manager.
///
/// Source: systemd-run(1); in a command line of systemd's, `$$` stands for `$`.
pub(super) fn outside(program: PathBuf, arguments: Vec<String>) -> (PathBuf, Vec<String>) {
    let words = [program.display().to_string()].into_iter().chain(arguments).map(|word| word.replace('$', "$$"));
    (BY_THE_MANAGER.into(), AS_A_UNIT.map(str::to_owned).into_iter().chain(words).collect())
}

/// The program of a process.
pub fn executable_of(pid: u32) -> Option<String> {
    fs::read_link(format!("/proc/{pid}/exe")).ok().map(|path| path.display().to_string())
}

/// The program of a process, for a log: from within a user namespace the OS tells only how it was called.
pub fn program_of(pid: u32) -> Option<String> {
    let called = || {
        let words = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let first = words.split(|byte| *byte == 0).next().filter(|word| !word.is_empty())?;
        Some(String::from_utf8_lossy(first).chars().filter(|c| !c.is_control()).collect())
    };
    executable_of(pid).or_else(called)
}

/// The program that listens on a loopback port, as `name (pid 1)`; only the user's own processes can be named.
///
/// Source: proc(5): `/proc/PID/net/tcp`, `/proc/PID/fd`; behind a sandbox `/proc` has nothing but processes.
pub fn holder_of_port(port: u16) -> Option<String> {
    let inode = ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .iter()
        .find_map(|table| listening_inode(&fs::read_to_string(table).ok()?, port))?;
    let wanted = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?;
    let is_process = |name: &std::ffi::OsStr| name.as_encoded_bytes().iter().all(u8::is_ascii_digit);
    let mut numbered = processes.flatten().filter(|process| is_process(&process.file_name()));
    let holder = numbered.find(|process| holds(&process.path().join("fd"), &wanted))?;
    let name = fs::read_to_string(holder.path().join("comm")).ok()?;
    Some(format!("{} (pid {})", name.trim(), holder.file_name().to_string_lossy()))
}

/// The process that holds a file's lock.
///
/// Source: proc(5), `/proc/locks`: number, kind, mode, access, process, `major:minor:inode`. An inode's number alone is not
/// enough: on a file system in memory they are small and taken by other files, too.
pub fn holder_of_lock(file: &Path) -> Option<u32> {
    let found = fs::metadata(file).ok()?;
    let (major, minor) = (rustix::fs::major(found.dev()), rustix::fs::minor(found.dev()));
    lock_holder_in(&fs::read_to_string("/proc/locks").ok()?, &format!("{major:02x}:{minor:02x}:{}", found.ino()))
}

fn lock_holder_in(locks: &str, wanted: &str) -> Option<u32> {
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let is_it = *fields.get(1)? == "FLOCK" && *fields.get(5)? == wanted;
        is_it.then(|| fields.get(4)?.parse().ok())?
    })
}

fn listening_inode(table: &str, port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    let suffix = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let is_it = fields.get(1)?.ends_with(&suffix) && *fields.get(3)? == LISTEN;
        is_it.then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
    })
}

fn holds(descriptors: &Path, wanted: &str) -> bool {
    let Ok(entries) = fs::read_dir(descriptors) else { return false };
    entries.flatten().any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target.as_os_str() == wanted))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_holder_of_a_port_is_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();

        let holder = holder_of_port(listener.local_addr().unwrap().port()).unwrap();

        assert!(holder.contains(&format!("(pid {})", std::process::id())), "{holder}");
    }

    #[test]
    fn a_program_outside_of_the_sandbox_is_the_manager_s() {
        let (program, arguments) = outside("/usr/bin/xdg-open".into(), vec!["https://t/?a=$b".to_owned()]);

        assert_eq!(program, Path::new("/usr/bin/systemd-run"));
        assert!(
            arguments.ends_with(&["--", "/usr/bin/xdg-open", "https://t/?a=$$b"].map(str::to_owned)),
            "{arguments:?}"
        );
    }

    #[test]
    fn a_process_has_a_program() {
        let own = std::env::current_exe().unwrap();

        assert_eq!(program_of(std::process::id()).unwrap(), own.display().to_string());
        assert_eq!(program_of(u32::MAX), None);
    }

    #[test]
    fn the_holder_of_a_lock_is_found_by_the_file() {
        let locks = "1: POSIX  ADVISORY  WRITE 11 08:01:77 0 EOF\n2: -> FLOCK  ADVISORY  WRITE 12 08:01:77 0 EOF\n3: FLOCK  ADVISORY  WRITE 14 00:1b:77 0 EOF\n4: FLOCK  ADVISORY  WRITE 13 08:01:77 0 EOF\n";

        assert_eq!(lock_holder_in(locks, "08:01:77"), Some(13));
        assert_eq!(lock_holder_in(locks, "00:1b:77"), Some(14));
        assert_eq!(lock_holder_in(locks, "08:01:78"), None);
    }

    #[test]
    fn a_display_counts_unless_somebody_sits_elsewhere() {
        let with =
            |set: &'static [&'static str]| has_display(&|name: &str| set.contains(&name).then(|| "x".to_owned()));

        assert!(with(&["DISPLAY"]));
        assert!(with(&["WAYLAND_DISPLAY"]));
        assert!(!with(&[]));
        assert!(!with(&["DISPLAY", "SSH_CONNECTION"]));
    }
}
