//! The one question that the core asks of its host: does this signature fit this key

use super::{Algorithm, PublicKey};

/// Why the host could not take a key
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key was refused by the signature implementation (not a point on the curve, or a number out of range)")]
pub struct KeyImportError;

/// Signature verification: `node:crypto` in the WebAssembly build, jsonwebtoken in portable builds
///
/// Everything about the token except the signature itself has been or will be judged by the core. Both
/// implementations must agree on every test vector.
pub trait SignatureVerifier {
    /// A key made ready once
    type Key;

    /// Makes a key ready; it is kept for as long as the issuer publishes it
    fn import(&self, key: &PublicKey) -> Result<Self::Key, KeyImportError>;

    /// Whether `signature` over `signed` was made by the private half of `key`; false on any error
    ///
    /// `algorithm` is the key's own, and `signature` has exactly the length that the key's signatures have.
    fn verify(&self, algorithm: &'static Algorithm, key: &Self::Key, signed: &[u8], signature: &[u8]) -> bool;
}
