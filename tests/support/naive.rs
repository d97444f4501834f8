//! The policy of design section 4.5 once more, as slowly and plainly as it reads
//!
//! Deny by default, deny overrides allow. What can't be told (`None`) never widens access: an allow rule needs certainty,
//! a deny rule only possibility.

use serde_json::{Value, json};

/// A rule as it is written
#[derive(Debug, Clone)]
pub struct NaiveRule {
    pub id: String,
    pub allow: bool,
    pub permissions: Vec<String>,
    pub actions: Option<Vec<String>>,
    /// Property and value
    pub principals: Option<Vec<(&'static str, String)>>,
    pub requires: Option<NaiveRequirement>,
    pub when: Option<NaiveCondition>,
}

/// What a rule asks of the sign-in; all of it
#[derive(Debug, Clone, Default)]
pub struct NaiveRequirement {
    pub context: Option<&'static str>,
    pub mfa: bool,
    pub minutes: Option<u64>,
}

/// A condition on the resource
#[derive(Debug, Clone)]
pub enum NaiveCondition {
    Owned,
    /// Name and type of resource
    Rule(&'static str, Option<&'static str>),
    Not(Box<Self>),
    AllOf(Vec<Self>),
    AnyOf(Vec<Self>),
}

/// The caller, as far as a policy sees it
#[derive(Debug, Clone)]
pub struct NaivePrincipal {
    pub kind: String,
    /// Calls for the person whose object id it carries
    pub acts_for_person: bool,
    pub object: &'static str,
    pub client: &'static str,
    pub roles: Vec<String>,
    /// `None`: not known
    pub groups: Option<Vec<String>>,
    pub contexts: Vec<String>,
    pub mfa: bool,
    /// How long ago they signed in, in minutes
    pub signed_in: Option<u64>,
    /// `None`: not known
    pub entity: Option<&'static str>,
}

/// The permission, as far as a policy sees it
#[derive(Debug, Clone)]
pub struct NaivePermission {
    pub name: String,
    pub action: Option<String>,
    pub resource_type: Option<String>,
}

/// The resource: whether the caller owns it, and which permission rules hold of it
#[derive(Debug, Clone)]
pub struct Facts {
    pub owned: bool,
    pub holding: Vec<&'static str>,
}

/// Whether the policy allows it; an agent that calls for a person only what that person is allowed, too
pub fn allows(rules: &[NaiveRule], who: &NaivePrincipal, what: &NaivePermission, on: &Facts) -> bool {
    let person = NaivePrincipal { kind: "user".into(), entity: None, ..who.clone() };
    let allows_one = |who: &NaivePrincipal| {
        let denied = rules.iter().any(|rule| !rule.allow && applies(rule, who, what, on) != Some(false));
        let allowed = rules.iter().any(|rule| rule.allow && applies(rule, who, what, on) == Some(true));
        allowed && !denied
    };
    allows_one(who) && (!who.acts_for_person || allows_one(&person))
}

/// Whether a rule applies; `None` when that can't be told
pub fn applies(rule: &NaiveRule, who: &NaivePrincipal, what: &NaivePermission, on: &Facts) -> Option<bool> {
    if !rule.permissions.iter().any(|pattern| names(pattern, &what.name)) {
        return Some(false);
    }
    if let Some(actions) = &rule.actions
        && !what.action.as_ref().is_some_and(|action| actions.contains(action))
    {
        return Some(false);
    }
    // A requirement opens: to whoever meets it an allow rule applies, and a deny rule does not.
    if rule.requires.as_ref().is_some_and(|requires| meets(requires, who) != rule.allow) {
        return Some(false);
    }
    let condition = rule.when.as_ref().map_or(Some(true), |when| holds(when, who, what, on));
    all([selected(rule, who), condition])
}

fn names(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), name.split('.').collect());
    match pattern.split_last() {
        Some((&"*", before)) => name.len() > before.len() && name.starts_with(before),
        _ => pattern == name,
    }
}

fn meets(requires: &NaiveRequirement, who: &NaivePrincipal) -> bool {
    requires.context.is_none_or(|context| who.contexts.iter().any(|known| known == context))
        && (!requires.mfa || who.mfa)
        && requires.minutes.is_none_or(|minutes| who.signed_in.is_some_and(|ago| ago < minutes))
}

fn selected(rule: &NaiveRule, who: &NaivePrincipal) -> Option<bool> {
    let Some(selectors) = &rule.principals else {
        return Some(true);
    };
    let user = format!("{}/{}", super::claims::TENANT, who.object);
    any(selectors.iter().map(|(property, value)| match *property {
        "kind" => Some(who.kind == *value),
        "role" => Some(who.roles.contains(value)),
        "workload" => Some(who.kind == "workload" && who.client == value),
        "user" if value.starts_with("user:") => who.entity.map(|entity| entity == value),
        "user" => Some(who.kind == "user" && user == *value),
        _ => who.groups.as_ref().map(|groups| groups.contains(value)),
    }))
}

fn holds(when: &NaiveCondition, who: &NaivePrincipal, what: &NaivePermission, on: &Facts) -> Option<bool> {
    match when {
        // Ownership goes through groups, and is asked of catalog entities only. What the person behind an agent owns in
        // her own name is not known.
        NaiveCondition::Owned => {
            let tellable = who.groups.is_some() && what.resource_type.as_deref() == Some("catalog-entity");
            (tellable && (on.owned || !who.acts_for_person)).then_some(on.owned)
        }
        NaiveCondition::Rule(name, wanted) => {
            let given = what.resource_type.as_deref();
            let fits = given.is_some() && (wanted.is_none() || *wanted == given);
            fits.then(|| on.holding.contains(name))
        }
        NaiveCondition::Not(inner) => holds(inner, who, what, on).map(|held| !held),
        NaiveCondition::AllOf(parts) => all(parts.iter().map(|part| holds(part, who, what, on))),
        NaiveCondition::AnyOf(parts) => any(parts.iter().map(|part| holds(part, who, what, on))),
    }
}

fn any(answers: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let answers: Vec<_> = answers.into_iter().collect();
    match (answers.contains(&Some(true)), answers.contains(&None)) {
        (true, _) => Some(true),
        (false, true) => None,
        (false, false) => Some(false),
    }
}

fn all(answers: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    any(answers.into_iter().map(|answer| answer.map(|held| !held))).map(|held| !held)
}

impl NaiveRule {
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
        if let Some(NaiveRequirement { context, mfa, minutes }) = &self.requires {
            rule["requires"] = json!({});
            if let Some(context) = context {
                rule["requires"]["authContext"] = json!(context);
            }
            if *mfa {
                rule["requires"]["mfa"] = json!(true);
            }
            if let Some(minutes) = minutes {
                rule["requires"]["signedInWithin"] = json!(format!("{minutes}m"));
            }
        }
        if let Some(when) = &self.when {
            rule["when"] = when.json();
        }
        rule
    }
}

impl NaiveCondition {
    /// As it is written in a policy
    pub fn json(&self) -> Value {
        match self {
            Self::Owned => json!({ "owned": true }),
            Self::Rule(name, None) => json!({ "rule": name, "params": { "of": [1, "x"] } }),
            Self::Rule(name, Some(of)) => json!({ "rule": name, "params": { "of": [1, "x"] }, "resourceType": of }),
            Self::Not(inner) => json!({ "not": inner.json() }),
            Self::AllOf(parts) => json!({ "allOf": parts.iter().map(Self::json).collect::<Vec<_>>() }),
            Self::AnyOf(parts) => json!({ "anyOf": parts.iter().map(Self::json).collect::<Vec<_>>() }),
        }
    }
}
