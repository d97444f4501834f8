//! A JSON string in place: unescaped only when somebody asks for its value

use std::borrow::Cow;

use crate::bytes;

/// A string as it stands in the text
#[derive(Debug, Clone, Copy)]
pub struct JsonString<'a> {
    raw: &'a [u8],
    escaped: bool,
}

impl<'a> JsonString<'a> {
    /// From the text between the quotes, which the reader has checked
    #[inline(always)]
    pub(super) const fn new(raw: &'a [u8], escaped: bool) -> Self {
        Self { raw, escaped }
    }

    /// Its value in bytes, unescaped; UTF-8 because the text was checked as a whole
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        if self.escaped { Cow::Owned(unescape(self.raw)) } else { Cow::Borrowed(self.raw) }
    }

    /// Its value as text
    pub fn text(&self) -> Cow<'a, str> {
        match self.bytes() {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// Its value as a text of its own
    pub fn owned(&self) -> String {
        // Looked at once: it is UTF-8, but nobody may depend on it.
        String::from_utf8(self.bytes().into_owned())
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Whether it has exactly this value
    pub fn is(&self, value: &[u8]) -> bool {
        if self.escaped { unescape(self.raw) == value } else { bytes::equal(self.raw, value) }
    }
}

/// Four hexadecimal digits
pub(super) fn hex4(text: &[u8; 4]) -> Option<u32> {
    text.iter().try_fold(0_u32, |value, byte| Some(value << 4 | char::from(*byte).to_digit(16)?))
}

/// The value of a string that [`Reader::string`] has checked
fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    let mut high = None;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let Some((escape, after)) = rest.split_first() else {
            break;
        };
        rest = after;
        match escape {
            b'b' => out.push(0x08),
            b'f' => out.push(0x0c),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let Some((text, after)) = rest.split_first_chunk::<4>() else {
                    break;
                };
                rest = after;
                let unit = hex4(text).unwrap_or(0xFFFD);
                let code = match (high.take(), unit) {
                    (_, 0xD800..=0xDBFF) => {
                        high = Some(unit);
                        continue;
                    }
                    (Some(high), 0xDC00..=0xDFFF) => {
                        (high & 0x3ff).wrapping_shl(10).saturating_add(unit & 0x3ff).saturating_add(0x1_0000)
                    }
                    (_, unit) => unit,
                };
                let mut utf8 = [0; 4];
                out.extend_from_slice(char::from_u32(code).unwrap_or('\u{FFFD}').encode_utf8(&mut utf8).as_bytes());
            }
            other => out.push(*other),
        }
    }
    out
}
