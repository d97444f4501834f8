//! A CI job behind a token: what it says of itself, and the one trust entry that is about it

use super::{
    Purpose,
    claims::Claims,
    header,
    judge::{Judge, Line, Outcome},
    verify::explain,
};
use crate::{
    config::{JobIssuer, Profile},
    error::RejectionCode,
    identity::{Assurance, Groups, Guid, Job, Principal, PrincipalKind, SingleUse},
    limits,
    pipeline::{JobClaims, PipelineKind, TrustEntry, kinds::REF_PROTECTED, trust::is_met},
    text::shown,
};

/// Judges the claims that say which job it is, and whether it may come in; audience and times were judged before
///
/// `text` is the claims set, known to be one JSON object.
pub(super) fn identify(
    text: &[u8],
    claims: &Claims<'_>,
    profile: &Profile,
    jobs: &JobIssuer,
    purpose: Purpose,
    judge: &mut dyn Judge,
) -> Result<Principal, RejectionCode> {
    let kind = jobs.kind;
    let bearer = ["a bearer token", if claims.bound { "bound to a key (`cnf`)" } else { "a bearer token" }, ""];
    judge.note("proof of possession", !claims.bound, RejectionCode::ProofOfPossessionUnsupported, bearer)?;
    let job = read(text, claims, kind, purpose, judge)?;
    check_project(&job, kind, judge)?;
    let entry = find_entry(&job, profile, jobs, judge)?;
    check_merge_request(&job, kind, entry, judge)?;
    let expires_at = claims.expires.unwrap_or_default().after(profile.leeway_seconds);
    let single_use = match entry.single_use {
        true => Some(SingleUse::new(&profile.issuer, jti(&job, judge)?, expires_at)),
        false => {
            judge.note(
                "single use",
                true,
                RejectionCode::ClaimMissing,
                ["any number of uses", "any number of uses", ""],
            )?;
            None
        }
    };
    Ok(Principal {
        kind: PrincipalKind::Pipeline,
        issuer: profile.id.clone(),
        tenant_id: Guid::from_value(0),
        object_id: Guid::from_value(0),
        client_id: None,
        actor: None,
        groups: Groups::known(entry.groups.clone()),
        roles: Vec::new(),
        name: None,
        assurance: Assurance::default(),
        job: Some(Box::new(Job {
            r#type: kind.name.into(),
            trust: entry.name.clone(),
            subject: job.get(kind.subject).unwrap_or_default().into(),
            published: job.named(&entry.published),
            job: job.recorded(kind),
            single_use,
        })),
        issued_at: claims.issued.unwrap_or_default(),
        expires_at,
    })
}

/// The job's claims, if the token is one of a job and has them all
fn read<'t>(
    text: &'t [u8],
    claims: &Claims<'_>,
    kind: &'static PipelineKind,
    purpose: Purpose,
    judge: &mut dyn Judge,
) -> Result<JobClaims<'t>, RejectionCode> {
    let read = JobClaims::read(text, kind);
    let (marked, wrong) = match &read {
        Ok(job) => {
            let missing = job.missing(kind).map(|name| (RejectionCode::ClaimMissing, format!("no `{name}`")));
            (job.get(kind.mark).is_some(), missing)
        }
        Err(error) => (true, Some((header::rejection(*error), explain(*error)))),
    };
    let of_job = marked && purpose == Purpose::Access && !claims.id_token_mark && !claims.event;
    let actual = match (of_job, marked) {
        (true, _) => "a token of a job",
        (_, false) => "no claim that only a job has: the same keys sign tokens of people who sign in",
        _ => "marks of an ID token, or offered at a sign-in",
    };
    judge.note("kind", of_job, RejectionCode::TokenKindNotAllowed, ["a token of a job", actual, ""])?;
    let (code, actual) = match &wrong {
        Some((code, actual)) => (*code, actual.as_str()),
        None => (RejectionCode::ClaimMissing, "they are there"),
    };
    judge.note(
        "job",
        wrong.is_none(),
        code,
        ["every claim that the issuer always gives, each in its type", actual, ""],
    )?;
    match read {
        Ok(job) if wrong.is_none() => Ok(job),
        _ => Err(code),
    }
}

/// Code of a fork that runs in another project brings its own project's name along, and gets the other one's secrets
fn check_project(job: &JobClaims<'_>, kind: &PipelineKind, judge: &mut dyn Judge) -> Result<(), RejectionCode> {
    let runs_in = kind.merge_requests.as_ref().and_then(|rule| job.get(rule.runs_in?));
    let same = runs_in.is_none() || runs_in == job.get(kind.subject);
    let code = RejectionCode::PipelineUntrusted;
    let shown = [
        job.get(kind.subject).unwrap_or_default(),
        runs_in.unwrap_or("not said"),
        "code of a fork is trusted by no entry",
    ];
    judge.note("project", same, code, shown)?;
    if same { Ok(()) } else { Err(code) }
}

/// The one entry that is about the job
fn find_entry<'e>(
    job: &JobClaims<'_>,
    profile: &Profile,
    jobs: &'e JobIssuer,
    judge: &mut dyn Judge,
) -> Result<&'e TrustEntry, RejectionCode> {
    let mut found = Vec::new();
    for entry in &jobs.trust {
        if entry.matches(job) {
            found.push(entry);
        }
    }
    let (actual, hint) = match *found {
        [] => ("none".into(), "no entry is about this job; below are the nearest ones, claim by claim"),
        [one] => (one.name.to_string(), ""),
        [one, another, ..] => {
            (format!("{} and {}", one.name, another.name), "two entries are about this job: tell them apart by `match`")
        }
    };
    let code = RejectionCode::PipelineUntrusted;
    judge.note("trust", found.len() == 1, code, ["exactly one entry", &actual, hint])?;
    match *found {
        [entry] => return Ok(entry),
        [] if judge.goes_on() => judge.explain(nearest(job, profile, jobs)),
        _ => {}
    }
    Err(code)
}

/// How many entries are compared with a job that none is about
const NEAREST: usize = 3;

/// The entries from which the job differs in the fewest claims, line by line
fn nearest(job: &JobClaims<'_>, profile: &Profile, jobs: &JobIssuer) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut left = NEAREST;
    // No entry wants more claims than a token may have.
    for differences in 1..limits::JSON_MEMBERS {
        for entry in &jobs.trust {
            if left > 0 && entry.differences(job) == differences {
                left = left.saturating_sub(1);
                compare(job, profile, entry, &mut lines);
            }
        }
    }
    lines
}

fn compare(job: &JobClaims<'_>, profile: &Profile, entry: &TrustEntry, lines: &mut Vec<Line>) {
    for (claim, patterns) in &entry.wanted {
        let value = job.get(claim);
        let met = is_met(patterns, value);
        let mut expected = String::new();
        for pattern in patterns {
            if !expected.is_empty() {
                expected.push_str(" or ");
            }
            expected.push_str(pattern.text());
        }
        lines.push(Line {
            check: format!("trust {}: {claim}", entry.name).into(),
            expected: shown(&expected),
            actual: shown(value.unwrap_or("absent")),
            outcome: if met { Outcome::Pass } else { Outcome::Fail },
            hint: (!met).then(|| format!("`match.{claim}` of `{}` in the trust entries of {}", entry.name, profile.id)),
        });
    }
}

/// Whoever opens a merge request writes the code that its job runs
fn check_merge_request(
    job: &JobClaims<'_>,
    kind: &PipelineKind,
    entry: &TrustEntry,
    judge: &mut dyn Judge,
) -> Result<(), RejectionCode> {
    let (mut source, mut passed) = ("not said", true);
    if let Some(rule) = &kind.merge_requests {
        source = job.get(rule.claim).unwrap_or_default();
        let protected = job.get(REF_PROTECTED) == Some("true");
        let mut for_one = source == rule.inherited && !protected;
        for prefix in rule.prefixes {
            for_one |= source.starts_with(prefix);
        }
        // Before it told a fork from the project that it runs in, GitLab named the latter: then only a protected ref is no fork's.
        let told = protected || rule.runs_in.is_none_or(|name| job.get(name).is_some());
        let fork = rule.forks.contains(&source);
        passed = !for_one || entry.merge_requests && told && !fork;
    }
    let hint = "whoever opens a merge request writes the code of its job; the entry's `allowMergeRequests` lets it in all the same, but no fork's";
    judge.note("merge request", passed, RejectionCode::PipelineUntrusted, ["not for a merge request", source, hint])
}

/// The name of a token that counts once
fn jti<'j>(job: &'j JobClaims<'_>, judge: &mut dyn Judge) -> Result<&'j str, RejectionCode> {
    let jti = job.get("jti");
    let (code, actual) = match jti {
        None => (RejectionCode::ClaimMissing, "no `jti`"),
        Some(_) => (RejectionCode::ClaimInvalid, "a `jti`"),
    };
    let jti = jti.filter(|jti| (1..=limits::JTI_BYTES).contains(&jti.len()));
    judge.note(
        "single use",
        jti.is_some(),
        code,
        ["a `jti` of 1 to 128 letters, by which it counts once", actual, ""],
    )?;
    jti.ok_or(code)
}
