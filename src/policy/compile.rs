//! From the written policy to rules that cannot be wrong

use super::{
    document::{Condition, PolicyDocument, RuleDocument, RuleEffect, Selector},
    permission::{Action, Pattern, Permission},
};
use crate::{config::document::from_json, error::ConfigError, identity::Guid, limits};

/// A compiled policy
#[derive(Debug, Default)]
pub struct Policy {
    /// Sorted by id, so that neither a decision nor the rule it names depends on the order in the file
    pub rules: Vec<Rule>,
}

/// A compiled rule
#[derive(Debug)]
pub struct Rule {
    /// Names it
    pub id: Box<str>,
    /// What it does
    pub effect: RuleEffect,
    /// Which permissions
    pub patterns: Vec<Pattern>,
    /// Which actions; `None`: any or none
    pub actions: Option<Vec<Action>>,
    /// Which principals; `None`: every verified one
    pub selectors: Option<Vec<Selector>>,
    /// Only what the principal owns
    pub owned: bool,
}

impl Policy {
    /// Compiles a policy from JSON text; `place` names the document in errors, such as a file name
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn compile(json: &str, place: &str) -> Result<Self, ConfigError> {
        let document: PolicyDocument = from_json(json, place)?;
        if document.rules.len() > limits::RULES {
            return Err(ConfigError::new(format!("{place}.rules"), format!("more than {} rules", limits::RULES)));
        }
        let mut rules = Vec::with_capacity(document.rules.len());
        for (at, rule) in document.rules.into_iter().enumerate() {
            rules.push(Rule::compile(rule, &format!("{place}.rules[{at}]"))?);
        }
        rules.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let twice = rules.iter().zip(rules.iter().skip(1)).find(|(rule, next)| rule.id == next.id);
        if let Some(id) = twice.map(|(rule, _)| &rule.id) {
            return Err(ConfigError::new(format!("{place}.rules"), format!("two rules have the id `{id}`"))
                .hint("ids name rules in decisions and audit"));
        }
        Ok(Self { rules })
    }

    /// Tells groups from directory roles, whose ids (ascending) stand among them in tokens; the ids of allow rules with one
    ///
    /// A deny rule that names one goes on denying: what turns out to be a mistake never widens access.
    pub fn disregard(&mut self, directory_roles: &[Guid]) -> Vec<&str> {
        let mut with_roles = Vec::new();
        for rule in self.rules.iter_mut().filter(|rule| rule.effect == RuleEffect::Allow) {
            let mut found = false;
            for selector in rule.selectors.iter_mut().flatten() {
                if let Selector::Group(id) | Selector::DirectoryRole(id) = *selector {
                    let role = directory_roles.binary_search(&id).is_ok();
                    found |= role;
                    *selector = if role { Selector::DirectoryRole(id) } else { Selector::Group(id) };
                }
            }
            if found {
                with_roles.push(&*rule.id);
            }
        }
        with_roles
    }

    /// Numbers of the rules that speak about this permission, ascending
    pub fn covering(&self, permission: &Permission) -> Vec<u16> {
        self.rules.iter().zip(0..).filter(|(rule, _)| rule.covers(permission)).map(|(_, number)| number).collect()
    }
}

impl Rule {
    fn compile(rule: RuleDocument, path: &str) -> Result<Self, ConfigError> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if rule.id.is_empty() || rule.id.len() > 64 || !rule.id.bytes().all(fits) {
            return Err(ConfigError::new(format!("{path}.id"), "an id has 1 to 64 letters, digits, `-`, `_` or `.`"));
        }
        let not_empty = |name: &str, empty: bool, hint: &str| match empty {
            true => {
                Err(ConfigError::new(format!("{path}.{name}"), "the list is empty: the rule could never match")
                    .hint(hint))
            }
            false => Ok(()),
        };
        not_empty("permissions", rule.permissions.is_empty(), "name permissions, or `*`")?;
        not_empty("actions", rule.actions.as_ref().is_some_and(Vec::is_empty), "leave `actions` out for any action")?;
        not_empty(
            "principals",
            rule.principals.as_ref().is_some_and(Vec::is_empty),
            "leave `principals` out for every verified principal",
        )?;
        let patterns = rule
            .permissions
            .iter()
            .enumerate()
            .map(|(at, text)| {
                Pattern::parse(text).map_err(|reason| ConfigError::new(format!("{path}.permissions[{at}]"), reason))
            })
            .collect::<Result<_, _>>()?;
        if let Some(Condition { owned: false }) = rule.when {
            return Err(ConfigError::new(format!("{path}.when.owned"), "`true` is the only value")
                .hint("a deny rule with `owned: true` takes away what is owned; leave `when` out for everything"));
        }
        Ok(Self {
            id: rule.id.into(),
            effect: rule.effect,
            patterns,
            actions: rule.actions,
            selectors: rule.principals,
            owned: rule.when.is_some(),
        })
    }

    /// Whether the rule speaks about this permission
    pub fn covers(&self, permission: &Permission) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(&permission.name))
            && self
                .actions
                .as_ref()
                .is_none_or(|actions| permission.action.is_some_and(|action| actions.contains(&action)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_is_named_with_its_place() {
        let rule = r#"{"id":"a","effect":"allow","permissions":["x.y"]}"#;
        for (json, says) in [
            ("{}".to_owned(), "policy.yaml: missing field `rules`"),
            (r#"{"rules":[],"rule":1}"#.into(), "policy.yaml.rule: unknown field `rule`"),
            (format!(r#"{{"rules":[{rule},{rule}]}}"#), "policy.yaml.rules: two rules have the id `a`"),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("allow", "permit")),
                "policy.yaml.rules[0].effect: unknown variant `permit`",
            ),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("x.y", "x.*.y")),
                "policy.yaml.rules[0].permissions[0]: a permission is",
            ),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("\"x.y\"", "")),
                "policy.yaml.rules[0].permissions: the list is empty",
            ),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","principals":[{"group":"payments"}]}"#)),
                "policy.yaml.rules[0].principals[0].group: `payments` is not a GUID",
            ),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","principals":[]}"#)),
                "policy.yaml.rules[0].principals: the list is empty",
            ),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","principals":[{"mail":"x"}]}"#)),
                "policy.yaml.rules[0].principals[0]",
            ),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","principals":null}"#)),
                "policy.yaml.rules[0].principals: invalid type: null",
            ),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","when":null}"#)),
                "policy.yaml.rules[0].when: invalid type: null",
            ),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","actions":null}"#)),
                "policy.yaml.rules[0].actions: invalid type: null",
            ),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","when":{"owner":true}}"#)),
                "policy.yaml.rules[0].when.owner: unknown field `owner`",
            ),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","when":{"owned":false}}"#)),
                "policy.yaml.rules[0].when.owned: `true` is the only value",
            ),
            (
                format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","actions":["remove"]}"#)),
                "policy.yaml.rules[0].actions[0]: unknown variant `remove`",
            ),
            (format!(r#"{{"rules":[{}]}}"#, rule.replace("\"a\"", "\"\"")), "policy.yaml.rules[0].id: an id has"),
        ] {
            let message = Policy::compile(&json, "policy.yaml").unwrap_err().to_string();
            assert!(message.starts_with(says), "{message}\n  should start with {says}");
        }
    }
}
