//! Object ids of Entra: GUIDs as 128-bit numbers

use std::fmt;

use crate::{error::ConfigError, json::At};

/// A GUID, from the canonical text form of RFC 9562 section 4 in any letter case
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid {
    // Two halves: lists of them need no more than the usual alignment, which allocators are slow to exceed.
    high: u64,
    low: u64,
}

impl Guid {
    /// Completes "`x` is not ..."
    pub const EXPECTED: &str = "a GUID such as 11111111-2222-3333-4444-555555555555";

    /// Length of the text form in bytes
    pub const TEXT_BYTES: usize = 36;

    /// From the 36-character form `8-4-4-4-12`; braces, missing dashes and anything else are refused
    pub fn parse(text: &[u8]) -> Option<Self> {
        Self::parse_exact(text.try_into().ok()?)
    }

    /// The same for a text whose length is known
    #[cfg(target_arch = "wasm32")]
    #[inline(always)]
    pub fn parse_exact(text: &[u8; Self::TEXT_BYTES]) -> Option<Self> {
        crate::simd::parse_guid(text).map(Self::from_value)
    }

    /// The same for a text whose length is known
    #[cfg(not(target_arch = "wasm32"))]
    pub fn parse_exact(text: &[u8; Self::TEXT_BYTES]) -> Option<Self> {
        let mut value = 0_u128;
        for (at, byte) in text.iter().enumerate() {
            if matches!(at, 8 | 13 | 18 | 23) {
                if *byte != b'-' {
                    return None;
                }
            } else {
                value = value << 4 | u128::from(char::from(*byte).to_digit(16)?);
            }
        }
        Some(Self::from_value(value))
    }

    /// From a document
    ///
    /// # Errors
    /// Something else stands there.
    pub fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        at.parsed(Self::EXPECTED, |text| Self::parse(text.as_bytes()))
    }

    /// The number
    #[expect(clippy::as_conversions, reason = "widens the halves")]
    pub const fn value(self) -> u128 {
        (self.high as u128) << 64 | self.low as u128
    }

    /// From the number
    #[expect(clippy::as_conversions, reason = "takes the two halves")]
    pub const fn from_value(value: u128) -> Self {
        Self { high: (value >> 64) as u64, low: value as u64 }
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v = self.value();
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            v >> 96,
            v >> 80 & 0xffff,
            v >> 64 & 0xffff,
            v >> 48 & 0xffff,
            v & 0xffff_ffff_ffff
        )
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Guid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips() {
        for text in [
            "00000000-0000-0000-0000-000000000000",
            "01234567-89ab-cdef-0123-456789abcdef",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ] {
            let guid = Guid::parse(text.as_bytes()).unwrap();
            assert_eq!(guid.to_string(), text);
            assert_eq!(Guid::parse(text.to_uppercase().as_bytes()), Some(guid));
        }
        assert_eq!(
            Guid::parse(b"01234567-89ab-cdef-0123-456789abcdef").unwrap().value(),
            0x0123_4567_89ab_cdef_0123_4567_89ab_cdef
        );
    }

    #[test]
    fn every_other_byte_is_refused_at_every_place() {
        let good = *b"01234567-89ab-CDEF-0123-456789abcdef";
        for at in 0..good.len() {
            for byte in 0..=255_u8 {
                let dash = matches!(at, 8 | 13 | 18 | 23);
                let fits = if dash { byte == b'-' } else { byte.is_ascii_hexdigit() };
                let mut text = good;
                text[at] = byte;
                assert_eq!(Guid::parse(&text).is_some(), fits, "{byte} at {at}");
            }
        }
        for text in [
            "",
            "{01234567-89ab-cdef-0123-456789abcdef}",
            "0123456789abcdef0123456789abcdef",
            "01234567-89ab-cdef-0123-456789abcde",
        ] {
            assert_eq!(Guid::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn every_digit_has_its_value_at_every_place() {
        for at in (0..36).filter(|at| !matches!(at, 8 | 13 | 18 | 23)) {
            for digit in b"0123456789abcdefABCDEF" {
                let mut text = *b"00000000-0000-0000-0000-000000000000";
                text[at] = *digit;
                let hex: String = text.iter().filter(|b| **b != b'-').map(|b| char::from(*b)).collect();
                assert_eq!(Guid::parse(&text).unwrap().value(), u128::from_str_radix(&hex, 16).unwrap());
            }
        }
    }
}
