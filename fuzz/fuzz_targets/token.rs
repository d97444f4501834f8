//! A token in any form: never a panic, one answer from both judgements, and nothing accepted that a plain reading refuses
//!
//! The first byte says what the rest is: a whole token, a payload, or header and payload with a zero byte between; and
//! as what and when it is offered.
#![no_main]

use std::cell::RefCell;

use entra_access_core::{
    engine::Engine,
    identity::{Job, Principal},
    time::Timestamp,
    token::Purpose,
};
use entra_access_fuzz::{
    AUDIENCES, BITBUCKET, GITHUB, GITLAB, HEADER, JOB_AUDIENCE, NOW, Stub, TENANT, configuration, engine, token,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// The kinds of input, in the lowest two bits
const WHOLE: u8 = 0;
const PAYLOAD: u8 = 1;

thread_local! {
    /// Kept from one input to the next, as in a process: what one token leaves behind must not change another's answer
    static KEPT: RefCell<[Engine<Stub>; 2]> =
        RefCell::new(["unknown", "reject"].map(|overage| engine(configuration(overage), Stub)));
}

fuzz_target!(|data: &[u8]| {
    let Some((how, rest)) = data.split_first() else {
        return;
    };
    let token = match how & 3 {
        WHOLE => rest.to_vec(),
        PAYLOAD => token(HEADER.as_bytes(), rest),
        _ => {
            let mut parts = rest.splitn(2, |byte| *byte == 0);
            token(parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
        }
    };
    let purpose = if how & 4 == 0 { Purpose::Access } else { Purpose::SignIn };
    let overage = usize::from(how & 8 != 0);
    let now = match how >> 6 {
        0 | 1 => NOW,
        2 => 0,
        _ => u64::MAX,
    };
    let mut fresh = engine(configuration(["unknown", "reject"][overage]), Stub);
    let answer = judge(&mut fresh, &token, purpose, now);
    KEPT.with_borrow_mut(|kept| {
        assert_eq!(judge(&mut kept[overage], &token, purpose, now), answer, "an engine that has seen other tokens");
    });
    if let Ok(principal) = answer {
        read_plainly(&token, &principal, purpose, now);
    }
});

/// What the engine says, both ways
fn judge(engine: &mut Engine<Stub>, token: &[u8], purpose: Purpose, now: u64) -> Result<Principal, &'static str> {
    let now = Timestamp::from_seconds(now);
    let answer = engine.authenticate(token, purpose, now).map_err(|rejection| rejection.code.as_str());
    let answer = answer.map(|handle| {
        let principal = engine.principal(handle, now).cloned();
        engine.release(handle);
        assert!(engine.principal(handle, now).is_none(), "a released handle is nobody");
        principal
    });
    // At the end of time a token lives no longer than it is accepted: its principal may be gone at once.
    let answer = answer.map(|principal| principal.expect("a principal that was just taken in"));

    let shown = engine.inspect(token, purpose, now);
    assert_eq!(shown.code, answer.as_ref().err().copied(), "inspection and decision differ");
    assert_eq!(shown.verdict == "accepted", answer.is_ok());
    assert_eq!(shown.principal.as_ref(), answer.as_ref().ok());
    let failed = shown.checks.iter().filter(|line| line.hint.is_some()).count();
    assert!(answer.is_err() || failed == 0, "accepted with a failed check");
    for (at, line) in shown.checks.iter().enumerate() {
        assert!(shown.checks.iter().skip(at + 1).all(|other| other.check != line.check), "{} twice", line.check);
        assert!(!line.actual.chars().any(char::is_control), "control characters in a report");
    }
    answer
}

/// The accepted token as `serde_json` reads it: every claim that decides must say so there too
fn read_plainly(token: &[u8], principal: &Principal, purpose: Purpose, now: u64) {
    assert!(token.is_ascii() && token.len() <= 32 * 1024 && token.iter().filter(|byte| **byte == b'.').count() == 2);
    let mut parts = token.split(|byte| *byte == b'.');
    let (Some(header), Some(claims)) = (plain(parts.next().unwrap()), plain(parts.next().unwrap())) else {
        return;
    };
    assert_eq!(header["alg"], "RS256");
    assert!(header["kid"] == "a" || header["kid"] == "b" || header["kid"] == "c");
    for member in ["crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "cty", "enc", "nonce"] {
        assert!(header.get(member).is_none(), "{member} in the header");
    }

    let text = |name: &str| claims[name].as_str();
    assert!(claims.get("cnf").is_none() && claims.get("events").is_none());
    if let Some(job) = &principal.job {
        read_job_plainly(&claims, principal, job);
        assert_eq!(purpose, Purpose::Access);
        assert!(now < principal.expires_at.seconds());
        return;
    }
    let same = |name: &str, id: String| text(name).is_some_and(|value| value.to_ascii_lowercase() == id);
    let v2 = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    let issuer = text("iss").unwrap();
    assert!(issuer == v2 || issuer == v1, "{issuer}");
    let audiences = claims["aud"].as_array().cloned().unwrap_or_else(|| vec![claims["aud"].clone()]);
    assert!(audiences.iter().any(|audience| AUDIENCES.iter().any(|ours| audience == ours)));
    assert!(same("tid", TENANT.into()) && principal.tenant_id.to_string() == TENANT);
    assert!(same("oid", principal.object_id.to_string()));
    let (exp, iat) = (claims["exp"].as_u64().unwrap(), claims["iat"].as_u64().unwrap());
    assert!(now < exp.saturating_add(300) && iat <= now.saturating_add(300) && exp.saturating_sub(iat) <= 28 * 3600);
    assert!(claims.get("nbf").is_none_or(|nbf| nbf.as_u64().unwrap() <= now.saturating_add(300)));
    assert_eq!(principal.expires_at.seconds(), exp + 300);
    for mark in ["nonce", "c_hash", "at_hash", "s_hash"] {
        assert!(purpose == Purpose::SignIn || claims.get(mark).is_none(), "{mark} in an access token");
    }
    let scopes = text("scp").unwrap_or_default().split(' ').any(|scope| !scope.is_empty() && scope != "/");
    let by_itself = text("idtyp") == Some("app");
    assert!(if purpose == Purpose::SignIn { !scopes && !by_itself } else { scopes != by_itself });
    if let Some(groups) = claims.get("groups") {
        assert!(groups.as_array().unwrap().iter().all(Value::is_string));
    }
}

/// The same of a job
fn read_job_plainly(claims: &Value, principal: &Principal, job: &Job) {
    let text = |name: &str| claims[name].as_str();
    let audiences = claims["aud"].as_array().cloned().unwrap_or_else(|| vec![claims["aud"].clone()]);
    assert!(!audiences.is_empty() && audiences.iter().all(|audience| audience == JOB_AUDIENCE));
    let (exp, iat) = (claims["exp"].as_u64().unwrap(), claims["iat"].as_u64().unwrap());
    assert!(exp.saturating_sub(iat) <= 7200 && principal.expires_at.seconds() == exp + 60);
    for mark in ["nonce", "c_hash", "at_hash", "s_hash"] {
        assert!(claims.get(mark).is_none(), "{mark} in a job's token");
    }
    let (mark, subject) = match (text("iss").unwrap(), &*job.r#type) {
        (GITLAB, "gitlab") => ("job_id", "project_id"),
        (BITBUCKET, "bitbucket") => ("stepUuid", "repositoryUuid"),
        (GITHUB, "github") => ("run_id", "repository_id"),
        (issuer, kind) => panic!("{issuer} is not {kind}"),
    };
    assert!(text(mark).is_some() && text("sub").is_some_and(|sub| !sub.is_empty()));
    assert_eq!(text(subject).unwrap().trim_matches(['{', '}']).to_ascii_lowercase(), *job.subject);
    let protected = text("ref_protected") == Some("true");
    match &*job.trust {
        "staging" => {
            assert!(protected && text("project_id") == Some("42"));
            let environment = text("environment").unwrap();
            assert!(environment == "staging" || environment.starts_with("review/") && environment.len() > 7);
            assert_eq!(job.published.get("environment"), Some(environment));
        }
        "release" => {
            assert!(text("project_id") == Some("42") && claims["runner_id"] == 7);
            assert!(
                text("ref")
                    .unwrap()
                    .strip_prefix("release/")
                    .is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
            );
        }
        "merge-requests" => assert_eq!(text("project_id"), Some("43")),
        "once" => assert!(
            text("project_id") == Some("44")
                && job.single_use.as_ref().is_some_and(|once| Some(&*once.jti) == text("jti"))
        ),
        "payments" => assert_eq!(&*job.subject, "11111111-aaaa-0000-0000-000000000001"),
        "api" => assert!(text("repository_id") == Some("7") && text("environment").unwrap().starts_with("stag")),
        other => panic!("no entry {other}"),
    }
    assert!(claims.get("job_project_id").is_none_or(|id| id.is_null() || *id == claims["project_id"]));
    let for_merge_request = text("pipeline_source").is_some_and(|source| source.starts_with("merge_request"));
    assert!(&*job.trust == "merge-requests" || !for_merge_request);
    assert!(text("event_name").is_none_or(|event| &*job.r#type != "github" || !event.starts_with("pull_request")));
}

/// A part as JSON; `None` where `serde_json` knows no such number
fn plain(part: &[u8]) -> Option<Value> {
    let text = String::from_utf8(decode(part)).expect("UTF-8");
    match serde_json::from_str(&text) {
        Ok(value) => Some(value),
        Err(error) if error.to_string().starts_with("number out of range") => None,
        Err(error) => panic!("accepted what is not JSON: {error}"),
    }
}

fn decode(text: &[u8]) -> Vec<u8> {
    let (mut out, mut value, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text {
        let sextet = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => panic!("accepted a letter outside the alphabet"),
        };
        value = (value & 0xff) << 6 | u32::from(sextet);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((value >> bits & 0xff) as u8);
        }
    }
    assert_eq!(value & ((1 << bits) - 1), 0, "accepted unused bits");
    out
}
