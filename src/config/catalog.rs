//! The section `entraAccess.catalog`: which entities may say who is who in Entra

use super::document::ROOT;
use crate::{
    directory::{LocationRule, TrustedLocations},
    error::ConfigError,
    json::{At, owned_text},
    text::shown,
};

#[derive(Default)]
pub(super) struct CatalogSection {
    pub(super) trusted_locations: Vec<String>,
}

impl CatalogSection {
    pub(super) fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        at.members(&["trustedLocations"])?;
        Ok(Self { trusted_locations: at.list("trustedLocations", &owned_text)? })
    }

    pub(super) fn trusted(&self) -> Result<TrustedLocations, ConfigError> {
        let mut rules = Vec::new();
        for (at, text) in self.trusted_locations.iter().enumerate() {
            rules.push(LocationRule::parse(text).ok_or_else(|| {
                ConfigError::new(
                    format!("{ROOT}.catalog.trustedLocations[{at}]"),
                    format!("`{}` is not a location that can be trusted", shown(text)),
                )
                .hint("write `url:https://host/path/org.yaml`, a folder that ends with `/`, or the type of a provider such as `ldap:`; `url:` and `file:` would trust everybody")
            })?);
        }
        Ok(TrustedLocations::new(rules))
    }
}
