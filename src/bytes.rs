//! Bytes compared and searched: sixteen at a time in WebAssembly, where the built-in loops go one by one

/// Whether both are the same
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    #[cfg(target_arch = "wasm32")]
    return crate::simd::equal(a, b);
    #[cfg(not(target_arch = "wasm32"))]
    return a == b;
}

/// The part before and the part after the first `byte`
pub fn split_first(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    #[cfg(target_arch = "wasm32")]
    let at = crate::simd::find_first(text, byte)?;
    #[cfg(not(target_arch = "wasm32"))]
    let at = text.iter().position(|b| *b == byte)?;
    Some((text.get(..at)?, text.get(at.checked_add(1)?..)?))
}

/// The part before and the part after the last `byte`
pub fn split_last(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    #[cfg(target_arch = "wasm32")]
    let at = crate::simd::find_last(text, byte)?;
    #[cfg(not(target_arch = "wasm32"))]
    let at = text.iter().rposition(|b| *b == byte)?;
    Some((text.get(..at)?, text.get(at.checked_add(1)?..)?))
}

/// The first eight bytes as a number, the first one lowest; those that are not there are zero
#[inline(always)]
pub fn head(text: &[u8]) -> u64 {
    if let Some(eight) = text.first_chunk() {
        return u64::from_le_bytes(*eight);
    }
    match (text.first_chunk(), text.last_chunk(), text) {
        // Two halves, which agree where they overlap.
        (Some(start), Some(end), _) => {
            let end = u64::from(u32::from_le_bytes(*end));
            let bits = u32::try_from(text.len()).unwrap_or(0).wrapping_sub(4).wrapping_mul(8);
            u64::from(u32::from_le_bytes(*start)) | end.wrapping_shl(bits)
        }
        (.., [a, b, c]) => u64::from(u32::from_le_bytes([*a, *b, *c, 0])),
        (.., [a, b]) => u64::from(u16::from_le_bytes([*a, *b])),
        (.., [a]) => u64::from(*a),
        _ => 0,
    }
}

/// The last four bytes as a number; zero when there are fewer
#[inline(always)]
pub fn tail(text: &[u8]) -> u32 {
    text.last_chunk().map_or(0, |four| u32::from_le_bytes(*four))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_and_tail_are_what_they_say() {
        let text: Vec<u8> = (1..=20).map(|n| n * 11).collect();
        for length in 0..text.len() {
            let text = &text[..length];
            let mut eight = [0; 8];
            for (to, from) in eight.iter_mut().zip(text) {
                *to = *from;
            }
            assert_eq!(head(text), u64::from_le_bytes(eight), "{text:?}");
            let four = text.len().checked_sub(4).map_or([0; 4], |at| text[at..].try_into().unwrap());
            assert_eq!(tail(text), u32::from_le_bytes(four), "{text:?}");
        }
    }
}
