//! `principals`: who is meant, each by one property

use super::asker::Asker;
use crate::{
    directory::EntityRef,
    error::ConfigError,
    identity::{Guid, PrincipalKind, groups::GROUP_ID},
    json::At,
    limits,
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
}

const NAMES: &[&str] = &["kind", "group", "role", "user", "workload", "pipeline", "trust"];

impl Selector {
    /// Reads one of `principals`
    pub fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        let members = at.members(NAMES)?;
        if members.iter().any(|(name, _)| name == "pipeline" || name == "trust") {
            // A selector that matched nobody would make a deny rule an empty promise.
            return Err(at
                .mistake("pipelines can't be selected yet: this version trusts no pipeline issuer")
                .hint("remove the rule; it comes with `entraAccess.pipelines`"));
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
            Self::Role(role) => Some(principal.roles.iter().any(|known| known.as_str() == role.as_ref())),
            Self::User(tenant, object) => Some(
                asker.kind == PrincipalKind::User && principal.tenant_id == *tenant && principal.object_id == *object,
            ),
            Self::Entity(entity) => asker.entity.map(|known| known == entity),
            Self::Workload(client) => {
                Some(asker.kind == PrincipalKind::Workload && principal.client_id == Some(*client))
            }
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
        }
    }
}

fn guid(text: &str) -> Option<Guid> {
    Guid::parse(text.as_bytes())
}
