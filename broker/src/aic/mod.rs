//! Speaks with the tenant's APIs for one tool call: builds requests, sends them within bounds, reads answers.

mod api;
mod fault;
mod json;
mod path;
mod reply;
mod request;

pub use api::{Api, Caller, Documents, Journal, Later, Parts, Sent};
pub use fault::{Fault, Upstream};
pub use path::{Filter, Path};
pub use reply::Reply;
pub use request::Request;
