//! Signatures in pure Rust by jsonwebtoken's provider; its claim checks are not used
//!
//! jsonwebtoken 11 accepts a token without `aud` or `iss` even after `set_audience`, so the core judges all claims
//! itself and takes nothing but the primitive from here.

use jsonwebtoken::{
    Algorithm as Name, DecodingKey,
    crypto::{JwtVerifier, rust_crypto::DEFAULT_PROVIDER},
};

use super::{Algorithm, KeyImportError, KeyMaterial, PublicKey, SignatureVerifier};
use crate::base64url;

/// jsonwebtoken with the RustCrypto implementations
#[derive(Debug, Default, Clone, Copy)]
pub struct Portable;

impl SignatureVerifier for Portable {
    type Key = Box<dyn JwtVerifier>;

    fn import(&self, key: &PublicKey) -> Result<Self::Key, KeyImportError> {
        let decoding = match &key.material {
            KeyMaterial::Rsa { modulus, exponent } => DecodingKey::from_rsa_raw_components(modulus, exponent),
            KeyMaterial::Ec { x, y, .. } => {
                DecodingKey::from_ec_components(&base64url::encode(x), &base64url::encode(y))
                    .map_err(|_| KeyImportError)?
            }
        };
        let name: Name = key.algorithm.name.parse().map_err(|_| KeyImportError)?;
        (DEFAULT_PROVIDER.verifier_factory)(&name, &decoding).map_err(|_| KeyImportError)
    }

    fn verify(&self, _algorithm: &'static Algorithm, key: &Self::Key, signed: &[u8], signature: &[u8]) -> bool {
        key.verify(signed, &signature.to_vec()).is_ok()
    }
}
