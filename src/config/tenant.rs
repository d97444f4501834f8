//! An entry of `entraAccess.tenants`: whose tokens are accepted, and for whom they must be meant

use crate::{
    error::ConfigError,
    identity::Guid,
    json::{At, owned_text},
    limits,
};

pub(super) struct Tenant {
    pub(super) tenant_id: Guid,
    pub(super) cloud: String,
    pub(super) audiences: Vec<String>,
    pub(super) clients: Vec<Guid>,
    /// Whether the users of the catalog come from here
    pub(super) catalog_users: Option<bool>,
    /// Seconds
    leeway: u64,
    /// Seconds
    max_lifetime: u64,
}

impl Tenant {
    pub(super) fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        at.members(&["tenantId", "cloud", "audiences", "clients", "catalogUsers", "leeway", "maxLifetime"])?;
        Ok(Self {
            tenant_id: Guid::read(&at.needed("tenantId")?)?,
            cloud: at.some("cloud", &owned_text)?.unwrap_or_else(|| "global".into()),
            audiences: needed_audiences(at, CLIENT_ID)?,
            clients: at.list("clients", &Guid::read)?,
            catalog_users: at.some("catalogUsers", &|at| at.boolean())?,
            leeway: at.some("leeway", &|at| at.number())?.unwrap_or(limits::LEEWAY_SECONDS),
            max_lifetime: at.some("maxLifetime", &|at| at.number())?.unwrap_or(limits::ENTRA_LIFETIME_SECONDS),
        })
    }

    /// Clock difference tolerated and longest lifetime, in seconds: what is usual may be narrowed, never widened
    pub(super) fn times(&self, path: &str) -> Result<(u64, u64), ConfigError> {
        let lifetimes = (limits::ENTRA_LIFETIME_SECONDS_MIN, limits::ENTRA_LIFETIME_SECONDS);
        times((self.leeway, self.max_lifetime), lifetimes, "an Entra token", path)
    }
}

/// Leeway and longest lifetime, as far as they are in range
pub(super) fn times(
    (leeway, lifetime): (u64, u64),
    (least, most): (u64, u64),
    whose: &str,
    path: &str,
) -> Result<(u64, u64), ConfigError> {
    if leeway > limits::LEEWAY_SECONDS {
        let found = format!("{leeway} seconds of leeway are more than any clock needs");
        return Err(ConfigError::new(format!("{path}.leeway"), found)
            .hint(format!("0 to {} seconds; set the clock of this machine by NTP", limits::LEEWAY_SECONDS)));
    }
    if !(least..=most).contains(&lifetime) {
        let found = format!("{lifetime} seconds are no lifetime of {whose}");
        let hint = format!("{least} to {most} seconds");
        return Err(ConfigError::new(format!("{path}.maxLifetime"), found).hint(hint));
    }
    Ok((leeway, lifetime))
}

/// Audiences that belong to Microsoft's own APIs: accepting them would accept tokens meant for somebody else
const FOREIGN_AUDIENCES: [&str; 7] = [
    "00000003-0000-0000-c000-000000000000",
    "00000002-0000-0000-c000-000000000000",
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://graph.windows.net",
    "https://microsoftgraph.chinacloudapi.cn",
];

/// What the audiences of a tenant should name
pub(super) const CLIENT_ID: &str = "the client id of the app registration of this Backstage";

/// The member `audiences` as it is written; `usual` is what it should name where it is missing
pub(super) fn needed_audiences(at: &At<'_>, usual: &str) -> Result<Vec<String>, ConfigError> {
    at.needed("audiences").map_err(|missing| missing.hint(format!("name {usual}")))?.all(&owned_text)
}

/// The accepted audiences, exact; client ids in lower case, as Entra writes them. `usual` is what an empty list should name
pub(super) fn audiences(texts: &[String], usual: &str, path: &str) -> Result<Vec<String>, ConfigError> {
    if texts.is_empty() {
        return Err(ConfigError::new(path, "the list is empty").hint(format!("name {usual}")));
    }
    let mut audiences = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let path = format!("{path}[{at}]");
        if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(ConfigError::new(path, "an audience is a text without spaces"));
        }
        if text.contains('*') {
            return Err(ConfigError::new(path, "audiences are compared exactly; there is no wildcard")
                .hint("list each audience"));
        }
        let plain = text.trim_end_matches('/').to_ascii_lowercase();
        if FOREIGN_AUDIENCES.contains(&plain.as_str()) {
            return Err(ConfigError::new(
                path,
                "this audience is Microsoft's own API; its tokens are not meant for Backstage",
            )
            .hint("use the client id of your own app registration"));
        }
        // Entra writes client ids in lower case; everything else is compared letter by letter.
        audiences.push(Guid::parse(text.as_bytes()).map_or_else(|| text.clone(), |guid| guid.to_string()));
    }
    Ok(audiences)
}
