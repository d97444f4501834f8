//! Which accounts of a tenant are in force, as `GET /users/delta` of Microsoft Graph tells it

use super::{graph::index, ids::Ids};
use crate::{identity::Guid, time::Timestamp};

/// Bytes of one entry: the object id (16, as it is written), `signInSessionsValidFromDateTime` in seconds (4, the highest first; 0 where
/// nothing is said), and what else is said (4, the highest first): [`ENABLED`], [`DISABLED`], [`DELETED`]
pub const ENTRY_BYTES: usize = 24;

/// `accountEnabled: true`
pub const ENABLED: u32 = 1;
/// `accountEnabled: false`
pub const DISABLED: u32 = 2;
/// `@removed`, for whatever reason
pub const DELETED: u32 = 4;
/// Not in the load that is being taken in
const UNLISTED: u32 = 8;

/// What is known of one account
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    said: u32,
    valid_from: u32,
}

impl Account {
    /// It is disabled
    pub const fn is_disabled(self) -> bool {
        self.said & DISABLED != 0
    }

    /// It was deleted; it may come back
    pub const fn is_deleted(self) -> bool {
        self.said & DELETED != 0
    }

    /// Tokens from before count no longer; the beginning of time where Graph never said
    pub fn valid_from(self) -> Timestamp {
        Timestamp::from_seconds(u64::from(self.valid_from))
    }
}

/// The accounts of a tenant that were ever heard of
#[derive(Debug, Default)]
pub struct Accounts {
    ids: Ids,
    /// What is said of each, and from when on its tokens count
    states: Vec<(u32, u32)>,
}

impl Accounts {
    /// An account that was ever heard of
    pub fn get(&self, object: Guid) -> Option<Account> {
        self.states
            .get(index(self.ids.get(object)?))
            .map(|(said, valid_from)| Account { said: *said, valid_from: *valid_from })
    }

    /// Whether none was ever heard of
    pub const fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// Takes in `all` accounts, so that whoever is not among them was deleted, or what has changed
    ///
    /// A later entry counts more than an earlier one of the same account. What none of them says is as it was.
    /// How many are disabled or deleted then.
    pub fn take_in(&mut self, all: bool, entries: &[u8]) -> u32 {
        for (said, _) in &mut self.states {
            *said |= if all { UNLISTED } else { 0 };
        }
        for entry in entries.as_chunks::<ENTRY_BYTES>().0 {
            let [id @ .., a, b, c, d, e, f, g, h] = entry;
            let (valid_from, says) = (u32::from_be_bytes([*a, *b, *c, *d]), u32::from_be_bytes([*e, *f, *g, *h]));
            let at = index(self.ids.intern(Guid::from_value(u128::from_be_bytes(*id))));
            if at >= self.states.len() {
                self.states.push((0, 0));
            }
            let Some((said, since)) = self.states.get_mut(at) else { continue };
            let enabled = if says & (ENABLED | DISABLED) == 0 { *said } else { says } & (ENABLED | DISABLED);
            *said = enabled | says & DELETED;
            // It only ever moves on, and what is read may be older than what is known.
            *since = valid_from.max(*since);
        }
        let mut out_of_force = 0_u32;
        for (said, _) in &mut self.states {
            if *said & UNLISTED != 0 {
                *said = DELETED | *said & DISABLED;
            }
            out_of_force = out_of_force.saturating_add(u32::from(*said & (DISABLED | DELETED) != 0));
        }
        out_of_force
    }
}
