//! The JOSE header: which algorithm and key, and what must not be there

use entra_access_core::base64url;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};

use super::{accept_claims, refuse, user};
use crate::support::{
    claims::user_v2,
    jws::{KID, header, sign, token, token_of},
    keys::{P256, RSA_A, RSA_B},
    scene::Vector,
};

/// The vectors
pub fn vectors() -> Vec<Vector> {
    let mut all = algorithms();
    all.extend(keys_in_the_token());
    all.extend(key_ids());
    all.extend(extensions());
    all.extend(types());
    all
}

fn signed(header: &str) -> Vec<u8> {
    sign(header, user_v2().text(), &RSA_A, "RS256")
}

/// A header with more members than Entra's
fn with(members: &str) -> Vec<u8> {
    signed(&format!(r#"{{"alg":"RS256","kid":"{KID}",{members}}}"#))
}

fn algorithms() -> Vec<Vector> {
    let unsigned = |algorithm: &str| {
        let text = header(algorithm, KID);
        format!("{}.{}.", base64url::encode(text.as_bytes()), base64url::encode(user_v2().text().as_bytes()))
    };
    let mut all = vec![
        // An empty signature is refused for its form; with one, the name of the algorithm is looked at.
        refuse("alg_none_unsigned", "token_malformed", unsigned("none").into_bytes()),
        refuse("alg_none_with_a_signature", "algorithm_not_allowed", format!("{}AAAA", unsigned("none")).into_bytes()),
    ];
    for name in [
        "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "rs256", "RS256 ", "RS-256", "ES512", "EdDSA",
        "ES256K", "RSA1_5", "dir", "RS1",
    ] {
        all.push(refuse(format!("alg_{name}"), "algorithm_not_allowed", signed(&header(name, KID))));
    }
    for (name, text) in [
        ("alg_missing", r#"{"kid":"a"}"#),
        ("alg_array", r#"{"alg":["RS256"],"kid":"a"}"#),
        ("alg_null", r#"{"alg":null,"kid":"a"}"#),
        ("alg_number", r#"{"alg":256,"kid":"a"}"#),
        ("alg_in_capitals_only", r#"{"ALG":"RS256","kid":"a"}"#),
    ] {
        all.push(refuse(name, "algorithm_not_allowed", signed(text)));
    }
    // The key is pinned to RS256: a correct signature of another scheme is no way around it.
    for algorithm in ["RS384", "RS512", "PS256", "PS384", "PS512"] {
        let token = sign(header(algorithm, KID), user_v2().text(), &RSA_A, algorithm);
        all.push(refuse(format!("rs256_key_used_as_{algorithm}"), "algorithm_not_allowed", token));
    }
    all.push(refuse(
        "es256_under_the_kid_of_an_rsa_key",
        "algorithm_not_allowed",
        token_of(&P256, KID, user_v2().text()),
    ));
    all.push(refuse(
        "alg_rs256_signed_as_rs512",
        "signature_invalid",
        sign(header("RS256", KID), user_v2().text(), &RSA_A, "RS512"),
    ));
    all.push(refuse(
        "alg_rs256_signed_as_ps256",
        "signature_invalid",
        sign(header("RS256", KID), user_v2().text(), &RSA_A, "PS256"),
    ));
    all.push(refuse("hs256_with_the_public_key_as_secret", "algorithm_not_allowed", hmac_confusion()));
    all
}

/// RS256 to HS256: the attacker's secret is the public modulus, which everybody has
fn hmac_confusion() -> Vec<u8> {
    let signed = format!(
        "{}.{}",
        base64url::encode(header("HS256", KID).as_bytes()),
        base64url::encode(user_v2().text().as_bytes())
    );
    let secret = EncodingKey::from_secret(&RSA_A.number("n"));
    let signature = crypto::sign(signed.as_bytes(), &secret, Algorithm::HS256).unwrap();
    format!("{signed}.{signature}").into_bytes()
}

fn keys_in_the_token() -> Vec<Vector> {
    let own = RSA_B.jwk("evil").to_string();
    let by_attacker = |text: String| sign(text, user_v2().text(), &RSA_B, "RS256");
    vec![
        refuse(
            "jwk_of_the_attacker",
            "key_unusable",
            by_attacker(format!(r#"{{"alg":"RS256","kid":"evil","jwk":{own}}}"#)),
        ),
        refuse(
            "jwk_of_the_attacker_under_a_known_kid",
            "key_unusable",
            by_attacker(format!(r#"{{"alg":"RS256","kid":"a","jwk":{own}}}"#)),
        ),
        refuse("jwk_beside_a_good_signature", "key_unusable", with(r#""jwk":{}"#)),
        refuse("jku", "key_unusable", with(r#""jku":"https://evil.example/keys""#)),
        refuse("x5u", "key_unusable", with(r#""x5u":"https://evil.example/cert""#)),
        refuse("x5c", "key_unusable", with(r#""x5c":["MIIB"]"#)),
        refuse("x5c_empty", "key_unusable", with(r#""x5c":[]"#)),
        // v1.0 tokens carry the thumbprint of the published certificate: it selects nothing and hurts nothing.
        user("x5t", with(r#""x5t":"a""#)),
        refuse("x5t_known_but_kid_unknown", "key_unknown", signed(r#"{"alg":"RS256","x5t":"a","kid":"z"}"#)),
    ]
}

fn key_ids() -> Vec<Vector> {
    let mut all: Vec<_> = [
        ("kid_missing", r#"{"alg":"RS256"}"#),
        ("kid_empty", r#"{"alg":"RS256","kid":""}"#),
        ("kid_number", r#"{"alg":"RS256","kid":1}"#),
        ("kid_array", r#"{"alg":"RS256","kid":["a"]}"#),
        ("kid_null", r#"{"alg":"RS256","kid":null}"#),
        ("kid_other_case", r#"{"alg":"RS256","kid":"A"}"#),
        ("kid_with_space", r#"{"alg":"RS256","kid":"a "}"#),
        ("kid_with_nul", r#"{"alg":"RS256","kid":"a\u0000"}"#),
        ("kid_path", r#"{"alg":"RS256","kid":"../../../../dev/null"}"#),
        ("kid_sql", r#"{"alg":"RS256","kid":"x' UNION SELECT 'a' --"}"#),
        ("kid_prototype", r#"{"alg":"RS256","kid":"__proto__"}"#),
        ("kid_star", r#"{"alg":"RS256","kid":"*"}"#),
    ]
    .map(|(name, text)| refuse(name, "key_unknown", signed(text)))
    .into();
    all.push(user("kid_escaped", signed(r#"{"alg":"RS256","kid":"\u0061"}"#)));
    all.push(refuse("kid_of_another_profile", "key_unknown", token_of(&RSA_B, "b", user_v2().text())));
    all.push(accept_claims("kid_like_entras", &user_v2()));
    all
}

fn extensions() -> Vec<Vector> {
    let mut all: Vec<_> = [
        ("crit_empty", r#""crit":[]"#),
        ("crit_known_claim", r#""crit":["exp"],"exp":9999999999"#),
        ("crit_unknown", r#""crit":["x"],"x":1"#),
        ("crit_b64", r#""crit":["b64"]"#),
        ("crit_twice_named", r#""crit":["x","x"],"x":1"#),
        ("crit_string", r#""crit":"exp""#),
        ("crit_null", r#""crit":null"#),
    ]
    .map(|(name, members)| refuse(name, "critical_header_unsupported", with(members)))
    .into();
    for (name, members) in [
        ("b64_false", r#""b64":false"#),
        ("b64_true", r#""b64":true"#),
        ("b64_false_and_critical", r#""crit":["b64"],"b64":false"#),
        ("zip", r#""zip":"DEF""#),
        ("cty_nested", r#""cty":"JWT""#),
    ] {
        all.push(refuse(name, "token_malformed", with(members)));
    }
    all.push(refuse("enc_on_a_signed_token", "token_encrypted", with(r#""enc":"A256GCM""#)));
    // Tokens for Microsoft Graph: signed over another text, and meant for somebody else.
    all.push(refuse("nonce_graph", "token_kind_not_allowed", with(r#""nonce":"abc""#)));
    all.push(user("unknown_members", with(r#""x":{"y":[1,null]},"__proto__":{}"#)));
    all
}

fn types() -> Vec<Vector> {
    let typed = |typ: &str| with(&format!(r#""typ":{typ}"#));
    let mut all = Vec::new();
    for typ in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT"] {
        all.push(user(format!("typ_{typ}"), typed(&format!("\"{typ}\""))));
    }
    all.push(user("typ_missing", signed(r#"{"alg":"RS256","kid":"a"}"#)));
    for typ in ["logout+jwt", "secevent+jwt", "dpop+jwt", "JOSE", "JWE", "application/", "", "pop"] {
        all.push(refuse(format!("typ_{typ}"), "token_kind_not_allowed", typed(&format!("\"{typ}\""))));
    }
    for typ in ["1", "null", "[\"JWT\"]"] {
        all.push(refuse(format!("typ_raw_{typ}"), "token_kind_not_allowed", typed(typ)));
    }
    all.push(user("same_header_again", token(user_v2().text())));
    all
}
