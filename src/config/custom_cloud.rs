//! An entry of `entraAccess.clouds`: External ID, air-gapped clouds, simulators

use std::collections::BTreeMap;

use super::{cloud, cloud::Cloud, document::ROOT};
use crate::{
    error::ConfigError,
    json::{At, owned_text},
    keys::{
        Algorithm,
        algorithm::{self, ALGORITHMS},
        jwk,
    },
    text::{join, shown, split_once},
};

pub(super) struct CustomCloud {
    authority: String,
    graph: Option<String>,
    algorithms: Option<Vec<String>>,
}

impl CustomCloud {
    /// Every cloud by its name
    pub(super) fn read_all(at: &At<'_>) -> Result<BTreeMap<String, Self>, ConfigError> {
        at.mapping()?;
        let mut clouds = BTreeMap::new();
        for name in at.names() {
            clouds.insert(name.to_owned(), Self::read(&at.needed(name)?)?);
        }
        Ok(clouds)
    }

    fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        at.members(&["authority", "graph", "algorithms"])?;
        Ok(Self {
            authority: owned_text(&at.needed("authority")?)?,
            graph: at.some("graph", &owned_text)?,
            algorithms: at.some("algorithms", &|at| at.all(&owned_text))?,
        })
    }
}

/// The built-in clouds and the configured ones by name
pub(super) fn clouds(custom: &BTreeMap<String, CustomCloud>) -> Result<BTreeMap<String, Cloud>, ConfigError> {
    let mut clouds: BTreeMap<_, _> =
        cloud::BUILT_IN.iter().filter_map(|name| Some(((*name).to_owned(), cloud::built_in(name)?))).collect();
    for (name, custom) in custom {
        let path = format!("{ROOT}.clouds.{name}");
        let authority = base_url(&custom.authority, &format!("{path}.authority"))?;
        let graph = match &custom.graph {
            Some(graph) => base_url(graph, &format!("{path}.graph"))?,
            None => String::new(),
        };
        let algorithms = algorithms(custom.algorithms.as_deref(), &format!("{path}.algorithms"))?;
        let cloud = Cloud { v1_issuer_base: authority.clone(), authority, graph, algorithms, instance_name: None };
        if clouds.insert(name.clone(), cloud).is_some() {
            return Err(ConfigError::new(path, "this name is built in").hint("choose another name"));
        }
    }
    Ok(clouds)
}

/// Entra signs with RS256; another issuer may be configured for others of the table, of which none is symmetric
fn algorithms(names: Option<&[String]>, path: &str) -> Result<Vec<&'static Algorithm>, ConfigError> {
    let Some(names) = names else { return Ok(jwk::algorithms(&["RS256"])) };
    if names.is_empty() {
        return Err(ConfigError::new(path, "the list is empty").hint("leave it out for RS256"));
    }
    let known = join(&ALGORITHMS.each_ref().map(|algorithm| algorithm.name), ", ");
    let find = |(at, name): (usize, &String)| {
        algorithm::by_name(name.as_bytes()).ok_or_else(|| {
            ConfigError::new(format!("{path}[{at}]"), format!("`{}` is no accepted algorithm", shown(name)))
                .hint(format!("one of: {known}"))
        })
    };
    names.iter().enumerate().map(find).collect()
}

/// `https`, or `http` to this machine only; no trailing slash, query, fragment or user
pub(super) fn base_url(text: &str, path: &str) -> Result<String, ConfigError> {
    let url = text.trim_end_matches('/');
    let (scheme, rest) = split_once(url, "://").unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    if name.ends_with(".b2clogin.com") {
        return Err(ConfigError::new(
            path,
            "Azure AD B2C is not supported: its tokens carry no tenant and its keys vary by policy",
        )
        .hint("use Microsoft Entra External ID (`<tenant>.ciamlogin.com`)"));
    }
    let fits = rest.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_/:[]~".contains(&b)) && !name.is_empty();
    match scheme {
        "https" if fits => Ok(url.to_owned()),
        "http" if fits && matches!(name, "127.0.0.1" | "localhost" | "[::1]") => Ok(url.to_owned()),
        "http" if fits => Err(ConfigError::new(path, "plain http is accepted to this machine only").hint("use https")),
        _ => Err(ConfigError::new(path, "this is no base URL").hint("such as https://login.example.com")),
    }
}
