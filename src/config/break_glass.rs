//! The section `entraAccess.breakGlass`: who is let in while the directory has no word, whatever their groups may be

use super::{document::ROOT, groups::GroupSettings, tenant::Tenant};
use crate::{error::ConfigError, identity::Guid, json::At, limits};

/// An entry; what it is called and why it is there is the host's to tell
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakGlass {
    /// `tid` of the person
    pub tenant: Guid,
    /// `oid` of the person
    pub object: Guid,
}

impl BreakGlass {
    pub(super) fn read(at: &At<'_>) -> Result<(String, Self), ConfigError> {
        at.members(&["name", "principal", "reason"])?;
        let name = at.needed("name")?.parsed("1 to 64 letters, digits, dashes and dots", |text| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
            let fits = !text.is_empty() && text.len() <= limits::BREAK_GLASS_NAME_BYTES && text.bytes().all(plain);
            fits.then(|| text.to_owned())
        })?;
        at.optional_text("reason")?;
        let person = at.needed("principal")?.parsed(
            "`<tenant id>/<object id>`: a person, by ids that never change",
            |text| {
                let (tenant, object) = text.split_once('/')?;
                Some(Self { tenant: Guid::parse(tenant.as_bytes())?, object: Guid::parse(object.as_bytes())? })
            },
        )?;
        Ok((name, person))
    }
}

/// The entries, which contradict neither each other nor the tenants
pub(super) fn break_glass(
    entries: Vec<(String, BreakGlass)>,
    tenants: &[Tenant],
    groups: &GroupSettings,
) -> Result<Vec<BreakGlass>, ConfigError> {
    if !entries.is_empty() && groups.stale_after.is_none() {
        return Err(ConfigError::new(
            format!("{ROOT}.breakGlass"),
            "groups come with the tokens, so no entry would ever count",
        )
        .hint("set `groups.source: graph`, or remove the section"));
    }
    for (at, (name, entry)) in entries.iter().enumerate() {
        let mistake = |field: &str, message: &str, hint: &str| {
            Err(ConfigError::new(format!("{ROOT}.breakGlass[{at}].{field}"), message).hint(hint))
        };
        if !tenants.iter().any(|tenant| tenant.tenant_id == entry.tenant) {
            return mistake("principal", "the tenant is not listed", "it has to stand under `entraAccess.tenants`");
        }
        let earlier = entries.get(..at).unwrap_or_default();
        if earlier.iter().any(|(_, other)| other == entry) {
            return mistake("principal", "this person is listed twice", "one entry for each person");
        }
        if earlier.iter().any(|(other, _)| other == name) {
            return mistake("name", "this name is taken", "the audit trail tells entries apart by their names");
        }
    }
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}
