//! Shows a change as lines taken away and lines added. Pure.

/// The lines between the common beginning and the common end of two texts, marked `-` and `+`.
pub(super) fn between(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let start = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    let rest = old.len().min(new.len()) - start;
    let end = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(one, other)| one == other).count();
    let marked = |mark: char, lines: &[&str]| {
        let changed = lines.iter().take(lines.len() - end).skip(start);
        changed.map(|line| format!("    {mark} {line}\n")).collect::<String>()
    };
    marked('-', &old) + &marked('+', &new)
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
        ];

        for (before, after, wanted) in cases {
            assert_eq!(between(before, after), wanted, "{before:?} {after:?}");
        }
    }
}
