//! What the fuzz targets of `tests/fuzz` reach: the readers of foreign bytes, and nothing that holds anything.

pub use crate::aic::Upstream;
pub use crate::config::{Config, Error as ConfigError, Tenant, resolve};
pub use crate::oauth::fuzzing::*;
