//! What it would take: the smallest facts with which a refusal were a yes
//!
//! Facts are supposed, and the question is decided again by the very same code; nothing is concluded from the rules any other
//! way. So what is said here holds, and each of its parts is needed.

use super::{
    asker::Asker,
    condition::{Condition, ForeignRule},
    decision::Effect,
    document::{Rule, RuleEffect},
    evaluate::decide,
    explain::Question,
    selector::Selector,
    verdict::Bearer,
};
use crate::{
    identity::{Assurance, GroupState, Guid},
    json::quote,
    limits,
};

/// What is not so, but could be
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<'e> {
    /// The groups of the principal are known, and those that are named beside it are all that matter
    GroupsKnown,
    /// The principal is a member of an Entra group
    Group(Guid),
    /// It has an app role
    Role(&'e str),
    /// It signed in with an authentication context
    Context(&'e str),
    /// It signed in with more than one factor
    Mfa,
    /// It signed in within so many seconds
    SignedInWithin(u64),
    /// It owns the resource, or certainly does not
    Owned(bool),
    /// A permission rule of another plugin holds of the resource, or does not
    Rule(&'e ForeignRule, bool),
}

/// A way to a yes: with all of these facts, and with none of them left out
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way<'e> {
    /// The rule that would allow it
    pub rule: &'e str,
    /// The facts
    pub facts: Vec<Fact<'e>>,
    number: u16,
}

/// What would turn a refusal
#[derive(Debug, Default)]
pub struct Remedies<'e> {
    /// The shortest ways first; at most [`limits::WAYS`] of them
    pub ways: Vec<Way<'e>>,
    /// Whether these are all that consist of at most [`limits::FACTS`] facts
    pub complete: bool,
}

impl<'e> Remedies<'e> {
    /// Looks for what would allow what is refused
    pub fn of(question: &Question<'e>) -> Self {
        let numbers = || {
            question.rules.iter().filter_map(|number| Some((*number, question.policy.rules.get(usize::from(*number))?)))
        };
        let denying: Vec<_> =
            numbers().filter(|(_, rule)| rule.effect == RuleEffect::Deny).map(|(number, _)| number).collect();
        let mut found = Self { ways: Vec::new(), complete: true };
        let mut candidates = Vec::new();
        for (number, rule) in numbers().filter(|(_, rule)| rule.effect == RuleEffect::Allow) {
            let mut pool = pool(question, rule);
            found.complete &= pool.len() <= limits::POOL;
            pool.truncate(limits::POOL);
            // One rule that allows is enough, and all that deny count.
            let mut rules = denying.clone();
            rules.push(number);
            candidates.push((rule, rules, pool));
        }
        let mut trials = limits::TRIALS;
        for size in 1..=limits::FACTS {
            for (rule, rules, pool) in &candidates {
                for facts in subsets(pool).filter(|facts| facts.len() == size) {
                    if found.ways.iter().any(|way| way.facts.iter().all(|fact| facts.contains(fact))) {
                        continue;
                    }
                    if trials == 0 || found.ways.len() == limits::WAYS {
                        found.complete = false;
                        return found;
                    }
                    trials = trials.saturating_sub(1);
                    if allows(question, rules, &facts) && is_needed(question, &facts) {
                        found.ways.push(Way {
                            rule: &rule.id,
                            facts,
                            number: rules.last().copied().unwrap_or_default(),
                        });
                    }
                }
            }
        }
        found
    }

    /// As JSON text for the reader, with the deny rules that stand in the way as things are
    pub fn json(&self, question: &Question<'_>) -> String {
        let mut text = String::new();
        text.push_str(r#"{"ways":"#);
        list(&self.ways, &mut text, &|way, out| way.write(question, out));
        let blocks = |asker: &Asker<'_>, rule| Bearer::of(question, rule, asker).is_some_and(|bearer| bearer.acts());
        let person = question.asker.person();
        let blocking: Vec<_> = question
            .covering()
            .filter(|rule| rule.effect == RuleEffect::Deny)
            .filter(|rule| blocks(&question.asker, rule) || person.is_some_and(|person| blocks(&person, rule)))
            .collect();
        text.push_str(r#","blockedBy":"#);
        list(&blocking, &mut text, &|rule, out| quote(&rule.id, out));
        text.push_str(if self.complete { r#","complete":true}"# } else { r#","complete":false}"# });
        text
    }
}

/// Every selection of them, none and all included
fn subsets<T: Copy>(all: &[T]) -> impl Iterator<Item = Vec<T>> {
    let count = u32::try_from(all.len()).ok().and_then(|bits| 1_u32.checked_shl(bits)).unwrap_or_default();
    (0..count).map(|mask| {
        let chosen = all.iter().zip(0_u32..).filter(|(_, bit)| mask.wrapping_shr(*bit) & 1 == 1);
        chosen.map(|(one, _)| *one).collect()
    })
}

/// Whether these facts are a yes by all rules, and nothing less than all of them is
fn is_needed(question: &Question<'_>, facts: &[Fact<'_>]) -> bool {
    subsets(facts).all(|some| allows(question, question.rules, &some) == (some.len() == facts.len()))
}

/// What could matter to one rule that allows, or spare from one that denies
fn pool<'e>(question: &Question<'e>, rule: &'e Rule) -> Vec<Fact<'e>> {
    let mut pool: Vec<Fact<'e>> = Vec::new();
    let mut add = |fact| {
        if !pool.contains(&fact) {
            pool.push(fact);
        }
    };
    if question.asker.principal.groups.state() == GroupState::Unknown {
        add(Fact::GroupsKnown);
    }
    for selector in rule.selectors.iter().flatten() {
        match selector {
            Selector::Group(id) => add(Fact::Group(*id)),
            Selector::Role(role) => add(Fact::Role(role)),
            // Nobody becomes somebody else.
            _ => {}
        }
    }
    let denying = question.covering().filter(|other| other.effect == RuleEffect::Deny);
    for rule in std::iter::once(rule).chain(denying) {
        if let Some(required) = &rule.requirement {
            required.auth_context.iter().for_each(|context| add(Fact::Context(context)));
            required.mfa.iter().for_each(|_| add(Fact::Mfa));
            required.signed_in_within.iter().for_each(|within| add(Fact::SignedInWithin(*within)));
        }
        if let Some(condition) = &rule.condition {
            literals(condition, rule.effect == RuleEffect::Allow, &mut |fact| match fact {
                Fact::Owned(true) => ways_to_own(question, &mut add),
                fact => add(fact),
            });
        }
    }
    pool
}

/// What is asked of the resource, and how it would have to be
fn literals<'e>(condition: &'e Condition, holds: bool, tell: &mut dyn FnMut(Fact<'e>)) {
    match condition {
        Condition::Owned => tell(Fact::Owned(holds)),
        Condition::Rule(rule) => tell(Fact::Rule(rule, holds)),
        Condition::Not(inner) => literals(inner, !holds, tell),
        Condition::AllOf(all) | Condition::AnyOf(all) => all.iter().for_each(|one| literals(one, holds, tell)),
    }
}

/// By the groups that stand for the owners of the resource; where none does, ownership itself
fn ways_to_own<'e>(question: &Question<'e>, add: &mut dyn FnMut(Fact<'e>)) {
    let owners = question.resource.into_iter().flat_map(|resource| &resource.owners);
    let groups: Vec<_> = owners.flat_map(|owner| question.directory.groups_of(owner)).collect();
    groups.iter().for_each(|group| add(Fact::Group(*group)));
    if groups.is_empty() {
        add(Fact::Owned(true));
    }
}

/// Whether the answer is a yes where these facts are supposed
fn allows(question: &Question<'_>, rules: &[u16], facts: &[Fact<'_>]) -> bool {
    let mut principal = question.asker.principal.clone();
    let (mut owners, mut possible_owners) = (question.owners.to_vec(), question.possible_owners.to_vec());
    let (mut answered, mut owned, mut granted) = (question.answered.clone(), None, Vec::new());
    for fact in facts {
        let assurance = &mut principal.assurance;
        match fact {
            Fact::GroupsKnown => _ = principal.groups.complete(Vec::new()),
            // What is not known stays so, whatever is added to it. Whoever names both names that they are known first.
            Fact::Group(_) if principal.groups.state() == GroupState::Unknown => {}
            Fact::Group(group) => {
                let (groups, above) = question.directory.above(*group);
                granted.extend(groups);
                owners.extend_from_slice(&above);
                possible_owners.extend(above);
            }
            Fact::Role(role) => principal.roles.push((*role).into()),
            Fact::Context(context) => assurance.auth_contexts.push((*context).into()),
            Fact::Mfa => assurance.mfa = true,
            Fact::SignedInWithin(_) => {
                let contexts = std::mem::take(&mut assurance.auth_contexts);
                *assurance = Assurance::new(contexts, assurance.mfa, Some(question.asker.now));
            }
            Fact::Owned(holds) => owned = Some(*holds),
            Fact::Rule(rule, holds) => answered.suppose(rule, *holds),
        }
    }
    let asker = Asker { principal: &principal, granted: &granted, ..question.asker };
    let supposed =
        Question { asker, owners: &owners, possible_owners: &possible_owners, answered: &answered, owned, ..*question };
    supposed.on_resource(decide(question.policy, rules, &asker, question.permission)).effect == Effect::Allow
}

fn list<T>(all: &[T], out: &mut String, write: &dyn Fn(&T, &mut String)) {
    for (at, one) in all.iter().enumerate() {
        out.push(if at == 0 { '[' } else { ',' });
        write(one, out);
    }
    out.push_str(if all.is_empty() { "[]" } else { "]" });
}

impl Way<'_> {
    fn write(&self, question: &Question<'_>, out: &mut String) {
        let Some(rule) = question.policy.rules.get(usize::from(self.number)) else { return };
        let seen = question.audience.sees_rule(question, rule);
        out.push_str(r#"{"rule":"#);
        if seen {
            quote(self.rule, out)
        } else {
            out.push_str("null")
        }
        out.push_str(r#","facts":"#);
        list(&self.facts, out, &|fact, out| fact.write(question, rule, seen, out));
        out.push('}');
    }
}

impl Fact<'_> {
    /// Of a rule that the reader may not know only what kind of fact it is
    fn write(&self, question: &Question<'_>, rule: &Rule, seen: bool, out: &mut String) {
        let mut member = |name: &str, value: &str| {
            out.push_str(if name == "fact" { r#"{""# } else { r#",""# });
            out.push_str(name);
            out.push_str(r#"":"#);
            out.push_str(value);
        };
        let text = |text: &str| {
            let mut quoted = String::new();
            quote(text, &mut quoted);
            quoted
        };
        let truth = |holds: &bool| if *holds { "true" } else { "false" };
        let fact = match self {
            Self::GroupsKnown => "groupsKnown",
            Self::Group(_) => "group",
            Self::Role(_) => "role",
            Self::Context(_) | Self::Mfa | Self::SignedInWithin(_) => "signIn",
            Self::Owned(_) => "owned",
            Self::Rule(..) => "rule",
        };
        member("fact", &text(fact));
        match self {
            Self::Group(id) => {
                let named = rule.selectors.iter().flatten().any(|selector| *selector == Selector::Group(*id));
                if named && question.audience.policy || question.audience.sees_group(question, *id) {
                    member("group", &text(&id.to_string()));
                }
                // Whose it is stands in the resource, which the reader may read.
                let mut owners = question.resource.into_iter().flat_map(|resource| &resource.owners);
                if let Some(owner) = owners.find(|owner| question.directory.groups_of(owner).contains(id)) {
                    member("owner", &text(owner.as_str()));
                }
            }
            _ if !seen => {}
            Self::Role(role) => member("role", &text(role)),
            Self::Context(context) => member("authContext", &text(context)),
            Self::Mfa => member("mfa", "true"),
            Self::SignedInWithin(seconds) => member("signedInWithin", &seconds.to_string()),
            Self::Owned(holds) => member("holds", truth(holds)),
            Self::Rule(rule, holds) => {
                member("rule", &text(&rule.name));
                if let Some(params) = &rule.params {
                    member("params", params);
                }
                member("holds", truth(holds));
            }
            Self::GroupsKnown => {}
        }
        out.push('}');
    }
}
