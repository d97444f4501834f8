//! Strict JSON (RFC 8259), read in place: nothing is built for what nobody asks for
//!
//! Stricter than the RFC where a verifier must be: a member name appears once in its object, compared after unescaping
//! (RFC 7519 section 4 leaves the choice; two readers must never see two values); lone surrogates are refused; depth
//! and members have budgets.

use super::{
    names::Names,
    string::{JsonString, hex4},
};
use crate::limits;

/// Why a text was not accepted
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonError {
    /// Not JSON, or not UTF-8
    Malformed,
    /// A member name appears twice in one object
    Duplicate,
    /// Deeper or larger than [`crate::limits`] allow
    Budget,
    /// The member with this name has the wrong type or form
    Invalid(&'static str),
}

impl JsonError {
    /// What is wrong with a document, in lower case
    pub const fn words(self) -> &'static str {
        match self {
            Self::Malformed => "this is not JSON",
            Self::Invalid(what) => what,
            Self::Duplicate => "a member stands there twice",
            Self::Budget => "larger or deeper than any real document",
        }
    }
}

/// A cursor over one JSON text
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    names: Names<'a>,
    left: Budget,
}

/// How much may be read
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Nesting
    pub depth: u8,
    /// Members, all objects together
    pub members: usize,
}

/// For what an unsigned token may hold
pub const TOKEN: Budget = Budget { depth: limits::JSON_DEPTH, members: limits::JSON_MEMBERS };

impl<'a> Reader<'a> {
    /// Reads one object with `member` called for each name; nothing may stand around it
    ///
    /// `member` must consume the value, by one of the reading methods or [`Reader::skip`].
    pub fn read_object(
        text: &'a [u8],
        mut member: impl FnMut(&mut Self, JsonString<'a>) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        if std::str::from_utf8(text).is_err() {
            return Err(JsonError::Malformed);
        }
        Self::read(text, TOKEN, |reader| reader.rare_object(&mut member))
    }

    /// The same for a text that is known to be UTF-8; if it is not, its strings hold replacement characters
    pub fn read_utf8_object(
        text: &'a [u8],
        member: impl FnMut(&mut Self, JsonString<'a>) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        Self::read(text, TOKEN, |reader| reader.object(member))
    }

    /// Reads one value of any type, which `value` must consume; nothing may stand around it. The text is known to be UTF-8
    pub fn read<T>(
        text: &'a [u8],
        budget: Budget,
        value: impl FnOnce(&mut Self) -> Result<T, JsonError>,
    ) -> Result<T, JsonError> {
        let mut reader = Self { rest: text, names: Names::default(), left: budget };
        reader.space();
        let value = value(&mut reader)?;
        reader.space();
        if reader.rest.is_empty() { Ok(value) } else { Err(JsonError::Malformed) }
    }

    /// The first byte of the next value, which tells its type
    #[inline(always)]
    pub fn kind(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// How many bytes are left to read
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// An object; `member` as in [`Reader::read_object`]
    pub fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, JsonString<'a>) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.expect(b'{')?;
        self.enter()?;
        let mut names = self.names.open();
        if self.opens(b'}') {
            loop {
                let name = self.string()?;
                self.space();
                self.expect(b':')?;
                self.space();
                self.left.members = self.left.members.checked_sub(1).ok_or(JsonError::Budget)?;
                self.names.admit(name, &mut names)?;
                member(self, name)?;
                if !self.goes_on(b'}')? {
                    break;
                }
            }
        }
        self.names.close(names);
        self.leave();
        Ok(())
    }

    /// The same where speed is not all: one copy of the code for all of them
    #[inline(never)]
    pub fn rare_object(
        &mut self,
        member: &mut dyn FnMut(&mut Self, JsonString<'a>) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.object(member)
    }

    /// An array; `element` is called for each element and must consume it
    pub fn array(
        &mut self,
        limit: usize,
        mut element: impl FnMut(&mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.expect(b'[')?;
        self.enter()?;
        let mut left = limit;
        if self.opens(b']') {
            loop {
                left = left.checked_sub(1).ok_or(JsonError::Budget)?;
                element(self)?;
                if !self.goes_on(b']')? {
                    break;
                }
            }
        }
        self.leave();
        Ok(())
    }

    /// Any `N` bytes between exactly these; `None`, and nothing is consumed, if something else stands there
    #[inline(always)]
    pub fn framed<const N: usize>(&mut self, before: &[u8], after: &[u8]) -> Option<&'a [u8; N]> {
        let (text, rest) = self.rest.strip_prefix(before)?.split_first_chunk::<N>()?;
        self.rest = rest.strip_prefix(after)?;
        Some(text)
    }

    /// An array whose elements are mostly strings as long as a GUID and followed by another one: these are consumed and handed
    /// over unseen, any other element must be consumed by `element`
    #[inline(always)]
    pub fn array_of_texts(
        &mut self,
        limit: usize,
        mut element: impl FnMut(&mut Self, Option<&'a [u8; 36]>) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.expect(b'[')?;
        self.enter()?;
        let mut left = limit;
        if self.opens(b']') {
            loop {
                left = left.checked_sub(1).ok_or(JsonError::Budget)?;
                if let Some(([b'"', text @ .., b'"', b','], rest)) = self.rest.split_first_chunk::<39>() {
                    self.rest = rest;
                    element(self, Some(text))?;
                    self.space();
                    continue;
                }
                element(self, None)?;
                if !self.goes_on(b']')? {
                    break;
                }
            }
        }
        self.leave();
        Ok(())
    }

    /// Whether anything stands between the bracket that was just read and `end`, which is consumed if not
    #[inline(always)]
    fn opens(&mut self, end: u8) -> bool {
        self.space();
        !self.take(end)
    }

    /// Whether another member or element follows; otherwise `end` is consumed
    #[inline(always)]
    fn goes_on(&mut self, end: u8) -> Result<bool, JsonError> {
        self.space();
        if self.take(b',') {
            self.space();
            return Ok(true);
        }
        self.expect(end).map(|()| false)
    }

    /// A string
    #[inline(always)]
    pub fn string(&mut self) -> Result<JsonString<'a>, JsonError> {
        self.expect(b'"')?;
        let start = self.rest;
        let mut escaped = false;
        loop {
            self.skip_plain();
            match self.next()? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(JsonError::Malformed), // a control character
            }
        }
        let length = start.len().saturating_sub(self.rest.len()).saturating_sub(1);
        let raw = start.get(..length).ok_or(JsonError::Malformed)?;
        Ok(JsonString::new(raw, escaped))
    }

    /// A number as it is written
    pub fn number(&mut self) -> Result<&'a [u8], JsonError> {
        let start = self.rest;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        start.get(..start.len().saturating_sub(self.rest.len())).ok_or(JsonError::Malformed)
    }

    /// `true` or `false`
    pub fn boolean(&mut self) -> Result<bool, JsonError> {
        match self.kind() {
            Some(b't') => self.literal(b"true").map(|()| true),
            _ => self.literal(b"false").map(|()| false),
        }
    }

    /// Any value, checked and passed over
    pub fn skip(&mut self) -> Result<(), JsonError> {
        match self.kind() {
            Some(b'"') => self.string().map(drop),
            Some(b'{') => self.object(|reader, _| reader.skip()),
            Some(b'[') => self.array(limits::ARRAY_ELEMENTS, Self::skip),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            _ => self.number().map(drop),
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => match self.hex4()? {
                0xD800..=0xDBFF => {
                    self.literal(b"\\u")?;
                    if matches!(self.hex4()?, 0xDC00..=0xDFFF) { Ok(()) } else { Err(JsonError::Malformed) }
                }
                0xDC00..=0xDFFF => Err(JsonError::Malformed),
                _ => Ok(()),
            },
            _ => Err(JsonError::Malformed),
        }
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let (text, rest) = self.rest.split_first_chunk::<4>().ok_or(JsonError::Malformed)?;
        self.rest = rest;
        hex4(text).ok_or(JsonError::Malformed)
    }

    /// Passes over bytes that a string may hold as they are
    #[inline(always)]
    fn skip_plain(&mut self) {
        #[cfg(target_arch = "wasm32")]
        while let Some((chunk, rest)) = self.rest.split_first_chunk::<16>() {
            let plain = crate::simd::plain_prefix(chunk);
            if plain < 16 {
                self.rest = usize::try_from(plain).ok().and_then(|plain| self.rest.get(plain..)).unwrap_or_default();
                return;
            }
            self.rest = rest;
        }
        let plain = self.rest.iter().take_while(|b| !matches!(b, b'"' | b'\\' | 0..=0x1f)).count();
        self.rest = self.rest.get(plain..).unwrap_or_default();
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let count = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        self.rest = self.rest.get(count..).unwrap_or_default();
        if count == 0 { Err(JsonError::Malformed) } else { Ok(()) }
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), JsonError> {
        self.rest = self.rest.strip_prefix(word).ok_or(JsonError::Malformed)?;
        Ok(())
    }

    #[inline(always)]
    fn space(&mut self) {
        // Issuers write no space: one comparison says so.
        if self.rest.first().is_some_and(|byte| *byte <= b' ') {
            self.pass_space();
        }
    }

    #[inline(never)]
    fn pass_space(&mut self) {
        while let Some((b' ' | b'\t' | b'\n' | b'\r', rest)) = self.rest.split_first() {
            self.rest = rest;
        }
    }

    #[inline(always)]
    fn next(&mut self) -> Result<u8, JsonError> {
        let (first, rest) = self.rest.split_first().ok_or(JsonError::Malformed)?;
        self.rest = rest;
        Ok(*first)
    }

    #[inline(always)]
    fn take(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.take(byte) { Ok(()) } else { Err(JsonError::Malformed) }
    }

    #[inline(always)]
    fn enter(&mut self) -> Result<(), JsonError> {
        self.left.depth = self.left.depth.checked_sub(1).ok_or(JsonError::Budget)?;
        Ok(())
    }

    #[inline(always)]
    fn leave(&mut self) {
        self.left.depth = self.left.depth.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), JsonError> {
        check_bytes(text.as_bytes())
    }

    fn check_bytes(text: &[u8]) -> Result<(), JsonError> {
        Reader::read_object(text, |reader, _| reader.skip())
    }

    #[test]
    fn accepts_what_rfc_8259_allows() {
        for text in [
            "{}",
            " { } ",
            r#"{"a":1}"#,
            r#"{"a":-0.5e+10,"b":[1,2,[]],"c":{"a":null},"d":true,"e":false}"#,
            r#"{"\u0061":"\uD834\uDD1E\n\/"}"#,
            "{\"\u{e9}\":\"\u{1F600}\"}",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_an_object_of_strict_json() {
        for text in [
            "",
            "[]",
            "\"x\"",
            "1",
            "null",
            "{",
            "}",
            "{}{}",
            "{} x",
            "{,}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{a:1}"#,
            r#"{'a':1}"#,
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":.5}"#,
            r#"{"a":+1}"#,
            r#"{"a":1e}"#,
            r#"{"a":NaN}"#,
            r#"{"a":Infinity}"#,
            r#"{"a":tru}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\u12"}"#,
            r#"{"a":"\uD834"}"#,
            r#"{"a":"\uDD1E"}"#,
            r#"{"a":"\uD834\uD834"}"#,
            "{\"a\":\"\n\"}",
            "{\"a\":\"\0\"}",
            r#"{"a":"unterminated}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":1 "b":2}"#,
            "\u{feff}{}",
            "{\"a\":1}\0",
            "/**/{}",
        ] {
            assert_eq!(check(text), Err(JsonError::Malformed), "{text:?}");
        }
        assert_eq!(check_bytes(b"{\"a\":\"\xff\"}"), Err(JsonError::Malformed));
        assert_eq!(check_bytes(b"{\"a\":\"\xed\xa0\x80\"}"), Err(JsonError::Malformed));
        assert_eq!(check_bytes(b"{\0\"\0a\0\"\0"), Err(JsonError::Malformed));
    }

    #[test]
    fn refuses_duplicates_at_any_depth_after_unescaping() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":2,"a":3}"#,
            r#"{"aud":1,"\u0061ud":2}"#,
            r#"{"\u0061":1,"\u0061":2}"#,
            r#"{"x":{"y":{"z":1,"z":2}}}"#,
            r#"{"x":[{"z":1,"z":2}]}"#,
            "{\"\u{1D11E}\":1,\"\\uD834\\uDD1E\":2}",
        ] {
            assert_eq!(check(text), Err(JsonError::Duplicate), "{text}");
        }
        // The same name in another object is another member; names are never normalised.
        assert_eq!(check(r#"{"a":{"a":{"a":1}},"b":{"a":1}}"#), Ok(()));
        assert_eq!(check("{\"\u{e9}\":1,\"e\u{301}\":2,\"A\":1,\"a\":1}"), Ok(()));
    }

    #[test]
    fn budgets_end_the_work() {
        let deep = |n: usize| format!(r#"{{"a":{}1{}}}"#, "[".repeat(n), "]".repeat(n));
        assert_eq!(check(&deep(7)), Ok(()));
        assert_eq!(check(&deep(8)), Err(JsonError::Budget));
        assert_eq!(check(&format!(r#"{{"a":{}"#, "[".repeat(100_000))), Err(JsonError::Budget));
        let wide = |n: usize| format!("{{{}}}", (0..n).map(|i| format!("\"m{i}\":0")).collect::<Vec<_>>().join(","));
        assert_eq!(check(&wide(limits::JSON_MEMBERS)), Ok(()));
        assert_eq!(check(&wide(limits::JSON_MEMBERS + 1)), Err(JsonError::Budget));
    }

    #[test]
    fn special_bytes_are_found_at_every_place() {
        for special in (0..=0xff_u8).filter(|b| matches!(b, b'\\' | 0..=0x1f)) {
            for at in 0..40 {
                let mut text = *b"{\"a\":\"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMN\"}";
                text[6 + at] = special;
                assert_eq!(check_bytes(&text), Err(JsonError::Malformed), "{special} at {at}");
            }
        }
    }

    #[test]
    fn utf8_is_checked_at_every_place() {
        for at in 0..40 {
            let mut text = *b"{\"a\":\"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNO\"}";
            text[6 + at] = 0xe9;
            assert_eq!(check_bytes(&text), Err(JsonError::Malformed), "{at}");
            text[6 + at..8 + at].copy_from_slice("\u{e9}".as_bytes());
            assert_eq!(check_bytes(&text), Ok(()), "{at}");
        }
    }

    #[test]
    fn strings_are_unescaped_once() {
        let mut value = None;
        Reader::read_object(r#"{"a":"q\"\\\/\b\f\n\r\t\u0041\uD834\uDD1E"}"#.as_bytes(), |reader, _| {
            value = Some(reader.string()?.text().into_owned());
            Ok(())
        })
        .unwrap();
        assert_eq!(value.as_deref(), Some("q\"\\/\u{8}\u{c}\n\r\tA\u{1D11E}"));
    }
}
