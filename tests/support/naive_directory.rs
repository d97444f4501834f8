//! The directory by sets of names, followed edge by edge: the twin that is obviously right, and slow

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::random::Random;

/// A Group entity
#[derive(Debug, Clone)]
pub struct NaiveGroup {
    /// Its entity ref
    pub name: String,
    /// The annotation, if it has one; `Err` for what is no GUID
    pub id: Option<Result<String, Value>>,
    /// `spec.parent`
    pub parent: Option<String>,
    /// `spec.children`
    pub children: Vec<String>,
    /// Whether it stands where the operator says
    pub trusted: bool,
}

/// Everything that says who is inside what
#[derive(Debug, Clone, Default)]
pub struct NaiveDirectory {
    /// The catalog
    pub groups: Vec<NaiveGroup>,
    /// Entra group and owner, by the operator
    pub mapping: Vec<(String, String)>,
    /// Group and what is directly in it: users and groups, as Graph says
    pub members: BTreeMap<String, BTreeSet<String>>,
    /// How many levels count
    pub depth: Option<usize>,
}

impl NaiveDirectory {
    /// Every Entra group, and every owner, that is reached from these groups; with `doubts` also by what is not believed
    pub fn reached(&self, from: &BTreeSet<String>, doubts: bool) -> BTreeSet<String> {
        let (stands_for, inside) = (self.stands_for(doubts), self.inside(doubts));
        let free = |names: &mut BTreeSet<String>| {
            let owners: Vec<_> = stands_for.iter().filter(|(group, _)| names.contains(group)).collect();
            names.extend(owners.into_iter().map(|(_, owner)| owner.clone()));
        };
        let mut names = from.clone();
        free(&mut names);
        let mut level = 0;
        while self.depth.is_none_or(|depth| level < depth) {
            let before = names.len();
            let above: Vec<_> = inside.iter().filter(|(below, _)| names.contains(below)).collect();
            names.extend(above.into_iter().map(|(_, above)| above.clone()));
            free(&mut names);
            if names.len() == before {
                break;
            }
            level += 1;
        }
        names
    }

    /// The groups that somebody is directly in
    pub fn groups_of(&self, user: &str) -> BTreeSet<String> {
        let in_it = self.members.iter().filter(|(_, members)| members.contains(user));
        in_it.map(|(group, _)| group.clone()).collect()
    }

    fn stands_for(&self, doubts: bool) -> BTreeSet<(String, String)> {
        let mut all: BTreeSet<(String, String)> = self.mapping.iter().cloned().collect();
        for group in &self.groups {
            let Some(Ok(id)) = &group.id else { continue };
            let rivals = self.groups.iter().filter(|other| {
                other.trusted && other.name != group.name && matches!(&other.id, Some(Ok(other)) if other == id)
            });
            if doubts || (group.trusted && rivals.count() == 0) {
                all.insert((id.clone(), group.name.clone()));
            }
        }
        all
    }

    fn inside(&self, doubts: bool) -> BTreeSet<(String, String)> {
        let known = |name: &String| self.groups.iter().any(|group| group.name == *name);
        let mut all = BTreeSet::new();
        for group in self.groups.iter().filter(|group| doubts || group.trusted) {
            let above = group.parent.iter().map(|parent| (group.name.clone(), parent.clone()));
            let below = group.children.iter().map(|child| (child.clone(), group.name.clone()));
            all.extend(above.chain(below).filter(|(from, to)| known(from) && known(to) && from != to));
        }
        for (group, members) in &self.members {
            all.extend(members.iter().map(|member| (member.clone(), group.clone())));
        }
        all
    }

    /// The catalog as the host hands it over
    pub fn catalog(&self) -> Value {
        let groups: Vec<_> = self
            .groups
            .iter()
            .map(|group| {
                let place = if group.trusted { "msgraph:test/1" } else { "url:https://git.example.com/evil.yaml" };
                let mut json = json!({
                    "entityRef": group.name, "children": group.children, "location": place, "origin": place,
                });
                match &group.id {
                    Some(Ok(id)) => json["groupId"] = json!(id),
                    Some(Err(other)) => json["groupId"] = other.clone(),
                    None => {}
                }
                if let Some(parent) = &group.parent {
                    json["parent"] = json!(parent);
                }
                json
            })
            .collect();
        json!({ "groups": groups })
    }

    /// A small one, full of cycles, several parents, disputes, strangers and slips
    pub fn generate(random: &mut Random, entra: &[String], owners: &[String], users: &[String]) -> Self {
        let groups = random
            .some(owners, 9, 10)
            .iter()
            .map(|name| NaiveGroup {
                name: name.clone(),
                id: match random.below(8) {
                    0..=1 => None,
                    2 => Some(Err(random.pick(&[json!(7), json!("payments"), json!(null), json!(["x"])]))),
                    _ => Some(Ok(random.pick(entra))),
                },
                parent: random.chance(1, 2).then(|| random.pick(owners)),
                children: if random.chance(1, 3) { random.some(owners, 1, 4) } else { Vec::new() },
                trusted: random.chance(4, 5),
            })
            .collect();
        let mapping = if random.chance(1, 2) { vec![(random.pick(entra), random.pick(owners))] } else { Vec::new() };
        let mut members = BTreeMap::new();
        for group in random.some(entra, 2, 3) {
            let mut inside: BTreeSet<_> = random.some(users, 1, 3).into_iter().collect();
            inside.extend(random.some(entra, 1, 6));
            members.insert(group, inside);
        }
        let depth = if random.chance(1, 3) { Some(random.below(4)) } else { None };
        Self { groups, mapping, members, depth }
    }
}
