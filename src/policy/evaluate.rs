//! Evaluation: three-valued over principals and resources, two-valued in its answer

use super::{
    asker::Asker,
    compile::Policy,
    condition::Literal,
    criteria::Criteria,
    decision::{Effect, Ground},
    document::{Rule, RuleEffect},
    permission::Permission,
};
use crate::limits;

/// Whether the rule's selectors match: `None` when that hangs on what is not known
pub fn selects(rule: &Rule, asker: &Asker<'_>) -> Option<bool> {
    let Some(selectors) = &rule.selectors else {
        return Some(true);
    };
    let mut unknown = false;
    for selector in selectors {
        match selector.selects(asker) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => unknown = true,
        }
    }
    if unknown { None } else { Some(false) }
}

/// How a rule bears on one question
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearing {
    /// It does not apply
    None,
    /// It applies to every resource
    Always,
    /// An allow rule allows what meets this; a deny rule spares what meets this, and nothing else
    If(Criteria),
}

/// How a rule that covers the permission bears on whoever asks
///
/// What is not known never widens access: an allow rule needs certainty, a deny rule only possibility. A requirement is
/// what opens: an allow rule allows nobody who does not meet it, a deny rule spares whoever does.
pub fn bearing(rule: &Rule, asker: &Asker<'_>, permission: &Permission) -> Bearing {
    let deny = rule.effect == RuleEffect::Deny;
    let stopped = rule.requirement.as_ref().is_some_and(|requirement| asker.meets(requirement) == deny);
    if stopped || !selects(rule, asker).unwrap_or(deny) {
        return Bearing::None;
    }
    let Some(condition) = &rule.condition else {
        return Bearing::Always;
    };
    let can_tell = |literal: Literal<'_>| match literal {
        Literal::Owned => permission.has_owner() && asker.knows_groups(),
        Literal::NotOwned => permission.has_owner() && asker.knows_all_owners(),
        Literal::Rule(rule) => rule.fits(permission.resource_type.as_deref()),
    };
    match (condition.normal(!deny, &can_tell), deny) {
        (Criteria::Never, false) | (Criteria::Always, true) => Bearing::None,
        (Criteria::Always, false) | (Criteria::Never, true) => Bearing::Always,
        (criteria, _) => Bearing::If(criteria),
    }
}

/// What resources of this permission can be asked, were everything known of the principal
pub fn can_be_asked(permission: &Permission) -> impl Fn(Literal<'_>) -> bool {
    |literal| match literal {
        Literal::Owned | Literal::NotOwned => permission.has_owner(),
        Literal::Rule(rule) => rule.fits(permission.resource_type.as_deref()),
    }
}

/// Whether a rule that covers the permission has a say about whoever asks, or may have one: what is not known is not silence,
/// nor is a sign-in that is too weak
fn speaks(rule: &Rule, asker: &Asker<'_>, permission: &Permission) -> bool {
    match bearing(rule, asker, permission) {
        // A deny rule that may apply does.
        Bearing::None if rule.effect == RuleEffect::Deny => false,
        Bearing::None => {
            let condition = rule.condition.as_ref();
            selects(rule, asker) != Some(false)
                && condition
                    .is_none_or(|condition| condition.normal(true, &can_be_asked(permission)) != Criteria::Never)
        }
        _ => true,
    }
}

/// An answer before it gets a number
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What is answered
    pub effect: Effect,
    /// Under which condition; `Always` unless conditional
    pub criteria: Criteria,
    /// Why
    pub ground: Ground,
}

impl Answer {
    const fn new(effect: Effect, ground: Ground) -> Self {
        Self { effect, criteria: Criteria::Always, ground }
    }

    /// A refusal
    pub const fn deny(ground: Ground) -> Self {
        Self::new(Effect::Deny, ground)
    }

    /// A refusal for want of rules is none where the rules have said something to the other of two
    fn beside(self, other: &Self) -> Self {
        let silent = |one: &Self| one.ground == Ground::Default;
        if silent(&self) && !silent(other) { Self::deny(Ground::Unmet) } else { self }
    }

    /// Under a condition, as far as it is one
    pub fn under(criteria: Criteria, ground: Ground) -> Self {
        match criteria {
            Criteria::Never => Self::deny(ground),
            Criteria::Always => Self::new(Effect::Allow, ground),
            criteria if criteria.weight() > limits::CRITERIA_BYTES => Self::deny(Ground::TooLong),
            criteria => Self { effect: Effect::Conditional, criteria, ground },
        }
    }
}

/// Decides; `rules` are the numbers of the rules that cover the permission, ascending
///
/// An agent that calls for a person is at most as strong as that person: both must be allowed. What the rules say to either
/// of them they have said.
pub fn decide(policy: &Policy, rules: &[u16], asker: &Asker<'_>, permission: &Permission) -> Answer {
    let answer = decide_for(policy, rules, asker, permission);
    let Some(person) = asker.person() else {
        return answer;
    };
    let hers = decide_for(policy, rules, &person, permission);
    match (answer.effect, hers.effect) {
        (Effect::Deny, _) => answer.beside(&hers),
        (_, Effect::Deny) => hers.beside(&answer),
        (Effect::Allow, Effect::Conditional) => hers,
        (_, Effect::Allow) => answer,
        _ => Answer::under(Criteria::all_of(vec![answer.criteria, hers.criteria]), answer.ground),
    }
}

/// Decides for one who asks, whoever stands behind them
pub fn decide_for(policy: &Policy, rules: &[u16], asker: &Asker<'_>, permission: &Permission) -> Answer {
    let (mut allow, mut allow_if, mut deny_if) = (None, None, None);
    let (mut allowed, mut spared) = (Vec::new(), Vec::new());
    for number in rules {
        let Some(rule) = policy.rules.get(usize::from(*number)) else {
            continue;
        };
        match (rule.effect, bearing(rule, asker, permission)) {
            (_, Bearing::None) => {}
            (RuleEffect::Deny, Bearing::Always) => return Answer::deny(Ground::Rule(*number)),
            (RuleEffect::Allow, Bearing::Always) => allow = allow.or(Some(*number)),
            (RuleEffect::Deny, Bearing::If(criteria)) => {
                deny_if = deny_if.or(Some(*number));
                spared.push(criteria);
            }
            (RuleEffect::Allow, Bearing::If(criteria)) => {
                allow_if = allow_if.or(Some(*number));
                allowed.push(criteria);
            }
        }
    }
    let ground = match allow {
        Some(_) => deny_if.or(allow).map(Ground::Rule),
        // As a rule without a condition, and named wherever it is what allows.
        None if asker.break_glass => Some(Ground::BreakGlass),
        None => allow_if.map(Ground::Rule),
    };
    let Some(ground) = ground else {
        let numbered = |number: &u16| policy.rules.get(usize::from(*number));
        let spoken = rules.iter().filter_map(numbered).any(|rule| speaks(rule, asker, permission));
        return Answer::deny(if spoken { Ground::Unmet } else { Ground::Default });
    };
    if allow.is_none() && ground != Ground::BreakGlass {
        spared.push(Criteria::any_of(allowed));
    }
    match Criteria::all_of(spared) {
        // Allowed only what is denied.
        Criteria::Never => Answer::deny(deny_if.map_or(ground, Ground::Rule)),
        criteria => Answer::under(criteria, ground),
    }
}
