//! Reads and evaluates CREST query filters. Follows the filter grammar of IDM and AM.

use std::cmp::Ordering;

use serde_json::Value;

use super::pointer;
use super::tokens::{Token, tokens};

/// Deepest nesting of parentheses and negations: a filter is user input and the parser recurses.
const MAX_DEPTH: usize = 32;

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Greater or equal.
    Ge,
    /// Greater.
    Gt,
    /// Less or equal.
    Le,
    /// Less.
    Lt,
}

/// What is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A quoted text.
    Text(String),
    /// A number.
    Number(f64),
    /// A boolean.
    Bool(bool),
    /// A text with an escaped quote, which the platform lets match nothing.
    Unmatchable,
}

/// A filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// `true` or `false`.
    Always(bool),
    /// The field is there.
    Present(Vec<String>),
    /// The field compares so.
    Compare(Vec<String>, Operator, Literal),
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// One holds.
    Or(Box<Filter>, Box<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
}

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The grammar does not fit.
    Syntax,
    /// An operator is not one of the grammar's.
    Operator(String),
}

impl Fault {
    /// Returns the words of the 400 answer.
    pub fn words(&self) -> String {
        match self {
            Self::Syntax => "A value could not be parsed as a valid query filter".to_owned(),
            Self::Operator(word) => format!("unrecognized or unsupported filter operator '{word}'"),
        }
    }
}

/// Whether letters' case counts: the directory behind managed objects ignores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// `a` is `A`.
    Ignored,
    /// `a` is not `A`.
    Kept,
}

/// Reads a filter.
///
/// Errors: `ne`, `in`, `not (…)`, comparison with `null` and anything else outside the grammar.
pub fn read(text: &str) -> Result<Filter, Fault> {
    let tokens = tokens(text).ok_or(Fault::Syntax)?;
    let mut reader = Reader { tokens: tokens.into_iter().peekable(), depth: 0 };
    let filter = reader.or()?;
    if reader.tokens.next().is_some() { Err(Fault::Syntax) } else { Ok(filter) }
}

struct Reader {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
}

impl Reader {
    fn or(&mut self) -> Result<Filter, Fault> {
        let mut left = self.and()?;
        while self.keyword("or") {
            left = Filter::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Filter, Fault> {
        let mut left = self.term()?;
        while self.keyword("and") {
            left = Filter::And(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let is_keyword = |token: &Token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        self.tokens.next_if(is_keyword).is_some()
    }

    fn term(&mut self) -> Result<Filter, Fault> {
        match self.tokens.next().ok_or(Fault::Syntax)? {
            Token::Not if self.tokens.peek() == Some(&Token::Open) => {
                Ok(Filter::Not(Box::new(self.nested(Self::term)?)))
            }
            Token::Open => self.nested(|reader| {
                let inner = reader.or()?;
                reader.tokens.next_if_eq(&Token::Close).map(|_| inner).ok_or(Fault::Syntax)
            }),
            Token::Word(word) => self.comparison(&word),
            Token::Not | Token::Close | Token::Text { .. } => Err(Fault::Syntax),
        }
    }

    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Result<Filter, Fault>) -> Result<Filter, Fault> {
        if self.depth >= MAX_DEPTH {
            return Err(Fault::Syntax);
        }
        self.depth += 1;
        let filter = inner(self);
        self.depth -= 1;
        filter
    }

    fn comparison(&mut self, field: &str) -> Result<Filter, Fault> {
        let Some(Token::Word(operator)) = self.tokens.next_if(|token| matches!(token, Token::Word(_))) else {
            return match field {
                "true" => Ok(Filter::Always(true)),
                "false" => Ok(Filter::Always(false)),
                _ => Err(Fault::Syntax),
            };
        };
        if ["true", "false"].contains(&field) {
            return self.constant(field == "true", operator);
        }
        let names = pointer::names(field);
        if operator == "pr" {
            return Ok(Filter::Present(names));
        }
        let operator = self::operator(&operator).ok_or(Fault::Operator(operator))?;
        Ok(Filter::Compare(names, operator, self.literal()?))
    }

    /// `true and …`: the word after the constant was no operator but a keyword.
    fn constant(&mut self, value: bool, keyword: String) -> Result<Filter, Fault> {
        let left = Box::new(Filter::Always(value));
        match keyword.as_str() {
            "and" => Ok(Filter::And(left, Box::new(self.and()?))),
            "or" => Ok(Filter::Or(left, Box::new(self.or()?))),
            _ => Err(Fault::Syntax),
        }
    }

    fn literal(&mut self) -> Result<Literal, Fault> {
        match self.tokens.next().ok_or(Fault::Syntax)? {
            Token::Text { escaped: true, .. } => Ok(Literal::Unmatchable),
            Token::Text { text, .. } => Ok(Literal::Text(text)),
            Token::Word(word) => match word.as_str() {
                "true" => Ok(Literal::Bool(true)),
                "false" => Ok(Literal::Bool(false)),
                number => number.parse().map(Literal::Number).map_err(|_| Fault::Syntax),
            },
            Token::Open | Token::Close | Token::Not => Err(Fault::Syntax),
        }
    }
}

fn operator(word: &str) -> Option<Operator> {
    Some(match word {
        "eq" => Operator::Eq,
        "co" => Operator::Co,
        "sw" => Operator::Sw,
        "ge" => Operator::Ge,
        "gt" => Operator::Gt,
        "le" => Operator::Le,
        "lt" => Operator::Lt,
        _ => return None,
    })
}

impl Filter {
    /// Tells whether an object passes.
    pub fn matches(&self, object: &Value, case: Case) -> bool {
        match self {
            Self::Always(value) => *value,
            Self::Present(names) => values(object, names).iter().any(|value| present(value)),
            Self::Compare(names, operator, literal) => {
                values(object, names).iter().any(|value| compare(value, *operator, literal, case))
            }
            Self::And(left, right) => left.matches(object, case) && right.matches(object, case),
            Self::Or(left, right) => left.matches(object, case) || right.matches(object, case),
            Self::Not(inner) => !inner.matches(object, case),
        }
    }

    /// Returns the fields that the filter names.
    pub fn fields(&self) -> Vec<&[String]> {
        match self {
            Self::Always(_) => Vec::new(),
            Self::Present(names) | Self::Compare(names, ..) => vec![names],
            Self::And(left, right) | Self::Or(left, right) => [left.fields(), right.fields()].concat(),
            Self::Not(inner) => inner.fields(),
        }
    }
}

/// Collects the values of a field; a list stands for each of its elements.
fn values<'a>(root: &'a Value, names: &[String]) -> Vec<&'a Value> {
    match (root, names) {
        (Value::Array(items), _) => items.iter().flat_map(|item| values(item, names)).collect(),
        (value, []) => vec![value],
        (Value::Object(members), [name, rest @ ..]) => {
            members.get(name).map(|value| values(value, rest)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn present(value: &Value) -> bool {
    !value.is_null()
}

fn compare(value: &Value, operator: Operator, literal: &Literal, case: Case) -> bool {
    let order = match (value, literal) {
        (Value::String(value), Literal::Text(text)) => return compare_text(value, operator, text, case),
        (Value::Number(value), Literal::Number(number)) => value.as_f64().and_then(|value| value.partial_cmp(number)),
        (Value::Bool(value), Literal::Bool(literal)) => (value == literal).then_some(Ordering::Equal),
        _ => None,
    };
    order.is_some_and(|order| holds(operator, order))
}

fn compare_text(value: &str, operator: Operator, text: &str, case: Case) -> bool {
    let fold = |text: &str| if case == Case::Ignored { text.to_lowercase() } else { text.to_owned() };
    let (value, text) = (fold(value), fold(text));
    match operator {
        Operator::Co => value.contains(&text),
        Operator::Sw => value.starts_with(&text),
        _ => holds(operator, value.cmp(&text)),
    }
}

fn holds(operator: Operator, order: Ordering) -> bool {
    match operator {
        Operator::Eq => order.is_eq(),
        Operator::Ge => order.is_ge(),
        Operator::Gt => order.is_gt(),
        Operator::Le => order.is_le(),
        Operator::Lt => order.is_lt(),
        Operator::Co | Operator::Sw => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_are_evaluated() {
        let object = json!({
            "userName": "ada", "age": 36, "active": true, "mail": "ada@example.com", "none": null, "empty": [],
            "name": {"last": "Example", "full name": "Ada"}, "tags": ["red", "green"],
            "roles": [{"name": "Operator"}, {"name": "Auditor"}], "a/b": "x"
        });
        let cases = [
            ("true", true),
            ("false", false),
            ("true and false", false),
            ("false or true", true),
            ("true or false and false", true),
            ("(true or false) and false", false),
            ("userName eq \"ada\"", true),
            ("userName eq 'ADA'", true),
            ("/userName eq \"ada\"", true),
            ("userName eq \"ad\"", false),
            ("userName sw \"ad\"", true),
            ("mail co 'example'", true),
            ("mail co \"nowhere\"", false),
            ("age ge 36", true),
            ("age gt 36", false),
            ("age lt 36.5", true),
            ("age le 35", false),
            ("age eq \"36\"", false),
            ("active eq true", true),
            ("active eq false", false),
            ("userName gt \"abc\"", true),
            ("name/last eq \"Example\"", true),
            ("/name/full~0name eq \"Ada\"", false),
            ("a~1b eq \"x\"", true),
            ("tags eq \"green\"", true),
            ("tags eq \"blue\"", false),
            ("roles/name eq \"Auditor\"", true),
            ("mail pr", true),
            ("none pr", false),
            ("empty pr", false),
            ("nowhere pr", false),
            ("nowhere eq \"x\"", false),
            ("!(userName eq \"ada\")", false),
            ("!(nowhere eq \"ada\")", true),
            ("!(userName eq \"b\") and age eq 36", true),
            ("userName eq \"a\\\"da\"", false),
            ("  ( userName   eq \"ada\" )  ", true),
            ("userName eq \"b\" or (age eq 36 and active eq true)", true),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).unwrap().matches(&object, Case::Ignored), expected, "{text}");
        }
    }

    #[test]
    fn case_counts_where_it_is_kept() {
        let object = json!({"_id": "emailTemplate/welcome"});
        let filter = read("_id sw 'EMAIL'").unwrap();

        assert!(filter.matches(&object, Case::Ignored));
        assert!(!filter.matches(&object, Case::Kept));
    }

    #[test]
    fn anything_outside_the_grammar_is_refused() {
        let cases = [
            "",
            "userName",
            "userName eq",
            "userName eq ada",
            "userName eq \"ada",
            "userName eq null",
            "(userName eq \"ada\"",
            "userName eq \"ada\")",
            "not (userName eq \"ada\")",
            "! userName eq \"ada\"",
            "!userName pr",
            "userName eq \"a\" and",
            "userName eq \"a\" xor age eq 1",
            "\"ada\" eq userName",
            "true false",
            "userName eq \"a\" \"b\"",
        ];
        for text in cases {
            assert!(read(text).is_err(), "{text:?}");
        }
        assert!(read(&"(".repeat(5000)).is_err(), "depth");
    }

    #[test]
    fn an_unknown_operator_is_named() {
        for word in ["ne", "in", "EQ", "contains"] {
            assert_eq!(read(&format!("a {word} \"b\"")), Err(Fault::Operator(word.to_owned())));
        }
    }
}
