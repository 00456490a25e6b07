//! How a program is started on Windows so that it outlives its starter.

use tokio::process::Command;
use windows_sys::Win32::Foundation::{HANDLE_FLAG_INHERIT, SetHandleInformation};
use windows_sys::Win32::System::Console::{GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE};

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

/// Keeps the broker apart from the editor's console, and from the editor's pipes: a child gets every handle that may be
/// inherited, and an editor that waits for the end of this program's output would wait for the broker's end.
pub(super) fn detach(command: &mut Command) {
    keep_standard_handles();
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
}

#[allow(unsafe_code)]
fn keep_standard_handles() {
    for which in [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE] {
        // SAFETY: takes a number; what comes back is only handed to the next call, which refuses what is no handle.
        unsafe { SetHandleInformation(GetStdHandle(which), HANDLE_FLAG_INHERIT, 0) };
    }
}
