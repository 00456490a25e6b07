//! The service manager that started this process: the socket that it hands over, and what it wants to hear.

use aic_proto::transport::Handed;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as this;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as this;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as this;

/// What a service manager gave to this process; nothing where a person or a shim started it.
#[derive(Debug, Default)]
pub struct Service {
    socket: Option<Handed>,
    ear: Option<this::Ear>,
    is_unit: bool,
}

impl Service {
    /// Takes what was handed over, and takes the words for it out of the environment, so that no child believes them.
    ///
    /// To be called once, before there is a second thread and before another file is opened.
    /// Errors: something else was handed over than one socket.
    pub fn take() -> Result<Self, String> {
        this::take()
    }

    /// The socket on which the manager listens for this process.
    pub fn socket(&mut self) -> Option<Handed> {
        self.socket.take()
    }

    /// Whether this process is a unit, behind its sandbox.
    pub fn is_unit(&self) -> bool {
        self.is_unit
    }

    /// Connections are served from now on.
    pub fn ready(&self) {
        self.tell("READY=1\nSTATUS=waiting for calls");
    }

    /// What the process does now, in a few words.
    pub fn status(&self, words: &str) {
        self.tell(&format!("STATUS={words}"));
    }

    /// The end has begun.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=signing out");
    }

    /// A manager that cannot be told is no reason to fail.
    fn tell(&self, lines: &str) {
        if let Some(ear) = &self.ear {
            let _ = ear.tell(lines);
        }
    }
}
