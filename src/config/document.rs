//! The section `entraAccess` of `app-config.yaml`: every mistake is an error with its path and the fix
//!
//! Absence never opens anything: no tenant, no audience or no policy is an error, not "all".

use std::collections::BTreeMap;

use super::{
    audit::AuditSettings,
    catalog::CatalogSection,
    custom_cloud::{CustomCloud, clouds},
    groups::{GroupSection, GroupSettings},
    identity::{Identity, IdentitySection, identity},
    pipelines,
    profile::Profile,
    tenant::{CLIENT_ID, Tenant, audiences},
};
use crate::{
    directory::TrustedLocations,
    error::ConfigError,
    identity::{Guid, job::PIPELINE},
    json::{self, At},
    text::{join, shown},
};

/// The parsed configuration
#[derive(Debug, Clone)]
pub struct Configuration {
    /// One trusted issuer each
    pub profiles: Vec<Profile>,
    /// Groups beyond the token
    pub groups: GroupSettings,
    /// Whose word about groups and users counts in the catalog
    pub trusted: TrustedLocations,
    /// Whether the API of every plugin takes an access token as it is, without a sign-in before
    pub direct_calls: bool,
    /// Which entity stands for a principal
    pub identity: Identity,
    /// What is recorded, and for how long
    pub audit: AuditSettings,
    /// Who is let in while the directory has no word: tenant and object id of each. The host reads the section
    pub break_glass: Vec<Guid>,
}

struct Section {
    tenants: Vec<Tenant>,
    clouds: BTreeMap<String, CustomCloud>,
    pipelines: Vec<Profile>,
    groups: GroupSection,
    catalog: CatalogSection,
    direct_calls: bool,
    identity: IdentitySection,
    audit: AuditSettings,
    break_glass: Vec<Guid>,
}

impl Section {
    fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        at.members(&[
            "tenants",
            "clouds",
            "pipelines",
            "groups",
            "catalog",
            "directCalls",
            "identity",
            "audit",
            "breakGlass",
            // Read by the host alone.
            "limits",
            "policy",
        ])?;
        // Read by the host, which hands the rules to [`crate::policy`].
        at.needed("policy")?;
        Ok(Self {
            tenants: at.needed("tenants").map_err(|missing| missing.hint(TENANTS))?.all(&Tenant::read)?,
            clouds: at.some("clouds", &CustomCloud::read_all)?.unwrap_or_default(),
            pipelines: at.list("pipelines", &pipelines::read)?,
            groups: at.some("groups", &GroupSection::read)?.unwrap_or_default(),
            catalog: at.some("catalog", &CatalogSection::read)?.unwrap_or_default(),
            direct_calls: at.some("directCalls", &|at| at.boolean())?.unwrap_or(true),
            identity: at.some("identity", &IdentitySection::read)?.unwrap_or_default(),
            audit: at.some("audit", &AuditSettings::read)?.unwrap_or_default(),
            break_glass: at.list("breakGlass", &Guid::read)?,
        })
    }
}

/// The section's name, with which every path begins
pub(super) const ROOT: &str = "entraAccess";

const TENANTS: &str = "name at least one tenant; there is no wildcard";

impl Configuration {
    /// Reads the section from JSON text
    ///
    /// # Errors
    /// The first mistake, with its path below `entraAccess`.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let document = json::value(text).map_err(|mistake| ConfigError::new(ROOT, mistake))?;
        let section = Section::read(&At::root(&document, ROOT))?;
        let clouds = clouds(&section.clouds)?;
        if section.tenants.is_empty() {
            return Err(ConfigError::new(format!("{ROOT}.tenants"), "the list is empty").hint(TENANTS));
        }
        let mut profiles: Vec<Profile> = Vec::new();
        let mut tenants = Vec::new();
        for (at, tenant) in section.tenants.iter().enumerate() {
            let path = format!("{ROOT}.tenants[{at}]");
            let cloud = clouds.get(&tenant.cloud).ok_or_else(|| {
                ConfigError::new(format!("{path}.cloud"), format!("there is no cloud `{}`", shown(&tenant.cloud)))
                    .hint(format!("one of: {}", join(&clouds.keys().collect::<Vec<_>>(), ", ")))
            })?;
            let audiences = audiences(&tenant.audiences, CLIENT_ID, &format!("{path}.audiences"))?;
            let times = tenant.times(&path)?;
            for mut profile in Profile::of_tenant(tenant.tenant_id, cloud, &audiences, &tenant.clients) {
                (profile.leeway_seconds, profile.lifetime_seconds) = times;
                if profiles.iter().any(|known| known.issuer == profile.issuer) {
                    return Err(ConfigError::new(
                        format!("{path}.tenantId"),
                        format!("tenant {} is listed twice", tenant.tenant_id),
                    )
                    .hint("one entry for each tenant: its issuer chooses the profile"));
                }
                profiles.push(profile);
            }
            tenants.push((tenant, cloud));
        }
        pipelines::add(section.pipelines, &mut profiles)?;
        let identity = identity(&section.identity, &section.tenants)?;
        let (groups, trusted) = (section.groups.settings(&tenants, &profiles)?, section.catalog.trusted()?);
        let (direct_calls, audit, break_glass) = (section.direct_calls, section.audit, section.break_glass);
        Ok(Self { profiles, groups, trusted, identity, direct_calls, audit, break_glass })
    }

    /// Whether there is a pipeline with this id, an entry of it with this name, and a claim that it publishes; `None` for any
    pub fn publishes(&self, pipeline: &str, trust: Option<&str>, claim: Option<&str>) -> bool {
        let found = self.profiles.iter().find(|profile| profile.id.strip_prefix(PIPELINE) == Some(pipeline));
        found.and_then(Profile::jobs).is_some_and(|jobs| {
            let mut entries = jobs.trust.iter().filter(|entry| trust.is_none_or(|name| *entry.name == *name));
            entries.any(|entry| claim.is_none_or(|claim| entry.published.iter().any(|known| **known == *claim)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{
        "tenants": [{"tenantId": "11111111-2222-3333-4444-555555555555", "audiences": ["AAAAAAAA-0000-0000-0000-000000000001", "api://backstage"]}],
        "groups": {"mapping": [{"group": "aaaaaaaa-0000-0000-0000-000000000002", "owner": "group:default/payments"}]},
        "policy": {"file": "x.yaml"}
    }"#;

    fn mistake(change: &str, to: &str) -> String {
        let text = GOOD.replace(change, to);
        assert_ne!(text, GOOD, "the change changed nothing");
        Configuration::parse(&text).unwrap_err().to_string()
    }

    #[test]
    fn a_tenant_has_two_issuers() {
        let configuration = Configuration::parse(GOOD).unwrap();
        let issuers: Vec<_> = configuration.profiles.iter().map(|p| p.issuer.as_str()).collect();
        assert_eq!(
            issuers,
            [
                "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0",
                "https://sts.windows.net/11111111-2222-3333-4444-555555555555/"
            ]
        );
        assert!(configuration.profiles.iter().all(|p| (p.leeway_seconds, p.lifetime_seconds) == (300, 28 * 3600)));
        assert_eq!(configuration.profiles[0].audiences, ["aaaaaaaa-0000-0000-0000-000000000001", "api://backstage"]);
    }

    #[test]
    fn direct_calls_are_on_unless_switched_off() {
        assert!(Configuration::parse(GOOD).unwrap().direct_calls);
        let off = GOOD.replace("\"policy\"", "\"directCalls\": false, \"policy\"");
        assert!(!Configuration::parse(&off).unwrap().direct_calls);
    }

    #[test]
    fn each_mistake_is_named_with_its_place() {
        for (change, to, says) in [
            ("\"tenants\"", "\"tenant\"", "entraAccess.tenant: unknown field `tenant`"),
            ("\"tenantId\"", "\"tenantID\"", "entraAccess.tenants[0].tenantID: unknown field `tenantID`"),
            (
                "11111111-2222-3333-4444-555555555555",
                "contoso.com",
                "entraAccess.tenants[0].tenantId: `contoso.com` is not a GUID",
            ),
            ("11111111-2222-3333-4444-555555555555", "*", "entraAccess.tenants[0].tenantId: `*` is not a GUID"),
            ("\"api://backstage\"", "\"*\"", "entraAccess.tenants[0].audiences[1]: audiences are compared exactly"),
            (
                "\"api://backstage\"",
                "\"https://graph.microsoft.com/\"",
                "entraAccess.tenants[0].audiences[1]: this audience is Microsoft's",
            ),
            (
                "\"api://backstage\"",
                "7",
                "entraAccess.tenants[0].audiences[1]: invalid type: integer `7`, expected a string",
            ),
            ("\"policy\": {\"file\": \"x.yaml\"}", "\"audits\": 1", "entraAccess.audits: unknown field `audits`"),
            (
                "\"policy\": {",
                "\"directCalls\": \"no\", \"policy\": {",
                "entraAccess.directCalls: invalid type: string \"no\", expected a boolean",
            ),
            (
                "\"policy\": {",
                "\"directCalls\": null, \"policy\": {",
                "entraAccess.directCalls: invalid type: null, expected a boolean",
            ),
            ("group:default/payments", "payments", "entraAccess.groups.mapping[0].owner: "),
            ("\"mapping\"", "\"maxDepth\": null, \"mapping\"", "entraAccess.groups.maxDepth: "),
            ("\"mapping\"", "\"maxDepth\": -1, \"mapping\"", "entraAccess.groups.maxDepth: "),
            ("\"mapping\"", "\"maxDepth\": \"2\", \"mapping\"", "entraAccess.groups.maxDepth: "),
            (
                "\"policy\"",
                "\"catalog\": {\"trustedLocations\": [\"ldap:\", \"url:\"]}, \"policy\"",
                "entraAccess.catalog.trustedLocations[1]: `url:` is not a location that can be trusted",
            ),
            (
                "\"policy\"",
                "\"catalog\": {\"trusted\": []}, \"policy\"",
                "entraAccess.catalog.trusted: unknown field `trusted`",
            ),
            ("\"mapping\"", "\"source\": \"live\", \"mapping\"", "entraAccess.groups.source: unknown variant `live`"),
            ("\"mapping\"", "\"source\": \"graph\", \"mapping\"", "entraAccess.groups.graph: the section is missing"),
            (
                "\"mapping\"",
                "\"source\": \"graph\", \"overage\": \"reject\", \"mapping\"",
                "entraAccess.groups.overage: with `source: graph` no token is asked for groups",
            ),
            (
                "\"mapping\"",
                "\"overage\": \"graph\", \"graph\": {\"managedIdentity\": true, \"staleAfter\": 900}, \"mapping\"",
                "entraAccess.groups.graph: `staleAfter` and `directory` are for a live directory",
            ),
            ("\"policy\"", "\"breakGlass\": [\"ada\"], \"policy\"", "entraAccess.breakGlass[0]: `ada` is not a GUID"),
            (
                "\"audiences\"",
                "\"leeway\": 301, \"audiences\"",
                "entraAccess.tenants[0].leeway: 301 seconds of leeway are more than any clock needs (0 to 300 seconds",
            ),
            ("\"audiences\"", "\"leeway\": -1, \"audiences\"", "entraAccess.tenants[0].leeway: invalid value"),
            ("\"audiences\"", "\"leeway\": 1.5, \"audiences\"", "entraAccess.tenants[0].leeway: invalid value"),
            ("\"audiences\"", "\"leeway\": null, \"audiences\"", "entraAccess.tenants[0].leeway: invalid type"),
            (
                "\"audiences\"",
                "\"maxLifetime\": 100801, \"audiences\"",
                "entraAccess.tenants[0].maxLifetime: 100801 seconds are no lifetime of an Entra token (600 to 100800 seconds",
            ),
            (
                "\"audiences\"",
                "\"maxLifetime\": 599, \"audiences\"",
                "entraAccess.tenants[0].maxLifetime: 599 seconds are no lifetime",
            ),
            (
                "\"audiences\"",
                "\"maxLifetime\": \"1h\", \"audiences\"",
                "entraAccess.tenants[0].maxLifetime: invalid type",
            ),
            (
                "\"audiences\"",
                "\"cloud\": \"moon\", \"audiences\"",
                "entraAccess.tenants[0].cloud: there is no cloud `moon`",
            ),
            (
                "\"policy\"",
                "\"clouds\": {\"lab\": {\"authority\": \"http://10.0.0.1:7100\"}}, \"policy\"",
                "entraAccess.clouds.lab.authority: plain http",
            ),
            (
                "\"policy\"",
                "\"clouds\": {\"lab\": {\"authority\": \"https://x.b2clogin.com\"}}, \"policy\"",
                "entraAccess.clouds.lab.authority: Azure AD B2C",
            ),
            (
                "\"policy\"",
                "\"clouds\": {\"global\": {\"authority\": \"https://x.example\"}}, \"policy\"",
                "entraAccess.clouds.global: this name is built in",
            ),
        ] {
            let message = mistake(change, to);
            assert!(message.starts_with(says), "{message}\n  should start with {says}");
        }
        assert!(Configuration::parse("{}").unwrap_err().message.contains("missing field"));
        assert!(Configuration::parse("[]").is_err());
        let twice = GOOD.replace(
            "\"tenants\": [",
            "\"tenants\": [{\"tenantId\": \"11111111-2222-3333-4444-555555555555\", \"audiences\": [\"x\"]},",
        );
        assert!(Configuration::parse(&twice).unwrap_err().message.contains("listed twice"));
        let none = GOOD.replace("[\"AAAAAAAA-0000-0000-0000-000000000001\", \"api://backstage\"]", "[]");
        assert!(Configuration::parse(&none).unwrap_err().message.contains("empty"));
    }

    #[test]
    fn key_issuers_are_templates_compared_whole() {
        let profile = &Configuration::parse(GOOD).unwrap().profiles[0];
        for (issuer, fits) in [
            ("https://login.microsoftonline.com/{tenantid}/v2.0", true),
            ("https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0", true),
            ("https://login.microsoftonline.us/{tenantid}/v2.0", false),
            ("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", false),
            ("https://login.microsoftonline.com/{tenantid}/v2.0/", false),
            ("{tenantid}", false),
            ("", false),
        ] {
            assert_eq!(profile.key_issuer_fits(issuer), fits, "{issuer}");
        }
    }
}
