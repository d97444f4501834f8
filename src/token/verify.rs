//! Every check of a token, in one order: form, issuer, key, signature, then the claims
//!
//! The issuer profile is chosen by the exact `iss` before any key is looked up, so a key of one issuer never judges a token
//! of another. Claims are judged after the signature: what an unsigned token says is nobody's word.

use super::{
    caller, claim_checks,
    claims::Claims,
    compact::{self, Compact},
    header::{self, Header, Refusal},
    job,
    judge::{Judge, Shown},
};
use crate::{
    base64url::{self, Decoded},
    bytes,
    config::{Configuration, GroupSettings, IssuerOf, OveragePolicy, Profile, TenantIssuer},
    error::RejectionCode,
    identity::{GroupState, Guid, Principal},
    json::{JsonError, JsonString},
    keys::{Algorithm, Entry, KeySet},
    limits,
    text::{join, shown, split_once},
    time::Timestamp,
};

/// What the token is offered as
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// An access token for this API
    Access,
    /// An ID token, at a place that asks for one
    SignIn,
}

/// A refused token
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// Why
    pub code: RejectionCode,
    /// Number of the issuer profile, when it got that far
    pub profile: Option<usize>,
}

/// What is trusted: the profiles, and the keys published for each
pub struct Trust<'e, K> {
    /// The operator's configuration
    pub configuration: &'e Configuration,
    /// Key sets in the order of the profiles; `None` until they are fetched
    pub keys: &'e [Option<KeySet<K>>],
    /// Whether a signature fits a key: [`crate::keys::SignatureVerifier::verify`] of the host, whichever it is
    pub fits: Fits<'e, K>,
}

/// Whether, by an algorithm and a key, what was signed was signed like this
pub type Fits<'e, K> = &'e dyn Fn(&'static Algorithm, &K, &[u8], &[u8]) -> bool;

/// A verified token, still in terms of its text
pub struct Verified {
    /// The caller
    pub principal: Principal,
}

/// Buffers and the last header, kept between calls
#[derive(Debug, Default)]
pub struct Workspace {
    payload: Vec<u8>,
    signature: Vec<u8>,
    last_header: Option<(Box<[u8]>, Header)>,
    /// Of somebody who is gone: it has room for the groups of the next one
    list: Vec<Guid>,
}

/// The names of the checks of a tenant's token, in their order
pub const CHECKS: [&str; 19] = [
    "form",
    "header",
    "claims",
    "issuer",
    "key",
    "algorithm",
    "key issuer",
    "signature",
    "tenant",
    "audience",
    "expiry",
    "issued at",
    "not before",
    "lifetime",
    "version",
    "proof of possession",
    "kind",
    "client",
    "groups",
];

/// The same of a job's token
pub const JOB_CHECKS: [&str; 20] = [
    "form",
    "header",
    "claims",
    "issuer",
    "key",
    "algorithm",
    "key issuer",
    "signature",
    "audience",
    "expiry",
    "issued at",
    "not before",
    "lifetime",
    "proof of possession",
    "kind",
    "job",
    "project",
    "trust",
    "merge request",
    "single use",
];

/// Judges `token`
///
/// # Errors
/// The code of the first failed check; with a reporting judge, of the check after which nothing could be read.
pub fn verify<K>(
    token: &[u8],
    purpose: Purpose,
    now: Timestamp,
    trust: &Trust<'_, K>,
    workspace: &mut Workspace,
    judge: &mut impl Judge,
) -> Result<Verified, Rejection> {
    let anonymous = |code| Rejection { code, profile: None };
    let compact =
        read("form", Compact::parse(token), judge, || Shown::new("a compact JWS", format!("{} bytes", token.len())))
            .map_err(anonymous)?;
    let header_read = goes_on(workspace.read_header(compact.header, token, judge), judge).map_err(anonymous)?;
    let Workspace { payload, signature, last_header, list } = workspace;
    let header = last_header.as_ref().filter(|_| header_read.is_some()).map(|(_, header)| header);
    let mut claims = Claims { list: std::mem::take(list), ..Claims::default() };
    let text = read_claims(compact.payload, token, payload, &mut claims, judge).map_err(anonymous)?;

    let found = goes_on(find_profile(trust.configuration, claims.issuer.as_ref(), judge), judge).map_err(anonymous)?;
    // Only for a report: what else would be wrong, were it a token of the first issuer.
    let Some((at, profile)) = found.or_else(|| trust.configuration.profiles.iter().enumerate().next()) else {
        return Err(anonymous(RejectionCode::IssuerUntrusted));
    };
    let known = |code| Rejection { code, profile: Some(at) };
    match header {
        Some(header) if found.is_some() => {
            let key = match trust.keys.get(at) {
                Some(Some(set)) => set.find(&header.kid, now),
                _ => Err(RejectionCode::KeysUnavailable),
            };
            check_signature(&compact, header, profile, key, trust.fits, signature, judge).map_err(known)?;
        }
        // Never without a report, where nothing is accepted after a failure.
        _ if judge.goes_on() => {}
        _ => return Err(anonymous(RejectionCode::TokenMalformed)),
    }
    let principal = match &profile.of {
        IssuerOf::Tenant(tenant) => identify(claims, profile, tenant, purpose, now, &trust.configuration.groups, judge),
        IssuerOf::Jobs(jobs) => claim_checks::check_audience(&claims, profile, judge)
            .and_then(|()| claim_checks::check_times(&claims, profile, now, judge))
            .and_then(|()| job::identify(text, &claims, profile, jobs, purpose, judge)),
    };
    Ok(Verified { principal: principal.map_err(known)? })
}

/// Who it is that a tenant's token is about
fn identify(
    mut claims: Claims<'_>,
    profile: &Profile,
    tenant: &TenantIssuer,
    purpose: Purpose,
    now: Timestamp,
    settings: &GroupSettings,
    judge: &mut impl Judge,
) -> Result<Principal, RejectionCode> {
    claim_checks::check_claims(&claims, profile, tenant, now, judge)?;
    let caller = caller::identify(&claims, profile, tenant, purpose, judge)?;
    let groups = caller::groups(&mut claims, &caller, tenant.tenant, settings);
    let missing = groups.state() == GroupState::Unknown && settings.overage == OveragePolicy::Reject;
    judge.check("groups", !missing, RejectionCode::GroupsUnknown, || show_groups(groups.state(), settings.overage))?;
    Ok(Principal {
        kind: caller.kind,
        issuer: profile.id.clone(),
        tenant_id: tenant.tenant,
        object_id: caller.object,
        client_id: Some(caller.client),
        actor: caller.actor,
        groups,
        roles: claims.roles.iter().map(JsonString::owned).collect(),
        name: claims.name.as_ref().map(JsonString::owned),
        assurance: caller::assurance(&claims, now.after(profile.leeway_seconds)),
        job: None,
        issued_at: claims.issued.unwrap_or_default(),
        expires_at: claims.expires.unwrap_or_default().after(profile.leeway_seconds),
    })
}

fn show_groups(state: GroupState, overage: OveragePolicy) -> Shown {
    let actual = match (state, overage) {
        (GroupState::Unknown, OveragePolicy::Reject) => "left out of the token",
        (GroupState::Unknown, OveragePolicy::Graph) => "not in the token: Microsoft Graph is asked",
        _ => "as the policy of overage allows",
    };
    Shown::new("complete, or `groups.overage: unknown` or `graph`", actual)
}

/// Puts the result of a reading step to the judge; nothing can go on without its value
fn read<T>(
    name: &'static str,
    result: Result<T, RejectionCode>,
    judge: &mut impl Judge,
    show: impl FnOnce() -> Shown,
) -> Result<T, RejectionCode> {
    match result {
        Ok(value) => judge.check(name, true, RejectionCode::TokenMalformed, show).map(|()| value),
        Err(code) => judge.check(name, false, code, show).and(Err(code)),
    }
}

/// The value of a step, or nothing where a failure does not end the report
fn goes_on<T>(result: Result<T, RejectionCode>, judge: &impl Judge) -> Result<Option<T>, RejectionCode> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(_) if judge.goes_on() => Ok(None),
        Err(code) => Err(code),
    }
}

impl Workspace {
    /// Keeps the room that the groups of a forgotten principal took: a long list is dear to give back and to get again
    pub fn reuse(&mut self, forgotten: Principal) {
        let list = forgotten.groups.into_ids();
        // What was resolved elsewhere may be far longer than any token's list: that room is given back.
        if list.capacity() <= limits::GROUPS {
            self.list = list;
        }
    }

    /// Reads the header into `last_header`, or finds it there: an issuer's tokens share their header for months
    fn read_header(&mut self, encoded: &[u8], token: &[u8], judge: &mut impl Judge) -> Result<(), RejectionCode> {
        let remembered = self.last_header.as_ref().is_some_and(|(last, _)| bytes::equal(last, encoded));
        let result = if remembered { Ok(()) } else { self.parse_header(encoded, token) };
        let header = self.last_header.as_ref().map(|(_, header)| header);
        let found = result.err();
        read("header", result.map_err(|refusal| refusal.code), judge, || {
            let actual = match (found, header) {
                (Some(refusal), _) => refusal.found.to_owned(),
                (None, Some(header)) => {
                    format!("{} with key {}", header.algorithm.name, shown(&String::from_utf8_lossy(&header.kid)))
                }
                (None, None) => String::new(),
            };
            let sides = Shown::new("an asymmetric algorithm, a key id, nothing critical", actual);
            match found.and_then(|refusal| refusal.hint) {
                Some(hint) => sides.hint(hint),
                None => sides,
            }
        })
    }

    fn parse_header(&mut self, encoded: &[u8], token: &[u8]) -> Result<(), Refusal> {
        let header =
            Header::parse(encoded).map_err(|refusal| Refusal { code: unreadable(refusal.code, token), ..refusal })?;
        self.last_header = Some((encoded.into(), header));
        Ok(())
    }
}

/// A token whose parts cannot be decoded may be a JWE, which deserves its own name
fn unreadable(code: RejectionCode, token: &[u8]) -> RejectionCode {
    if code == RejectionCode::TokenMalformed { compact::name_unreadable(token) } else { code }
}

fn read_claims<'w>(
    encoded: &[u8],
    token: &[u8],
    payload: &'w mut Vec<u8>,
    claims: &mut Claims<'w>,
    judge: &mut impl Judge,
) -> Result<&'w [u8], RejectionCode> {
    let (result, found) = match base64url::decode_into(encoded, payload) {
        None => (Err(compact::name_unreadable(token)), "not strict base64url".to_owned()),
        Some(Decoded { bytes, ascii }) => match claims.read(bytes, ascii) {
            Ok(()) => (Ok(bytes), String::new()),
            Err(error) => (Err(header::rejection(error)), explain(error)),
        },
    };
    read("claims", result, judge, || {
        let actual = if found.is_empty() { "one JSON object".to_owned() } else { found };
        let shown = Shown::new("one JSON object, every name once, every known claim of its type", actual);
        if shown.actual == explain(JsonError::Invalid("groups")) { shown.hint(GROUPS_AS_NAMES) } else { shown }
    })
}

/// Whoever sees names in `groups` has set them in the manifest of the app registration
const GROUPS_AS_NAMES: &str = "`groups` must list object ids: in the manifest of the app registration remove `sam_account_name`, `dns_domain_and_sam_account_name`, `netbios_domain_and_sam_account_name`, `cloud_displayname` and `emit_as_roles` from `optionalClaims` > `groups` > `additionalProperties`; names and SIDs are not unique";

pub(super) fn explain(error: JsonError) -> String {
    match error {
        JsonError::Invalid(claim) => format!("`{claim}` has another type or form"),
        _ => header::describe(error).to_owned(),
    }
}

fn find_profile<'e>(
    configuration: &'e Configuration,
    issuer: Option<&JsonString<'_>>,
    judge: &mut impl Judge,
) -> Result<(usize, &'e Profile), RejectionCode> {
    let found = issuer.and_then(|issuer| {
        configuration.profiles.iter().enumerate().find(|(_, profile)| issuer.is(profile.issuer.as_bytes()))
    });
    // Nothing more is worked out for a token of a known issuer.
    let code = match issuer {
        Some(_) if found.is_some() => RejectionCode::IssuerUntrusted,
        None => RejectionCode::ClaimMissing,
        Some(issuer) if is_other_tenant(configuration, &issuer.bytes()) => RejectionCode::TenantNotAllowed,
        Some(_) => RejectionCode::IssuerUntrusted,
    };
    judge.check("issuer", found.is_some(), code, || {
        let expected: Vec<_> = configuration.profiles.iter().map(|profile| profile.issuer.as_str()).collect();
        let actual = issuer.map_or_else(|| "absent".into(), |issuer| shown(&issuer.text()));
        let pipeline = configuration.profiles.iter().find(|known| known.jobs().is_some() && host(&known.issuer) == host(&actual));
        if let Some(pipeline) = pipeline {
            return Shown::new(pipeline.issuer.as_str(), actual.as_str()).hint(format!(
                "`iss` is compared letter by letter; if it is yours, set `issuer: {actual}` in the entry of {} under `entraAccess.pipelines`",
                pipeline.id
            ));
        }
        let hint = if [".b2clogin.com/", "/tfp/"].iter().any(|part| split_once(&actual, part).is_some()) {
            "Azure AD B2C is not supported: its tokens carry no tenant and its keys vary by policy"
        } else if code == RejectionCode::TenantNotAllowed {
            "the cloud is configured, this tenant is not: list it under `entraAccess.tenants` if its users may come in"
        } else {
            "check `tenantId` and `cloud` under `entraAccess.tenants`, where the issuer of another cloud has another host; that of a CI system stands under `entraAccess.pipelines`"
        };
        Shown::new(join(&expected, " or "), actual).hint(hint)
    })?;
    found.ok_or(code)
}

/// What stands between the scheme, if there is one, and the path
fn host(issuer: &str) -> &str {
    let rest = split_once(issuer, "://").map_or(issuer, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

/// Whether `issuer` is what a configured cloud would write for a tenant that is not configured
fn is_other_tenant(configuration: &Configuration, issuer: &[u8]) -> bool {
    configuration.profiles.iter().any(|profile| {
        let Some(of) = profile.tenant() else { return false };
        let tenant = of.tenant.to_string();
        split_once(&profile.issuer, &tenant).is_some_and(|(before, after)| {
            issuer
                .strip_prefix(before.as_bytes())
                .and_then(|rest| rest.strip_suffix(after.as_bytes()))
                .is_some_and(|middle| Guid::parse(middle).is_some())
        })
    })
}

fn check_signature<K>(
    compact: &Compact<'_>,
    header: &Header,
    profile: &Profile,
    key: Result<&Entry<K>, RejectionCode>,
    fits: Fits<'_, K>,
    signature: &mut Vec<u8>,
    judge: &mut impl Judge,
) -> Result<(), RejectionCode> {
    let key = match key {
        Ok(key) => key,
        Err(code) => {
            judge.check("key", false, code, || {
                Shown::new(
                    format!("a key published by {}", profile.discovery_url),
                    shown(&String::from_utf8_lossy(&header.kid)),
                )
            })?;
            // Without the key there is nothing to judge by, but the claims can still be shown.
            return Ok(());
        }
    };
    judge.check("key", true, RejectionCode::KeyUnknown, || {
        Shown::new("a published key", shown(&String::from_utf8_lossy(&header.kid)))
    })?;
    judge.check("algorithm", header.algorithm == key.public.algorithm, RejectionCode::AlgorithmNotAllowed, || {
        Shown::new(key.public.algorithm.name, header.algorithm.name)
    })?;
    judge.check("key issuer", key.for_this_issuer, RejectionCode::KeyIssuerMismatch, || {
        Shown::new(profile.issuer.as_str(), shown(key.published_for.as_deref().unwrap_or("not stated")))
    })?;
    let signature = base64url::decode_into(compact.signature, signature).map(|decoded| decoded.bytes);
    let good = signature.is_some_and(|signature| {
        signature.len() == key.public.signature_bytes()
            && header.algorithm == key.public.algorithm
            && fits(key.public.algorithm, &key.host, compact.signed, signature)
    });
    let decoded = signature.is_some();
    let code = if decoded { RejectionCode::SignatureInvalid } else { RejectionCode::TokenMalformed };
    judge.check("signature", good, code, || {
        let actual = match (decoded, good) {
            (false, _) => "not strict base64url",
            (true, false) => "not made by that key",
            (true, true) => "made by that key",
        };
        Shown::new("made by that key", actual)
    })
}
