//! What the fuzz targets share: a trusted tenant, a verifier that says yes, tokens out of raw text

use entra_access_core::{
    config::Configuration,
    engine::Engine,
    keys::{Algorithm, KeyImportError, PublicKey, SignatureVerifier},
    time::Timestamp,
};

/// The moment of every question; the same as in `tests/support`, from which the seeds come
pub const NOW: u64 = 1_760_000_000;
/// The tenant that is trusted, as in `tests/support/claims.rs`
pub const TENANT: &str = "1a1a1a1a-2222-3333-4444-5555555555ff";
/// The accepted audiences
pub const AUDIENCES: [&str; 2] = ["aaaaaaaa-0000-0000-0000-00000000000a", "api://backstage"];
/// What jobs ask tokens for, and their issuers, as in `tests/support/pipelines.rs`
pub const JOB_AUDIENCE: &str = "https://backstage.example.com";
/// See [`JOB_AUDIENCE`]
pub const GITLAB: &str = "https://gitlab.example.com";
/// See [`JOB_AUDIENCE`]
pub const BITBUCKET: &str = "https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc";
/// See [`JOB_AUDIENCE`]
pub const GITHUB: &str = "https://token.actions.githubusercontent.com";
/// The header under which a bare payload is sent
pub const HEADER: &str = r#"{"typ":"JWT","alg":"RS256","kid":"a"}"#;

/// Bytes of a signature by the key of [`keys`]
const SIGNATURE_BYTES: usize = 256;

/// Says yes to every signature that does not begin with a zero: what comes after the signature is to be reached
#[derive(Debug, Default, Clone, Copy)]
pub struct Stub;

impl SignatureVerifier for Stub {
    type Key = ();

    fn import(&self, _key: &PublicKey) -> Result<(), KeyImportError> {
        Ok(())
    }

    fn verify(&self, _algorithm: &'static Algorithm, _key: &(), _signed: &[u8], signature: &[u8]) -> bool {
        signature.first().is_some_and(|first| *first != 0)
    }
}

/// The configuration of the standard scene of `tests/support`
pub fn configuration(overage: &str) -> Configuration {
    let text = serde_json::json!({
        "tenants": [{
            "tenantId": TENANT,
            "audiences": AUDIENCES,
            "clients": ["aaaaaaaa-0000-0000-0000-00000000000d"],
        }],
        "pipelines": [
            pipeline("gitlab", GITLAB, &serde_json::json!([
                { "name": "staging", "groups": [], "publish": ["environment"],
                  "match": { "project_id": "42", "environment": ["staging", "review/*"], "ref_protected": "true" } },
                { "name": "release", "groups": [], "match": { "project_id": "42", "ref": "release/*", "runner_id": 7 } },
                { "name": "merge-requests", "groups": [], "match": { "project_id": "43" }, "allowMergeRequests": true },
                { "name": "once", "groups": [], "match": { "project_id": "44" }, "singleUse": true },
            ])),
            pipeline("bitbucket", BITBUCKET, &serde_json::json!([
                { "name": "payments", "groups": [], "match": { "repositoryUuid": "11111111-aaaa-0000-0000-000000000001" } },
            ])),
            pipeline("github", GITHUB, &serde_json::json!([
                { "name": "api", "groups": [], "match": { "repository_id": "7", "environment": "stag*" } },
            ])),
        ],
        "groups": { "overage": overage },
        "policy": {},
    });
    Configuration::parse(&text.to_string()).unwrap()
}

fn pipeline(kind: &str, issuer: &str, trust: &serde_json::Value) -> serde_json::Value {
    serde_json::json!({ "id": kind, "type": kind, "issuer": issuer, "audiences": [JOB_AUDIENCE], "trust": trust })
}

/// An engine with the keys of every issuer
pub fn engine<V: SignatureVerifier>(configuration: Configuration, verifier: V) -> Engine<V> {
    let mut engine = Engine::new(configuration, verifier, 0);
    // The kids of `tests/support`: mutations of its tokens are to get beyond the signature.
    for (profile, kid) in ["a", "b", "a", "b", "c"].into_iter().enumerate() {
        engine.set_keys(profile, &keys(kid)).unwrap();
    }
    engine
}

/// [`NOW`] as the core takes it
pub fn now() -> Timestamp {
    Timestamp::from_seconds(NOW)
}

/// A key set of one RSA key of 2048 bits
pub fn keys(kid: &str) -> String {
    let mut modulus = vec![0xc5; SIGNATURE_BYTES];
    modulus[SIGNATURE_BYTES - 1] = 1;
    serde_json::json!({ "keys": [{ "kty": "RSA", "kid": kid, "n": base64url(&modulus), "e": "AQAB" }] }).to_string()
}

/// A token of header and payload text with a signature that the stub likes
pub fn token(header: &[u8], payload: &[u8]) -> Vec<u8> {
    let signature = base64url(&[1; SIGNATURE_BYTES]);
    format!("{}.{}.{signature}", base64url(header), base64url(payload)).into_bytes()
}

/// Base64url without padding; written here once more, so that encoder and decoder do not share a mistake
pub fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    let (mut value, mut bits) = (0_u32, 0);
    for byte in bytes {
        value = (value & 0xff) << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 6 {
            bits -= 6;
            text.push(char::from(LETTERS[(value >> bits & 63) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(LETTERS[(value << (6 - bits) & 63) as usize]));
    }
    text
}
