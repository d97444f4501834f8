//! The section `entraAccess.groups`: where group membership comes from, and which groups stand for which owners

use std::collections::HashMap;

use super::{cloud::Cloud, document::ROOT, profile::Profile, tenant::Tenant};
use crate::{
    directory::{EntityRef, GroupMapping},
    error::ConfigError,
    identity::{Groups, Guid, groups::GROUP_ID},
    json::{At, Value},
    limits,
};

/// What to do when a token leaves its groups out
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OveragePolicy {
    /// Go on with group state `unknown`: rules that need no groups still answer
    #[default]
    Unknown,
    /// Refuse the token with `groups_unknown`
    Reject,
    /// The same as `unknown` until the host has asked Microsoft Graph
    Graph,
}

/// What is configured about groups beyond the token
#[derive(Debug, Clone, Default)]
pub struct GroupSettings {
    /// What to do when a token leaves its groups out
    pub overage: OveragePolicy,
    /// Operator's own bindings, beside the catalog annotation
    pub mapping: Vec<GroupMapping>,
    /// How many levels of nested groups count; `None` for all
    pub max_depth: Option<u32>,
    /// Object ids of directory roles, which are no groups, by the operator's word
    pub directory_roles: Vec<Guid>,
    /// Groups come from the directory, not from tokens
    pub live: bool,
    /// Groups of service principals by tenant and client id
    workloads: HashMap<(Guid, Guid), Vec<Guid>>,
}

impl GroupSettings {
    /// The groups of an application that calls for itself: Entra lists them in no token
    ///
    /// The operator's word comes first. Otherwise Microsoft Graph has to be asked, or there is nobody who would know any.
    pub fn of_workload(&self, tenant: Guid, client: Guid) -> Groups {
        match self.workloads.get(&(tenant, client)) {
            Some(groups) => Groups::known(groups.clone()),
            None if self.overage == OveragePolicy::Graph => Groups::unknown(),
            None => Groups::none(),
        }
    }
}

#[derive(Default)]
pub(super) struct GroupSection {
    /// Groups come from the directory, not from tokens
    live: bool,
    overage: OveragePolicy,
    mapping: Vec<GroupMapping>,
    graph: Option<GraphSection>,
    workloads: Vec<WorkloadEntry>,
    max_depth: Option<u32>,
    directory_roles: Vec<Guid>,
}

/// How the host proves itself to Microsoft Graph; what the secrets are is not told here
struct GraphSection {
    client_id: Option<Guid>,
    client_secret: Option<()>,
    certificate: Option<()>,
    managed_identity: Option<ManagedIdentity>,
    /// `staleAfter` or `directory`: how the host follows the directory is its own affair
    following: bool,
}

/// The identity of the machine: its own, or an assigned one, whose client id only the host makes use of
enum ManagedIdentity {
    Own(bool),
    Assigned,
}

struct WorkloadEntry {
    client: Guid,
    /// Needed where several tenants let the client in
    tenant_id: Option<Guid>,
    groups: Vec<Guid>,
}

impl GroupSection {
    pub(super) fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        at.members(&["source", "overage", "mapping", "graph", "workloads", "maxDepth", "directoryRoles"])?;
        Ok(Self {
            live: at.some("source", &|source| source.word(&["token", "graph"]))? == Some(1),
            overage: at.some("overage", &overage)?.unwrap_or_default(),
            mapping: at.list("mapping", &mapping)?,
            graph: at.some("graph", &GraphSection::read)?,
            workloads: at.list("workloads", &WorkloadEntry::read)?,
            max_depth: at.some("maxDepth", &depth)?,
            directory_roles: at.list("directoryRoles", &Guid::read)?,
        })
    }
}

fn overage(at: &At<'_>) -> Result<OveragePolicy, ConfigError> {
    Ok(match at.word(&["unknown", "reject", "graph"])? {
        0 => OveragePolicy::Unknown,
        1 => OveragePolicy::Reject,
        _ => OveragePolicy::Graph,
    })
}

fn depth(at: &At<'_>) -> Result<u32, ConfigError> {
    u32::try_from(at.number()?).map_err(|_| at.mistake("invalid value, expected a number of levels"))
}

fn mapping(at: &At<'_>) -> Result<GroupMapping, ConfigError> {
    at.members(&["group", "owner"])?;
    Ok(GroupMapping { group: group_id(&at.needed("group")?)?, owner: entity_ref(&at.needed("owner")?)? })
}

/// The object id of a group, for which no name will do
fn group_id(at: &At<'_>) -> Result<Guid, ConfigError> {
    at.parsed(GROUP_ID, |text| Guid::parse(text.as_bytes()))
}

fn entity_ref(at: &At<'_>) -> Result<EntityRef, ConfigError> {
    at.parsed(EntityRef::EXPECTED, EntityRef::parse)
}

/// A text that was written down; whatever stands in its place is repeated in no error
fn given(at: &At<'_>) -> Result<(), ConfigError> {
    const EXPECTED: &str = "a text in quotes that is not empty";
    match at.value() {
        Value::Text(text) if text.is_empty() => Err(at.mistake(format!("this must be {EXPECTED}"))),
        Value::Text(_) => Ok(()),
        _ => Err(at.unshown(EXPECTED)),
    }
}

impl GraphSection {
    fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        at.members(&["clientId", "clientSecret", "certificate", "managedIdentity", "staleAfter", "directory"])?;
        Ok(Self {
            client_id: at.some("clientId", &Guid::read)?,
            client_secret: at.some("clientSecret", &given)?,
            certificate: at.some("certificate", &given)?,
            managed_identity: at.some("managedIdentity", &ManagedIdentity::read)?,
            following: at.member("staleAfter").or_else(|| at.member("directory")).is_some(),
        })
    }
}

impl ManagedIdentity {
    fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        match at.value() {
            Value::Boolean(own) => Ok(Self::Own(*own)),
            Value::Object(_) => {
                at.members(&["clientId"])?;
                Guid::read(&at.needed("clientId")?)?;
                Ok(Self::Assigned)
            }
            _ => Err(at.unshown("`true`, or the `clientId` of an assigned identity")),
        }
    }
}

impl WorkloadEntry {
    fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        at.members(&["client", "tenantId", "groups"])?;
        Ok(Self {
            client: Guid::read(&at.needed("client")?)?,
            tenant_id: at.some("tenantId", &Guid::read)?,
            groups: at.needed("groups")?.all(&group_id)?,
        })
    }
}

impl GroupSection {
    /// The settings, which contradict neither each other nor the tenants
    pub(super) fn settings(
        self,
        tenants: &[(&Tenant, &Cloud)],
        profiles: &[Profile],
    ) -> Result<GroupSettings, ConfigError> {
        let path = format!("{ROOT}.groups.graph");
        if self.live && self.overage != OveragePolicy::Unknown {
            return Err(ConfigError::new(
                format!("{ROOT}.groups.overage"),
                "with `source: graph` no token is asked for groups",
            )
            .hint("remove `overage`"));
        }
        let asked = self.live || self.overage == OveragePolicy::Graph;
        match &self.graph {
            Some(graph) if asked => graph.check(&path, self.live)?,
            Some(_) => {
                return Err(ConfigError::new(path, "nothing uses these credentials")
                    .hint("set `groups.source: graph` or `groups.overage: graph`, or remove the section"));
            }
            None if asked => {
                return Err(ConfigError::new(path, "the section is missing").hint(
                    "Microsoft Graph is asked: give `clientId` and `clientSecret`, `certificate` or `managedIdentity`",
                ));
            }
            None => {}
        }
        if asked && let Some((tenant, _)) = tenants.iter().find(|(_, cloud)| cloud.graph.is_empty()) {
            return Err(ConfigError::new(format!("{ROOT}.clouds.{}.graph", tenant.cloud), "the address is missing")
                .hint("Microsoft Graph of this cloud is asked, such as https://graph.example.com"));
        }
        self.keep_apart(profiles)?;
        let mut workloads = HashMap::new();
        for (at, entry) in self.workloads.into_iter().enumerate() {
            let path = format!("{ROOT}.groups.workloads[{at}]");
            let key = (entry.tenant(tenants, &path)?, entry.client);
            if workloads.insert(key, entry.groups(&path)?).is_some() {
                return Err(ConfigError::new(format!("{path}.client"), "this client is listed twice")
                    .hint("one entry for each client, with all of its groups"));
            }
        }
        Ok(GroupSettings {
            live: self.live,
            overage: self.overage,
            mapping: self.mapping,
            max_depth: self.max_depth,
            directory_roles: self.directory_roles,
            workloads,
        })
    }

    /// What is listed as a directory role stands nowhere as a group
    fn keep_apart(&self, profiles: &[Profile]) -> Result<(), ConfigError> {
        let role = |id: &Guid| self.directory_roles.contains(id);
        let job = profiles.iter().filter_map(Profile::jobs).enumerate().find_map(|(at, jobs)| {
            let entry = jobs.trust.iter().position(|entry| entry.groups.iter().any(role))?;
            Some(format!("{ROOT}.pipelines[{at}].trust[{entry}].groups"))
        });
        let path = if let Some(at) = self.mapping.iter().position(|entry| role(&entry.group)) {
            format!("{ROOT}.groups.mapping[{at}].group")
        } else if let Some(at) = self.workloads.iter().position(|entry| entry.groups.iter().any(role)) {
            format!("{ROOT}.groups.workloads[{at}].groups")
        } else if let Some(path) = job {
            path
        } else {
            return Ok(());
        };
        Err(ConfigError::new(path, "this names a directory role, which is no group")
            .hint("use a group, or take the id out of `groups.directoryRoles`"))
    }
}

impl GraphSection {
    fn check(&self, path: &str, live: bool) -> Result<(), ConfigError> {
        let mistake = |message: &str, hint: &str| Err(ConfigError::new(path, message).hint(hint));
        if self.following && !live {
            return mistake(
                "`staleAfter` and `directory` are for a live directory",
                "set `groups.source: graph`, or remove them",
            );
        }
        let given = [self.client_secret.is_some(), self.certificate.is_some(), self.managed_identity.is_some()];
        match given.into_iter().filter(|given| *given).count() {
            1 => {}
            // Backstage leaves out what it cannot fill in, so this is all that is left of a variable nobody set.
            0 => {
                return mistake(
                    "there are no credentials",
                    "give `clientSecret`, `certificate` or `managedIdentity`; an environment variable that is not set gives none",
                );
            }
            _ => {
                return mistake(
                    "there are several credentials",
                    "keep one of `clientSecret`, `certificate` and `managedIdentity`",
                );
            }
        }
        match (&self.managed_identity, self.client_id) {
            (None, None) => mistake("`clientId` is missing", "name the app registration that may read memberships"),
            (Some(ManagedIdentity::Assigned), Some(_)) => {
                mistake("`clientId` is given twice", "a user-assigned identity has one client id")
            }
            (Some(ManagedIdentity::Own(false)), _) => mistake(
                "`managedIdentity: false` is no credential",
                "write `managedIdentity: true`, or leave it out and give another one",
            ),
            _ => Ok(()),
        }
    }
}

impl WorkloadEntry {
    /// The tenant whose service principal is meant
    ///
    /// Whoever administers a tenant can give the service principals in it new secrets: an entry for one tenant's must not
    /// count for another's.
    fn tenant(&self, tenants: &[(&Tenant, &Cloud)], path: &str) -> Result<Guid, ConfigError> {
        let lets_in = |tenant: &&Tenant| {
            tenant.clients.contains(&self.client) && self.tenant_id.is_none_or(|id| id == tenant.tenant_id)
        };
        let mut found = tenants.iter().map(|(tenant, _)| *tenant).filter(lets_in);
        match (found.next(), found.next()) {
            (Some(tenant), None) => Ok(tenant.tenant_id),
            (None, _) => Err(ConfigError::new(format!("{path}.client"), "no tenant lets this client in")
                .hint("add it to `clients` of its tenant, or remove the entry")),
            (Some(_), Some(_)) => Err(ConfigError::new(path, "several tenants let this client in")
                .hint("name the one whose service principal is meant: `tenantId`")),
        }
    }

    fn groups(self, path: &str) -> Result<Vec<Guid>, ConfigError> {
        let path = format!("{path}.groups");
        match self.groups.len() {
            0 => Err(ConfigError::new(path, "the list is empty").hint("leave the entry out")),
            1..=limits::RESOLVED_GROUPS => Ok(self.groups),
            _ => Err(ConfigError::new(path, format!("more than {} groups", limits::RESOLVED_GROUPS))),
        }
    }
}
