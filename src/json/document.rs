//! From a JSON text to a typed value by serde, every mistake with its place
//!
//! serde_json would do, but for three things: it takes a member that stands there twice (its last value counts where a map
//! is read), it knows lines and columns where our readers need a path, and it would be a fifth of the WebAssembly module.

use std::fmt;

use serde::{
    de::{
        self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess, SeqAccess, Unexpected,
        VariantAccess, Visitor,
    },
    forward_to_deserialize_any,
};

use super::{JsonError, Value};
use crate::text::hinted;

/// What is wrong with a document, and where
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Such as `tenants[0].tenantId`; empty for the document itself
    pub path: String,
    /// Lower case, without the place
    pub message: String,
}

/// Reads a document
///
/// # Errors
/// The first mistake.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Mistake> {
    T::deserialize(&value(text)?)
}

/// Reads a document as a tree, for who knows better than serde what is wrong with it
///
/// # Errors
/// It is none.
pub fn value(text: &str) -> Result<Value<'_>, Mistake> {
    Value::parse(text).map_err(|error| {
        Mistake::new(match error {
            JsonError::Malformed | JsonError::Invalid(_) => "this is not JSON",
            JsonError::Duplicate => "a member stands there twice",
            JsonError::Budget => "larger or deeper than any real document",
        })
    })
}

impl Mistake {
    fn new(message: impl Into<String>) -> Self {
        Self { path: String::new(), message: message.into() }
    }

    fn in_member(mut self, name: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{name}{dot}{}", self.path);
        self
    }

    fn in_element(mut self, at: usize) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("[{at}]{dot}{}", self.path);
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.path, self.message) }
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    /// As serde words it, but for numbers, which it would format as floats: that alone would take 20 KB
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Bool(_) => "a boolean",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
            Unexpected::Str(_) | Unexpected::Char(_) | Unexpected::Bytes(_) => "a string",
            Unexpected::Unit | Unexpected::Option => "null",
            Unexpected::Seq => "a list",
            _ => "a mapping",
        };
        wrong_type(found, expected)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("invalid value, expected {expected}"))
    }
}

impl Value<'_> {
    fn refuse(&self, expected: &dyn Expected) -> Mistake {
        let found = match self {
            Self::Number(digits) if digits.len() <= 20 => return wrong_type(&format!("integer `{digits}`"), expected),
            Self::Text(text) => return wrong_type(&format!("string \"{}\"", hinted(text)), expected),
            Self::Null => Unexpected::Unit,
            Self::Boolean(value) => Unexpected::Bool(*value),
            Self::Number(_) => Unexpected::Unsigned(0),
            Self::Array(_) => Unexpected::Seq,
            Self::Object(_) => Unexpected::Map,
        };
        de::Error::invalid_type(found, expected)
    }
}

fn wrong_type(found: &str, expected: &dyn Expected) -> Mistake {
    Mistake::new(format!("invalid type: {found}, expected {expected}"))
}

/// Each asks for the type it wants, so that only the code for that type is made
impl<'de> Deserializer<'de> for &Value<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self {
            Value::Null => visitor.visit_unit(),
            Value::Boolean(value) => visitor.visit_bool(*value),
            Value::Number(_) => self.deserialize_u64(visitor),
            Value::Text(text) => visitor.visit_str(text),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self {
            Value::Boolean(value) => visitor.visit_bool(*value),
            _ => Err(self.refuse(&visitor)),
        }
    }

    /// Every number that a document of ours holds is a count or a time
    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self {
            Value::Number(digits) => match digits.parse() {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => Err(de::Error::invalid_value(Unexpected::Unsigned(0), &"a whole number, not negative")),
            },
            _ => Err(self.refuse(&visitor)),
        }
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self {
            Value::Text(text) => visitor.visit_str(text),
            _ => Err(self.refuse(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self {
            Value::Array(elements) => visitor.visit_seq(Elements { rest: elements.iter(), at: 0 }),
            _ => Err(self.refuse(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self {
            Value::Object(members) => visitor.visit_map(Members { rest: members.iter(), value: None }),
            _ => Err(self.refuse(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.deserialize_map(visitor)
    }

    /// A text, or a mapping with one member
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match self {
            Value::Text(name) => visitor.visit_enum(Variant { name, content: None }),
            Value::Object(members) => match members.as_slice() {
                [(name, content)] => visitor.visit_enum(Variant { name, content: Some(content) }),
                _ => Err(Mistake::new(format!("{} members, expected exactly one", members.len()))),
            },
            _ => Err(self.refuse(&visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
    }
}

struct Elements<'t, 'a> {
    rest: std::slice::Iter<'t, Value<'a>>,
    at: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_, '_> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mistake> {
        let Some(element) = self.rest.next() else { return Ok(None) };
        let at = self.at;
        self.at = at.saturating_add(1);
        seed.deserialize(element).map(Some).map_err(|mistake| mistake.in_element(at))
    }
}

struct Members<'t, 'a> {
    rest: std::slice::Iter<'t, (std::borrow::Cow<'a, str>, Value<'a>)>,
    value: Option<(&'t str, &'t Value<'a>)>,
}

impl<'de> MapAccess<'de> for Members<'_, '_> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mistake> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some((name, value));
        // A name that is not known is a mistake at that name.
        seed.deserialize(Name(name)).map(Some).map_err(|mistake| mistake.in_member(name))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let (name, value) = self.value.take().ok_or_else(|| Mistake::new("a value without its name"))?;
        seed.deserialize(value).map_err(|mistake| mistake.in_member(name))
    }
}

/// A member's name, or a variant's
struct Name<'t>(&'t str);

impl<'de> Deserializer<'de> for Name<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_str(self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Variant<'t, 'a> {
    name: &'t str,
    content: Option<&'t Value<'a>>,
}

impl<'de> EnumAccess<'de> for Variant<'_, '_> {
    type Error = Mistake;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Mistake> {
        let variant = seed.deserialize(Name(self.name)).map_err(|mistake| match self.content {
            Some(_) => mistake.in_member(self.name),
            None => mistake,
        })?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, '_> {
    type Error = Mistake;

    fn unit_variant(self) -> Result<(), Mistake> {
        match self.content {
            None => Ok(()),
            Some(content) => Err(content.refuse(&"nothing")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Mistake> {
        match self.content {
            Some(content) => seed.deserialize(content).map_err(|mistake| mistake.in_member(self.name)),
            None => Err(Mistake::new(format!("`{}` needs a value", self.name))),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Mistake> {
        match self.content {
            Some(content) => content.deserialize_seq(visitor),
            None => Err(Mistake::new(format!("`{}` needs a value", self.name))),
        }
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Mistake> {
        match self.content {
            Some(content) => content.deserialize_map(visitor).map_err(|mistake| mistake.in_member(self.name)),
            None => Err(Mistake::new(format!("`{}` needs a value", self.name))),
        }
    }
}
