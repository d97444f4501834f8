//! Why: the cold twin of [`super::evaluate`], which gives the same answer and says how it came about

use serde::Serialize;

use super::{
    answered::Answered,
    asker::Asker,
    audience::Audience,
    compile::Policy,
    criteria::Criteria,
    decision::Effect,
    document::Rule,
    evaluate::{Answer, decide},
    fact::Fact,
    permission::Permission,
    requirement::Requirement,
    selector::Selector,
    verdict::{self, Verdict},
};
use crate::{
    directory::{Directory, EntityRef, Path},
    error::ConfigError,
    identity::{GroupState, Guid},
    json::{self, At, Value},
};

/// The resource asked about, as the host read it from the catalog
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The entity
    pub entity_ref: EntityRef,
    /// Targets of its `ownedBy` relations
    pub owners: Vec<EntityRef>,
}

impl Resource {
    /// From JSON text; `null` is none
    ///
    /// # Errors
    /// It is not one.
    pub fn parse(text: &str) -> Result<Option<Self>, ConfigError> {
        let document = json::value(text).map_err(|mistake| ConfigError::new("resource", mistake))?;
        if document == Value::Null {
            return Ok(None);
        }
        let at = At::root(&document, "resource");
        at.members(&["entityRef", "owners"])?;
        let of_catalog = |at: &At<'_>| at.text("a string").map(EntityRef::of_catalog);
        Ok(Some(Self {
            entity_ref: of_catalog(&at.needed("entityRef")?)?,
            owners: at.needed("owners")?.all(&of_catalog)?,
        }))
    }
}

/// An explained answer
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The answer; with a resource only conditional where a rule of another plugin has to be asked
    pub result: Effect,
    /// Id of the deciding rule; `None` when no rule allows
    pub rule: Option<String>,
    /// Sentences, the deciding one first
    pub reasons: Vec<String>,
    /// On what the answer depends, when it does
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Conditions>,
    /// What a sign-in would have to be like to change a refusal: all of it is enough
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub step_up: Vec<Requirement>,
    /// Both identities, when an agent calls for a person
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<OnBehalfOf>,
    /// What is known of the groups
    pub groups: GroupSummary,
}

/// What a conditional answer depends on
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conditions {
    /// Owned, or not owned, by one of `owners`; absent where it depends on more than that
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owned: Option<bool>,
    /// What the principal owns through: itself and its groups' owners
    pub owners: Vec<String>,
    /// The whole condition where it is more than `owned`, as [`Criteria::json`] writes it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criteria: Option<String>,
}

/// An agent and the person for whom it calls; both must be allowed
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OnBehalfOf {
    /// Client id of the agent
    pub agent: Option<Guid>,
    /// What the agent is allowed as an agent
    pub agent_result: Effect,
    /// Tenant and object id of the person
    pub person: String,
    /// What the person would be allowed by herself
    pub person_result: Effect,
}

/// The groups of the principal, without listing them all
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupSummary {
    /// How much is known
    pub state: GroupState,
    /// How many are known; `None` where the reader may not know it
    pub count: Option<usize>,
    /// Those that bear on the question
    pub matched: Vec<Guid>,
}

/// A question with everything that an explanation may look at
#[derive(Debug, Clone, Copy)]
pub struct Question<'e> {
    /// The rules
    pub policy: &'e Policy,
    /// Numbers of the rules that cover the permission
    pub rules: &'e [u16],
    /// Who asks
    pub asker: Asker<'e>,
    /// For what
    pub permission: &'e Permission,
    /// What the principal owns through: itself and its groups' owners
    pub owners: &'e [EntityRef],
    /// The same and what it may own through where that is disputed
    pub possible_owners: &'e [EntityRef],
    /// On what, if that is known
    pub resource: Option<&'e Resource>,
    /// What rules of its plugin say of it
    pub answered: &'e Answered,
    /// Entra groups and owners
    pub directory: &'e Directory,
    /// Who reads the explanation
    pub audience: &'e Audience,
}

impl<'e> Question<'e> {
    /// The rules that cover the permission
    pub fn covering(&self) -> impl Iterator<Item = &'e Rule> {
        self.rules.iter().filter_map(|number| self.policy.rules.get(usize::from(*number)))
    }

    /// An answer as far as it holds of the resource
    pub fn on_resource(&self, answer: Answer) -> Answer {
        match answer.effect {
            Effect::Conditional => Answer::under(self.given(&answer.criteria), answer.ground),
            _ => answer,
        }
    }

    /// The same question where these facts are taken to be so
    pub fn supposing<'s>(&self, facts: &'s [Fact<'s>]) -> Question<'s>
    where
        'e: 's,
    {
        Question { asker: Asker { supposed: facts, ..self.asker }, ..*self }
    }

    /// Whether one of these owns the resource; `None` without one
    pub fn owned_by(&self, owners: &[EntityRef]) -> Option<bool> {
        let joins = |owner| self.asker.supposes_group(&|group| self.directory.owns_through(group, owner));
        let owns = |owner| owners.contains(owner) || self.asker.knows_groups() && joins(owner);
        Some(self.resource?.owners.iter().any(owns))
    }

    /// Whether the resource is one that the principal certainly does not own
    #[inline(never)]
    pub fn is_anothers(&self) -> bool {
        self.asker.knows_all_owners() && self.owned_by(self.possible_owners) == Some(false)
    }

    /// A condition as far as the resource leaves it open
    pub fn given(&self, criteria: &Criteria) -> Criteria {
        criteria.settled(&|literal| {
            let supposed = |fact: &Fact<'_>| match (fact, literal) {
                (Fact::Owned(owned), Criteria::Owned) => Some(*owned),
                (Fact::Owned(owned), Criteria::NotOwned) => Some(!owned),
                (Fact::Rule(name, params, holds), Criteria::Rule(rule) | Criteria::NotRule(rule))
                    if *name == &*rule.name && *params == rule.params.as_deref() =>
                {
                    Some(*holds == matches!(literal, Criteria::Rule(_)))
                }
                _ => None,
            };
            self.asker.supposed.iter().find_map(supposed).or_else(|| match literal {
                Criteria::Owned => self.owned_by(self.owners),
                // Possibility is enough for a deny.
                Criteria::NotOwned => self.owned_by(self.possible_owners).map(|owned| !owned),
                Criteria::Rule(rule) => self.answered.of(rule),
                Criteria::NotRule(rule) => self.answered.of(rule).map(|holds| !holds),
                _ => None,
            })
        })
    }
}

/// Explains what [`super::evaluate::decide`] answers
pub fn explain(question: &Question<'_>) -> Explanation {
    let answer_to =
        |asker: &Asker<'_>| question.on_resource(decide(question.policy, question.rules, asker, question.permission));
    let answer = answer_to(&question.asker);
    let caller = Verdict::of(question, &question.asker);
    let person = question.asker.person().map(|person| Verdict::of(question, &person));
    let on_behalf_of = person.as_ref().map(|person| OnBehalfOf {
        agent: question.asker.principal.actor.as_ref().map(|actor| actor.client_id),
        agent_result: caller.result,
        person: format!("{}/{}", question.asker.principal.tenant_id, question.asker.principal.object_id),
        person_result: person.result,
    });
    let Verdict { rule, mut reasons, .. } = match person {
        Some(person) => caller.and_person(person, answer.effect),
        None => caller,
    };
    let mut step_up = Vec::new();
    if answer.effect == Effect::Deny && answer_to(&question.asker.assured()).effect != Effect::Deny {
        let (mut sentences, requirements) = verdict::step_up(question);
        sentences.append(&mut reasons);
        (reasons, step_up) = (sentences, requirements);
    }
    let conditions = (answer.effect == Effect::Conditional).then(|| {
        let owned = match answer.criteria {
            Criteria::Owned => Some(true),
            Criteria::NotOwned => Some(false),
            _ => None,
        };
        Conditions {
            owned,
            owners: if question.audience.sees_memberships() {
                question.owners.iter().map(ToString::to_string).collect()
            } else {
                Vec::new()
            },
            criteria: owned.is_none().then(|| answer.criteria.json()),
        }
    });
    Explanation {
        result: answer.effect,
        rule: rule.map(|rule| rule.id.to_string()),
        reasons,
        conditions,
        step_up,
        on_behalf_of,
        groups: summary(question),
    }
}

/// By whom the resource is owned, and whether the principal is among them
pub fn ownership(question: &Question<'_>) -> String {
    let Some(resource) = question.resource else {
        return "ownership was not asked".into();
    };
    let entity = &resource.entity_ref;
    if let Some(owner) = resource.owners.iter().find(|owner| question.owners.contains(owner)) {
        return match question.directory.path(question.asker.principal, &question.asker.standing, owner) {
            Some(path) => format!("`{entity}` is owned by {}", through(&path)),
            None => format!("`{entity}` is owned by `{owner}`, the principal itself"),
        };
    }
    if resource.owners.is_empty() {
        return format!("`{entity}` has no owner");
    }
    let owners: Vec<_> = resource.owners.iter().map(|owner| unreached(question, owner)).collect();
    let known = if question.is_anothers() { "" } else { " known to be" };
    format!("`{entity}` is owned by {}, and the principal is not{known} a member", crate::text::join(&owners, ", "))
}

/// An owner through which the principal does not own, and which groups stand for it
fn unreached(question: &Question<'_>, owner: &EntityRef) -> String {
    let mut text = format!("`{owner}`");
    let groups = question.directory.groups_of(owner);
    let mut between = " (Entra group ";
    for group in groups.iter().filter(|group| question.audience.sees_group(question, **group)) {
        text.push_str(between);
        text.push_str(&group.to_string());
        between = ", ";
    }
    if between == ", " {
        text.push(')');
    }
    if groups.is_empty() {
        text.push_str(" (bound to no Entra group: annotate it with graph.microsoft.com/group-id)");
    }
    text
}

/// From the owner down to the group that the principal is in
fn through(path: &Path) -> String {
    let owners: Vec<_> = path.owners.iter().map(|owner| format!("`{owner}`")).collect();
    let groups: Vec<_> = path.groups.iter().map(ToString::to_string).collect();
    format!(
        "{}, and the principal is a member of its Entra group {}",
        crate::text::join(&owners, ", which contains "),
        crate::text::join(&groups, " through ")
    )
}

/// The groups of the principal that bear on the question: through an owner of the resource, or named by a rule
fn summary(question: &Question<'_>) -> GroupSummary {
    let asker = &question.asker;
    let of_owners = question.resource.into_iter().flat_map(|resource| &resource.owners).flat_map(|owner| {
        let path = question.directory.path(asker.principal, &asker.standing, owner);
        question.directory.groups_of(owner).into_iter().chain(path.into_iter().flat_map(|path| path.groups))
    });
    let of_rules =
        question.covering().flat_map(|rule| rule.selectors.iter().flatten()).filter_map(|selector| match selector {
            Selector::Group(id) => Some(*id),
            _ => None,
        });
    let mut matched: Vec<_> = of_owners.chain(of_rules).filter(|group| asker.is_in(*group) == Some(true)).collect();
    matched.sort_unstable();
    matched.dedup();
    let open = question.audience.sees_memberships();
    if !open {
        matched.clear();
    }
    GroupSummary { state: asker.group_state(), count: open.then(|| asker.group_count()), matched }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_read_strictly() {
        let whole = Resource::parse(r#"{"entityRef":"component:default/x","owners":["group:default/My team","?"]}"#);
        assert_eq!(whole.unwrap().unwrap().owners.len(), 2);
        assert_eq!(Resource::parse("null"), Ok(None));
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"entityRef":"x"}"#,
            r#"{"entityRef":"x","owners":null}"#,
            r#"{"entityRef":"x","owners":[7]}"#,
            r#"{"entityRef":7,"owners":[]}"#,
            r#"{"entityRef":"x","owners":[],"owner":"x"}"#,
        ] {
            assert!(Resource::parse(bad).is_err(), "{bad}");
        }
    }
}
