//! The key set of one issuer: exact selection by `kid`, and what the issuer says each key is for

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Algorithm, PublicKey, SignatureVerifier, jwk::Jwk};
use crate::{error::RejectionCode, limits};

/// A key as published: ready, or known and refused
enum Slot<K> {
    Ready(Box<Entry<K>>),
    Refused,
}

/// A key that may be used
pub struct Entry<K> {
    /// The public numbers and the algorithm
    pub public: PublicKey,
    /// The host's form of it
    pub host: K,
    /// Microsoft's `issuer` member, where published
    pub issuer: Option<String>,
    /// Microsoft's `cloud_instance_name` member, where published
    pub cloud_instance_name: Option<String>,
}

/// All keys of one issuer; immutable, replaced as a whole
pub struct KeySet<K> {
    slots: HashMap<Box<[u8]>, Slot<K>>,
}

/// What became of each published key
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeySetReport {
    /// Number of usable keys
    pub usable: usize,
    /// Keys that were not taken: `kid` and reason
    pub refused: Vec<RefusedKey>,
}

/// A key that was not taken
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedKey {
    /// The `kid`, or an empty text
    pub kid: String,
    /// Why
    pub reason: &'static str,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Jwk>,
}

impl<K> KeySet<K> {
    /// Reads a JWK Set (RFC 7517 section 5)
    ///
    /// # Errors
    /// A set that must be refused as a whole, with the reason: not JSON, too many keys, private or symmetric key
    /// material anywhere in it, or no usable key.
    pub fn parse<V: SignatureVerifier<Key = K>>(
        text: &str,
        allowed: &[&'static Algorithm],
        verifier: &V,
    ) -> Result<(Self, KeySetReport), String> {
        let document: Document = serde_json::from_str(text).map_err(|error| format!("not a JWK Set: {error}"))?;
        if document.keys.len() > limits::KEYS {
            return Err(format!("{} keys, more than {}", document.keys.len(), limits::KEYS));
        }
        if document.keys.iter().any(Jwk::is_secret) {
            return Err("holds private or symmetric key material".into());
        }
        let mut slots: HashMap<Box<[u8]>, Slot<K>> = HashMap::new();
        let mut refused = Vec::new();
        for jwk in document.keys {
            let kid = jwk.kid.clone().unwrap_or_default();
            let mut slot = match import(jwk, allowed, verifier) {
                Ok(entry) => Slot::Ready(Box::new(entry)),
                Err(reason) => {
                    refused.push(RefusedKey {
                        kid: shorten(&kid),
                        reason,
                    });
                    Slot::Refused
                }
            };
            if slots.contains_key(kid.as_bytes()) {
                // Which of two keys is meant can't be known: neither is used.
                refused.push(RefusedKey {
                    kid: shorten(&kid),
                    reason: "`kid` appears more than once",
                });
                slot = Slot::Refused;
            }
            slots.insert(kid.into_bytes().into(), slot);
        }
        let usable = slots.values().filter(|slot| matches!(slot, Slot::Ready(_))).count();
        if usable == 0 {
            return Err("holds no usable key".into());
        }
        Ok((Self { slots }, KeySetReport { usable, refused }))
    }

    /// The key with exactly this `kid`
    pub fn find(&self, kid: &[u8]) -> Result<&Entry<K>, RejectionCode> {
        match self.slots.get(kid) {
            Some(Slot::Ready(entry)) => Ok(entry),
            Some(Slot::Refused) => Err(RejectionCode::KeyUnusable),
            None => Err(RejectionCode::KeyUnknown),
        }
    }
}

fn import<V: SignatureVerifier>(
    jwk: Jwk,
    allowed: &[&'static Algorithm],
    verifier: &V,
) -> Result<Entry<V::Key>, &'static str> {
    match jwk.kid.as_deref() {
        None | Some("") => return Err("`kid` is missing"),
        Some(kid) if kid.len() > limits::KID_BYTES => return Err("`kid` is too long"),
        Some(_) => {}
    }
    let (issuer, cloud_instance_name) = (jwk.issuer.clone(), jwk.cloud_instance_name.clone());
    let public = jwk.into_key(allowed)?;
    let host = verifier
        .import(&public)
        .map_err(|_| "the numbers are not a valid key")?;
    Ok(Entry {
        public,
        host,
        issuer,
        cloud_instance_name,
    })
}

fn shorten(kid: &str) -> String {
    kid.chars().take(64).collect()
}
