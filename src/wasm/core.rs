//! The exported class `Core`

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::{NodeCrypto, node_crypto, text::text};
use crate::{
    config::{Configuration, Profile},
    directory::{DirectoryInput, EntityRef, Member, Round, Standing},
    engine::Engine,
    error::{ConfigError, ConfigMistake, RejectionCode},
    identity::{Guid, Handle, Principal},
    json::{self, At},
    limits,
    policy::{Answered, Audience, CriteriaNumber, Permission, PermissionId, Resource, criteria::Criteria},
    time::Timestamp,
    token::{Purpose, Rejection},
};

/// The core for Node; see `plugin-js/src/core` for the typed wrapper
#[wasm_bindgen]
pub struct Core {
    pub(super) engine: Engine<NodeCrypto>,
    token: Vec<u8>,
    /// Tokens whose signature other threads check
    pending: Vec<Option<Result<Principal, Rejection>>>,
    /// Places in `pending` that are free
    free: Vec<u32>,
}

/// Most signatures under way at once
const PENDING: usize = 4096;

/// An outcome as a tagged value
#[derive(Serialize)]
#[serde(untagged)]
enum Outcome<T, E> {
    Done { ok: bool, value: T },
    Refused { ok: bool, error: E },
}

impl<T: Serialize, E: Serialize> Outcome<T, E> {
    fn json(result: Result<T, E>) -> String {
        text(&match result {
            Ok(value) => Self::Done { ok: true, value },
            Err(error) => Self::Refused { ok: false, error },
        })
    }
}

#[derive(Serialize)]
struct Mistake {
    path: String,
    message: String,
    hint: Option<String>,
}

impl From<ConfigError> for Mistake {
    fn from(error: ConfigError) -> Self {
        let ConfigMistake { path, message, hint } = error.into_inner();
        Self { path, message, hint }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Issuer<'a> {
    id: &'a str,
    issuer: &'a str,
    discovery_url: &'a str,
    tenant_id: String,
    authority: &'a str,
    graph: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pipeline: Option<&'static str>,
}

/// Tells a refusal from a handle
const REFUSED: u32 = 1 << 31;

#[wasm_bindgen]
impl Core {
    /// From the section `entraAccess` as JSON text; `epoch` is where counting starts
    ///
    /// # Errors
    /// The first mistake, as JSON text `{path, message, hint}`.
    #[wasm_bindgen(constructor)]
    pub fn new(configuration: &str, epoch: u32) -> Result<Self, String> {
        let configuration = Configuration::parse(configuration).map_err(|error| text(&Mistake::from(error)))?;
        // One byte more than a token may have, so that "too long" can be told.
        Ok(Self {
            engine: Engine::new(configuration, NodeCrypto, epoch),
            token: vec![0; limits::TOKEN_BYTES.saturating_add(1)],
            pending: Vec::new(),
            free: Vec::new(),
        })
    }

    /// The issuer profiles in the order of their numbers
    pub fn issuers(&self) -> String {
        let issuers: Vec<_> = self
            .engine
            .configuration()
            .profiles
            .iter()
            .map(|profile| {
                let tenant = profile.tenant();
                Issuer {
                    id: &profile.id,
                    issuer: &profile.issuer,
                    discovery_url: &profile.discovery_url,
                    tenant_id: tenant.map(|of| of.tenant.to_string()).unwrap_or_default(),
                    authority: tenant.map_or("", |of| &of.authority),
                    graph: tenant.map_or("", |of| &of.graph),
                    pipeline: profile.jobs().map(|jobs| jobs.kind.name),
                }
            })
            .collect();
        text(&issuers)
    }

    /// Whether the API of every plugin takes an access token as it is
    pub fn direct_calls(&self) -> bool {
        self.engine.configuration().direct_calls
    }

    /// Which entity stands for a principal
    pub fn identity(&self) -> String {
        text(&self.engine.configuration().identity)
    }

    /// Every rejection code with its advice, in the order of their numbers
    pub fn codes() -> String {
        text(&RejectionCode::ALL.iter().map(|code| [code.as_str(), code.advice()]).collect::<Vec<_>>())
    }

    /// See [`Engine::set_keys`]; `fetched` in seconds since the epoch
    pub fn set_keys(&mut self, profile: u32, jwks: &str, fetched: u32) -> String {
        Outcome::json(self.engine.set_keys(index(profile), jwks, time(fetched)))
    }

    /// See [`Engine::set_policy`], and with `any_pipeline` [`Engine::set_policy_for_any_pipeline`]
    pub fn set_policy(&mut self, policy: &str, place: &str, any_pipeline: bool) -> String {
        let outcome = match any_pipeline {
            false => self.engine.set_policy(policy, place),
            true => self.engine.set_policy_for_any_pipeline(policy, place),
        };
        Outcome::json(outcome.map_err(Mistake::from))
    }

    /// See [`Engine::trust_location`]
    pub fn trust_location(&mut self, location: &str, origin: &str) {
        self.engine.trust_location(location, origin);
    }

    /// Whether an entity with these two location annotations may bind an Entra id
    pub fn trusts_location(&self, location: &str, origin: &str) -> bool {
        self.engine.configuration().trusted.trusts(location, origin)
    }

    /// See [`Engine::set_directory`]
    pub fn set_directory(&mut self, directory: &str) -> String {
        Outcome::json(DirectoryInput::parse(directory).map(|input| self.engine.set_directory(input)))
    }

    /// See [`Engine::begin_members`]; `covered` counts if `some` does. An empty text, or why not
    pub fn begin_members(&mut self, tenant: &str, all: bool, some: bool, covered: &[u8]) -> String {
        let id = guid(tenant).ok_or("the tenant id is not a GUID");
        let begun = id.and_then(|id| self.engine.begin_members(id, all, some.then_some(covered)));
        begun.err().unwrap_or_default().into()
    }

    /// See [`Engine::add_members`]
    pub fn add_members(&mut self, page: &[u8]) -> String {
        Outcome::json(self.engine.add_members(page))
    }

    /// See [`Engine::commit_members`]
    pub fn commit_members(&mut self) -> String {
        Outcome::json(self.engine.commit_members().map_err(str::to_owned))
    }

    /// See [`Engine::set_accounts`], for the tenant of an issuer profile; 0xffffffff where it was refused
    pub fn set_accounts(&mut self, profile: u32, all: bool, entries: &[u8]) -> u32 {
        self.engine.set_accounts(self.tenant(profile), all, entries).unwrap_or(u32::MAX)
    }

    fn tenant(&self, profile: u32) -> Guid {
        let profile = self.engine.configuration().profiles.get(index(profile));
        profile.and_then(Profile::tenant).map_or(Guid::from_value(0), |of| of.tenant)
    }

    /// See [`Engine::set_round`], for the tenant of an issuer profile
    pub fn set_round(&mut self, profile: u32, completed: u32, until: u32, now: u32) -> bool {
        let round = Round { completed: time(completed), until: time(until) };
        self.engine.set_round(self.tenant(profile), round, time(now))
    }

    /// See [`Engine::standing`] and [`crate::directory::Standing::number`]; 0xffffffff for nobody
    pub fn standing(&self, principal: u32, token_issued: u32, now: u32) -> u32 {
        let standing = self.engine.standing(Handle::from_number(principal), time(token_issued), time(now));
        standing.map_or(u32::MAX, Standing::number)
    }

    /// The number of a member of a tenant's groups; 0xffffffff when the directory does not know it
    pub fn member(&self, tenant: &str, object: &str) -> u32 {
        let ids = guid(tenant).zip(guid(object));
        let member = ids.and_then(|(tenant, object)| self.engine.directory().member(tenant, object));
        member.map_or(u32::MAX, Member::number)
    }

    /// Resolves a member into the groups and owners that it is in, directly or not, and says how many there are
    pub fn resolve(&mut self, member: u32) -> u32 {
        u32::try_from(self.engine.directory_mut().resolve(Member::from_number(member)).len()).unwrap_or(0)
    }

    /// Address of what [`Core::resolve`] found, as numbers of four bytes
    pub fn resolved(&self) -> u32 {
        u32::try_from(self.engine.directory().resolved().as_ptr().addr()).unwrap_or(0)
    }

    /// The Entra groups among what [`Core::resolve`] found
    pub fn resolved_groups(&self) -> String {
        let directory = self.engine.directory();
        text(&directory.resolved().iter().filter_map(|node| directory.group_id(*node)).collect::<Vec<_>>())
    }

    /// See [`Engine::set_directory_roles`]; `ids` is a JSON list of GUIDs
    pub fn set_directory_roles(&mut self, ids: &str) -> String {
        Outcome::json(guids(ids).map(|ids| self.engine.set_directory_roles(ids)))
    }

    /// Ids of the rules in the order of their numbers
    pub fn rule_ids(&self) -> String {
        text(&self.engine.rule_ids())
    }

    /// Version of keys, directory and policy
    pub fn epoch(&self) -> u32 {
        self.engine.epoch()
    }

    /// Number of principals held
    pub fn principals(&self) -> u32 {
        u32::try_from(self.engine.principals()).unwrap_or(u32::MAX)
    }

    /// Address of the buffer into which a token is written before [`Core::authenticate`] and [`Core::inspect`]
    pub fn token_buffer(&self) -> u32 {
        u32::try_from(self.token.as_ptr().addr()).unwrap_or(0)
    }

    /// Its size in bytes, one more than the longest token
    pub fn token_buffer_bytes(&self) -> u32 {
        u32::try_from(self.token.len()).unwrap_or(0)
    }

    /// Judges the token in the buffer; `now` in seconds
    ///
    /// A handle, or with bit 31 set: code in bits 0-7, number of the issuer profile plus one in bits 8-23.
    pub fn authenticate(&mut self, bytes: u32, sign_in: bool, now: u32) -> u32 {
        let token = self.token.get(..index(bytes)).unwrap_or(&self.token);
        let result = self.engine.authenticate(token, purpose(sign_in), time(now));
        answer(result)
    }

    /// The same with the signature checked by other threads: a ticket, or a refusal as [`Core::authenticate`] gives it
    ///
    /// With a ticket, `checks` was asked and [`Core::finish`] must be called. Too many at once are refused as `0xffffffff`; the
    /// host then asks [`Core::authenticate`].
    pub fn prepare(&mut self, bytes: u32, sign_in: bool, now: u32, checks: &node_crypto::SignatureChecks) -> u32 {
        if self.free.is_empty() && self.pending.len() >= PENDING {
            return u32::MAX;
        }
        let token = self.token.get(..index(bytes)).unwrap_or(&self.token);
        let later = node_crypto::Later::new(checks);
        let result = self.engine.prepare(token, purpose(sign_in), time(now), &later);
        if !later.asked() {
            // Refused before its signature mattered; nobody can be accepted here.
            return answer(Err(result
                .err()
                .unwrap_or(Rejection { code: RejectionCode::SignatureInvalid, profile: None })));
        }
        if let Some(ticket) = self.free.pop()
            && let Some(place) = self.pending.get_mut(index(ticket))
        {
            *place = Some(result);
            return ticket;
        }
        self.pending.push(Some(result));
        u32::try_from(self.pending.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Ends what [`Core::prepare`] began, once: whether the signature fits comes before what the claims say
    pub fn finish(&mut self, ticket: u32, fits: bool, now: u32) -> u32 {
        let refused = Rejection { code: RejectionCode::SignatureInvalid, profile: None };
        let Some(result) = self.pending.get_mut(index(ticket)).and_then(Option::take) else {
            return answer(Err(refused));
        };
        self.free.push(ticket);
        answer(if fits { result.and_then(|principal| self.engine.take_in(principal, time(now))) } else { Err(refused) })
    }

    /// Until when the answer for the token of this caller may be kept, in seconds; 0 when it is not known
    pub fn cacheable_until(&self, principal: u32, now: u32) -> u32 {
        let until = self.engine.cacheable_until(Handle::from_number(principal), time(now));
        until.and_then(|until| u32::try_from(until.seconds()).ok()).unwrap_or(0)
    }

    /// See [`Engine::claimed`]
    pub fn claimed(&mut self, principal: u32, now: u32) -> bool {
        self.engine.claimed(Handle::from_number(principal), time(now))
    }

    /// How many callers by token are held at once
    pub fn token_principals() -> u32 {
        u32::try_from(limits::TOKEN_PRINCIPALS).unwrap_or(0)
    }

    /// Judges the token in the buffer and shows every check
    pub fn inspect(&mut self, bytes: u32, sign_in: bool, now: u32) -> String {
        let token = self.token.get(..index(bytes)).unwrap_or(&self.token);
        text(&self.engine.inspect(token, purpose(sign_in), time(now)))
    }

    /// The record of a principal; `null` when it is not known
    pub fn describe(&self, principal: u32, now: u32) -> String {
        text(&self.engine.principal(Handle::from_number(principal), time(now)))
    }

    /// Takes in the record of a principal under its entity; see [`Engine::admit`]
    pub fn admit(&mut self, record: &str, entity: &str, expires_at: u32, now: u32) -> String {
        let admitted = Principal::parse(record).and_then(|principal| {
            let entity =
                EntityRef::parse(entity).ok_or_else(|| ConfigError::new("entity", "not an entity reference"))?;
            Ok(self.engine.admit(principal, entity, time(expires_at), time(now)).number())
        });
        Outcome::json(admitted.map_err(Mistake::from))
    }

    /// See [`Engine::groups_unknown`]
    pub fn groups_unknown(&self, principal: u32, now: u32) -> bool {
        self.engine.groups_unknown(Handle::from_number(principal), time(now))
    }

    /// See [`Engine::complete_groups`]; `ids` is a JSON list of GUIDs
    pub fn complete_groups(&mut self, principal: u32, ids: &str, now: u32) -> String {
        Outcome::json(
            guids(ids)
                .and_then(|ids| Ok(self.engine.complete_groups(Handle::from_number(principal), ids, time(now))?)),
        )
    }

    /// Forgets a principal
    pub fn release(&mut self, principal: u32) {
        self.engine.release(Handle::from_number(principal));
    }

    /// The number for a permission, given as JSON text; 0xffffffff when there are too many
    pub fn permission_id(&mut self, permission: &str) -> u32 {
        let id = Permission::parse(permission).ok().and_then(|permission| self.engine.permission_id(permission));
        id.map_or(u32::MAX, PermissionId::number)
    }

    /// Decides; see [`crate::policy::Decision::number`]
    pub fn decide(&mut self, principal: u32, permission: u32, now: u32) -> u32 {
        self.engine.decide(Handle::from_number(principal), PermissionId::from_number(permission), time(now)).number()
    }

    /// See [`Engine::steady_until`]; in seconds since the epoch
    pub fn steady_until(&self, principal: u32, now: u32) -> u32 {
        let until = self.engine.steady_until(Handle::from_number(principal), time(now));
        u32::try_from(until.seconds()).unwrap_or(u32::MAX)
    }

    /// Decides about a permission without a number
    ///
    /// # Errors
    /// The permission is not one.
    pub fn decide_unnumbered(&self, principal: u32, permission: &str, now: u32) -> Result<u32, String> {
        let permission = read_permission(permission)?;
        Ok(self.engine.decide_unnumbered(Handle::from_number(principal), &permission, time(now)).number())
    }

    /// The condition with a number, as [`crate::policy::criteria::Criteria::json`] writes it; empty when there is none
    pub fn criteria(&self, number: u32) -> String {
        let criteria = self.engine.criteria(CriteriaNumber::from_number(number));
        criteria.map(Criteria::json).unwrap_or_default()
    }

    /// The same for an answer whose condition has no number
    ///
    /// # Errors
    /// The permission is not one.
    pub fn criteria_unnumbered(&self, principal: u32, permission: &str, now: u32) -> Result<String, String> {
        let permission = read_permission(permission)?;
        let criteria = self.engine.criteria_unnumbered(Handle::from_number(principal), &permission, time(now));
        Ok(criteria.map(|criteria| criteria.json()).unwrap_or_default())
    }

    /// Decides and says why, with every rule that was considered; `null` when the principal is not known
    ///
    /// `answered` is JSON text for [`Answered::parse`]; `reader` the bits of [`Audience::from_number`], `known` a JSON list of the
    /// groups that they know of.
    ///
    /// # Errors
    /// The permission, the resource, what is answered or a group is not one.
    #[expect(clippy::too_many_arguments, reason = "an object would have to be read field by field")]
    pub fn study(
        &self,
        principal: u32,
        permission: &str,
        resource: &str,
        answered: &str,
        reader: u32,
        known: &str,
        now: u32,
    ) -> Result<String, String> {
        let audience = Audience::from_number(reader, guids(known)?);
        let permission = read_permission(permission)?;
        let resource = Resource::parse(resource).map_err(|error| error.to_string())?;
        let answered = Answered::parse(answered).map_err(|error| error.to_string())?;
        let principal = Handle::from_number(principal);
        Ok(text(&self.engine.study_for(&audience, principal, &permission, resource.as_ref(), &answered, time(now))))
    }

    /// What the principal may own through, disputed groups included; `null` when that or the principal is not known
    pub fn possible_owners(&self, principal: u32, now: u32) -> String {
        text(&self.engine.possible_owners(Handle::from_number(principal), time(now)))
    }

    /// What the principal owns through; `null` when it is not known
    pub fn owners(&self, principal: u32, only_owning: bool, now: u32) -> String {
        let (principal, now) = (Handle::from_number(principal), time(now));
        text(&if only_owning { self.engine.owning(principal, now) } else { self.engine.owners(principal, now) })
    }
}

#[inline(never)]
fn read_permission(text: &str) -> Result<Permission, String> {
    Permission::parse(text).map_err(|error| error.to_string())
}

/// A JSON list of GUIDs
fn guids(text: &str) -> Result<Vec<Guid>, String> {
    let document = json::value(text)?;
    At::root(&document, "ids").all(&Guid::read).map_err(|error| error.to_string())
}

/// A handle, or a refusal with bit 31 set
fn answer(result: Result<Handle, Rejection>) -> u32 {
    match result {
        Ok(handle) => handle.number(),
        Err(Rejection { code, profile }) => {
            let code = RejectionCode::ALL.iter().position(|other| *other == code).unwrap_or_default();
            let profile = profile.map_or(0, |profile| profile.saturating_add(1));
            REFUSED | u32::try_from(profile).unwrap_or(0) << 8 | u32::try_from(code).unwrap_or(0)
        }
    }
}

fn guid(text: &str) -> Option<Guid> {
    Guid::parse(text.as_bytes())
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn time(seconds: u32) -> Timestamp {
    Timestamp::from_seconds(u64::from(seconds))
}

fn purpose(sign_in: bool) -> Purpose {
    if sign_in { Purpose::SignIn } else { Purpose::Access }
}
