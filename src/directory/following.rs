//! How far the tenants are followed, and what follows for one who asks (docs/decisions/0007)

use super::accounts::{Accounts, ENTRY_BYTES};
use crate::{
    identity::{GroupState, Guid, Principal, PrincipalKind},
    limits,
    time::Timestamp,
};

/// Why a principal is refused, whatever the rules say
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// The account is disabled
    Disabled,
    /// The account was deleted
    Deleted,
    /// All sign-ins were ended after this one
    SignedOut,
    /// The directory would have to know the account by now, and does not
    Absent,
}

impl Revocation {
    /// In words
    pub const fn words(self) -> &'static str {
        match self {
            Self::Disabled => "the account is disabled in Entra",
            Self::Deleted => "the account was deleted in Entra",
            Self::SignedOut => "all sign-ins of the account were ended in Entra after this one",
            Self::Absent => "Entra has no such account",
        }
    }
}

/// Why the directory has no word about somebody
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Its tenant was never loaded whole
    NotLoaded,
    /// What is known of its tenant is too old
    Stale,
    /// The account is newer than what is known of its tenant
    NewAccount,
}

/// Whose word counts about somebody's groups
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// That of its record: its token, or the operator
    Record,
    /// The directory's, and no other
    Directory,
    /// Nobody's: the groups are not known
    Nobody(Gap),
}

/// What the directory says of one who asks, at one moment
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whose word counts about its groups
    pub word: Word,
    /// Its token is newer than what the directory knows: a group in it may be one
    pub newer_token: bool,
    /// Why it is refused, if it is
    pub revoked: Option<Revocation>,
    /// Until when all of this holds, unless the directory changes
    pub until: Timestamp,
}

impl Default for Standing {
    fn default() -> Self {
        Self { word: Word::Record, newer_token: false, revoked: None, until: Timestamp::NEVER }
    }
}

impl Standing {
    /// As one number: in bits 0-3 why it is refused (1 disabled, 2 deleted, 3 signed out, 4 absent), in bits 4-7 why its groups are
    /// not known (1 not loaded, 2 stale, 3 new account), and bit 8 where the directory's word counts
    pub const fn number(self) -> u32 {
        let revoked = match self.revoked {
            None => 0,
            Some(Revocation::Disabled) => 1,
            Some(Revocation::Deleted) => 2,
            Some(Revocation::SignedOut) => 3,
            Some(Revocation::Absent) => 4,
        };
        revoked
            | match self.word {
                Word::Record => 0,
                Word::Nobody(Gap::NotLoaded) => 1 << 4,
                Word::Nobody(Gap::Stale) => 2 << 4,
                Word::Nobody(Gap::NewAccount) => 3 << 4,
                Word::Directory => 1 << 8,
            }
    }
}

/// The last time at which a tenant was known whole: its groups with their members, and its accounts
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// What Entra had by then is known
    pub completed: Timestamp,
    /// From then on it is too old
    pub until: Timestamp,
}

/// What is known of a tenant beside its groups
#[derive(Debug, Default)]
struct Followed {
    accounts: Accounts,
    round: Option<Round>,
}

/// What is followed
#[derive(Debug, Default)]
pub struct Following {
    /// Whether the directory is the source of groups
    pub on: bool,
    tenants: Vec<(Guid, Followed)>,
}

impl Following {
    /// Takes in `all` accounts of a tenant, or what has changed; see [`Accounts::take_in`]
    ///
    /// # Errors
    /// It is none, or there is nothing to change.
    pub fn take_in(&mut self, tenant: Guid, all: bool, entries: &[u8]) -> Result<u32, &'static str> {
        if !entries.len().is_multiple_of(ENTRY_BYTES) {
            return Err("an entry is not whole");
        }
        let accounts = &mut self.followed(tenant).accounts;
        if accounts.is_empty() && !all {
            return Err("there is nothing to change yet: load all accounts first");
        }
        Ok(accounts.take_in(all, entries))
    }

    /// Tells when a tenant was last known whole; whether anybody's standing may be another now
    pub fn set_round(&mut self, tenant: Guid, round: Round, now: Timestamp) -> bool {
        let earlier = self.followed(tenant).round.replace(round);
        // Where it only goes on to be known, what was answered holds until it would have ended, and is asked again then.
        earlier.is_none_or(|earlier| earlier.until <= now || round.until < earlier.until)
    }

    #[inline(never)]
    fn followed(&mut self, tenant: Guid) -> &mut Followed {
        let at = self.tenants.iter().position(|(known, _)| *known == tenant).unwrap_or(self.tenants.len());
        if at == self.tenants.len() {
            self.tenants.push((tenant, Followed::default()));
        }
        #[expect(clippy::indexing_slicing, reason = "the lines above made the place")]
        &mut self.tenants[at].1
    }

    #[inline(never)]
    fn find(&self, tenant: Guid) -> Option<&Followed> {
        self.tenants.iter().find(|(known, _)| *known == tenant).map(|(_, followed)| followed)
    }

    /// What is to be said of a principal that comes with a token `issued` then; `groups`: whether a group lists it as a member, if
    /// the groups of its tenant were loaded
    pub fn standing(&self, principal: &Principal, issued: Timestamp, groups: Option<bool>, now: Timestamp) -> Standing {
        let mut standing = Standing::default();
        if principal.kind == PrincipalKind::Pipeline || (!self.on && self.tenants.is_empty()) {
            return standing;
        }
        let followed = self.find(principal.tenant_id);
        let round = followed.and_then(|followed| followed.round);
        // One without any was not loaded, as somebody has to have one who calls.
        let accounts = followed.map(|followed| &followed.accounts).filter(|accounts| !accounts.is_empty());
        let account = accounts.and_then(|accounts| accounts.get(principal.object_id));
        let issued = issued.after(limits::TOKEN_BACKDATED_SECONDS);
        let is_person = principal.kind == PrincipalKind::User || principal.acts_for_person();
        let completed = round.map_or(Timestamp::default(), |round| round.completed);
        standing.revoked = match account {
            Some(account) if account.is_deleted() => Some(Revocation::Deleted),
            Some(account) if account.is_disabled() => Some(Revocation::Disabled),
            Some(account) if issued < account.valid_from() => Some(Revocation::SignedOut),
            // Whoever had an account then, and none is known now, has none any more.
            None if is_person && accounts.is_some() => {
                let known_by = issued.after(limits::NEW_ACCOUNT_SECONDS);
                // The round moves on without an epoch of its own.
                standing.until = now.after(limits::NEW_ACCOUNT_AGAIN_SECONDS);
                (known_by <= completed).then_some(Revocation::Absent)
            }
            _ => None,
        };
        if !self.on {
            return standing;
        }
        let of_operator = principal.groups.state() == GroupState::Known && account.is_none() && !is_person;
        let fresh = round.filter(|round| groups.is_some() && accounts.is_some() && now < round.until);
        standing.word = match fresh {
            // Nobody but the operator names groups of applications that call for themselves; accounts of agents are told by then.
            _ if of_operator && (principal.kind == PrincipalKind::Workload || accounts.is_some()) => Word::Record,
            None if accounts.is_some() && groups.is_some() && round.is_some() => Word::Nobody(Gap::Stale),
            None => Word::Nobody(Gap::NotLoaded),
            Some(_) if is_person && account.is_none() && groups == Some(false) => Word::Nobody(Gap::NewAccount),
            Some(round) => {
                standing.until = standing.until.min(round.until);
                Word::Directory
            }
        };
        standing.newer_token = issued > completed;
        standing
    }
}
