//! Names that appear twice, or look like another: two readers must never see two values

use super::{accept_claims, refuse, refuse_claims};
use crate::support::{
    claims::{API, FOREIGN, PERSON, PORTAL, TENANT, user_v2},
    jws::sign,
    keys::RSA_A,
    scene::Vector,
};

const TWICE: &str = "claim_duplicated";

/// The vectors
pub fn vectors() -> Vec<Vector> {
    let mut all = claims();
    all.extend(nested());
    all.extend(letter_cases());
    all.extend(look_alikes());
    all.extend(headers());
    all
}

fn claims() -> Vec<Vector> {
    let mut all: Vec<_> = [
        ("iss", "\"https://evil.example\""),
        ("aud", "\"api://backstage\""),
        ("exp", "9999999999"),
        ("nbf", "1"),
        ("iat", "1"),
        ("tid", "\"99999999-8888-7777-6666-555555555555\""),
        ("oid", "\"99999999-8888-7777-6666-555555555555\""),
        ("azp", "\"99999999-8888-7777-6666-555555555555\""),
        ("scp", "\"x\""),
        ("ver", "\"2.0\""),
        ("groups", "[]"),
        ("roles", "[]"),
        ("name", "\"Eve\""),
        ("aio", "\"\""),
    ]
    .into_iter()
    .flat_map(|(name, json)| {
        [
            refuse_claims(format!("{name}_again_at_the_end"), TWICE, &user_v2().and(name, json)),
            refuse_claims(format!("{name}_again_at_the_start"), TWICE, &user_v2().after(name, json)),
        ]
    })
    .collect();
    all.extend([
        refuse_claims("same_value_twice", TWICE, &user_v2().and("oid", format!("\"{PERSON}\""))),
        refuse_claims("unknown_claim_twice", TWICE, &user_v2().and("x", "1").and("x", "1")),
        refuse_claims("empty_name_twice", TWICE, &user_v2().and("", "1").and("", "1")),
        refuse_claims("escaped_name_beside_plain", TWICE, &user_v2().and(r"\u0061ud", "\"x\"")),
        refuse_claims("escaped_name_before_plain", TWICE, &user_v2().after(r"\u0065xp", "1")),
        refuse_claims("escaped_twice_differently", TWICE, &user_v2().and(r"\u0078y", "1").and(r"x\u0079", "1")),
        refuse_claims("escape_in_either_case", TWICE, &user_v2().and(r"\u00e9", "1").and(r"\u00E9", "1")),
        accept_claims("escaped_name_alone", &user_v2().without("oid").and(r"\u006fid", format!("\"{PERSON}\""))),
    ]);
    all
}

fn nested() -> Vec<Vector> {
    vec![
        refuse_claims("in_an_object", TWICE, &user_v2().and("x", r#"{"a":1,"a":2}"#)),
        refuse_claims("in_an_object_in_arrays", TWICE, &user_v2().and("x", r#"[[{"a":1,"b":2,"a":3}]]"#)),
        refuse_claims("deep_down", TWICE, &user_v2().and("x", r#"{"a":{"a":{"a":{"b":1,"b":2}}}}"#)),
        refuse_claims("in_claim_names", TWICE, &user_v2().and("_claim_names", r#"{"groups":"a","groups":"b"}"#)),
        refuse_claims(
            "in_claim_names_escaped",
            TWICE,
            &user_v2().and("_claim_names", r#"{"groups":"a","gr\u006fups":"b"}"#),
        ),
        refuse_claims("in_cnf_comes_before_its_refusal", TWICE, &user_v2().and("cnf", r#"{"kid":"a","kid":"b"}"#)),
        accept_claims("same_name_at_different_depths", &user_v2().and("x", r#"{"aud":{"aud":1},"oid":[{"oid":2}]}"#)),
        accept_claims("nested_claims_decide_nothing", &user_v2().and("x", r#"{"exp":1,"tid":"y","cnf":{},"nonce":1}"#)),
    ]
}

fn letter_cases() -> Vec<Vector> {
    let ours = format!("\"{TENANT}\"");
    let foreign = format!("\"{FOREIGN}\"");
    let mut all = vec![
        refuse_claims("tid_then_its_capitals", TWICE, &user_v2().and("TID", &foreign)),
        refuse_claims("tid_after_its_capitals", TWICE, &user_v2().after("TID", &foreign)),
        refuse_claims("tid_same_in_capitals", TWICE, &user_v2().and("Tid", ours)),
        refuse_claims(
            "tid_in_two_other_cases",
            TWICE,
            &user_v2().without("tid").and("Tid", &foreign).and("TID", &foreign),
        ),
        refuse_claims("tid_with_escaped_capital", TWICE, &user_v2().and(r"\u0054id", &foreign)),
    ];
    for name in [
        "Iss",
        "AUD",
        "Oid",
        "eXp",
        "NBF",
        "Iat",
        "AZP",
        "AppId",
        "IdTyp",
        "Scp",
        "Roles",
        "Groups",
        "CNF",
        "VER",
        "HasGroups",
    ] {
        let claims = user_v2().with_text("appid", PORTAL).with_text("idtyp", "user").with("hasgroups", "false");
        // `cnf` itself is refused for what it is: its capitals must be noticed without it.
        let expected = match name {
            "CNF" => accept_claims(format!("{name}_alone_is_another_claim"), &claims.and(name, "1")),
            _ => refuse_claims(format!("{name}_beside_the_exact_name"), TWICE, &claims.and(name, "1")),
        };
        all.push(expected);
    }
    let many = format!("[{}]", vec![format!("\"{PORTAL}\""); 500].join(","));
    all.extend([
        refuse_claims("display_claim_in_two_cases", TWICE, &user_v2().and("Name", "1")),
        accept_claims("claims_that_are_not_read_in_two_cases", &user_v2().and("UTI", "1").and("Uti", "2")),
        accept_claims("capital_name_alone", &user_v2().without("name").and("Name", "1")),
        // Another spelling never costs a budget of its own.
        accept_claims(
            "capital_name_alone_with_many_groups",
            &user_v2().without("name").with("groups", many).and("Name", "1"),
        ),
    ]);
    all
}

fn look_alikes() -> Vec<Vector> {
    let api = format!("\"{API}\"");
    let mut all: Vec<_> = [
        ("full_width", "ａｕｄ"),
        ("zero_width_joiner", "a\u{200d}ud"),
        ("cyrillic_a", "\u{430}ud"),
        ("trailing_space", "aud "),
        ("trailing_nul", r"aud\u0000"),
        ("combining_mark", "aud\u{301}"),
    ]
    .into_iter()
    .flat_map(|(what, name)| {
        [
            accept_claims(format!("aud_look_alike_{what}_beside"), &user_v2().and(name, "\"x\"")),
            refuse_claims(
                format!("aud_look_alike_{what}_instead"),
                "claim_missing",
                &user_v2().without("aud").and(name, &api),
            ),
        ]
    })
    .collect();
    all.extend([
        accept_claims("composed_and_decomposed_names", &user_v2().and("\u{e9}", "1").and("e\u{301}", "2")),
        accept_claims(
            "prototype_names",
            &user_v2().and("__proto__", r#"{"oid":"x","roles":["Admin"]}"#).and("constructor", "{}"),
        ),
        refuse_claims(
            "claims_in_the_prototype",
            "claim_missing",
            &user_v2().without("oid").and("__proto__", format!(r#"{{"oid":"{PERSON}"}}"#)),
        ),
    ]);
    all
}

fn headers() -> Vec<Vector> {
    [
        ("header_alg_twice", r#"{"alg":"none","alg":"RS256","kid":"a"}"#, Err(TWICE)),
        ("header_kid_twice", r#"{"alg":"RS256","kid":"a","kid":"a"}"#, Err(TWICE)),
        ("header_alg_escaped", r#"{"alg":"RS256","\u0061lg":"none","kid":"a"}"#, Err(TWICE)),
        ("header_unknown_twice", r#"{"alg":"RS256","kid":"a","x":1,"x":1}"#, Err(TWICE)),
        ("header_nested_twice", r#"{"alg":"RS256","kid":"a","x":{"y":1,"y":1}}"#, Err(TWICE)),
        ("header_typ_twice", r#"{"typ":"JWT","typ":"JWT","alg":"RS256","kid":"a"}"#, Err(TWICE)),
        // Names in a header are exact (RFC 7515 section 4): another case is an unknown member.
        ("header_alg_in_capitals_beside", r#"{"alg":"RS256","ALG":"none","kid":"a"}"#, Ok(())),
    ]
    .into_iter()
    .map(|(name, header, expected)| {
        let token = sign(header, user_v2().text(), &RSA_A, "RS256");
        match expected {
            Ok(()) => super::user(name, token),
            Err(code) => refuse(name, code, token),
        }
    })
    .collect()
}
