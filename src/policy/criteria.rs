//! Under which condition on the resource an answer is yes, in negation normal form, and the numbers under which it is known
//!
//! "Not owned" is a rule of its own: the opposite of "owned by a principal that is not known here" must not be a yes.

use std::sync::Arc;

use super::condition::ForeignRule;
use crate::{
    json::{list, quote},
    limits,
};

/// A condition without any `not` but at another plugin's rule
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Criteria {
    /// Nothing meets it
    Never,
    /// Everything meets it
    Always,
    /// What the caller owns
    Owned,
    /// What the caller certainly does not own
    NotOwned,
    /// What another plugin's rule holds of
    Rule(Arc<ForeignRule>),
    /// What another plugin's rule does not hold of
    NotRule(Arc<ForeignRule>),
    /// What meets all of these
    AllOf(Vec<Self>),
    /// What meets any of these
    AnyOf(Vec<Self>),
}

impl Criteria {
    /// What meets all of them
    pub fn all_of(parts: Vec<Self>) -> Self {
        let mut all = Vec::new();
        for part in parts {
            match part {
                Self::AllOf(more) => more.into_iter().for_each(|one| insert(&mut all, one)),
                part => insert(&mut all, part),
            }
        }
        all.retain(|part| *part != Self::Always);
        if all.iter().any(|part| *part == Self::Never || part.opposite().is_some_and(|other| all.contains(&other))) {
            return Self::Never;
        }
        if all.len() < 2 { all.pop().unwrap_or(Self::Always) } else { Self::AllOf(all) }
    }

    /// What meets any of them
    pub fn any_of(parts: Vec<Self>) -> Self {
        let mut all = Vec::new();
        for part in parts {
            match part {
                Self::AnyOf(more) => more.into_iter().for_each(|one| insert(&mut all, one)),
                part => insert(&mut all, part),
            }
        }
        all.retain(|part| *part != Self::Never);
        if all.contains(&Self::Always) {
            return Self::Always;
        }
        if all.len() < 2 { all.pop().unwrap_or(Self::Never) } else { Self::AnyOf(all) }
    }

    /// What can't be met together with it, where one rule says both
    fn opposite(&self) -> Option<Self> {
        match self {
            Self::Owned => Some(Self::NotOwned),
            Self::Rule(rule) => Some(Self::NotRule(rule.clone())),
            _ => None,
        }
    }

    /// What is left of it where ownership is known: whether the caller certainly owns the resource, and whether certainly not
    #[must_use]
    pub fn given(&self, owned: bool, not_owned: bool) -> Self {
        self.settled(&|literal| match literal {
            Self::Owned => Some(owned),
            Self::NotOwned => Some(not_owned),
            _ => None,
        })
    }

    /// What is left of it where `met` tells of literals whether they are met
    #[must_use]
    pub fn settled(&self, met: &dyn Fn(&Self) -> Option<bool>) -> Self {
        match self {
            Self::AllOf(all) => Self::all_of(all.iter().map(|one| one.settled(met)).collect()),
            Self::AnyOf(all) => Self::any_of(all.iter().map(|one| one.settled(met)).collect()),
            other => match met(other) {
                Some(true) => Self::Always,
                Some(false) => Self::Never,
                None => other.clone(),
            },
        }
    }

    /// Calls back with each rule of another plugin in it
    pub fn each_rule(&self, tell: &mut dyn FnMut(&ForeignRule)) {
        match self {
            Self::Rule(rule) | Self::NotRule(rule) => tell(rule),
            Self::AllOf(all) | Self::AnyOf(all) => all.iter().for_each(|one| one.each_rule(tell)),
            _ => {}
        }
    }

    /// Whether ownership matters to it
    pub fn asks_for_ownership(&self) -> bool {
        match self {
            Self::Owned | Self::NotOwned => true,
            Self::AllOf(all) | Self::AnyOf(all) => all.iter().any(Self::asks_for_ownership),
            _ => false,
        }
    }

    /// In words, of a resource: "where ..."
    pub fn words(&self) -> String {
        let join = |all: &[Self], word: &str| {
            let all: Vec<_> = all.iter().map(Self::words).collect();
            format!("({})", crate::text::join(&all, word))
        };
        match self {
            Self::Never => "nothing is enough".into(),
            Self::Always => "it is anything".into(),
            Self::Owned => "the principal owns it".into(),
            Self::NotOwned => "the principal does not own it".into(),
            Self::Rule(rule) => format!("`{}` holds", rule.name),
            Self::NotRule(rule) => format!("`{}` does not hold", rule.name),
            Self::AllOf(all) => join(all, " and "),
            Self::AnyOf(all) => join(all, " or "),
        }
    }

    /// About how long it is as JSON text
    pub fn weight(&self) -> usize {
        match self {
            Self::Never | Self::Always => 0,
            // With the principal and the epoch, which the host puts in.
            Self::Owned | Self::NotOwned => 192,
            Self::Rule(rule) | Self::NotRule(rule) => {
                let params = rule.params.as_ref().map_or(0, |params| params.len());
                rule.name.len().saturating_add(params).saturating_add(96)
            }
            Self::AllOf(all) | Self::AnyOf(all) => {
                all.iter().map(Self::weight).fold(16, |sum, weight| sum.saturating_add(weight))
            }
        }
    }

    /// As JSON text: Backstage's form, with `{"owned":true}` and `{"owned":false}` where the host puts its own rules
    pub fn json(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Never => out.push_str(r#"{"owned":null}"#),
            Self::Always => out.push_str("null"),
            Self::Owned => out.push_str(r#"{"owned":true}"#),
            Self::NotOwned => out.push_str(r#"{"owned":false}"#),
            Self::Rule(rule) => rule.write(out),
            Self::NotRule(rule) => {
                out.push_str(r#"{"not":"#);
                rule.write(out);
                out.push('}');
            }
            Self::AllOf(all) => write_all("allOf", all, out),
            Self::AnyOf(all) => write_all("anyOf", all, out),
        }
    }
}

/// Into a sorted list, once
fn insert(all: &mut Vec<Criteria>, one: Criteria) {
    if let Err(place) = all.binary_search(&one) {
        all.insert(place, one);
    }
}

fn write_all(name: &str, all: &[Criteria], out: &mut String) {
    out.push('{');
    quote(name, out);
    out.push(':');
    list('[', all, ']', out, Criteria::write);
    out.push('}');
}

/// The number of a condition; valid as long as the policy
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CriteriaNumber(u16);

impl CriteriaNumber {
    /// There is a condition, and it has no number
    pub const NONE: Self = Self(0xfff);

    /// As it crosses the boundary
    pub const fn number(self) -> u16 {
        self.0
    }

    /// From a number that crossed the boundary
    pub fn from_number(number: u32) -> Self {
        u16::try_from(number).map_or(Self::NONE, Self)
    }
}

/// The conditions of a policy that were ever answered
#[derive(Debug, Default)]
pub struct CriteriaTable {
    all: Vec<Criteria>,
    /// Numbers in the order of the conditions
    sorted: Vec<u16>,
}

impl CriteriaTable {
    /// The number for a condition; [`CriteriaNumber::NONE`] when there are too many
    pub fn intern(&mut self, criteria: &Criteria) -> CriteriaNumber {
        let place = self.sorted.binary_search_by(|number| match self.all.get(usize::from(*number)) {
            Some(known) => known.cmp(criteria),
            None => std::cmp::Ordering::Less,
        });
        let place = match place {
            Ok(found) => return self.sorted.get(found).map_or(CriteriaNumber::NONE, |number| CriteriaNumber(*number)),
            Err(place) => place,
        };
        let Some(number) = u16::try_from(self.all.len()).ok().filter(|_| self.all.len() < limits::CRITERIA) else {
            return CriteriaNumber::NONE;
        };
        self.all.push(criteria.clone());
        self.sorted.insert(place, number);
        CriteriaNumber(number)
    }

    /// The condition with this number
    pub fn get(&self, number: CriteriaNumber) -> Option<&Criteria> {
        self.all.get(usize::from(number.0))
    }

    /// Forgets all: the numbers of another policy
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str) -> Arc<ForeignRule> {
        Arc::new(ForeignRule { name: name.into(), resource_type: None, params: Some(r#"{"a":1}"#.into()) })
    }

    #[test]
    fn constants_vanish_and_contradictions_are_never_met() {
        use Criteria::{AllOf, Always, AnyOf, Never, NotOwned, NotRule, Owned, Rule};
        assert_eq!(Criteria::all_of(vec![]), Always);
        assert_eq!(Criteria::any_of(vec![]), Never);
        assert_eq!(Criteria::all_of(vec![Always, Owned, Owned]), Owned);
        assert_eq!(Criteria::any_of(vec![Never, Owned, Owned]), Owned);
        assert_eq!(Criteria::any_of(vec![Always, Owned]), Always);
        assert_eq!(Criteria::all_of(vec![Never, Owned]), Never);
        assert_eq!(Criteria::all_of(vec![NotOwned, Owned]), Never);
        assert_eq!(Criteria::all_of(vec![NotRule(rule("x")), AllOf(vec![Owned, Rule(rule("x"))])]), Never);
        assert_eq!(
            Criteria::all_of(vec![NotRule(rule("x")), Rule(rule("y"))]),
            AllOf(vec![Rule(rule("y")), NotRule(rule("x"))])
        );
        // Who is not known owns nothing and does not not own it either: this is not everything.
        assert_eq!(Criteria::any_of(vec![NotOwned, Owned]), AnyOf(vec![Owned, NotOwned]));
    }

    #[test]
    fn numbers_are_stable_and_bounded() {
        let mut table = CriteriaTable::default();
        let numbered = |n: usize| Criteria::Rule(rule(&format!("R{}", n * 7919 % 5000)));
        let numbers: Vec<_> = (0..limits::CRITERIA).map(|n| table.intern(&numbered(n))).collect();
        for (n, number) in numbers.iter().enumerate() {
            assert_eq!(usize::from(number.number()), n);
            assert_eq!(table.intern(&numbered(n)), *number);
            assert_eq!(table.get(*number), Some(&numbered(n)));
        }
        assert_eq!(table.intern(&Criteria::Owned), CriteriaNumber::NONE);
        assert_eq!(table.get(CriteriaNumber::NONE), None);
    }

    #[test]
    fn json_is_backstages_form() {
        let criteria = Criteria::all_of(vec![
            Criteria::NotOwned,
            Criteria::any_of(vec![Criteria::Owned, Criteria::NotRule(rule("A_\"B"))]),
        ]);
        assert_eq!(
            criteria.json(),
            r#"{"allOf":[{"owned":false},{"anyOf":[{"owned":true},{"not":{"rule":"A_\"B","params":{"a":1}}}]}]}"#
        );
        assert!(criteria.weight() >= criteria.json().len());
    }
}
