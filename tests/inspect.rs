//! The inspector explains exactly the decision that is made, gives nothing away, and says what to change

use crate::support::{
    NOW,
    claims::{Claims, FOREIGN, PORTAL, TENANT, app_v2, id_token_v2, user_v1, user_v2, v2_issuer},
    jws::{KID, header, parts, sign, token, token_of},
    keys::{RSA_A, RSA_B},
    now,
    scene::{Scene, judge},
    vectors,
};
use entra_access_core::{
    engine::{Engine, Inspection},
    keys::portable::Portable,
    token::{
        Purpose,
        judge::{Line, Outcome},
        verify::{CHECKS, JOB_CHECKS},
    },
};

fn engine() -> Engine<Portable> {
    Scene::standard("inspect", Vec::new()).engine(Portable)
}

fn inspect(token: &[u8]) -> Inspection {
    engine().inspect(token, Purpose::Access, now())
}

fn line<'i>(inspection: &'i Inspection, check: &str) -> &'i Line {
    let mut lines = inspection.checks.iter().filter(|line| line.check == check);
    let line = lines.next().unwrap_or_else(|| panic!("no check {check}"));
    assert_eq!(lines.next(), None, "{check} is shown twice");
    line
}

#[test]
fn the_inspector_says_what_the_judge_says_for_every_vector() {
    for scene in vectors::scenes() {
        let mut engine = scene.engine(Portable);
        for vector in &scene.vectors {
            let name = format!("{}/{}", scene.name, vector.name);
            let judged = judge(&mut engine, &vector.token, vector.purpose);
            let before = engine.principals();
            let inspection = engine.inspect(&vector.token, vector.purpose, now());
            assert_eq!(engine.principals(), before, "{name}: somebody was taken in");
            assert_eq!(inspection.code, judged.as_ref().err().copied(), "{name}");
            let verdict = if judged.is_ok() { "accepted" } else { "rejected" };
            assert_eq!(inspection.verdict, verdict, "{name}");
            assert_eq!(inspection.principal, judged.ok(), "{name}");
            check_lines(&name, &inspection);
        }
    }
}

/// Every check once and in order, hints exactly where something failed
fn check_lines(name: &str, inspection: &Inspection) {
    let of_job = inspection.checks.iter().any(|line| line.check == "trust");
    let checks: &[_] = if of_job { &JOB_CHECKS } else { &CHECKS };
    for check in checks {
        let line = line(inspection, check);
        assert_eq!(line.hint.is_some(), line.outcome == Outcome::Fail, "{name}: {check}");
    }
    // Below them what explains a failure, if there is anything.
    let more = inspection.checks.get(checks.len()..).unwrap();
    assert!(more.iter().all(|line| line.check.starts_with("trust ")), "{name}");
    assert!(more.is_empty() || line(inspection, "trust").outcome == Outcome::Fail, "{name}");
    let outcomes: Vec<_> = inspection.checks.iter().map(|line| line.outcome).collect();
    let faultless = inspection.verdict == "accepted";
    assert_eq!(faultless, outcomes.iter().all(|outcome| *outcome == Outcome::Pass), "{name}: {outcomes:?}");
}

#[test]
fn no_line_holds_the_signature_or_the_token() {
    for scene in vectors::scenes() {
        let mut engine = scene.engine(Portable);
        for vector in &scene.vectors {
            let text = String::from_utf8_lossy(&vector.token);
            let shown = serde_json::to_string(&engine.inspect(&vector.token, vector.purpose, now())).unwrap();
            for part in text.split(['.', ' ', '"']).filter(|part| part.len() >= 24) {
                // Half of a signature is already too much.
                for piece in [&part.as_bytes()[..part.len() / 2], &part.as_bytes()[part.len() / 2..]] {
                    let piece = String::from_utf8_lossy(piece);
                    assert!(!shown.contains(piece.as_ref()), "{}/{}: {shown}", scene.name, vector.name);
                }
            }
            assert!(shown.len() < 64 * 1024, "{}/{}: {} bytes", scene.name, vector.name, shown.len());
        }
    }
}

#[test]
fn a_token_that_fails_early_is_still_shown_as_far_as_it_can_be_read() {
    let everything_wrong = user_v2()
        .with_text("aud", PORTAL)
        .with("exp", (NOW - 4000).to_string())
        .with("iat", (NOW - 8000).to_string())
        .with("cnf", "{}")
        .without("scp");
    let inspection = inspect(&sign(header("RS256", "unknown"), everything_wrong.text(), &RSA_B, "RS256"));
    assert_eq!(inspection.code, Some("key_unknown"));
    for (check, outcome) in [
        ("issuer", Outcome::Pass),
        ("key", Outcome::Fail),
        ("signature", Outcome::Skipped),
        ("tenant", Outcome::Pass),
        ("audience", Outcome::Fail),
        ("expiry", Outcome::Fail),
        ("lifetime", Outcome::Pass),
        ("proof of possession", Outcome::Fail),
        ("kind", Outcome::Fail),
        ("client", Outcome::Skipped),
    ] {
        assert_eq!(line(&inspection, check).outcome, outcome, "{check}");
    }
    let nothing = inspect(b"garbage");
    assert_eq!(line(&nothing, "form").outcome, Outcome::Fail);
    assert_eq!(line(&nothing, "kind").outcome, Outcome::Skipped);
}

fn with(claims: &Claims) -> Vec<u8> {
    token(claims.text())
}

#[test]
fn hints_name_the_setting_to_change() {
    let v1 = |claims: Claims| token_of(&RSA_B, "b", claims.text());
    let cases: [(&str, Vec<u8>, &str, &[&str]); 13] = [
        (
            "v1 token where the list holds another URI",
            v1(user_v1().with_text("aud", "api://other")),
            "audience",
            &["audiences", "accessTokenAcceptedVersion"],
        ),
        (
            "token that lives too long",
            with(&user_v2().with("iat", (NOW - 200_000).to_string())),
            "lifetime",
            &["maxLifetime"],
        ),
        ("token for another application", with(&user_v2().with_text("aud", PORTAL)), "audience", &["audiences"]),
        (
            "issuer of another cloud",
            with(&user_v2().with_text("iss", &v2_issuer(TENANT).replace(".com", ".us"))),
            "issuer",
            &["entraAccess.tenants", "cloud"],
        ),
        ("foreign tenant", with(&user_v2().with_text("iss", &v2_issuer(FOREIGN))), "issuer", &["entraAccess.tenants"]),
        (
            "B2C",
            with(&user_v2().with_text("iss", &format!("https://x.b2clogin.com/{TENANT}/v2.0/"))),
            "issuer",
            &["B2C is not supported"],
        ),
        ("clock behind", with(&user_v2().with("iat", (NOW + 420).to_string())), "issued at", &["clock"]),
        ("expired", with(&user_v2().with("exp", (NOW - 420).to_string())), "expiry", &["new token", "clock"]),
        ("ID token", with(&id_token_v2()), "kind", &["access token"]),
        ("application without idtyp", with(&app_v2().without("idtyp")), "kind", &["idtyp"]),
        ("application not listed", with(&app_v2().with_text("azp", PORTAL)), "client", &["clients"]),
        ("bound token", with(&user_v2().with("cnf", "{}")), "proof of possession", &["bearer"]),
        (
            "Graph token",
            sign(r#"{"alg":"RS256","kid":"a","nonce":"n"}"#, user_v2().text(), &RSA_A, "RS256"),
            "header",
            &["Microsoft Graph", "scope of this API"],
        ),
    ];
    for (name, token, check, words) in cases {
        let inspection = inspect(&token);
        let line = line(&inspection, check);
        assert_eq!(line.outcome, Outcome::Fail, "{name}");
        let hint = line.hint.as_deref().unwrap();
        for word in words {
            assert!(hint.contains(word), "{name}: `{hint}` does not say `{word}`");
        }
    }
}

#[test]
fn both_sides_are_shown() {
    let inspection = inspect(&with(
        &user_v2()
            .with_text("aud", "api://other")
            .with("exp", (NOW - 420).to_string())
            .with("iat", (NOW - 4000).to_string()),
    ));
    let audience = line(&inspection, "audience");
    assert!(audience.expected.contains("api://backstage"), "{audience:?}");
    assert_eq!(audience.actual, "api://other");
    let expiry = line(&inspection, "expiry");
    assert_eq!((expiry.expected.as_str(), expiry.actual.as_str()), ("at most 300 s ago", "420 s ago"));
}

#[test]
fn what_is_shown_of_a_token_is_short_and_harmless() {
    let nasty = "\\u001b[31m\\u0000\\r\\n<script>".to_owned() + &"x".repeat(5000);
    let claims = user_v2().with_text("iss", &nasty).with_text("aud", &nasty).with_text("ver", &nasty);
    let audiences = format!("[{}]", vec!["\"another-audience\""; 500].join(","));
    for token in [
        with(&user_v2().with("aud", audiences)),
        with(&claims),
        with(&claims.clone().with_text("iss", &v2_issuer(TENANT))),
        sign(header("RS256", &nasty[..200]), user_v2().text(), &RSA_A, "RS256"),
    ] {
        for line in inspect(&token).checks {
            for text in [&line.expected, &line.actual] {
                assert!(text.len() < 600, "{} bytes in {}", text.len(), line.check);
                assert!(!text.contains(char::is_control), "{}: {text:?}", line.check);
            }
        }
    }
}

#[test]
fn the_parts_of_a_good_token_are_not_echoed() {
    let good = token(user_v2().text());
    let shown = serde_json::to_string(&inspect(&good)).unwrap();
    for part in parts(&good) {
        assert!(!shown.contains(&part[..16]));
    }
    assert!(shown.contains(KID));
}
