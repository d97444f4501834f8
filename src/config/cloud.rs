//! Entra's clouds: where tokens come from and how their issuers are spelt
//!
//! Source: Microsoft identity platform, national clouds; v1.0 issuers as seen in Microsoft.IdentityModel's tests. The v1.0
//! issuer does not identify the cloud (Global and US Government share it), so the profile does.

use crate::keys::{Algorithm, jwk::algorithms};

/// One cloud
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloud {
    /// Where sign-in happens, without a trailing slash; discovery documents are below it
    pub authority: String,
    /// What stands before `{tid}/` in a v1.0 issuer
    pub v1_issuer_base: String,
    /// The base URL of Microsoft Graph, without a trailing slash; empty where a custom cloud has none
    pub graph: String,
    /// Accepted algorithms; the first that fits is pinned to a key that names none, as Entra's keys do
    pub algorithms: Vec<&'static Algorithm>,
    /// What keys of this cloud say in `cloud_instance_name`, where known
    pub instance_name: Option<&'static str>,
}

/// The built-in clouds
pub fn built_in(name: &str) -> Option<Cloud> {
    let (authority, v1_issuer_base, graph, instance_name) = match name {
        "global" => (
            "https://login.microsoftonline.com",
            "https://sts.windows.net",
            "https://graph.microsoft.com",
            "microsoftonline.com",
        ),
        "usgov" => (
            "https://login.microsoftonline.us",
            "https://sts.windows.net",
            "https://graph.microsoft.us",
            "microsoftonline.us",
        ),
        "china" => (
            "https://login.partner.microsoftonline.cn",
            "https://sts.chinacloudapi.cn",
            "https://microsoftgraph.chinacloudapi.cn",
            "partner.microsoftonline.cn",
        ),
        _ => return None,
    };
    Some(Cloud {
        authority: authority.into(),
        v1_issuer_base: v1_issuer_base.into(),
        graph: graph.into(),
        algorithms: algorithms(&["RS256"]),
        instance_name: Some(instance_name),
    })
}

/// The names of the built-in clouds
pub const BUILT_IN: [&str; 3] = ["global", "usgov", "china"];
