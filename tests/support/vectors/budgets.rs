//! Budgets: work on a hostile token ends early, and says so by its own code

use entra_access_core::limits;

use super::{accept_claims, refuse, refuse_claims, user};
use crate::support::{
    claims::{Claims, user_v2},
    jws::{header, sign, token},
    keys::RSA_A,
    scene::Vector,
};

const BUDGET: &str = "budget_exceeded";

/// The vectors
pub fn vectors() -> Vec<Vector> {
    let mut all = sizes();
    all.extend(shapes());
    all.extend(headers());
    all
}

fn padded(bytes: usize) -> Claims {
    user_v2().with_text("xms_padding", &"x".repeat(bytes))
}

fn sizes() -> Vec<Vector> {
    // Base64 turns three bytes into four letters: the longest token below the limit is within four bytes of it.
    let room = limits::TOKEN_BYTES - token(padded(0).text()).len();
    let longest = (0..=room)
        .rev()
        .map(|letters| token(padded(letters * 3 / 4).text()))
        .find(|token| token.len() <= limits::TOKEN_BYTES)
        .unwrap();
    assert!(longest.len() > limits::TOKEN_BYTES - 4);
    let mut one_more = longest.clone();
    one_more.resize(limits::TOKEN_BYTES + 1, b'A');
    vec![
        user("longest_token", longest),
        refuse("one_byte_too_long", "token_too_large", one_more),
        refuse("token_of_a_megabyte", "token_too_large", token(padded(1 << 20).text())),
        refuse("garbage_of_a_megabyte", "token_too_large", vec![0xff; 1 << 20]),
        refuse("dots_up_to_the_limit", "token_malformed", vec![b'.'; limits::TOKEN_BYTES]),
        refuse("dots_beyond_the_limit", "token_too_large", vec![b'.'; limits::TOKEN_BYTES + 1]),
    ]
}

fn shapes() -> Vec<Vector> {
    let nested = |open: &str, close: &str, times: usize| {
        user_v2().with("x", format!("{}1{}", open.repeat(times), close.repeat(times)))
    };
    let depth = usize::from(limits::JSON_DEPTH);
    let standard = user_v2().text().matches("\":").count();
    let members = |count: usize| (0..count).fold(user_v2(), |claims, n| claims.and(&format!("m{n}"), "0"));
    let elements = |name: &str, count: usize| user_v2().with(name, format!("[{}]", vec!["\"r\""; count].join(",")));
    let spread = (0..limits::JSON_MEMBERS / 4).map(|_| r#"{"a":1,"b":2,"c":3,"d":4}"#).collect::<Vec<_>>().join(",");
    let groups: Vec<_> = (0..500).map(|n| format!("\"cccccccc-0000-0000-0000-{n:012}\"")).collect();
    vec![
        accept_claims("deepest_array", &nested("[", "]", depth - 1)),
        refuse_claims("array_one_too_deep", BUDGET, &nested("[", "]", depth)),
        accept_claims("deepest_object", &nested("{\"y\":", "}", depth - 1)),
        refuse_claims("object_one_too_deep", BUDGET, &nested("{\"y\":", "}", depth)),
        refuse_claims("twenty_thousand_arrays", BUDGET, &nested("[", "]", 10_000)),
        refuse_claims("arrays_never_closed", BUDGET, &user_v2().with("x", "[".repeat(20_000))),
        refuse_claims("objects_never_closed", BUDGET, &user_v2().with("x", "{\"y\":".repeat(4_000))),
        accept_claims("most_members", &members(limits::JSON_MEMBERS - standard)),
        refuse_claims("one_member_too_many", BUDGET, &members(limits::JSON_MEMBERS - standard + 1)),
        refuse_claims("members_spread_over_objects", BUDGET, &user_v2().with("x", format!("[{spread}]"))),
        accept_claims("most_roles", &elements("roles", limits::ARRAY_ELEMENTS)),
        refuse_claims("one_role_too_many", BUDGET, &elements("roles", limits::ARRAY_ELEMENTS + 1)),
        refuse_claims("one_element_too_many", BUDGET, &elements("x", limits::ARRAY_ELEMENTS + 1)),
        refuse_claims("too_many_audiences", BUDGET, &elements("aud", limits::ARRAY_ELEMENTS + 1)),
        // Entra stops at 200; beyond some 600 the token itself is too large, so the limit on groups is never met first.
        accept_claims("five_hundred_groups", &user_v2().with("groups", format!("[{}]", groups.join(",")))),
        accept_claims("large_numbers", &user_v2().with("x", format!("-{}.{}e-99", "9".repeat(5000), "9".repeat(5000)))),
    ]
}

fn headers() -> Vec<Vector> {
    let signed = |text: String| sign(text, user_v2().text(), &RSA_A, "RS256");
    let deep = |times: usize| format!(r#"{{"alg":"RS256","kid":"a","x":{}1{}}}"#, "[".repeat(times), "]".repeat(times));
    let members = |count: usize| {
        let more: Vec<_> = (0..count).map(|n| format!("\"m{n}\":0")).collect();
        format!(r#"{{"alg":"RS256","kid":"a",{}}}"#, more.join(","))
    };
    let depth = usize::from(limits::JSON_DEPTH);
    vec![
        refuse("longest_kid", "key_unknown", signed(header("RS256", &"k".repeat(limits::KID_BYTES)))),
        refuse("kid_one_byte_too_long", BUDGET, signed(header("RS256", &"k".repeat(limits::KID_BYTES + 1)))),
        refuse("kid_of_many_kilobytes", BUDGET, signed(header("RS256", &"k".repeat(20_000)))),
        // The length counts in bytes of the value, not of its spelling.
        refuse("longest_kid_escaped", "key_unknown", signed(header("RS256", &r"\u006b".repeat(limits::KID_BYTES)))),
        user("header_as_deep_as_allowed", signed(deep(depth - 1))),
        refuse("header_too_deep", BUDGET, signed(deep(depth))),
        user("header_with_most_members", signed(members(limits::JSON_MEMBERS - 2))),
        refuse("header_with_too_many_members", BUDGET, signed(members(limits::JSON_MEMBERS - 1))),
    ]
}
