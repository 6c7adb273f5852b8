//! Reading a pattern: the standard's "parse a pattern string" (WHATWG URL Pattern §2.1), which
//! appends steps where the standard appends parts.

use super::{Instruction, readings::fold};
use crate::{
    binding::uri::{decoded_escapes, normal_escapes},
    policy_error::PolicyError,
};

/// The steps of a pattern.
pub(super) struct Automata {
    /// Over a path in its normal form.
    pub(super) exact: Vec<Instruction>,
    /// Over what its escapes stand for in folded case.
    pub(super) folded: Vec<Instruction>,
    /// The same where names may stand for nothing.
    pub(super) emptied: Vec<Instruction>,
}

/// Reads a pattern.
pub(super) fn automata(pattern: &str) -> Result<Automata, PolicyError> {
    let tokens = tokens(pattern)?;
    let read = |literal, may_be_empty| {
        let (steps, fixed, names) = Default::default();
        let mut reader = Reader { tokens: &tokens, literal, may_be_empty, steps, fixed, names };
        reader.pattern()?;
        reader.flush()?;
        reader.steps.push(Instruction::End);
        Ok(reader.steps)
    };
    Ok(Automata { exact: read(normal_escapes, false)?, folded: read(folded, false)?, emptied: read(folded, true)? })
}

/// Text in folded case without its escapes. Escapes that are no UTF-8 stay: no path with them is
/// read.
fn folded(text: &str) -> String {
    let decoded = String::from_utf8(decoded_escapes(text));
    decoded.map_or_else(|_| text.to_ascii_lowercase(), |text| fold(&text))
}

/// How often a part may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Often {
    Once,
    Optional,
    ZeroOrMore,
    OneOrMore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wildcard {
    /// `:name`: one byte or more, none of them a slash.
    Segment,
    /// `*`: anything, also nothing.
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'p> {
    Char(&'p str),
    Escaped(&'p str),
    Name(&'p str),
    Asterisk,
    Modifier(Often),
    Open,
    Close,
}

fn tokens(pattern: &str) -> Result<Vec<Token<'_>>, PolicyError> {
    let mut tokens = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        let (one, mut after) = rest.split_at_checked(first.len_utf8()).unwrap_or_default();
        tokens.push(match first {
            '*' => Token::Asterisk,
            '?' => Token::Modifier(Often::Optional),
            '+' => Token::Modifier(Often::OneOrMore),
            '{' => Token::Open,
            '}' => Token::Close,
            '(' => {
                return Err(PolicyError::here(
                    "has a regular expression, which is not supported. Write :name or * instead",
                ));
            }
            '\\' => {
                let length = after.chars().next().map(char::len_utf8);
                let (escaped, behind) = length.and_then(|length| after.split_at_checked(length)).ok_or_else(|| {
                    PolicyError::here("ends in a backslash. Write the character that it escapes, or remove it")
                })?;
                after = behind;
                Token::Escaped(escaped)
            }
            ':' => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
                let length = after.find(|c| !is_part(c)).unwrap_or(after.len());
                let (name, behind) = after.split_at_checked(length).unwrap_or_default();
                if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !behind.is_char_boundary(0) {
                    return Err(PolicyError::here("has a colon without a name; write \"\\\\:\" for the character"));
                }
                after = behind;
                Token::Name(name)
            }
            _ => Token::Char(one),
        });
        rest = after;
    }
    Ok(tokens)
}

/// What is left of a pattern, and the steps so far.
struct Reader<'t, 'p> {
    tokens: &'t [Token<'p>],
    /// What is compared where the pattern has text.
    literal: fn(&str) -> String,
    /// A name may stand for nothing.
    may_be_empty: bool,
    steps: Vec<Instruction>,
    /// Text that no part has taken yet.
    fixed: String,
    names: Vec<&'p str>,
}

impl<'p> Reader<'_, 'p> {
    fn take(&mut self, wanted: impl FnOnce(Token<'p>) -> bool) -> Option<Token<'p>> {
        let (first, rest) = self.tokens.split_first()?;
        wanted(*first).then(|| {
            self.tokens = rest;
            *first
        })
    }

    fn name(&mut self) -> Option<&'p str> {
        match self.take(|token| matches!(token, Token::Name(_)))? {
            Token::Name(name) => Some(name),
            _ => None,
        }
    }

    fn pattern(&mut self) -> Result<(), PolicyError> {
        while !self.tokens.is_empty() {
            // A name or an asterisk, with the one character before it.
            let before = self.tokens;
            let character = match self.take(|token| matches!(token, Token::Char(_))) {
                Some(Token::Char(character)) => character,
                _ => "",
            };
            if let Some(wildcard) = self.wildcard()? {
                let prefix = if character == "/" { "/" } else { "" };
                if prefix.is_empty() {
                    self.fixed.push_str(character);
                }
                self.flush()?;
                let often = self.modifier();
                self.part(prefix, Some(wildcard), "", often)?;
                continue;
            }
            self.tokens = before;
            if let Some(Token::Char(text) | Token::Escaped(text)) =
                self.take(|token| matches!(token, Token::Char(_) | Token::Escaped(_)))
            {
                self.fixed.push_str(text);
                continue;
            }
            if self.take(|token| token == Token::Open).is_none() {
                return Err(PolicyError::here(
                    "has ?, +, * or } where nothing stands before it to apply to. Escape it with a backslash",
                ));
            }
            let prefix = self.text();
            let wildcard = self.wildcard()?;
            let suffix = self.text();
            if self.take(|token| token == Token::Close).is_none() {
                return Err(PolicyError::here(
                    "has a group without a closing brace, or with more than one wildcard. Close it, or split it",
                ));
            }
            let often = self.modifier();
            if wildcard.is_none() && often == Often::Once {
                self.fixed.push_str(&prefix);
                continue;
            }
            self.flush()?;
            self.part(&prefix, wildcard, &suffix, often)?;
        }
        Ok(())
    }

    fn wildcard(&mut self) -> Result<Option<Wildcard>, PolicyError> {
        if let Some(name) = self.name() {
            if self.names.contains(&name) {
                return Err(PolicyError::here(format!("has the name {name} twice. Rename one")));
            }
            self.names.push(name);
            return Ok(Some(Wildcard::Segment));
        }
        Ok(self.take(|token| token == Token::Asterisk).map(|_| Wildcard::All))
    }

    fn text(&mut self) -> String {
        let mut text = String::new();
        while let Some(Token::Char(more) | Token::Escaped(more)) =
            self.take(|token| matches!(token, Token::Char(_) | Token::Escaped(_)))
        {
            text.push_str(more);
        }
        text
    }

    fn modifier(&mut self) -> Often {
        match self.take(|token| matches!(token, Token::Modifier(_) | Token::Asterisk)) {
            Some(Token::Modifier(often)) => often,
            Some(_) => Often::ZeroOrMore,
            None => Often::Once,
        }
    }

    /// Text that stands by itself.
    fn flush(&mut self) -> Result<(), PolicyError> {
        let text = core::mem::take(&mut self.fixed);
        if text.is_empty() { Ok(()) } else { self.part(&text, None, "", Often::Once) }
    }

    /// `prefix`, wildcard and `suffix`, as often as it says. What the standard writes as
    /// `(?:prefix((?:w)(?:suffix prefix(?:w))*)suffix)` is the whole, repeated.
    fn part(
        &mut self,
        prefix: &str,
        wildcard: Option<Wildcard>,
        suffix: &str,
        often: Often,
    ) -> Result<(), PolicyError> {
        if prefix.is_empty() && suffix.is_empty() && wildcard.is_none() {
            return Ok(());
        }
        let start = self.steps.len();
        let may_skip = matches!(often, Often::Optional | Often::ZeroOrMore);
        if may_skip {
            self.steps.push(Instruction::End);
        }
        let body = self.steps.len();
        self.bytes(prefix)?;
        let here = self.steps.len();
        match wildcard {
            None => {}
            Some(Wildcard::Segment) if self.may_be_empty => self.any_of(Instruction::NotSlash),
            Some(Wildcard::Segment) => {
                self.steps.extend([Instruction::NotSlash, Instruction::Either(here, here.saturating_add(2))]);
            }
            Some(Wildcard::All) => self.any_of(Instruction::Any),
        }
        self.bytes(suffix)?;
        if matches!(often, Often::ZeroOrMore | Often::OneOrMore) {
            let behind = self.steps.len().saturating_add(1);
            self.steps.push(Instruction::Either(body, behind));
        }
        let behind = self.steps.len();
        if may_skip && let Some(skip) = self.steps.get_mut(start) {
            *skip = Instruction::Either(body, behind);
        }
        Ok(())
    }

    /// Any number of that step.
    fn any_of(&mut self, step: Instruction) {
        let here = self.steps.len();
        self.steps.extend([
            Instruction::Either(here.saturating_add(1), here.saturating_add(3)),
            step,
            Instruction::Either(here, here),
        ]);
    }

    fn bytes(&mut self, text: &str) -> Result<(), PolicyError> {
        let in_a_path = |byte: u8| byte.is_ascii_graphic() && !b"\"#<>?\\^`{}".contains(&byte);
        if !text.bytes().all(in_a_path) {
            return Err(PolicyError::here(
                "has a character that paths hold only percent-encoded. Write it percent-encoded",
            ));
        }
        // What stands before the first slash goes on a segment that has begun.
        if text.split('/').skip(1).any(|segment| segment == "." || segment == "..") {
            return Err(PolicyError::here("has a dot segment, which no normalised path has. Remove it"));
        }
        self.steps.extend((self.literal)(text).bytes().map(Instruction::Byte));
        Ok(())
    }
}
