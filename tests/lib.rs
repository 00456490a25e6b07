//! What the whole-program tests stand on.

pub mod tenant;
