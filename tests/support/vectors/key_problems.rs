//! Keys as published: which of them may be used, and for whom

use serde_json::{Value, json};

use super::{refuse, user};
use crate::support::{
    claims::{CONSUMERS, FOREIGN, TENANT, user_v2, v2_issuer},
    jws::{KID, header, sign, token_of},
    keys::{P256, P384, RSA_A, RSA_B, RSA_WEAK, TestKey},
    scene::{Scene, Vector},
};

const UNUSABLE: &str = "key_unusable";
const MISMATCH: &str = "key_issuer_mismatch";

/// Each with its own key sets
pub fn scenes() -> Vec<Scene> {
    let (keys, vectors) = published();
    let (ec_keys, ec_vectors) = curves();
    vec![
        Scene::with_keys("keys", &keys, vectors),
        Scene::with_keys("curves", &ec_keys, ec_vectors).allowing(&["RS256", "ES256", "ES384"]),
    ]
}

/// A key that is published in some way, and a token correctly signed by it
struct Row {
    kid: &'static str,
    key: &'static TestKey,
    member: &'static str,
    value: Value,
    expected: Result<(), &'static str>,
}

fn row(kid: &'static str, member: &'static str, value: Value, expected: Result<(), &'static str>) -> Row {
    Row { kid, key: &RSA_B, member, value, expected }
}

fn rows() -> Vec<Row> {
    let template = v2_issuer("{tenantid}");
    let exact = v2_issuer(TENANT);
    vec![
        row("use_sig", "use", json!("sig"), Ok(())),
        row("use_absent", "use", Value::Null, Ok(())),
        row("use_enc", "use", json!("enc"), Err(UNUSABLE)),
        row("use_empty", "use", json!(""), Err(UNUSABLE)),
        row("use_in_capitals", "use", json!("SIG"), Err(UNUSABLE)),
        row("key_ops_verify", "key_ops", json!(["verify"]), Ok(())),
        row("key_ops_sign_and_verify", "key_ops", json!(["sign", "verify"]), Ok(())),
        row("key_ops_sign", "key_ops", json!(["sign"]), Err(UNUSABLE)),
        row("key_ops_encrypt", "key_ops", json!(["encrypt", "wrapKey"]), Err(UNUSABLE)),
        row("key_ops_empty", "key_ops", json!([]), Err(UNUSABLE)),
        row("alg_rs256", "alg", json!("RS256"), Ok(())),
        row("alg_rs512", "alg", json!("RS512"), Err(UNUSABLE)),
        row("alg_ps256", "alg", json!("PS256"), Err(UNUSABLE)),
        row("alg_hs256", "alg", json!("HS256"), Err(UNUSABLE)),
        row("alg_none", "alg", json!("none"), Err(UNUSABLE)),
        row("alg_rsa_oaep", "alg", json!("RSA-OAEP"), Err(UNUSABLE)),
        row("alg_es256_on_rsa", "alg", json!("ES256"), Err(UNUSABLE)),
        row("kty_ec", "kty", json!("EC"), Err(UNUSABLE)),
        row("kty_oct", "kty", json!("oct"), Err(UNUSABLE)),
        row("kty_in_lower_case", "kty", json!("rsa"), Err(UNUSABLE)),
        row("e_one", "e", json!("AQ"), Err(UNUSABLE)),
        row("e_two", "e", json!("Ag"), Err(UNUSABLE)),
        row("e_zero", "e", json!("AA"), Err(UNUSABLE)),
        row("e_even", "e", json!("AQAC"), Err(UNUSABLE)),
        row("e_empty", "e", json!(""), Err(UNUSABLE)),
        row("e_long", "e", json!("AQAAAAAB"), Err(UNUSABLE)),
        row("e_standard_base64", "e", json!("AQAB=="), Err(UNUSABLE)),
        row("e_with_leading_zero", "e", json!("AAEAAQ"), Ok(())),
        row("n_empty", "n", json!(""), Err(UNUSABLE)),
        row("n_garbage", "n", json!("not base64!"), Err(UNUSABLE)),
        row("n_absent", "n", Value::Null, Err(UNUSABLE)),
        // Microsoft's own members: whose tokens the key signs, and in which cloud.
        row("issuer_template", "issuer", json!(template), Ok(())),
        row("issuer_exact", "issuer", json!(exact), Ok(())),
        row("issuer_other_tenant", "issuer", json!(v2_issuer(FOREIGN)), Err(MISMATCH)),
        row("issuer_personal_accounts", "issuer", json!(v2_issuer(CONSUMERS)), Err(MISMATCH)),
        row("issuer_gov", "issuer", json!("https://login.microsoftonline.us/{tenantid}/v2.0"), Err(MISMATCH)),
        row("issuer_v1", "issuer", json!("https://sts.windows.net/{tenantid}/"), Err(MISMATCH)),
        row("issuer_template_twice", "issuer", json!("https://{tenantid}/{tenantid}/v2.0"), Err(MISMATCH)),
        row("issuer_only_template", "issuer", json!("{tenantid}"), Err(MISMATCH)),
        row("issuer_prefix", "issuer", json!("https://login.microsoftonline.com/"), Err(MISMATCH)),
        row("issuer_empty", "issuer", json!(""), Err(MISMATCH)),
        row("issuer_space", "issuer", json!(" "), Err(MISMATCH)),
        row("cloud_global", "cloud_instance_name", json!("microsoftonline.com"), Ok(())),
        row("cloud_gov", "cloud_instance_name", json!("microsoftonline.us"), Err(MISMATCH)),
        row("cloud_empty", "cloud_instance_name", json!(""), Err(MISMATCH)),
        row("unknown_member", "x5t", json!("anything"), Ok(())),
    ]
}

fn published() -> (Vec<Value>, Vec<Vector>) {
    let mut keys = vec![RSA_A.jwk(KID)];
    let mut vectors = vec![user("good_key_among_bad", token_of(&RSA_A, KID, user_v2().text()))];
    for row in rows() {
        let mut jwk = row.key.jwk_with(row.kid, row.member, row.value.clone());
        if row.value.is_null() {
            jwk.as_object_mut().unwrap().remove(row.member);
        }
        keys.push(jwk);
        let token = token_of(row.key, row.kid, user_v2().text());
        vectors.push(match row.expected {
            Ok(()) => user(row.kid, token),
            Err(code) => refuse(row.kid, code, token),
        });
    }
    keys.extend([
        RSA_WEAK.jwk("weak"),
        long_modulus("long"),
        even_modulus("even"),
        RSA_A.jwk("twice"),
        RSA_B.jwk("twice"),
        RSA_A.jwk("same_twice"),
        RSA_A.jwk("same_twice"),
        P256.jwk("ec_where_only_rsa"),
        json!({ "kty": "RSA", "n": RSA_A.jwk("")["n"], "e": "AQAB" }),
        RSA_A.jwk(""),
    ]);
    let by = |key: &TestKey, kid: &str| token_of(key, kid, user_v2().text());
    vectors.extend([
        refuse("rsa_1024", UNUSABLE, by(&RSA_WEAK, "weak")),
        refuse("rsa_longer_than_4096", UNUSABLE, by(&RSA_A, "long")),
        refuse("modulus_even", UNUSABLE, by(&RSA_A, "even")),
        refuse("kid_twice_first_key", UNUSABLE, by(&RSA_A, "twice")),
        refuse("kid_twice_second_key", UNUSABLE, by(&RSA_B, "twice")),
        refuse("same_key_twice", UNUSABLE, by(&RSA_A, "same_twice")),
        refuse("ec_key_where_only_rsa_is_allowed", UNUSABLE, by(&P256, "ec_where_only_rsa")),
        refuse("key_without_kid_by_empty_kid", UNUSABLE, by(&RSA_A, "")),
        refuse(
            "key_without_kid_by_no_kid",
            "key_unknown",
            sign(r#"{"alg":"RS256"}"#, user_v2().text(), &RSA_A, "RS256"),
        ),
        refuse("weak_key_says_another_algorithm", UNUSABLE, {
            sign(header("PS256", "weak"), user_v2().text(), &RSA_WEAK, "PS256")
        }),
    ]);
    (keys, vectors)
}

/// More bits than any issuer publishes; the portable verifier could not hold it
fn long_modulus(kid: &str) -> Value {
    let long = "w".repeat(700);
    RSA_A.jwk_with(kid, "n", json!(long))
}

fn even_modulus(kid: &str) -> Value {
    let mut n = RSA_A.number("n");
    *n.last_mut().unwrap() -= 1;
    RSA_A.jwk_with(kid, "n", json!(entra_access_core::base64url::encode(&n)))
}

fn curves() -> (Vec<Value>, Vec<Vector>) {
    let y = P256.jwk("")["y"].clone();
    let zeros = json!("A".repeat(43));
    let off = {
        let mut y = P256.number("y");
        y[31] ^= 1;
        json!(entra_access_core::base64url::encode(&y))
    };
    let infinity = {
        let mut jwk = P256.jwk_with("infinity", "x", zeros.clone());
        jwk["y"] = zeros.clone();
        jwk
    };
    let rows = [
        (P256.jwk("good"), Ok(())),
        (P256.jwk_with("off_the_curve", "y", off), Err(UNUSABLE)),
        (P256.jwk_with("x_zero", "x", zeros), Err(UNUSABLE)),
        (P256.jwk_with("x_is_y", "x", y), Err(UNUSABLE)),
        (infinity, Err(UNUSABLE)),
        (P256.jwk_with("says_p384", "crv", json!("P-384")), Err(UNUSABLE)),
        (P256.jwk_with("says_p521", "crv", json!("P-521")), Err(UNUSABLE)),
        (P256.jwk_with("says_secp256k1", "crv", json!("secp256k1")), Err(UNUSABLE)),
        (P256.jwk_with("crv_in_lower_case", "crv", json!("p-256")), Err(UNUSABLE)),
        (P256.jwk_with("says_rsa", "kty", json!("RSA")), Err(UNUSABLE)),
        (P256.jwk_with("x_short", "x", json!("AQAB")), Err(UNUSABLE)),
        (P256.jwk_with("y_absent", "y", Value::Null), Err(UNUSABLE)),
        (P256.jwk_with("alg_es384", "alg", json!("ES384")), Err(UNUSABLE)),
        (P256.jwk_with("alg_rs256", "alg", json!("RS256")), Err(UNUSABLE)),
        (P256.jwk_with("alg_es512", "alg", json!("ES512")), Err(UNUSABLE)),
        (P256.jwk_with("alg_ecdh", "alg", json!("ECDH-ES")), Err(UNUSABLE)),
        (P256.jwk_with("use_enc", "use", json!("enc")), Err(UNUSABLE)),
    ];
    let vectors = rows.iter().map(|(jwk, expected)| {
        let kid = jwk["kid"].as_str().unwrap();
        let token = token_of(&P256, kid, user_v2().text());
        match expected {
            Ok(()) => user(kid, token),
            Err(code) => refuse(kid, code, token),
        }
    });
    let mut vectors: Vec<_> = vectors.collect();
    let mut keys: Vec<_> = rows.into_iter().map(|(jwk, _)| jwk).collect();
    keys.push(P384.jwk("p384"));
    vectors.push(user("p384", token_of(&P384, "p384", user_v2().text())));
    (keys, vectors)
}
