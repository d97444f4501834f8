//! Values of a document with their place, which every mistake names
//!
//! Read by hand rather than derived: a mistake deep inside a condition keeps its exact place, and the code stays small.

use std::{borrow::Cow, fmt};

use super::Value;
use crate::{
    error::ConfigError,
    text::{hinted, join, shown},
};

/// A value with its place, which every mistake in it names
#[derive(Debug, Clone, Copy)]
pub struct At<'n> {
    value: &'n Value<'n>,
    place: Place<'n>,
}

/// How an element or a member is read
pub type Read<'r, T> = &'r dyn Fn(&At<'_>) -> Result<T, ConfigError>;

/// A place as the steps that lead there; only a mistake writes them down
#[derive(Debug, Clone, Copy)]
enum Place<'n> {
    Root(&'n str),
    Member(&'n Place<'n>, &'n str),
    Element(&'n Place<'n>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(name) => f.write_str(name),
            Self::Member(above, name) => write!(f, "{above}.{}", shown(name)),
            Self::Element(above, at) => write!(f, "{above}[{at}]"),
        }
    }
}

impl<'n> At<'n> {
    /// The document as a whole
    pub const fn root(value: &'n Value<'n>, place: &'n str) -> Self {
        Self { value, place: Place::Root(place) }
    }

    /// The value
    pub const fn value(&self) -> &'n Value<'n> {
        self.value
    }

    /// Its place in words
    pub fn path(&self) -> String {
        self.place.to_string()
    }

    /// A mistake here
    pub fn mistake(&self, message: impl Into<String>) -> ConfigError {
        ConfigError::new(self.path(), message)
    }

    fn other(&self, expected: &str) -> ConfigError {
        self.mistake(format!("invalid type: {}, expected {expected}", kind(self.value)))
    }

    /// A mistake in a place where a secret may stand: what was found is not repeated
    pub fn unshown(&self, expected: &str) -> ConfigError {
        let found = match self.value {
            Value::Number(_) => "a number".into(),
            Value::Text(_) => "a string".into(),
            value => kind(value),
        };
        self.mistake(format!("invalid type: {found}, expected {expected}"))
    }

    /// The text
    pub fn text(&self, expected: &str) -> Result<&'n str, ConfigError> {
        match self.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.other(expected)),
        }
    }

    /// Something that is written as text
    pub fn parsed<T>(&self, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, ConfigError> {
        parse(self.text(expected)?).ok_or_else(|| self.is_not(expected))
    }

    fn is_not(&self, expected: &str) -> ConfigError {
        match self.value {
            Value::Text(text) => self.mistake(format!("`{}` is not {expected}", hinted(text))),
            _ => self.other(expected),
        }
    }

    /// One of some words, by its number
    pub fn word(&self, words: &[&str]) -> Result<usize, ConfigError> {
        let names = || one_of(words);
        let Value::Text(text) = self.value else { return Err(self.other(&names())) };
        words
            .iter()
            .position(|word| word == text)
            .ok_or_else(|| self.mistake(format!("unknown variant `{}`, expected {}", shown(text), names())))
    }

    /// Yes or no
    pub fn boolean(&self) -> Result<bool, ConfigError> {
        match self.value {
            Value::Boolean(value) => Ok(*value),
            _ => Err(self.other("a boolean")),
        }
    }

    /// A whole number, not negative
    pub fn number(&self) -> Result<u64, ConfigError> {
        match self.value {
            Value::Number(digits) => {
                digits.parse().map_err(|_| self.mistake("invalid value, expected a whole number, not negative"))
            }
            _ => Err(self.other("a whole number")),
        }
    }

    /// Nothing but `true`; what `false` would mean is better written otherwise
    pub fn truth(&self, hint: &str) -> Result<(), ConfigError> {
        match self.value {
            Value::Boolean(true) => Ok(()),
            Value::Boolean(false) => Err(self.mistake("`true` is the only value").hint(hint)),
            _ => Err(self.other("`true`")),
        }
    }

    /// Nothing but a mapping, whatever is in it
    pub fn mapping(&self) -> Result<(), ConfigError> {
        if matches!(self.value, Value::Object(_)) { Ok(()) } else { Err(self.other("a mapping")) }
    }

    /// The elements of a list
    pub fn elements(&self) -> Result<Vec<At<'_>>, ConfigError> {
        let Value::Array(all) = self.value else { return Err(self.other("a sequence")) };
        Ok(all.iter().enumerate().map(|(at, value)| At { value, place: Place::Element(&self.place, at) }).collect())
    }

    /// The elements of a list that has at least one
    pub fn some_elements(&self, hint: &str) -> Result<Vec<At<'_>>, ConfigError> {
        let all = self.elements()?;
        match all.is_empty() {
            true => Err(self.mistake("the list is empty: the rule could never match").hint(hint)),
            false => Ok(all),
        }
    }

    /// The same for a member that may be left out, or be null
    pub fn optional_text(&self, name: &str) -> Result<Option<&'n str>, ConfigError> {
        match self.value.member(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(value) => Err(At { value, place: Place::Member(&self.place, name) }.other("a string")),
        }
    }

    /// The members of a mapping, in which no others than these may stand
    pub fn members(&self, known: &'static [&'static str]) -> Result<&'n [(Cow<'n, str>, Value<'n>)], ConfigError> {
        let Value::Object(members) = self.value else {
            return Err(self.other("a mapping"));
        };
        match members.iter().find(|(name, _)| !known.contains(&name.as_ref())) {
            Some((name, _)) => Err(ConfigError::new(
                Place::Member(&self.place, name).to_string(),
                format!("unknown field `{}`, expected {}", shown(name), one_of(known)),
            )),
            None => Ok(members),
        }
    }

    /// The names of all members
    pub fn names(&self) -> Vec<&'n str> {
        let Value::Object(members) = self.value else { return Vec::new() };
        members.iter().map(|(name, _)| name.as_ref()).collect()
    }

    /// A member, if it is written down
    pub fn member(&self, name: &str) -> Option<At<'_>> {
        let Value::Object(members) = self.value else { return None };
        let (name, value) = members.iter().find(|(known, _)| known == name)?;
        Some(At { value, place: Place::Member(&self.place, name) })
    }

    /// A member read by `read`, if it is written down; null is not absence
    pub fn some<T>(&self, name: &str, read: Read<'_, T>) -> Result<Option<T>, ConfigError> {
        self.member(name).map(|at| read(&at)).transpose()
    }

    /// Every element read by `read`
    pub fn all<T>(&self, read: Read<'_, T>) -> Result<Vec<T>, ConfigError> {
        self.elements()?.iter().map(read).collect()
    }

    /// A list that may be left out, every element read by `read`
    pub fn list<T>(&self, name: &str, read: Read<'_, T>) -> Result<Vec<T>, ConfigError> {
        self.member(name).map_or_else(|| Ok(Vec::new()), |at| at.all(read))
    }

    /// A text that must be there
    pub fn needed_text(&self, name: &str) -> Result<&'n str, ConfigError> {
        match self.value.member(name) {
            Some(Value::Text(text)) => Ok(text),
            _ => Err(self.no_text(name)),
        }
    }

    #[cold]
    #[inline(never)]
    fn no_text(&self, name: &str) -> ConfigError {
        match self.needed(name) {
            Ok(at) => at.other("a string"),
            Err(error) => error,
        }
    }

    /// A member that must be there
    pub fn needed(&self, name: &str) -> Result<At<'_>, ConfigError> {
        self.member(name).ok_or_else(|| self.mistake(format!("missing field `{name}`")))
    }
}

/// Any text, to keep
pub fn owned_text(at: &At<'_>) -> Result<String, ConfigError> {
    at.text("a string").map(ToOwned::to_owned)
}

/// Names in backticks
fn one_of(names: &[&str]) -> String {
    let lead = if names.len() > 1 { "one of " } else { "" };
    format!("{lead}`{}`", join(names, "`, `"))
}

/// What it is, for messages; a text of the operator's is shown, as it helps to find it
fn kind(value: &Value<'_>) -> Cow<'static, str> {
    match value {
        Value::Null => "null".into(),
        Value::Boolean(_) => "a boolean".into(),
        Value::Number(digits) if digits.len() <= 20 => format!("integer `{digits}`").into(),
        Value::Number(_) => "a number".into(),
        Value::Text(text) => format!("string \"{}\"", hinted(text)).into(),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a mapping".into(),
    }
}
