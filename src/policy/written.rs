//! A study as JSON text, which is what crosses to the host; by hand, as derived code is three times as long

use super::{
    decision::Effect,
    explain::{Conditions, Explanation},
    requirement::Requirement,
    study::{Considered, Study},
};
use crate::json::quote;

/// Members of objects, one behind the other
struct Writer(String);

impl Study {
    /// As JSON text
    pub fn json(&self) -> String {
        let mut writer = Writer(String::new());
        writer.open('{');
        writer.name("explanation");
        writer.explanation(&self.explanation);
        writer.list("rules", &self.rules, &|writer, rule| writer.considered(rule));
        writer.texts("asks", &self.asks);
        writer.text("owned", self.owned);
        writer.texts("path", &self.path);
        writer.raw("ways", &self.ways);
        writer.number("withheld", self.withheld);
        writer.close('}');
        writer.0
    }
}

impl Writer {
    #[inline(never)]
    fn name(&mut self, name: &str) {
        self.next();
        quote(name, &mut self.0);
        self.0.push(':');
    }

    /// Separates from what stands before
    #[inline(never)]
    fn next(&mut self) {
        if !self.0.ends_with(['{', '[', ':']) {
            self.0.push(',');
        }
    }

    #[inline(never)]
    fn open(&mut self, bracket: char) {
        self.next();
        self.0.push(bracket);
    }

    fn close(&mut self, bracket: char) {
        self.0.push(bracket);
    }

    #[inline(never)]
    fn item(&mut self, text: &str) {
        self.next();
        quote(text, &mut self.0);
    }

    #[inline(never)]
    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        quote(text, &mut self.0);
    }

    #[inline(never)]
    fn optional(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => self.text(name, text),
            None => self.raw(name, "null"),
        }
    }

    #[inline(never)]
    fn raw(&mut self, name: &str, json: &str) {
        self.name(name);
        self.0.push_str(json);
    }

    #[inline(never)]
    fn number(&mut self, name: &str, number: usize) {
        self.raw(name, &number.to_string());
    }

    #[inline(never)]
    fn texts(&mut self, name: &str, all: &[String]) {
        self.name(name);
        self.open('[');
        all.iter().for_each(|text| self.item(text));
        self.close(']');
    }

    fn list<T>(&mut self, name: &str, all: &[T], write: &dyn Fn(&mut Self, &T)) {
        self.name(name);
        self.open('[');
        for one in all {
            self.open('{');
            write(self, one);
            self.close('}');
        }
        self.close(']');
    }

    fn considered(&mut self, rule: &Considered) {
        self.optional("rule", rule.rule.as_deref());
        self.text("effect", rule.effect);
        self.text("kind", rule.kind);
        self.text("outcome", rule.outcome);
        self.text("clause", rule.clause);
        self.text("why", &rule.why);
    }

    fn explanation(&mut self, explanation: &Explanation) {
        self.open('{');
        self.text("result", word(explanation.result));
        self.optional("rule", explanation.rule.as_deref());
        self.texts("reasons", &explanation.reasons);
        if let Some(Conditions { owned, owners, criteria }) = &explanation.conditions {
            self.name("conditions");
            self.open('{');
            if let Some(owned) = owned {
                self.raw("owned", if *owned { "true" } else { "false" });
            }
            self.texts("owners", owners);
            if let Some(criteria) = criteria {
                self.raw("criteria", criteria);
            }
            self.close('}');
        }
        if !explanation.step_up.is_empty() {
            self.list("stepUp", &explanation.step_up, &|writer, step| writer.requirement(step));
        }
        if let Some(both) = &explanation.on_behalf_of {
            self.name("onBehalfOf");
            self.open('{');
            self.optional("agent", both.agent.map(|agent| agent.to_string()).as_deref());
            self.text("agentResult", word(both.agent_result));
            self.text("person", &both.person);
            self.text("personResult", word(both.person_result));
            self.close('}');
        }
        self.name("groups");
        self.open('{');
        self.text("state", explanation.groups.state.as_str());
        self.number("count", explanation.groups.count);
        self.name("matched");
        self.open('[');
        for group in &explanation.groups.matched {
            self.item(&group.to_string());
        }
        self.close(']');
        self.0.push_str("}}");
    }

    fn requirement(&mut self, step: &Requirement) {
        if let Some(context) = &step.auth_context {
            self.text("authContext", context);
        }
        if step.mfa.is_some() {
            self.raw("mfa", "true");
        }
        if let Some(seconds) = step.signed_in_within {
            self.raw("signedInWithin", &seconds.to_string());
        }
    }
}

const fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Deny => "DENY",
        Effect::Allow => "ALLOW",
        Effect::Conditional => "CONDITIONAL",
    }
}
