//! The fixed test keys of `tests/keys`; they protect nothing

use entra_access_core::base64url;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

/// A key pair
#[derive(Debug)]
pub struct TestKey {
    /// The algorithm that a token of this key uses unless the test says otherwise
    pub algorithm: &'static str,
    private: &'static str,
    public: &'static str,
}

macro_rules! test_key {
    ($name:literal, $algorithm:literal) => {
        TestKey {
            algorithm: $algorithm,
            private: include_str!(concat!("../keys/", $name, ".der.b64")),
            public: include_str!(concat!("../keys/", $name, ".public.json")),
        }
    };
}

/// RSA, 2048 bits
pub static RSA_A: TestKey = test_key!("rsa-a", "RS256");
/// Another one
pub static RSA_B: TestKey = test_key!("rsa-b", "RS256");
/// RSA, 1024 bits: too short
pub static RSA_WEAK: TestKey = test_key!("rsa-weak", "RS256");
/// NIST P-256
pub static P256: TestKey = test_key!("p256", "ES256");
/// NIST P-384
pub static P384: TestKey = test_key!("p384", "ES384");

impl TestKey {
    /// The encoded signature over `text`
    pub fn sign(&self, algorithm: &str, text: &str) -> String {
        let der = decode_base64(self.private);
        let key = if self.algorithm.starts_with("ES") {
            EncodingKey::from_ec_der(&der)
        } else {
            EncodingKey::from_rsa_der(&der)
        };
        let algorithm: Algorithm = algorithm.parse().unwrap();
        crypto::sign(text.as_bytes(), &key, algorithm).unwrap()
    }

    /// The public half as a JWK with this `kid`, as Entra publishes it: without `alg`
    pub fn jwk(&self, kid: &str) -> Value {
        let mut jwk: Value = serde_json::from_str(self.public).unwrap();
        jwk["kid"] = json!(kid);
        jwk["use"] = json!("sig");
        jwk
    }

    /// The same with one member set
    pub fn jwk_with(&self, kid: &str, member: &str, value: Value) -> Value {
        let mut jwk = self.jwk(kid);
        jwk[member] = value;
        jwk
    }

    /// A public number as bytes
    pub fn number(&self, member: &str) -> Vec<u8> {
        base64url::decode(self.jwk("")[member].as_str().unwrap().as_bytes()).unwrap()
    }
}

/// A JWK Set
pub fn jwks(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

fn decode_base64(text: &str) -> Vec<u8> {
    let url: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '=')
        .map(|c| match c {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    base64url::decode(url.as_bytes()).unwrap()
}
