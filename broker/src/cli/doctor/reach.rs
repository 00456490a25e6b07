//! Tries the socket as every client does, and keeps what came of it. Starts no broker.

use std::path::Path;
use std::time::Duration;

use aic_proto::connection::{self, Error as GreetError};
use aic_proto::endpoint::{Endpoint, Insecure};
use aic_proto::hello::{Hello, Role, TurnedAway, Welcome};
use aic_proto::message::{Ask, ToBroker, ToShim};
use aic_proto::transport::{self, Error};
use aic_proto::{connection::Reader, connection::Writer, frame, transport::Stream};
use serde_json::Value;

use crate::cli::install::is_service_enabled;

/// How long the broker may take for a hello and for its status: both are answered from memory.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// What came of an attempt to talk to the broker.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reach {
    /// None runs, and nothing is in the way of one.
    Nobody,
    /// The place is not safe.
    Insecure(std::path::PathBuf, Insecure),
    /// A process of this user id is there.
    Stranger(u32),
    /// The OS said no.
    Refused(String),
    /// Somebody accepts connections and says nothing.
    Hanging(Option<u32>),
    /// The broker does not speak with this program.
    TurnedAway(TurnedAway, Option<u32>),
    /// A broker.
    Speaks(Box<Broker>),
}

/// A running broker.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Broker {
    /// Its version.
    pub(super) version: String,
    /// Its process.
    pub(super) pid: u32,
    /// `aic-broker status --json`.
    pub(super) status: Value,
}

impl Reach {
    /// The broker that answered.
    pub(super) fn broker(&self) -> Option<&Broker> {
        match self {
            Self::Speaks(broker) => Some(broker),
            _ => None,
        }
    }
}

/// Tries it.
pub(super) async fn reach(endpoint: &Endpoint) -> Reach {
    if is_service_enabled() && crate::os::holder_of_lock(&endpoint.lock()).is_none() {
        return Reach::Nobody;
    }
    let stream = match tokio::time::timeout(ANSWERS_WITHIN, transport::connect(endpoint)).await {
        Err(_) => return Reach::Hanging(None),
        Ok(Err(error)) => return failed(error),
        Ok(Ok(stream)) => stream,
    };
    let pid = transport::peer(&stream).ok().and_then(|peer| peer.pid);
    match tokio::time::timeout(ANSWERS_WITHIN, speak(stream)).await {
        Ok(Ok(broker)) => Reach::Speaks(Box::new(broker)),
        Ok(Err(GreetError::TurnedAway(reason))) => Reach::TurnedAway(reason, pid),
        Ok(Err(_)) | Err(_) => Reach::Hanging(pid),
    }
}

fn failed(error: Error) -> Reach {
    match error {
        Error::Absent | Error::Owned(_) => Reach::Nobody,
        Error::Insecure { place, reason } => Reach::Insecure(place, reason),
        Error::Stranger(uid) => Reach::Stranger(uid),
        unfit @ Error::Unfit { .. } => Reach::Refused(unfit.to_string()),
        Error::Io { doing, place, cause } => Reach::Refused(format!("{doing} {}: {cause}", place.display())),
    }
}

async fn speak(stream: Stream) -> Result<Broker, GreetError> {
    let (mut reader, mut writer) = connection::split(stream);
    let hello = Hello::new(env!("CARGO_PKG_VERSION"), Role::Command);
    let welcome = connection::greet(&mut reader, &mut writer, &hello).await?;
    let status = status(&mut reader, &mut writer).await?;
    let Welcome { program, pid, .. } = welcome;
    Ok(Broker { version: program, pid, status })
}

async fn status(reader: &mut Reader<Stream>, writer: &mut Writer<Stream>) -> Result<Value, frame::Error> {
    frame::write(writer, &ToBroker::Status(Ask { id: 1 }).encode()?).await?;
    match connection::next_reply(reader).await? {
        Some(ToShim::Status(text)) => Ok(serde_json::from_str(&text.text).unwrap_or_default()),
        _ => Ok(Value::Null),
    }
}

/// Whether the socket's path is longer than the OS takes.
///
/// Source: unix(7), `sun_path`: 108 bytes on Linux, 104 on macOS, the last one zero; a socket that arrives has a longer name.
pub(super) fn is_too_long(socket: &Path) -> bool {
    const LONGEST: usize = if cfg!(target_os = "macos") { 103 } else { 107 };
    const ARRIVING: usize = ".".len() + ".4194304".len();
    cfg!(unix) && socket.as_os_str().len() + ARRIVING > LONGEST
}
