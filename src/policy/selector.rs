//! `principals`: who is meant, each by one property

use super::{asker::Asker, fact::Fact};
use crate::{
    directory::EntityRef,
    error::ConfigError,
    identity::{Guid, Principal, PrincipalKind, groups::GROUP_ID, job::PIPELINE},
    json::{At, owned_text},
    limits,
    text::shown,
};

/// Selects principals by one property
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// Members of an Entra group, by object id
    Group(Guid),
    /// What an allow rule takes for a group and is a directory role: nobody is selected by it
    DirectoryRole(Guid),
    /// Callers of a kind
    Kind(PrincipalKind),
    /// Callers with an app role
    Role(Box<str>),
    /// One person, by tenant and object id
    User(Guid, Guid),
    /// Whoever is signed in under an entity
    Entity(EntityRef),
    /// An application that calls for itself, by client id
    Workload(Guid),
    /// Jobs of a pipeline
    Jobs(JobSelector),
}

/// Selects jobs of a pipeline
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSelector {
    pipeline: Box<str>,
    /// Only those that this entry is about
    trust: Option<Box<str>>,
    /// Only those with these claims, which their entry publishes
    claims: Vec<(Box<str>, Box<str>)>,
}

/// Whether a pipeline is configured, an entry of it, and a claim that is published (by that entry, if one is named): a selector
/// that matched nobody would make a deny rule an empty promise
pub type Configured<'c> = &'c dyn Fn(&str, Option<&str>, Option<&str>) -> bool;

const NAMES: &[&str] = &["kind", "group", "role", "user", "workload", "pipeline", "trust", "claims"];

impl Selector {
    /// Reads one of `principals`
    pub fn read(at: &At<'_>, configured: Configured<'_>) -> Result<Self, ConfigError> {
        let members = at.members(NAMES)?;
        if at.member("pipeline").is_some() {
            return JobSelector::read(at, configured).map(Self::Jobs);
        }
        match members {
            [(name, _)] => Self::of(name, &at.needed(name)?),
            _ => Err(at
                .mistake("a principal is selected by exactly one property")
                .hint("several entries mean any of them; for all of them at once use a group or an app role")),
        }
    }

    fn of(name: &str, value: &At<'_>) -> Result<Self, ConfigError> {
        match name {
            "kind" => {
                let kind = value.word(&PrincipalKind::ALL.map(PrincipalKind::as_str))?;
                Ok(Self::Kind(PrincipalKind::ALL.get(kind).copied().unwrap_or(PrincipalKind::User)))
            }
            "group" => value.parsed(GROUP_ID, guid).map(Self::Group),
            "workload" => value.parsed("a GUID, the client id of the application", guid).map(Self::Workload),
            "role" => value.parsed("the value of an app role", |text| {
                (!text.is_empty() && text.len() <= limits::ROLE_BYTES).then(|| Self::Role(text.into()))
            }),
            "trust" | "claims" => {
                Err(value.mistake("this selects among the jobs of a pipeline").hint("name the `pipeline`"))
            }
            _ => {
                value.parsed("`<tenant id>/<object id>` or a full entity reference such as user:default/jane", |text| {
                    match text.split_once('/') {
                        Some((tenant, object)) if !tenant.contains(':') => {
                            Some(Self::User(Guid::parse(tenant.as_bytes())?, Guid::parse(object.as_bytes())?))
                        }
                        _ => EntityRef::parse(text)
                            .filter(|entity| entity.as_str().starts_with("user:"))
                            .map(Self::Entity),
                    }
                })
            }
        }
    }

    /// Whether this is them: `None` when it can't be told
    pub fn selects(&self, asker: &Asker<'_>) -> Option<bool> {
        let principal = asker.principal;
        match self {
            Self::Group(id) => asker.is_in(*id),
            Self::DirectoryRole(_) => Some(false),
            Self::Kind(kind) => Some(asker.kind == *kind),
            Self::Role(role) => Some(
                principal.roles.iter().any(|known| known.as_str() == role.as_ref())
                    || asker.supposed.contains(&Fact::Role(role)),
            ),
            Self::User(tenant, object) => Some(
                asker.kind == PrincipalKind::User && principal.tenant_id == *tenant && principal.object_id == *object,
            ),
            Self::Entity(entity) => asker.entity.map(|known| known == entity),
            Self::Workload(client) => {
                Some(asker.kind == PrincipalKind::Workload && principal.client_id == Some(*client))
            }
            Self::Jobs(jobs) => Some(jobs.select(principal)),
        }
    }

    /// In words
    pub fn words(&self) -> String {
        match self {
            Self::Group(id) => format!("members of Entra group {id}"),
            Self::DirectoryRole(id) => format!("members of {id}, which is a directory role and no group"),
            Self::Kind(kind) => format!("principals of kind `{}`", kind.as_str()),
            Self::Role(role) => format!("app role `{role}`"),
            Self::User(tenant, object) => format!("the user {object} of tenant {tenant}"),
            Self::Entity(entity) => format!("`{entity}`"),
            Self::Workload(client) => format!("the application {client}"),
            Self::Jobs(jobs) => jobs.words(),
        }
    }
}

impl JobSelector {
    fn read(at: &At<'_>, configured: Configured<'_>) -> Result<Self, ConfigError> {
        if let Some(other) = at.names().iter().find(|name| !["pipeline", "trust", "claims"].contains(name)) {
            return Err(at
                .mistake(format!("`{other}` is not said of the jobs of a pipeline"))
                .hint("several entries mean any of them"));
        }
        let pipeline = at.needed("pipeline")?.text("the id of a pipeline")?;
        let trust = at.some("trust", &owned_text)?;
        let trust = trust.as_deref();
        let unknown = |member, what: String| Err(at.needed(member)?.mistake(what).hint("see `entraAccess.pipelines`"));
        if !configured(pipeline, None, None) {
            return unknown("pipeline", format!("no pipeline `{}` is configured", shown(pipeline)));
        }
        if let Some(trust) = trust.filter(|_| !configured(pipeline, trust, None)) {
            return unknown("trust", format!("`{}` is no trust entry of this pipeline", shown(trust)));
        }
        let mut claims: Vec<(Box<str>, Box<str>)> = Vec::new();
        if let Some(wanted) = at.member("claims") {
            wanted.mapping()?;
            for name in wanted.names() {
                if !configured(pipeline, trust, Some(name)) {
                    return unknown("claims", format!("`{}` is published by no entry", shown(name)));
                }
                claims.push((name.into(), wanted.needed(name)?.text("a string, as the claim is written")?.into()));
            }
            if claims.is_empty() {
                return Err(wanted.mistake("no claim is named").hint("leave `claims` out"));
            }
        }
        Ok(Self { pipeline: pipeline.into(), trust: trust.map(Into::into), claims })
    }

    fn select(&self, principal: &Principal) -> bool {
        let Some(job) = &principal.job else { return false };
        principal.issuer.strip_prefix(PIPELINE) == Some(&self.pipeline)
            && self.trust.as_ref().is_none_or(|trust| *trust == job.trust)
            && self.claims.iter().all(|(name, value)| job.published.get(name) == Some(value))
    }

    fn words(&self) -> String {
        let mut words = format!("jobs of pipeline `{}`", self.pipeline);
        if let Some(trust) = &self.trust {
            words.push_str(&format!(" that entry `{trust}` trusts"));
        }
        for (name, value) in &self.claims {
            words.push_str(&format!(", `{name}` being `{}`", shown(value)));
        }
        words
    }
}

fn guid(text: &str) -> Option<Guid> {
    Guid::parse(text.as_bytes())
}
