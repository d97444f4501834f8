//! What the host read from the catalog: Group entities and owners, as unchecked as the catalog left them

use super::reading::{array, members, object};
use crate::{
    identity::Guid,
    json::{JsonError, Reader},
};

/// What the host read from the catalog
#[derive(Debug, Clone, Default)]
pub struct DirectoryInput {
    /// All Group entities
    pub groups: Vec<CatalogGroup>,
    /// Entities that own something, as the catalog has them; with `None` every bound owner counts as one
    pub owners: Option<Vec<String>>,
}

/// A Group entity
#[derive(Debug, Clone, Default)]
pub struct CatalogGroup {
    /// The Group entity
    pub entity_ref: String,
    /// The annotation `graph.microsoft.com/group-id`: `None` without it, `Some(None)` if it is not a GUID
    pub group_id: Option<Option<Guid>>,
    /// `spec.parent` as a full reference
    pub parent: Option<String>,
    /// `spec.children` as full references
    pub children: Vec<String>,
    /// `backstage.io/managed-by-location`; absent is not trusted
    pub location: String,
    /// `backstage.io/managed-by-origin-location`; absent is not trusted
    pub origin: String,
}

impl DirectoryInput {
    /// From JSON text: `{groups: [{entityRef, groupId, parent, children, location, origin}], owners}`
    ///
    /// # Errors
    /// It is not that. What the catalog has in it is no error: [`super::DirectoryReport`] tells of it.
    pub fn parse(json: &str) -> Result<Self, String> {
        let mut input = Self::default();
        object(json.as_bytes(), &mut |reader, name| match &*name.text() {
            "groups" => array(reader, &mut |reader| {
                input.groups.push(group(reader)?);
                Ok(())
            }),
            "owners" => {
                input.owners = Some(texts(reader)?);
                Ok(())
            }
            _ => Err(JsonError::Invalid("a directory has `groups` and `owners`")),
        })
        .map_err(|error| format!("the directory is not as expected: {}", error.words()))?;
        Ok(input)
    }
}

fn group(reader: &mut Reader<'_>) -> Result<CatalogGroup, JsonError> {
    let mut group = CatalogGroup::default();
    let mut named = false;
    members(reader, &mut |reader, name| {
        match &*name.text() {
            "entityRef" => {
                group.entity_ref = text(reader)?;
                named = true;
            }
            // Whatever it is: a number is as malformed as a name.
            "groupId" => {
                group.group_id = match reader.kind() {
                    Some(b'"') => Some(Guid::parse(&reader.string()?.bytes())),
                    _ => {
                        reader.skip()?;
                        Some(None)
                    }
                }
            }
            "parent" => group.parent = Some(text(reader)?),
            "children" => group.children = texts(reader)?,
            "location" => group.location = text(reader)?,
            "origin" => group.origin = text(reader)?,
            _ => return Err(JsonError::Invalid("an unknown member of a group")),
        }
        Ok(())
    })?;
    if named { Ok(group) } else { Err(JsonError::Invalid("a group without `entityRef`")) }
}

fn text(reader: &mut Reader<'_>) -> Result<String, JsonError> {
    Ok(reader.string()?.text().into_owned())
}

fn texts(reader: &mut Reader<'_>) -> Result<Vec<String>, JsonError> {
    let mut all = Vec::new();
    array(reader, &mut |reader| {
        all.push(text(reader)?);
        Ok(())
    })?;
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_directory_is_refused() {
        for json in [
            "",
            "[]",
            r#"{"groups":{}}"#,
            r#"{"group":[]}"#,
            r#"{"groups":[{}]}"#,
            r#"{"groups":[{"entityRef":7}]}"#,
            r#"{"groups":[{"entityRef":"a","id":"b"}]}"#,
            r#"{"groups":[{"entityRef":"a","parent":null}]}"#,
            r#"{"groups":[{"entityRef":"a","entityRef":"b"}]}"#,
            r#"{"groups":[],"owners":null}"#,
            r#"{"groups":[],"owners":[1]}"#,
        ] {
            assert!(DirectoryInput::parse(json).is_err(), "{json}");
        }
        assert!(DirectoryInput::parse("{}").unwrap().owners.is_none());
    }

    #[test]
    fn an_annotation_of_any_kind_is_read() {
        let of = |value: &str| {
            let json = format!(r#"{{"groups":[{{"entityRef":"group:default/a","groupId":{value}}}]}}"#);
            DirectoryInput::parse(&json).unwrap().groups[0].group_id
        };
        for value in ["null", "7", "\"payments\"", "[\"x\"]", "{\"a\":{}}", "true"] {
            assert_eq!(of(value), Some(None), "{value}");
        }
        assert!(of("\"AAAAAAAA-0000-0000-0000-000000000001\"").flatten().is_some());
    }
}
