//! Strict base64url without padding (RFC 4648 section 5, RFC 7515 section 2): one text for each byte string
//!
//! Refused: any character outside the alphabet, padding, white space, an impossible length, and unused bits that are
//! not zero (so a token cannot be written in two ways).

const INVALID: u8 = 0x80;

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const fn alphabet() -> [u8; 256] {
    let mut table = [INVALID; 256];
    let mut value: u8 = 0;
    while value < 64 {
        // Evaluated by the compiler: an index out of range would not build.
        #[expect(clippy::indexing_slicing, clippy::as_conversions, reason = "const evaluation")]
        {
            table[LETTERS[value as usize] as usize] = value;
        }
        value = value.saturating_add(1);
    }
    table
}

static ALPHABET: [u8; 256] = alphabet();

/// How many bytes a text of this length stands for; impossible lengths are found by decoding
pub const fn decoded_length(letters: usize) -> usize {
    // Without multiplying first, which could overflow.
    (letters / 4).saturating_mul(3).saturating_add((letters % 4).saturating_sub(1))
}

/// Decoded bytes, and what is known of them without looking again
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoded<'o> {
    /// The bytes
    pub bytes: &'o [u8],
    /// Every byte is ASCII; when not stated, the bytes may still be
    pub ascii: bool,
}

/// Bytes that a block stores beyond those that count
const SLACK: usize = 4;

/// Decodes into `buffer`, which only ever grows: what is there is overwritten; `None` when `text` is not strict base64url
pub fn decode_into<'o>(text: &[u8], buffer: &'o mut Vec<u8>) -> Option<Decoded<'o>> {
    let length = decoded_length(text.len());
    let needed = length.saturating_add(SLACK);
    if buffer.len() < needed {
        buffer.resize(needed, 0);
    }
    let ascii = decode_to(text, buffer.get_mut(..needed)?)?;
    Some(Decoded { bytes: buffer.get(..length)?, ascii })
}

/// Fills `place` but for its last bytes; whether all are ASCII
fn decode_to(text: &[u8], place: &mut [u8]) -> Option<bool> {
    let (text, place, blocks_ok, mut high) = decode_blocks(text, place);
    let (place, _) = place.split_at_mut_checked(place.len().checked_sub(SLACK)?)?;
    let (quads, rest) = text.as_chunks::<4>();
    let (triples, last) = place.as_chunks_mut::<3>();
    let mut invalid = 0;
    for (quad, triple) in quads.iter().zip(triples) {
        let [a, b, c, d] = *quad;
        let (a, b, c, d) = (sextet(a), sextet(b), sextet(c), sextet(d));
        invalid |= a | b | c | d;
        *triple = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        let [first, second, third] = *triple;
        high |= first | second | third;
    }
    match (rest, last) {
        ([], []) => {}
        ([a, b], [first]) => {
            let (a, b) = (sextet(*a), sextet(*b));
            invalid |= a | b | unused(b & 0x0f);
            *first = a << 2 | b >> 4;
            high |= *first;
        }
        ([a, b, c], [first, second]) => {
            let (a, b, c) = (sextet(*a), sextet(*b), sextet(*c));
            invalid |= a | b | c | unused(c & 0x03);
            (*first, *second) = (a << 2 | b >> 4, b << 4 | c >> 2);
            high |= *first | *second;
        }
        _ => return None,
    }
    (blocks_ok && invalid & INVALID == 0).then_some(high < 0x80)
}

/// Decodes whole blocks of sixteen letters; what is left of text and place, whether all were letters, and the bytes' high bits
#[cfg(target_arch = "wasm32")]
fn decode_blocks<'t, 'p>(text: &'t [u8], place: &'p mut [u8]) -> (&'t [u8], &'p mut [u8], bool, u8) {
    crate::simd::decode_base64url(text, place)
}

#[cfg(not(target_arch = "wasm32"))]
const fn decode_blocks<'t, 'p>(text: &'t [u8], place: &'p mut [u8]) -> (&'t [u8], &'p mut [u8], bool, u8) {
    (text, place, true, 0)
}

/// The decoded bytes of strict base64url
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = Vec::new();
    decode_into(text, &mut buffer).map(|decoded| decoded.bytes.to_vec())
}

/// The text of `bytes`
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for chunk in bytes.chunks(3) {
        let mut word = [0; 4];
        for (to, from) in word.iter_mut().skip(1).zip(chunk) {
            *to = *from;
        }
        let word = u32::from_be_bytes(word);
        // Three bytes make four letters, two make three, one makes two.
        for shift in [18_u32, 12, 6, 0].iter().take(chunk.len().saturating_add(1)) {
            let letter = usize::try_from(word >> shift & 63).ok().and_then(|at| LETTERS.get(at));
            text.extend(letter.map(|letter| char::from(*letter)));
        }
    }
    text
}

fn sextet(letter: u8) -> u8 {
    ALPHABET.get(usize::from(letter)).copied().unwrap_or(INVALID)
}

/// Marks bits that the length leaves unused and that must be zero
fn unused(bits: u8) -> u8 {
    if bits == 0 { 0 } else { INVALID }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4648_vectors() {
        for (text, bytes) in [
            ("", ""),
            ("Zg", "f"),
            ("Zm8", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg", "foob"),
            ("Zm9vYmE", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        for length in 0..9 {
            let bytes: Vec<u8> = (0..length).map(|i: u8| i.wrapping_mul(37) + 5).collect();
            assert_eq!(decode(encode(&bytes).as_bytes()), Some(bytes));
        }
        assert_eq!(decode(b"-_-_"), Some(vec![0xfb, 0xff, 0xbf]));
    }

    #[test]
    fn refuses_what_is_not_strict() {
        for text in
            ["Zg==", "Zg=", "Z", "Zm9vY", "Zh", "Zm9", "Zm 9", "Zm9v\n", "Zm+v", "Zm/v", "Zm9\u{141}", "Zm.v", "Zm9v\0"]
        {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn every_single_byte_outside_the_alphabet_is_refused_at_every_place() {
        let good = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eg".to_vec();
        assert!(decode(&good).is_some());
        for at in 0..good.len() {
            for byte in (0..=255_u8).filter(|b| sextet(*b) == INVALID) {
                let mut bad = good.clone();
                bad[at] = byte;
                assert_eq!(decode(&bad), None, "{byte} at {at}");
            }
        }
    }
}
