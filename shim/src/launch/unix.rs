//! How a program is started on Unix so that it outlives its starter.

use tokio::process::Command;

/// The broker's file name.
pub(super) const PROGRAM: &str = "aic-broker";
/// A directory that no mount point waits for.
pub(super) const NEUTRAL_DIRECTORY: &str = "/";
/// What is passed on where it is set: the mode, the user, the desktop session.
pub(super) const PASSED_ON: &[&str] = &[
    "DOCKER_CONTAINER",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "XDG_DATA_HOME",
];
/// What is the same for everybody.
pub(super) const FIXED: &[(&str, &str)] = &[("PATH", "/usr/local/bin:/usr/bin:/bin")];

/// Nothing: the broker leaves the session by itself (`setsid`), which a process group of its own would forbid.
pub(super) fn detach(_command: &mut Command) {}
