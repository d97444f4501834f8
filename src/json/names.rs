//! The member names of the open objects: each once, compared after unescaping

use std::borrow::Cow;

use super::{JsonError, JsonString};
use crate::bytes;

/// Names seen in the objects that are open, innermost last
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    /// As they stand in the text, without an escape
    plain: Vec<&'a [u8]>,
    /// Unescaped once: comparing must not cost the length of all earlier names again
    unescaped: Vec<Vec<u8>>,
}

/// What of [`Names`] belongs to one object
pub(super) struct Opened {
    plain: usize,
    unescaped: usize,
    /// One bit for each name, so that most names are known to be new without a comparison
    seen: [u64; 4],
}

impl<'a> Names<'a> {
    /// Begins an object
    pub fn open(&mut self) -> Opened {
        if self.plain.capacity() == 0 {
            self.plain.reserve(USUAL_MEMBERS);
        }
        Opened { plain: self.plain.len(), unescaped: self.unescaped.len(), seen: [0; 4] }
    }

    /// Ends it
    pub fn close(&mut self, object: Opened) {
        self.plain.truncate(object.plain);
        self.unescaped.truncate(object.unescaped);
    }

    /// Takes in the next name of the innermost object
    ///
    /// # Errors
    /// It is there already.
    #[inline(always)]
    pub fn admit(&mut self, name: JsonString<'a>, object: &mut Opened) -> Result<(), JsonError> {
        let name = name.bytes();
        let (quarter, bit) = fingerprint(&name);
        let [a, b, c, d] = &mut object.seen;
        let quarter = match quarter {
            0 => a,
            1 => b,
            2 => c,
            _ => d,
        };
        let perhaps = *quarter & bit != 0;
        *quarter |= bit;
        if perhaps && self.has(&name, object) {
            return Err(JsonError::Duplicate);
        }
        match name {
            Cow::Borrowed(name) => self.plain.push(name),
            Cow::Owned(name) => self.unescaped.push(name),
        }
        Ok(())
    }

    fn has(&self, name: &[u8], object: &Opened) -> bool {
        let mut plain = self.plain.get(object.plain..).unwrap_or_default().iter();
        let mut unescaped = self.unescaped.get(object.unescaped..).unwrap_or_default().iter();
        plain.any(|earlier| bytes::equal(earlier, name)) || unescaped.any(|earlier| bytes::equal(earlier, name))
    }
}

/// Room for the members of a usual token
const USUAL_MEMBERS: usize = 48;

/// Found by trying: the usual claims of Entra get a bit each
const SPREAD: u64 = 0x512a_2642_ce83_1805;

/// One bit of 256 for a name: which quarter, and the bit in it
#[inline(always)]
fn fingerprint(name: &[u8]) -> (u64, u64) {
    let length = u64::try_from(name.len()).unwrap_or(0);
    let ends = bytes::head(name).wrapping_add(u64::from(bytes::tail(name)));
    let at = ends.wrapping_add(length).wrapping_mul(SPREAD) >> 56;
    (at >> 6, 1 << (at & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_claims_need_no_comparison() {
        let names = "aud iss iat nbf exp tid oid ver azp appid idtyp scp roles groups name aio rh uti sub preferred_username \
             azpacr appidacr acr amr ipaddr unique_name upn sid xms_ftd xms_idrel xms_act_fct xms_sub_fct family_name \
             given_name wids auth_time nonce email";
        let names: Vec<_> = names.split_whitespace().collect();
        let bits: std::collections::BTreeSet<_> = names.iter().map(|name| fingerprint(name.as_bytes())).collect();
        assert_eq!(bits.len(), names.len());
    }
}
