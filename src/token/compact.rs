//! The compact serialisation (RFC 7515 section 3.1): exactly three parts and nothing around them

use crate::{bytes, error::RejectionCode, limits};

/// The three parts as sent, and the bytes that the signature covers
#[derive(Debug, Clone, Copy)]
pub struct Compact<'t> {
    /// Encoded header
    pub header: &'t [u8],
    /// Encoded claims set
    pub payload: &'t [u8],
    /// Encoded signature
    pub signature: &'t [u8],
    /// `header.payload`, the signing input
    pub signed: &'t [u8],
}

impl<'t> Compact<'t> {
    /// Splits `token` at its first and last dot; a dot between them is outside the alphabet of the payload and refused
    /// when that is decoded
    pub fn parse(token: &'t [u8]) -> Result<Self, RejectionCode> {
        if token.len() > limits::TOKEN_BYTES {
            return Err(RejectionCode::TokenTooLarge);
        }
        // The signature is the shortest of the long parts, so the last dot is looked for from the end.
        let (signed, signature) = bytes::split_last(token, b'.').ok_or_else(|| name_unreadable(token))?;
        let (header, payload) = bytes::split_first(signed, b'.').ok_or_else(|| name_unreadable(token))?;
        if header.is_empty() || payload.is_empty() || signature.is_empty() {
            return Err(name_unreadable(token));
        }
        Ok(Self { header, payload, signature, signed })
    }
}

/// The right name for a token that could not be read: five parts are a JWE (RFC 7516 section 3.1), all else is malformed
pub fn name_unreadable(token: &[u8]) -> RejectionCode {
    match token.iter().filter(|b| **b == b'.').count() {
        4 => RejectionCode::TokenEncrypted,
        _ => RejectionCode::TokenMalformed,
    }
}
