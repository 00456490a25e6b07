//! How results look to people: aligned columns, times as distances, colours where a terminal shows them.

use std::io::IsTerminal;
use std::time::{Duration, SystemTime};

/// Where text goes, and what may be done to it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// Whether a person watches a terminal that can move its cursor.
    pub(super) live: bool,
    /// Whether colours are shown.
    pub(super) colours: bool,
}

/// A colour, by what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    /// All is well.
    Good,
    /// Something is to be known or done.
    Notice,
    /// Something is wrong.
    Bad,
    /// Less important.
    Faint,
}

impl Look {
    /// Plain text.
    #[cfg(test)]
    pub(super) const PLAIN: Self = Self { live: false, colours: false };

    /// Of standard output.
    pub(super) fn of_output() -> Self {
        Self::judge(std::io::stdout().is_terminal(), |name| std::env::var(name).ok())
    }

    /// Source: no-color.org, bixense.com/clicolors; a dumb terminal takes neither colours nor cursor movements.
    fn judge(terminal: bool, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let live = terminal && set("TERM").is_none_or(|kind| kind != "dumb") && speaks_ansi(&set);
        let wanted = set("NO_COLOR").is_none() && set("CLICOLOR").is_none_or(|value| value != "0");
        Self { live, colours: live && wanted }
    }

    /// A text in a colour.
    pub(super) fn paint(self, colour: Colour, text: &str) -> String {
        let code = match colour {
            Colour::Good => 32,
            Colour::Notice => 33,
            Colour::Bad => 31,
            Colour::Faint => 2,
        };
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Consoles of Windows before its Terminal show escape sequences as they are.
fn speaks_ansi(set: &impl Fn(&'static str) -> Option<String>) -> bool {
    !cfg!(windows) || set("WT_SESSION").is_some() || set("TERM").is_some()
}

/// A time as its distance from now.
pub(super) fn distance(at: SystemTime, now: SystemTime) -> String {
    match at.duration_since(now) {
        Ok(left) => format!("in {}", span(left)),
        Err(past) => format!("{} ago", span(past.duration())),
    }
}

/// A length of time in its largest unit that tells enough.
pub(super) fn span(length: Duration) -> String {
    match length.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// Rows as aligned columns, two spaces between them. A cell is its text and its colour.
pub(super) fn columns(rows: &[Vec<(String, Option<Colour>)>], look: Look) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|(text, _)| text.chars().count()).max();
    let widths: Vec<usize> = (0..count).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &Vec<(String, Option<Colour>)>| {
        let cells = row.iter().zip(&widths).map(|((text, colour), width)| {
            let padding = " ".repeat(width - text.chars().count());
            colour.map_or_else(|| text.clone(), |colour| look.paint(colour, text)) + &padding
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::type_complexity)]

    use super::*;

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        let cases: [(bool, &[(&str, &str)], bool, bool); 7] = [
            (true, &[("TERM", "xterm")], true, true),
            (false, &[("TERM", "xterm")], false, false),
            (true, &[("TERM", "dumb")], false, false),
            (true, &[("TERM", "xterm"), ("NO_COLOR", "1")], true, false),
            (true, &[("TERM", "xterm"), ("NO_COLOR", "")], true, true),
            (true, &[("TERM", "xterm"), ("CLICOLOR", "0")], true, false),
            (true, &[("TERM", "xterm"), ("CLICOLOR", "1")], true, true),
        ];

        for (terminal, set, live, colours) in cases {
            let variable =
                |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(Look::judge(terminal, variable), Look { live, colours }, "{set:?}");
        }
    }

    #[test]
    fn a_distance_is_told_in_the_unit_that_tells_enough() {
        let cases = [
            (0, "in 0 s"),
            (59, "in 59 s"),
            (60, "in 1 min"),
            (2520, "in 42 min"),
            (7199, "in 119 min"),
            (7200, "in 2 h"),
            (172_800, "in 2 days"),
        ];
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);

        for (seconds, wanted) in cases {
            assert_eq!(distance(now + Duration::from_secs(seconds), now), wanted);
        }
        assert_eq!(distance(now - Duration::from_secs(120), now), "2 min ago");
    }

    #[test]
    fn columns_are_aligned_by_what_is_seen_of_them() {
        let cell = |text: &str, colour| (text.to_owned(), colour);
        let rows = [vec![cell("a", Some(Colour::Good)), cell("b", None)], vec![cell("long", None), cell("c", None)]];

        assert_eq!(columns(&rows, Look::PLAIN), "a     b\nlong  c\n");
        let coloured = columns(&rows, Look { live: true, colours: true });
        assert_eq!(coloured, "\x1b[32ma\x1b[0m     b\nlong  c\n");
    }
}
