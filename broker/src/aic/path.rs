//! Builds paths and filter literals. Whatever an argument holds, it stays one segment or one literal.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Fault;

/// Everything but RFC 3986's unreserved characters is encoded.
const OUTSIDE_UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path of fixed parts and encoded arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(String);

impl Path {
    /// Starts with a fixed path, which begins with a slash.
    pub fn fixed(path: &'static str) -> Self {
        Self(path.to_owned())
    }

    /// Appends fixed text, for example `/schema/managed`.
    #[must_use]
    pub fn then(mut self, fixed: &'static str) -> Self {
        self.0.push_str(fixed);
        self
    }

    /// Appends an argument as exactly one segment.
    ///
    /// Source: RFC 3986 section 3.3; a segment of dots would be resolved away, so it is refused.
    /// Errors: [`Fault::Invalid`] naming the argument when it cannot be one segment.
    pub fn segment(mut self, argument: &'static str, value: &str) -> Result<Self, Fault> {
        if let Some(reason) = unfit(value) {
            return Err(Fault::invalid(argument, reason));
        }
        self.0.push('/');
        self.0.extend(utf8_percent_encode(value, OUTSIDE_UNRESERVED));
        Ok(self)
    }

    /// The encoded path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn unfit(value: &str) -> Option<&'static str> {
    let lower = value.to_ascii_lowercase();
    match value {
        _ if value.trim().is_empty() => Some("must not be empty"),
        "." | ".." => Some("must not be a relative path segment"),
        _ if value.contains(['/', '\\']) || value.contains("..") => {
            Some("must be one path segment: no '/', '\\' or '..'")
        }
        _ if ["%2e", "%2f", "%5c"].iter().any(|escape| lower.contains(escape)) => {
            Some("must not hold percent-encoded dots or slashes")
        }
        _ if value.chars().any(char::is_control) => Some("must not hold control characters"),
        _ => None,
    }
}

/// Builds `_queryFilter` expressions from fixed fields and literal values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(String);

impl Filter {
    /// Matches everything.
    pub fn everything() -> Self {
        Self("true".to_owned())
    }

    /// `field operator "value"`, the value escaped so that it stays one literal.
    ///
    /// Source: PingIDM's query filter grammar: in a quoted literal a backslash takes the next character as it is.
    /// Errors: [`Fault::Invalid`] naming the argument when it holds control characters.
    pub fn compare(
        field: &'static str,
        operator: &'static str,
        argument: &'static str,
        value: &str,
    ) -> Result<Self, Fault> {
        if value.chars().any(char::is_control) {
            return Err(Fault::invalid(argument, "must not hold control characters"));
        }
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
        Ok(Self(format!("{field} {operator} \"{escaped}\"")))
    }

    /// Either of the two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(format!("{} or {}", self.0, other.0))
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(format!("{} and {}", self.0, other.0))
    }

    /// The expression.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Encodes a query's name or value.
pub(super) fn encode_query(text: &str) -> String {
    utf8_percent_encode(text, OUTSIDE_UNRESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_stays_one_segment() {
        let cases = [
            ("alpha_user", Some("/x/alpha_user")),
            ("a b?c#d;e&f=g", Some("/x/a%20b%3Fc%23d%3Be%26f%3Dg")),
            ("ünï", Some("/x/%C3%BCn%C3%AF")),
            ("%41", Some("/x/%2541")),
            ("", None),
            ("  ", None),
            (".", None),
            ("..", None),
            ("../config/managed", None),
            ("a/b", None),
            ("a\\b", None),
            ("a%2Fb", None),
            ("%2E%2e", None),
            ("a\nb", None),
            ("a\0b", None),
        ];

        for (value, wanted) in cases {
            let built = Path::fixed("/x").segment("id", value).ok();
            assert_eq!(built.as_ref().map(Path::as_str), wanted, "{value:?}");
        }
    }

    #[test]
    fn a_value_stays_one_literal() {
        let cases = [
            ("x", r#"_id eq "x""#),
            (r#"x" or _id pr or name eq "x"#, r#"_id eq "x\" or _id pr or name eq \"x""#),
            (r#"a\" or true"#, r#"_id eq "a\\\" or true""#),
        ];

        for (value, wanted) in cases {
            let built = Filter::compare("_id", "eq", "name", value).ok();
            assert_eq!(built.as_ref().map(Filter::as_str), Some(wanted), "{value:?}");
        }
    }
}
