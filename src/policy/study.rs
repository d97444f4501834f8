//! Every rule that was considered, and why: the explanation with all its working

use serde::Serialize;

use super::{
    asker::Asker,
    condition::{Condition, ForeignRule},
    decision::Effect,
    document::{Rule, RuleEffect},
    explain::{Explanation, Question, explain},
    remedy::remedies,
    verdict::{Bearer, clause, misfit},
};

/// An explanation and what it was made of, as far as its reader may know
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Study {
    /// The answer
    pub explanation: Explanation,
    /// The rules that cover the permission, ascending by id: for the caller, and then for the person for whom an agent calls
    pub rules: Vec<Considered>,
    /// The rules of other plugins that they name for such resources, each once, as [`super::condition::ForeignRule::write`] gives
    /// them; those that bear on the question first, unless that would tell of groups that the reader may not know
    pub asks: Vec<String>,
    /// Whether the principal owns the resource: `yes`, `no`, or `unknown` also where there is none that could be owned, or where the
    /// reader may not know it
    pub owned: &'static str,
    /// How it does: from an owner of the resource through the owners inside it to the Entra group, and through the groups inside
    /// that to the one that the principal is in; no groups where the principal is the owner itself. With spaces between
    pub path: String,
    /// What would turn a refusal, as [`remedies`] writes it; JSON text. Empty where that hangs on what the reader may not know
    pub ways: String,
    /// What the reader may not know and is therefore not in it: 1 groups, 2 rules
    pub withheld: usize,
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
    /// `applies`, `depends` on what is not known of the resource or withheld of the groups, or `not`
    pub outcome: &'static str,
    /// The part of the rule that kept it from applying: `principals`, `requires` or `when`; empty where none did
    pub clause: &'static str,
    /// Why, in a sentence
    pub why: String,
}

/// Explains with every rule that was considered
pub fn study(question: &Question<'_>) -> Study {
    let explanation = explain(question);
    let hidden = question.audience.hides_working(question);
    let (owned, path) = ownership(question);
    let ways = match explanation.result {
        Effect::Deny if hidden => String::new(),
        Effect::Deny if !question.audience.brief => remedies(question),
        _ => "[]".into(),
    };
    let mut study = Study { explanation, rules: Vec::new(), asks: Vec::new(), owned, path, ways, withheld: 0 };
    for asker in [Some(question.asker), question.asker.person()].iter().flatten() {
        for rule in question.covering() {
            study.consider(question, rule, asker);
        }
    }
    let conditions = question.covering().filter_map(|rule| rule.condition.as_ref());
    for foreign in conditions.flat_map(Condition::rules) {
        if foreign.fits(question.permission.resource_type.as_deref()) {
            study.ask(foreign);
        }
    }
    if hidden {
        study.withhold(question);
    }
    study.withheld = question.audience.withheld();
    study
}

fn ownership(question: &Question<'_>) -> (&'static str, String) {
    let mut steps = String::new();
    let told = question.permission.has_owner() && question.audience.sees_memberships();
    let Some(resource) = question.resource.filter(|_| told) else {
        return ("unknown", steps);
    };
    let Some(owner) = resource.owners.iter().find(|owner| question.owners.contains(owner)) else {
        return (if question.is_anothers() { "no" } else { "unknown" }, steps);
    };
    match question.directory.path(question.asker.principal, &question.asker.standing, owner) {
        Some(path) => {
            for owner in &path.owners {
                steps.push_str(owner.as_str());
                steps.push(' ');
            }
            for group in &path.groups {
                steps.push_str(&group.to_string());
                steps.push(' ');
            }
        }
        None => steps.push_str(owner.as_str()),
    }
    ("yes", steps)
}

impl Study {
    fn consider(&mut self, question: &Question<'_>, rule: &Rule, asker: &Asker<'_>) {
        let bearer = Bearer::of(question, rule, asker);
        // What is asked, and in which order, must not tell of groups either.
        if let Some(bearer) = bearer.as_ref().filter(|_| question.audience.sees_memberships()) {
            bearer.each_rule(&mut |foreign| self.ask(foreign));
        }
        let hidden = question.audience.hides(question, rule, asker);
        // Whoever is told which rule has decided may know that it has.
        let decides = hidden && self.explanation.rule.as_deref() == Some(&rule.id);
        let seen = question.audience.sees_rule(question, rule) || decides;
        let outcome = match &bearer {
            _ if hidden => {
                if decides && self.explanation.result != Effect::Conditional {
                    "applies"
                } else {
                    "depends"
                }
            }
            Some(bearer) if bearer.acts() => "applies",
            Some(bearer) if bearer.is_open() => "depends",
            _ => "not",
        };
        let verb = if rule.effect == RuleEffect::Allow { "allow" } else { "deny" };
        self.rules.push(Considered {
            rule: seen.then(|| rule.id.to_string()),
            effect: verb,
            kind: asker.kind.as_str(),
            outcome,
            clause: if outcome == "not" { clause(rule, asker) } else { "" },
            why: match bearer {
                _ if decides => format!("rule `{}` decides, by groups that are withheld", rule.id),
                _ if hidden => "whether it applies hangs on groups that are withheld".into(),
                _ if !seen => "it is for others".into(),
                Some(bearer) => bearer.sentence(question, asker),
                None => misfit(question, rule, asker),
            },
        });
    }

    #[inline(never)]
    fn ask(&mut self, foreign: &ForeignRule) {
        let mut text = String::new();
        foreign.write(&mut text);
        if !self.asks.contains(&text) {
            self.asks.push(text);
        }
    }

    /// Leaves out of the explanation itself what hangs on groups
    fn withhold(&mut self, question: &Question<'_>) {
        let Self { explanation, rules, .. } = self;
        let decisive =
            rules.iter().find(|told| told.outcome != "not" && told.rule.is_some() && told.rule == explanation.rule);
        explanation.reasons = vec![match decisive {
            Some(told) => told.why.clone(),
            None => format!("no rule allows `{}`; what hangs on groups is withheld", question.permission.name),
        }];
        explanation.step_up.clear();
        if let Some(conditions) = &mut explanation.conditions {
            (conditions.owned, conditions.criteria) = (None, None);
        }
    }
}
