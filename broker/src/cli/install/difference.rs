//! Shows a change as lines taken away and lines added. Pure.

/// How many lines in a row must be the same for the texts to be at one place again.
const SURE: usize = 3;

/// The lines that differ, marked `-` and `+`; a dotted line stands for what is the same between two places.
pub(super) fn between(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let (mut old, mut new) = (old.as_slice(), new.as_slice());
    let mut places = Vec::new();
    loop {
        let same = old.iter().zip(new).take_while(|(one, other)| one == other).count();
        (old, new) = (from(old, same), from(new, same));
        let (gone, come) = next_place(old, new);
        if (gone, come) == (0, 0) {
            return places.join("    …\n");
        }
        places.push(marked('-', old, gone) + &marked('+', new, come));
        (old, new) = (from(old, gone), from(new, come));
    }
}

/// How many lines went and came before both texts say the same again: the fewest together.
fn next_place(old: &[&str], new: &[&str]) -> (usize, usize) {
    let is_same = |gone: usize, come: usize| {
        let (old, new) = (from(old, gone), from(new, come));
        let length = SURE.min(old.len().max(new.len()));
        old.iter().take(length).eq(new.iter().take(length))
    };
    let within = |gone: &usize, both: usize| *gone <= old.len() && both - gone <= new.len();
    let pairs = (0..=old.len() + new.len())
        .flat_map(|both| (0..=both).filter(move |gone| within(gone, both)).map(move |gone| (gone, both - gone)));
    pairs.into_iter().find(|(gone, come)| is_same(*gone, *come)).unwrap_or((old.len(), new.len()))
}

fn from<'a, 'b>(lines: &'a [&'b str], start: usize) -> &'a [&'b str] {
    lines.get(start..).unwrap_or_default()
}

fn marked(mark: char, lines: &[&str], count: usize) -> String {
    lines.iter().take(count).map(|line| format!("    {mark} {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_shown() {
        let cases = [
            ("a\nb\n", "a\nx\nb\n", "    + x\n"),
            ("a\nb\nc\n", "a\nc\n", "    - b\n"),
            ("a\nb\nc", "a\ny\nc", "    - b\n    + y\n"),
            ("a\na\n", "a\na\na\n", "    + a\n"),
            ("", "a\n", "    + a\n"),
            ("a\n", "a\n", ""),
            ("a\nb\n", "x\ny\nz\n", "    - a\n    - b\n    + x\n    + y\n    + z\n"),
            ("a\n1\n2\n3\nb\n", "x\n1\n2\n3\nb\ny\n", "    - a\n    + x\n    …\n    + y\n"),
            ("a\n1\nb\n", "x\n1\ny\n", "    - a\n    - 1\n    - b\n    + x\n    + 1\n    + y\n"),
        ];

        for (before, after, wanted) in cases {
            assert_eq!(between(before, after), wanted, "{before:?} {after:?}");
        }
    }
}
