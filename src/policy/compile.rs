//! From the written policy to rules that cannot be wrong

use super::{
    document::{Rule, RuleEffect},
    mistakes,
    permission::Permission,
    selector::{Configured, Selector},
};
use crate::{
    error::ConfigError,
    identity::{Assurance, Guid},
    json::{self, At, Value},
    limits,
    time::Timestamp,
};

/// A compiled policy
#[derive(Debug, Default)]
pub struct Policy {
    /// Sorted by id, so that neither a decision nor the rule it names depends on the order in the file
    pub rules: Vec<Rule>,
    /// Every `signedInWithin`, in seconds, ascending
    ages: Vec<u64>,
}

impl Policy {
    /// Compiles a policy from JSON text where no pipeline is configured; `place` names the document in errors, such as a file name
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn compile(json: &str, place: &str) -> Result<Self, ConfigError> {
        Self::compile_for(json, place, &|_, _, _| false)
    }

    /// The same where `configured` knows the pipelines
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn compile_for(json: &str, place: &str, configured: Configured<'_>) -> Result<Self, ConfigError> {
        if json.len() > limits::POLICY_BYTES {
            return Err(ConfigError::new(place, format!("more than {} bytes", limits::POLICY_BYTES)));
        }
        let document = json::value(json).map_err(|mistake| ConfigError::new(place, mistake))?;
        let at = At::root(&document, place);
        at.members(&["rules"])?;
        let written = at.needed("rules")?;
        let elements = written.elements()?;
        if elements.len() > limits::RULES {
            return Err(written.mistake(format!("more than {} rules", limits::RULES)));
        }
        let mut rules = Vec::with_capacity(elements.len());
        for element in &elements {
            rules.push(Rule::read(element, configured)?);
        }
        mistakes::find(&rules, place)?;
        rules.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let twice = rules.iter().zip(rules.iter().skip(1)).find(|(rule, next)| rule.id == next.id);
        if let Some((Rule { id, .. }, _)) = twice {
            let same = |written: &At<'_>| matches!(written.value(), Value::Text(text) if text == id.as_ref());
            let later = elements.iter().rev().filter_map(|element| element.member("id")).find(same);
            return Err(later
                .as_ref()
                .unwrap_or(&written)
                .mistake(format!("another rule has the id `{id}`"))
                .hint("ids name rules in decisions and audit"));
        }
        let mut ages = Vec::new();
        for age in rules.iter().filter_map(|rule| rule.requirement.as_ref()?.signed_in_within) {
            if let Err(place) = ages.binary_search(&age) {
                ages.insert(place, age);
            }
        }
        Ok(Self { rules, ages })
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

    /// Until when no answer changes by the mere passing of time: when this sign-in becomes too old for a rule
    pub fn steady_until(&self, assurance: &Assurance, now: Timestamp) -> Timestamp {
        let Some(signed_in) = assurance.signed_in_at() else { return Timestamp::NEVER };
        self.ages.iter().map(|age| signed_in.after(*age)).find(|time| *time > now).unwrap_or(Timestamp::NEVER)
    }
}
