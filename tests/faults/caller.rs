//! Speaks with a broker as `aic-mcp` does, frame by frame, and many times faster than a program for each call could.

use std::path::Path;
use std::time::Duration;

use aic_proto::connection::{self, Reader, Writer};
use aic_proto::frame;
use aic_proto::hello::{Hello, Role, ShimHello};
use aic_proto::message::{Call, Outcome, ToBroker, ToShim};
use aic_proto::refusal::{Executed, Kind};
use aic_proto::transport::{self, Stream};
use serde_json::{Value, json};

use crate::harness::Answer;

/// How much longer than its own time a call may take until its answer is missed.
const GRACE: Duration = Duration::from_secs(20);

/// What a call was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Told {
    /// It succeeded.
    Success,
    /// It failed.
    Failed(Kind, Executed),
    /// Somebody must sign in first.
    SignIn,
    /// The connection ended first.
    Lost,
    /// No answer came in time: what must never be.
    Nothing,
}

impl Told {
    /// What an editor was told.
    pub fn by(answer: &Answer) -> Self {
        const KINDS: [Kind; 16] = [
            Kind::LoginRequired,
            Kind::LoginDeclined,
            Kind::LoginFailed,
            Kind::TenantRefused,
            Kind::NotAllowed,
            Kind::InvalidArguments,
            Kind::NotFound,
            Kind::Conflict,
            Kind::Denied,
            Kind::RateLimited,
            Kind::Upstream,
            Kind::Unreachable,
            Kind::TimedOut,
            Kind::Cancelled,
            Kind::BrokerUnavailable,
            Kind::Internal,
        ];
        let kind = KINDS.into_iter().find(|kind| kind.word() == answer.kind());
        let executed = [Executed::No, Executed::Yes].into_iter().find(|word| word.word() == answer.executed());
        match kind {
            Some(kind) => Self::Failed(kind, executed.unwrap_or(Executed::Unknown)),
            None if answer.is_error() => Self::Nothing,
            None => Self::Success,
        }
    }
}

/// One connection of a shim.
pub struct Caller {
    reader: Reader<Stream>,
    writer: Writer<Stream>,
    next: u64,
}

impl Caller {
    /// Connects to the broker of a directory, for a tenant of its configuration.
    ///
    /// Errors: a text that says why there is no conversation.
    pub async fn connect(run: &Path, tenant: &str) -> Result<Self, String> {
        let endpoint = transport::endpoint(Some(run.to_path_buf()));
        let stream = transport::connect(&endpoint).await.map_err(|error| error.to_string())?;
        let (mut reader, mut writer) = connection::split(stream);
        connection::greet(&mut reader, &mut writer, &hello(tenant)).await.map_err(|error| error.to_string())?;
        Ok(Self { reader, writer, next: 0 })
    }

    /// Calls a tool and waits for its answer.
    pub async fn call(&mut self, tool: &str, arguments: &Value, within: Duration) -> Told {
        let Some(id) = self.send(tool, arguments, within).await else { return Told::Lost };
        let answer = async {
            loop {
                match self.next_answer().await {
                    Some((answered, told)) if answered == id => return told,
                    Some(_) => {}
                    None => return Told::Lost,
                }
            }
        };
        tokio::time::timeout(within + GRACE, answer).await.unwrap_or(Told::Nothing)
    }

    /// Sends a call and does not wait; `None` when the connection has ended.
    pub async fn send(&mut self, tool: &str, arguments: &Value, within: Duration) -> Option<u64> {
        self.next += 1;
        let (id, within_ms) = (self.next, u64::try_from(within.as_millis()).unwrap());
        let call = Call { id, tool: tool.to_owned(), arguments: arguments.to_string(), within_ms };
        frame::write(&mut self.writer, &ToBroker::Call(call).encode().unwrap()).await.ok().map(|()| id)
    }

    /// The next call's answer; `None` when the connection has ended.
    pub async fn next_answer(&mut self) -> Option<(u64, Told)> {
        loop {
            match connection::next_reply(&mut self.reader).await.ok()?? {
                ToShim::Answer(answer) => {
                    return Some((
                        answer.id,
                        match answer.outcome {
                            Outcome::Success(_) => Told::Success,
                            Outcome::Failure(failure) => Told::Failed(failure.kind, failure.executed),
                        },
                    ));
                }
                ToShim::SignInNeeded(needed) => return Some((needed.id, Told::SignIn)),
                _ => {}
            }
        }
    }

    /// Calls a read until somebody is signed in.
    ///
    /// Errors: panics when nobody is after many calls.
    pub async fn sign_in(&mut self) {
        for _ in 0..600 {
            match self.call("getLogSources", &json!({}), Duration::from_secs(20)).await {
                Told::Success => return,
                Told::SignIn => tokio::time::sleep(Duration::from_millis(50)).await,
                other => panic!("nobody is signed in: {other:?}"),
            }
        }
        panic!("nobody signed in");
    }
}

/// What such a shim says first.
pub fn hello(tenant: &str) -> Hello {
    Hello::new(
        "0",
        Role::Shim(ShimHello {
            client: "fault engine".to_owned(),
            tenant: Some(tenant.to_owned()),
            read_only: false,
            toolsets: None,
            container: false,
        }),
    )
}
