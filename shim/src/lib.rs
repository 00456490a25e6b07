//! aic-mcp: the MCP server that every editor starts. It words what a person reads, and it never holds a token.

mod arguments;
mod armour;
mod call;
mod find;
mod gate;
mod launch;
mod link;
mod offer;
mod outcome;
mod program;
mod server;
mod session;
mod words;

pub use arguments::{Arguments, Asked, Elicitation, Places, parse};
#[doc(hidden)]
pub use armour::fuzzing;
pub use program::{main, serve};
pub use server::Server;
