//! Compares `If-Match` and `If-None-Match` with a revision. Follows RFC 9110 §13.1; a bare revision is accepted as in CREST.

use serde_json::Value;

use super::page::checksum;

/// Tells whether an `If-Match` value fits a revision.
pub fn fits(if_match: Option<&str>, revision: &str) -> bool {
    if_match.is_none_or(|wanted| {
        wanted == "*" || wanted.split(',').any(|tag| tag.trim().trim_start_matches("W/").trim_matches('"') == revision)
    })
}

/// Returns a revision that changes only with the content, as AM's configuration has.
pub fn of_content(content: &Value) -> String {
    let sum = checksum(&content.to_string());
    i32::from_be_bytes(u32::try_from(sum >> 32).unwrap_or_default().to_be_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_fit_quoted_bare_or_by_star() {
        let cases = [
            (None, true),
            (Some("*"), true),
            (Some("r-1"), true),
            (Some("\"r-1\""), true),
            (Some("r-2"), false),
            (Some("\"r-2\", \"r-1\""), true),
        ];
        for (if_match, expected) in cases {
            assert_eq!(fits(if_match, "r-1"), expected, "{if_match:?}");
        }
    }
}
