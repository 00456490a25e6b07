//! Says which tools this process offers, and why another one is refused. Pure: the catalogue and the arguments come in.

use aic_proto::catalogue::{self, Selection, Tool, Toolset};
use aic_proto::refusal::{Failure, Kind};

use crate::arguments::Arguments;

/// The names that `--toolsets` knows.
pub(crate) fn toolsets() -> Vec<&'static str> {
    Toolset::CHOICES.iter().map(|toolset| toolset.name()).collect()
}

/// What the arguments leave of the catalogue.
pub(crate) fn selection(arguments: &Arguments) -> Selection {
    let chosen = |names: &Vec<String>| names.iter().filter_map(|name| Toolset::parse(name)).collect();
    Selection {
        read_only: arguments.read_only,
        toolsets: arguments.toolsets.as_ref().map(chosen),
        container: arguments.container,
    }
}

/// The tool of this name, if it is offered.
///
/// Errors: `invalid_arguments` when there is no such tool, `not_allowed` with the switch that excludes it.
pub(crate) fn admit(name: &str, selection: &Selection) -> Result<&'static Tool, Failure> {
    let unknown = || Failure::new(Kind::InvalidArguments, format!("there is no tool {}", quoted(name)));
    let tool = catalogue::find(name).ok_or_else(unknown)?;
    match selection.admits(tool) {
        true => Ok(tool),
        false => Err(excluded(tool, selection)),
    }
}

fn excluded(tool: &Tool, selection: &Selection) -> Failure {
    let toolset = tool.toolset.name();
    if selection.read_only && !tool.hints.read_only {
        let message = format!("{} changes something, and this server was started read-only", tool.name);
        return Failure::new(Kind::NotAllowed, message)
            .with_hint("Without --read-only and AIC_READ_ONLY it is allowed.");
    }
    let message = format!("{} belongs to the tool set {toolset}, which this server was not given", tool.name);
    match &selection.toolsets {
        Some(_) => Failure::new(Kind::NotAllowed, message)
            .with_hint(format!("Adding {toolset} to --toolsets or AIC_TOOLSETS allows it.")),
        None => Failure::new(Kind::NotAllowed, message).with_hint(format!(
            "In a container this tool set is left out, because a device-flow token cannot reach it; --toolsets {toolset} brings it back."
        )),
    }
}

/// A name from outside, bounded and without control characters.
fn quoted(name: &str) -> String {
    format!("{:?}", name.chars().take(100).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_is_left_out_names_the_switch() {
        let logs = || Some([Toolset::Logs].into());
        let all = Selection::default;
        let cases = [
            ("getLogSources", all(), None),
            ("getSessionStatus", Selection { toolsets: logs(), ..all() }, None),
            ("what", all(), Some((Kind::InvalidArguments, "what"))),
            ("deleteScript", Selection { read_only: true, ..all() }, Some((Kind::NotAllowed, "--read-only"))),
            ("getAMScript", Selection { toolsets: logs(), ..all() }, Some((Kind::NotAllowed, "AIC_TOOLSETS"))),
            ("getAMScript", Selection { container: true, ..all() }, Some((Kind::NotAllowed, "container"))),
            ("getAMScript", Selection { container: true, toolsets: Some([Toolset::Am].into()), ..all() }, None),
        ];

        for (name, selection, wanted) in cases {
            let refused = admit(name, &selection).err();
            assert_eq!(refused.as_ref().map(|failure| failure.kind), wanted.map(|(kind, _)| kind), "{name}");
            let text = refused.map(|failure| failure.message + failure.hint.as_deref().unwrap_or_default());
            assert!(text.unwrap_or_default().contains(wanted.map_or("", |(_, text)| text)), "{name}");
        }
    }
}
