//! A page of `GET /groups/delta?$select=members` of Microsoft Graph, read in place
//!
//! `{value: [{id, members@delta: [{@odata.type, id, @removed?}], @removed?}]}`, and anything that Graph adds beside: where to go on is
//! the affair of whoever asks. The host says `@absent` of a group that is deleted and may be restored. What only expands `members` has the same shape.

use serde::Serialize;

use super::{
    ids::Ids,
    members::Loading,
    reading::{array, members, object},
};
use crate::{
    identity::Guid,
    json::{JsonError, Reader},
};

/// What a page held
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PageReport {
    /// Entries of groups; one group may have several
    pub groups: usize,
    /// Entries of members
    pub members: usize,
}

/// How Graph writes a member, in full but for the id
const USER: &[u8] = br##"{"@odata.type":"#microsoft.graph.user","id":""##;
const GROUP: &[u8] = br##"{"@odata.type":"#microsoft.graph.group","id":""##;
const END: &[u8] = br#""}"#;

/// Reads a page into `loading`
///
/// # Errors
/// It is no such page. What was read of it must not be used.
pub(super) fn read(text: &[u8], loading: &mut Loading, groups: &mut Ids) -> Result<PageReport, JsonError> {
    let mut report = PageReport::default();
    let mut listed = false;
    object(text, &mut |reader, name| {
        match &*name.bytes() {
            b"value" => {
                listed = true;
                array(reader, &mut |reader| {
                    report.groups = report.groups.saturating_add(1);
                    report.members = report.members.saturating_add(group(reader, loading, groups)?);
                    Ok(())
                })?;
            }
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    if listed { Ok(report) } else { Err(JsonError::Invalid("it has no `value`")) }
}

fn group(reader: &mut Reader<'_>, loading: &mut Loading, groups: &mut Ids) -> Result<usize, JsonError> {
    let (mut id, mut gone, mut absent, mut count) = (None, false, false, 0_usize);
    loading.open();
    members(reader, &mut |reader, name| {
        match &*name.bytes() {
            b"id" => id = Some(groups.intern(guid(reader)?)),
            b"@removed" => {
                gone = true;
                reader.skip()?;
            }
            // Not of Graph: the host's word for a group that is deleted and may be restored.
            b"@absent" => {
                absent = true;
                reader.skip()?;
            }
            b"members@delta" | b"members" => array(reader, &mut |reader| {
                count = count.saturating_add(1);
                member(reader, loading, groups)
            })?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    loading.close(id.ok_or(JsonError::Invalid("a group without `id`"))?, gone, absent);
    Ok(count)
}

fn member(reader: &mut Reader<'_>, loading: &mut Loading, groups: &mut Ids) -> Result<(), JsonError> {
    const BAD: JsonError = JsonError::Invalid("an `id` that is no GUID");
    if let Some(text) = reader.framed(USER, END) {
        loading.principal(Guid::parse_exact(text).ok_or(BAD)?, false);
        return Ok(());
    }
    if let Some(text) = reader.framed(GROUP, END) {
        loading.group(groups.intern(Guid::parse_exact(text).ok_or(BAD)?), false);
        return Ok(());
    }
    let (mut id, mut is_group, mut gone) = (None, None, false);
    members(reader, &mut |reader, name| {
        match &*name.bytes() {
            b"id" => id = Some(guid(reader)?),
            b"@odata.type" => is_group = Some(reader.string()?.is(b"#microsoft.graph.group")),
            b"@removed" => {
                gone = true;
                reader.skip()?;
            }
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    match (id, is_group) {
        (Some(id), Some(true)) => loading.group(groups.intern(id), gone),
        // Whatever else it is, a device or an agent: what never signs in is never asked about.
        (Some(id), Some(false)) => loading.principal(id, gone),
        _ => return Err(JsonError::Invalid("a member without `id` and `@odata.type`")),
    }
    Ok(())
}

fn guid(reader: &mut Reader<'_>) -> Result<Guid, JsonError> {
    Guid::parse(&reader.string()?.bytes()).ok_or(JsonError::Invalid("an `id` that is no GUID"))
}
