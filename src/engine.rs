//! The core as one object: trust, directory, policy and the principals in flight; what is asked of it is in `questions`

mod questions;

use crate::{
    config::{Configuration, Profile},
    directory::{
        Directory, DirectoryInput, DirectoryReport, EntityRef, MembersReport, PageReport, Round, Standing,
        following::{Gap, Word},
    },
    error::{ConfigError, RejectionCode},
    identity::{GroupState, Guid, Handle, Principal, PrincipalKind, Principals},
    keys::{KeySet, KeySetReport, SignatureVerifier},
    limits,
    policy::{Decision, Permissions, Policy, asker::Ownership, criteria::CriteriaTable},
    time::Timestamp,
    token::{
        Purpose, Rejection,
        judge::{Judge, Quick, Report},
        verify,
        verify::{CHECKS, JOB_CHECKS, Trust, Workspace},
    },
};

/// What is derived from a principal within one epoch
#[derive(Debug, Default)]
struct Derived {
    epoch: u32,
    /// Until when the answers hold: some change by the mere passing of time
    until: Timestamp,
    /// What the directory says of the principal
    standing: Standing,
    /// The entity that stands for the principal in Backstage
    entity: Option<EntityRef>,
    /// Answers by permission number; `None` until asked
    decisions: Vec<Option<Decision>>,
}

/// The core: one for each process, fed by its host with configuration, keys, directory and policy
pub struct Engine<V: SignatureVerifier> {
    configuration: Configuration,
    verifier: V,
    keys: Vec<Option<KeySet<V::Key>>>,
    directory: Directory,
    ownership: Ownership,
    policy: Option<Policy>,
    permissions: Permissions,
    /// For each numbered permission the rules that cover it, once it was asked about
    covering: Vec<Option<Vec<u16>>>,
    criteria: CriteriaTable,
    /// Callers by token
    callers: Principals<Derived>,
    /// Callers by session
    sessions: Principals<Derived>,
    workspace: Workspace,
    epoch: u32,
}

/// What the inspector shows
#[derive(Debug, Clone, serde::Serialize)]
pub struct Inspection {
    /// `accepted` or `rejected`
    pub verdict: &'static str,
    /// The code of the first failed check
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The caller, when the token was accepted, or refused only because its account is not in force
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
    /// Every check, in order
    pub checks: Vec<crate::token::judge::Line>,
}

impl<V: SignatureVerifier> Engine<V> {
    /// An engine that trusts the issuers of `configuration`, knows no key yet, and denies everything until a policy is set
    ///
    /// `epoch` is where counting starts: an engine that replaces another goes on above it.
    pub fn new(configuration: Configuration, verifier: V, epoch: u32) -> Self {
        let keys = configuration.profiles.iter().map(|_| None).collect();
        let mut directory = Directory::new(configuration.groups.max_depth, &configuration.groups.mapping);
        directory.set_roles(configuration.groups.directory_roles.clone());
        directory.following.on = configuration.groups.live;
        Self {
            configuration,
            verifier,
            keys,
            directory,
            ownership: Ownership::Unknown,
            policy: None,
            permissions: Permissions::default(),
            covering: Vec::new(),
            criteria: CriteriaTable::default(),
            callers: Principals::new(limits::TOKEN_PRINCIPALS),
            sessions: Principals::new(limits::SESSION_PRINCIPALS),
            workspace: Workspace::default(),
            epoch,
        }
    }

    /// Version of keys, directory and policy; grows with each change
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The configuration
    pub const fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Replaces the keys of a profile by those `fetched` at that time; they count for [`limits::KEYS_TRUSTED_SECONDS`]
    ///
    /// # Errors
    /// Why the document is refused as a whole; the old keys stay.
    pub fn set_keys(&mut self, profile: usize, jwks: &str, fetched: Timestamp) -> Result<KeySetReport, String> {
        let configured = self.configuration.profiles.get(profile).ok_or("there is no such issuer profile")?;
        let (set, report) = KeySet::parse(jwks, fetched, configured, &self.verifier)?;
        if let Some(slot) = self.keys.get_mut(profile) {
            *slot = Some(set);
        }
        self.epoch = self.epoch.saturating_add(1);
        Ok(report)
    }

    /// Replaces the policy
    ///
    /// # Errors
    /// The first mistake in it; the old policy stays.
    pub fn set_policy(&mut self, json: &str, place: &str) -> Result<usize, ConfigError> {
        let configuration = &self.configuration;
        let policy = Policy::compile_for(json, place, &|pipeline, trust, claim| {
            configuration.publishes(pipeline, trust, claim)
        })?;
        Ok(self.take_policy(policy))
    }

    /// The same for looking at a policy without its configuration: it may select jobs of any pipeline
    ///
    /// # Errors
    /// The first mistake in it; the old policy stays.
    pub fn set_policy_for_any_pipeline(&mut self, json: &str, place: &str) -> Result<usize, ConfigError> {
        let policy = Policy::compile_for(json, place, &|_, _, _| true)?;
        Ok(self.take_policy(policy))
    }

    fn take_policy(&mut self, mut policy: Policy) -> usize {
        policy.disregard(self.directory.roles());
        let count = policy.rules.len();
        self.policy = Some(policy);
        self.covering.clear();
        self.criteria.clear();
        self.epoch = self.epoch.saturating_add(1);
        count
    }

    /// Trusts a location that the operator named in `catalog.locations`, from the next directory on
    pub fn trust_location(&mut self, location: &str, origin: &str) {
        self.configuration.trusted.name(location, origin);
    }

    /// Replaces what the catalog says of groups and owners
    pub fn set_directory(&mut self, input: DirectoryInput) -> DirectoryReport {
        let Configuration { groups, trusted, .. } = &self.configuration;
        let report = self.directory.set_catalog(input, &groups.mapping, trusted);
        self.ownership = Ownership::Known;
        self.epoch = self.epoch.saturating_add(1);
        report
    }

    /// Replaces the ids that are directory roles and no groups, beside those of the configuration: Entra lists them among the
    /// groups of a token
    ///
    /// From now on nothing is allowed or owned by them, and what is denied by them stays denied. Nothing is looked up for a
    /// token: rules and bindings leave them out. The ids of allow rules that name one, for the log.
    pub fn set_directory_roles(&mut self, mut ids: Vec<Guid>) -> Vec<&str> {
        ids.extend_from_slice(&self.configuration.groups.directory_roles);
        self.directory.set_roles(ids);
        self.epoch = self.epoch.saturating_add(1);
        match &mut self.policy {
            Some(policy) => policy.disregard(self.directory.roles()),
            None => Vec::new(),
        }
    }

    /// Begins to load the members of a tenant's groups from Microsoft Graph; see [`Directory::begin_members`]
    ///
    /// # Errors
    /// Changes need something to change.
    pub fn begin_members(&mut self, tenant: Guid, all: bool, covered: Option<&[u8]>) -> Result<(), &'static str> {
        self.directory.begin_members(tenant, all, covered)
    }

    /// Reads a page of `/groups/delta?$select=members`; nothing of it counts until [`Engine::commit_members`]
    ///
    /// # Errors
    /// It is no such page. What was loaded so far is given up: a part is not the whole.
    pub fn add_members(&mut self, page: &[u8]) -> Result<PageReport, String> {
        self.directory.add_members(page)
    }

    /// Swaps to what was loaded: from now on the directory says in which groups its members are, not their tokens
    ///
    /// # Errors
    /// Nothing was loaded, or it was given up; the directory stays as it was.
    pub fn commit_members(&mut self) -> Result<MembersReport, &'static str> {
        let report = self.directory.commit_members()?;
        self.epoch = self.epoch.saturating_add(1);
        Ok(report)
    }

    /// Takes in `all` accounts of a tenant from Microsoft Graph, or what has changed: from now on whoever has none in force is
    /// refused. How many are disabled or deleted; see [`crate::directory::accounts::Accounts::take_in`]
    ///
    /// # Errors
    /// It is none, or there is nothing to change; the accounts stay as they were.
    pub fn set_accounts(&mut self, tenant: Guid, all: bool, entries: &[u8]) -> Result<u32, &'static str> {
        let out_of_force = self.directory.following.take_in(tenant, all, entries)?;
        self.epoch = self.epoch.saturating_add(1);
        Ok(out_of_force)
    }

    /// Tells when a tenant was last known whole; whether an epoch begins with it
    pub fn set_round(&mut self, tenant: Guid, round: Round, now: Timestamp) -> bool {
        let begins = self.directory.following.set_round(tenant, round, now);
        self.epoch = self.epoch.saturating_add(u32::from(begins));
        begins
    }

    /// What the directory says of a principal; `token_issued`: when the host issued a token for it, if that is what it comes with.
    /// Entra writes earlier times. `None` for nobody
    pub fn standing(&self, principal: Handle, token_issued: Timestamp, now: Timestamp) -> Option<Standing> {
        let caller = self.principal(principal, now)?;
        let issued = caller.issued_at.min(token_issued.before(limits::TOKEN_BACKDATED_SECONDS));
        Some(self.directory.standing(caller, issued, now))
    }

    /// Who is in which group
    pub const fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The same, to be asked in large numbers
    pub const fn directory_mut(&mut self) -> &mut Directory {
        &mut self.directory
    }

    /// Judges a token and takes its caller in
    ///
    /// # Errors
    /// Why it is refused.
    pub fn authenticate(&mut self, token: &[u8], purpose: Purpose, now: Timestamp) -> Result<Handle, Rejection> {
        let verifier = &self.verifier;
        let fits = |algorithm, key: &V::Key, signed: &[u8], signature: &[u8]| {
            verifier.verify(algorithm, key, signed, signature)
        };
        let trust = Trust { configuration: &self.configuration, keys: &self.keys, fits: &fits };
        let verified = verify(token, purpose, now, &trust, &mut self.workspace, &mut Quick)?;
        self.take_in(verified.principal, now)
    }

    /// Judges a token by another verifier of the same keys, such as one that answers later; nobody is taken in
    ///
    /// # Errors
    /// Why it is refused.
    pub fn prepare<W>(
        &mut self,
        token: &[u8],
        purpose: Purpose,
        now: Timestamp,
        verifier: &W,
    ) -> Result<Principal, Rejection>
    where
        W: SignatureVerifier<Key = V::Key>,
    {
        let fits = |algorithm, key: &V::Key, signed: &[u8], signature: &[u8]| {
            verifier.verify(algorithm, key, signed, signature)
        };
        let trust = Trust { configuration: &self.configuration, keys: &self.keys, fits: &fits };
        Ok(verify(token, purpose, now, &trust, &mut self.workspace, &mut Quick)?.principal)
    }

    /// Takes in a principal that [`Engine::prepare`] gave, once its signature has been found to fit
    ///
    /// # Errors
    /// It has no account in force any more.
    pub fn take_in(&mut self, principal: Principal, now: Timestamp) -> Result<Handle, Rejection> {
        if self.directory.standing(&principal, principal.issued_at, now).revoked.is_some() {
            let profile = self.configuration.profiles.iter().position(|profile| profile.id == principal.issuer);
            return Err(Rejection { code: RejectionCode::PrincipalRevoked, profile });
        }
        let (handle, forgotten) = self.callers.admit(principal);
        if let Some(forgotten) = forgotten {
            self.workspace.reuse(forgotten);
        }
        Ok(handle)
    }

    /// Until when the answer for a caller's token may be kept: its `exp`, without leeway, and not beyond its issuer's keys. Not
    /// at all where it counts once
    pub fn cacheable_until(&self, principal: Handle, now: Timestamp) -> Option<Timestamp> {
        let caller = self.principal(principal, now).filter(|caller| !caller.is_unclaimed())?;
        let at = self.configuration.profiles.iter().position(|profile| profile.id == caller.issuer)?;
        let (profile, keys) = (self.configuration.profiles.get(at)?, self.keys.get(at)?.as_ref()?);
        let until = self.directory.standing(caller, caller.issued_at, now).until.min(keys.trusted_until());
        Some(caller.expires_at.before(profile.leeway_seconds).min(until))
    }

    fn profile(&self, principal: &Principal) -> Option<&Profile> {
        self.configuration.profiles.iter().find(|profile| profile.id == principal.issuer)
    }

    /// Lets a caller count whose token counts once, after the host has claimed it for all replicas; whether there is such a one
    ///
    /// Until then the caller is nobody to every question but who it is.
    pub fn claimed(&mut self, principal: Handle, now: Timestamp) -> bool {
        let table = if principal.is_in_second_table() { &mut self.sessions } else { &mut self.callers };
        table.claim(principal, now)
    }

    /// Judges a token and writes every check down; nobody is taken in
    pub fn inspect(&mut self, token: &[u8], purpose: Purpose, now: Timestamp) -> Inspection {
        let verifier = &self.verifier;
        let fits = |algorithm, key: &V::Key, signed: &[u8], signature: &[u8]| {
            verifier.verify(algorithm, key, signed, signature)
        };
        let trust = Trust { configuration: &self.configuration, keys: &self.keys, fits: &fits };
        let mut report = Report::default();
        let result = verify(token, purpose, now, &trust, &mut self.workspace, &mut report);
        let profile = match &result {
            Ok(verified) => self.profile(&verified.principal),
            Err(rejection) => rejection.profile.and_then(|at| self.configuration.profiles.get(at)),
        };
        if let Ok(verified) = &result
            && report.first_failure.is_none()
            && let Some(revoked) =
                self.directory.standing(&verified.principal, verified.principal.issued_at, now).revoked
        {
            let code = RejectionCode::PrincipalRevoked;
            // It never stops.
            let _ = report.note(
                "account",
                false,
                code,
                ["in force when the token was issued, and since", revoked.words(), ""],
            );
        }
        report.complete(if profile.is_some_and(|profile| profile.jobs().is_some()) { &JOB_CHECKS } else { &CHECKS });
        let code = report.first_failure.or(result.as_ref().err().map(|rejection| rejection.code));
        let may_be_told = code.is_none_or(|code| code == RejectionCode::PrincipalRevoked);
        Inspection {
            verdict: if code.is_none() { "accepted" } else { "rejected" },
            code: code.map(crate::error::RejectionCode::as_str),
            principal: result.ok().map(|verified| verified.principal).filter(|_| may_be_told),
            checks: report.lines,
        }
    }

    /// Takes in a principal under the entity that stands for it in Backstage, until `expires_at`
    ///
    /// The record comes from an earlier verification: of a token just now, or of a session that outlived the process.
    pub fn admit(
        &mut self,
        mut principal: Principal,
        entity: EntityRef,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Handle {
        principal.expires_at = expires_at;
        let handle = self.sessions.admit(principal).0.in_second_table();
        if let Some((_, derived)) = self.sessions.get_mut(handle, now) {
            derived.entity = Some(entity);
        }
        handle
    }

    /// Whether the groups of a principal are not known, and may be told by [`Engine::complete_groups`]; not so for nobody
    pub fn groups_unknown(&self, principal: Handle, now: Timestamp) -> bool {
        self.principal(principal, now).is_some_and(|principal| {
            let unknown = principal.groups.state() == GroupState::Unknown;
            unknown && self.directory.standing(principal, principal.issued_at, now).word == Word::Record
        })
    }

    /// Takes in the complete list of groups of a principal whose groups are not known, as Microsoft Graph has them
    ///
    /// # Errors
    /// The principal is not known, its groups are, or the list is longer than [`limits::RESOLVED_GROUPS`].
    pub fn complete_groups(&mut self, principal: Handle, ids: Vec<Guid>, now: Timestamp) -> Result<(), &'static str> {
        if ids.len() > limits::RESOLVED_GROUPS {
            return Err("there are more groups than are taken in for one principal");
        }
        let table = if principal.is_in_second_table() { &mut self.sessions } else { &mut self.callers };
        let (principal, derived) = table.get_mut(principal, now).ok_or("the principal is not known")?;
        if !principal.groups.complete(ids) {
            return Err("the groups of the principal are known, or it has none");
        }
        // Whatever was derived from not knowing them; the entity is not.
        *derived = Derived { entity: derived.entity.take(), ..Derived::default() };
        Ok(())
    }

    /// Forgets a principal
    pub fn release(&mut self, handle: Handle) {
        if handle.is_in_second_table() { self.sessions.release(handle) } else { self.callers.release(handle) }
    }

    /// The principal, unless it has expired or was forgotten
    pub fn principal(&self, handle: Handle, now: Timestamp) -> Option<&Principal> {
        self.table(handle).get(handle, now)
    }

    const fn table(&self, handle: Handle) -> &Principals<Derived> {
        if handle.is_in_second_table() { &self.sessions } else { &self.callers }
    }

    /// Number of principals held
    pub fn principals(&self) -> usize {
        self.callers.len().saturating_add(self.sessions.len())
    }
}

/// Whether somebody is let in by name: a person, for herself, while nothing is known of her groups
fn breaks_glass(entries: &[Guid], caller: &Principal, standing: &Standing) -> bool {
    caller.kind == PrincipalKind::User
        && matches!(standing.word, Word::Nobody(Gap::NotLoaded | Gap::Stale))
        && entries.chunks_exact(2).any(|entry| entry == [caller.tenant_id, caller.object_id])
}
