//! Values that are written as text: parsed while they are read, so that a mistake is reported where it stands

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};

/// Reads a text and parses it; `expected` completes "`x` is not ..."
pub fn deserialize<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expected: &'static str,
    parse: fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(Text { expected, parse })
}

struct Text<T> {
    expected: &'static str,
    parse: fn(&str) -> Option<T>,
}

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).ok_or_else(|| E::custom(format_args!("`{}` is not {}", hinted(text), self.expected)))
    }
}

/// Somebody's text in a message: shortened, and only what every terminal and log shows as it is
pub fn shown(text: &str) -> String {
    let mut shown = String::new();
    for letter in text.chars().take(200) {
        if matches!(letter, ' '..='~') {
            shown.push(letter);
        } else {
            shown.push_str(&format!("\\u{{{:x}}}", u32::from(letter)));
        }
    }
    shown
}

/// The same for a value that may be a secret in the wrong place: generated secrets mix capitals and digits, names rarely do
pub fn hinted(text: &str) -> String {
    if text.bytes().any(|b| b.is_ascii_uppercase()) && text.bytes().any(|b| b.is_ascii_digit()) {
        return format!("{}...", shown(&text.chars().take(3).collect::<String>()));
    }
    shown(text)
}
