//! The editor's streams, waited for by the runtime itself: rmcp does so with pipes, and Node connects sockets.

use rmcp::transport::stdio_pipes;
use tokio::io::{AsyncRead, AsyncWrite};

/// What is read from the editor.
pub(crate) type Reader = Box<dyn AsyncRead + Send + Unpin>;
/// What is written to it.
pub(crate) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// The standard streams; must be called within a runtime.
pub(crate) fn standard() -> (Reader, Writer) {
    #[cfg(unix)]
    if let Some((reader, writer)) = sockets() {
        return (Box::new(reader), Box::new(writer));
    }
    let (reader, writer) = stdio_pipes();
    (Box::new(reader), Box::new(writer))
}

/// Both streams, where both are sockets. They stay without blocking after this program, as after Node's own.
#[cfg(unix)]
fn sockets() -> Option<(tokio::net::UnixStream, tokio::net::UnixStream)> {
    use std::io::{stdin, stdout};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    let socket = |stream: &dyn AsFd| {
        let socket = UnixStream::from(stream.as_fd().try_clone_to_owned().ok()?);
        // only a socket has an address
        socket.local_addr().ok().map(|_| socket)
    };
    let live = |socket: UnixStream| {
        socket.set_nonblocking(true).ok()?;
        tokio::net::UnixStream::from_std(socket).ok()
    };
    let (reader, writer) = (socket(&stdin())?, socket(&stdout())?);
    live(reader).zip(live(writer))
}
