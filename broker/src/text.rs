//! Makes the words of others fit for a terminal, a page, a log and a model. Pure.

/// One bounded line: what would steer its reader becomes a space.
pub fn one_line(text: &str, limit: usize) -> String {
    let line: String = text.chars().map(|c| if steers(c) { ' ' } else { c }).take(limit).collect();
    line.trim().to_owned()
}

/// Whether a character ends a line, turns the direction of writing, or is read by programs and not seen by people.
///
/// Source: Unicode 16, categories Cc, Zl and Zp, the property Bidi_Control, the block Tags.
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_and_nothing_is_longer() {
        let cases = [
            ("as it is, äöü 日本", "as it is, äöü 日本"),
            ("a\u{1b}[31mb\nc\u{202e}", "a [31mb c"),
            ("\u{61c}a\u{200e}b\u{200f}c\u{2028}d\u{2066}e\u{2069}\u{e0041}", "a b c d e"),
            ("\u{7f}\u{9b}x\r", "x"),
            ("a\u{200d}b\u{2027}c\u{202f}d\u{2065}e\u{206a}", "a\u{200d}b\u{2027}c\u{202f}d\u{2065}e\u{206a}"),
            ("0123456789012345678901234567890123456789", "01234567890123456789012345678901"),
        ];

        for (text, wanted) in cases {
            assert_eq!(one_line(text, 32), wanted, "{text:?}");
        }
    }
}
