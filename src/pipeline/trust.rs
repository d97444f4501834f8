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
    text::{is_label, join, nearest, shown},
};

/// Claims with their wanted values
pub type Wanted = Vec<(Box<str>, Vec<Pattern>)>;

/// Which jobs, and what they get
#[derive(Debug, Clone)]
pub struct TrustEntry {
    /// Names it in policies, refs and reports
    pub name: Box<str>,
    /// Claims with their wanted values: all of the claims, any of its values each
    pub wanted: Wanted,
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
        // What is kept elsewhere comes last: a mistake before has nothing to give back.
        let name = at.needed_text("name")?;
        if !is_label(name, limits::TRUST_NAME_BYTES) {
            return Err(at.needed("name")?.mistake(format!("`{}` is no name of an entry", shown(name))).hint(NAME));
        }
        let flag = |name| at.some(name, &|at| at.boolean()).map(|flag| flag.unwrap_or(false));
        let (production, single_use, merge_requests) =
            (flag("production")?, flag("singleUse")?, flag("allowMergeRequests")?);
        if merge_requests && kind.merge_requests.is_none() {
            return Err(at
                .mistake(format!("{} does not say whether a job is for a merge request", kind.title))
                .hint("leave `allowMergeRequests` out"));
        }
        let wanted_at = at.needed("match")?;
        wanted_at.mapping()?;
        let names = wanted_at.names();
        if production && !names.iter().any(|name| kind.production.contains(name)) {
            return Err(wanted_at
                .mistake("an entry marked `production` binds no deployment environment or protected ref")
                .hint(one_of(kind.production)));
        }
        let groups = at.needed("groups")?.all(&|at| at.parsed(GROUP_ID, |text| Guid::parse(text.as_bytes())))?;
        let published = at.list("publish", &|at| {
            let name = at.text("the name of a claim")?;
            usable(at, name, kind).map(|_| name.into())
        })?;
        let wanted = wanted(&wanted_at, &names, kind)?;
        if production && !wanted.iter().any(|(name, patterns)| proves(kind, name, patterns)) {
            return Err(wanted_at
                .mistake("an entry marked `production` takes any environment or ref, or one that is not protected")
                .hint(format!(
                    "exact values, and 'true' where it says that something is protected: {}",
                    one_of(kind.production)
                )));
        }
        Ok(Self { name: name.into(), wanted, groups, single_use, merge_requests, published })
    }

    /// Whether it is about this job
    pub fn matches(&self, job: &JobClaims<'_>) -> bool {
        self.differences(job) == 0
    }

    /// How many claims differ
    pub fn differences(&self, job: &JobClaims<'_>) -> usize {
        let mut differences = 0_usize;
        for (name, patterns) in &self.wanted {
            differences = differences.saturating_add(usize::from(!is_met(patterns, job.get(name))));
        }
        differences
    }

    /// Whether some job that `other` is about is certainly one of this entry as well
    pub fn shares_jobs_with(&self, other: &Self) -> bool {
        self.wanted.iter().all(|(name, wide)| {
            let narrow = other.wanted.iter().find(|(known, _)| known == name);
            narrow.is_some_and(|(_, narrow)| {
                let mut pairs = narrow.iter().flat_map(|one| wide.iter().map(move |two| (one, two)));
                pairs.any(|(one, two)| one.includes(two) || two.includes(one))
            })
        })
    }

    /// Whether every job that `other` is about is one of this entry as well, as far as that can be told
    pub fn includes(&self, other: &Self) -> bool {
        self.wanted.iter().all(|(name, wide)| {
            let narrow = other.wanted.iter().find(|(known, _)| known == name);
            narrow.is_some_and(|(_, narrow)| narrow.iter().all(|one| wide.iter().any(|pattern| pattern.includes(one))))
        })
    }
}

/// Whether what is wanted of a claim is an environment or a ref by itself: a `*` may be any, and 'false' proves nothing
fn proves(kind: &PipelineKind, name: &str, patterns: &[Pattern]) -> bool {
    let flag = kind.claim(name).is_some_and(|claim| claim.form == Form::Flag);
    kind.production.contains(&name)
        && patterns.iter().all(|pattern| !pattern.is_glob() && (!flag || pattern.matches("true")))
}

/// Whether a claim has a wanted value; an absent one has none
pub fn is_met(patterns: &[Pattern], value: Option<&str>) -> bool {
    value.is_some_and(|value| patterns.iter().any(|pattern| pattern.matches(value)))
}

fn wanted(at: &At<'_>, claims: &[&str], kind: &'static PipelineKind) -> Result<Wanted, ConfigError> {
    let mut wanted = Wanted::new();
    let mut bound = false;
    for name in claims {
        let at = at.needed(name)?;
        let claim = usable(&at, name, kind)?;
        bound |= claim.is(IMMUTABLE);
        let mut patterns = Vec::new();
        match at.value() {
            Value::Array(_) => {
                for at in at.some_elements("name at least one value")? {
                    patterns.push(pattern(&at, claim, kind)?);
                }
            }
            _ => patterns.push(pattern(&at, claim, kind)?),
        }
        wanted.push(((*name).into(), patterns));
    }
    match bound {
        true => Ok(wanted),
        false => Err(at
            .mistake("the entry binds names only, which others can take after a rename")
            .hint(one_of(&names(kind, IMMUTABLE, 0)))),
    }
}

/// The claim with this name, if jobs may be told apart by it
fn usable(at: &At<'_>, name: &str, kind: &'static PipelineKind) -> Result<&'static Claim, ConfigError> {
    let what = match kind.claim(name) {
        Some(claim) if claim.is(PERSON) => "says who started the job, which authorizes nothing",
        Some(claim) if claim.is(OPAQUE) => "differs from job to job, or can be put together anew by the project",
        Some(claim) => return Ok(claim),
        None => "is no known claim of this type of pipeline",
    };
    let names = names(kind, u8::MAX, PERSON | OPAQUE);
    let hint = match nearest(name, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => one_of(&names),
    };
    Err(at.mistake(format!("`{}` {what}", shown(name))).hint(hint))
}

/// The names of the claims with one of some traits, and with none of others
fn names(kind: &PipelineKind, with: u8, without: u8) -> Vec<&'static str> {
    let mut names = Vec::new();
    for claim in kind.claims {
        if (claim.is(with) || with == u8::MAX) && !claim.is(without) {
            names.push(claim.name);
        }
    }
    names
}

fn one_of(names: &[&str]) -> String {
    format!("one of: {}", join(names, ", "))
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
            let padded = text.starts_with(' ') || text.ends_with(' ') || text.contains(char::is_control);
            canonical(claim, text.into()).filter(|text| !text.is_empty() && !padded).map(Into::into)
        }),
    };
    let text =
        text.map_err(|error| error.hint(format!("`{}` in the tokens of {} is {expected}", claim.name, kind.title)))?;
    match claim.form {
        Form::Text => Pattern::parse(&text).map_err(|reason| at.mistake(reason)),
        _ => Ok(Pattern::exact(&text)),
    }
}
