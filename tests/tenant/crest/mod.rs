//! What AM, IDM and the environment APIs share: filters, paging, pointers, patches. Pure.

pub mod fields;
pub mod filter;
pub mod page;
pub mod patch;
pub mod pointer;
pub mod revision;
mod tokens;
