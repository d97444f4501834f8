//! What the catalog and the operator say: which Entra group stands for which owner, and which owner is inside which

use serde::Serialize;

use super::{
    CatalogGroup, DirectoryInput, EntityRef, TrustedLocations,
    graph::{index, number},
    ids::Ids,
};
use crate::{identity::Guid, text::shown};

/// Binds an Entra group to an owner in the catalog
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMapping {
    /// Object id of the Entra group
    pub group: Guid,
    /// The owner, such as `group:default/payments`
    pub owner: EntityRef,
}

/// What could not be used, for the log
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DirectoryReport {
    /// Entra groups that are bound
    pub groups: usize,
    /// Owners that they stand for
    pub owners: usize,
    /// How often an owner is directly inside another
    pub nested: usize,
    /// What is ignored, with the reason
    pub problems: Vec<DirectoryProblem>,
}

/// Something that is ignored for ownership
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryProblem {
    /// The Group entity
    pub entity_ref: String,
    /// Why
    pub message: String,
}

/// A statement, and whether it is believed: what is not counts for a deny only
#[derive(Debug, Clone, Copy)]
pub struct Statement<T> {
    /// Who is inside
    pub from: T,
    /// The number of the owner that it is inside, or stands for
    pub owner: u32,
    /// Whether it is believed
    pub sure: bool,
}

/// The statements of one reading
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Ascending; the place is the number
    pub owners: Vec<EntityRef>,
    /// Entra groups that stand for owners
    pub bindings: Vec<Statement<Guid>>,
    /// Owners inside owners
    pub nesting: Vec<Statement<u32>>,
    /// Ascending; `None` when the host did not say
    owning: Option<Vec<EntityRef>>,
}

impl Catalog {
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
        let groups: Vec<_> =
            input.groups.iter().map(|group| (EntityRef::of_catalog(&group.entity_ref), group)).collect();
        let mut owners: Vec<_> = groups.iter().map(|(entity, _)| entity.clone()).collect();
        owners.sort_unstable();
        owners.dedup();
        let entities = owners.clone();
        owners.extend(mapping.iter().map(|mapping| mapping.owner.clone()));
        owners.sort_unstable();
        owners.dedup();
        let owning = input.owners.as_ref().map(|texts| {
            let mut owning: Vec<_> = texts.iter().map(|text| EntityRef::of_catalog(text)).collect();
            owning.sort_unstable();
            owning
        });
        let mut catalog = Self { owners, owning, ..Self::default() };
        for (entity, group) in &groups {
            let Some(owner) = catalog.number(entity) else { continue };
            let sure = trusted.trusts(&group.location, &group.origin);
            let mut tell = |message: String| {
                report.problems.push(DirectoryProblem { entity_ref: entity.to_string(), message });
            };
            match group.group_id {
                Some(Some(from)) => catalog.bindings.push(Statement { from, owner, sure }),
                Some(None) => {
                    tell("the annotation graph.microsoft.com/group-id is not a GUID; ignored for ownership".into());
                }
                None => {}
            }
            if !sure && let Some(what) = claim(group) {
                tell(format!(
                    "it {what}, but `{}` (read from `{}`) is not trusted; ignored for ownership (name it in entraAccess.catalog.trustedLocations, or map the group in entraAccess.groups.mapping)",
                    shown(&group.location),
                    shown(&group.origin),
                ));
            }
            let parent = group.parent.iter().map(|parent| (parent, true));
            for (other, above) in parent.chain(group.children.iter().map(|child| (child, false))) {
                let reference = EntityRef::of_catalog(other);
                let named = if above { "spec.parent" } else { "spec.children" };
                if reference == *entity {
                    tell(format!("{named} names the group itself; ignored"));
                } else if entities.binary_search(&reference).is_err() {
                    // A child that is not there has no members; a parent that is not there may be a slip.
                    if above {
                        tell(format!("{named} names `{}`, which is no group in the catalog; ignored", shown(other)));
                    }
                } else if let Some(other) = catalog.number(&reference) {
                    let (from, owner) = if above { (owner, other) } else { (other, owner) };
                    catalog.nesting.push(Statement { from, owner, sure });
                }
            }
        }
        catalog.dispute(&mut report);
        for GroupMapping { group, owner } in mapping {
            if let Some(owner) = catalog.number(owner) {
                catalog.bindings.push(Statement { from: *group, owner, sure: true });
            }
        }
        catalog.count(&mut report);
        (catalog, report)
    }

    /// Takes their certainty from bindings of one Entra group by several entities
    fn dispute(&mut self, report: &mut DirectoryReport) {
        // For each id the first owner that claims it, and how many do.
        let (mut ids, mut claims): (Ids, Vec<(u32, usize)>) = (Ids::default(), Vec::new());
        for binding in self.bindings.iter().filter(|binding| binding.sure) {
            let id = index(ids.intern(binding.from));
            match claims.get_mut(id) {
                Some((first, several)) if *first != binding.owner => *several = several.saturating_add(1),
                Some(_) => {}
                None => claims.push((binding.owner, 1)),
            }
        }
        for binding in self.bindings.iter_mut().filter(|binding| binding.sure) {
            let several = ids.get(binding.from).and_then(|id| claims.get(index(id))).map_or(0, |(_, several)| *several);
            if several > 1 {
                binding.sure = false;
                report.problems.push(DirectoryProblem {
                    entity_ref: self.owners.get(index(binding.owner)).map(ToString::to_string).unwrap_or_default(),
                    message: format!(
                        "{several} group entities carry the group id {}; all are ignored for ownership",
                        binding.from
                    ),
                });
            }
        }
    }

    fn count(&self, report: &mut DirectoryReport) {
        let (mut groups, mut owners) = (Ids::default(), Ids::default());
        for binding in self.bindings.iter().filter(|binding| binding.sure) {
            groups.intern(binding.from);
            owners.intern(Guid::from_value(u128::from(binding.owner)));
        }
        report.groups = groups.len();
        report.owners = owners.len();
        report.nested = self.nesting.iter().filter(|nesting| nesting.sure).count();
    }

    /// The number of an owner
    pub fn number(&self, owner: &EntityRef) -> Option<u32> {
        self.owners.binary_search(owner).ok().map(number)
    }

    /// Whether it owns anything, as far as the host said
    pub fn owns_something(&self, owner: &EntityRef) -> bool {
        self.owning.as_ref().is_none_or(|owning| owning.binary_search(owner).is_ok())
    }
}

/// What an entity says that only a trusted one may say
fn claim(group: &CatalogGroup) -> Option<String> {
    match group.group_id {
        Some(Some(id)) => Some(format!("claims the Entra group {id}")),
        _ if group.parent.is_some() || !group.children.is_empty() => Some("nests groups".into()),
        _ => None,
    }
}
