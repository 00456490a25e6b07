//! How a program is started on Unix so that it outlives its starter.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio::process::Command;

/// The broker's file name.
pub(super) const PROGRAM: &str = "aic-broker";
/// A directory that no mount point waits for.
pub(super) const NEUTRAL_DIRECTORY: &str = "/";
/// What is passed on where it is set: the mode, the user's identity and home, the desktop session. Nothing else: an
/// editor's project file can set any variable, and a foreign configuration must never serve the user's own socket.
pub(super) const PASSED_ON: &[&str] = &[
    "DOCKER_CONTAINER",
    "HOME",
    "USER",
    "LOGNAME",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_RUNTIME_DIR",
];
/// What is the same for everybody.
pub(super) const FIXED: &[(&str, &str)] = &[("PATH", "/usr/local/bin:/usr/bin:/bin")];

/// The desktop session where the editor stripped it: what is at its usual place on this machine.
///
/// `set` reads the environment, `there` the file system.
pub(super) fn desktop(
    set: &dyn Fn(&str) -> Option<OsString>,
    there: &dyn Fn(&Path) -> bool,
) -> Vec<(&'static str, OsString)> {
    let usual_runtime = PathBuf::from(format!("/run/user/{}", aic_proto::transport::user_id()));
    let runtime = set("XDG_RUNTIME_DIR").map_or(usual_runtime, PathBuf::from);
    let bus = runtime.join("bus");
    let authority = set("HOME").map(|home| PathBuf::from(home).join(".Xauthority"));
    let places = [
        ("XDG_RUNTIME_DIR", Some(runtime.clone()), runtime.clone().into_os_string()),
        ("DBUS_SESSION_BUS_ADDRESS", Some(bus.clone()), OsString::from(format!("unix:path={}", bus.display()))),
        ("WAYLAND_DISPLAY", Some(runtime.join("wayland-0")), OsString::from("wayland-0")),
        ("DISPLAY", Some(PathBuf::from("/tmp/.X11-unix/X0")), OsString::from(":0")),
        ("XAUTHORITY", authority.clone(), authority.unwrap_or_default().into_os_string()),
    ];
    let stripped = places.into_iter().filter(|(name, ..)| set(name).is_none_or(|value| value.is_empty()));
    let found = stripped.filter(|(_, place, _)| place.as_deref().is_some_and(there));
    found.map(|(name, _, value)| (name, value)).collect()
}

/// Nothing: the broker leaves the session by itself (`setsid`), which a process group of its own would forbid.
pub(super) fn detach(_command: &mut Command) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(set: &[(&str, &str)], there: &[&str]) -> Vec<(&'static str, String)> {
        let set = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        let there = |path: &Path| there.contains(&path.to_str().unwrap_or_default());
        desktop(&set, &there).into_iter().map(|(name, value)| (name, value.to_string_lossy().into_owned())).collect()
    }

    #[test]
    fn a_stripped_desktop_session_is_looked_up() {
        let stripped = found(
            &[("XDG_RUNTIME_DIR", "/r"), ("HOME", "/h")],
            &["/r", "/r/bus", "/r/wayland-0", "/tmp/.X11-unix/X0", "/h/.Xauthority"],
        );
        let whole = found(&[("DISPLAY", ":1"), ("DBUS_SESSION_BUS_ADDRESS", "unix:x")], &["/tmp/.X11-unix/X0"]);

        let wanted = [
            ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/r/bus"),
            ("WAYLAND_DISPLAY", "wayland-0"),
            ("DISPLAY", ":0"),
            ("XAUTHORITY", "/h/.Xauthority"),
        ];
        assert_eq!(stripped, wanted.map(|(name, value)| (name, value.to_owned())));
        assert!(whole.is_empty(), "{whole:?}");
        assert!(found(&[], &[]).is_empty());
    }
}
