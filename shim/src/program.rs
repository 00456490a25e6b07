//! Runs the program: arguments in, an MCP server on the standard streams, an exit code out.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::arguments::{self, Arguments, Asked};
use crate::armour::{Lines, standard_streams};
use crate::server::Server;

/// How long answers that are being written may take after the input's end: an editor waits 100 ms at least.
const LAST_WORDS: Duration = Duration::from_millis(50);
const USAGE: u8 = 2;

/// Runs aic-mcp and says how it ended: 0 when the editor closed it, 1 when it failed, 2 for bad arguments.
#[must_use]
pub fn main() -> ExitCode {
    quiet_panics();
    let asked = arguments::parse(std::env::args_os().skip(1), &|name| std::env::var_os(name));
    match asked {
        Ok(Asked::Serve(arguments)) => run(arguments),
        Ok(Asked::Version) => print(&format!("aic-mcp {}\n", env!("CARGO_PKG_VERSION"))),
        Ok(Asked::Help) => print(arguments::HELP),
        Err(error) => {
            warn(&format!("{error} (aic-mcp --help lists what there is)"));
            ExitCode::from(USAGE)
        }
    }
}

fn run(arguments: Arguments) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => return fail(&format!("the runtime cannot start: {cause}")),
    };
    let ended = runtime.block_on(async {
        let (reader, writer) = standard_streams();
        serve(arguments, reader, writer).await
    });
    // a blocking read of standard input would hold an orderly shutdown for ever
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => fail(&reason),
    }
}

/// Serves one MCP client until its input ends.
///
/// Errors: a text for people when the streams fail before the first request.
pub async fn serve<R, W>(arguments: Arguments, reader: R, writer: W) -> Result<(), String>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let closing = CancellationToken::new();
    let server = Server::new(arguments);
    let transport = Lines::new(reader, writer, closing.clone());
    let served = async {
        match server.serve(transport).await {
            Ok(service) => drop(service.waiting().await),
            // an editor that only looks whether the program is there
            Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => {}
            Err(ServerInitializeError::TransportError { error, .. }) => {
                return Err(format!("the editor cannot be reached: {error}"));
            }
            Err(_) => return Err("the editor's first message is no MCP".to_owned()),
        }
        Ok(())
    };
    let gone = async {
        closing.cancelled().await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! { ended = Box::pin(served) => ended, () = gone => Ok(()) }
}

/// A panic is told by its place alone: its message could hold what it failed on.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
        warn(&format!("internal fault{place}"));
    }));
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn fail(reason: &str) -> ExitCode {
    warn(reason);
    ExitCode::FAILURE
}

fn warn(text: &str) {
    let _ = writeln!(std::io::stderr(), "aic-mcp: {text}");
}
