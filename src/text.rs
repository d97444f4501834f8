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

/// Texts in a row; for all kinds of them in a tenth of the code of the standard library's
pub fn join<S: AsRef<str>>(all: &[S], between: &str) -> String {
    let mut joined = String::new();
    for (at, one) in all.iter().enumerate() {
        add(&mut joined, if at == 0 { "" } else { between }, one.as_ref());
    }
    joined
}

#[inline(never)]
fn add(joined: &mut String, between: &str, one: &str) {
    joined.push_str(between);
    joined.push_str(one);
}

/// What stands before and behind the first `word`; short texts only, as it is looked for at every place
#[inline(never)]
pub fn split_once<'t>(text: &'t str, word: &str) -> Option<(&'t str, &'t str)> {
    let at = text.as_bytes().windows(word.len().max(1)).position(|part| part == word.as_bytes())?;
    Some((text.get(..at)?, text.get(at.checked_add(word.len())?..)?))
}

/// The text with every `word` replaced
pub fn replace(text: &str, word: &str, by: &str) -> String {
    let (mut replaced, mut rest) = (String::new(), text);
    while let Some((before, after)) = split_once(rest, word) {
        add(&mut replaced, before, by);
        rest = after;
    }
    replaced.push_str(rest);
    replaced
}

/// Whether it is lower case letters and digits with single dashes between them, `longest` at most
pub fn is_label(text: &str, longest: usize) -> bool {
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= longest && text.split('-').all(plain)
}

/// The name that was probably meant: the first that takes the fewest changes of a letter, up to three
pub fn nearest<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    let (mut found, mut fewest) = (None, 4);
    for known in names {
        let changes = distance(name.as_bytes(), known.as_bytes());
        if changes < fewest {
            (found, fewest) = (Some(*known), changes);
        }
    }
    found
}

/// Letters to insert, remove or replace (Levenshtein)
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, letter) in a.iter().enumerate() {
        let mut before = at;
        let mut left = at.saturating_add(1);
        for (other, place) in b.iter().zip(row.iter_mut().skip(1)) {
            let replaced = before.saturating_add(usize::from(letter != other));
            before = *place;
            left = replaced.min(before.saturating_add(1)).min(left.saturating_add(1));
            *place = left;
        }
        if let Some(first) = row.first_mut() {
            *first = at.saturating_add(1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found() {
        let names = ["project_id", "ref", "environment"];
        for (name, expected) in [
            ("projectId", Some("project_id")),
            ("project_di", Some("project_id")),
            ("enviroment", Some("environment")),
            ("re", Some("ref")),
            ("branch_name", None),
        ] {
            assert_eq!(nearest(name, &names), expected, "{name}");
        }
        for (a, b, expected) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("abc", "abc", 0)]
        {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), expected, "{a} {b}");
        }
    }

    #[test]
    fn words_are_found_where_they_stand_first() {
        for (text, word, expected) in [
            ("a://b://c", "://", Some(("a", "b://c"))),
            ("://", "://", Some(("", ""))),
            ("a:/b", "://", None),
            ("", "x", None),
            ("äöü", "ö", Some(("ä", "ü"))),
        ] {
            assert_eq!(split_once(text, word), expected, "{text} {word}");
            assert_eq!(text.split_once(word), expected, "{text} {word}");
        }
        for (text, word, by) in [("{a}-{a}{a}", "{a}", "x"), ("aaa", "aa", "b"), ("none", "{a}", "x"), ("", "a", "b")] {
            assert_eq!(replace(text, word, by), text.replace(word, by), "{text}");
        }
        assert_eq!(join::<&str>(&[], ", "), "");
        assert_eq!(join(&["a", "b", "c"], ", "), "a, b, c");
    }

    #[test]
    fn labels_are_parts_of_entity_references() {
        for good in ["a", "payments-staging", "7-7"] {
            assert!(is_label(good, 20), "{good}");
        }
        for bad in ["", "-", "a-", "-a", "a--b", "A", "a_b", "a.b", "ä", "a b", "abcdefghijklmnopqrstu"] {
            assert!(!is_label(bad, 20), "{bad}");
        }
    }
}
