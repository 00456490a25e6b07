//! The Windows socket: a named pipe that only its user may open, with the user's SID in its name.
//!
//! Source: `CreateNamedPipeW`, "Named Pipe Security and Access Rights". The first instance owns the name for its life.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, HandleOrNull, OwnedHandle};
use std::path::{Path, PathBuf};
use std::ptr;
use std::time::Duration;

use interprocess::local_socket::tokio::prelude::*;
use interprocess::local_socket::tokio::{Listener, Stream};
use interprocess::local_socket::{GenericFilePath, ListenerOptions, ToFsName};
use interprocess::os::windows::local_socket::ListenerOptionsExt;
use interprocess::os::windows::named_pipe::local_socket::tokio::Stream as PipeStream;
use interprocess::os::windows::security_descriptor::SecurityDescriptor;
use widestring::U16CString;
use windows_sys::Win32::Foundation::{ERROR_PIPE_BUSY, HANDLE};
use windows_sys::Win32::Security::{GetTokenInformation, TOKEN_QUERY, TOKEN_USER, TokenUser};
use windows_sys::Win32::Storage::FileSystem::{FILE_FLAG_OVERLAPPED, SECURITY_IDENTIFICATION};
use windows_sys::Win32::System::Threading::{OpenProcess, OpenProcessToken, PROCESS_QUERY_LIMITED_INFORMATION};

use super::{Cleared, Error, Peer};
use crate::endpoint::{Endpoint, PIPES, sid_text};

/// How long a connection waits for the broker's next pipe: between two of them there are microseconds.
const FREE_WITHIN: Duration = Duration::from_secs(2);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The user whose broker this is: the last number of the SID, for words. What is compared is the whole SID.
#[must_use]
pub fn user_id() -> u32 {
    own_sid().ok().as_deref().and_then(last_number).unwrap_or(u32::MAX)
}

/// Where this user's pipe is, unless `override_directory` stands for another one.
#[must_use]
pub fn endpoint(override_directory: Option<PathBuf>) -> Endpoint {
    Endpoint::in_directory(override_directory.unwrap_or_else(|| PathBuf::from(PIPES)))
}

/// The ownership of the pipe's name. Ends with the process, or when dropped.
#[derive(Debug)]
pub struct Claim {
    /// Where connections arrive.
    pub listener: Listener,
}

impl Claim {
    /// Whether the name still leads here: a pipe's name cannot be taken away.
    #[must_use]
    pub fn still_named(&self) -> bool {
        true
    }
}

/// Becomes the one owner of the user's pipe.
///
/// Errors: [`Error::Owned`] when another broker of this user has it, [`Error::Stranger`] when somebody else took the name.
pub fn claim(endpoint: &Endpoint) -> Result<Claim, Error> {
    let pipe = pipe(endpoint)?;
    listen(&pipe).map(|listener| Claim { listener }).map_err(|cause| match cause.kind() {
        ErrorKind::PermissionDenied => holder_of(&pipe),
        _ => io_error("listening on", &pipe)(cause),
    })
}

/// What a service manager hands over: a pipe cannot be handed over.
pub type Handed = std::convert::Infallible;

/// Nothing is ever handed over.
///
/// Errors: none.
pub async fn adopt(_endpoint: &Endpoint, handed: Handed) -> Result<Claim, Error> {
    match handed {}
}

/// A pipe ends with its broker: nothing is left, nothing is to be cleared away.
///
/// Errors: none.
pub async fn clear(_endpoint: &Endpoint, _files: &[&str]) -> Result<Cleared, Error> {
    Ok(Cleared::WasGone)
}

/// `interprocess` asks for the first instance of the name and turns remote clients away.
fn listen(pipe: &str) -> io::Result<Listener> {
    let descriptor = U16CString::from_str(access(&own_sid()?)).map_err(io::Error::other)?;
    let name = pipe.to_fs_name::<GenericFilePath>()?;
    ListenerOptions::new().name(name).security_descriptor(SecurityDescriptor::deserialize(&descriptor)?).create_tokio()
}

/// Everything for one user and nothing for anybody else, whatever the directory above would pass on.
fn access(sid: &str) -> String {
    format!("D:P(A;;GA;;;{sid})")
}

fn holder_of(pipe: &str) -> Error {
    match open(pipe).map(|stream| peer(&stream)) {
        Ok(Err(stranger)) => stranger,
        Err(cause) if cause.kind() == ErrorKind::PermissionDenied => Error::Stranger(u32::MAX),
        _ => Error::Owned(PathBuf::from(pipe)),
    }
}

/// Connects to the user's broker, if there is one, and makes sure that it is the user's.
///
/// Errors: [`Error::Absent`] when nobody listens, [`Error::Stranger`] when somebody else does.
pub async fn connect(endpoint: &Endpoint) -> Result<Stream, Error> {
    let pipe = pipe(endpoint)?;
    let opened = tokio::time::timeout(FREE_WITHIN, open_when_free(&pipe)).await;
    let stream = opened.unwrap_or_else(|_| Err(ErrorKind::WouldBlock.into())).map_err(|cause| match cause.kind() {
        ErrorKind::NotFound => Error::Absent,
        _ => io_error("connecting to", &pipe)(cause),
    })?;
    peer(&stream)?;
    Ok(stream)
}

async fn open_when_free(pipe: &str) -> io::Result<Stream> {
    loop {
        match open(pipe) {
            Err(cause) if is_busy(&cause) => tokio::time::sleep(LOOK_EVERY).await,
            done => return done,
        }
    }
}

fn is_busy(cause: &io::Error) -> bool {
    cause.raw_os_error().and_then(|code| u32::try_from(code).ok()) == Some(ERROR_PIPE_BUSY)
}

/// Opens the pipe so that its server can see who we are and cannot act as us.
fn open(pipe: &str) -> io::Result<Stream> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(FILE_FLAG_OVERLAPPED)
        .security_qos_flags(SECURITY_IDENTIFICATION)
        .open(pipe)?;
    PipeStream::try_from(OwnedHandle::from(file)).map(Stream::from).map_err(|refused| match refused.cause {
        Some(cause) => cause,
        None => io::Error::other("it is not a pipe"),
    })
}

/// Who is at the other end.
///
/// Errors: [`Error::Stranger`] unless it is this user; a process that does not let itself be asked is a stranger too.
pub fn peer(stream: &Stream) -> Result<Peer, Error> {
    let credentials = stream.peer_creds().map_err(io_error("asking who is at", PIPES))?;
    let own = own_sid().map_err(io_error("asking for the SID behind", PIPES))?;
    match credentials.pid().and_then(|pid| sid_of(pid).ok()) {
        Some(sid) if sid == own => Ok(Peer { pid: credentials.pid() }),
        other => Err(Error::Stranger(other.as_deref().and_then(last_number).unwrap_or(u32::MAX))),
    }
}

fn pipe(endpoint: &Endpoint) -> Result<String, Error> {
    own_sid().map(|sid| endpoint.pipe(&sid)).map_err(io_error("asking for the SID behind", PIPES))
}

fn last_number(sid: &str) -> Option<u32> {
    sid.rsplit('-').next()?.parse().ok()
}

fn own_sid() -> io::Result<String> {
    sid_of(std::process::id())
}

/// The SID of the user under whom a process runs.
fn sid_of(pid: u32) -> io::Result<String> {
    let token = token_of(pid)?;
    sid_text(&user_of(&token)?).ok_or_else(|| io::Error::from(ErrorKind::InvalidData))
}

#[allow(unsafe_code)]
fn token_of(pid: u32) -> io::Result<OwnedHandle> {
    // SAFETY: takes numbers only, and gives a handle that is ours to close, or null.
    let process = unsafe { HandleOrNull::from_raw_handle(OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid)) };
    let process = OwnedHandle::try_from(process).map_err(|_| io::Error::last_os_error())?;
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: `process` is open until after the call, and `token` is a place for one handle.
    match unsafe { OpenProcessToken(process.as_raw_handle(), TOKEN_QUERY, &mut token) } {
        0 => Err(io::Error::last_os_error()),
        // SAFETY: the call succeeded, so `token` is an open handle that nobody else closes.
        _ => Ok(unsafe { OwnedHandle::from_raw_handle(token) }),
    }
}

/// The bytes of a token's user SID, and what follows them.
#[allow(unsafe_code)]
fn user_of(token: &OwnedHandle) -> io::Result<Vec<u8>> {
    /// A `TOKEN_USER` (16 bytes) and the longest SID (68), in words that suit its pointer.
    const WORDS: usize = 16;
    let mut answer = [0_u64; WORDS];
    let mut length = 0;
    let room = u32::try_from(size_of_val(&answer)).map_err(io::Error::other)?;
    // SAFETY: `answer` has `room` bytes, is aligned for a pointer, and outlives the call; `token` is open.
    let done =
        unsafe { GetTokenInformation(token.as_raw_handle(), TokenUser, answer.as_mut_ptr().cast(), room, &mut length) };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so `answer` begins with a `TOKEN_USER`; its pointer is compared, never followed.
    let user = unsafe { answer.as_ptr().cast::<TOKEN_USER>().read() };
    let begin = user.User.Sid.addr().wrapping_sub(answer.as_ptr().addr());
    let bytes: Vec<u8> = answer.iter().flat_map(|word| word.to_ne_bytes()).collect();
    bytes.get(begin..).map(<[u8]>::to_vec).ok_or_else(|| ErrorKind::InvalidData.into())
}

fn io_error(doing: &'static str, place: &str) -> impl Fn(io::Error) -> Error + use<> {
    let place = Path::new(place).to_path_buf();
    move |cause| Error::Io { doing, place: place.clone(), cause }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn place(name: &str) -> Endpoint {
        Endpoint::in_directory(format!(r"C:\{name}-{}", std::process::id()))
    }

    #[tokio::test]
    async fn both_ends_see_the_same_user() {
        let place = place("both");
        let claim = claim(&place).unwrap();

        let (arrived, connected) = tokio::join!(claim.listener.accept(), connect(&place));

        let own = Peer { pid: Some(std::process::id()) };
        assert_eq!(peer(&arrived.unwrap()).unwrap(), own);
        assert_eq!(peer(&connected.unwrap()).unwrap(), own);
    }

    #[tokio::test]
    async fn nobody_listens_where_nobody_claimed() {
        assert!(matches!(connect(&place("nobody")).await, Err(Error::Absent)));
    }

    #[tokio::test]
    async fn a_name_is_free_again_when_its_owner_leaves() {
        let place = place("free");
        drop(claim(&place).unwrap());

        assert!(matches!(connect(&place).await, Err(Error::Absent)));
        claim(&place).unwrap();
    }

    /// Wine 8 lets anybody make another "first" instance.
    #[tokio::test]
    async fn one_pipe_has_one_owner() {
        let place = place("one");
        let _claim = claim(&place).unwrap();

        assert!(matches!(claim(&place), Err(Error::Owned(_))));
    }

    #[test]
    fn a_user_has_a_sid_with_a_number_at_its_end() {
        let sid = own_sid().unwrap();

        assert!(sid.starts_with("S-1-5-"), "{sid}");
        assert_eq!(last_number(&sid), Some(user_id()));
    }

    #[test]
    fn the_access_list_names_one_user_and_inherits_nothing() {
        assert_eq!(access("S-1-5-21-7"), "D:P(A;;GA;;;S-1-5-21-7)");
    }
}
