//! What it would take: the smallest facts with which a refusal were a yes
//!
//! Facts are supposed, and the question is decided again by the very same code; nothing is concluded from the rules any other
//! way. So what is said here holds, and each of its parts is needed.

use super::{
    condition::{Condition, write_rule},
    decision::Effect,
    document::{Rule, RuleEffect},
    evaluate::decide,
    explain::Question,
    fact::Fact,
    selector::Selector,
    verdict::Bearer,
};
use crate::{json::quote, limits};

/// Ways to a yes, as they are looked for
struct Search<'q, 'e> {
    question: &'q Question<'e>,
    /// What has to be so: all of it, and nothing less
    ways: Vec<Vec<Fact<'e>>>,
    /// The same as JSON text
    text: String,
    /// How often the question may still be decided again
    trials: usize,
}

/// Ways to a yes for what is refused, the shortest first, as a JSON list of lists: the id of the rule that would allow it, empty where
/// the reader may not know it, and behind it of each fact the word and what it is about. An empty one at the end: there may be more
pub fn remedies(question: &Question<'_>) -> String {
    let mut search = Search { question, ways: Vec::new(), text: "[".into(), trials: limits::TRIALS };
    for size in 1..=limits::FACTS {
        for rule in question.covering().filter(|rule| rule.effect == RuleEffect::Allow) {
            search.extend(&pool(question, rule), &mut Vec::new(), size);
        }
    }
    if search.trials == 0 {
        search.next();
        search.text.push_str("[]");
    }
    search.text.push(']');
    search.text
}

impl<'e> Search<'_, 'e> {
    /// Tries everything that adds `more` of the pool to what is chosen
    fn extend(&mut self, pool: &[Fact<'e>], chosen: &mut Vec<Fact<'e>>, more: usize) {
        if more == 0 {
            return self.attempt(chosen);
        }
        let mut rest = pool;
        while let Some((next, after)) = rest.split_first() {
            rest = after;
            chosen.push(*next);
            self.extend(rest, chosen, more.saturating_sub(1));
            chosen.pop();
        }
    }

    fn attempt(&mut self, chosen: &[Fact<'e>]) {
        if self.ways.iter().any(|known| known.iter().all(|fact| chosen.contains(fact))) {
            return;
        }
        // One more than is told says that there are more.
        if self.trials == 0 || self.ways.len() == limits::WAYS {
            self.trials = 0;
            return;
        }
        self.trials = self.trials.saturating_sub(1);
        let supposed = self.question.supposing(chosen);
        if !allows(&supposed) || !is_needed(self.question, chosen) {
            return;
        }
        let allows = |rule: &&Rule| {
            let bearer = Bearer::of(&supposed, rule, &supposed.asker);
            rule.effect == RuleEffect::Allow && bearer.is_some_and(|bearer| bearer.acts())
        };
        let audience = self.question.audience;
        let sees = |rule: &&Rule| audience.sees_rule(self.question, rule);
        let allowing = || supposed.covering().filter(allows);
        // Rather by one that the reader may know.
        if let Some(rule) = allowing().find(sees).or_else(|| allowing().next()) {
            let seen = sees(&rule);
            self.next();
            self.text.push('[');
            quote(if seen { &rule.id } else { "" }, &mut self.text);
            for fact in chosen {
                write(*fact, self.question, rule, seen, &mut self.text);
            }
            self.text.push(']');
        }
        self.ways.push(chosen.to_vec());
    }

    fn next(&mut self) {
        if !self.ways.is_empty() {
            self.text.push(',');
        }
    }
}

/// Whether less than all of these facts is a no
fn is_needed(question: &Question<'_>, facts: &[Fact<'_>]) -> bool {
    let all = 1_u32.wrapping_shl(u32::try_from(facts.len()).unwrap_or(0)).saturating_sub(1);
    (0..all).all(|mask| {
        let mut some = Vec::new();
        let mut bits = mask;
        for fact in facts {
            if bits & 1 == 1 {
                some.push(*fact);
            }
            bits >>= 1_u32;
        }
        !allows(&question.supposing(&some))
    })
}

fn allows(question: &Question<'_>) -> bool {
    let answer = decide(question.policy, question.rules, &question.asker, question.permission);
    question.on_resource(answer).effect == Effect::Allow
}

/// What could matter to a rule that allows, and spare from those that deny
fn pool<'e>(question: &Question<'e>, allowing: &'e Rule) -> Vec<Fact<'e>> {
    let mut pool = Pool { question, facts: Vec::new() };
    if !question.asker.knows_groups() {
        pool.add(Fact::GroupsKnown);
    }
    for selector in allowing.selectors.iter().flatten() {
        match selector {
            Selector::Group(id) => pool.add(Fact::Group(*id)),
            Selector::Role(role) => pool.add(Fact::Role(role)),
            // Nobody becomes somebody else.
            _ => {}
        }
    }
    pool.add_of(allowing);
    for rule in question.covering().filter(|rule| rule.effect == RuleEffect::Deny) {
        pool.add_of(rule);
    }
    pool.facts
}

struct Pool<'q, 'e> {
    question: &'q Question<'e>,
    facts: Vec<Fact<'e>>,
}

impl<'e> Pool<'_, 'e> {
    #[inline(never)]
    fn add(&mut self, fact: Fact<'e>) {
        if !self.facts.contains(&fact) {
            self.facts.push(fact);
        }
    }

    /// Of the sign-in and of the resource
    fn add_of(&mut self, rule: &'e Rule) {
        if let Some(required) = &rule.requirement {
            if let Some(context) = &required.auth_context {
                self.add(Fact::Context(context));
            }
            if required.mfa.is_some() {
                self.add(Fact::Mfa);
            }
            if let Some(seconds) = required.signed_in_within {
                self.add(Fact::SignedInWithin(seconds));
            }
        }
        if let Some(condition) = &rule.condition {
            self.add_met(condition, rule.effect == RuleEffect::Allow);
        }
    }

    /// What makes a condition hold, or not
    fn add_met(&mut self, condition: &'e Condition, holds: bool) {
        match condition {
            Condition::Owned => self.add_owned(holds),
            Condition::Rule(rule) => {
                if rule.fits(self.question.permission.resource_type.as_deref()) {
                    self.add(Fact::Rule(&rule.name, rule.params.as_deref(), holds));
                }
            }
            Condition::Not(inner) => self.add_met(inner, !holds),
            Condition::AllOf(all) | Condition::AnyOf(all) => {
                for one in all {
                    self.add_met(one, holds);
                }
            }
        }
    }

    /// By the groups that stand for the owners of the resource; where none does, ownership itself
    fn add_owned(&mut self, holds: bool) {
        let mut bound = false;
        if let Some(resource) = self.question.resource.filter(|_| holds) {
            for owner in &resource.owners {
                for group in self.question.directory.groups_of(owner) {
                    bound = true;
                    self.add(Fact::Group(group));
                }
            }
        }
        if !bound {
            self.add(Fact::Owned(holds));
        }
    }
}

/// A word, and what it is about; of a rule that the reader may not know the word only
#[inline(never)]
fn write(fact: Fact<'_>, question: &Question<'_>, rule: &Rule, seen: bool, out: &mut String) {
    let mut about = String::new();
    let word = match fact {
        Fact::GroupsKnown => "groupsKnown",
        Fact::Mfa => "mfa",
        Fact::Owned(true) => "owned",
        Fact::Owned(false) => "notOwned",
        Fact::Role(role) => {
            about.push_str(role);
            "role"
        }
        Fact::Context(context) => {
            about.push_str(context);
            "authContext"
        }
        Fact::SignedInWithin(seconds) => {
            about = seconds.to_string();
            "signedInWithin"
        }
        Fact::Rule(name, params, holds) => {
            write_rule(name, params, &mut about);
            if holds { "rule" } else { "notRule" }
        }
        Fact::Group(_) => "group",
    };
    if !seen {
        about.clear();
    } else if let Fact::Group(id) = fact {
        let names = |one: &Selector| matches!(one, Selector::Group(other) if *other == id);
        let known = question.audience.policy && rule.selectors.iter().flatten().any(names);
        if known || question.audience.sees_group(question, id) {
            about = id.to_string();
        }
        // Whose it is stands in the resource, which the reader may read.
        let owners = question.resource.map_or(&[][..], |resource| &resource.owners);
        if let Some(owner) = owners.iter().find(|owner| question.directory.groups_of(owner).contains(&id)) {
            about.push(' ');
            about.push_str(owner.as_str());
        }
    }
    out.push(',');
    quote(word, out);
    out.push(',');
    quote(&about, out);
}
