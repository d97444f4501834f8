//! Sixteen bytes at a time, for the three loops that a token spends its time in
//!
//! WebAssembly only: native builds use the plain loops beside the callers, and the tests hold both to the same answers.
//! Every load and store goes through arrays, so there is no `unsafe`; the compiler turns them into single instructions.

use core::arch::wasm32::{
    i8x16_shuffle, u8x16_add, u8x16_all_true, u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_narrow_i16x8, u8x16_shr,
    u8x16_splat, u8x16_sub, u8x16_swizzle, u16x8_shl, u16x8_shr, u16x8_splat, u32x4_shl, u32x4_shr, u32x4_splat, u64x2,
    u64x2_extract_lane, v128, v128_and, v128_bitselect, v128_or,
};

#[inline(always)]
fn load(bytes: &[u8; 16]) -> v128 {
    let value = u128::from_le_bytes(*bytes);
    #[expect(clippy::as_conversions, reason = "takes the two halves")]
    u64x2(value as u64, (value >> 64) as u64)
}

#[inline(always)]
const fn table(bytes: [u8; 16]) -> v128 {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes;
    core::arch::wasm32::u8x16(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
}

/// For each low half of a byte, the classes of high halves with which it is no letter of base64url
const WRONG_LOW: v128 =
    table([0x25, 0x21, 0x21, 0x21, 0x21, 0x21, 0x21, 0x21, 0x21, 0x21, 0x23, 0x3b, 0x3b, 0x3a, 0x3b, 0x33]);
/// For each high half of a byte, its class: `-`, digits, `A`-`O` and `a`-`o`, `P`-`Z` and `_`, `p`-`z`, never
const HIGH_CLASS: v128 =
    table([0x20, 0x20, 0x01, 0x02, 0x04, 0x08, 0x04, 0x10, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20]);
/// What turns a letter into its value, by the high half: +17 for `-`, +4 for digits, -65, -65, -71, -71 for letters
const DISTANCE: v128 = table([0, 0, 17, 4, 191, 191, 185, 185, 0, 0, 0, 0, 0, 0, 0, 0]);
#[inline(always)]
fn store(value: v128) -> [u8; 16] {
    let (low, high) = (u64x2_extract_lane::<0>(value), u64x2_extract_lane::<1>(value));
    (u128::from(low) | u128::from(high) << 64).to_le_bytes()
}

/// Decodes base64url sixteen letters at a time, as far as `place` has room for whole stores
///
/// What is left of text and place, whether all were letters, and the high bits of all bytes laid over each other.
pub fn decode_base64url<'t, 'p>(mut text: &'t [u8], mut place: &'p mut [u8]) -> (&'t [u8], &'p mut [u8], bool, u8) {
    let mut wrong = u8x16_splat(0);
    let mut all = u8x16_splat(0);
    while let (Some((letters, rest)), Some(sixteen)) = (text.split_first_chunk::<16>(), place.first_chunk_mut::<16>()) {
        let letters = load(letters);
        wrong = v128_or(wrong, not_letters(letters));
        // Twelve bytes count, the next store overwrites the other four, which are zero.
        let bytes = pack(sextets(letters));
        all = v128_or(all, bytes);
        *sixteen = store(bytes);
        text = rest;
        place = place.get_mut(12..).unwrap_or_default();
    }
    let high = if u8x16_bitmask(all) == 0 { 0 } else { 0x80 };
    (text, place, u8x16_bitmask(u8x16_eq(wrong, u8x16_splat(0))) == 0xffff, high)
}

/// Not zero where a byte is no letter of base64url
#[inline(always)]
fn not_letters(bytes: v128) -> v128 {
    let low = v128_and(bytes, u8x16_splat(0x0f));
    v128_and(u8x16_swizzle(WRONG_LOW, low), u8x16_swizzle(HIGH_CLASS, u8x16_shr(bytes, 4)))
}

#[inline(always)]
fn sextets(letters: v128) -> v128 {
    // `_` shares its high half with `P`-`Z` but lies 33 further on.
    let underscore = v128_and(u8x16_eq(letters, u8x16_splat(b'_')), u8x16_splat(33));
    u8x16_add(u8x16_add(letters, u8x16_swizzle(DISTANCE, u8x16_shr(letters, 4))), underscore)
}

/// Four sextets become three bytes, highest first
#[inline(always)]
fn pack(sextets: v128) -> v128 {
    let pairs = v128_or(u16x8_shl(v128_and(sextets, u16x8_splat(0xff)), 6), u16x8_shr(sextets, 8));
    let quads = v128_or(u32x4_shl(v128_and(pairs, u32x4_splat(0xffff)), 12), u32x4_shr(pairs, 16));
    i8x16_shuffle::<2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 3, 7, 11, 15>(quads, quads)
}

/// The number of a GUID in its text form; `None` when a byte is out of place
#[inline(always)]
pub fn parse_guid(text: &[u8; 36]) -> Option<u128> {
    let (a, rest) = text.split_first_chunk::<8>()?;
    let [dash_a, rest @ ..] = rest else { return None };
    let (b, rest) = rest.split_first_chunk::<4>()?;
    let [dash_b, rest @ ..] = rest else { return None };
    let (c, rest) = rest.split_first_chunk::<4>()?;
    let [dash_c, rest @ ..] = rest else { return None };
    let (d, rest) = rest.split_first_chunk::<4>()?;
    let [dash_d, rest @ ..] = rest else { return None };
    let (e, f) = rest.split_first_chunk::<4>()?;
    let f: &[u8; 8] = f.try_into().ok()?;
    let (first, first_ok) = nibbles(u64x2(u64::from_le_bytes(*a), join(b, c)));
    let (second, second_ok) = nibbles(u64x2(join(d, e), u64::from_le_bytes(*f)));
    let bytes = u8x16_narrow_i16x8(first, second);
    let high = u64x2_extract_lane::<0>(bytes).swap_bytes();
    let low = u64x2_extract_lane::<1>(bytes).swap_bytes();
    let dashes = (dash_a ^ b'-') | (dash_b ^ b'-') | (dash_c ^ b'-') | (dash_d ^ b'-');
    (first_ok & second_ok & (dashes == 0)).then_some(u128::from(high) << 64 | u128::from(low))
}

#[inline(always)]
fn join(first: &[u8; 4], second: &[u8; 4]) -> u64 {
    u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*second)) << 32
}

/// Sixteen hexadecimal digits as eight numbers below 256, and whether all are digits
#[inline(always)]
fn nibbles(text: v128) -> (v128, bool) {
    let digit = u8x16_sub(text, u8x16_splat(b'0'));
    let letter = u8x16_sub(v128_or(text, u8x16_splat(0x20)), u8x16_splat(b'a'));
    let is_digit = u8x16_lt(digit, u8x16_splat(10));
    let is_letter = u8x16_lt(letter, u8x16_splat(6));
    let value = v128_bitselect(digit, u8x16_add(letter, u8x16_splat(10)), is_digit);
    let pairs = v128_or(u16x8_shl(v128_and(value, u16x8_splat(0x0f)), 4), u16x8_shr(value, 8));
    (v128_and(pairs, u16x8_splat(0xff)), u8x16_all_true(v128_or(is_digit, is_letter)))
}

/// How many of sixteen bytes stand before the first quote, backslash or control character
#[inline(always)]
pub fn plain_prefix(bytes: &[u8; 16]) -> u32 {
    let bytes = load(bytes);
    let quote = u8x16_eq(bytes, u8x16_splat(b'"'));
    let backslash = u8x16_eq(bytes, u8x16_splat(b'\\'));
    let control = u8x16_lt(bytes, u8x16_splat(0x20));
    let special = u32::from(u8x16_bitmask(v128_or(v128_or(quote, backslash), control)));
    (special | 1 << 16).trailing_zeros()
}

/// Whether both are the same
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let ((a_blocks, a_rest), (b_blocks, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let same = |(a, b): (&[u8; 16], &[u8; 16])| u8x16_bitmask(u8x16_eq(load(a), load(b))) == 0xffff;
    a_blocks.iter().zip(b_blocks).all(same) && a_rest.iter().zip(b_rest).all(|(a, b)| a == b)
}

/// Where `byte` stands first
pub fn find_first(text: &[u8], byte: u8) -> Option<usize> {
    let mut rest = text;
    while let Some((block, after)) = rest.split_first_chunk::<16>() {
        let found = u8x16_bitmask(u8x16_eq(load(block), u8x16_splat(byte)));
        if found != 0 {
            break;
        }
        rest = after;
    }
    text.len().checked_sub(rest.len())?.checked_add(rest.iter().position(|b| *b == byte)?)
}

/// Where `byte` stands last
pub fn find_last(text: &[u8], byte: u8) -> Option<usize> {
    let mut rest = text;
    while let Some((before, block)) = rest.split_last_chunk::<16>() {
        let found = u8x16_bitmask(u8x16_eq(load(block), u8x16_splat(byte)));
        if found != 0 {
            break;
        }
        rest = before;
    }
    rest.iter().rposition(|b| *b == byte)
}
