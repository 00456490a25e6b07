//! Reads the command line and the environment that the shim knows. Pure: both come in as values.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::offer;

/// How long a call may take unless told otherwise: the strictest editors give up after 60 s.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(55);
/// The longest time for a call that can be asked for: no editor is known to wait longer.
pub(crate) const LONGEST_ANSWER_WITHIN: Duration = Duration::from_secs(3600);

/// What `--help` prints, and what the manual page is made from.
pub(crate) const HELP: &str = include_str!("help.txt");

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// To serve an editor.
    Serve(Arguments),
    /// To print the version.
    Version,
    /// To print the help.
    Help,
}

/// How to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// The tenant as given; the broker judges it.
    pub tenant: Option<String>,
    /// Only tools that read.
    pub read_only: bool,
    /// Only these tool sets; `None` is all that the mode has.
    pub toolsets: Option<Vec<String>>,
    /// How long a call may take from its arrival.
    pub answer_within: Duration,
    /// Whether dialogs may be shown.
    pub elicitation: Elicitation,
    /// Container mode.
    pub container: bool,
    /// Where the broker lives.
    pub places: Places,
}

/// Whether the MCP client may be asked to show a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elicitation {
    /// Where the client says that it can.
    Auto,
    /// Never.
    Off,
}

/// Where the broker lives, unless in the user's own places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// `AIC_BROKER_RUNTIME_DIR`: the directory of the socket.
    pub runtime: Option<PathBuf>,
    /// `AIC_BROKER_CONFIG`: passed on to a broker that is started.
    pub configuration: Option<PathBuf>,
    /// `AIC_BROKER_STATE_DIR`: passed on to a broker that is started.
    pub state: Option<PathBuf>,
}

impl Places {
    /// Whether a foreign configuration would serve the user's own socket.
    ///
    /// Source: the contract's section 3.
    #[must_use]
    pub fn mixes_foreign_configuration(&self) -> bool {
        self.configuration.is_some() && self.runtime.is_none()
    }
}

/// A bad value: told in one line, and the program leaves with code 2.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line.
    #[error(transparent)]
    CommandLine(#[from] lexopt::Error),
    /// One value of it, or of the environment.
    #[error("{place}: {wanted}")]
    Value {
        /// Which option or variable.
        place: &'static str,
        /// What it must be.
        wanted: String,
    },
}

/// Reads the arguments after the program's name, and the environment by a look-up.
///
/// Errors: an unknown option, a value that cannot be, text that is not UTF-8.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Asked, Error> {
    let mut asked = of_environment(environment)?;
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Long("version") | lexopt::Arg::Short('V') => return Ok(Asked::Version),
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => return Ok(Asked::Help),
            lexopt::Arg::Long("tenant") => asked.tenant = Some(text("--tenant", parser.value()?)?),
            lexopt::Arg::Long("read-only") => asked.read_only = true,
            lexopt::Arg::Long("toolsets") => {
                asked.toolsets = Some(toolsets("--toolsets", &text("--toolsets", parser.value()?)?)?);
            }
            lexopt::Arg::Long("answer-within") => {
                asked.answer_within = seconds("--answer-within", &text("--answer-within", parser.value()?)?)?;
            }
            lexopt::Arg::Long("elicitation") => {
                asked.elicitation = elicitation(&text("--elicitation", parser.value()?)?)?;
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Asked::Serve(asked))
}

fn of_environment(environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Arguments, Error> {
    let value = |name: &'static str| environment(name).map(|value| text(name, value)).transpose();
    let filled = |name: &'static str| Ok::<_, Error>(value(name)?.filter(|value| !value.trim().is_empty()));
    Ok(Arguments {
        tenant: value("AIC_BASE_URL")?,
        read_only: filled("AIC_READ_ONLY")?.map_or(Ok(false), |value| switch("AIC_READ_ONLY", &value))?,
        toolsets: filled("AIC_TOOLSETS")?.map(|value| toolsets("AIC_TOOLSETS", &value)).transpose()?,
        answer_within: filled("AIC_ANSWER_WITHIN")?
            .map_or(Ok(ANSWER_WITHIN), |value| seconds("AIC_ANSWER_WITHIN", &value))?,
        elicitation: Elicitation::Auto,
        container: filled("DOCKER_CONTAINER")?.is_some_and(|value| value == "true"),
        places: Places {
            runtime: path("AIC_BROKER_RUNTIME_DIR", environment)?,
            configuration: path("AIC_BROKER_CONFIG", environment)?,
            state: path("AIC_BROKER_STATE_DIR", environment)?,
        },
    })
}

fn text(place: &'static str, value: OsString) -> Result<String, Error> {
    value.into_string().map_err(|_| bad(place, "must be UTF-8 text"))
}

fn switch(place: &'static str, value: &str) -> Result<bool, Error> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(bad(place, "must be true or false")),
    }
}

fn seconds(place: &'static str, value: &str) -> Result<Duration, Error> {
    let within = value.trim().parse().map(Duration::from_secs).ok();
    within
        .filter(|within| !within.is_zero() && *within <= LONGEST_ANSWER_WITHIN)
        .ok_or_else(|| bad(place, "must be a whole number of seconds from 1 to 3600"))
}

fn toolsets(place: &'static str, value: &str) -> Result<Vec<String>, Error> {
    let named: Vec<String> =
        value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let known = offer::toolsets();
    match named.iter().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => Err(bad(place, format!("there is no tool set {unknown:?}; there are {}", known.join(", ")))),
        None if named.is_empty() => Err(bad(place, format!("must name at least one of {}", known.join(", ")))),
        None => Ok(named),
    }
}

fn elicitation(value: &str) -> Result<Elicitation, Error> {
    match value {
        "auto" => Ok(Elicitation::Auto),
        "off" => Ok(Elicitation::Off),
        _ => Err(bad("--elicitation", "must be auto or off")),
    }
}

fn path(place: &'static str, environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Option<PathBuf>, Error> {
    match environment(place).filter(|value| !value.is_empty()).map(PathBuf::from) {
        Some(path) if !path.is_absolute() => Err(bad(place, "must be an absolute path")),
        other => Ok(other),
    }
}

fn bad(place: &'static str, wanted: impl Into<String>) -> Error {
    Error::Value { place, wanted: wanted.into() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Asked, String> {
        let lookup =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(*value));
        parse(arguments.iter().map(OsString::from), &lookup).map_err(|error| error.to_string())
    }

    fn served(arguments: &[&str], environment: &[(&str, &str)]) -> Arguments {
        match read(arguments, environment) {
            Ok(Asked::Serve(arguments)) => arguments,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_given_means_the_defaults() {
        let found = served(&[], &[]);

        assert_eq!(found.tenant, None);
        assert!(!found.read_only && !found.container);
        assert_eq!((found.toolsets, found.answer_within), (None, ANSWER_WITHIN));
        assert_eq!((found.elicitation, found.places), (Elicitation::Auto, Places::default()));
    }

    #[test]
    fn the_command_line_wins_over_the_environment() {
        let environment = [("AIC_BASE_URL", "a.example.com"), ("AIC_TOOLSETS", "logs"), ("AIC_ANSWER_WITHIN", "9")];
        let found =
            served(&["--tenant=b.example.com", "--toolsets", "themes, am", "--answer-within", "110"], &environment);

        assert_eq!(found.tenant.as_deref(), Some("b.example.com"));
        assert_eq!(found.toolsets, Some(vec!["themes".to_owned(), "am".to_owned()]));
        assert_eq!(found.answer_within, Duration::from_secs(110));
    }

    #[test]
    fn switches_of_the_environment_are_read() {
        let cases = [("true", true), ("TRUE", true), ("1", true), ("false", false), ("0", false), ("", false)];

        for (value, wanted) in cases {
            assert_eq!(served(&[], &[("AIC_READ_ONLY", value)]).read_only, wanted, "{value:?}");
        }
        assert!(served(&["--read-only"], &[("AIC_READ_ONLY", "false")]).read_only);
        assert!(served(&[], &[("DOCKER_CONTAINER", "true")]).container);
        assert!(!served(&[], &[("DOCKER_CONTAINER", "yes")]).container);
    }

    #[test]
    fn a_bad_value_is_named() {
        type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);
        let cases: [Case<'_>; 10] = [
            (&["--what"], &[], "--what"),
            (&["surplus"], &[], "surplus"),
            (&["--answer-within", "0"], &[], "--answer-within"),
            (&["--answer-within", "3601"], &[], "--answer-within"),
            (&["--answer-within", "4.5"], &[], "--answer-within"),
            (&["--elicitation", "on"], &[], "--elicitation"),
            (&["--toolsets", "logs,loggs"], &[], "loggs"),
            (&["--toolsets", ","], &[], "--toolsets"),
            (&[], &[("AIC_READ_ONLY", "maybe")], "AIC_READ_ONLY"),
            (&[], &[("AIC_BROKER_RUNTIME_DIR", "run")], "AIC_BROKER_RUNTIME_DIR"),
        ];

        for (arguments, environment, named) in cases {
            let error = read(arguments, environment).unwrap_err();
            assert!(error.contains(named) && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn version_and_help_are_answered_wherever_they_stand() {
        assert_eq!(read(&["--read-only", "--version"], &[]), Ok(Asked::Version));
        assert_eq!(read(&["--help", "--nonsense"], &[]), Ok(Asked::Help));
    }

    #[test]
    fn a_foreign_configuration_needs_its_own_socket() {
        let configuration = ("AIC_BROKER_CONFIG", "/tmp/config.toml");

        assert!(served(&[], &[configuration]).places.mixes_foreign_configuration());
        let places = served(&[], &[configuration, ("AIC_BROKER_RUNTIME_DIR", "/tmp/run")]).places;
        assert!(!places.mixes_foreign_configuration());
    }
}
