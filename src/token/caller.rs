//! Who is calling, and through what: decided by claims that an ID token cannot meet by accident

use super::{
    Purpose,
    claims::{Audience, Claims},
    judge::{Judge, Shown},
};
use crate::{
    config::{GroupSettings, Profile, TenantIssuer, TokenVersion},
    error::RejectionCode,
    identity::{Actor, Assurance, Groups, Guid, PrincipalKind},
    json::JsonString,
    time::Timestamp,
};

/// What the claims say about the caller, before groups
pub(super) struct Caller {
    pub kind: PrincipalKind,
    pub object: Guid,
    pub client: Guid,
    pub actor: Option<Actor>,
}

/// Judges what kind of caller it is, and whether it may come in
pub(super) fn identify(
    claims: &Claims<'_>,
    profile: &Profile,
    tenant: &TenantIssuer,
    purpose: Purpose,
    judge: &mut impl Judge,
) -> Result<Caller, RejectionCode> {
    judge.check("proof of possession", !claims.bound, RejectionCode::ProofOfPossessionUnsupported, || {
        Shown::new("a bearer token", if claims.bound { "bound to a key (`cnf`)" } else { "a bearer token" })
    })?;
    let client = match tenant.version {
        TokenVersion::V1 => claims.application,
        TokenVersion::V2 => claims.authorized_party,
    };
    let kind = kind(claims, client, purpose);
    judge.check("kind", kind.is_ok(), kind.err().unwrap_or(RejectionCode::TokenKindNotAllowed), || {
        show_kind(claims, purpose, kind)
    })?;
    let kind = kind?;
    let object = claims.object.ok_or(RejectionCode::ClaimMissing)?;
    // An ID token is for one client: the audience that is ours, whatever else is named beside it.
    let ours = |aud: &&JsonString<'_>| profile.audiences.iter().any(|accepted| aud.is(accepted.as_bytes()));
    let audiences = claims.audience.as_ref().map(Audience::all).unwrap_or_default();
    let client = client
        .or_else(|| audiences.iter().filter(ours).find_map(|aud| Guid::parse(&aud.bytes())))
        .ok_or(RejectionCode::ClaimMissing)?;
    let by_itself = claims.id_type.is_some_and(|id_type| id_type.is(b"app"));
    judge.check("client", !by_itself || tenant.clients.contains(&client), RejectionCode::ClientNotAllowed, || {
        Shown::new(
            if by_itself { "a client id listed under `clients`" } else { "any: a person signed in through it" },
            client.to_string(),
        )
    })?;
    let autonomous = by_itself || claims.subject_facets.agent_user || claims.subject_facets.agent_identity;
    let actor = (kind == PrincipalKind::Agent).then_some(Actor { client_id: client, autonomous });
    Ok(Caller { kind, object, client, actor })
}

/// The kind of caller, by rules that an ID token cannot meet by accident
///
/// Microsoft, claims validation: only `idtyp=app` proves an app-only token, only `scp` a delegated one. Tokens without `oid`
/// belong to no service principal and have been abused; they are refused.
fn kind(claims: &Claims<'_>, client: Option<Guid>, purpose: Purpose) -> Result<PrincipalKind, RejectionCode> {
    if claims.event {
        return Err(RejectionCode::TokenKindNotAllowed);
    }
    let agent = is_agent(claims);
    let kind = match (purpose, claims.id_type) {
        // An ID token names no client of its own, so the agent behind an agent's account could not be told: no person signs in.
        (Purpose::SignIn, None) if !claims.has_scope && client.is_none() && !agent => PrincipalKind::User,
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
            if agent { PrincipalKind::Agent } else { PrincipalKind::User }
        }
        _ => return Err(RejectionCode::TokenKindNotAllowed),
    };
    let complete = claims.object.is_some() && (purpose == Purpose::SignIn || client.is_some());
    if complete { Ok(kind) } else { Err(RejectionCode::ClaimMissing) }
}

/// Whether an AI agent acts, or the account itself belongs to one
const fn is_agent(claims: &Claims<'_>) -> bool {
    claims.actor_facets.agent_identity || claims.subject_facets.agent_user || claims.subject_facets.agent_identity
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
        Err(_) if purpose == Purpose::SignIn && is_agent(claims) => ("a token of an agent", None),
        Err(_) if purpose == Purpose::SignIn => ("not an ID token", None),
        Err(_) if claims.id_token_mark => {
            ("an ID token", Some("send the access token; an ID token is for the client that signed the user in"))
        }
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
pub(super) fn groups(claims: &mut Claims<'_>, caller: &Caller, tenant: Guid, settings: &GroupSettings) -> Groups {
    let by_itself = claims.id_type.is_some_and(|id_type| id_type.is(b"app"));
    match (claims.groups.take(), caller.kind) {
        (_, PrincipalKind::Pipeline) => Groups::none(),
        // Entra never emits groups for service principals: what such a token says of groups is nobody's word.
        (_, PrincipalKind::Workload) => settings.of_workload(tenant, caller.client),
        (_, PrincipalKind::Agent) if by_itself => settings.of_workload(tenant, caller.client),
        (Some(ids), _) if !claims.overage => Groups::known(ids),
        _ => Groups::unknown(),
    }
}

/// How strongly the caller signed in; a sign-in of later than `latest` has not happened yet and counts for nothing
pub(super) fn assurance(claims: &Claims<'_>, latest: Timestamp) -> Assurance {
    let contexts = claims.auth_contexts.iter().map(JsonString::text).filter(|text| Assurance::is_auth_context(text));
    let signed_in = claims.signed_in.filter(|time| *time <= latest);
    Assurance::new(contexts.map(std::borrow::Cow::into_owned).collect(), claims.mfa, signed_in)
}
