//! What the system tests stand on: a world of its own for each test, with the two real programs in it.
//!
//! Waiting is done in [`eventually`] and nowhere else. Processes are ended by their id, and only those of the world.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

mod answer;
mod audit;
mod browser;
mod canary;
mod certificate;
mod command;
mod editor;
mod manager;
mod memory;
mod place;
mod process;
mod relay;
mod wait;
mod world;

pub use answer::Answer;
pub use audit::Line;
pub use browser::{Browser, Mode, follow, redirect_of, status_with};
pub use canary::{files_with, processes_with, text_of};
pub use certificate::certificate;
pub use command::{Done, Running};
pub use editor::{Asked, Editor, Era, Waiting};
pub use manager::Manager;
pub use memory::memory_with;
pub use place::{Place, free_port, mode_of};
pub use process::{Process, processes_of};
pub use relay::Relay;
pub use wait::{SOON, eventually};
pub use world::{Builder, Programs, World, profile};
