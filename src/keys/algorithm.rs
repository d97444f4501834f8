//! Signature algorithms as one table of data (RFC 7518 section 3.1): nothing else switches on `alg`
//!
//! There is no symmetric algorithm and no `none` to choose: what is not in the table cannot be verified.

use super::jwk::Curve;

/// What kind of key an algorithm needs
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// RSA
    Rsa,
    /// An elliptic curve, one for each algorithm
    Ec(Curve),
}

/// How the signature is made
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5 (RFC 7518 section 3.3)
    Pkcs1,
    /// RSASSA-PSS, salt as long as the hash (RFC 7518 section 3.5)
    Pss,
    /// ECDSA, the signature as `r || s` (RFC 7518 section 3.4)
    Ecdsa,
}

/// One row of the table
#[derive(Debug, PartialEq, Eq)]
pub struct Algorithm {
    /// The registered name
    pub name: &'static str,
    /// The key it needs
    pub key: KeyType,
    /// How the signature is made
    pub scheme: Scheme,
    /// Bits of the SHA-2 hash: 256, 384 or 512
    pub hash_bits: u16,
}

/// Every algorithm that can be verified
pub static ALGORITHMS: [Algorithm; 8] = [
    Algorithm { name: "RS256", key: KeyType::Rsa, scheme: Scheme::Pkcs1, hash_bits: 256 },
    Algorithm { name: "RS384", key: KeyType::Rsa, scheme: Scheme::Pkcs1, hash_bits: 384 },
    Algorithm { name: "RS512", key: KeyType::Rsa, scheme: Scheme::Pkcs1, hash_bits: 512 },
    Algorithm { name: "PS256", key: KeyType::Rsa, scheme: Scheme::Pss, hash_bits: 256 },
    Algorithm { name: "PS384", key: KeyType::Rsa, scheme: Scheme::Pss, hash_bits: 384 },
    Algorithm { name: "PS512", key: KeyType::Rsa, scheme: Scheme::Pss, hash_bits: 512 },
    Algorithm { name: "ES256", key: KeyType::Ec(Curve::P256), scheme: Scheme::Ecdsa, hash_bits: 256 },
    Algorithm { name: "ES384", key: KeyType::Ec(Curve::P384), scheme: Scheme::Ecdsa, hash_bits: 384 },
];

/// The algorithm with exactly this name
pub fn by_name(name: &[u8]) -> Option<&'static Algorithm> {
    ALGORITHMS.iter().find(|algorithm| algorithm.name.as_bytes() == name)
}
