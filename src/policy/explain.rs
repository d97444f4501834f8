//! Why: the cold twin of [`super::evaluate`], which gives the same answer and says how it came about

use serde::{Deserialize, Deserializer, Serialize};

use super::{
    compile::{Policy, Rule},
    decision::{Decision, Dependence, Effect, Ground},
    document::{RuleEffect, Selector},
    evaluate::{Bearing, Ownership, bearing, selects},
    permission::Permission,
};
use crate::{
    directory::{Directory, EntityRef, Path},
    identity::{GroupState, Guid, Principal},
};

/// The resource asked about, as the host read it from the catalog
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resource {
    /// The entity
    #[serde(deserialize_with = "of_catalog")]
    pub entity_ref: EntityRef,
    /// Targets of its `ownedBy` relations
    #[serde(deserialize_with = "all_of_catalog")]
    pub owners: Vec<EntityRef>,
}

fn of_catalog<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EntityRef, D::Error> {
    String::deserialize(deserializer).map(|text| EntityRef::of_catalog(&text))
}

fn all_of_catalog<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<EntityRef>, D::Error> {
    Vec::<String>::deserialize(deserializer).map(|texts| texts.iter().map(|text| EntityRef::of_catalog(text)).collect())
}

/// An explained answer
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The answer; never conditional when a resource was given
    pub result: Effect,
    /// Id of the deciding rule; `None` when no rule allows
    pub rule: Option<String>,
    /// Sentences, the deciding one first
    pub reasons: Vec<String>,
    /// On what a conditional answer depends
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Conditions>,
    /// What is known of the principal's groups
    pub groups: GroupSummary,
}

/// On what a conditional answer depends
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conditions {
    /// Whether the resource must, or must not, be owned by the principal
    pub owned: bool,
    /// The owners that count as the principal's
    pub owners: Vec<String>,
}

/// Groups without listing them all
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupSummary {
    /// How much is known
    pub state: GroupState,
    /// How many are known
    pub count: usize,
    /// Those that bear on the question
    pub matched: Vec<Guid>,
}

/// A question with everything that an explanation may look at
#[derive(Debug, Clone, Copy)]
pub struct Question<'e> {
    /// The rules
    pub policy: &'e Policy,
    /// Numbers of the rules that cover the permission
    pub rules: &'e [u16],
    /// Who asks
    pub principal: &'e Principal,
    /// For what
    pub permission: &'e Permission,
    /// What the principal owns through: itself and its groups' owners
    pub owners: &'e [EntityRef],
    /// The same and what it may own through where that is disputed
    pub possible_owners: &'e [EntityRef],
    /// Whether anything is known of who owns what
    pub ownership: Ownership,
    /// On what, if that is known
    pub resource: Option<&'e Resource>,
    /// Entra groups and owners
    pub directory: &'e Directory,
}

/// Explains `decision`, which [`super::evaluate::decide`] gave for the same question
pub fn explain(question: &Question<'_>, decision: Decision) -> Explanation {
    // Possibility is enough for a deny.
    let counting = if decision.dependence == Dependence::NotOwned { question.possible_owners } else { question.owners };
    let owned = question.resource.map(|resource| resource.owners.iter().any(|owner| counting.contains(owner)));
    let (result, open) = match (decision.effect, decision.dependence, owned) {
        (Effect::Conditional, Dependence::Owned, Some(owned)) => {
            (if owned { Effect::Allow } else { Effect::Deny }, false)
        }
        (Effect::Conditional, Dependence::NotOwned, Some(owned)) => {
            (if owned { Effect::Deny } else { Effect::Allow }, false)
        }
        (effect, _, _) => (effect, effect == Effect::Conditional),
    };
    let decided = match decision.ground {
        Ground::Rule(number) => question.policy.rules.get(usize::from(number)),
        _ => None,
    };
    // A deny rule about what the principal owns leaves a resource alone that it does not own: another rule made the answer.
    let beside = decided.filter(|rule| {
        rule.effect == RuleEffect::Deny
            && owned == Some(false)
            && bearing(rule, question.principal, question.permission, question.ownership) == Bearing::IfOwned
    });
    let (rule, dependence) = match (beside, result) {
        (None, _) => (decided, decision.dependence),
        (Some(_), Effect::Allow) => (first_allow(question, Bearing::Always), Dependence::Nothing),
        (Some(_), _) => (first_allow(question, Bearing::IfOwned), Dependence::Owned),
    };
    let mut reasons: Vec<String> = Vec::new();
    match rule {
        Some(rule) => reasons.push(deciding(question, rule, dependence, result)),
        None => reasons.push(format!(
            "no rule allows `{}` to this {}",
            question.permission.name,
            question.principal.kind.as_str()
        )),
    }
    if let (Some(rule), Effect::Allow) = (beside, result) {
        reasons.push(deciding(question, rule, Dependence::NotOwned, result));
    }
    if result == Effect::Deny {
        reasons.extend(
            question
                .rules
                .iter()
                .filter_map(|number| near_miss(question, question.policy.rules.get(usize::from(*number))?)),
        );
    }
    let conditions = open.then(|| Conditions {
        owned: decision.dependence == Dependence::Owned,
        owners: question.owners.iter().map(ToString::to_string).collect(),
    });
    // A conditional allow that the resource does not meet is nobody's deny: no rule allowed.
    let named = rule.filter(|rule| result != Effect::Deny || rule.effect == RuleEffect::Deny);
    Explanation { result, rule: named.map(|rule| rule.id.to_string()), reasons, conditions, groups: summary(question) }
}

/// The first allow rule that bears on the question in this way
fn first_allow<'e>(question: &Question<'e>, wanted: Bearing) -> Option<&'e Rule> {
    question.rules.iter().filter_map(|number| question.policy.rules.get(usize::from(*number))).find(|rule| {
        rule.effect == RuleEffect::Allow
            && bearing(rule, question.principal, question.permission, question.ownership) == wanted
    })
}

fn deciding(question: &Question<'_>, rule: &Rule, dependence: Dependence, result: Effect) -> String {
    let id = &rule.id;
    let verb = if rule.effect == RuleEffect::Allow { "allows" } else { "denies" };
    match (dependence, result) {
        (Dependence::Nothing, _) => format!("rule `{id}` {verb} `{}`", question.permission.name),
        (Dependence::Owned, Effect::Conditional) => {
            format!("rule `{id}` allows it for resources that the principal owns")
        }
        (Dependence::NotOwned, Effect::Conditional) => {
            format!("rule `{id}` denies it for resources that the principal owns")
        }
        (Dependence::Owned, Effect::Allow) | (Dependence::NotOwned, Effect::Deny) => {
            format!("rule `{id}` {verb} it: {}", ownership(question))
        }
        (Dependence::Owned, _) => format!("rule `{id}` would allow the owner: {}", ownership(question)),
        (Dependence::NotOwned, _) => format!("rule `{id}` would deny the owner: {}", ownership(question)),
    }
}

/// By whom the resource is owned, and whether the principal is among them
fn ownership(question: &Question<'_>) -> String {
    let Some(resource) = question.resource else {
        return "ownership was not asked".into();
    };
    let entity = &resource.entity_ref;
    if let Some(owner) = resource.owners.iter().find(|owner| question.owners.contains(owner)) {
        return match question.directory.path(question.principal, owner) {
            Some(path) => format!("`{entity}` is owned by {}", through(&path)),
            None => format!("`{entity}` is owned by `{owner}`, the principal itself"),
        };
    }
    if resource.owners.is_empty() {
        return format!("`{entity}` has no owner");
    }
    let owners: Vec<_> = resource
        .owners
        .iter()
        .map(|owner| match question.directory.groups_of(owner).as_slice() {
            [] => format!("`{owner}` (bound to no Entra group: annotate it with graph.microsoft.com/group-id)"),
            groups => format!(
                "`{owner}` (Entra group {})",
                groups.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            ),
        })
        .collect();
    format!("`{entity}` is owned by {}, and the principal is not a member", owners.join(", "))
}

/// From the owner down to the group that the principal is in
fn through(path: &Path) -> String {
    let owners: Vec<_> = path.owners.iter().map(|owner| format!("`{owner}`")).collect();
    let groups: Vec<_> = path.groups.iter().map(ToString::to_string).collect();
    format!(
        "{}, and the principal is a member of its Entra group {}",
        owners.join(", which contains "),
        groups.join(" through ")
    )
}

/// Why an allow rule that covers the permission did not help
fn near_miss(question: &Question<'_>, rule: &Rule) -> Option<String> {
    if rule.effect == RuleEffect::Deny
        || bearing(rule, question.principal, question.permission, question.ownership) != Bearing::None
    {
        return None;
    }
    let id = &rule.id;
    let state = question.principal.groups.state();
    Some(match selects(rule, question.principal) {
        None => format!(
            "rule `{id}` does not match: the groups of the principal are not known, and unknown is never taken for membership"
        ),
        Some(false) => format!("rule `{id}` does not match: it is for {}", selectors(rule)),
        Some(true) if state == GroupState::Unknown => {
            format!("rule `{id}` does not match: it asks for ownership, and the groups of the principal are not known")
        }
        Some(true) => format!(
            "rule `{id}` does not match: it asks for ownership, which `{}` has no resource for",
            question.permission.name
        ),
    })
}

fn selectors(rule: &Rule) -> String {
    let names: Vec<_> = rule
        .selectors
        .iter()
        .flatten()
        .map(|selector| match selector {
            Selector::Group(id) => format!("members of Entra group {id}"),
            Selector::DirectoryRole(id) => format!("members of {id}, which is a directory role and no group"),
            Selector::Kind(kind) => format!("principals of kind `{}`", kind.as_str()),
            Selector::Role(role) => format!("app role `{role}`"),
        })
        .collect();
    names.join(" or ")
}

/// The groups of the principal that bear on the question: through an owner of the resource, or named by a rule
fn summary(question: &Question<'_>) -> GroupSummary {
    let groups = &question.principal.groups;
    let of_owners = question.resource.into_iter().flat_map(|resource| &resource.owners).flat_map(|owner| {
        let path = question.directory.path(question.principal, owner);
        question.directory.groups_of(owner).into_iter().chain(path.into_iter().flat_map(|path| path.groups))
    });
    let of_rules = question
        .rules
        .iter()
        .filter_map(|number| question.policy.rules.get(usize::from(*number)))
        .flat_map(|rule| rule.selectors.iter().flatten())
        .filter_map(|selector| match selector {
            Selector::Group(id) => Some(*id),
            _ => None,
        });
    let mut matched: Vec<_> = of_owners.chain(of_rules).filter(|group| groups.contains(*group) == Some(true)).collect();
    matched.sort_unstable();
    matched.dedup();
    GroupSummary { state: groups.state(), count: groups.ids().len(), matched }
}
