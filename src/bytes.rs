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
