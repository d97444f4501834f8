//! Evaluation: three-valued over principals, two-valued in its answer

use super::{
    compile::{Policy, Rule},
    decision::{Decision, Dependence, Effect, Ground},
    document::{RuleEffect, Selector},
    permission::Permission,
};
use crate::identity::{GroupState, Principal};

/// Whether the rule's selectors match: `None` when that hangs on groups that are not known
pub fn selects(rule: &Rule, principal: &Principal) -> Option<bool> {
    let Some(selectors) = &rule.selectors else {
        return Some(true);
    };
    let mut unknown = false;
    for selector in selectors {
        match select(selector, principal) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => unknown = true,
        }
    }
    if unknown { None } else { Some(false) }
}

fn select(selector: &Selector, principal: &Principal) -> Option<bool> {
    match selector {
        Selector::Group(id) => principal.groups.contains(*id),
        Selector::DirectoryRole(_) => Some(false),
        Selector::Kind(kind) => Some(principal.kind == *kind),
        Selector::Role(role) => Some(principal.roles.contains(role)),
    }
}

/// How a rule bears on one question
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearing {
    /// It does not apply
    None,
    /// It applies to every resource
    Always,
    /// It applies to what the principal owns
    IfOwned,
}

/// Whether anything is known of who owns what
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// The catalog has been read
    Known,
    /// Not yet: nobody owns for certain, and anybody may
    Unknown,
}

/// How a rule that covers the permission bears on this principal
///
/// What is not known never widens access: an allow rule needs certainty, a deny rule only possibility.
pub fn bearing(rule: &Rule, principal: &Principal, permission: &Permission, ownership: Ownership) -> Bearing {
    let deny = rule.effect == RuleEffect::Deny;
    if !selects(rule, principal).unwrap_or(deny) {
        return Bearing::None;
    }
    if !rule.owned {
        return Bearing::Always;
    }
    match (permission.has_owner(), principal.groups.state()) {
        (true, GroupState::Known | GroupState::None) if !deny || ownership == Ownership::Known => Bearing::IfOwned,
        // Ownership can't be told: without an owner to compare, or without the groups.
        _ if deny => Bearing::Always,
        _ => Bearing::None,
    }
}

/// Decides; `rules` are the numbers of the rules that cover the permission, ascending
pub fn decide(
    policy: &Policy,
    rules: &[u16],
    principal: &Principal,
    permission: &Permission,
    ownership: Ownership,
) -> Decision {
    let (mut allow, mut allow_owned, mut deny_owned) = (None, None, None);
    for number in rules {
        let Some(rule) = policy.rules.get(usize::from(*number)) else {
            continue;
        };
        match (rule.effect, bearing(rule, principal, permission, ownership)) {
            (_, Bearing::None) => {}
            (RuleEffect::Deny, Bearing::Always) => return Decision::deny(Ground::Rule(*number)),
            (RuleEffect::Deny, Bearing::IfOwned) => deny_owned = deny_owned.or(Some(*number)),
            (RuleEffect::Allow, Bearing::Always) => allow = allow.or(Some(*number)),
            (RuleEffect::Allow, Bearing::IfOwned) => allow_owned = allow_owned.or(Some(*number)),
        }
    }
    let answer = |effect, dependence, rule| Decision { effect, dependence, ground: Ground::Rule(rule) };
    match (allow, allow_owned, deny_owned) {
        (Some(rule), _, None) => answer(Effect::Allow, Dependence::Nothing, rule),
        (Some(_), _, Some(rule)) => answer(Effect::Conditional, Dependence::NotOwned, rule),
        (None, Some(rule), None) => answer(Effect::Conditional, Dependence::Owned, rule),
        // Allowed if owned, and denied if owned: never.
        (None, Some(_), Some(rule)) => Decision::deny(Ground::Rule(rule)),
        (None, None, _) => Decision::deny(Ground::Default),
    }
}
