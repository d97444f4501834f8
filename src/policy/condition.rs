//! `when`: what must hold of the resource

use std::sync::Arc;

use super::criteria::Criteria;
use crate::{
    error::ConfigError,
    json::{At, quote},
    limits,
};

/// A condition on the resource, as it is written
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The caller owns it
    Owned,
    /// A permission rule of the plugin that has the resource
    Rule(Arc<ForeignRule>),
    /// This does not hold
    Not(Box<Self>),
    /// All of these hold
    AllOf(Vec<Self>),
    /// Any of these holds
    AnyOf(Vec<Self>),
}

/// A permission rule that another plugin evaluates
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ForeignRule {
    /// Such as `HAS_LABEL`
    pub name: Box<str>,
    /// The type of resource it is for; absent: that of the permission
    pub resource_type: Option<Box<str>>,
    /// What it is asked with, as JSON text
    pub params: Option<Box<str>>,
}

impl ForeignRule {
    /// Whether it can be asked about resources of this type
    pub fn fits(&self, resource_type: Option<&str>) -> bool {
        match (&self.resource_type, resource_type) {
            (Some(wanted), Some(given)) => wanted.as_ref() == given,
            (None, given) => given.is_some(),
            (Some(_), None) => false,
        }
    }
}

/// What may stand in a normal form: what is asked of the resource, or its opposite
#[derive(Debug, Clone, Copy)]
pub enum Literal<'c> {
    /// The caller owns it
    Owned,
    /// The caller does not own it
    NotOwned,
    /// A permission rule holds, or does not hold
    Rule(&'c ForeignRule),
}

/// Our own rules, which nobody else may ask for somebody else
const OURS: [&str; 2] = ["IS_OWNED_BY_PRINCIPAL", "IS_NOT_OWNED_BY_PRINCIPAL"];

const FORMS: &[&str] = &["owned", "not", "allOf", "anyOf", "rule", "params", "resourceType"];

impl Condition {
    /// Reads `when`
    pub fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        let mut parts = 0_usize;
        let condition = Self::read_part(at, 0, &mut parts)?;
        match parts > limits::CONDITION_PARTS {
            true => Err(at.mistake(format!("more than {} parts", limits::CONDITION_PARTS)).hint("split the rule")),
            false => Ok(condition),
        }
    }

    fn read_part(at: &At<'_>, depth: usize, parts: &mut usize) -> Result<Self, ConfigError> {
        if depth >= limits::CONDITION_DEPTH {
            return Err(at.mistake(format!("nested deeper than {} times", limits::CONDITION_DEPTH)));
        }
        *parts = parts.saturating_add(1);
        let members = at.members(FORMS)?;
        let mut forms =
            members.iter().map(|(name, _)| name.as_ref()).filter(|name| !matches!(*name, "params" | "resourceType"));
        let (form, more) = (forms.next(), forms.next());
        let deeper = depth.saturating_add(1);
        match (form, more) {
            (Some("rule"), None) => ForeignRule::read(at).map(|rule| Self::Rule(Arc::new(rule))),
            (Some(form), None) if members.len() == 1 => {
                let value = at.needed(form)?;
                match form {
                    "owned" => {
                        value.truth(
                            "write `not: { owned: true }` for what is not owned, or leave it out for everything",
                        )?;
                        Ok(Self::Owned)
                    }
                    "not" => Ok(Self::Not(Box::new(Self::read_part(&value, deeper, parts)?))),
                    list => {
                        let mut all = Vec::new();
                        for part in value.some_elements("name at least one condition")? {
                            all.push(Self::read_part(&part, deeper, parts)?);
                        }
                        Ok(if list == "allOf" { Self::AllOf(all) } else { Self::AnyOf(all) })
                    }
                }
            }
            _ => Err(at
                .mistake("a condition has exactly one of `owned`, `not`, `allOf`, `anyOf`, `rule`")
                .hint("join several with `allOf` or `anyOf`; `params` and `resourceType` belong to `rule`")),
        }
    }

    /// The condition, or its opposite, with every `not` at the rule it is about; what can't be told, either way, holds never
    pub fn normal(&self, holds: bool, can_tell: &dyn Fn(Literal<'_>) -> bool) -> Criteria {
        let literal = |literal, criteria| if can_tell(literal) { criteria } else { Criteria::Never };
        match self {
            Self::Owned if holds => literal(Literal::Owned, Criteria::Owned),
            Self::Owned => literal(Literal::NotOwned, Criteria::NotOwned),
            Self::Rule(rule) if holds => literal(Literal::Rule(rule), Criteria::Rule(rule.clone())),
            Self::Rule(rule) => literal(Literal::Rule(rule), Criteria::NotRule(rule.clone())),
            Self::Not(inner) => inner.normal(!holds, can_tell),
            Self::AllOf(all) | Self::AnyOf(all) => {
                let parts = all.iter().map(|one| one.normal(holds, can_tell)).collect();
                if matches!(self, Self::AllOf(_)) == holds { Criteria::all_of(parts) } else { Criteria::any_of(parts) }
            }
        }
    }

    /// Whether it asks who owns the resource
    pub fn asks_for_ownership(&self) -> bool {
        match self {
            Self::Owned => true,
            Self::Rule(_) => false,
            Self::Not(inner) => inner.asks_for_ownership(),
            Self::AllOf(all) | Self::AnyOf(all) => all.iter().any(Self::asks_for_ownership),
        }
    }

    /// The permission rules in it
    pub fn rules(&self) -> Vec<&ForeignRule> {
        match self {
            Self::Owned => Vec::new(),
            Self::Rule(rule) => vec![rule],
            Self::Not(inner) => inner.rules(),
            Self::AllOf(all) | Self::AnyOf(all) => all.iter().flat_map(Self::rules).collect(),
        }
    }
}

impl ForeignRule {
    /// As JSON text, as Backstage asks for it but without the type of resource
    pub fn write(&self, out: &mut String) {
        write_rule(&self.name, self.params.as_deref(), out);
    }

    fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        let rule = at.needed("rule")?;
        let name = rule.parsed("the name of a permission rule such as HAS_LABEL", word)?;
        if OURS.contains(&name.as_ref()) {
            return Err(rule.mistake(format!("`{name}` is asked for the caller only")).hint("write `owned: true`"));
        }
        let resource_type = match at.member("resourceType") {
            Some(at) => Some(at.parsed("a resource type such as catalog-entity", word)?),
            None => None,
        };
        let params = match at.member("params") {
            Some(at) => Some(params(&at)?),
            None => None,
        };
        Ok(Self { name, resource_type, params })
    }
}

/// See [`ForeignRule::write`]
pub fn write_rule(name: &str, params: Option<&str>, out: &mut String) {
    out.push_str(r#"{"rule":"#);
    quote(name, out);
    if let Some(params) = params {
        out.push_str(r#","params":"#);
        out.push_str(params);
    }
    out.push('}');
}

fn params(at: &At<'_>) -> Result<Box<str>, ConfigError> {
    at.mapping()?;
    let mut text = String::new();
    at.value().write(&mut text);
    match text.len() > limits::PARAMS_BYTES {
        true => Err(at.mistake(format!("longer than {} bytes as JSON", limits::PARAMS_BYTES))),
        false => Ok(text.into()),
    }
}

fn word(text: &str) -> Option<Box<str>> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (!text.is_empty() && text.len() <= limits::RULE_NAME_BYTES && text.bytes().all(fits)).then(|| text.into())
}
