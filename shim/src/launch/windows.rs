//! How a program is started on Windows so that it outlives its starter.

use tokio::process::Command;

/// The broker's file name.
pub(super) const PROGRAM: &str = "aic-broker.exe";
/// A directory that is always there.
pub(super) const NEUTRAL_DIRECTORY: &str = "C:\\";
/// What is passed on where it is set: the mode, the user, and what Windows programs cannot start without.
pub(super) const PASSED_ON: &[&str] = &[
    "DOCKER_CONTAINER",
    "USERPROFILE",
    "USERNAME",
    "APPDATA",
    "LOCALAPPDATA",
    "HOMEDRIVE",
    "HOMEPATH",
    "SystemRoot",
    "SystemDrive",
    "TEMP",
    "TMP",
];
/// What is the same for everybody.
pub(super) const FIXED: &[(&str, &str)] = &[("PATH", "C:\\Windows\\System32;C:\\Windows")];

/// Windows has no desktop session in its environment.
pub(super) fn desktop(
    _set: &dyn Fn(&str) -> Option<std::ffi::OsString>,
    _there: &dyn Fn(&std::path::Path) -> bool,
) -> Vec<(&'static str, std::ffi::OsString)> {
    Vec::new()
}

/// `DETACHED_PROCESS`: no console window appears, and closing one ends nothing.
const DETACHED_PROCESS: u32 = 0x0000_0008;
/// `CREATE_NEW_PROCESS_GROUP`: Ctrl+C in the editor's console is not the broker's.
const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;

/// Keeps the broker apart from the editor's console.
pub(super) fn detach(command: &mut Command) {
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
}
