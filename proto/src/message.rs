//! The messages of both directions. Numbers are fixed for ever; fields may only be appended.

use serde::{Deserialize, Serialize};

use crate::frame::{self, Frame};
use crate::refusal::Failure;

/// Names a request of one connection; its answer repeats it.
pub type RequestId = u64;

/// Declares a direction's messages with their numbers, encoding and decoding.
macro_rules! messages {
    ($(#[$doc:meta])* $name:ident, limit $limit:expr, { $($(#[$vdoc:meta])* $number:literal $variant:ident($body:ty),)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $($(#[$vdoc])* $variant($body),)*
            /// A number that this version does not know; it is answered as unknown and never half done.
            Unknown(u16),
        }

        impl $name {
            /// The bytes of the frame that carries this message.
            ///
            /// Errors: [`frame::Error::Length`] when it is too large to be sent.
            pub fn encode(&self) -> Result<Vec<u8>, frame::Error> {
                match self {
                    $(Self::$variant(body) => frame::encode($number, body, $limit),)*
                    Self::Unknown(kind) => frame::encode(*kind, &(), $limit),
                }
            }

            /// The message in a frame.
            ///
            /// Errors: [`frame::Error::Malformed`] when a known number holds something else.
            pub fn decode(frame: &Frame) -> Result<Self, frame::Error> {
                Ok(match frame.kind {
                    $($number => Self::$variant(frame::decode(frame)?),)*
                    other => Self::Unknown(other),
                })
            }
        }
    };
}

messages! {
    /// What a shim or the command line sends.
    ToBroker, limit frame::REQUEST_LIMIT, {
        /// Answered by [`ToShim::Answer`] or [`ToShim::SignInNeeded`].
        10 Call(Call),
        /// Withdraws a request. A call is still answered, with what became of it; others are not.
        11 Cancel(Cancel),
        /// Starts or joins a sign-in. Answered by [`ToShim::SignInNeeded`], [`ToShim::Session`] when somebody is signed in, or [`ToShim::Failed`].
        12 SignIn(SignIn),
        /// Waits for the end of a sign-in. Answered by [`ToShim::SignInEnded`].
        13 Wait(Wait),
        /// The person declined a dialog: ends the sign-in unless somebody else waits for it. Not answered.
        14 Decline(Wait),
        /// Hands in a redirected URL that was pasted. Answered by [`ToShim::Done`] or [`ToShim::Failed`].
        15 Paste(Paste),
        /// Answered by [`ToShim::Session`] or [`ToShim::Failed`]; starts nothing.
        16 SessionStatus(Ask),
        /// Answered by [`ToShim::Status`].
        30 Status(Ask),
        /// Ends the sessions of one or all tenants. Answered by [`ToShim::LoggedOut`].
        31 Logout(Logout),
        /// Answered by [`ToShim::Token`], [`ToShim::SignInNeeded`] or [`ToShim::Failed`].
        32 Token(TokenRequest),
        /// Answered by [`ToShim::Done`].
        33 Pause(Pause),
        /// Ends the broker in order. Answered by [`ToShim::Done`] before it leaves.
        34 Stop(Ask),
    }
}

messages! {
    /// What the broker sends.
    ToShim, limit frame::REPLY_LIMIT, {
        /// The outcome of a call.
        10 Answer(Answer),
        /// Nothing was changed: somebody must sign in first. The sign-in is under way.
        11 SignInNeeded(SignInNeeded),
        /// The end of a sign-in that was waited for.
        12 SignInEnded(SignInEnded),
        /// Who is signed in to a tenant.
        13 Session(SessionReport),
        /// The request was carried out.
        20 Done(Ask),
        /// The request was refused.
        21 Failed(Failed),
        /// What the broker holds, as the JSON text of `aic-broker status --json`.
        30 Status(Text),
        /// What was revoked and what was not, a line for each tenant.
        31 LoggedOut(Text),
        /// A scoped token: the only message that carries one.
        32 Token(TokenAnswer),
        /// The broker does not know this number; the request was not carried out.
        40 NotUnderstood(NotUnderstood),
        /// To shims, unasked: no new request on this connection; what is under way is still answered.
        41 Leaving(Leaving),
    }
}

impl ToBroker {
    /// The request's id, by which it is answered and withdrawn.
    pub fn id(&self) -> Option<RequestId> {
        match self {
            Self::Call(Call { id, .. })
            | Self::SignIn(SignIn { id, .. })
            | Self::Wait(Wait { id, .. })
            | Self::Decline(Wait { id, .. })
            | Self::Paste(Paste { id, .. })
            | Self::Logout(Logout { id, .. })
            | Self::Token(TokenRequest { id, .. })
            | Self::Pause(Pause { id, .. })
            | Self::SessionStatus(Ask { id })
            | Self::Status(Ask { id })
            | Self::Stop(Ask { id }) => Some(*id),
            Self::Cancel(_) | Self::Unknown(_) => None,
        }
    }
}

/// A tool call, for the tenant of the connection's hello.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Which request this is.
    pub id: RequestId,
    /// The tool's name in the catalogue.
    pub tool: String,
    /// The arguments, a JSON object as text.
    pub arguments: String,
    /// How long the broker may take, in milliseconds.
    pub within_ms: u64,
}

/// Withdraws the request of this id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cancel {
    /// The request's id.
    pub id: RequestId,
}

/// How a person is to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// As the configuration and the surroundings say.
    Auto,
    /// The device flow (RFC 8628).
    Device,
    /// The browser flow without opening a browser: the caller shows the URL.
    NoBrowser,
    /// The browser flow without a listener: the redirected URL is pasted.
    Paste,
}

/// Asks for a sign-in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignIn {
    /// Which request this is.
    pub id: RequestId,
    /// Another tenant than the connection's.
    pub tenant: Option<String>,
    /// How.
    pub how: How,
}

/// Names a sign-in under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// Which request this is.
    pub id: RequestId,
    /// [`Pending::flow`].
    pub flow: String,
}

/// The URL that the browser was redirected to, pasted by the person.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Paste {
    /// Which request this is.
    pub id: RequestId,
    /// [`Pending::flow`].
    pub flow: String,
    /// The whole URL; it holds a code, so it has no `Debug`.
    pub url: String,
}

impl std::fmt::Debug for Paste {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Paste").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A request or an answer without content of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// Which request this is.
    pub id: RequestId,
}

/// Ends sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logout {
    /// Which request this is.
    pub id: RequestId,
    /// One tenant, or all of them.
    pub tenant: Option<String>,
}

/// Asks for a scoped token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenRequest {
    /// Which request this is.
    pub id: RequestId,
    /// The tenant.
    pub tenant: String,
    /// The scopes.
    pub scopes: Vec<String>,
}

/// Switches all calls off or on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pause {
    /// Which request this is.
    pub id: RequestId,
    /// Off or on.
    pub paused: bool,
}

/// A call's outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The call.
    pub id: RequestId,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// It succeeded.
    Success(Success),
    /// It failed.
    Failure(Failure),
}

/// A successful result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Success {
    /// The text for the model; absent when it is `structured` itself.
    pub text: Option<String>,
    /// The result as JSON text, when it is an object.
    pub structured: Option<String>,
    /// AIC's transaction id, where anything was sent.
    pub transaction_id: Option<String>,
    /// Something the person should know besides the result.
    pub warning: Option<String>,
}

/// A call that waits for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignInNeeded {
    /// The request.
    pub id: RequestId,
    /// The sign-in under way.
    pub pending: Pending,
}

/// A sign-in under way. Knowing it gives no data and no token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Names the sign-in: random, 128 bits, hexadecimal.
    pub flow: String,
    /// The tenant's name or host, as the person knows it.
    pub tenant: String,
    /// The host where the person signs in: what they should check.
    pub host: String,
    /// What the person is shown.
    pub shown: Shown,
    /// When it ends by itself, RFC 3339.
    pub expires_at: String,
    /// The same in seconds from now.
    pub expires_in: u64,
    /// Why it is not the usual way, for example who holds the redirect port, and which command helps.
    pub note: Option<String>,
}

/// What the person is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shown {
    /// The browser flow.
    Browser {
        /// The authorize URL. It is no credential.
        url: String,
        /// Whether the broker opened a browser.
        opened: bool,
    },
    /// The device flow.
    Device {
        /// `verification_uri`.
        uri: String,
        /// `verification_uri_complete`.
        uri_complete: Option<String>,
        /// `user_code`.
        user_code: String,
    },
}

/// How a sign-in ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignInEnded {
    /// The request that waited.
    pub id: RequestId,
    /// How.
    pub end: End,
}

/// How a sign-in ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// Somebody is signed in.
    SignedIn {
        /// Their user name.
        user: Option<String>,
    },
    /// Nobody is, and why.
    Failed(Failure),
}

/// Who is signed in to a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionReport {
    /// The request.
    pub id: RequestId,
    /// The tenant's name or host.
    pub tenant: String,
    /// `signed_out`, `signing_in`, `signed_in` or `expired`.
    pub state: String,
    /// The user name.
    pub user: Option<String>,
    /// The end of the session, RFC 3339.
    pub expires_at: Option<String>,
    /// The sign-in under way.
    pub pending: Option<Pending>,
}

/// A refused request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    /// The request.
    pub id: RequestId,
    /// Why.
    pub failure: Failure,
}

/// A text answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Text {
    /// The request.
    pub id: RequestId,
    /// The text.
    pub text: String,
}

/// A scoped token.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// The request.
    pub id: RequestId,
    /// The token itself; this type has no `Debug` that shows it.
    pub access_token: String,
    /// Seconds until it ends.
    pub expires_in: u64,
    /// The granted scopes, separated by spaces.
    pub scope: String,
}

impl std::fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenAnswer").field("id", &self.id).field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// A number that the broker does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotUnderstood {
    /// The number.
    pub kind: u16,
}

/// The broker leaves: the next request needs another connection, and starts the next broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// Why, for people.
    pub reason: String,
}
