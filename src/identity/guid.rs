//! Object ids of Entra: GUIDs as 128-bit numbers

use std::fmt;

/// A GUID, from the canonical text form of RFC 9562 section 4 in any letter case
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(u128);

impl Guid {
    /// Length of the text form in bytes
    pub const TEXT_BYTES: usize = 36;

    /// From the 36-character form `8-4-4-4-12`; braces, missing dashes and anything else are refused
    pub fn parse(text: &[u8]) -> Option<Self> {
        Self::parse_exact(text.try_into().ok()?)
    }

    /// The same for a text whose length is known
    pub fn parse_exact(text: &[u8; Self::TEXT_BYTES]) -> Option<Self> {
        let (a, rest) = text.split_first_chunk::<8>()?;
        let (b, rest) = rest.strip_prefix(b"-")?.split_first_chunk::<4>()?;
        let (c, rest) = rest.strip_prefix(b"-")?.split_first_chunk::<4>()?;
        let (d, rest) = rest.strip_prefix(b"-")?.split_first_chunk::<4>()?;
        let (e, rest) = rest.strip_prefix(b"-")?.split_first_chunk::<4>()?;
        let f: &[u8; 8] = rest.try_into().ok()?;
        let (high, high_ok) = hex8(u64::from_be_bytes(*a));
        let (middle, middle_ok) = hex8(join(b, c));
        let (low, low_ok) = hex8(join(d, e));
        let (end, end_ok) = hex8(u64::from_be_bytes(*f));
        let value = u128::from(high) << 96 | u128::from(middle) << 64 | u128::from(low) << 32 | u128::from(end);
        (high_ok & middle_ok & low_ok & end_ok).then_some(Self(value))
    }

    /// The number
    pub const fn value(self) -> u128 {
        self.0
    }

    /// From the number
    pub const fn from_value(value: u128) -> Self {
        Self(value)
    }
}

fn join(first: &[u8; 4], second: &[u8; 4]) -> u64 {
    u64::from(u32::from_be_bytes(*first)) << 32 | u64::from(u32::from_be_bytes(*second))
}

/// Eight hexadecimal digits in one word, first digit in the highest byte; the value means nothing when not all are digits
///
/// Each byte is judged in its own lane: none of the additions below can carry into the next byte because all
/// operands stay below 0x80.
const fn hex8(text: u64) -> (u32, bool) {
    const LANES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let ascii = text & HIGH == 0;
    let byte = text & !HIGH;
    let lower = byte | 0x2020_2020_2020_2020;
    // The high bit of a lane tells "byte >= x" when 0x80 - x is added.
    let digit = (byte.wrapping_add(0x50 * LANES)) & !(byte.wrapping_add(0x46 * LANES)) & HIGH;
    let letter = (lower.wrapping_add(0x1f * LANES)) & !(lower.wrapping_add(0x19 * LANES)) & HIGH;
    let ok = ascii && (digit | letter) == HIGH;
    // '0'..'9' end in 0..9, 'a'..'f' and 'A'..'F' end in 1..6: add 9 to those.
    let nibbles = (byte & 0x0f0f_0f0f_0f0f_0f0f).wrapping_add((letter >> 7).wrapping_mul(9));
    let pairs = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff;
    let quads = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    let value = (quads | quads >> 16) & 0xffff_ffff;
    #[expect(clippy::as_conversions, reason = "masked to 32 bits on the line above")]
    (value as u32, ok)
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v = self.0;
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

impl<'de> serde::Deserialize<'de> for Guid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(text.as_bytes()).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{}` is not a GUID such as 11111111-2222-3333-4444-555555555555",
                text.escape_debug()
            ))
        })
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
                assert_eq!(
                    Guid::parse(&text).unwrap().value(),
                    u128::from_str_radix(&hex, 16).unwrap()
                );
            }
        }
    }
}
