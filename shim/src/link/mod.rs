//! Keeps one connection to the broker: finds or starts a broker when a call needs one, connects anew after it died.

mod connection;

use std::sync::Arc;
use std::time::{Duration, Instant};

use aic_proto::connection::{Error as NoConversation, greet, split};
use aic_proto::endpoint::Endpoint;
use aic_proto::hello::{Hello, Role, ShimHello, TurnedAway};
use aic_proto::transport::{self, Stream};
use tokio::sync::Mutex;

pub(crate) use connection::{Connection, Lost};

use crate::arguments::{Arguments, Places};
use crate::find::{self, Sight, Started, Step};
use crate::launch::{self, Launched};

/// What the broker is told of the MCP client at most: it is a label, and a hello is small.
const LABEL_CHARACTERS: usize = 120;

/// The way to the broker.
#[derive(Debug)]
pub(crate) struct Link {
    endpoint: Endpoint,
    places: Places,
    tenant: Option<String>,
    read_only: bool,
    toolsets: Option<Vec<String>>,
    container: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    connection: Option<Arc<Connection>>,
    launched: Option<Launched>,
}

impl Link {
    /// A way that nobody has gone yet.
    pub(crate) fn new(arguments: &Arguments) -> Self {
        Self {
            endpoint: transport::endpoint(arguments.places.runtime.clone()),
            places: arguments.places.clone(),
            tenant: arguments.tenant.clone(),
            read_only: arguments.read_only,
            toolsets: arguments.toolsets.clone(),
            container: arguments.container,
            state: Mutex::default(),
        }
    }

    /// The connection, starting a broker when there is none; all callers share one search.
    ///
    /// Errors: a text that says why there is no broker.
    pub(crate) async fn connect(&self, client: &str, within: Duration) -> Result<Arc<Connection>, String> {
        let mut state = self.state.lock().await;
        if let Some(connection) = state.living() {
            return Ok(connection);
        }
        let found = self.search(&mut state, client, within.min(find::SEARCH)).await;
        state.launched = None;
        state.connection = found.as_ref().ok().cloned();
        found
    }

    /// The connection to a broker that runs already; starts none.
    pub(crate) async fn connect_to_running(&self, client: &str) -> Option<Arc<Connection>> {
        let mut state = self.state.lock().await;
        if state.living().is_none() {
            state.connection = self.attempt(client).await.ok();
        }
        state.living()
    }

    async fn search(&self, state: &mut State, client: &str, allowed: Duration) -> Result<Arc<Connection>, String> {
        let began = Instant::now();
        let mut attempts = 0;
        loop {
            let sight = match self.attempt(client).await {
                Ok(connection) => return Ok(connection),
                Err(sight) => sight,
            };
            let started = state.launched.as_ref().map_or(Started::Not, Launched::state);
            match find::next(&sight, &started, attempts, began.elapsed(), allowed) {
                Step::Start => state.launched = Some(launch::start(&self.places)?),
                Step::Pause(pause) => state.pause(pause).await,
                Step::GiveUp(reason) => return Err(reason),
            }
            attempts += 1;
        }
    }

    async fn attempt(&self, client: &str) -> Result<Arc<Connection>, Sight> {
        let stream = transport::connect(&self.endpoint).await.map_err(see)?;
        self.converse(stream, client).await.map_err(hear)
    }

    async fn converse(&self, stream: Stream, client: &str) -> Result<Arc<Connection>, NoConversation> {
        let (mut reader, mut writer) = split(stream);
        let hello = Hello::new(env!("CARGO_PKG_VERSION"), Role::Shim(self.introduction(client)));
        let welcome = greet(&mut reader, &mut writer, &hello).await?;
        Ok(Arc::new(Connection::begin(reader, writer, welcome)))
    }

    fn introduction(&self, client: &str) -> ShimHello {
        ShimHello {
            client: client.chars().filter(|c| !c.is_control()).take(LABEL_CHARACTERS).collect(),
            tenant: self.tenant.clone(),
            read_only: self.read_only,
            toolsets: self.toolsets.clone(),
            container: self.container,
        }
    }
}

impl State {
    fn living(&self) -> Option<Arc<Connection>> {
        self.connection.as_ref().filter(|connection| connection.lives()).cloned()
    }

    async fn pause(&mut self, pause: Duration) {
        match &mut self.launched {
            Some(launched) if launched.state() == Started::Running => {
                tokio::select! { () = tokio::time::sleep(pause) => {}, () = launched.left() => {} }
            }
            _ => tokio::time::sleep(pause).await,
        }
    }
}

fn see(error: transport::Error) -> Sight {
    use std::io::ErrorKind::{ConnectionReset, Interrupted, WouldBlock};
    match error {
        transport::Error::Absent => Sight::Absent,
        // a full queue of connections: the broker is there and busy
        transport::Error::Io { cause, .. } if matches!(cause.kind(), WouldBlock | Interrupted | ConnectionReset) => {
            Sight::Passing
        }
        transport::Error::Io { ref cause, .. } => Sight::Unusable(format!("{error}: {cause}")),
        other => Sight::Unusable(other.to_string()),
    }
}

fn hear(error: NoConversation) -> Sight {
    match error {
        NoConversation::TurnedAway(TurnedAway::Version { newest, oldest }) => Sight::Unusable(format!(
            "aic-broker speaks protocol {oldest} to {newest}, and aic-mcp {} does not: update both, then run \
             `aic-broker stop`",
            env!("CARGO_PKG_VERSION")
        )),
        NoConversation::TurnedAway(TurnedAway::Busy) => {
            Sight::Unusable("aic-broker has as many connections as it accepts: close an editor".to_owned())
        }
        _ => Sight::Passing,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn io_error(kind: io::ErrorKind) -> transport::Error {
        transport::Error::Io { doing: "connecting to", place: "/tmp/s".into(), cause: kind.into() }
    }

    #[test]
    fn what_passes_is_told_from_what_stays() {
        assert_eq!(see(transport::Error::Absent), Sight::Absent);
        assert_eq!(see(io_error(io::ErrorKind::WouldBlock)), Sight::Passing);
        assert!(matches!(see(io_error(io::ErrorKind::PermissionDenied)), Sight::Unusable(_)));
        assert!(matches!(see(transport::Error::Stranger(7)), Sight::Unusable(_)));
        assert_eq!(hear(NoConversation::TurnedAway(TurnedAway::Leaving)), Sight::Passing);
        assert_eq!(hear(NoConversation::Gone), Sight::Passing);
        assert!(matches!(hear(NoConversation::TurnedAway(TurnedAway::Busy)), Sight::Unusable(_)));
    }
}
