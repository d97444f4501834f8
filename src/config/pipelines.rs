//! An entry of `entraAccess.pipelines`: a CI system, and which of its jobs are trusted with what

use super::{
    custom_cloud::base_url,
    document::ROOT,
    profile::{IssuerOf, JobIssuer, Profile},
    tenant::{audiences, needed_audiences, times},
};
use crate::{
    error::ConfigError,
    identity::job::PIPELINE,
    json::At,
    keys::jwk::algorithms,
    limits,
    pipeline::{PipelineKind, TrustEntry, kinds::KINDS},
    text::{is_label, shown},
};

const ID: &str =
    "lower case letters and digits with single dashes between them: it is the namespace of entity references";
const AUDIENCE: &str = "what the jobs ask tokens for, such as the base URL of this Backstage";

/// Reads an entry
pub(super) fn read(at: &At<'_>) -> Result<Profile, ConfigError> {
    at.members(&["id", "type", "issuer", "audiences", "leeway", "maxLifetime", "trust"])?;
    // What is kept elsewhere comes last: a mistake before has nothing to give back.
    let id = at.needed_text("id")?;
    if !is_label(id, limits::PIPELINE_ID_BYTES) {
        return Err(at.needed("id")?.mistake(format!("`{}` is no id of a pipeline", shown(id))).hint(ID));
    }
    let kind = kind(&at.needed("type")?)?;
    let issuer = issuer(at)?;
    let seconds = |name, usual| Ok(at.some(name, &|at| at.number())?.unwrap_or(usual));
    let path = at.path();
    let (leeway_seconds, lifetime_seconds) = times(
        (seconds("leeway", limits::PIPELINE_LEEWAY_SECONDS)?, seconds("maxLifetime", kind.lifetime_seconds)?),
        (limits::PIPELINE_LIFETIME_SECONDS_MIN, limits::PIPELINE_LIFETIME_SECONDS_MAX),
        "a pipeline's token",
        &path,
    )?;
    let path = format!("{path}.audiences");
    let audiences = audiences(&needed_audiences(at, AUDIENCE)?, AUDIENCE, &path)?;
    for audience in &audiences {
        if audience == issuer {
            return Err(ConfigError::new(
                path,
                "the issuer itself is the audience of tokens that are meant for nobody",
            )
            .hint(format!("name {AUDIENCE}")));
        }
    }
    Ok(Profile {
        id: format!("{PIPELINE}{id}").into(),
        issuer: issuer.into(),
        discovery_url: format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')),
        audiences,
        algorithms: algorithms(kind.algorithms),
        leeway_seconds,
        lifetime_seconds,
        of: IssuerOf::Jobs(JobIssuer { kind, trust: trust(&at.needed("trust")?, kind)? }),
    })
}

fn kind(at: &At<'_>) -> Result<&'static PipelineKind, ConfigError> {
    let number = at.word(&KINDS.each_ref().map(|kind| kind.name))?;
    KINDS.get(number).ok_or_else(|| at.mistake("out of range"))
}

/// Compared letter by letter with `iss`, so also with the slash at its end, if there is one
fn issuer<'n>(at: &At<'n>) -> Result<&'n str, ConfigError> {
    let issuer = at.needed_text("issuer")?;
    let url = base_url(issuer, &format!("{}.issuer", at.path()))?;
    match issuer.strip_prefix(&*url) {
        Some("" | "/") => Ok(issuer),
        _ => {
            Err(at.needed("issuer")?.mistake("more than one slash at the end").hint("exactly the `iss` of the tokens"))
        }
    }
}

const ONE_ENTRY: &str = "a job must match exactly one entry: tell them apart by `match`, or make them one that says `publish`, and let rules select by `claims`";

fn trust(at: &At<'_>, kind: &'static PipelineKind) -> Result<Vec<TrustEntry>, ConfigError> {
    let elements = at.elements()?;
    if elements.is_empty() || elements.len() > limits::TRUST_ENTRIES {
        return Err(at
            .mistake(format!("{} entries", elements.len()))
            .hint(format!("1 to {}: a job that no entry is about is refused", limits::TRUST_ENTRIES)));
    }
    let mut trust: Vec<TrustEntry> = Vec::new();
    for at in &elements {
        let entry = TrustEntry::read(at, kind)?;
        for earlier in &trust {
            if earlier.name == entry.name {
                return Err(at.mistake(format!("two entries have the name `{}`", entry.name)));
            }
            if earlier.includes(&entry) || entry.includes(earlier) {
                let both = format!("every job of one of `{}` and `{}` is a job of both", earlier.name, entry.name);
                return Err(at.mistake(both).hint(ONE_ENTRY));
            }
            if earlier.shares_jobs_with(&entry) || entry.shares_jobs_with(earlier) {
                let some = format!("some jobs of one of `{}` and `{}` are jobs of both", earlier.name, entry.name);
                return Err(at.mistake(some).hint(ONE_ENTRY));
            }
        }
        trust.push(entry);
    }
    Ok(trust)
}

/// Adds the profiles of pipelines, whose issuers and ids are nobody else's
pub(super) fn add(pipelines: Vec<Profile>, profiles: &mut Vec<Profile>) -> Result<(), ConfigError> {
    for (at, pipeline) in pipelines.into_iter().enumerate() {
        let twice =
            |member| ConfigError::new(format!("{ROOT}.pipelines[{at}].{member}"), "another issuer has it as well");
        if profiles.iter().any(|known| known.issuer == pipeline.issuer) {
            return Err(twice("issuer").hint("the issuer of a token chooses its keys and entries: one entry for each"));
        }
        if profiles.iter().any(|known| known.id == pipeline.id) {
            return Err(twice("id").hint("policies and entity references name it"));
        }
        profiles.push(pipeline);
    }
    Ok(())
}
