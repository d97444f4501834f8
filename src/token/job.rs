//! A CI job behind a token: what it says of itself, and the one trust entry that is about it

use super::{
    Purpose,
    claims::Claims,
    header,
    judge::{Judge, Line, Outcome, Shown},
    verify::explain,
};
use crate::{
    config::{JobIssuer, Profile},
    error::RejectionCode,
    identity::{Assurance, Groups, Guid, Job, Pairs, Principal, PrincipalKind, SingleUse},
    limits,
    pipeline::{JobClaims, PipelineKind, TrustEntry, kinds::REF_PROTECTED, trust::is_met},
    text::shown,
};

/// Judges the claims that say which job it is, and whether it may come in; audience and times were judged before
///
/// `text` is the claims set, known to be JSON in UTF-8.
pub(super) fn identify(
    text: &[u8],
    claims: &Claims<'_>,
    profile: &Profile,
    jobs: &JobIssuer,
    purpose: Purpose,
    judge: &mut dyn Judge,
) -> Result<Principal, RejectionCode> {
    let kind = jobs.kind;
    judge.note("proof of possession", !claims.bound, RejectionCode::ProofOfPossessionUnsupported, &|| {
        Shown::new("a bearer token", if claims.bound { "bound to a key (`cnf`)" } else { "a bearer token" })
    })?;
    let (job, found) = match JobClaims::read(text, kind) {
        Ok(job) => (job, None),
        Err(error) => (JobClaims::default(), Some((header::rejection(error), explain(error)))),
    };
    let marked = found.is_some() || job.get(kind.mark).is_some();
    let of_job = marked && purpose == Purpose::Access && !claims.id_token_mark && !claims.event;
    judge.note("kind", of_job, RejectionCode::TokenKindNotAllowed, &|| show_kind(kind, of_job, marked))?;
    let found = found.or_else(|| job.missing(kind).map(|name| (RejectionCode::ClaimMissing, format!("no `{name}`"))));
    judge.note(
        "job",
        found.is_none(),
        found.as_ref().map_or(RejectionCode::ClaimMissing, |(code, _)| *code),
        &|| {
            let actual = found.as_ref().map_or("they are there", |(_, actual)| actual);
            Shown::new(format!("every claim that {} always gives, each in its type", kind.title), actual)
        },
    )?;
    if let Some((code, _)) = found {
        return Err(code);
    }
    check_project(&job, kind, judge)?;
    let entry = find_entry(&job, profile, jobs, judge)?;
    check_merge_request(&job, kind, entry, judge)?;
    let expires_at = claims.expires.unwrap_or_default().after(profile.leeway_seconds);
    let single_use = match single_use(&job, entry, judge)? {
        Some(jti) => Some(SingleUse::new(&profile.issuer, jti, expires_at)),
        None => None,
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
            published: Pairs(job.named(&mut entry.published.iter().map(AsRef::as_ref))),
            job: Pairs(job.recorded(kind)),
            single_use,
        })),
        expires_at,
    })
}

fn show_kind(kind: &PipelineKind, of_job: bool, marked: bool) -> Shown {
    let expected = format!("a token of a job, with `{}`", kind.mark);
    match (of_job, marked) {
        (true, _) => Shown::new(expected, "a token of a job"),
        (_, false) => Shown::new(expected, format!("no `{}`", kind.mark))
            .hint("tokens of people who sign in are made with the same keys and are none of a job"),
        _ => Shown::new(expected, "marks of an ID token, or offered at a sign-in"),
    }
}

/// Code of a fork that runs in another project has its own project's name in the token, but not its own secrets and runners
fn check_project(job: &JobClaims<'_>, kind: &PipelineKind, judge: &mut dyn Judge) -> Result<(), RejectionCode> {
    let subject = job.get(kind.subject);
    let runs_in = kind.merge_requests.as_ref().and_then(|rule| job.get(rule.runs_in?));
    let same = runs_in.is_none() || runs_in == subject;
    judge.note("project", same, RejectionCode::PipelineUntrusted, &|| {
        let expected = format!("a job that runs in the project of its code, {}", subject.unwrap_or_default());
        Shown::new(expected, runs_in.map_or_else(|| "nothing said".into(), |id| format!("runs in {id}")))
            .hint("code of a fork is trusted by no entry")
    })?;
    if same { Ok(()) } else { Err(RejectionCode::PipelineUntrusted) }
}

/// The one entry that is about the job
fn find_entry<'e>(
    job: &JobClaims<'_>,
    profile: &Profile,
    jobs: &'e JobIssuer,
    judge: &mut dyn Judge,
) -> Result<&'e TrustEntry, RejectionCode> {
    let mut matching = jobs.trust.iter().filter(|entry| entry.matches(job));
    let (entry, another) = (matching.next(), matching.next());
    let found = entry.filter(|_| another.is_none());
    let show = || {
        let name = |entry: &TrustEntry| format!("`{}`", entry.name);
        let (actual, hint) = match (entry, another) {
            (Some(entry), Some(another)) => (
                format!("{} and {}", name(entry), name(another)),
                "two entries are about this job: tell them apart by `match`",
            ),
            (Some(entry), None) => (name(entry), ""),
            _ => ("none".into(), "no entry is about this job; below are the nearest ones, claim by claim"),
        };
        Shown::new(format!("exactly one of the trust entries of {}", profile.id), actual).hint(hint)
    };
    judge.note("trust", found.is_some(), RejectionCode::PipelineUntrusted, &show)?;
    if entry.is_none() {
        judge.compare(&|| nearest(job, profile, jobs));
    }
    found.ok_or(RejectionCode::PipelineUntrusted)
}

/// How many entries are compared with a job that none is about
const NEAREST: usize = 3;

fn nearest(job: &JobClaims<'_>, profile: &Profile, jobs: &JobIssuer) -> Vec<Line> {
    let mut entries: Vec<_> = jobs.trust.iter().map(|entry| (entry.differences(job), entry)).collect();
    entries.sort_by_key(|(differences, _)| *differences);
    let mut lines = Vec::new();
    for (_, entry) in entries.iter().take(NEAREST) {
        for (claim, patterns) in &entry.wanted {
            let value = job.get(claim);
            let met = is_met(patterns, value);
            let wanted: Vec<_> = patterns.iter().map(|pattern| pattern.text()).collect();
            lines.push(Line {
                check: format!("trust {}: {claim}", entry.name).into(),
                expected: shown(&wanted.join(" or ")),
                actual: value.map_or_else(|| format!("no `{claim}`"), shown),
                outcome: if met { Outcome::Pass } else { Outcome::Fail },
                hint: (!met)
                    .then(|| format!("`match.{claim}` of `{}` among the entries of {}", entry.name, profile.id)),
            });
        }
    }
    lines
}

/// Whoever opens a merge request writes the code that its job runs
fn check_merge_request(
    job: &JobClaims<'_>,
    kind: &PipelineKind,
    entry: &TrustEntry,
    judge: &mut dyn Judge,
) -> Result<(), RejectionCode> {
    let Some(rule) = &kind.merge_requests else {
        return judge.note("merge request", true, RejectionCode::PipelineUntrusted, &|| {
            Shown::new("not for a merge request, as far as that is said", "nothing said")
        });
    };
    let source = job.get(rule.claim).unwrap_or_default();
    let protected = job.get(REF_PROTECTED) == Some("true");
    let for_one =
        rule.prefixes.iter().any(|prefix| source.starts_with(prefix)) || source == rule.inherited && !protected;
    // Before it told the fork from the project that it runs in, GitLab named the latter: only a protected ref rules a fork out.
    let told = protected || rule.runs_in.is_none_or(|name| job.get(name).is_some());
    let passed = !for_one || entry.merge_requests && told;
    judge.note("merge request", passed, RejectionCode::PipelineUntrusted, &|| {
        let expected = if entry.merge_requests { "a job whose project is told" } else { "not for a merge request" };
        Shown::new(expected, format!("`{}` is {}", rule.claim, shown(source))).hint(
            "whoever opens a merge request writes the code of its job; `allowMergeRequests` of the entry lets it in all the same, but no fork's",
        )
    })
}

/// The name of a token that counts once
fn single_use<'j>(
    job: &'j JobClaims<'_>,
    entry: &TrustEntry,
    judge: &mut dyn Judge,
) -> Result<Option<&'j str>, RejectionCode> {
    let jti = job.get("jti").filter(|_| entry.single_use);
    let code = match jti {
        None => RejectionCode::ClaimMissing,
        Some(_) => RejectionCode::ClaimInvalid,
    };
    let fits = !entry.single_use || jti.is_some_and(|jti| (1..=limits::JTI_BYTES).contains(&jti.len()));
    judge.note("single use", fits, code, &|| {
        let actual = match jti {
            Some(_) if fits => "a `jti`",
            Some(_) => "a `jti` that is empty or too long",
            None => "no `jti`",
        };
        Shown::new(if entry.single_use { "a `jti` by which it counts once" } else { "any number of uses" }, actual)
    })?;
    Ok(jti)
}
