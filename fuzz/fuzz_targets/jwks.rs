//! A key set of an issuer: never a panic, no secret taken, and exactly the keys that the report counts can be found
#![no_main]

use std::collections::HashSet;

use entra_access_core::{
    engine::Engine,
    keys::{Algorithm, KeyImportError, PublicKey, SignatureVerifier, jwk, portable::Portable},
    token::Purpose,
};
use entra_access_fuzz::{NOW, TENANT, configuration, now, token};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

/// Takes keys as the portable verifier does, and asks it about a signature that nobody has made
struct Importing;

impl SignatureVerifier for Importing {
    type Key = <Portable as SignatureVerifier>::Key;

    fn import(&self, key: &PublicKey) -> Result<Self::Key, KeyImportError> {
        let bytes = key.signature_bytes();
        assert!(bytes == 64 || bytes == 96 || (256..=512).contains(&bytes), "a key with signatures of {bytes} bytes");
        Portable.import(key)
    }

    fn verify(&self, algorithm: &'static Algorithm, key: &Self::Key, signed: &[u8], signature: &[u8]) -> bool {
        assert!(!Portable.verify(algorithm, key, signed, signature), "a signature that nobody has made");
        false
    }
}

const SECRET: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut configuration = configuration("unknown");
    configuration.profiles[0].algorithms = jwk::algorithms(&["RS256", "PS256", "ES256", "ES384"]);
    let mut engine = Engine::new(configuration, Importing, 0);
    let Ok(report) = engine.set_keys(0, text, now()) else {
        assert_eq!(code(&mut engine, "a"), "keys_unavailable", "a refused document leaves nothing behind");
        return;
    };
    assert!(report.usable > 0);
    assert!(report.refused.iter().all(|key| !key.reason.is_empty() && key.kid.chars().count() <= 64));

    let document: Value = serde_json::from_str(text).expect("what was taken is JSON");
    let keys = document["keys"].as_array().expect("an array of keys");
    assert!(keys.len() <= 1000);
    let mut kids = HashSet::new();
    for key in keys {
        assert!(SECRET.iter().all(|name| key.get(*name).is_none_or(Value::is_null)), "a secret was taken");
        kids.extend(key["kid"].as_str());
    }
    let found = kids.iter().filter(|kid| !matches!(code(&mut engine, kid), "key_unknown" | "key_unusable"));
    // An over-long kid is refused as a budget before it is looked for, and is never usable.
    let found = found.filter(|kid| kid.len() <= 256).count();
    assert_eq!(found, report.usable);
});

/// What a token of this key comes to
fn code(engine: &mut Engine<Importing>, kid: &str) -> &'static str {
    let header = json!({ "alg": "RS256", "kid": kid }).to_string();
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let claims = json!({ "iss": issuer, "tid": TENANT, "exp": NOW + 60, "iat": NOW }).to_string();
    let token = token(header.as_bytes(), claims.as_bytes());
    engine.authenticate(&token, Purpose::Access, now()).expect_err("nobody has signed it").code.as_str()
}
