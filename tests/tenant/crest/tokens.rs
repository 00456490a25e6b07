//! Cuts a query filter into tokens.

/// One token of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Open,
    Close,
    Not,
    /// A name, an operator, a keyword or a bare literal.
    Word(String),
    /// A quoted literal; `escaped` when a quote was escaped inside it.
    Text {
        text: String,
        escaped: bool,
    },
}

/// Cuts a filter into tokens; nothing when a quote does not end.
pub(super) fn tokens(filter: &str) -> Option<Vec<Token>> {
    let mut letters = filter.chars().peekable();
    let mut out = Vec::new();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' | '\n' | '\r' => {}
            '(' => out.push(Token::Open),
            ')' => out.push(Token::Close),
            '!' => out.push(Token::Not),
            '"' | '\'' => out.push(quoted(letter, &mut letters)?),
            _ => {
                let mut word = String::from(letter);
                while let Some(next) = letters.next_if(|next| !" \t\r\n()!\"'".contains(*next)) {
                    word.push(next);
                }
                out.push(Token::Word(word));
            }
        }
    }
    Some(out)
}

fn quoted(quote: char, letters: &mut impl Iterator<Item = char>) -> Option<Token> {
    let (mut text, mut escaped) = (String::new(), false);
    loop {
        match letters.next()? {
            '\\' => {
                let next = letters.next()?;
                escaped |= next == quote;
                text.push(next);
            }
            letter if letter == quote => return Some(Token::Text { text, escaped }),
            letter => text.push(letter),
        }
    }
}
