//! A rule as it is written: strict, every mistake with its place

use super::{
    condition::Condition,
    permission::{Action, Pattern, Permission},
    requirement::Requirement,
    selector::{Configured, Selector},
};
use crate::{
    error::ConfigError,
    json::{At, Read},
};

/// A rule
#[derive(Debug)]
pub struct Rule {
    /// Names it in decisions and audit
    pub id: Box<str>,
    /// What it does
    pub effect: RuleEffect,
    /// Which permissions
    pub patterns: Vec<Pattern>,
    /// Which actions; `None`: any or none
    pub actions: Option<Vec<Action>>,
    /// Which principals, any of these; `None`: every verified one
    pub selectors: Option<Vec<Selector>>,
    /// What the sign-in must be like: an allow rule allows nobody else, a deny rule spares nobody else
    pub requirement: Option<Requirement>,
    /// What must hold of the resource
    pub condition: Option<Condition>,
}

/// What a rule does
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleEffect {
    /// Allows
    Allow,
    /// Denies, whatever else allows
    Deny,
}

impl Rule {
    /// Reads a rule
    pub fn read(at: &At<'_>, configured: Configured<'_>) -> Result<Self, ConfigError> {
        at.members(&["id", "effect", "permissions", "actions", "principals", "requires", "when"])?;
        let effect = at.needed("effect")?.word(&["allow", "deny"])?;
        Ok(Self {
            id: id(&at.needed("id")?)?,
            effect: if effect == 0 { RuleEffect::Allow } else { RuleEffect::Deny },
            patterns: all(&at.needed("permissions")?, "name permissions, or `*`", &pattern)?,
            actions: some(at.member("actions"), "leave `actions` out for any action", &Action::read)?,
            selectors: some(at.member("principals"), "leave `principals` out for every verified principal", &|at| {
                Selector::read(at, configured)
            })?,
            requirement: at.member("requires").as_ref().map(Requirement::read).transpose()?,
            condition: at.member("when").as_ref().map(Condition::read).transpose()?,
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

fn id(at: &At<'_>) -> Result<Box<str>, ConfigError> {
    let text = at.text("a string")?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    match !text.is_empty() && text.len() <= 64 && text.bytes().all(fits) {
        true => Ok(text.into()),
        false => Err(at.mistake("an id has 1 to 64 letters, digits, `-`, `_` or `.`")),
    }
}

fn pattern(at: &At<'_>) -> Result<Pattern, ConfigError> {
    Pattern::parse(at.text("a string")?).map_err(|reason| at.mistake(reason))
}

/// Every element of a list that has at least one
fn all<T>(at: &At<'_>, hint: &str, read: Read<'_, T>) -> Result<Vec<T>, ConfigError> {
    let mut all = Vec::new();
    for element in at.some_elements(hint)? {
        all.push(read(&element)?);
    }
    Ok(all)
}

/// The same for a list that need not be there. One that is has elements: null must not mean "everybody"
fn some<T>(at: Option<At<'_>>, hint: &str, read: Read<'_, T>) -> Result<Option<Vec<T>>, ConfigError> {
    at.map(|at| all(&at, hint, read)).transpose()
}
