//! Signatures by `node:crypto`: OpenSSL is 40 times faster than RSA in WebAssembly (docs/decisions/0001)

use std::cell::Cell;

use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::{
    base64url,
    keys::{Algorithm, KeyImportError, KeyMaterial, PublicKey, SignatureVerifier, algorithm::Scheme},
};

#[wasm_bindgen(module = "node:crypto")]
extern "C" {
    #[wasm_bindgen(js_name = createPublicKey, catch)]
    fn create_public_key(input: &JsValue) -> Result<JsValue, JsValue>;

    type Verify;

    #[wasm_bindgen(js_name = createVerify)]
    fn create_verify(digest: &JsValue) -> Verify;

    #[wasm_bindgen(method)]
    fn update(this: &Verify, data: &[u8]);

    #[wasm_bindgen(method)]
    fn verify(this: &Verify, key: &JsValue, signature: &[u8]) -> bool;
}

#[wasm_bindgen(typescript_custom_section)]
const SIGNATURE_CHECKS: &str = r"
/** Has the signature of the first letters of a token checked by other threads; copies it before it returns */
export interface SignatureChecks {
  check(digest: string, letters: number, key: unknown, signature: Uint8Array): void;
}
";

#[wasm_bindgen]
extern "C" {
    /// The host's; it has the token, and copies the signature before it returns
    #[derive(Debug)]
    #[wasm_bindgen(typescript_type = "SignatureChecks")]
    pub type SignatureChecks;

    #[wasm_bindgen(method, catch)]
    fn check(
        this: &SignatureChecks,
        digest: &JsValue,
        letters: u32,
        key: &JsValue,
        signature: &[u8],
    ) -> Result<(), JsValue>;
}

/// The host's OpenSSL
#[derive(Debug, Default, Clone, Copy)]
pub struct NodeCrypto;

/// What `crypto.verify` wants, made once for each key
#[derive(Debug)]
pub struct NodeKey {
    digest: JsValue,
    key: JsValue,
}

#[derive(Serialize)]
struct KeyInput<'a> {
    key: Jwk<'a>,
    format: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Jwk<'a> {
    Rsa { kty: &'static str, n: String, e: String },
    Ec { kty: &'static str, crv: &'a str, x: String, y: String },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerifyOptions {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    key: JsValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    padding: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    salt_length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dsa_encoding: Option<&'static str>,
}

/// `crypto.constants.RSA_PKCS1_PSS_PADDING`
const RSA_PKCS1_PSS_PADDING: u32 = 6;

impl SignatureVerifier for NodeCrypto {
    type Key = NodeKey;

    fn import(&self, public: &PublicKey) -> Result<NodeKey, KeyImportError> {
        let jwk = match &public.material {
            KeyMaterial::Rsa { modulus, exponent } => {
                Jwk::Rsa { kty: "RSA", n: base64url::encode(modulus), e: base64url::encode(exponent) }
            }
            KeyMaterial::Ec { curve, x, y } => {
                Jwk::Ec { kty: "EC", crv: curve.name(), x: base64url::encode(x), y: base64url::encode(y) }
            }
        };
        let object = create_public_key(&to_js(&KeyInput { key: jwk, format: "jwk" })?).map_err(|_| KeyImportError)?;
        let options = VerifyOptions { key: object.clone(), padding: None, salt_length: None, dsa_encoding: None };
        let key = match public.algorithm.scheme {
            Scheme::Pkcs1 => object,
            Scheme::Pss => to_js(&VerifyOptions {
                padding: Some(RSA_PKCS1_PSS_PADDING),
                salt_length: Some(u32::from(public.algorithm.hash_bits / 8)),
                ..options
            })?,
            Scheme::Ecdsa => to_js(&VerifyOptions { dsa_encoding: Some("ieee-p1363"), ..options })?,
        };
        Ok(NodeKey { digest: JsValue::from_str(&format!("sha{}", public.algorithm.hash_bits)), key })
    }

    fn verify(&self, _algorithm: &'static Algorithm, key: &NodeKey, signed: &[u8], signature: &[u8]) -> bool {
        let verify = create_verify(&key.digest);
        verify.update(signed);
        verify.verify(&key.key, signature)
    }
}

/// Hands the signature of one token to other threads and goes on as if it fitted; nobody is taken in before it does
#[derive(Debug)]
pub struct Later<'c> {
    checks: &'c SignatureChecks,
    asked: Cell<bool>,
}

impl<'c> Later<'c> {
    /// The host tells by itself whether the signature fits
    pub const fn new(checks: &'c SignatureChecks) -> Self {
        Self { checks, asked: Cell::new(false) }
    }

    /// Whether the token got as far as its signature, so that the host will tell
    pub const fn asked(&self) -> bool {
        self.asked.get()
    }
}

impl SignatureVerifier for Later<'_> {
    type Key = NodeKey;

    fn import(&self, public: &PublicKey) -> Result<NodeKey, KeyImportError> {
        NodeCrypto.import(public)
    }

    fn verify(&self, _algorithm: &'static Algorithm, key: &NodeKey, signed: &[u8], signature: &[u8]) -> bool {
        let letters = u32::try_from(signed.len()).unwrap_or(u32::MAX);
        let asked = self.checks.check(&key.digest, letters, &key.key, signature).is_ok();
        self.asked.set(asked);
        asked
    }
}

fn to_js(value: &impl Serialize) -> Result<JsValue, KeyImportError> {
    serde_wasm_bindgen::to_value(value).map_err(|_| KeyImportError)
}
