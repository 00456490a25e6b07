//! Judges config.toml: whether it can be read, is understood, and belongs to the user alone.

use std::path::{Path, PathBuf};

use super::finding::{Line, Name, quoted};
use crate::config::{Config, Error, Places, PlacesError};

const CHECK: &str = "configuration";

/// What was seen of the configuration.
pub(super) struct Seen<'a> {
    /// The places, where they are known.
    pub(super) places: Result<&'a Places, PlacesError>,
    /// What its reading gave.
    pub(super) config: Result<&'a Config, &'a Error>,
    /// Whether the file is there.
    pub(super) is_there: bool,
    /// Whether others may write to it.
    pub(super) open_to_others: bool,
    /// The file of certificates that cannot be used, with the reason.
    pub(super) bad_certificates: Option<(PathBuf, String)>,
}

/// Looks at the file's surroundings.
pub(super) fn look<'a>(places: &'a Result<Places, PlacesError>, config: &'a Result<Config, Error>) -> Seen<'a> {
    let file = places.as_ref().ok().map(|places| places.config.as_path());
    Seen {
        places: places.as_ref().map_err(|error| *error),
        config: config.as_ref(),
        is_there: file.is_some_and(Path::exists),
        open_to_others: file.is_some_and(crate::os::is_writable_by_others),
        bad_certificates: config.as_ref().ok().and_then(|config| config.ca_file.clone()).and_then(unusable),
    }
}

fn unusable(file: PathBuf) -> Option<(PathBuf, String)> {
    let reason = match std::fs::read(&file) {
        Ok(bytes) => crate::http::check_certificates(&bytes).err()?,
        Err(error) => error.to_string(),
    };
    Some((file, reason))
}

/// Judges it.
pub(super) fn judge(seen: &Seen<'_>) -> Vec<Line> {
    let places = match seen.places {
        Ok(places) => places,
        Err(error) => return vec![of_places(error)],
    };
    let file = quoted(&places.config);
    let mut lines = Vec::new();
    match seen.config {
        Err(error @ Error::Wrong { line, .. }) => {
            let fix = format!("${{EDITOR:-vi}} +{line} {file}");
            lines.push(Line::found(CHECK, Name::ConfigurationWrong, error.to_string(), fix));
        }
        Err(error @ Error::Unreadable { .. }) => {
            let fix = format!("mv {file} {}", quoted(&places.config.with_extension("toml.unreadable")));
            lines.push(Line::found(CHECK, Name::ConfigurationUnreadable, error.to_string(), fix));
        }
        Ok(config) => lines.push(fine(seen, places, config)),
    }
    if let Some((certificates, reason)) = &seen.bad_certificates {
        let text = format!("ca_file {}: {reason}", certificates.display());
        let fix = format!("${{EDITOR:-vi}} {file}  # name a PEM file in ca_file, or remove the line");
        lines.push(Line::found(CHECK, Name::CertificatesUnreadable, text, fix));
    }
    if seen.open_to_others {
        let text = format!("{} can be written by other users, who could redirect your calls", places.config.display());
        lines.push(Line::found(CHECK, Name::ConfigurationWritable, text, format!("chmod go-w {file}")));
    }
    lines
}

fn fine(seen: &Seen<'_>, places: &Places, config: &Config) -> Line {
    let file = places.config.display();
    match (seen.is_there, config.tenants.len()) {
        (false, _) => Line::fine(CHECK, format!("there is no {file}, and none is needed")),
        (true, 1) => Line::fine(CHECK, format!("{file}, 1 tenant")),
        (true, count) => Line::fine(CHECK, format!("{file}, {count} tenants")),
    }
}

fn of_places(error: PlacesError) -> Line {
    let fix = match error {
        PlacesError::ConfigWithoutRuntime => "unset AIC_BROKER_CONFIG".to_owned(),
        PlacesError::Relative(variable) => format!("unset {variable}"),
        PlacesError::NoHome => "export HOME=\"$(getent passwd \"$(id -u)\" | cut -d: -f6)\"".to_owned(),
    };
    Line::found(CHECK, Name::PlacesUnknown, error.to_string(), fix)
}

#[cfg(test)]
mod tests {
    use aic_proto::endpoint::Endpoint;

    use super::*;

    #[test]
    fn each_state_of_the_file_has_its_finding() {
        let places =
            Places { config: "/c/config.toml".into(), state: "/s".into(), endpoint: Endpoint::in_directory("/r") };
        let good = Config::default();
        let wrong = Config::parse("\nsurprise = 1", "/c/config.toml").err();
        let unreadable = Error::Unreadable { file: "/c/config.toml".to_owned(), reason: "no".to_owned() };
        let base = |config| Seen {
            places: Ok(&places),
            config,
            is_there: true,
            open_to_others: false,
            bad_certificates: None,
        };
        let cases = [
            (base(Ok(&good)), None, ""),
            (base(wrong.as_ref().map_or(Ok(&good), Err)), Some(Name::ConfigurationWrong), "+2 /c/config.toml"),
            (base(Err(&unreadable)), Some(Name::ConfigurationUnreadable), "mv /c/config.toml"),
            (Seen { open_to_others: true, ..base(Ok(&good)) }, Some(Name::ConfigurationWritable), "chmod go-w"),
            (
                Seen { bad_certificates: Some(("/x".into(), "no".to_owned())), ..base(Ok(&good)) },
                Some(Name::CertificatesUnreadable),
                "ca_file",
            ),
            (
                Seen { places: Err(PlacesError::ConfigWithoutRuntime), ..base(Ok(&good)) },
                Some(Name::PlacesUnknown),
                "unset AIC_BROKER_CONFIG",
            ),
        ];

        for (seen, wanted, fix) in cases {
            let last = judge(&seen).pop();
            assert_eq!(last.as_ref().and_then(|line| line.finding), wanted);
            assert!(last.and_then(|line| line.fix).unwrap_or_default().contains(fix), "{fix}");
        }
    }
}
