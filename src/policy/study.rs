//! Every rule that was considered, and why: the explanation with all its working

use serde::Serialize;

use super::{
    asker::Asker,
    decision::Effect,
    document::{Rule, RuleEffect},
    explain::{Explanation, Question, explain},
    remedy::Remedies,
    verdict::{Bearer, clause, misfit},
};
use crate::directory::{EntityRef, Path};

/// An explanation and what it was made of, as far as its reader may know
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Study {
    /// The answer
    pub explanation: Explanation,
    /// The rules that cover the permission, ascending by id: for the caller, and then for the person for whom an agent calls
    pub rules: Vec<Considered>,
    /// The rules of other plugins that they ask for, each once, as [`super::condition::ForeignRule::write`] gives them
    pub asks: Vec<String>,
    /// By whom the resource is owned, where there is one
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ownership: Option<Ownership>,
    /// What would turn a refusal, as [`Remedies::json`] writes it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_allow: Option<String>,
    /// What the reader may not know and is therefore not in it: `groups`, `rules`
    pub withheld: Vec<&'static str>,
}

/// How one rule bears on the question
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Considered {
    /// Its id; `None` where the reader may not know it
    pub rule: Option<String>,
    /// `allow` or `deny`
    pub effect: &'static str,
    /// As what it was considered: the caller's kind, or `user` for the person for whom an agent calls
    pub kind: &'static str,
    /// `applies`, `depends` on what is not known of the resource, or `not`
    pub outcome: &'static str,
    /// The part of the rule that kept it from applying: `principals`, `requires` or `when`
    pub clause: Option<&'static str>,
    /// Why, in a sentence
    pub why: String,
}

/// By whom the resource is owned
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ownership {
    /// As the catalog says
    pub owners: Vec<EntityRef>,
    /// Whether the principal owns it; `None` where that is not certain
    pub owned: Option<bool>,
    /// How it does: from an owner of the resource through the owners inside it to the Entra group, and through the groups inside
    /// that to the one that the principal is in; no groups where the principal is the owner itself
    pub path: Option<Path>,
}

/// Explains with every rule that was considered
pub fn study(question: &Question<'_>) -> Study {
    let explanation = explain(question);
    let refused = explanation.result == Effect::Deny;
    let mut study = Study {
        explanation,
        rules: Vec::new(),
        asks: Vec::new(),
        ownership: ownership(question),
        would_allow: (refused && !question.audience.brief).then(|| Remedies::of(question).json(question)),
        withheld: Vec::new(),
    };
    for asker in [Some(question.asker), question.asker.person()].iter().flatten() {
        for rule in question.covering() {
            study.consider(question, rule, asker);
        }
    }
    study.withheld = question.audience.withheld();
    study
}

fn ownership(question: &Question<'_>) -> Option<Ownership> {
    let resource = question.resource.filter(|_| question.permission.has_owner())?;
    let owner = resource.owners.iter().find(|owner| question.owners.contains(owner));
    let path = owner.map(|owner| {
        let path = question.directory.path(question.asker.principal, owner);
        let path = path.unwrap_or_else(|| Path { owners: vec![owner.clone()], groups: Vec::new() });
        if question.audience.sees_memberships() {
            path
        } else {
            Path { owners: vec![owner.clone()], groups: Vec::new() }
        }
    });
    let certainly_not = question.asker.knows_all_owners() && question.owned_by(question.possible_owners) == Some(false);
    let owned = if owner.is_some() { Some(true) } else { certainly_not.then_some(false) };
    Some(Ownership { owners: resource.owners.clone(), owned, path })
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
        let seen = question.audience.sees_rule(question, rule);
        let outcome = match &bearer {
            Some(bearer) if bearer.acts() => "applies",
            Some(bearer) if bearer.is_open() => "depends",
            _ => "not",
        };
        self.rules.push(Considered {
            rule: seen.then(|| rule.id.to_string()),
            effect: if rule.effect == RuleEffect::Allow { "allow" } else { "deny" },
            kind: asker.kind.as_str(),
            outcome,
            clause: (outcome == "not").then(|| clause(rule, asker)),
            why: match bearer {
                _ if !seen => "it is for others".into(),
                Some(bearer) => bearer.sentence(question),
                None => misfit(question, rule, asker),
            },
        });
    }
}
