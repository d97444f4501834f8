//! `exp`, `nbf`, `iat`: integers in range, a stated leeway, and no token that lives for ever

use serde_json::{Value, json};

use super::{accept_claims, refuse_claims};
use crate::support::{
    NOW,
    claims::{Claims, TENANT, user_v2},
    scene::{Scene, Vector, configuration, tenant},
};

/// The leeway of every Entra profile
const LEEWAY: u64 = 300;
/// The longest lifetime of every Entra profile
const LIFETIME: u64 = 28 * 3600;

/// The vectors
pub fn vectors() -> Vec<Vector> {
    let mut all = types();
    all.extend(edges());
    all
}

fn at(claim: &str, seconds: u64) -> Claims {
    user_v2().with(claim, seconds.to_string())
}

fn types() -> Vec<Vector> {
    let mut all = vec![
        refuse_claims("exp_missing", "claim_missing", &user_v2().without("exp")),
        refuse_claims("iat_missing", "claim_missing", &user_v2().without("iat")),
        accept_claims("nbf_missing", &user_v2().without("nbf")),
        // Only the exact name is the claim.
        refuse_claims(
            "exp_in_capital_name_only",
            "claim_missing",
            &user_v2().without("exp").and("EXP", (NOW + 60).to_string()),
        ),
    ];
    for claim in ["exp", "nbf", "iat"] {
        for (name, json) in [
            ("string", format!("\"{}\"", NOW + 60)),
            ("float", format!("{NOW}.5")),
            ("integral_float", format!("{NOW}.0")),
            ("exponent", "1.76e9".into()),
            ("negative", format!("-{NOW}")),
            ("zero", "0".into()),
            ("negative_zero", "-0".into()),
            ("two_to_the_53", "9007199254740992".into()),
            ("two_to_the_64", "18446744073709551616".into()),
            ("two_to_the_64_and_valid_when_wrapped", (u128::from(NOW) + (1 << 64)).to_string()),
            ("beyond_doubles", "1e400".into()),
            ("nan", "NaN".into()),
            ("infinity", "Infinity".into()),
            ("minus_infinity", "-Infinity".into()),
            ("true", "true".into()),
            ("null", "null".into()),
            ("array", format!("[{NOW}]")),
            ("object", "{}".into()),
            ("date", "\"2025-10-09T09:00:00Z\"".into()),
            ("hexadecimal", "0x68e77d00".into()),
        ] {
            let code = match name {
                // A sign without digits is no number at all.
                "minus_infinity" => "token_malformed",
                _ => "claim_invalid",
            };
            all.push(refuse_claims(format!("{claim}_{name}"), code, &user_v2().with(claim, json)));
        }
    }
    all
}

fn edges() -> Vec<Vector> {
    vec![
        accept_claims("expires_next_second", &at("exp", NOW + 1)),
        accept_claims("expired_within_leeway", &at("exp", NOW)),
        accept_claims("expired_last_second_of_leeway", &at("exp", NOW - LEEWAY + 1)),
        refuse_claims("expired_at_leeway", "token_expired", &at("exp", NOW - LEEWAY)),
        refuse_claims("expired_beyond_leeway", "token_expired", &at("exp", NOW - LEEWAY - 1)),
        refuse_claims("expired_in_1970", "token_expired", &at("exp", 1)),
        accept_claims("nbf_at_leeway", &at("nbf", NOW + LEEWAY)),
        refuse_claims("nbf_beyond_leeway", "token_not_yet_valid", &at("nbf", NOW + LEEWAY + 1)),
        accept_claims("iat_at_leeway", &at("iat", NOW + LEEWAY)),
        refuse_claims("iat_beyond_leeway", "token_not_yet_valid", &at("iat", NOW + LEEWAY + 1)),
        refuse_claims("nbf_at_the_end_of_time", "token_not_yet_valid", &at("nbf", (1 << 53) - 1)),
        refuse_claims("iat_at_the_end_of_time", "token_not_yet_valid", &at("iat", (1 << 53) - 1)),
        refuse_claims("exp_at_the_end_of_time", "lifetime_too_long", &at("exp", (1 << 53) - 1)),
        accept_claims("longest_lifetime", &at("exp", NOW + 60).with("iat", (NOW + 60 - LIFETIME).to_string())),
        refuse_claims(
            "lifetime_one_second_too_long",
            "lifetime_too_long",
            &at("exp", NOW + 60).with("iat", (NOW + 59 - LIFETIME).to_string()),
        ),
        refuse_claims("iat_in_1970", "lifetime_too_long", &at("iat", 1)),
        // A token valid from before it was issued is odd and harmless; Entra backdates `nbf` itself.
        accept_claims("nbf_long_ago", &at("nbf", 1)),
        // Milliseconds instead of seconds: a mistake that must not make a token immortal.
        refuse_claims("exp_in_milliseconds", "lifetime_too_long", &at("exp", (NOW + 60) * 1000)),
    ]
}

/// With leeway and lifetime of the profile changed
pub fn scenes() -> Vec<Scene> {
    let mut strict = Scene::standard(
        "no_leeway",
        vec![
            accept_claims("expires_next_second", &at("exp", NOW + 1)),
            refuse_claims("expires_now", "token_expired", &at("exp", NOW)),
            accept_claims("valid_from_now", &at("nbf", NOW)),
            refuse_claims("valid_from_next_second", "token_not_yet_valid", &at("nbf", NOW + 1)),
            accept_claims("issued_now", &at("iat", NOW)),
            refuse_claims("issued_next_second", "token_not_yet_valid", &at("iat", NOW + 1)),
            accept_claims("as_long_as_allowed", &at("exp", NOW + 3600)),
            refuse_claims("longer_than_allowed", "lifetime_too_long", &at("exp", NOW + 3601)),
        ],
    );
    let mut endless = Scene::standard(
        "endless_leeway",
        vec![
            accept_claims("sums_do_not_overflow", &at("exp", (1 << 53) - 1).with("iat", "1")),
            accept_claims("long_expired", &at("exp", 1).with("iat", "1")),
        ],
    );
    for profile in &mut strict.configuration.profiles {
        profile.leeway_seconds = 0;
        profile.lifetime_seconds = 3660;
    }
    for profile in &mut endless.configuration.profiles {
        profile.leeway_seconds = u64::MAX;
        profile.lifetime_seconds = u64::MAX;
    }
    vec![strict, endless, configured(), narrowest()]
}

/// Leeway and lifetime as an operator sets them
fn configured() -> Scene {
    with_times(
        "configured_times",
        json!({ "leeway": 30, "maxLifetime": 7200 }),
        vec![
            accept_claims("last_second_of_leeway", &at("exp", NOW - 29)),
            refuse_claims("at_leeway", "token_expired", &at("exp", NOW - 30)),
            accept_claims("nbf_at_leeway", &at("nbf", NOW + 30)),
            refuse_claims("nbf_beyond_leeway", "token_not_yet_valid", &at("nbf", NOW + 31)),
            accept_claims("iat_at_leeway", &at("iat", NOW + 30)),
            refuse_claims("iat_beyond_leeway", "token_not_yet_valid", &at("iat", NOW + 31)),
            accept_claims("longest_lifetime", &at("iat", NOW - 60).with("exp", (NOW + 7140).to_string())),
            refuse_claims(
                "lifetime_too_long",
                "lifetime_too_long",
                &at("iat", NOW - 60).with("exp", (NOW + 7141).to_string()),
            ),
        ],
    )
}

/// The strictest that may be set; what is left out stays as usual
fn narrowest() -> Scene {
    with_times(
        "narrowest_times",
        json!({ "leeway": 0, "maxLifetime": 600 }),
        vec![
            accept_claims("expires_next_second", &at("exp", NOW + 1).with("iat", (NOW - 60).to_string())),
            refuse_claims("expires_now", "token_expired", &at("exp", NOW).with("iat", (NOW - 60).to_string())),
            accept_claims("ten_minutes", &at("exp", NOW + 600).with("iat", NOW.to_string())),
            refuse_claims("a_second_more", "lifetime_too_long", &at("exp", NOW + 601).with("iat", NOW.to_string())),
        ],
    )
}

fn with_times(name: &'static str, times: Value, vectors: Vec<Vector>) -> Scene {
    let mut scene = Scene::standard(name, vectors);
    let mut tenant = tenant(TENANT, "global");
    for (key, value) in times.as_object().unwrap() {
        tenant[key] = value.clone();
    }
    scene.configuration = configuration(&json!([tenant]), &json!({}), &json!({}));
    scene
}
