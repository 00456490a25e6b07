//! How a tenant is started.

use super::switches::Switches;

/// The redirect URI that the login client is registered with.
pub const REDIRECT_URI: &str = "http://localhost:3000";

/// How a tenant is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port on 127.0.0.1; 0 lets the system choose.
    pub port: u16,
    /// The login client's registered redirect URIs, compared character by character.
    pub redirect_uris: Vec<String>,
    /// The switches to start with.
    pub switches: Switches,
    /// Whether `/__sandbox/…` is served.
    pub control: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { port: 0, redirect_uris: vec![REDIRECT_URI.to_owned()], switches: Switches::default(), control: false }
    }
}
