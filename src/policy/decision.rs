//! The answer as one number: effect, condition and deciding rule

use super::{
    criteria::{Criteria, CriteriaNumber},
    evaluate::Answer,
};

/// What is answered
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Effect {
    /// No
    Deny,
    /// Yes
    Allow,
    /// It depends on the resource
    Conditional,
}

/// Why, where no rule is named
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ground {
    /// The rule with this number
    Rule(u16),
    /// No rule speaks about it, for certain
    Default,
    /// No rule allows it, but one speaks about it: what it asks for is not met, not known, or not all there is
    Unmet,
    /// An entry under `breakGlass`, while the groups are not known
    BreakGlass,
    /// The account of the principal is disabled, was deleted, or was signed out everywhere
    Revoked,
    /// The principal is not known (any more): expired, released, or never was
    UnknownPrincipal,
    /// The permission is not known, or there is no policy
    NotReady,
    /// The condition is longer than [`crate::limits::CRITERIA_BYTES`]
    TooLong,
}

/// On what it depends
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dependence {
    /// Nothing
    Nothing,
    /// Allowed if the principal owns the resource
    Owned,
    /// Allowed unless the principal owns the resource
    NotOwned,
    /// Any other condition
    Criteria(CriteriaNumber),
}

/// A decision
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decision {
    /// What is answered
    pub effect: Effect,
    /// On what it depends; [`Dependence::Nothing`] unless conditional
    pub dependence: Dependence,
    /// Why
    pub ground: Ground,
}

impl Decision {
    /// From an answer; `number` gives its condition a number
    pub fn of(answer: &Answer, number: impl FnOnce(&Criteria) -> CriteriaNumber) -> Self {
        let dependence = match &answer.criteria {
            _ if answer.effect != Effect::Conditional => Dependence::Nothing,
            Criteria::Owned => Dependence::Owned,
            Criteria::NotOwned => Dependence::NotOwned,
            criteria => Dependence::Criteria(number(criteria)),
        };
        Self { effect: answer.effect, dependence, ground: answer.ground }
    }

    /// A refusal
    pub const fn deny(ground: Ground) -> Self {
        Self { effect: Effect::Deny, dependence: Dependence::Nothing, ground }
    }

    /// Bits 0-1 effect (0 deny, 1 allow, 2 conditional), bits 2-3 dependence (1 owned, 2 not owned, 3 the condition with
    /// the number in bits 4-15, all set where it has none), bits 16-31 ground: number of the rule, or 0xffff default, 0xfffe
    /// unknown principal, 0xfffd not ready, 0xfffc condition too long, 0xfffb unmet, 0xfffa revoked, 0xfff9 break-glass
    ///
    /// Zero is never produced by accident as an ALLOW: everything unknown reads as DENY.
    pub fn number(self) -> u32 {
        let effect = match self.effect {
            Effect::Deny => 0,
            Effect::Allow => 1,
            Effect::Conditional => 2,
        };
        let dependence = match self.dependence {
            Dependence::Nothing => 0,
            Dependence::Owned => 1 << 2,
            Dependence::NotOwned => 2 << 2,
            Dependence::Criteria(number) => 3 << 2 | u32::from(number.number() & 0xfff) << 4,
        };
        let ground = match self.ground {
            Ground::Rule(rule) => u32::from(rule),
            Ground::Default => 0xffff,
            Ground::UnknownPrincipal => 0xfffe,
            Ground::NotReady => 0xfffd,
            Ground::TooLong => 0xfffc,
            Ground::Unmet => 0xfffb,
            Ground::Revoked => 0xfffa,
            Ground::BreakGlass => 0xfff9,
        };
        ground << 16 | dependence | effect
    }
}
