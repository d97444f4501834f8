//! A trust entry: which jobs, and what they get

use super::{
    claims::{JobClaims, canonical},
    kinds::{Claim, Form, IMMUTABLE, OPAQUE, PERSON, PipelineKind},
    pattern::Pattern,
};
use crate::{
    error::ConfigError,
    identity::{Guid, groups::GROUP_ID},
    json::{At, Value},
    limits,
    text::{is_label, nearest, shown},
};

/// Which jobs, and what they get
#[derive(Debug, Clone)]
pub struct TrustEntry {
    /// Names it in policies, refs and reports
    pub name: Box<str>,
    /// Claims with their wanted values: all of the claims, any of its values each
    pub wanted: Vec<(Box<str>, Vec<Pattern>)>,
    /// The Entra groups of its jobs
    pub groups: Vec<Guid>,
    /// Whether a token counts once
    pub single_use: bool,
    /// Whether jobs for merge requests may come in
    pub merge_requests: bool,
    /// Claims by which a policy may select
    pub published: Vec<Box<str>>,
}

const NAME: &str =
    "1 to 30 lower case letters and digits with single dashes between them: it is part of entity references";

impl TrustEntry {
    /// Reads an entry
    ///
    /// # Errors
    /// The first mistake in it.
    pub fn read(at: &At<'_>, kind: &'static PipelineKind) -> Result<Self, ConfigError> {
        at.members(&["name", "match", "groups", "production", "singleUse", "allowMergeRequests", "publish"])?;
        let flag = |name| at.some(name, &|at| at.boolean()).map(|flag| flag.unwrap_or(false));
        let entry = Self {
            name: at
                .needed("name")?
                .parsed(NAME, |name| is_label(name, limits::TRUST_NAME_BYTES).then(|| name.into()))?,
            wanted: wanted(&at.needed("match")?, kind)?,
            groups: at.needed("groups")?.all(&|at| at.parsed(GROUP_ID, |text| Guid::parse(text.as_bytes())))?,
            single_use: flag("singleUse")?,
            merge_requests: flag("allowMergeRequests")?,
            published: at
                .list("publish", &|at| usable(at, at.text("the name of a claim")?, kind).map(|claim| claim.into()))?,
        };
        if entry.merge_requests && kind.merge_requests.is_none() {
            return Err(at.mistake(format!("{} does not say whether a job is for a merge request", kind.title)));
        }
        if flag("production")? && !kind.production.iter().any(|name| entry.wants(name)) {
            return Err(at
                .mistake("an entry marked `production` binds no deployment environment or protected ref")
                .hint(format!("`match` one of: {}", kind.production.join(", "))));
        }
        Ok(entry)
    }

    fn wants(&self, name: &str) -> bool {
        self.wanted.iter().any(|(claim, _)| **claim == *name)
    }

    /// Whether it is about this job
    pub fn matches(&self, job: &JobClaims<'_>) -> bool {
        self.wanted.iter().all(|(name, patterns)| is_met(patterns, job.get(name)))
    }

    /// How many claims differ
    pub fn differences(&self, job: &JobClaims<'_>) -> usize {
        self.wanted.iter().filter(|(name, patterns)| !is_met(patterns, job.get(name))).count()
    }

    /// Whether every job that `other` is about is one of this entry as well, as far as that can be told
    pub fn includes(&self, other: &Self) -> bool {
        self.wanted.iter().all(|(name, wide)| {
            let narrow = other.wanted.iter().find(|(known, _)| known == name).map(|(_, narrow)| narrow);
            narrow.is_some_and(|narrow| narrow.iter().all(|one| wide.iter().any(|pattern| pattern.includes(one))))
        })
    }
}

/// Whether a claim has a wanted value; an absent one has none
pub fn is_met(patterns: &[Pattern], value: Option<&str>) -> bool {
    value.is_some_and(|value| patterns.iter().any(|pattern| pattern.matches(value)))
}

fn wanted(at: &At<'_>, kind: &'static PipelineKind) -> Result<Vec<(Box<str>, Vec<Pattern>)>, ConfigError> {
    at.mapping()?;
    let mut wanted = Vec::new();
    let mut bound = false;
    for name in at.names() {
        let values = at.needed(name)?;
        let claim = usable(&values, name, kind)?;
        bound |= kind.claim(claim).is_some_and(|claim| claim.is(IMMUTABLE));
        wanted.push((claim.into(), patterns(&values, claim, kind)?));
    }
    if bound {
        return Ok(wanted);
    }
    let ids: Vec<_> = kind.claims.iter().filter(|claim| claim.is(IMMUTABLE)).map(|claim| claim.name).collect();
    Err(at
        .mistake("the entry binds names only, which others can take after a rename")
        .hint(format!("add at least one of: {}", ids.join(", "))))
}

/// The claim with this name, if jobs may be told apart by it
fn usable<'n>(at: &At<'_>, name: &'n str, kind: &PipelineKind) -> Result<&'n str, ConfigError> {
    let claim = kind.claim(name);
    if claim.is_some_and(|claim| !claim.is(PERSON | OPAQUE)) {
        return Ok(name);
    }
    let message = match claim {
        None => format!("`{}` is no claim of {} that is known here", shown(name), kind.title),
        Some(claim) if claim.is(PERSON) => format!("`{name}` says who started the job, which authorizes nothing"),
        Some(_) => format!("`{name}` is not the same for every job, or can be put together anew by the project"),
    };
    let names = kind.claims.iter().filter(|claim| !claim.is(PERSON | OPAQUE)).map(|claim| claim.name);
    let hint = match nearest(name, &mut names.clone()).filter(|_| claim.is_none()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("one of: {}", names.collect::<Vec<_>>().join(", ")),
    };
    Err(at.mistake(message).hint(hint))
}

fn patterns(at: &At<'_>, name: &str, kind: &PipelineKind) -> Result<Vec<Pattern>, ConfigError> {
    let Some(claim) = kind.claim(name) else { return Ok(Vec::new()) };
    if matches!(at.value(), Value::Array(_)) {
        let all = at.some_elements("name at least one value")?;
        return all.iter().map(|at| pattern(at, claim, kind)).collect();
    }
    Ok(vec![pattern(at, claim, kind)?])
}

fn pattern(at: &At<'_>, claim: &Claim, kind: &PipelineKind) -> Result<Pattern, ConfigError> {
    let expected = match claim.form {
        Form::Text => "a string that is not empty, without spaces around it",
        Form::Digits => "digits in a string, such as '42'",
        Form::Flag => "'true' or 'false' in a string",
        Form::Number => "a whole number, not in a string",
        Form::Uuid => "a UUID in a string, with or without braces",
    };
    let text = match claim.form {
        Form::Number => at.number().map(|number| number.to_string()),
        _ => at.parsed(expected, |text| {
            let plain = !text.is_empty() && text.trim() == text && !text.contains(char::is_control);
            canonical(claim, text.into()).filter(|_| plain).map(Into::into)
        }),
    };
    let text = text.map_err(|error| error.hint(format!("{} types `{}` as {expected}", kind.title, claim.name)))?;
    match claim.form {
        Form::Text => Pattern::parse(&text).map_err(|reason| at.mistake(reason)),
        _ => Ok(Pattern::exact(&text)),
    }
}
