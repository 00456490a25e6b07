//! The first frame of each side: who speaks, and which versions of the protocol.

use serde::{Deserialize, Serialize};

use crate::frame::{self, Frame, HELLO_LIMIT};

/// The newest protocol version of this program: N.
pub const NEWEST: u16 = 1;
/// The oldest protocol version that it still speaks: N-1 once there is one.
pub const OLDEST: u16 = 1;
/// What every hello begins with, so that a stranger's first bytes are known for what they are.
pub const MAGIC: [u8; 4] = *b"AICB";

const HELLO: u16 = 1;
const WELCOME: u16 = 2;
const TURNED_AWAY: u16 = 3;

/// What a client says first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`MAGIC`].
    pub magic: [u8; 4],
    /// The newest version that the client speaks.
    pub newest: u16,
    /// The oldest version that the client speaks.
    pub oldest: u16,
    /// The client program's version.
    pub program: String,
    /// What the client is.
    pub role: Role,
}

/// What a client is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// An `aic-mcp` process, bound to one tenant for its life.
    Shim(ShimHello),
    /// One `aic-broker` command.
    Command,
}

/// What a shim says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShimHello {
    /// The MCP client's own name and version: a label, nothing is decided by it.
    pub client: String,
    /// `AIC_BASE_URL` or `--tenant`, as given.
    pub tenant: Option<String>,
    /// Whether only tools that read are allowed.
    pub read_only: bool,
    /// The tool sets that are allowed, by name; `None` is all that the mode has.
    pub toolsets: Option<Vec<String>>,
    /// Container mode.
    pub container: bool,
}

/// What the broker answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version that both speak from now on.
    pub protocol: u16,
    /// The broker program's version.
    pub program: String,
    /// The broker's process id.
    pub pid: u32,
    /// Seals what a shim hands to its MCP client to bring back (`requestState`). It authorises nothing.
    pub state_key: [u8; 32],
}

/// Why the broker does not speak with a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum TurnedAway {
    /// No common version.
    #[error("it speaks protocol {oldest} to {newest}, and this program does not: one of them must be updated")]
    Version {
        /// The broker's newest.
        newest: u16,
        /// The broker's oldest.
        oldest: u16,
    },
    /// Too many connections.
    #[error("it has as many connections as it accepts")]
    Busy,
    /// The broker is about to leave.
    #[error("it is about to leave")]
    Leaving,
}

/// The broker's first frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Go on.
    Welcome(Welcome),
    /// The connection ends here.
    TurnedAway(TurnedAway),
}

/// The version to speak: the newest that both know.
///
/// Shape: each side gives its `(oldest, newest)`.
#[must_use]
pub fn agree(ours: (u16, u16), theirs: (u16, u16)) -> Option<u16> {
    let newest = ours.1.min(theirs.1);
    (newest >= ours.0.max(theirs.0)).then_some(newest)
}

impl Hello {
    /// A hello of this program's versions.
    #[must_use]
    pub fn new(program: impl Into<String>, role: Role) -> Self {
        Self { magic: MAGIC, newest: NEWEST, oldest: OLDEST, program: program.into(), role }
    }

    /// The frame's bytes.
    ///
    /// Errors: [`frame::Error::Length`] when the names in it are absurdly long.
    pub fn encode(&self) -> Result<Vec<u8>, frame::Error> {
        frame::encode(HELLO, self, HELLO_LIMIT)
    }

    /// Reads a hello.
    ///
    /// Errors: [`frame::Error::Malformed`] for anything else.
    pub fn decode(frame: &Frame) -> Result<Self, frame::Error> {
        let hello: Self = frame::decode(frame)?;
        match frame.kind == HELLO && hello.magic == MAGIC {
            true => Ok(hello),
            false => Err(frame::Error::Malformed(frame.kind)),
        }
    }
}

impl Reply {
    /// The frame's bytes.
    ///
    /// Errors: [`frame::Error::Length`], which fixed fields cannot reach.
    pub fn encode(&self) -> Result<Vec<u8>, frame::Error> {
        match self {
            Self::Welcome(welcome) => frame::encode(WELCOME, welcome, HELLO_LIMIT),
            Self::TurnedAway(reason) => frame::encode(TURNED_AWAY, reason, HELLO_LIMIT),
        }
    }

    /// Reads the broker's first frame.
    ///
    /// Errors: [`frame::Error::Malformed`] for anything else.
    pub fn decode(frame: &Frame) -> Result<Self, frame::Error> {
        match frame.kind {
            WELCOME => frame::decode(frame).map(Self::Welcome),
            TURNED_AWAY => frame::decode(frame).map(Self::TurnedAway),
            other => Err(frame::Error::Malformed(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::agree;

    #[test]
    fn the_newest_common_version_is_spoken() {
        let cases = [
            ((1, 1), (1, 1), Some(1)),
            ((1, 2), (1, 1), Some(1)),
            ((2, 3), (1, 2), Some(2)),
            ((2, 3), (3, 4), Some(3)),
            ((2, 3), (4, 5), None),
            ((3, 4), (1, 2), None),
        ];

        for (ours, theirs, wanted) in cases {
            assert_eq!(agree(ours, theirs), wanted, "{ours:?} {theirs:?}");
        }
    }
}
