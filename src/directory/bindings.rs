//! Bindings between Entra groups and owners: by the catalog annotation, and by the operator's mapping

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{EntityRef, TrustedLocations};
use crate::{
    identity::{Guid, groups::group_id},
    text::shown,
};

/// A small number for an owner, valid within one epoch
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerId(u32);

/// Binds an Entra group to an owner in the catalog
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupMapping {
    /// Object id of the Entra group
    #[serde(deserialize_with = "group_id")]
    pub group: Guid,
    /// The owner, such as `group:default/payments`
    pub owner: EntityRef,
}

/// What the host read from the catalog
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DirectoryInput {
    /// Group entities that carry the annotation `graph.microsoft.com/group-id`
    pub groups: Vec<CatalogGroup>,
    /// Entities that own something, as the catalog has them; with `None` every bound owner counts as one
    pub owners: Option<Vec<String>>,
}

/// A Group entity with its annotation, as unchecked as the catalog left it
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogGroup {
    /// The Group entity
    pub entity_ref: String,
    /// The annotation's value
    pub group_id: serde_json::Value,
    /// `backstage.io/managed-by-location`; absent is not trusted
    #[serde(default)]
    pub location: String,
    /// `backstage.io/managed-by-origin-location`; absent is not trusted
    #[serde(default)]
    pub origin: String,
}

/// What could not be used, for the log
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryReport {
    /// Entra groups that are bound
    pub groups: usize,
    /// Owners that they stand for
    pub owners: usize,
    /// Annotations that are ignored, with the reason
    pub problems: Vec<DirectoryProblem>,
}

/// An annotation that is ignored for ownership
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryProblem {
    /// The Group entity
    pub entity_ref: String,
    /// Why
    pub message: String,
}

/// The bindings of one epoch
#[derive(Debug, Clone, Default)]
pub struct Bindings {
    owners: Vec<EntityRef>,
    ids: HashMap<EntityRef, OwnerId>,
    by_group: HashMap<Guid, Vec<OwnerId>>,
    /// Claims by several entities, or by one that is not trusted: none of them owns by it, but any of them may be meant
    possible: HashMap<Guid, Vec<EntityRef>>,
    owning: Option<HashSet<EntityRef>>,
}

impl Bindings {
    /// Joins the catalog's groups with the operator's mapping
    ///
    /// A value that is no GUID is ignored. Two Group entities with the same id are both ignored, and so is an entity that
    /// does not stand where the operator says: an entity that anybody can register must not take over, or silently share,
    /// another team's group. The mapping is the operator's word and may bind one group to several owners.
    pub fn build(
        input: DirectoryInput,
        mapping: &[GroupMapping],
        trusted: &TrustedLocations,
    ) -> (Self, DirectoryReport) {
        let mut report = DirectoryReport::default();
        let mut possible: HashMap<Guid, Vec<EntityRef>> = HashMap::new();
        let mut claimed: BTreeMap<Guid, Vec<EntityRef>> = BTreeMap::new();
        for group in input.groups {
            let entity_ref = EntityRef::of_catalog(&group.entity_ref);
            match group.group_id.as_str().and_then(|text| Guid::parse(text.as_bytes())) {
                Some(id) if trusted.trusts(&group.location, &group.origin) => {
                    claimed.entry(id).or_default().push(entity_ref);
                }
                Some(id) => {
                    report.problems.push(DirectoryProblem {
                        entity_ref: entity_ref.to_string(),
                        message: format!(
                            "it claims the Entra group {id}, but `{}` (read from `{}`) is not trusted; ignored for ownership (name it in entraAccess.catalog.trustedLocations, or map the group in entraAccess.groups.mapping)",
                            shown(&group.location),
                            shown(&group.origin),
                        ),
                    });
                    possible.entry(id).or_default().push(entity_ref);
                }
                None => report.problems.push(DirectoryProblem {
                    entity_ref: entity_ref.to_string(),
                    message: "the annotation graph.microsoft.com/group-id is not a GUID; ignored for ownership".into(),
                }),
            }
        }
        let owning = input.owners.map(|owners| owners.iter().map(|owner| EntityRef::of_catalog(owner)).collect());
        let mut bindings = Self { owning, possible, ..Self::default() };
        for (id, mut entities) in claimed {
            entities.sort_unstable();
            entities.dedup();
            match entities.as_slice() {
                [one] => bindings.bind(id, one),
                several => {
                    report.problems.extend(several.iter().map(|entity| DirectoryProblem {
                        entity_ref: entity.to_string(),
                        message: format!(
                            "{} group entities carry the group id {id}; all are ignored for ownership",
                            several.len()
                        ),
                    }));
                    bindings.possible.entry(id).or_default().extend(entities);
                }
            }
        }
        for GroupMapping { group, owner } in mapping {
            bindings.bind(*group, owner);
        }
        report.groups = bindings.by_group.len();
        report.owners = bindings.owners.len();
        (bindings, report)
    }

    fn bind(&mut self, group: Guid, owner: &EntityRef) {
        let id = match self.ids.get(owner) {
            Some(id) => *id,
            None => {
                let id = OwnerId(u32::try_from(self.owners.len()).unwrap_or(u32::MAX));
                self.owners.push(owner.clone());
                self.ids.insert(owner.clone(), id);
                id
            }
        };
        let owners = self.by_group.entry(group).or_default();
        if !owners.contains(&id) {
            owners.push(id);
        }
    }

    /// The owners that this group stands for
    pub fn owners_of(&self, group: Guid) -> impl Iterator<Item = &EntityRef> {
        self.by_group.get(&group).into_iter().flatten().filter_map(|id| self.owners.get(usize::try_from(id.0).ok()?))
    }

    /// The owners that this group may stand for: those that claim it without being believed
    pub fn possible_owners_of(&self, group: Guid) -> impl Iterator<Item = &EntityRef> {
        self.possible.get(&group).into_iter().flatten()
    }

    /// The groups that stand for this owner, ascending
    pub fn groups_of(&self, owner: &EntityRef) -> Vec<Guid> {
        let Some(id) = self.ids.get(owner) else {
            return Vec::new();
        };
        let mut groups: Vec<_> =
            self.by_group.iter().filter(|(_, owners)| owners.contains(id)).map(|(group, _)| *group).collect();
        groups.sort_unstable();
        groups
    }

    /// Whether it owns anything, as far as the host said
    pub fn owns_something(&self, owner: &EntityRef) -> bool {
        self.owning.as_ref().is_none_or(|owning| owning.contains(owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::LocationRule;

    fn input(json: &str) -> DirectoryInput {
        serde_json::from_str(json).unwrap()
    }

    fn build(json: &str, mapping: &[GroupMapping]) -> (Bindings, DirectoryReport) {
        let trusted = TrustedLocations::new(vec![LocationRule::parse("test:").unwrap()]);
        Bindings::build(input(json), mapping, &trusted)
    }

    fn guid(last: u8) -> Guid {
        Guid::parse(format!("aaaaaaaa-0000-0000-0000-0000000000{last:02x}").as_bytes()).unwrap()
    }

    #[test]
    fn annotation_and_mapping_bind() {
        let (bindings, report) = build(
            r#"{"groups":[{"entityRef":"group:default/Payments","groupId":"AAAAAAAA-0000-0000-0000-000000000001","location":"test:a","origin":"test:a"}]}"#,
            &[GroupMapping { group: guid(1), owner: EntityRef::parse("group:default/all").unwrap() }],
        );
        assert_eq!(
            bindings.owners_of(guid(1)).map(EntityRef::as_str).collect::<Vec<_>>(),
            ["group:default/payments", "group:default/all"]
        );
        assert_eq!(bindings.groups_of(&EntityRef::parse("group:default/payments").unwrap()), [guid(1)]);
        assert_eq!((report.groups, report.owners, report.problems.len()), (1, 2, 0));
    }

    #[test]
    fn malformed_and_shared_annotations_bind_nothing() {
        let (bindings, report) = build(
            r#"{"groups":[
                    {"entityRef":"group:default/a","groupId":"payments"},
                    {"entityRef":"group:default/b","groupId":7},
                    {"entityRef":"group:default/c","groupId":null},
                    {"entityRef":"group:default/d","groupId":"aaaaaaaa-0000-0000-0000-000000000001","location":"test:a","origin":"test:a"},
                    {"entityRef":"group:default/thief","groupId":"AAAAAAAA-0000-0000-0000-000000000001","location":"test:b","origin":"test:b"}]}"#,
            &[],
        );
        assert_eq!(bindings.owners_of(guid(1)).count(), 0);
        assert_eq!(report.problems.len(), 5);
        assert!(report.problems.iter().any(|p| p.entity_ref == "group:default/thief"));
    }

    #[test]
    fn who_is_not_trusted_binds_nothing_disputes_nothing_and_counts_only_against() {
        let (bindings, report) = build(
            r#"{"groups":[
                {"entityRef":"group:default/mine","groupId":"aaaaaaaa-0000-0000-0000-000000000001","location":"test:a","origin":"test:a"},
                {"entityRef":"group:default/thief","groupId":"aaaaaaaa-0000-0000-0000-000000000001","location":"url:https://e/\u001b","origin":"test:a"},
                {"entityRef":"group:default/bare","groupId":"aaaaaaaa-0000-0000-0000-000000000001"}]}"#,
            &[],
        );
        assert_eq!(bindings.owners_of(guid(1)).map(EntityRef::as_str).collect::<Vec<_>>(), ["group:default/mine"]);
        assert_eq!(
            bindings.possible_owners_of(guid(1)).map(EntityRef::as_str).collect::<Vec<_>>(),
            ["group:default/thief", "group:default/bare"]
        );
        let [thief, bare] = report.problems.as_slice() else { panic!("{report:?}") };
        assert_eq!(
            (thief.entity_ref.as_str(), bare.entity_ref.as_str()),
            ("group:default/thief", "group:default/bare")
        );
        assert!(
            thief.message.contains("`url:https://e/\\u{1b}` (read from `test:a`) is not trusted"),
            "{}",
            thief.message
        );
    }
}
