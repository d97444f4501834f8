//! Any policy, any caller, any permission of a small world in which everything is tried

use super::{
    claims::{PERSON, PORTAL},
    naive::{Facts, NaiveCondition, NaivePermission, NaivePrincipal, NaiveRequirement, NaiveRule},
    random::Random,
};

/// The groups; the last one owns nothing
pub const GROUPS: [&str; 4] = [
    "cccccccc-0000-0000-0000-000000000001",
    "cccccccc-0000-0000-0000-000000000002",
    "cccccccc-0000-0000-0000-000000000003",
    "cccccccc-0000-0000-0000-000000000004",
];
/// Permission rules of other plugins
pub const RULES: [&str; 3] = ["HAS_A", "HAS_B", "HAS_C"];
/// Somebody else than [`PERSON`]
pub const OTHER: &str = "bbbbbbbb-0000-0000-0000-000000000009";
const NAMES: [&str; 6] = ["a", "a.b", "a.b.c", "a.b.d", "a.bc", "e.f"];
const PATTERNS: [&str; 9] = ["*", "a.*", "a.b.*", "e.*", "a", "a.b", "a.b.c", "e.f", "x.y"];
const ACTIONS: [&str; 4] = ["create", "read", "update", "delete"];
const KINDS: [&str; 4] = ["user", "workload", "agent", "pipeline"];
const ROLES: [&str; 2] = ["Reader", "Backstage.Admin"];
const TYPES: [&str; 2] = ["catalog-entity", "scaffolder-task"];

impl NaiveRule {
    /// Any rule without requirements, and with no other condition than ownership
    pub fn plain(random: &mut Random, number: usize) -> Self {
        let mut permissions = random.some(&PATTERNS, 1, 5);
        permissions.push(random.pick(&PATTERNS));
        let mut actions = random.some(&ACTIONS, 1, 3);
        actions.push(random.pick(&ACTIONS));
        let mut principals: Vec<(&'static str, String)> = Vec::new();
        for _ in 0..=random.below(3) {
            principals.push(match random.below(4) {
                0 => ("kind", random.pick(&KINDS).into()),
                1 => ("role", random.pick(&ROLES).into()),
                _ => ("group", random.pick(&GROUPS).into()),
            });
        }
        Self {
            // Ids sort differently from the order of writing.
            id: format!("r{}-{number}", random.below(100)),
            allow: random.chance(2, 3),
            permissions: permissions.into_iter().map(Into::into).collect(),
            actions: random.chance(1, 3).then(|| actions.into_iter().map(Into::into).collect()),
            principals: random.chance(2, 3).then_some(principals),
            requires: None,
            when: random.chance(1, 3).then_some(NaiveCondition::Owned),
        }
    }

    /// Any rule
    pub fn generate(random: &mut Random, number: usize) -> Self {
        let mut rule = Self::plain(random, number);
        for principal in rule.principals.iter_mut().flatten() {
            *principal = match random.below(12) {
                0 => ("workload", random.pick(&[PORTAL, OTHER]).into()),
                1 => ("user", random.pick(&["user:default/me", "user:agent-x/me", "user:default/you"]).into()),
                2 | 3 => ("user", format!("{}/{}", super::claims::TENANT, random.pick(&[PERSON, OTHER]))),
                _ => continue,
            };
        }
        rule.requires = random.chance(1, 4).then(|| NaiveRequirement::generate(random));
        rule.when = random.chance(1, 2).then(|| NaiveCondition::generate(random, 3));
        rule
    }
}

impl NaiveRequirement {
    fn generate(random: &mut Random) -> Self {
        let context = random.chance(1, 2).then(|| random.pick(&["c1", "c25"]));
        let minutes = random.chance(1, 2).then(|| random.pick(&[5, 60]));
        Self { context, mfa: random.chance(1, 3) || (context.is_none() && minutes.is_none()), minutes }
    }
}

impl NaiveCondition {
    /// Any condition up to a depth
    pub fn generate(random: &mut Random, depth: usize) -> Self {
        let parts = |random: &mut Random| (0..=random.below(2)).map(|_| Self::generate(random, depth - 1)).collect();
        match if depth == 0 { random.below(2) } else { random.below(6) } {
            0 | 3 => Self::Owned,
            1 => Self::Rule(random.pick(&RULES), random.chance(1, 3).then(|| random.pick(&TYPES))),
            2 => Self::Not(Box::new(Self::generate(random, depth - 1))),
            4 => Self::AllOf(parts(random)),
            _ => Self::AnyOf(parts(random)),
        }
    }
}

impl NaivePrincipal {
    /// Any caller; one in four with groups that are not known
    pub fn generate(random: &mut Random) -> Self {
        let known = random.chance(3, 4);
        let kind = random.pick(&KINDS);
        let acts_for_person = kind == "agent" && random.chance(1, 2);
        Self {
            kind: kind.into(),
            acts_for_person,
            object: random.pick(&[PERSON, OTHER]),
            client: random.pick(&[PORTAL, OTHER]),
            roles: random.some(&ROLES, 1, 3).into_iter().map(Into::into).collect(),
            groups: known.then(|| random.some(&GROUPS, 1, 2).into_iter().map(Into::into).collect()),
            contexts: random.some(&["c1", "c25"], 1, 2).into_iter().map(Into::into).collect(),
            mfa: random.chance(1, 2),
            signed_in: random.chance(3, 4).then(|| random.pick(&[0, 4, 5, 30, 59, 60, 600])),
            entity: Some(if acts_for_person { "user:agent-x/me" } else { "user:default/me" }),
        }
    }
}

impl NaivePermission {
    /// Any permission
    pub fn generate(random: &mut Random) -> Self {
        Self {
            name: random.pick(&NAMES).into(),
            action: random.chance(3, 4).then(|| random.pick(&ACTIONS).into()),
            resource_type: random
                .chance(3, 4)
                .then(|| random.pick(&["catalog-entity", "catalog-entity", "scaffolder-task"]).into()),
        }
    }
}

impl Facts {
    /// Every resource there can be
    pub fn all() -> Vec<Self> {
        (0..2_usize << RULES.len())
            .map(|bits| Self {
                owned: bits & 1 == 1,
                holding: (0..RULES.len()).filter(|at| bits >> (at + 1) & 1 == 1).map(|at| RULES[at]).collect(),
            })
            .collect()
    }
}
