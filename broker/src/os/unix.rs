//! What Linux and macOS share: hardening, detaching, private files.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the OS says of a socket of a family that it does not have.
pub const ADDRESS_FAMILY_NOT_SUPPORTED: i32 = rustix::io::Errno::AFNOSUPPORT.raw_os_error();

/// Makes this process opaque to others of the same user: no core file, no tracing, no reading of its memory.
///
/// Errors: the OS refuses; a broker that holds tokens must not run then.
pub fn harden() -> io::Result<()> {
    rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o077));
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: most_files(files.maximum), maximum: files.maximum })?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    #[cfg(target_os = "macos")]
    super::macos::deny_tracing()?;
    Ok(())
}

/// Gives up for ever that a program which this process starts may have more rights than it.
///
/// Only where no browser is opened: those of some desktops are behind a setuid program (snap-confine, Chromium's sandbox
/// where user namespaces are forbidden), which would refuse to start.
pub fn gain_no_privileges() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_no_new_privs(true);
}

#[cfg(not(target_os = "macos"))]
fn most_files(maximum: Option<u64>) -> Option<u64> {
    maximum
}

/// Source: setrlimit(2) of macOS, COMPATIBILITY: more than `OPEN_MAX` is refused, "unlimited" too.
#[cfg(target_os = "macos")]
fn most_files(maximum: Option<u64>) -> Option<u64> {
    const OPEN_MAX: u64 = 10_240;
    Some(maximum.unwrap_or(OPEN_MAX).min(OPEN_MAX))
}

/// Leaves the starter's session, so that it does not end with an editor.
pub fn become_daemon() {
    let _ = rustix::process::setsid();
    let _ = rustix::process::chdir("/");
}

/// Turns standard error to a file: whoever started the broker does not wait for it any more.
///
/// Errors: the file cannot be opened.
pub fn give_up_standard_error(log: &Path) -> io::Result<()> {
    let file = private_file(OpenOptions::new().create(true).append(true), log)?;
    Ok(rustix::stdio::dup2_stderr(&file)?)
}

/// Makes sure that a directory is there, is the user's, and is closed to others.
///
/// Errors: it is somebody else's, or cannot be created.
pub fn private_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let found = std::fs::symlink_metadata(directory)?;
    let ours = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw();
    if !ours {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{} is not this user's directory", directory.display()),
        ));
    }
    match found.mode() & 0o077 {
        0 => Ok(()),
        _ => std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700)),
    }
}

/// Opens a file with mode 0600 and without following links.
///
/// Errors: it cannot be opened, or is not a regular file of this user.
pub fn private_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let nofollow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let file = options.mode(0o600).custom_flags(nofollow).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() || found.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{} is not this user's file", path.display()),
        ));
    }
    if found.mode() & 0o077 != 0 {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Makes sure that a file has room to grow by so much, where its file system can promise that.
///
/// Errors: there is no room.
pub fn reserve(file: &File, from: u64, length: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{FallocateFlags, fallocate};
        match fallocate(file, FallocateFlags::KEEP_SIZE, from, length) {
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => Ok(()),
            reserved => Ok(reserved?),
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (file, from, length);
        Ok(())
    }
}

/// Whether a path still leads to an open file.
pub fn is_named(file: &File, path: &Path) -> bool {
    let identity = |found: std::fs::Metadata| (found.dev(), found.ino());
    let (open, named) = (file.metadata().map(identity), std::fs::symlink_metadata(path).map(identity));
    matches!((open, named), (Ok(open), Ok(named)) if open == named)
}

/// The permission bits of a name, without following links.
pub fn mode_of(path: &Path) -> Option<u32> {
    std::fs::symlink_metadata(path).ok().map(|found| found.mode() & 0o7777)
}

/// Whether other users may write to a file.
pub fn is_writable_by_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.mode() & 0o022 != 0)
}

/// Whether a file can be run.
pub fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// When a file was last put in place or changed.
pub fn changed_at(path: &Path) -> Option<SystemTime> {
    let seconds = u64::try_from(std::fs::metadata(path).ok()?.ctime()).ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// How much room a user has on the disk of a directory.
pub fn room_bytes(directory: &Path) -> Option<u64> {
    rustix::fs::statvfs(directory).ok().map(|disk| disk.f_bavail * disk.f_frsize)
}

/// Starts this process anew, in its place, with a variable under another name. Returns only when that fails.
pub fn again_with_renamed(variable: &str, name: &str) -> io::Error {
    use std::os::unix::process::CommandExt;
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let value = std::env::var_os(variable).unwrap_or_default();
    std::process::Command::new(program).args(std::env::args_os().skip(1)).env_remove(variable).env(name, value).exec()
}
