//! Windows: a process that its own user's programs cannot read, files, the desktop, who holds a port.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, HandleOrNull, IntoRawHandle, OwnedHandle};
use std::path::{Path, PathBuf};
use std::ptr;

use tokio::process::Command;
use windows_sys::Win32::Foundation::{LocalFree, NO_ERROR};
use windows_sys::Win32::NetworkManagement::IpHelper::{GetExtendedTcpTable, TCP_TABLE_OWNER_PID_LISTENER};
use windows_sys::Win32::Networking::WinSock::{AF_INET, AF_INET6, WSAEAFNOSUPPORT};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, SetKernelObjectSecurity};
use windows_sys::Win32::System::Console::{FreeConsole, GetStdHandle, STD_ERROR_HANDLE, SetStdHandle};
use windows_sys::Win32::System::Diagnostics::Debug::{SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX, SetErrorMode};
use windows_sys::Win32::System::ErrorReporting::{WER_FAULT_REPORTING_FLAG_NOHEAP, WerSetFlags};
use windows_sys::Win32::System::Threading::{
    CREATE_NO_WINDOW, GetCurrentProcess, OpenProcess, PROCESS_NAME_WIN32, PROCESS_QUERY_LIMITED_INFORMATION,
    QueryFullProcessImageNameW,
};

/// What the OS says of a socket of a family that it does not have.
pub const ADDRESS_FAMILY_NOT_SUPPORTED: i32 = WSAEAFNOSUPPORT;

/// Who may do what with this process: the owner may end it, wait for it and ask its name (0x101001), nobody reads it.
///
/// Source: "Process Security and Access Rights". `S-1-3-4` (owner rights) also keeps the owner from changing this list;
/// `AU` may ask its name, since an elevated broker's owner is not the user, whose `aic-mcp` asks whose process it is.
const RIGHTS: &str = "D:P(A;;0x101001;;;S-1-3-4)(A;;0x101000;;;AU)(A;;GA;;;SY)";

/// A directory that is always there and that nobody unmounts.
const NEUTRAL_DIRECTORY: &str = r"C:\";
/// What opens URLs without a shell; `PATH` has no say.
const OPENER: &str = r"C:\Windows\System32\rundll32.exe";
/// What it is told to call.
const OPENER_ARGUMENT: &str = "url.dll,FileProtocolHandler";
/// `FILE_FLAG_OPEN_REPARSE_POINT`: opens a link itself and not what it leads to.
const NOFOLLOW: u32 = 0x0020_0000;
/// The longest path of a program: `\\?\` paths have at most so many characters.
const LONGEST_PATH: u32 = 32_767;
/// How large a table of listeners is looked at: some ten thousand of them.
const LARGEST_TABLE: u32 = 1024 * 1024;

/// Makes this process opaque to others of the same user: no reading of its memory, no debugger, no heap in crash reports.
///
/// Errors: the OS refuses; a broker that holds tokens must not run then.
#[allow(unsafe_code)]
pub fn harden() -> io::Result<()> {
    // SAFETY: takes flags only.
    unsafe { SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX) };
    // SAFETY: takes flags only. Where error reporting is removed this fails, and then nothing is reported.
    unsafe { WerSetFlags(WER_FAULT_REPORTING_FLAG_NOHEAP) };
    restrict(RIGHTS)
}

#[allow(unsafe_code)]
fn restrict(rights: &str) -> io::Result<()> {
    let text: Vec<u16> = rights.encode_utf16().chain([0]).collect();
    let mut descriptor: PSECURITY_DESCRIPTOR = ptr::null_mut();
    // SAFETY: `text` ends with zero, `descriptor` is a place for one pointer, and no size is asked for.
    let made = unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text.as_ptr(),
            SDDL_REVISION_1,
            &mut descriptor,
            ptr::null_mut(),
        )
    };
    success(made)?;
    // SAFETY: the handle of this process is always open; `descriptor` is valid until it is freed below.
    let set = success(unsafe { SetKernelObjectSecurity(GetCurrentProcess(), DACL_SECURITY_INFORMATION, descriptor) });
    // SAFETY: the conversion allocated it by `LocalAlloc`, and nobody uses it any more.
    unsafe { LocalFree(descriptor) };
    set
}

/// Nothing is reserved here: a full disk shows when a line is written.
///
/// Errors: none.
pub fn reserve(_file: &File, _from: u64, _length: u64) -> io::Result<()> {
    Ok(())
}

/// There is no such right to give up.
pub fn gain_no_privileges() {}

/// Memory for a secret: on the heap, and wiped.
pub struct Pages(zeroize::Zeroizing<Box<[u8]>>);

impl Pages {
    /// Takes a copy of bytes.
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self(zeroize::Zeroizing::new(bytes.into()))
    }

    /// They may be swapped.
    pub fn is_locked(&self) -> bool {
        false
    }
}

impl std::ops::Deref for Pages {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Leaves the starter's console, so that closing it ends nothing, and its directory.
#[allow(unsafe_code)]
pub fn become_daemon() {
    // SAFETY: takes nothing; without a console it fails and changes nothing.
    unsafe { FreeConsole() };
    let _ = std::env::set_current_dir(NEUTRAL_DIRECTORY);
}

/// Turns standard error to a file: whoever started the broker does not wait for it any more.
///
/// Errors: the file cannot be opened.
#[allow(unsafe_code)]
pub fn give_up_standard_error(log: &Path) -> io::Result<()> {
    let file = private_file(OpenOptions::new().create(true).append(true), log)?;
    // SAFETY: takes a number; what comes back is open or null, or -1, which is refused below.
    let before = unsafe { GetStdHandle(STD_ERROR_HANDLE) };
    // SAFETY: the file's handle is open, and is given away for the rest of the process.
    success(unsafe { SetStdHandle(STD_ERROR_HANDLE, file.into_raw_handle()) })?;
    if before.addr() != usize::MAX {
        // SAFETY: nobody looks this handle up any more, and the standard library keeps no copy of it.
        drop(OwnedHandle::try_from(unsafe { HandleOrNull::from_raw_handle(before) }));
    }
    Ok(())
}

/// Makes sure that a directory is there, and is not a link.
///
/// Who may enter it is what the directory above passes on: below the user's profile, the user alone.
/// Errors: it is something else, or cannot be created.
pub fn private_directory(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    match std::fs::symlink_metadata(directory)?.is_dir() {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("{} is a link", directory.display()))),
    }
}

/// Opens a file without following links. Its rights are its directory's.
///
/// Errors: it cannot be opened, or is not a regular file.
pub fn private_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = options.custom_flags(NOFOLLOW).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("{} is not a file", path.display()))),
    }
}

/// Whether a person sits in front of a display of this machine.
pub(super) fn has_display(variable: &impl Fn(&str) -> Option<String>) -> bool {
    variable("SSH_CONNECTION").is_none_or(|value| value.is_empty())
}

/// The program that opens URLs.
pub(super) fn opener() -> Option<(PathBuf, Vec<String>)> {
    Path::new(OPENER).is_file().then(|| (PathBuf::from(OPENER), vec![OPENER_ARGUMENT.to_owned()]))
}

/// No console window flashes up.
pub(super) fn dress(command: &mut Command) {
    command.creation_flags(CREATE_NO_WINDOW);
}

/// There is no sandbox.
pub(super) fn outside(program: PathBuf, arguments: Vec<String>) -> (PathBuf, Vec<String>) {
    (program, arguments)
}

/// The program of a process.
#[allow(unsafe_code)]
pub fn executable_of(pid: u32) -> Option<String> {
    // SAFETY: takes numbers only, and gives a handle that is ours to close, or null.
    let process = unsafe { HandleOrNull::from_raw_handle(OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid)) };
    let process = OwnedHandle::try_from(process).ok()?;
    let mut path = vec![0_u16; usize::try_from(LONGEST_PATH).ok()?];
    let mut length = LONGEST_PATH;
    // SAFETY: `path` has `length` units and outlives the call; `process` is open.
    let named = unsafe {
        QueryFullProcessImageNameW(process.as_raw_handle(), PROCESS_NAME_WIN32, path.as_mut_ptr(), &mut length)
    };
    success(named).ok()?;
    Some(String::from_utf16_lossy(path.get(..usize::try_from(length).ok()?)?))
}

/// The program of a process, for a log.
pub fn program_of(pid: u32) -> Option<String> {
    executable_of(pid)
}

/// The program that listens on a loopback port, as `name (pid 1)`.
///
/// Source: `GetExtendedTcpTable`, `MIB_TCPROW_OWNER_PID`, `MIB_TCP6ROW_OWNER_PID`.
pub fn holder_of_port(port: u16) -> Option<String> {
    const ROW: Row = Row { words: 6, port: 2, pid: 5 };
    const ROW_V6: Row = Row { words: 14, port: 5, pid: 13 };
    let pid = [(AF_INET, ROW), (AF_INET6, ROW_V6)].iter().find_map(|(family, row)| {
        let table = listeners(u32::from(*family))?;
        holder_in(&table, row, port)
    })?;
    let program = executable_of(pid).and_then(|path| Some(Path::new(&path).file_name()?.display().to_string()));
    Some(format!("{} (pid {pid})", program.as_deref().unwrap_or("a program")))
}

/// Where a row keeps what: in words of four bytes.
struct Row {
    words: usize,
    port: usize,
    pid: usize,
}

/// The first word counts the rows; process 0 is nobody. A port is in the two lower bytes, the higher one first.
fn holder_in(table: &[u32], row: &Row, port: u16) -> Option<u32> {
    let (count, rows) = table.split_first()?;
    let rows = rows.chunks_exact(row.words).take(usize::try_from(*count).ok()?);
    let port_of =
        |words: &[u32]| words.get(row.port).and_then(|word| u16::try_from(word & 0xffff).ok()).map(u16::from_be);
    let mut holders = rows.filter(|words| port_of(words) == Some(port)).filter_map(|words| words.get(row.pid).copied());
    holders.find(|pid| *pid != 0)
}

#[allow(unsafe_code)]
fn listeners(family: u32) -> Option<Vec<u32>> {
    let mut table = vec![0_u32; usize::try_from(LARGEST_TABLE / 4).ok()?];
    let mut size = LARGEST_TABLE;
    // SAFETY: `table` has `size` bytes, is aligned for the table's words, and outlives the call.
    let answer = unsafe {
        GetExtendedTcpTable(table.as_mut_ptr().cast(), &mut size, 0, family, TCP_TABLE_OWNER_PID_LISTENER, 0)
    };
    (answer == NO_ERROR).then_some(table)
}

fn success(answer: i32) -> io::Result<()> {
    match answer {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// The broker's lock is the pipe itself here.
pub fn holder_of_lock(_file: &Path) -> Option<u32> {
    None
}

/// Names have no permission bits here.
pub fn mode_of(_path: &Path) -> Option<u32> {
    None
}

/// The user's own directories are closed to others by what they inherit.
pub fn is_writable_by_others(_path: &Path) -> bool {
    false
}

/// Whether a file can be run.
pub fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// When a file was last changed.
pub fn changed_at(path: &Path) -> Option<std::time::SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

/// A full disk is found by writing.
pub fn room_bytes(_directory: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Wine 8 knows no holder.
    #[test]
    fn the_holder_of_a_port_is_named() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = std::net::TcpListener::bind(address).unwrap();

            let holder = holder_of_port(listener.local_addr().unwrap().port()).unwrap();

            assert!(holder.contains(&format!("(pid {})", std::process::id())), "{holder}");
        }
    }

    #[test]
    fn a_row_is_read_by_its_places() {
        const ROW: Row = Row { words: 3, port: 1, pid: 2 };
        let port = u32::from(3000_u16.to_be());
        let cases: [(&[u32], Option<u32>); 6] = [
            (&[2, 0, 1, 7, 0, port, 8], Some(8)),
            (&[1, 0, 1, 7, 0, port, 8], None),
            (&[1, 0, port | 0xffff_0000, 9], Some(9)),
            (&[1, 0, port, 0], None),
            (&[9, 0], None),
            (&[], None),
        ];

        for (table, wanted) in cases {
            assert_eq!(holder_in(table, &ROW, 3000), wanted, "{table:?}");
        }
    }

    #[test]
    fn a_hardened_process_cannot_be_read() {
        const PROCESS_VM_READ: u32 = 0x0010;
        harden().unwrap();

        #[allow(unsafe_code)]
        // SAFETY: takes numbers only.
        let opened = unsafe { OpenProcess(PROCESS_VM_READ, 0, std::process::id()) };

        assert!(opened.is_null());
        assert!(executable_of(std::process::id()).unwrap().ends_with(".exe"));
    }
}

/// Windows removes no file that is open, so its name leads to it.
pub fn is_named(_file: &File, _path: &Path) -> bool {
    true
}

/// Windows has its own store, which the variable does not replace.
pub fn again_with_renamed(variable: &str, _name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("{variable} is not used on Windows: use ca_file"))
}
