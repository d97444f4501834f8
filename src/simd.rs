//! Sixteen bytes at a time, for the three loops that a token spends its time in
//!
//! WebAssembly only: native builds use the plain loops beside the callers, and the tests hold both to the same answers.
//! Every load and store goes through arrays, so there is no `unsafe`; the compiler turns them into single instructions.

use core::arch::wasm32::{
    i16x8, i32x4_dot_i16x8, u8x16_add, u8x16_add_sat, u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_min, u8x16_shr,
    u8x16_splat, u8x16_sub, u8x16_sub_sat, u8x16_swizzle, u16x8_shl, u16x8_shr, u16x8_splat, u64x2, u64x2_extract_lane,
    v128, v128_and, v128_any_true, v128_or,
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
    (text, place, !v128_any_true(wrong), high)
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

/// Four sextets become three bytes, highest first; the last four bytes are zero
#[inline(always)]
fn pack(sextets: v128) -> v128 {
    let pairs = v128_or(u16x8_shl(v128_and(sextets, u16x8_splat(0xff)), 6), u16x8_shr(sextets, 8));
    let quads = i32x4_dot_i16x8(pairs, i16x8(4096, 1, 4096, 1, 4096, 1, 4096, 1));
    u8x16_swizzle(quads, table([2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, NONE, NONE, NONE, NONE]))
}

/// In a table of places, none: the byte becomes zero
const NONE: u8 = 0x80;
/// Where the first sixteen digits of a GUID stand in its bytes 0 to 15, and in its bytes 16 to 31
const FIRST_DIGITS: [v128; 2] = [
    table([0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, NONE, NONE]),
    table([NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 0, 1]),
];
/// Where the others stand in its bytes 16 to 31, and in its bytes 20 to 35
const OTHER_DIGITS: [v128; 2] = [
    table([3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, NONE, NONE, NONE, NONE]),
    table([NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 12, 13, 14, 15]),
];
/// One bit for each byte from 0 to 31 that is a dash
const DASHES: u32 = 1 << 8 | 1 << 13 | 1 << 18 | 1 << 23;

/// The number of a GUID in its text form; `None` when a byte is out of place
#[inline(always)]
pub fn parse_guid(text: &[u8; 36]) -> Option<u128> {
    let (start, rest) = text.split_first_chunk::<16>()?;
    let (start, middle, end) = (load(start), load(rest.first_chunk()?), load(rest.last_chunk()?));
    let dash = u8x16_splat(b'-');
    let dashes =
        u32::from(u8x16_bitmask(u8x16_eq(start, dash))) | u32::from(u8x16_bitmask(u8x16_eq(middle, dash))) << 16;
    let [in_start, in_middle] = FIRST_DIGITS;
    let first = nibbles(v128_or(u8x16_swizzle(start, in_start), u8x16_swizzle(middle, in_middle)));
    let [in_middle, in_end] = OTHER_DIGITS;
    let others = nibbles(v128_or(u8x16_swizzle(middle, in_middle), u8x16_swizzle(end, in_end)));
    let wrong = v128_any_true(v128_and(v128_or(first, others), u8x16_splat(0xf0)));
    // The number's lowest byte comes first.
    let high =
        u8x16_swizzle(join(first), table([NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 14, 12, 10, 8, 6, 4, 2, 0]));
    let low =
        u8x16_swizzle(join(others), table([14, 12, 10, 8, 6, 4, 2, 0, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE]));
    (!wrong && dashes == DASHES).then(|| u128::from_le_bytes(store(v128_or(high, low))))
}

/// The values of sixteen hexadecimal digits; above 15 for any other byte
#[inline(always)]
fn nibbles(text: v128) -> v128 {
    // Digits to 0xf6..=0xff, six less without falling below zero, and down to 0..=9: nothing else comes out below 16.
    let digit = u8x16_sub(u8x16_sub_sat(u8x16_add(text, u8x16_splat(0xff - b'9')), u8x16_splat(6)), u8x16_splat(0xf0));
    // Letters of either case to 0..=5, ten more without wrapping round.
    let letter = u8x16_add_sat(u8x16_sub(v128_and(text, u8x16_splat(0xdf)), u8x16_splat(b'A')), u8x16_splat(10));
    u8x16_min(digit, letter)
}

/// Two nibbles become a byte, the first one its higher half: in each even byte, the odd ones mean nothing
#[inline(always)]
fn join(nibbles: v128) -> v128 {
    v128_or(u16x8_shl(nibbles, 4), u16x8_shr(nibbles, 8))
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
