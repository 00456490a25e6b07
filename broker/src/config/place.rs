//! Says where configuration, state and socket are, from the environment that is handed in.

use std::path::PathBuf;

use aic_proto::endpoint::Endpoint;
use aic_proto::transport;
use directories::ProjectDirs;

/// The places of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// `config.toml`.
    pub config: PathBuf,
    /// The directory of the audit log and the broker's log.
    pub state: PathBuf,
    /// The socket.
    pub endpoint: Endpoint,
}

/// Why the places are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlacesError {
    /// A foreign configuration must never serve the user's own socket.
    #[error(
        "AIC_BROKER_CONFIG is set without AIC_BROKER_RUNTIME_DIR: a configuration of its own needs a socket of its own"
    )]
    ConfigWithoutRuntime,
    /// A relative path would mean something else for each program.
    #[error("{0} must be an absolute path")]
    Relative(&'static str),
    /// The OS knows no home directory.
    #[error("this user has no home directory")]
    NoHome,
}

impl Places {
    /// Finds the places; `variable` reads the environment.
    ///
    /// Source: the contract's section 3.
    /// Errors: see [`PlacesError`].
    pub fn find(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self, PlacesError> {
        let absolute = |name: &'static str| match variable(name).filter(|path| !path.as_os_str().is_empty()) {
            Some(path) if !path.is_absolute() => Err(PlacesError::Relative(name)),
            found => Ok(found),
        };
        let runtime = absolute("AIC_BROKER_RUNTIME_DIR")?;
        let config = absolute("AIC_BROKER_CONFIG")?;
        let state = absolute("AIC_BROKER_STATE_DIR")?;
        if config.is_some() && runtime.is_none() {
            return Err(PlacesError::ConfigWithoutRuntime);
        }
        let home = ProjectDirs::from("", "", "aic-broker");
        let of_user = |chosen: Option<PathBuf>, place: fn(&ProjectDirs) -> PathBuf| {
            chosen.or_else(|| home.as_ref().map(place)).ok_or(PlacesError::NoHome)
        };
        Ok(Self {
            config: of_user(config, |home| home.config_dir().join("config.toml"))?,
            state: of_user(state, |home| home.state_dir().unwrap_or_else(|| home.data_local_dir()).to_path_buf())?,
            endpoint: transport::endpoint(runtime),
        })
    }
}
