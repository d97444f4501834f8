//! The policy of design section 4.5 once more, as slowly and plainly as it reads
//!
//! Deny by default, deny overrides allow. What can't be told (`None`) never widens access: an allow rule needs certainty,
//! a deny rule only possibility.

use serde_json::{Value, json};

use super::random::Random;

/// A rule as it is written
#[derive(Debug, Clone)]
pub struct NaiveRule {
    pub id: String,
    pub allow: bool,
    pub permissions: Vec<String>,
    pub actions: Option<Vec<String>>,
    /// Property and value: `group`, `kind`, `role`
    pub principals: Option<Vec<(&'static str, String)>>,
    pub owned: bool,
}

/// The caller, as far as a policy sees it
#[derive(Debug, Clone)]
pub struct NaivePrincipal {
    pub kind: String,
    pub roles: Vec<String>,
    /// `None`: not known
    pub groups: Option<Vec<String>>,
}

/// The permission, as far as a policy sees it
#[derive(Debug, Clone)]
pub struct NaivePermission {
    pub name: String,
    pub action: Option<String>,
    pub resource_type: Option<String>,
}

/// Whether the policy allows it on a resource that is, or is not, owned by the caller
pub fn allows(rules: &[NaiveRule], who: &NaivePrincipal, what: &NaivePermission, owned: bool) -> bool {
    let denied = rules.iter().any(|rule| !rule.allow && applies(rule, who, what, owned) != Some(false));
    let allowed = rules.iter().any(|rule| rule.allow && applies(rule, who, what, owned) == Some(true));
    allowed && !denied
}

/// Whether a rule applies; `None` when that can't be told
pub fn applies(rule: &NaiveRule, who: &NaivePrincipal, what: &NaivePermission, owned: bool) -> Option<bool> {
    if !rule.permissions.iter().any(|pattern| names(pattern, &what.name)) {
        return Some(false);
    }
    if let Some(actions) = &rule.actions
        && !what.action.as_ref().is_some_and(|action| actions.contains(action))
    {
        return Some(false);
    }
    both(selected(rule, who), if rule.owned { ownership(who, what, owned) } else { Some(true) })
}

fn names(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), name.split('.').collect());
    match pattern.split_last() {
        Some((&"*", before)) => name.len() > before.len() && name.starts_with(before),
        _ => pattern == name,
    }
}

fn selected(rule: &NaiveRule, who: &NaivePrincipal) -> Option<bool> {
    let Some(selectors) = &rule.principals else {
        return Some(true);
    };
    let answers = selectors.iter().map(|(property, value)| match *property {
        "kind" => Some(who.kind == *value),
        "role" => Some(who.roles.contains(value)),
        _ => who.groups.as_ref().map(|groups| groups.contains(value)),
    });
    let answers: Vec<_> = answers.collect();
    match (answers.contains(&Some(true)), answers.contains(&None)) {
        (true, _) => Some(true),
        (false, true) => None,
        (false, false) => Some(false),
    }
}

/// Ownership goes through groups, and is asked of catalog entities only
fn ownership(who: &NaivePrincipal, what: &NaivePermission, owned: bool) -> Option<bool> {
    let tellable = who.groups.is_some() && what.resource_type.as_deref() == Some("catalog-entity");
    tellable.then_some(owned)
}

fn both(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// The groups of the small world in which everything is tried; the last one owns nothing
pub const GROUPS: [&str; 4] = [
    "cccccccc-0000-0000-0000-000000000001",
    "cccccccc-0000-0000-0000-000000000002",
    "cccccccc-0000-0000-0000-000000000003",
    "cccccccc-0000-0000-0000-000000000004",
];
const NAMES: [&str; 6] = ["a", "a.b", "a.b.c", "a.b.d", "a.bc", "e.f"];
const PATTERNS: [&str; 9] = ["*", "a.*", "a.b.*", "e.*", "a", "a.b", "a.b.c", "e.f", "x.y"];
const ACTIONS: [&str; 4] = ["create", "read", "update", "delete"];
const KINDS: [&str; 4] = ["user", "workload", "agent", "pipeline"];
const ROLES: [&str; 2] = ["Reader", "Backstage.Admin"];

impl NaiveRule {
    /// Any rule
    pub fn generate(random: &mut Random, number: usize) -> Self {
        let mut permissions = random.some(&PATTERNS, 1, 5);
        permissions.push(random.pick(&PATTERNS));
        let mut actions = random.some(&ACTIONS, 1, 3);
        actions.push(random.pick(&ACTIONS));
        let mut principals: Vec<(&'static str, String)> = Vec::new();
        for _ in 0..=random.below(3) {
            principals.push(match random.below(4) {
                0 => ("kind", random.pick(&KINDS).into()),
                1 => ("role", random.pick(&ROLES).into()),
                _ => ("group", random.pick(&GROUPS).into()),
            });
        }
        Self {
            // Ids sort differently from the order of writing.
            id: format!("r{}-{number}", random.below(100)),
            allow: random.chance(2, 3),
            permissions: permissions.into_iter().map(Into::into).collect(),
            actions: random.chance(1, 3).then(|| actions.into_iter().map(Into::into).collect()),
            principals: random.chance(2, 3).then_some(principals),
            owned: random.chance(1, 3),
        }
    }

    /// As it is written in a policy
    pub fn json(&self) -> Value {
        let mut rule = json!({
            "id": self.id, "effect": if self.allow { "allow" } else { "deny" }, "permissions": self.permissions,
        });
        if let Some(actions) = &self.actions {
            rule["actions"] = json!(actions);
        }
        if let Some(principals) = &self.principals {
            rule["principals"] = principals.iter().map(|(name, value)| json!({ *name: value })).collect();
        }
        if self.owned {
            rule["when"] = json!({ "owned": true });
        }
        rule
    }
}

impl NaivePrincipal {
    /// Any caller; one in four with groups that are not known
    pub fn generate(random: &mut Random) -> Self {
        let known = random.chance(3, 4);
        Self {
            kind: random.pick(&KINDS).into(),
            roles: random.some(&ROLES, 1, 3).into_iter().map(Into::into).collect(),
            groups: known.then(|| random.some(&GROUPS, 1, 2).into_iter().map(Into::into).collect()),
        }
    }
}

impl NaivePermission {
    /// Any permission
    pub fn generate(random: &mut Random) -> Self {
        Self {
            name: random.pick(&NAMES).into(),
            action: random.chance(3, 4).then(|| random.pick(&ACTIONS).into()),
            resource_type: random
                .chance(3, 4)
                .then(|| random.pick(&["catalog-entity", "catalog-entity", "scaffolder-task"]).into()),
        }
    }
}
