//! Names why a call or a connection is refused. The words are stable; texts beside them are for people.

use serde::{Deserialize, Serialize};

/// What kind of failure a call ended in (the contract's section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Nobody is signed in; the answer says where to sign in.
    LoginRequired,
    /// The person, or AM for them, refused the sign-in.
    LoginDeclined,
    /// The sign-in did not come to an end.
    LoginFailed,
    /// The tenant is not a development or sandbox tenant, or is not known to be one.
    TenantRefused,
    /// Paused, read-only, or left out by a tool set.
    NotAllowed,
    /// An argument is unknown, badly typed or impossible; nothing was sent.
    InvalidArguments,
    /// The tenant says 404.
    NotFound,
    /// The tenant says 409 or 412, or another writer came between.
    Conflict,
    /// The tenant says 401 or 403.
    Denied,
    /// The tenant says 429.
    RateLimited,
    /// The tenant says anything else that is a failure.
    Upstream,
    /// The tenant cannot be reached.
    Unreachable,
    /// The time for the call ran out.
    TimedOut,
    /// The client withdrew the call.
    Cancelled,
    /// The broker cannot be reached or started.
    BrokerUnavailable,
    /// A fault of our own.
    Internal,
}

impl Kind {
    /// The word on the outside, for example `tenant_refused`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::LoginRequired => "login_required",
            Self::LoginDeclined => "login_declined",
            Self::LoginFailed => "login_failed",
            Self::TenantRefused => "tenant_refused",
            Self::NotAllowed => "not_allowed",
            Self::InvalidArguments => "invalid_arguments",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Denied => "denied",
            Self::RateLimited => "rate_limited",
            Self::Upstream => "upstream",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::BrokerUnavailable => "broker_unavailable",
            Self::Internal => "internal",
        }
    }
}

/// Whether the call changed anything at the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Executed {
    /// Nothing that changes anything was sent, or the tenant refused it.
    No,
    /// A write was sent and answered.
    Yes,
    /// A write was sent and no answer came.
    Unknown,
}

impl Executed {
    /// The word on the outside: `no`, `yes` or `unknown`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Yes => "yes",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a call failed, what it means, and what helps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The stable word.
    pub kind: Kind,
    /// What happened, for people and models.
    pub message: String,
    /// What helps, for example a command.
    pub hint: Option<String>,
    /// The tenant's HTTP status, where there was one.
    pub status: Option<u16>,
    /// AIC's `x-forgerock-transactionid`, or the one that was sent.
    pub transaction_id: Option<String>,
    /// Whether anything was changed.
    pub executed: Executed,
}

impl Failure {
    /// A failure before anything was sent.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, status: None, transaction_id: None, executed: Executed::No }
    }

    /// The same failure with what helps.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
