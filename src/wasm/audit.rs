//! The audit trail at the boundary: hashes cross as 64 hexadecimal digits, an empty text is "none"

use wasm_bindgen::prelude::*;

use super::Core;
use crate::audit::{Digest, Finding, Malformed, Verifier, link};

#[wasm_bindgen]
impl Core {
    /// See [`crate::config::AuditSettings::number`]
    pub fn audit(&self) -> u32 {
        self.engine.configuration().audit.number()
    }

    /// The hash of a record behind another one, and behind it the record in its one form; the field that is wrong instead
    pub fn audit_link(&self, before: &str, record: &str) -> String {
        match link(digest(before).as_ref(), record) {
            Ok(link) => {
                let mut linked = hex(&link.hash);
                linked.push_str(&link.record.text);
                linked
            }
            Err(Malformed(field)) => field.to_owned(),
        }
    }

    /// Whether a link with the hash `hash` fits under the number `seq` behind the one with `after` and `before`: 0, or
    /// [`Finding::number`]
    pub fn audit_check(&self, chain: &str, after: u32, before: &str, seq: u32, record: &str, hash: &str) -> u32 {
        let mut verifier = Verifier { chain, seq: after.into(), hash: digest(before) };
        let next = digest(hash).ok_or(Finding::Altered).and_then(|hash| verifier.next(seq.into(), record, &hash));
        next.map_or_else(Finding::number, |()| 0)
    }
}

fn digest(hex: &str) -> Option<Digest> {
    let mut digest = [0; 32];
    if hex.len() != 64 {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = pair.iter().try_fold(0_u8, |byte, digit| Some(byte << 4 | nibble(*digit)?))?;
    }
    Some(digest)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    }
}

fn hex(digest: &Digest) -> String {
    let mut hex = String::new();
    for byte in digest {
        for nibble in [byte >> 4, byte & 15] {
            hex.push(char::from(nibble.wrapping_add(if nibble < 10 { b'0' } else { b'a'.wrapping_sub(10) })));
        }
    }
    hex
}
