//! What a token claims about itself, against its issuer profile: tenant, audience, times, version

use super::{
    claims::{Audience, Claims},
    judge::{Judge, Shown},
};
use crate::{
    config::{Profile, TenantIssuer, TokenVersion},
    error::RejectionCode,
    json::JsonString,
    text::{join, shown},
    time::Timestamp,
};

/// Judges the claims that do not say who is calling
pub(super) fn check_claims(
    claims: &Claims<'_>,
    profile: &Profile,
    of: &TenantIssuer,
    now: Timestamp,
    judge: &mut impl Judge,
) -> Result<(), RejectionCode> {
    required(
        "tenant",
        claims.tenant,
        RejectionCode::TenantNotAllowed,
        judge,
        |tenant| *tenant == of.tenant,
        |tenant| Shown::new(of.tenant.to_string(), tenant.map_or_else(|| "no `tid`".into(), |tid| tid.to_string())),
    )?;
    check_audience(claims, profile, judge)?;
    check_times(claims, profile, now, judge)?;
    let version = claims.version.filter(|version| !version.is(b""));
    let expected = of.version.as_str();
    required(
        "version",
        version,
        RejectionCode::ClaimInvalid,
        judge,
        |version| version.is(expected.as_bytes()),
        |version| Shown::new(expected, version.map_or_else(|| "no `ver`".into(), |version| shown(&version.text()))),
    )
}

/// One audience must be ours; of a job, which chooses them itself, all: whoever else the token is for could bring it here
pub(super) fn check_audience(
    claims: &Claims<'_>,
    profile: &Profile,
    judge: &mut impl Judge,
) -> Result<(), RejectionCode> {
    let audience = claims.audience.as_ref().map(Audience::all);
    let ours = |one: &JsonString<'_>| profile.audiences.iter().any(|accepted| one.is(accepted.as_bytes()));
    let accepted = |audience: &&[JsonString<'_>]| match profile.jobs() {
        None => audience.iter().any(ours),
        Some(_) => audience.iter().all(ours),
    };
    required("audience", audience, RejectionCode::AudienceMismatch, judge, accepted, |audience| {
        show_audience(profile, audience)
    })
}

/// Judges when the token was issued, and for how long
pub(super) fn check_times(
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
        "issued at",
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
    judge.check("not before", not_before <= now.after(leeway), RejectionCode::TokenNotYetValid, || {
        Shown::new(format!("at most {leeway} s from now"), clock("nbf", claims.not_before.as_ref()))
            .hint("compare this machine's clock with the issuer's")
    })?;
    let lifetime = claims.expires.unwrap_or_default().since(claims.issued.unwrap_or_default());
    judge.check("lifetime", lifetime <= profile.lifetime_seconds, RejectionCode::LifetimeTooLong, || {
        Shown::new(format!("at most {} s", profile.lifetime_seconds), format!("{lifetime} s"))
            .hint("a token that is meant to live that long needs a greater `maxLifetime` of the tenant or pipeline")
    })
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
    judge.check(name, passed, code, || match &claim {
        Some(_) => show(claim.as_ref()),
        None => show(None).hint("the issuer left this claim out, and a token without it is never accepted"),
    })
}

fn show_audience(profile: &Profile, audience: Option<&&[JsonString<'_>]>) -> Shown {
    let Some(audience) = audience else {
        return Shown::new(join(&profile.audiences, " or "), "no `aud`");
    };
    // The first few are enough to see whose token it is.
    let first: Vec<_> = audience.iter().take(8).map(JsonString::text).collect();
    let actual = shown(&join(&first, ", "));
    if profile.jobs().is_some() {
        let hint = format!(
            "let the job ask for {} and nothing else, or add {actual} to `audiences` of the entry of {} under `entraAccess.pipelines` if no other service takes it",
            join(&profile.audiences, " or "),
            profile.id
        );
        return Shown::new(join(&profile.audiences, " or "), actual).hint(hint);
    }
    let hint = if profile.tenant().is_some_and(|of| of.version == TokenVersion::V1) && actual.starts_with("api://") {
        "a v1.0 token names the App ID URI: add exactly this text to `audiences`, or set `accessTokenAcceptedVersion` to 2 in the app registration"
    } else {
        "add the token's audience to `audiences` if it is yours; otherwise request the token for this API"
    };
    Shown::new(join(&profile.audiences, " or "), actual).hint(hint)
}
