//! Which accounts of a tenant are in force: pages of `GET /users/delta?$select=accountEnabled,signInSessionsValidFromDateTime`
//!
//! `{value: [{id, accountEnabled?, signInSessionsValidFromDateTime?, @removed?}], @odata.nextLink | @odata.deltaLink}`, and anything
//! that Graph adds beside. A property that is left out, or is `null`, is as it was.

use super::{
    graph::index,
    ids::Ids,
    page::{self, PageReport},
    reading::members,
};
use crate::{
    identity::Guid,
    json::{JsonError, Reader},
    time::Timestamp,
};

/// What is known of one account
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    /// It is disabled
    pub disabled: bool,
    /// It was deleted; it may come back
    pub deleted: bool,
    /// Tokens from before count no longer; in seconds, the beginning of time where Graph never said
    valid_from: u32,
}

impl Account {
    /// Tokens from before count no longer
    pub fn valid_from(self) -> Timestamp {
        Timestamp::from_seconds(u64::from(self.valid_from))
    }
}

/// The accounts of a tenant
#[derive(Debug, Clone)]
pub struct Accounts {
    /// `tid`
    pub tenant: Guid,
    ids: Ids,
    states: Vec<Account>,
}

impl Accounts {
    /// An account that was ever heard of
    pub fn get(&self, object: Guid) -> Option<Account> {
        self.states.get(index(self.ids.get(object)?)).copied()
    }

    /// How many were ever heard of
    pub const fn len(&self) -> usize {
        self.states.len()
    }

    /// How many are disabled or deleted
    pub fn out_of_force(&self) -> usize {
        self.states.iter().filter(|account| account.disabled || account.deleted).count()
    }

    /// Bytes of memory
    pub fn bytes(&self) -> usize {
        self.ids.bytes().saturating_add(self.states.capacity().saturating_mul(size_of::<Account>()))
    }

    /// How many are not as they are in `earlier`
    pub fn differing(&self, earlier: Option<&Self>) -> usize {
        let known = earlier.map_or(&[][..], |earlier| &earlier.states);
        // Numbers only grow, so the same one names the same account.
        let changed = self.states.iter().zip(known).filter(|(now, before)| now != before).count();
        changed.saturating_add(self.states.len().saturating_sub(known.len()))
    }
}

/// Accounts on their way into the directory: what was known, as far as it is changed by the pages
///
/// `all` of them: whoever is not on a page any more was deleted. What was known of an account stays until a page says otherwise.
pub(super) fn begin(tenant: Guid, earlier: Option<&Accounts>, all: bool) -> Accounts {
    let none = || Accounts { tenant, ids: Ids::default(), states: Vec::new() };
    let mut accounts = earlier.cloned().unwrap_or_else(none);
    for account in &mut accounts.states {
        account.deleted |= all;
    }
    accounts
}

/// Reads a page into `accounts`
///
/// # Errors
/// It is no such page. What was read of it must not be used.
pub(super) fn read(text: &[u8], accounts: &mut Accounts) -> Result<PageReport, JsonError> {
    page::read(text, &mut |reader| account(reader, accounts).map(|()| 0))
}

fn account(reader: &mut Reader<'_>, accounts: &mut Accounts) -> Result<(), JsonError> {
    let (mut id, mut enabled, mut valid_from, mut deleted) = (None, None, None, false);
    members(reader, &mut |reader, name| {
        match &*name.bytes() {
            b"id" => id = Some(page::guid(reader)?),
            b"accountEnabled" if reader.kind() != Some(b'n') => enabled = Some(reader.boolean()?),
            b"signInSessionsValidFromDateTime" if reader.kind() != Some(b'n') => {
                const BAD: JsonError = JsonError::Invalid("a `signInSessionsValidFromDateTime` that is no time in UTC");
                let time = Timestamp::parse_utc(&reader.string()?.bytes()).ok_or(BAD)?;
                valid_from = Some(u32::try_from(time.seconds()).map_err(|_| BAD)?);
            }
            b"@removed" => {
                deleted = true;
                reader.skip()?;
            }
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    let at = index(accounts.ids.intern(id.ok_or(JsonError::Invalid("a user without `id`"))?));
    if at >= accounts.states.len() {
        accounts.states.resize(at.saturating_add(1), Account::default());
    }
    if let Some(account) = accounts.states.get_mut(at) {
        account.deleted = deleted;
        account.disabled = enabled.map_or(account.disabled, |enabled| !enabled);
        // It only ever moves on, and pages may be older than what is known.
        account.valid_from = account.valid_from.max(valid_from.unwrap_or(0));
    }
    Ok(())
}
