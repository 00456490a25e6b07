//! Shows the doctor's lines: aligned for people, in a stable shape for programs.

use serde_json::{Value, json};

use super::finding::{Level, Line, Name};

fn word(level: Option<Level>) -> &'static str {
    match level {
        None => "ok",
        Some(Level::Warning) => "warning",
        Some(Level::Error) => "error",
    }
}

/// One line a check, the fix on the next one.
pub(super) fn table(lines: &[Line]) -> String {
    let widest = lines.iter().map(|line| line.check.len()).max().unwrap_or_default();
    let mut text = String::new();
    for line in lines {
        let level = word(line.level());
        text.push_str(&format!("{level:7}  {:widest$}  {}\n", line.check, line.text));
        if let Some(fix) = &line.fix {
            text.push_str(&format!("{:7}  {:widest$}  fix: {fix}\n", "", ""));
        }
    }
    text + &sum(lines)
}

fn sum(lines: &[Line]) -> String {
    let count = |level| lines.iter().filter(|line| line.level() == Some(level)).count();
    match (count(Level::Error), count(Level::Warning)) {
        (0, 0) => "nothing is wrong".to_owned(),
        (errors, warnings) => format!("{errors} wrong, {warnings} to know"),
    }
}

/// The stable shape: `{"version", "ok", "checks": [{"check", "level", "finding", "text", "fix"}]}`, where `level` is
/// `ok`, `warning` or `error`, and `finding` and `fix` are null where nothing is wrong.
pub(super) fn json(lines: &[Line]) -> Value {
    let one = |line: &Line| {
        json!({
            "check": line.check,
            "level": word(line.level()),
            "finding": line.finding.map(Name::word),
            "text": line.text,
            "fix": line.fix,
        })
    };
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "ok": lines.iter().all(|line| line.level() != Some(Level::Error)),
        "checks": lines.iter().map(one).collect::<Vec<_>>(),
    })
}

/// Everything that can be found.
pub(super) fn names_table() -> String {
    let widest = Name::ALL.iter().map(|name| name.word().len()).max().unwrap_or_default();
    let one = |name: &Name| format!("{:7}  {:widest$}  {}", word(Some(name.level())), name.word(), name.meaning());
    Name::ALL.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// The same for programs: `[{"finding", "level", "meaning"}]`.
pub(super) fn names_json() -> Value {
    let one =
        |name: &Name| json!({"finding": name.word(), "level": word(Some(name.level())), "meaning": name.meaning()});
    Value::Array(Name::ALL.iter().map(one).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn the_fix_stands_below_what_was_seen() {
        let lines = [
            Line::fine("socket", "no broker runs"),
            Line::found("port", Name::PortTaken, "3000 is held", "kill 7"),
            Line::found("tenants", Name::TenantsNone, "none", "add"),
        ];

        let wanted = "ok       socket   no broker runs\n\
                      error    port     3000 is held\n\
                      \u{20}                 fix: kill 7\n\
                      warning  tenants  none\n\
                      \u{20}                 fix: add\n\
                      1 wrong, 1 to know";
        assert_eq!(table(&lines), wanted);
        assert_eq!(json(&lines)["ok"], false);
        assert_eq!(json(&lines[2..])["ok"], true);
    }
}
