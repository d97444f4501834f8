//! The scanners against plain re-statements of what they must do, byte by byte at every place
//!
//! They have two bodies, one of them in SIMD for WebAssembly: run by `scanning` and by `wasm_scanning`.

use entra_access_core::{base64url, identity::Guid, json::Reader, token::compact::Compact};

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64url, bit by bit
fn plain_decode(text: &[u8]) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut out) = (0_u32, 0, Vec::new());
    for byte in text {
        let value = LETTERS.iter().position(|letter| letter == byte)?;
        bits = bits << 6 | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count).unwrap());
            bits &= (1 << count) - 1;
        }
    }
    // Six bits left over are a letter too many; others must be zero.
    (count < 6 && bits == 0).then_some(out)
}

/// Every length across several blocks, every byte at every place
pub fn base64url_decodes_what_it_must() {
    for length in 0..=100 {
        let text: Vec<u8> = (0..length).map(|at| LETTERS[at * 29 % 64]).collect();
        assert_eq!(base64url::decode(&text), plain_decode(&text), "{length} letters");
        let zeros = vec![b'A'; length];
        assert_eq!(base64url::decode(&zeros), plain_decode(&zeros), "{length} times A");
    }
    for length in [15, 16, 17, 47, 48, 52, 66] {
        for at in 0..length {
            for byte in 0..=255_u8 {
                let mut text = vec![b'A'; length];
                text[at] = byte;
                assert_eq!(base64url::decode(&text), plain_decode(&text), "{byte} at {at} of {length}");
            }
        }
    }
}

/// Every byte at every place
pub fn guids_are_read_as_they_must() {
    let good = *b"01234567-89ab-CDEF-0123-456789abcdef";
    for at in 0..good.len() {
        for byte in 0..=255_u8 {
            let mut text = good;
            text[at] = byte;
            let dashes = [8, 13, 18, 23].iter().all(|at| text[*at] == b'-');
            let digits: String = text.iter().filter(|b| **b != b'-').map(|b| char::from(*b)).collect();
            let hex = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            let expected = (dashes && hex).then(|| u128::from_str_radix(&digits, 16).unwrap());
            assert_eq!(Guid::parse(&text).map(Guid::value), expected, "{byte} at {at}");
        }
    }
    for text in ["", "-", &"0".repeat(36), &"-".repeat(36), &format!("{} ", "0".repeat(35))] {
        assert_eq!(Guid::parse(text.as_bytes()), None, "{text}");
    }
}

/// Every byte at every place of a string; the judgement of UTF-8 is the standard library's
pub fn strings_hold_what_they_may() {
    for length in [1, 7, 15, 16, 17, 33, 40] {
        for at in 0..length {
            for byte in 0..=255_u8 {
                let mut content = vec![b'x'; length];
                content[at] = byte;
                let mut text = b"{\"n\":\"".to_vec();
                text.extend_from_slice(&content);
                text.extend_from_slice(b"\"}");
                let mut read = None;
                let outcome = Reader::read_object(&text, |reader, _| {
                    read = Some(reader.string()?.bytes().into_owned());
                    Ok(())
                });
                // `x` escapes nothing, and a quote in the middle leaves rubbish after the string.
                let fits = (0x20..0x80).contains(&byte) && !matches!(byte, b'"' | b'\\');
                assert_eq!(outcome.is_ok(), fits, "{byte} at {at} of {length}");
                assert!(!fits || read == Some(content), "{byte} at {at} of {length}");
            }
        }
    }
    for at in 0..70 {
        for (bytes, fits) in
            [("é".as_bytes(), true), ("𝄞".as_bytes(), true), (b"\xed\xa0\x80", false), (b"\xc0\xaf", false)]
        {
            let content = [&vec![b'x'; at], bytes, &vec![b'x'; 70 - at]].concat();
            let text = [b"{\"n\":\"", content.as_slice(), b"\"}"].concat();
            let outcome = Reader::read_object(&text, |reader, _| reader.skip());
            assert_eq!(outcome.is_ok(), fits, "{bytes:x?} at {at}");
        }
    }
}

/// Dots at every pair of places
pub fn tokens_are_split_at_their_dots() {
    for length in [3, 16, 17, 40] {
        for first in 0..length {
            for last in 0..length {
                let mut token = vec![b'a'; length];
                token[first] = b'.';
                token[last] = b'.';
                let parts: Vec<_> = token.split(|b| *b == b'.').collect();
                let split = Compact::parse(&token).ok().map(|c| vec![c.header, c.payload, c.signature]);
                let expected = (parts.len() == 3 && parts.iter().all(|part| !part.is_empty())).then_some(parts);
                assert_eq!(split, expected, "{first} and {last} of {length}");
            }
        }
    }
}
