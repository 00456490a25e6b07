//! What the whole-program tests stand on.

pub mod harness;
pub mod tenant;
