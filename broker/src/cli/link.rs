//! A command's connection to the broker: finds it, starts it where the command needs one, asks and waits.

use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use aic_proto::connection::{self, Reader, Writer};
use aic_proto::frame;
use aic_proto::hello::{Hello, Role, TurnedAway};
use aic_proto::message::{ToBroker, ToShim};
use aic_proto::refusal::{Failure, Kind};
use aic_proto::transport::{self, Stream};
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

use super::install::is_service_enabled;
use super::{code, stop};
use crate::config::Places;
use crate::os;

/// How long a broker that was just started may take to listen.
const START_WITHIN: Duration = Duration::from_secs(10);
/// The pause between two looks at the socket.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Why a command could not talk to the broker.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// None runs.
    #[error("no aic-broker is running")]
    Absent,
    /// It could not be started; its own words.
    #[error("{0}")]
    NotStarted(String, u8),
    /// One is there, and does not serve now: it starts, or it leaves.
    #[error("{0}")]
    Passing(String),
    /// Anything else.
    #[error("{0}")]
    Broken(String),
}

impl Error {
    /// An answer that does not belong to the question.
    pub(super) fn strange() -> Self {
        Self::Broken("the broker answered something else; are both programs of the same version?".to_owned())
    }

    /// The exit code that stands for it.
    pub(super) fn report(&self) -> ExitCode {
        match self {
            Self::Absent => stop(code::NO_BROKER, &self.to_string()),
            Self::NotStarted(text, code) => stop(*code, text),
            Self::Passing(text) | Self::Broken(text) => stop(code::FAILED, text),
        }
    }
}

/// A connection to the broker.
pub(super) struct Link {
    reader: Reader<Stream>,
    writer: Writer<Stream>,
}

impl Link {
    /// Connects to a running broker; where a service manager listens for it, none is started by that.
    ///
    /// Errors: [`Error::Absent`] when none runs.
    pub(super) async fn find(places: &Places) -> Result<Self, Error> {
        match is_service_enabled() && os::holder_of_lock(&places.endpoint.lock()).is_none() {
            true => Err(Error::Absent),
            false => Self::meet(places).await,
        }
    }

    /// Connects to the broker, starting it when none runs: by the connection alone where a service manager listens for it,
    /// else in the background.
    ///
    /// Errors: [`Error::NotStarted`] with the broker's own words.
    pub(super) async fn find_or_start(places: &Places) -> Result<Self, Error> {
        match Self::activate(places).await {
            Err(Error::Absent) => start(places).await,
            found => found,
        }
    }

    /// Connects to the broker, and waits for one that is about to serve.
    ///
    /// Errors: [`Error::Absent`] when nobody listens.
    pub(super) async fn activate(places: &Places) -> Result<Self, Error> {
        let deadline = Instant::now() + START_WITHIN;
        loop {
            match Self::meet(places).await {
                Err(Error::Passing(_)) if Instant::now() < deadline => tokio::time::sleep(LOOK_EVERY).await,
                met => return met,
            }
        }
    }

    async fn meet(places: &Places) -> Result<Self, Error> {
        let stream = transport::connect(&places.endpoint).await.map_err(|error| match error {
            transport::Error::Absent => Error::Absent,
            other => Error::Broken(other.to_string()),
        })?;
        let (mut reader, mut writer) = connection::split(stream);
        let hello = Hello::new(env!("CARGO_PKG_VERSION"), Role::Command);
        match connection::greet(&mut reader, &mut writer, &hello).await {
            Ok(_) => Ok(Self { reader, writer }),
            Err(for_good @ connection::Error::TurnedAway(TurnedAway::Version { .. } | TurnedAway::Busy)) => {
                Err(Error::Broken(for_good.to_string()))
            }
            Err(passing) => Err(Error::Passing(passing.to_string())),
        }
    }

    /// Sends a request.
    pub(super) async fn send(&mut self, request: &ToBroker) -> Result<(), Error> {
        let bytes = request.encode().map_err(|error| Error::Broken(error.to_string()))?;
        frame::write(&mut self.writer, &bytes).await.map_err(|error| Error::Broken(error.to_string()))
    }

    /// Waits for the next answer.
    ///
    /// Errors: the broker left.
    pub(super) async fn next(&mut self) -> Result<ToShim, Error> {
        let answer =
            connection::next_reply(&mut self.reader).await.map_err(|error| Error::Broken(error.to_string()))?;
        answer.ok_or_else(|| Error::Broken("the broker left without an answer".to_owned()))
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn ask(&mut self, request: &ToBroker) -> Result<ToShim, Error> {
        self.send(request).await?;
        self.next().await
    }
}

async fn start(places: &Places) -> Result<Link, Error> {
    let program = std::env::current_exe().map_err(|error| Error::Broken(error.to_string()))?;
    let mut command = Command::new(program);
    command
        .arg("serve")
        .env("AIC_BROKER_DETACHED", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = tokio::process::Command::from(command).spawn().map_err(|error| Error::Broken(error.to_string()))?;
    let deadline = Instant::now() + START_WITHIN;
    loop {
        match Link::meet(places).await {
            Err(Error::Absent | Error::Passing(_)) => {}
            found => return found,
        }
        if let Ok(Some(status)) = child.try_wait()
            && let Err(Error::Absent) = Link::meet(places).await
        {
            let exit = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(code::FAILED);
            return Err(Error::NotStarted(last_words(&mut child).await, exit));
        }
        if Instant::now() > deadline {
            return Err(Error::Broken(format!("the broker did not listen within {} s", START_WITHIN.as_secs())));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn last_words(child: &mut tokio::process::Child) -> String {
    let mut text = String::new();
    if let Some(stderr) = child.stderr.take() {
        let _ = stderr.take(4096).read_to_string(&mut text).await;
    }
    text.trim().trim_start_matches("aic-broker: ").to_owned()
}

/// Runs a command's conversation.
pub(super) fn converse(work: impl Future<Output = ExitCode>) -> ExitCode {
    to_its_end(work).unwrap_or_else(|reason| stop(code::FAILED, &reason))
}

/// Runs a part of a command that waits for others.
///
/// Errors: the OS has no room for it.
pub(super) fn to_its_end<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map(|runtime| runtime.block_on(work)).map_err(|error| error.to_string())
}

/// Ends a command with a refusal of the broker.
pub(super) fn refused(failure: &Failure) -> ExitCode {
    let code = match failure.kind {
        Kind::LoginRequired | Kind::LoginDeclined | Kind::LoginFailed | Kind::TenantRefused => code::SIGN_IN,
        _ => code::FAILED,
    };
    let hint = failure.hint.as_ref().map_or(String::new(), |hint| format!("\n  {}", hint.replace('\n', "\n  ")));
    stop(code, &format!("{}{hint}", failure.message))
}

/// An answer that does not belong to the question.
pub(super) fn strange() -> ExitCode {
    Error::strange().report()
}
