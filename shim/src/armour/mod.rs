//! What rmcp needs around it: a transport that answers every line, and a guard against panics.

pub mod fuzzing;
mod identifier;
mod input;
mod output;
mod streams;
mod transport;

pub(crate) use streams::standard as standard_streams;
pub(crate) use transport::Lines;

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use rmcp::ErrorData;

/// Runs a handler; rmcp never answers a request whose handler panicked.
///
/// Errors: an internal error in place of a panic.
pub(crate) async fn guard<T>(handler: impl Future<Output = Result<T, ErrorData>>) -> Result<T, ErrorData> {
    let ended = AssertUnwindSafe(handler).catch_unwind().await;
    ended.unwrap_or_else(|_| Err(ErrorData::internal_error("Internal error", None)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_answer() {
        let ended: Result<(), ErrorData> = guard(async { panic!("a fault") }).await;

        assert_eq!(ended.map_err(|error| error.code.0), Err(-32603));
    }
}
