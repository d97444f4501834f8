//! Whole key sets: taken, or refused with the old keys kept

use entra_access_core::limits;
use serde_json::{Value, json};

use super::keys::{P256, RSA_A, RSA_B, RSA_WEAK, jwks};

/// A JWK Set and what must come of it: the number of usable keys, or a part of the reason
#[derive(Debug)]
pub struct KeySetRow {
    /// Says what is special about it
    pub name: &'static str,
    /// The document
    pub text: String,
    /// What must come of it
    pub expected: Result<usize, &'static str>,
}

/// The table
pub fn rows() -> Vec<KeySetRow> {
    let row = |name, text: String, expected| KeySetRow { name, text, expected };
    let many = |count: usize| {
        let keys: Vec<_> = (0..count).map(|n| RSA_A.jwk(&format!("k{n}"))).collect();
        jwks(&keys)
    };
    let mut all = vec![
        row("one_key", jwks(&[RSA_A.jwk("a")]), Ok(1)),
        row("two_keys", jwks(&[RSA_A.jwk("a"), RSA_B.jwk("b")]), Ok(2)),
        row("same_key_under_two_names", jwks(&[RSA_A.jwk("a"), RSA_A.jwk("b")]), Ok(2)),
        row("good_among_bad", jwks(&[RSA_A.jwk("a"), RSA_WEAK.jwk("b"), P256.jwk("c")]), Ok(1)),
        row("most_keys", many(limits::KEYS), Ok(limits::KEYS)),
        row("one_key_too_many", many(limits::KEYS + 1), Err("1001 keys, more than 1000")),
        row("unknown_members", json!({ "keys": [RSA_A.jwk("a")], "x": { "y": 1 } }).to_string(), Ok(1)),
        row("longest_kid", jwks(&[RSA_A.jwk(&"k".repeat(limits::KID_BYTES))]), Ok(1)),
        row("only_a_kid_too_long", jwks(&[RSA_A.jwk(&"k".repeat(limits::KID_BYTES + 1))]), Err("no usable key")),
        row("no_keys", jwks(&[]), Err("no usable key")),
        row("only_weak_keys", jwks(&[RSA_WEAK.jwk("a")]), Err("no usable key")),
        row("only_a_kid_twice", jwks(&[RSA_A.jwk("a"), RSA_B.jwk("a")]), Err("no usable key")),
        row("kid_three_times", jwks(&[RSA_A.jwk("a"), RSA_A.jwk("a"), RSA_A.jwk("a")]), Err("no usable key")),
        row("keys_missing", "{}".into(), Err("not a JWK Set")),
        row("keys_null", r#"{"keys":null}"#.into(), Err("not a JWK Set")),
        row("keys_object", r#"{"keys":{}}"#.into(), Err("not a JWK Set")),
        row("keys_twice", r#"{"keys":[],"keys":[]}"#.into(), Err("not a JWK Set")),
        row("key_not_an_object", r#"{"keys":["a"]}"#.into(), Err("not a JWK Set")),
        row("kid_number", jwks(&[RSA_A.jwk_with("a", "kid", json!(1))]), Err("not a JWK Set")),
        row("use_array", jwks(&[RSA_A.jwk_with("a", "use", json!(["sig"]))]), Err("not a JWK Set")),
        row("empty_text", String::new(), Err("not a JWK Set")),
        row("html", "<!DOCTYPE html><html>".into(), Err("not a JWK Set")),
        row("array", "[]".into(), Err("not a JWK Set")),
        row("null", "null".into(), Err("not a JWK Set")),
        row("cut_off", jwks(&[RSA_A.jwk("a")]).trim_end_matches('}').into(), Err("not a JWK Set")),
        row("text_after_it", format!("{} x", jwks(&[RSA_A.jwk("a")])), Err("not a JWK Set")),
        row("deep_nesting", format!("{{\"keys\":{}", "[".repeat(100_000)), Err("not a JWK Set")),
        row("member_twice", member_twice(), Err("not a JWK Set")),
    ];
    for (name, member) in [
        ("private_exponent", "d"),
        ("first_prime", "p"),
        ("second_prime", "q"),
        ("first_exponent", "dp"),
        ("second_exponent", "dq"),
        ("coefficient", "qi"),
        ("symmetric_value", "k"),
    ] {
        // Somebody published secrets: nothing in this document can be trusted any more.
        let leaked = RSA_B.jwk_with("leaked", member, json!("AQAB"));
        all.push(row(name, jwks(&[RSA_A.jwk("a"), leaked]), Err("private or symmetric")));
    }
    let oct = json!({ "kty": "oct", "kid": "s", "k": "AAAA" });
    all.push(row("symmetric_key", jwks(&[RSA_A.jwk("a"), oct]), Err("private or symmetric")));
    let primes = RSA_B.jwk_with("leaked", "oth", json!([{ "r": "AQAB" }]));
    all.push(row("other_primes", jwks(&[primes]), Err("private or symmetric")));
    let of_another_kind: Value = P256.jwk_with("ec", "d", json!("AQAB"));
    all.push(row("private_key_on_a_curve", jwks(&[RSA_A.jwk("a"), of_another_kind]), Err("private or symmetric")));
    all
}

fn member_twice() -> String {
    jwks(&[RSA_A.jwk("a")]).replace("\"kid\":\"a\"", "\"kid\":\"a\",\"kid\":\"b\"")
}
