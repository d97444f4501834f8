//! The key set of one issuer: exact selection by `kid`, and what the issuer says each key is for

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Algorithm, PublicKey, SignatureVerifier, jwk::Jwk};
use crate::{
    bytes,
    error::{ConfigError, RejectionCode},
    json::{self, At},
    limits,
    time::Timestamp,
};

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
    /// Microsoft's `issuer` and `cloud_instance_name` members as one text for reports, where published
    pub published_for: Option<String>,
    /// Whether they allow the key to sign for this issuer profile
    pub for_this_issuer: bool,
}

/// All keys of one issuer; immutable, replaced as a whole
pub struct KeySet<K> {
    /// By `kid`; a handful in earnest, so looking through them is faster than hashing a name
    slots: Vec<(Box<[u8]>, Slot<K>)>,
    trusted_until: Timestamp,
}

/// What an issuer profile trusts a key with
pub trait KeyTrust {
    /// Accepted algorithms; the first that fits is pinned to a key that names none
    fn algorithms(&self) -> &[&'static Algorithm];

    /// Whether a key that says this `issuer` and this `cloud_instance_name` of itself may sign
    fn may_sign(&self, issuer: Option<&str>, cloud_instance_name: Option<&str>) -> bool;
}

/// What became of each published key
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeySetReport {
    /// Number of usable keys
    pub usable: usize,
    /// When they stop to count, in seconds since the epoch
    pub trusted_until: u64,
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

impl<K> KeySet<K> {
    /// Reads a JWK Set (RFC 7517 section 5) that was `fetched` at that time
    ///
    /// # Errors
    /// A set that must be refused as a whole, with the reason: not JSON, too many keys, private or symmetric key
    /// material anywhere in it, or no usable key.
    pub fn parse<V: SignatureVerifier<Key = K>>(
        text: &str,
        fetched: Timestamp,
        trust: &impl KeyTrust,
        verifier: &V,
    ) -> Result<(Self, KeySetReport), String> {
        let document = json::value(text).map_err(|mistake| format!("not a JWK Set: {mistake}"))?;
        let root = At::root(&document, "not a JWK Set");
        let list = root.needed("keys").map_err(|mistake| mistake.to_string())?;
        let elements = list.elements().map_err(|mistake| mistake.to_string())?;
        let keys: Result<Vec<Jwk<'_>>, ConfigError> = elements.iter().map(Jwk::read).collect();
        let keys = keys.map_err(|mistake| mistake.to_string())?;
        if keys.len() > limits::KEYS {
            return Err(format!("{} keys, more than {}", keys.len(), limits::KEYS));
        }
        if keys.iter().any(Jwk::is_secret) {
            return Err("holds private or symmetric key material".into());
        }
        let mut slots: BTreeMap<Box<[u8]>, Slot<K>> = BTreeMap::new();
        let mut refused = Vec::new();
        for jwk in keys {
            let kid = jwk.kid.unwrap_or_default();
            let mut slot = match import(jwk, trust, verifier) {
                Ok(entry) => Slot::Ready(Box::new(entry)),
                Err(reason) => {
                    refused.push(RefusedKey { kid: shorten(kid), reason });
                    Slot::Refused
                }
            };
            if slots.contains_key(kid.as_bytes()) {
                // Which of two keys is meant can't be known: neither is used.
                refused.push(RefusedKey { kid: shorten(kid), reason: "`kid` appears more than once" });
                slot = Slot::Refused;
            }
            slots.insert(kid.as_bytes().into(), slot);
        }
        let usable = slots.values().filter(|slot| matches!(slot, Slot::Ready(_))).count();
        if usable == 0 {
            return Err("holds no usable key".into());
        }
        // One key for somebody else is that key's affair; nothing but such keys is somebody else's document.
        if !slots.values().any(|slot| matches!(slot, Slot::Ready(entry) if entry.for_this_issuer)) {
            return Err("holds keys of another issuer or cloud only".into());
        }
        let trusted_until = fetched.after(limits::KEYS_TRUSTED_SECONDS);
        Ok((
            Self { slots: slots.into_iter().collect(), trusted_until },
            KeySetReport { usable, trusted_until: trusted_until.seconds(), refused },
        ))
    }

    /// Until when the keys count; a withdrawn key must not outlive it
    pub const fn trusted_until(&self) -> Timestamp {
        self.trusted_until
    }

    /// The key with exactly this `kid`
    ///
    /// # Errors
    /// There is none that may be used, or the whole set is too old.
    pub fn find(&self, kid: &[u8], now: Timestamp) -> Result<&Entry<K>, RejectionCode> {
        if now >= self.trusted_until {
            return Err(RejectionCode::KeysUnavailable);
        }
        match self.slots.iter().find(|(name, _)| bytes::equal(name, kid)) {
            Some((_, Slot::Ready(entry))) => Ok(entry),
            Some((_, Slot::Refused)) => Err(RejectionCode::KeyUnusable),
            None => Err(RejectionCode::KeyUnknown),
        }
    }
}

fn import<V: SignatureVerifier>(
    jwk: Jwk<'_>,
    trust: &impl KeyTrust,
    verifier: &V,
) -> Result<Entry<V::Key>, &'static str> {
    match jwk.kid {
        None | Some("") => return Err("`kid` is missing"),
        Some(kid) if kid.len() > limits::KID_BYTES => return Err("`kid` is too long"),
        Some(_) => {}
    }
    let for_this_issuer = trust.may_sign(jwk.issuer, jwk.cloud_instance_name);
    let published_for = match (jwk.issuer, jwk.cloud_instance_name) {
        (Some(issuer), Some(cloud)) => Some(format!("{issuer} in {cloud}")),
        (issuer, cloud) => issuer.or(cloud).map(ToOwned::to_owned),
    };
    let public = jwk.to_key(trust.algorithms())?;
    let host = verifier.import(&public).map_err(|_| "the numbers are not a valid key")?;
    Ok(Entry { public, host, published_for, for_this_issuer })
}

fn shorten(kid: &str) -> String {
    kid.chars().take(64).collect()
}
