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

impl<'a> Value<'a> {
    /// Reads a whole text
    pub fn parse(text: &'a str) -> Result<Self, JsonError> {
        Reader::read(text.as_bytes(), DOCUMENT, Self::read)
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, JsonError> {
        match reader.kind() {
            Some(b'"') => Ok(Self::Text(reader.string()?.text())),
            Some(b'{') => {
                let mut members = Vec::new();
                reader.object(|reader, name| {
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
}
