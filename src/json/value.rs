//! A JSON text as a tree, for documents that are read rarely and as a whole

use std::borrow::Cow;

use super::reader::{Budget, JsonError, Reader};
use crate::limits;

/// A JSON value
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// As it is written
    Number(&'a str),
    /// Unescaped
    Text(Cow<'a, str>),
    /// In order
    Array(Vec<Self>),
    /// In the order in which they are written, each name once
    Object(Vec<(Cow<'a, str>, Self)>),
}

/// For documents of operators and issuers
const DOCUMENT: Budget = Budget { depth: limits::DOCUMENT_DEPTH, members: limits::DOCUMENT_MEMBERS };

/// Reads a document
///
/// # Errors
/// Why it is none, in lower case and without its place.
pub fn value(text: &str) -> Result<Value<'_>, &'static str> {
    Value::parse(text).map_err(JsonError::words)
}

impl<'a> Value<'a> {
    /// A member of an object
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Reads a whole text
    pub fn parse(text: &'a str) -> Result<Self, JsonError> {
        Reader::read(text.as_bytes(), DOCUMENT, Self::read)
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, JsonError> {
        match reader.kind() {
            Some(b'"') => Ok(Self::Text(reader.string()?.text())),
            Some(b'{') => {
                let mut members = Vec::new();
                reader.rare_object(&mut |reader, name| {
                    if members.len() == limits::OBJECT_MEMBERS {
                        return Err(JsonError::Budget);
                    }
                    members.push((name.text(), Self::read(reader)?));
                    Ok(())
                })?;
                Ok(Self::Object(members))
            }
            Some(b'[') => {
                let mut elements = Vec::new();
                reader.array(usize::MAX, |reader| {
                    elements.push(Self::read(reader)?);
                    Ok(())
                })?;
                Ok(Self::Array(elements))
            }
            Some(b't' | b'f') => reader.boolean().map(Self::Boolean),
            Some(b'n') => reader.skip().map(|()| Self::Null),
            _ => match std::str::from_utf8(reader.number()?) {
                Ok(digits) => Ok(Self::Number(digits)),
                Err(_) => Err(JsonError::Malformed),
            },
        }
    }

    /// As JSON text again, without spaces
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(digits) => out.push_str(digits),
            Self::Text(text) => quote(text, out),
            Self::Array(all) => list('[', all, ']', out, Self::write),
            Self::Object(all) => list('{', all, '}', out, |(name, value), out| {
                quote(name, out);
                out.push(':');
                value.write(out);
            }),
        }
    }
}

/// Elements between two brackets
pub fn list<T>(open: char, all: &[T], close: char, out: &mut String, write: fn(&T, &mut String)) {
    out.push(open);
    for (at, one) in all.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(one, out);
    }
    out.push(close);
}

/// A text in quotes
pub fn quote(text: &str, out: &mut String) {
    // A text always serialises.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_written_as_it_was_read() {
        let text = r#"{"b":[1,-2,0.5,1e400,true,null,"x\"\u0007é"],"a":{"z":{},"y":[]},"":18446744073709551616}"#;
        let mut written = String::new();
        Value::parse(text).unwrap().write(&mut written);
        assert_eq!(written, text);
    }

    #[test]
    fn what_is_not_strict_json_is_no_document() {
        for text in ["", "{", "{} {}", "{'names':[]}", r#"{"names":[],}"#, "\u{feff}{}", r#"{"names":[01]}"#] {
            assert_eq!(value(text), Err("this is not JSON"), "{text:?}");
        }
        // Which of two values is meant cannot be known, at any depth.
        for text in [
            r#"{"names":[],"names":["x"]}"#,
            r#"{"names":[],"n\u0061mes":["x"]}"#,
            r#"{"names":[],"nested":{"x":[],"x":[]}}"#,
            r#"{"names":[],"ignored":{"a":{"b":1,"b":2}}}"#,
        ] {
            assert_eq!(value(text), Err("a member stands there twice"), "{text}");
        }
    }

    #[test]
    fn documents_have_budgets() {
        let deep = format!(r#"{{"names":{}{}}}"#, "[".repeat(1000), "]".repeat(1000));
        assert_eq!(value(&deep), Err("larger or deeper than any real document"));
        let wide: Vec<_> = (0..=limits::OBJECT_MEMBERS).map(|at| format!("\"m{at}\":0")).collect();
        assert_eq!(value(&format!("{{{}}}", wide.join(","))), Err("larger or deeper than any real document"));
    }
}
