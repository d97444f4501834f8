//! Project Wycheproof's signatures, put to a verifier the way the product does: key import, exact length, then the primitive
//!
//! Each set's expectation stands as the project labels it ("acceptable" counts as invalid: a strict verifier refuses a
//! missing NULL), but for the exceptions file, which names each difference with its reason.

use std::collections::BTreeSet;

use entra_access_core::{
    base64url,
    config::{Profile, cloud},
    identity::Guid,
    keys::{KeySet, SignatureVerifier, jwk::algorithms},
    time::Timestamp,
};
use serde_json::{Value, json};
use wycheproof::{TestResult, ecdsa, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

/// Differences that are meant to be, one a line: set, number of the test, reason
const EXCEPTIONS: &str = include_str!("../wycheproof_exceptions.txt");

/// One signature
struct Case {
    number: usize,
    valid: bool,
    message: Vec<u8>,
    signature: Vec<u8>,
}

/// Signatures under one key
struct Group {
    jwk: Value,
    cases: Vec<Case>,
}

/// A file of the project, and the algorithm that it is about
pub struct Set {
    /// Its file name
    pub name: &'static str,
    algorithm: &'static str,
    /// The key is fine for another verifier, or the signature right by other parameters than a JWS has
    foreign: bool,
    groups: Vec<Group>,
}

/// What came of all sets
#[derive(Debug, Default)]
pub struct Tally {
    /// Signatures judged
    pub judged: usize,
    /// Of them accepted
    pub accepted: usize,
    /// Differences without an exception
    pub wrong: Vec<String>,
    used: BTreeSet<String>,
}

macro_rules! cases {
    ($group:expr) => {
        $group
            .tests
            .iter()
            .map(|test| Case {
                number: test.tc_id,
                valid: test.result == TestResult::Valid,
                message: test.msg.to_vec(),
                signature: test.sig.to_vec(),
            })
            .collect()
    };
}

fn rsa(modulus: &[u8], exponent: &[u8], algorithm: &str) -> Value {
    json!({
        "kid": "k", "kty": "RSA", "alg": algorithm,
        "n": base64url::encode(modulus), "e": base64url::encode(exponent),
    })
}

fn rsa_set(name: &'static str, algorithm: &'static str, of: pkcs1::TestName) -> Set {
    let groups = pkcs1::TestSet::load(of).unwrap().test_groups;
    let groups =
        groups.iter().map(|group| Group { jwk: rsa(&group.key.n, &group.key.e, algorithm), cases: cases!(group) });
    Set { name, algorithm, foreign: false, groups: groups.collect() }
}

fn pss_set(name: &'static str, algorithm: &'static str, of: pss::TestName) -> Set {
    let groups = pss::TestSet::load(of).unwrap().test_groups;
    let groups =
        groups.iter().map(|group| Group { jwk: rsa(&group.key.n, &group.key.e, algorithm), cases: cases!(group) });
    Set { name, algorithm, foreign: false, groups: groups.collect() }
}

fn ecdsa_set(name: &'static str, algorithm: &'static str, curve: &str, of: ecdsa::TestName) -> Set {
    let groups = ecdsa::TestSet::load(of).unwrap().test_groups;
    let groups = groups.iter().map(|group| {
        // 04 || x || y, each of the curve's length.
        let (x, y) = group.key.key[1..].split_at((group.key.key.len() - 1) / 2);
        Group {
            jwk: json!({
                "kid": "k", "kty": "EC", "crv": curve, "alg": algorithm,
                "x": base64url::encode(x), "y": base64url::encode(y),
            }),
            cases: cases!(group),
        }
    });
    Set { name, algorithm, foreign: false, groups: groups.collect() }
}

impl Set {
    /// Right by other parameters: nothing of it may be accepted
    const fn foreign(mut self) -> Self {
        self.foreign = true;
        self
    }
}

/// Every set for an algorithm of the table, and some that must fail as a whole
pub fn sets() -> Vec<Set> {
    use ecdsa::TestName as E;
    use pkcs1::TestName as R;
    use pss::TestName as P;
    vec![
        rsa_set("rsa_signature_2048_sha256", "RS256", R::Rsa2048Sha256),
        rsa_set("rsa_signature_2048_sha384", "RS384", R::Rsa2048Sha384),
        rsa_set("rsa_signature_2048_sha512", "RS512", R::Rsa2048Sha512),
        rsa_set("rsa_signature_3072_sha256", "RS256", R::Rsa3072Sha256),
        rsa_set("rsa_signature_3072_sha384", "RS384", R::Rsa3072Sha384),
        rsa_set("rsa_signature_3072_sha512", "RS512", R::Rsa3072Sha512),
        rsa_set("rsa_signature_4096_sha256", "RS256", R::Rsa4096Sha256),
        rsa_set("rsa_signature_4096_sha384", "RS384", R::Rsa4096Sha384),
        rsa_set("rsa_signature_4096_sha512", "RS512", R::Rsa4096Sha512),
        pss_set("rsa_pss_2048_sha256_mgf1_32", "PS256", P::RsaPss2048Sha256Mgf1SaltLen32),
        pss_set("rsa_pss_3072_sha256_mgf1_32", "PS256", P::RsaPss3072Sha256Mgf1SaltLen32),
        pss_set("rsa_pss_4096_sha256_mgf1_32", "PS256", P::RsaPss4096Sha256Mgf1SaltLen32),
        pss_set("rsa_pss_2048_sha384_mgf1_48", "PS384", P::RsaPss2048Sha384Mgf1SaltLen48),
        pss_set("rsa_pss_4096_sha384_mgf1_48", "PS384", P::RsaPss4096Sha384Mgf1SaltLen48),
        pss_set("rsa_pss_4096_sha512_mgf1_64", "PS512", P::RsaPss4096Sha512Mgf1SaltLen64),
        ecdsa_set("ecdsa_secp256r1_sha256_p1363", "ES256", "P-256", E::EcdsaSecp256r1Sha256P1363),
        ecdsa_set("ecdsa_secp384r1_sha384_p1363", "ES384", "P-384", E::EcdsaSecp384r1Sha384P1363),
        // Another salt length, another mask, another hash, another form, a key that is too long: right elsewhere, not in a JWS.
        pss_set("rsa_pss_2048_sha256_mgf1_0", "PS256", P::RsaPss2048Sha256Mgf1SaltLen0).foreign(),
        pss_set("rsa_pss_2048_sha256_mgf1sha1_20", "PS256", P::RsaPss2048Sha256Mgf1Sha1_20).foreign(),
        pss_set("rsa_pss_4096_sha512_mgf1_32", "PS512", P::RsaPss4096Sha512Mgf1SaltLen32).foreign(),
        pss_set("rsa_pss_2048_sha256_mgf1_32_as_RS256", "RS256", P::RsaPss2048Sha256Mgf1SaltLen32).foreign(),
        rsa_set("rsa_signature_2048_sha256_as_RS384", "RS384", R::Rsa2048Sha256).foreign(),
        rsa_set("rsa_signature_2048_sha256_as_PS256", "PS256", R::Rsa2048Sha256).foreign(),
        rsa_set("rsa_signature_2048_sha3_256", "RS256", R::Rsa2048Sha3_256).foreign(),
        rsa_set("rsa_signature_8192_sha256", "RS256", R::Rsa8192Sha256).foreign(),
        ecdsa_set("ecdsa_secp256r1_sha512_p1363", "ES256", "P-256", E::EcdsaSecp256r1Sha512P1363).foreign(),
        ecdsa_set("ecdsa_secp256r1_sha256_in_DER", "ES256", "P-256", E::EcdsaSecp256r1Sha256).foreign(),
        ecdsa_set("ecdsa_secp256k1_sha256_p1363", "ES256", "P-256", E::EcdsaSecp256k1Sha256P1363).foreign(),
    ]
}

/// Puts every signature of a set to the verifier
pub fn judge<V: SignatureVerifier>(set: &Set, verifier: &V, tally: &mut Tally) {
    let [mut profile, _] = Profile::of_tenant(Guid::from_value(1), &cloud::built_in("global").unwrap(), &[], &[]);
    profile.algorithms = algorithms(&[set.algorithm]);
    for group in &set.groups {
        let jwks = json!({ "keys": [group.jwk] }).to_string();
        let keys = KeySet::parse(&jwks, Timestamp::default(), &profile, verifier);
        let key = keys.as_ref().ok().and_then(|(keys, _)| keys.find(b"k", Timestamp::default()).ok());
        for case in &group.cases {
            let accepted = key.is_some_and(|key| {
                case.signature.len() == key.public.signature_bytes()
                    && verifier.verify(key.public.algorithm, &key.host, &case.message, &case.signature)
            });
            tally.judged += 1;
            tally.accepted += usize::from(accepted);
            let expected = case.valid && !set.foreign;
            if accepted != expected {
                let difference = format!("{} {}", set.name, case.number);
                if exceptions().any(|(known, _)| known == difference) {
                    tally.used.insert(difference);
                } else {
                    tally.wrong.push(format!("{difference}: expected {expected}, got {accepted}"));
                }
            }
        }
    }
}

impl Tally {
    /// Exceptions for the judged sets without a difference to excuse
    pub fn stale(&self) -> Vec<String> {
        exceptions().map(|(known, _)| known).filter(|known| !self.used.contains(known)).collect()
    }
}

/// The exceptions: set and number, and why
fn exceptions() -> impl Iterator<Item = (String, &'static str)> {
    EXCEPTIONS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        let mut words = line.splitn(3, ' ');
        let (set, number) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let reason = words.next().unwrap_or_default();
        assert!(!reason.is_empty(), "no reason: {line}");
        (format!("{set} {number}"), reason)
    })
}
