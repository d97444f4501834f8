//! Compact tokens out of raw text

use entra_access_core::base64url;

use super::keys::{RSA_A, TestKey};

/// The `kid` under which the standard scene publishes [`RSA_A`] for v2.0 tokens
pub const KID: &str = "a";

/// The header that Entra writes
pub fn header(algorithm: &str, kid: &str) -> String {
    format!(r#"{{"typ":"JWT","alg":"{algorithm}","kid":"{kid}"}}"#)
}

/// A token of the standard key around any payload bytes
pub fn token(payload: impl AsRef<[u8]>) -> Vec<u8> {
    sign(header("RS256", KID), payload, &RSA_A, "RS256")
}

/// A token under `kid` of `key` with its own algorithm
pub fn token_of(key: &TestKey, kid: &str, payload: impl AsRef<[u8]>) -> Vec<u8> {
    sign(header(key.algorithm, kid), payload, key, key.algorithm)
}

/// Any header and payload, signed as `algorithm` whatever the header says
pub fn sign(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>, key: &TestKey, algorithm: &str) -> Vec<u8> {
    let signed = format!("{}.{}", base64url::encode(header.as_ref()), base64url::encode(payload.as_ref()));
    let signature = key.sign(algorithm, &signed);
    format!("{signed}.{signature}").into_bytes()
}

/// The three parts of a token
pub fn parts(token: &[u8]) -> [String; 3] {
    let text = String::from_utf8(token.to_vec()).unwrap();
    let parts: Vec<_> = text.split('.').map(str::to_owned).collect();
    parts.try_into().unwrap()
}

/// The token with its signature bytes changed
pub fn with_signature(token: &[u8], change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let [header, payload, signature] = parts(token);
    let changed = change(base64url::decode(signature.as_bytes()).unwrap());
    format!("{header}.{payload}.{}", base64url::encode(&changed)).into_bytes()
}
