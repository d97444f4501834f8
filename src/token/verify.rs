//! Every check of a token, in one order: form, issuer, key, signature, then the claims
//!
//! The issuer profile is chosen by the exact `iss` before any key is looked up, so a key of one issuer never judges a token
//! of another. Claims are judged after the signature: what an unsigned token says is nobody's word.

use std::fmt::Write as _;

use super::{
    base64url,
    claims::Claims,
    compact::{self, Compact},
    header::{self, Header},
    json::{JsonError, JsonString},
    judge::{Judge, Shown},
};
use crate::{
    config::{Configuration, OveragePolicy, Profile, TokenVersion},
    error::RejectionCode,
    identity::{Actor, GroupState, Groups, Guid, Principal, PrincipalKind},
    keys::{KeySet, SignatureVerifier},
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
pub struct Trust<'e, V: SignatureVerifier> {
    /// The operator's configuration
    pub configuration: &'e Configuration,
    /// Key sets in the order of the profiles; `None` until they are fetched
    pub keys: &'e [Option<KeySet<V::Key>>],
    /// The host's signature primitive
    pub verifier: &'e V,
}

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
}

/// The names of all checks in their order
pub const CHECKS: [&str; 17] = [
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
    "not before",
    "lifetime",
    "version",
    "proof of possession",
    "kind",
    "client",
];

/// Judges `token`
///
/// # Errors
/// The code of the first failed check; with a reporting judge, of the check after which nothing could be read.
pub fn verify<V: SignatureVerifier>(
    token: &[u8],
    purpose: Purpose,
    now: Timestamp,
    trust: &Trust<'_, V>,
    workspace: &mut Workspace,
    judge: &mut impl Judge,
) -> Result<Verified, Rejection> {
    let anonymous = |code| Rejection { code, profile: None };
    let compact = read("form", Compact::parse(token), judge, || {
        Shown::new("a compact JWS", format!("{} bytes", token.len()))
    })
    .map_err(anonymous)?;
    workspace.read_header(compact.header, token, judge).map_err(anonymous)?;
    let Workspace {
        payload,
        signature,
        last_header,
    } = workspace;
    let Some((_, header)) = last_header else {
        return Err(anonymous(RejectionCode::TokenMalformed));
    };
    let mut claims = read_claims(compact.payload, token, payload, judge).map_err(anonymous)?;

    let (at, profile) = find_profile(trust.configuration, claims.issuer.as_ref(), judge).map_err(anonymous)?;
    let known = |code| Rejection {
        code,
        profile: Some(at),
    };
    check_signature(&compact, header, profile, trust, at, signature, judge).map_err(known)?;
    check_claims(&claims, profile, now, judge).map_err(known)?;
    let caller = identify(&claims, profile, purpose, judge).map_err(known)?;
    let groups = groups(&mut claims, caller.kind);
    if groups.state() == GroupState::Unknown && trust.configuration.overage == OveragePolicy::Reject {
        return Err(known(RejectionCode::GroupsUnknown));
    }
    Ok(Verified {
        principal: Principal {
            kind: caller.kind,
            issuer: profile.id.clone(),
            tenant_id: profile.tenant,
            object_id: caller.object,
            client_id: Some(caller.client),
            actor: caller.actor,
            groups,
            roles: claims.roles.iter().map(|role| role.text().into_owned()).collect(),
            name: claims.name.map(|name| name.text().into_owned()),
            expires_at: claims.expires.unwrap_or_default().after(profile.leeway_seconds),
        },
    })
}

/// Puts the result of a reading step to the judge; nothing can go on without its value
fn read<T>(
    name: &'static str,
    result: Result<T, RejectionCode>,
    judge: &mut impl Judge,
    show: impl FnOnce() -> Shown,
) -> Result<T, RejectionCode> {
    match result {
        Ok(value) => judge
            .check(name, true, RejectionCode::TokenMalformed, show)
            .map(|()| value),
        Err(code) => judge.check(name, false, code, show).and(Err(code)),
    }
}

impl Workspace {
    /// Reads the header into `last_header`, or finds it there: an issuer's tokens share their header for months
    fn read_header(&mut self, encoded: &[u8], token: &[u8], judge: &mut impl Judge) -> Result<(), RejectionCode> {
        let remembered = self.last_header.as_ref().is_some_and(|(bytes, _)| **bytes == *encoded);
        let result = if remembered {
            Ok(())
        } else {
            self.parse_header(encoded, token)
        };
        let shown = self
            .last_header
            .as_ref()
            .filter(|_| result.is_ok())
            .map(|(_, header)| header);
        read("header", result, judge, || {
            Shown::new(
                "an asymmetric algorithm, a key id, nothing critical",
                shown.map_or_else(
                    || "unreadable or not allowed".into(),
                    |header| {
                        format!(
                            "{} with key {}",
                            header.algorithm.name,
                            String::from_utf8_lossy(&header.kid)
                        )
                    },
                ),
            )
        })
    }

    fn parse_header(&mut self, encoded: &[u8], token: &[u8]) -> Result<(), RejectionCode> {
        let header = Header::parse(encoded).map_err(|code| unreadable(code, token))?;
        self.last_header = Some((encoded.into(), header));
        Ok(())
    }
}

/// A token whose parts cannot be decoded may be a JWE, which deserves its own name
fn unreadable(code: RejectionCode, token: &[u8]) -> RejectionCode {
    if code == RejectionCode::TokenMalformed {
        compact::name_unreadable(token)
    } else {
        code
    }
}

fn read_claims<'w>(
    encoded: &[u8],
    token: &[u8],
    payload: &'w mut Vec<u8>,
    judge: &mut impl Judge,
) -> Result<Claims<'w>, RejectionCode> {
    payload.clear();
    let (result, culprit) = match base64url::decode_into(encoded, payload) {
        None => (Err(compact::name_unreadable(token)), None),
        Some(()) => match Claims::parse(payload) {
            Ok(claims) => (Ok(claims), None),
            Err(JsonError::Invalid(claim)) => (Err(RejectionCode::ClaimInvalid), Some(claim)),
            Err(error) => (Err(header::rejection(error)), None),
        },
    };
    read("claims", result, judge, || {
        let actual = culprit.map_or_else(
            || "one JSON object".to_owned(),
            |claim| format!("`{claim}` has another type or form"),
        );
        Shown::new(
            "one JSON object, every name once, every known claim of its type",
            actual,
        )
    })
}

fn find_profile<'e>(
    configuration: &'e Configuration,
    issuer: Option<&JsonString<'_>>,
    judge: &mut impl Judge,
) -> Result<(usize, &'e Profile), RejectionCode> {
    let found = issuer.and_then(|issuer| {
        configuration
            .profiles
            .iter()
            .enumerate()
            .find(|(_, profile)| issuer.is(profile.issuer.as_bytes()))
    });
    let code = match issuer {
        None => RejectionCode::ClaimMissing,
        Some(issuer) if is_other_tenant(configuration, &issuer.bytes()) => RejectionCode::TenantNotAllowed,
        Some(_) => RejectionCode::IssuerUntrusted,
    };
    judge.check("issuer", found.is_some(), code, || {
        let expected: Vec<_> = configuration
            .profiles
            .iter()
            .map(|profile| profile.issuer.as_str())
            .collect();
        let actual = issuer.map_or_else(|| "absent".into(), |issuer| printable(&issuer.text()));
        let hint = if actual.contains(".b2clogin.com/") || actual.contains("/tfp/") {
            "Azure AD B2C is not supported: its tokens carry no tenant and its keys vary by policy"
        } else if code == RejectionCode::TenantNotAllowed {
            "the cloud is configured, this tenant is not: list it under `entraAccess.tenants` if its users may come in"
        } else {
            "check `tenantId` and `cloud` under `entraAccess.tenants`; the issuer of another cloud has another host"
        };
        Shown::new(expected.join(" or "), actual).hint(hint)
    })?;
    found.ok_or(code)
}

/// Whether `issuer` is what a configured cloud would write for a tenant that is not configured
fn is_other_tenant(configuration: &Configuration, issuer: &[u8]) -> bool {
    configuration.profiles.iter().any(|profile| {
        let tenant = profile.tenant.to_string();
        profile
            .issuer
            .split_once(tenant.as_str())
            .is_some_and(|(before, after)| {
                issuer
                    .strip_prefix(before.as_bytes())
                    .and_then(|rest| rest.strip_suffix(after.as_bytes()))
                    .is_some_and(|middle| Guid::parse(middle).is_some())
            })
    })
}

fn check_signature<V: SignatureVerifier>(
    compact: &Compact<'_>,
    header: &Header,
    profile: &Profile,
    trust: &Trust<'_, V>,
    at: usize,
    signature: &mut Vec<u8>,
    judge: &mut impl Judge,
) -> Result<(), RejectionCode> {
    let found = match trust.keys.get(at) {
        Some(Some(set)) => set.find(&header.kid),
        _ => Err(RejectionCode::KeysUnavailable),
    };
    let key = match found {
        Ok(key) => key,
        Err(code) => {
            judge.check("key", false, code, || {
                Shown::new(
                    format!("a key published by {}", profile.discovery_url),
                    printable(&String::from_utf8_lossy(&header.kid)),
                )
            })?;
            // Without the key there is nothing to judge by, but the claims can still be shown.
            return Ok(());
        }
    };
    judge.check("key", true, RejectionCode::KeyUnknown, || {
        Shown::new("a published key", String::from_utf8_lossy(&header.kid))
    })?;
    judge.check(
        "algorithm",
        header.algorithm == key.public.algorithm,
        RejectionCode::AlgorithmNotAllowed,
        || Shown::new(key.public.algorithm.name, header.algorithm.name),
    )?;
    let issuer_fits = key
        .issuer
        .as_deref()
        .is_none_or(|issuer| profile.key_issuer_fits(issuer));
    let cloud_fits = match (key.cloud_instance_name.as_deref(), profile.cloud_instance_name) {
        (Some(of_key), Some(of_profile)) => of_key == of_profile,
        _ => true,
    };
    judge.check(
        "key issuer",
        issuer_fits && cloud_fits,
        RejectionCode::KeyIssuerMismatch,
        || {
            let mut actual = key.issuer.clone().unwrap_or_else(|| "not stated".into());
            if let Some(cloud) = &key.cloud_instance_name {
                let _ = write!(actual, " in {cloud}");
            }
            Shown::new(profile.issuer.as_str(), printable(&actual))
        },
    )?;
    signature.clear();
    let decoded = base64url::decode_into(compact.signature, signature);
    judge.check("signature", decoded.is_some(), RejectionCode::TokenMalformed, || {
        Shown::new("strict base64url", "something else")
    })?;
    let fits = decoded.is_some()
        && signature.len() == key.public.signature_bytes()
        && header.algorithm == key.public.algorithm
        && trust
            .verifier
            .verify(key.public.algorithm, &key.host, compact.signed, signature);
    judge.check("signature", fits, RejectionCode::SignatureInvalid, || {
        Shown::new(
            "made by that key",
            if fits {
                "made by that key"
            } else {
                "not made by that key"
            },
        )
    })
}

fn check_claims(
    claims: &Claims<'_>,
    profile: &Profile,
    now: Timestamp,
    judge: &mut impl Judge,
) -> Result<(), RejectionCode> {
    required(
        "tenant",
        claims.tenant,
        RejectionCode::TenantNotAllowed,
        judge,
        |tenant| *tenant == profile.tenant,
        |tenant| {
            Shown::new(
                profile.tenant.to_string(),
                tenant.map_or_else(|| "no `tid`".into(), |tid| tid.to_string()),
            )
        },
    )?;
    let audience = (!claims.audience.is_empty()).then_some(&claims.audience);
    let accepted = |audience: &&Vec<JsonString<'_>>| {
        audience
            .iter()
            .any(|one| profile.audiences.iter().any(|accepted| one.is(accepted.as_bytes())))
    };
    required(
        "audience",
        audience,
        RejectionCode::AudienceMismatch,
        judge,
        accepted,
        |audience| show_audience(profile, audience),
    )?;
    check_times(claims, profile, now, judge)?;
    let version = claims.version.filter(|version| !version.is(b""));
    let expected = profile.version.as_str();
    required(
        "version",
        version,
        RejectionCode::ClaimInvalid,
        judge,
        |version| version.is(expected.as_bytes()),
        |version| {
            Shown::new(
                expected,
                version.map_or_else(|| "no `ver`".into(), |version| printable(&version.text())),
            )
        },
    )
}

fn check_times(
    claims: &Claims<'_>,
    profile: &Profile,
    now: Timestamp,
    judge: &mut impl Judge,
) -> Result<(), RejectionCode> {
    let leeway = profile.leeway_seconds;
    let clock = |claim: &str, time: Option<&Timestamp>| match time {
        Some(time) if *time >= now => format!("{} s from now", time.since(now)),
        Some(time) => format!("{} s ago", now.since(*time)),
        None => format!("no `{claim}`"),
    };
    required(
        "expiry",
        claims.expires,
        RejectionCode::TokenExpired,
        judge,
        |exp| now < exp.after(leeway),
        |exp| {
            Shown::new(format!("at most {leeway} s ago"), clock("exp", exp))
                .hint("get a new token; if it is new, compare this machine's clock with the issuer's")
        },
    )?;
    required(
        "not before",
        claims.issued,
        RejectionCode::TokenNotYetValid,
        judge,
        |iat| *iat <= now.after(leeway),
        |iat| {
            Shown::new(format!("at most {leeway} s from now"), clock("iat", iat))
                .hint("compare this machine's clock with the issuer's")
        },
    )?;
    let not_before = claims.not_before.unwrap_or_default();
    judge.check(
        "not before",
        not_before <= now.after(leeway),
        RejectionCode::TokenNotYetValid,
        || {
            Shown::new(
                format!("at most {leeway} s from now"),
                clock("nbf", claims.not_before.as_ref()),
            )
            .hint("compare this machine's clock with the issuer's")
        },
    )?;
    let lifetime = claims
        .expires
        .unwrap_or_default()
        .since(claims.issued.unwrap_or_default());
    judge.check(
        "lifetime",
        lifetime <= profile.lifetime_seconds,
        RejectionCode::LifetimeTooLong,
        || {
            Shown::new(
                format!("at most {} s", profile.lifetime_seconds),
                format!("{lifetime} s"),
            )
        },
    )
}

/// A check of a claim that must be there
fn required<T>(
    name: &'static str,
    claim: Option<T>,
    code: RejectionCode,
    judge: &mut impl Judge,
    fits: impl FnOnce(&T) -> bool,
    show: impl FnOnce(Option<&T>) -> Shown,
) -> Result<(), RejectionCode> {
    let (passed, code) = match &claim {
        Some(value) => (fits(value), code),
        None => (false, RejectionCode::ClaimMissing),
    };
    judge.check(name, passed, code, || show(claim.as_ref()))
}

fn show_audience(profile: &Profile, audience: Option<&&Vec<JsonString<'_>>>) -> Shown {
    let Some(audience) = audience else {
        return Shown::new(profile.audiences.join(" or "), "no `aud`");
    };
    let actual = audience
        .iter()
        .map(|one| printable(&one.text()))
        .collect::<Vec<_>>()
        .join(", ");
    let hint = if profile.version == TokenVersion::V1 && actual.starts_with("api://") {
        "a v1.0 token names the App ID URI: add exactly this text to `audiences`, or set `accessTokenAcceptedVersion` to 2 in the app registration"
    } else {
        "add the token's audience to `audiences` if it is yours; otherwise request the token for this API"
    };
    Shown::new(profile.audiences.join(" or "), actual).hint(hint)
}

/// What the claims say about the caller, before groups
struct Caller {
    kind: PrincipalKind,
    object: Guid,
    client: Guid,
    actor: Option<Actor>,
}

fn identify(
    claims: &Claims<'_>,
    profile: &Profile,
    purpose: Purpose,
    judge: &mut impl Judge,
) -> Result<Caller, RejectionCode> {
    judge.check(
        "proof of possession",
        !claims.bound,
        RejectionCode::ProofOfPossessionUnsupported,
        || {
            Shown::new(
                "a bearer token",
                if claims.bound {
                    "bound to a key (`cnf`)"
                } else {
                    "a bearer token"
                },
            )
        },
    )?;
    let client = match profile.version {
        TokenVersion::V1 => claims.application,
        TokenVersion::V2 => claims.authorized_party,
    };
    let kind = kind(claims, client, purpose);
    judge.check(
        "kind",
        kind.is_ok(),
        kind.err().unwrap_or(RejectionCode::TokenKindNotAllowed),
        || show_kind(claims, purpose, kind),
    )?;
    let kind = kind?;
    let object = claims.object.ok_or(RejectionCode::ClaimMissing)?;
    // An ID token is for one client: its audience.
    let client = client
        .or_else(|| claims.audience.first().and_then(|aud| Guid::parse(&aud.bytes())))
        .ok_or(RejectionCode::ClaimMissing)?;
    let by_itself = claims.id_type.is_some_and(|id_type| id_type.is(b"app"));
    judge.check(
        "client",
        !by_itself || profile.clients.contains(&client),
        RejectionCode::ClientNotAllowed,
        || {
            Shown::new(
                if by_itself {
                    "a client id listed under `clients`"
                } else {
                    "any: a person signed in through it"
                },
                client.to_string(),
            )
        },
    )?;
    let actor = (kind == PrincipalKind::Agent).then_some(Actor { client_id: client });
    Ok(Caller {
        kind,
        object,
        client,
        actor,
    })
}

/// The kind of caller, by rules that an ID token cannot meet by accident
///
/// Microsoft, claims validation: only `idtyp=app` proves an app-only token, only `scp` a delegated one. Tokens without `oid`
/// belong to no service principal and have been abused; they are refused.
fn kind(claims: &Claims<'_>, client: Option<Guid>, purpose: Purpose) -> Result<PrincipalKind, RejectionCode> {
    if claims.event {
        return Err(RejectionCode::TokenKindNotAllowed);
    }
    let agent =
        claims.actor_facets.agent_identity || claims.subject_facets.agent_user || claims.subject_facets.agent_identity;
    let kind = match (purpose, claims.id_type) {
        (Purpose::SignIn, None) if !claims.has_scope && client.is_none() => PrincipalKind::User,
        (Purpose::SignIn, _) => return Err(RejectionCode::TokenKindNotAllowed),
        (Purpose::Access, _) if claims.id_token_mark => return Err(RejectionCode::TokenKindNotAllowed),
        (Purpose::Access, Some(id_type)) if id_type.is(b"app") && !claims.has_scope => {
            if agent {
                PrincipalKind::Agent
            } else {
                PrincipalKind::Workload
            }
        }
        (Purpose::Access, id_type) if claims.has_scope && id_type.is_none_or(|id_type| id_type.is(b"user")) => {
            if agent {
                PrincipalKind::Agent
            } else {
                PrincipalKind::User
            }
        }
        _ => return Err(RejectionCode::TokenKindNotAllowed),
    };
    let complete = claims.object.is_some() && (purpose == Purpose::SignIn || client.is_some());
    if complete {
        Ok(kind)
    } else {
        Err(RejectionCode::ClaimMissing)
    }
}

fn show_kind(claims: &Claims<'_>, purpose: Purpose, kind: Result<PrincipalKind, RejectionCode>) -> Shown {
    let expected = match purpose {
        Purpose::Access => {
            "an access token: `scp` for a person, or `idtyp=app` for an application, with `oid` and client id"
        }
        Purpose::SignIn => "an ID token",
    };
    let (actual, hint) = match kind {
        Ok(kind) => (kind.as_str(), None),
        Err(_) if claims.event => ("a security event", None),
        Err(RejectionCode::ClaimMissing) => (
            "no `oid` or no client id",
            Some("the token belongs to no service principal or user; create the service principal in this tenant"),
        ),
        Err(_) if purpose == Purpose::SignIn => ("not an ID token", None),
        Err(_) if claims.id_token_mark => (
            "an ID token",
            Some("send the access token; an ID token is for the client that signed the user in"),
        ),
        Err(_) => (
            "neither scopes nor `idtyp=app`",
            Some(
                "an ID token, or an app-only token of an app registration without the optional claim `idtyp`: send an access token, or add that claim",
            ),
        ),
    };
    let shown = Shown::new(expected, actual);
    match hint {
        Some(hint) => shown.hint(hint),
        None => shown,
    }
}

/// What is known of the groups; no path turns unknown into empty
fn groups(claims: &mut Claims<'_>, kind: PrincipalKind) -> Groups {
    let by_itself = claims.id_type.is_some_and(|id_type| id_type.is(b"app"));
    match (claims.groups.take(), kind) {
        // Entra never emits groups for service principals.
        (_, PrincipalKind::Workload | PrincipalKind::Pipeline) => Groups::none(),
        (_, PrincipalKind::Agent) if by_itself => Groups::none(),
        (Some(ids), _) if !claims.overage => Groups::known(ids),
        _ => Groups::unknown(),
    }
}

/// Token content in a report: shortened, without control characters
fn printable(text: &str) -> String {
    text.chars().take(200).flat_map(char::escape_debug).collect()
}
