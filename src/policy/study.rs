//! Every rule that was considered, and why: the explanation with all its working, for whoever writes a policy

use serde::Serialize;

use super::{
    asker::Asker,
    document::{Rule, RuleEffect},
    explain::{Explanation, Question, explain},
    verdict::{Bearer, misfit},
};
/// An explanation and what it was made of
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Study {
    /// The answer
    pub explanation: Explanation,
    /// The rules that cover the permission, ascending by id: for the caller, and then for the person for whom an agent calls
    pub rules: Vec<Considered>,
    /// The rules of other plugins that they ask for, each once, as [`super::condition::ForeignRule::write`] gives them
    pub asks: Vec<String>,
}

/// How one rule bears on the question
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Considered {
    /// Its id
    pub rule: String,
    /// `allow` or `deny`
    pub effect: &'static str,
    /// As what it was considered: the caller's kind, or `user` for the person for whom an agent calls
    pub kind: &'static str,
    /// `applies`, `depends` on what is not known of the resource, or `not`
    pub outcome: &'static str,
    /// Why, in a sentence
    pub why: String,
}

/// Explains with every rule that was considered
pub fn study(question: &Question<'_>) -> Study {
    let mut study = Study { explanation: explain(question), rules: Vec::new(), asks: Vec::new() };
    for asker in [Some(question.asker), question.asker.person()].iter().flatten() {
        for rule in question.covering() {
            study.consider(question, rule, asker);
        }
    }
    study
}

impl Study {
    fn consider(&mut self, question: &Question<'_>, rule: &Rule, asker: &Asker<'_>) {
        let bearer = Bearer::of(question, rule, asker);
        if let Some(bearer) = &bearer {
            bearer.each_rule(&mut |foreign| {
                let mut text = String::new();
                foreign.write(&mut text);
                if !self.asks.contains(&text) {
                    self.asks.push(text);
                }
            });
        }
        self.rules.push(Considered {
            rule: rule.id.to_string(),
            effect: if rule.effect == RuleEffect::Allow { "allow" } else { "deny" },
            kind: asker.kind.as_str(),
            outcome: match &bearer {
                Some(bearer) if bearer.acts() => "applies",
                Some(bearer) if bearer.is_open() => "depends",
                _ => "not",
            },
            why: match bearer {
                Some(bearer) => bearer.sentence(question),
                None => misfit(question, rule, asker),
            },
        });
    }
}
