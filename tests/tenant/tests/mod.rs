//! Tests of the families, each through the whole tenant in memory, and of the wire over a socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod am;
mod environment;
mod idm;
mod oauth;
mod wire;
