//! An issuer profile: one trusted issuer with everything that may vary

use std::sync::Arc;

use super::cloud::Cloud;
use crate::{
    identity::Guid,
    keys::{Algorithm, KeyTrust},
    limits,
    pipeline::{PipelineKind, TrustEntry},
    text::split_once,
};

/// Which of Entra's two token formats
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenVersion {
    /// `ver` is `1.0`, the client is in `appid`
    V1,
    /// `ver` is `2.0`, the client is in `azp`
    V2,
}

impl TokenVersion {
    /// The value of `ver`
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "1.0",
            Self::V2 => "2.0",
        }
    }
}

/// One trusted issuer; chosen by its exact `iss` before any key is looked up
#[derive(Debug, Clone)]
pub struct Profile {
    /// Names it in logs and status: `entra-v2:<tenant>`
    pub id: Arc<str>,
    /// The exact `iss`
    pub issuer: String,
    /// Where its discovery document is
    pub discovery_url: String,
    /// Accepted audiences, exact; object ids in lower case
    pub audiences: Vec<String>,
    /// Accepted algorithms, in the order in which one is pinned to a key that names none
    pub algorithms: Vec<&'static Algorithm>,
    /// Clock difference tolerated, in seconds
    pub leeway_seconds: u64,
    /// Longest lifetime, in seconds
    pub lifetime_seconds: u64,
    /// Whose tokens it issues
    pub of: IssuerOf,
}

/// Whose tokens an issuer issues
#[derive(Debug, Clone)]
pub enum IssuerOf {
    /// People, applications and agents of a tenant
    Tenant(TenantIssuer),
    /// Jobs of pipelines
    Jobs(JobIssuer),
}

/// A tenant, by one of its two issuers
#[derive(Debug, Clone)]
pub struct TenantIssuer {
    /// The tenant
    pub tenant: Guid,
    /// Where sign-in of its cloud happens
    pub authority: String,
    /// The base URL of Microsoft Graph in its cloud; empty where there is none
    pub graph: String,
    /// The token format
    pub version: TokenVersion,
    /// Client ids of app-only callers that are let in
    pub clients: Vec<Guid>,
    /// What keys say in `cloud_instance_name`
    pub cloud_instance_name: Option<&'static str>,
}

/// A CI system: which of its jobs are trusted
#[derive(Debug, Clone)]
pub struct JobIssuer {
    /// What its tokens look like
    pub kind: &'static PipelineKind,
    /// The trust entries
    pub trust: Vec<TrustEntry>,
}

impl Profile {
    /// The two profiles of a tenant: v2.0 and v1.0 tokens have different issuers, discovery documents and key sets
    pub fn of_tenant(tenant: Guid, cloud: &Cloud, audiences: &[String], clients: &[Guid]) -> [Self; 2] {
        let authority = &cloud.authority;
        let profile = |version, id: String, issuer, discovery_url| Self {
            id: id.into(),
            issuer,
            discovery_url,
            audiences: audiences.to_vec(),
            algorithms: cloud.algorithms.clone(),
            leeway_seconds: limits::LEEWAY_SECONDS,
            lifetime_seconds: limits::ENTRA_LIFETIME_SECONDS,
            of: IssuerOf::Tenant(TenantIssuer {
                tenant,
                authority: authority.clone(),
                graph: cloud.graph.clone(),
                version,
                clients: clients.to_vec(),
                cloud_instance_name: cloud.instance_name,
            }),
        };
        [
            profile(
                TokenVersion::V2,
                format!("entra-v2:{tenant}"),
                format!("{authority}/{tenant}/v2.0"),
                format!("{authority}/{tenant}/v2.0/.well-known/openid-configuration"),
            ),
            profile(
                TokenVersion::V1,
                format!("entra-v1:{tenant}"),
                format!("{}/{tenant}/", cloud.v1_issuer_base),
                format!("{authority}/{tenant}/.well-known/openid-configuration"),
            ),
        ]
    }

    /// The tenant whose tokens it issues, if it is one
    pub const fn tenant(&self) -> Option<&TenantIssuer> {
        match &self.of {
            IssuerOf::Tenant(tenant) => Some(tenant),
            IssuerOf::Jobs(_) => None,
        }
    }

    /// The trusted jobs, if it issues tokens of jobs
    pub const fn jobs(&self) -> Option<&JobIssuer> {
        match &self.of {
            IssuerOf::Tenant(_) => None,
            IssuerOf::Jobs(jobs) => Some(jobs),
        }
    }

    /// Whether a key's own `issuer` allows it to sign for this profile: `{tenantid}` stands for the tenant
    ///
    /// Exact comparison of the whole text, as Microsoft.IdentityModel's `AadIssuerValidator` does it.
    pub fn key_issuer_fits(&self, key_issuer: &str) -> bool {
        match (split_once(key_issuer, "{tenantid}"), self.tenant()) {
            (Some((before, after)), Some(of)) => {
                let tenant = of.tenant.to_string();
                self.issuer.strip_prefix(before).and_then(|rest| rest.strip_prefix(tenant.as_str())) == Some(after)
            }
            _ => self.issuer == key_issuer,
        }
    }
}

impl KeyTrust for Profile {
    fn algorithms(&self) -> &[&'static Algorithm] {
        &self.algorithms
    }

    /// What a key does not say allows it
    fn may_sign(&self, issuer: Option<&str>, cloud_instance_name: Option<&str>) -> bool {
        let cloud_fits = match (cloud_instance_name, self.tenant().and_then(|of| of.cloud_instance_name)) {
            (Some(of_key), Some(of_profile)) => of_key == of_profile,
            _ => true,
        };
        cloud_fits && issuer.is_none_or(|issuer| self.key_issuer_fits(issuer))
    }
}
