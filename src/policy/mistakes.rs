//! Rules that are well written and cannot do what they say

use super::{
    condition::{Condition, Literal},
    criteria::Criteria,
    document::{Rule, RuleEffect},
    permission::{CATALOG_ENTITY, Pattern},
};
use crate::error::ConfigError;

/// Permissions of the catalog that have no resource (`@backstage/plugin-catalog-common`, `alpha`)
const WITHOUT_RESOURCE: [&str; 8] = [
    "catalog.entity.create",
    "catalog.entity.validate",
    "catalog.ingestion.manage",
    "catalog.ingestion.read",
    "catalog.location.analyze",
    "catalog.location.create",
    "catalog.location.delete",
    "catalog.location.read",
];

/// Permissions of this plugin: none has a resource
const OUR_OWN: &str = "entra-access.";

/// The first such mistake, in the order of writing
pub fn find(rules: &[Rule], place: &str) -> Result<(), ConfigError> {
    // By the patterns that they deny: ten thousand rules are not compared with each other.
    let mut walls: Walls<'_> = Vec::new();
    for wall in rules.iter().filter(|rule| is_deny_for_any_sign_in(rule)) {
        for pattern in &wall.patterns {
            walls.insert(walls.partition_point(|(text, _)| *text <= pattern.text()), (pattern.text(), wall));
        }
    }
    for (at, rule) in rules.iter().enumerate() {
        let path = || format!("{place}.rules[{at}]");
        if let Some(condition) = &rule.condition {
            check_condition(rule, condition, &path)?;
        }
        if rule.effect == RuleEffect::Allow
            && let Some(hiding) = walls_before(rule, &walls)
        {
            let ids: Vec<_> = hiding.iter().map(|wall| format!("`{}`", wall.id)).collect();
            let by = crate::text::join(&ids, " and ");
            let verb = if hiding.len() == 1 { "denies" } else { "deny" };
            return Err(ConfigError::new(path(), format!("rule `{}` can never allow: {by} {verb} all of it", rule.id))
                .hint("remove one of them, or narrow the deny; with no rules at all nothing is allowed"));
        }
    }
    Ok(())
}

fn check_condition(rule: &Rule, condition: &Condition, path: &impl Fn() -> String) -> Result<(), ConfigError> {
    if rule.patterns.iter().all(|pattern| {
        pattern.text().starts_with(OUR_OWN)
            || matches!(pattern, Pattern::Exact(name) if WITHOUT_RESOURCE.contains(&name.as_ref()))
    }) {
        return Err(ConfigError::new(
            format!("{}.when", path()),
            format!("rule `{}` asks about a resource, and the permissions that it names have none", rule.id),
        )
        .hint("leave `when` out"));
    }
    // A rule that names no type may be of any, so what can hold at all holds of a named type or of catalog entities.
    let holds_of = |resource_type: &str| {
        let can_tell = |literal: Literal<'_>| match literal {
            Literal::Owned | Literal::NotOwned => resource_type == CATALOG_ENTITY,
            Literal::Rule(rule) => rule.fits(Some(resource_type)),
        };
        condition.normal(true, &can_tell) != Criteria::Never
    };
    let named = condition.rules();
    let types = named.iter().filter_map(|rule| rule.resource_type.as_deref());
    match types.chain([CATALOG_ENTITY]).any(holds_of) {
        true => Ok(()),
        false => Err(ConfigError::new(
            format!("{}.when", path()),
            format!("rule `{}` can never match: nothing meets this condition", rule.id),
        )
        .hint("a resource has one type, and cannot be owned and not owned at once")),
    }
}

const fn is_deny_for_any_sign_in(rule: &Rule) -> bool {
    matches!(rule.effect, RuleEffect::Deny) && rule.requirement.is_none()
}

/// Denies by a pattern of theirs, ascending
type Walls<'r> = Vec<(&'r str, &'r Rule)>;

/// Denies that together cover everything that a rule speaks about, each named once
fn walls_before<'r>(rule: &Rule, walls: &Walls<'r>) -> Option<Vec<&'r Rule>> {
    let mut found: Vec<&Rule> = Vec::new();
    for pattern in &rule.patterns {
        let wall = wall_before(pattern, rule, walls)?;
        if !found.iter().any(|known| known.id == wall.id) {
            found.push(wall);
        }
    }
    Some(found)
}

/// A deny that covers what a rule says of one of its patterns: by that pattern, or by a wider one
fn wall_before<'r>(pattern: &Pattern, rule: &Rule, walls: &Walls<'r>) -> Option<&'r Rule> {
    let text = pattern.text();
    let wider = text.match_indices('.').filter_map(|(at, _)| text.get(..=at));
    ["*", text].into_iter().chain(wider).find_map(|key| {
        let first = walls.partition_point(|(text, _)| *text < key);
        let mut with_key = walls.iter().skip(first).take_while(|(text, _)| *text == key);
        with_key.find(|(_, wall)| hides(wall, rule, pattern)).map(|(_, wall)| *wall)
    })
}

/// Whether a deny covers everything that another rule says of a pattern
fn hides(wall: &Rule, rule: &Rule, pattern: &Pattern) -> bool {
    let all_actions = match (&wall.actions, &rule.actions) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(denied), Some(actions)) => actions.iter().all(|action| denied.contains(action)),
    };
    let everybody = match (&wall.selectors, &rule.selectors) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(denied), Some(selectors)) => selectors.iter().all(|selector| denied.contains(selector)),
    };
    // What is known for certain to hold, as an allow rule needs, may also hold, which is enough for a deny. Compared last: it
    // is long, and thousands of denies may have the same.
    let every_resource = || wall.condition.is_none() || wall.condition == rule.condition;
    all_actions && everybody && wall.patterns.iter().any(|wider| wider.includes(pattern)) && every_resource()
}
