//! What the whole-program tests stand on.

#[cfg(unix)]
pub mod faults;
pub mod harness;
pub mod tenant;
