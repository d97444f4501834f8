//! Laws of the policy, on generated policies, callers and questions; a failure prints the seed that repeats it
#![cfg(not(target_arch = "wasm32"))]

mod support;

use entra_access_core::{
    directory::EntityRef,
    engine::Engine,
    identity::{Groups, Guid, Handle, Principal},
    keys::portable::Portable,
    policy::{Effect, Explanation, Permission, Resource, decision::Dependence},
    time::Timestamp,
};
use serde_json::{Value, json};
use support::{
    NOW,
    claims::{PERSON, TENANT},
    directory::directory,
    naive::{GROUPS, NaivePermission, NaivePrincipal, NaiveRule, allows, applies},
    now,
    random::Random,
    scene::Scene,
};

const POLICIES: u64 = 1500;
const QUESTIONS: usize = 12;

/// An engine in which the first three groups own something
struct World {
    engine: Engine<Portable>,
    rules: Vec<NaiveRule>,
}

impl World {
    fn new(rules: Vec<NaiveRule>) -> Self {
        let mut engine = Engine::new(Scene::standard("laws", Vec::new()).configuration, Portable, 0);
        let groups: Vec<_> = GROUPS
            .iter()
            .take(3)
            .enumerate()
            .map(|(n, id)| json!({ "entityRef": format!("group:default/g{n}"), "groupId": id }))
            .collect();
        engine.set_directory(directory(json!({ "groups": groups })));
        let mut world = Self { engine, rules };
        world.set_policy();
        world
    }

    fn generate(random: &mut Random) -> Self {
        let count = random.below(9);
        Self::new((0..count).map(|number| NaiveRule::generate(random, number)).collect())
    }

    fn set_policy(&mut self) {
        let rules: Vec<Value> = self.rules.iter().map(NaiveRule::json).collect();
        let text = json!({ "rules": rules }).to_string();
        self.engine.set_policy(&text, "policy").unwrap();
    }

    fn enter(&mut self, who: &NaivePrincipal) -> Handle {
        let groups = match &who.groups {
            // Service principals and pipelines have no groups: asked as such, the answer is the same as for an empty list.
            Some(ids) if ids.is_empty() && who.kind != "user" => Groups::none(),
            Some(ids) => Groups::known(ids.iter().map(|id| guid(id)).collect()),
            None => Groups::unknown(),
        };
        let principal = Principal {
            kind: serde_json::from_value(json!(who.kind)).unwrap(),
            issuer: "laws".into(),
            tenant_id: guid(TENANT),
            object_id: guid(PERSON),
            client_id: None,
            actor: None,
            groups,
            roles: who.roles.clone(),
            name: None,
            expires_at: now(),
        };
        let until = Timestamp::from_seconds(NOW + 60);
        self.engine.admit(principal, entity("user:default/me"), until, now())
    }

    fn explain(&self, who: Handle, what: &NaivePermission, resource: Option<&Resource>) -> Explanation {
        self.engine.explain(who, &permission(what), resource, now()).unwrap()
    }

    fn allowed(&self, who: Handle, what: &NaivePermission, resource: &Resource) -> bool {
        self.explain(who, what, Some(resource)).result == Effect::Allow
    }
}

fn guid(text: &str) -> Guid {
    Guid::parse(text.as_bytes()).unwrap()
}

fn entity(text: &str) -> EntityRef {
    EntityRef::parse(text).unwrap()
}

fn permission(what: &NaivePermission) -> Permission {
    serde_json::from_value(json!({
        "name": what.name, "action": what.action, "resourceType": what.resource_type,
    }))
    .unwrap()
}

/// A resource of some of the owners
fn resource(random: &mut Random) -> Resource {
    let owners =
        ["group:default/g0", "group:default/g1", "group:default/g2", "group:default/nobody", "user:default/me"];
    let owners = random.some(&owners, 1, 4);
    Resource { entity_ref: entity("component:default/thing"), owners: owners.into_iter().map(entity).collect() }
}

fn is_owned(who: &NaivePrincipal, resource: &Resource) -> bool {
    resource.owners.iter().any(|owner| match owner.as_str() {
        "user:default/me" => true,
        "group:default/nobody" => false,
        group => {
            let number: usize = group.strip_prefix("group:default/g").unwrap().parse().unwrap();
            who.groups.iter().flatten().any(|id| id == GROUPS[number])
        }
    })
}

/// Puts questions to generated worlds; a panic names its seed
fn for_all(law: impl Fn(&mut Random)) {
    for seed in 0..POLICIES {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| law(&mut Random::new(seed))));
        assert!(outcome.is_ok(), "fails with seed {seed}");
    }
}

#[test]
fn the_compiled_policy_says_what_the_written_one_means() {
    for_all(|random| {
        let mut world = World::generate(random);
        for _ in 0..QUESTIONS {
            let (who, what) = (NaivePrincipal::generate(random), NaivePermission::generate(random));
            let handle = world.enter(&who);
            let id = world.engine.permission_id(permission(&what)).unwrap();
            let decision = world.engine.decide(handle, id, now());
            let expected = match [true, false].map(|owned| allows(&world.rules, &who, &what, owned)) {
                [true, true] => (Effect::Allow, Dependence::Nothing),
                [false, false] => (Effect::Deny, Dependence::Nothing),
                [true, false] => (Effect::Conditional, Dependence::Owned),
                [false, true] => (Effect::Conditional, Dependence::NotOwned),
            };
            assert_eq!((decision.effect, decision.dependence), expected, "{who:?} {what:?} {:#?}", world.rules);
            assert_eq!(decision, world.engine.decide(handle, id, now()), "remembered");
            assert_eq!(decision, world.engine.decide_unnumbered(handle, &permission(&what), now()));
            assert_eq!(world.explain(handle, &what, None).result, decision.effect);
        }
    });
}

#[test]
fn an_explanation_gives_the_answer_and_names_a_rule_that_made_it() {
    for_all(|random| {
        let mut world = World::generate(random);
        for _ in 0..QUESTIONS {
            let (who, what) = (NaivePrincipal::generate(random), NaivePermission::generate(random));
            let (handle, on) = (world.enter(&who), resource(random));
            let owned = is_owned(&who, &on);
            let explanation = world.explain(handle, &what, Some(&on));
            let allowed = allows(&world.rules, &who, &what, owned);
            let context = || format!("{explanation:#?} {who:?} {what:?} owned: {owned} {:#?}", world.rules);
            assert_eq!(explanation.result == Effect::Allow, allowed, "{}", context());
            assert_ne!(explanation.result, Effect::Conditional);
            assert_eq!(explanation.conditions, None);
            assert!(!explanation.reasons.is_empty());
            let denying = |rule: &NaiveRule| !rule.allow && applies(rule, &who, &what, owned) != Some(false);
            let allowing = |rule: &NaiveRule| rule.allow && applies(rule, &who, &what, owned) == Some(true);
            match &explanation.rule {
                Some(id) => {
                    let rule = world.rules.iter().find(|rule| rule.id == *id).unwrap();
                    let made_it = if allowed { allowing(rule) } else { denying(rule) };
                    assert!(made_it, "rule `{id}` did not make this answer: {}", context());
                }
                // Nothing allowed it: then no rule is needed to deny it, though one might as well have.
                None => assert!(!allowed && !world.rules.iter().any(allowing), "a rule made it: {}", context()),
            }
        }
    });
}

#[test]
fn the_order_of_the_rules_never_matters() {
    for_all(|random| {
        let mut world = World::generate(random);
        let mut shuffled = World::new(world.rules.clone());
        random.shuffle(&mut shuffled.rules);
        shuffled.set_policy();
        assert_eq!(world.engine.rule_ids(), shuffled.engine.rule_ids());
        for _ in 0..QUESTIONS {
            let (who, what) = (NaivePrincipal::generate(random), NaivePermission::generate(random));
            let (one, other, on) = (world.enter(&who), shuffled.enter(&who), resource(random));
            // Down to the rule and the sentences.
            assert_eq!(world.explain(one, &what, Some(&on)), shuffled.explain(other, &what, Some(&on)));
        }
    });
}

#[test]
fn one_deny_more_or_one_allow_less_never_allows() {
    for_all(|random| {
        let mut world = World::generate(random);
        let mut rules = world.rules.clone();
        match rules.iter().position(|rule| rule.allow) {
            Some(at) if random.chance(1, 2) => drop(rules.remove(at)),
            _ => rules.push(NaiveRule { allow: false, ..NaiveRule::generate(random, 99) }),
        }
        let mut stricter = World::new(rules);
        for _ in 0..QUESTIONS {
            let (who, what) = (NaivePrincipal::generate(random), NaivePermission::generate(random));
            let (one, other, on) = (world.enter(&who), stricter.enter(&who), resource(random));
            if stricter.allowed(other, &what, &on) {
                assert!(world.allowed(one, &what, &on), "{who:?} {what:?}");
            }
        }
    });
}

#[test]
fn unknown_groups_never_allow_what_any_possible_membership_would_not() {
    for_all(|random| {
        let mut world = World::generate(random);
        for _ in 0..3 {
            let mut who = NaivePrincipal::generate(random);
            who.groups = None;
            let (what, on) = (NaivePermission::generate(random), resource(random));
            let unknown = world.enter(&who);
            if !world.allowed(unknown, &what, &on) {
                continue;
            }
            for members in 0..1_u32 << GROUPS.len() {
                who.groups = Some(
                    (0..GROUPS.len())
                        .filter(|group| members >> group & 1 == 1)
                        .map(|group| GROUPS[group].to_owned())
                        .collect(),
                );
                let known = world.enter(&who);
                assert!(world.allowed(known, &what, &on), "{who:?} {what:?} {:#?}", world.rules);
            }
        }
    });
}

#[test]
fn the_generator_reaches_every_kind_of_answer() {
    // Laws about questions that are all denied would prove nothing.
    let mut random = Random::new(7);
    let mut seen = [0_usize; 4];
    for _ in 0..500 {
        let mut world = World::generate(&mut random);
        let (who, what) = (NaivePrincipal::generate(&mut random), NaivePermission::generate(&mut random));
        let handle = world.enter(&who);
        let decision = world.engine.decide_unnumbered(handle, &permission(&what), now());
        let kind = match (decision.effect, decision.dependence) {
            (Effect::Deny, _) => 0,
            (Effect::Allow, _) => 1,
            (Effect::Conditional, Dependence::Owned) => 2,
            (Effect::Conditional, _) => 3,
        };
        seen[kind] += 1;
    }
    assert!(seen.iter().all(|count| *count > 5), "{seen:?}");
}
