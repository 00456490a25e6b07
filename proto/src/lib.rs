//! What aic-broker and aic-mcp must agree on: frames, hello, messages, refusals, the socket and the tool catalogue.
#![doc = include_str!("../README.md")]

pub mod catalogue;
pub mod connection;
pub mod endpoint;
pub mod frame;
pub mod hello;
pub mod message;
pub mod refusal;
pub mod transport;
