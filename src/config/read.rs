//! What the sections are made of, read with their place

use crate::{
    directory::EntityRef,
    error::ConfigError,
    identity::{Guid, groups::GROUP_ID},
    json::At,
};

/// Any text
pub(super) fn string(at: &At<'_>) -> Result<String, ConfigError> {
    at.text("a string").map(ToOwned::to_owned)
}

/// An id of Entra
pub(super) fn guid(at: &At<'_>) -> Result<Guid, ConfigError> {
    at.parsed(Guid::EXPECTED, |text| Guid::parse(text.as_bytes()))
}

/// The object id of a group, for which no name will do
pub(super) fn group_id(at: &At<'_>) -> Result<Guid, ConfigError> {
    at.parsed(GROUP_ID, |text| Guid::parse(text.as_bytes()))
}

/// A full entity reference
pub(super) fn entity_ref(at: &At<'_>) -> Result<EntityRef, ConfigError> {
    at.parsed(EntityRef::EXPECTED, EntityRef::parse)
}
