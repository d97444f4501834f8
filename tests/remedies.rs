//! What it would take, judged by the naive reading of the policy: what is named is enough, and nothing less is

use std::cell::Cell;

use crate::support::{
    directory::directory,
    generate::{GROUPS, RULES},
    naive::{Facts, NaivePermission, NaivePrincipal, allows, applies},
    now,
    random::Random,
    world::{World, entity, for_all, is_owned, permission, resource},
};
use entra_access_core::policy::{Answered, Audience, Effect, Resource, Study};
use serde_json::{Value, json};

/// A question and everything about it that could be otherwise
#[derive(Debug, Clone)]
struct Asked {
    who: NaivePrincipal,
    what: NaivePermission,
    on: Resource,
    owned: Option<bool>,
    holding: Vec<&'static str>,
}

impl Asked {
    fn generate(random: &mut Random) -> Self {
        let (who, what) = (NaivePrincipal::generate(random), NaivePermission::generate(random));
        Self { who, what, on: resource(random), owned: None, holding: random.some(&RULES, 1, 2) }
    }

    /// With these facts, as the core names them
    fn with<'f>(&self, facts: impl IntoIterator<Item = &'f Value>) -> Self {
        let mut changed = self.clone();
        for fact in facts {
            let who = &mut changed.who;
            let text = |name: &str| fact[name].as_str().unwrap_or_else(|| panic!("{fact} has no {name}")).to_owned();
            match fact["fact"].as_str().unwrap() {
                "groupsKnown" => who.groups = who.groups.take().or(Some(Vec::new())),
                // Added to what is not known it stays so.
                "group" => who.groups.iter_mut().for_each(|groups| groups.push(text("group"))),
                "role" => who.roles.push(text("role")),
                "signIn" => {
                    let context = fact["authContext"].as_str();
                    who.contexts.extend(context.map(str::to_owned));
                    who.mfa |= fact["mfa"] == true;
                    if let Some(within) = fact["signedInWithin"].as_u64() {
                        let ago = within / 60 - 1;
                        who.signed_in = Some(who.signed_in.map_or(ago, |known| known.min(ago)));
                    }
                }
                "owned" => changed.owned = fact["holds"].as_bool(),
                "rule" => {
                    changed.holding.retain(|name| fact["rule"] != *name);
                    assert_eq!(fact["params"], json!({ "of": [1, "x"] }));
                    if fact["holds"] == true {
                        changed.holding.extend(RULES.iter().filter(|name| fact["rule"] == **name));
                    }
                }
                other => panic!("{other}"),
            }
        }
        changed
    }

    fn is_allowed(&self, world: &World) -> bool {
        let owned = self.owned.unwrap_or_else(|| is_owned(&self.who, &self.on));
        allows(&world.rules, &self.who, &self.what, &Facts { owned, holding: self.holding.clone() })
    }

    fn study(&self, world: &mut World) -> Study {
        // As the core writes it: the name first.
        let text = |name: &&str| format!(r#"{{"rule":"{name}","params":{{"of":[1,"x"]}}}}"#);
        let fails: Vec<_> = RULES.iter().filter(|name| !self.holding.contains(name)).map(text).collect();
        let holds: Vec<_> = self.holding.iter().map(text).collect();
        let answered = Answered::parse(&json!({ "holds": holds, "fails": fails }).to_string()).unwrap();
        let who = world.enter(&self.who);
        world.engine.study(who, &permission(&self.what), Some(&self.on), &answered, now()).unwrap()
    }
}

/// Every fact that is told apart in a generated world
fn all_facts(asked: &Asked) -> Vec<Value> {
    let mut all = vec![json!({ "fact": "groupsKnown" }), json!({ "fact": "owned", "holds": false })];
    // Whoever is to own what a team owns joins the team.
    let bound = asked.on.owners.iter().any(|owner| owner.as_str().starts_with("group:default/g"));
    if !bound {
        all.push(json!({ "fact": "owned", "holds": true }));
    }
    all.extend(GROUPS.iter().map(|id| json!({ "fact": "group", "group": id })));
    all.extend(["Reader", "Backstage.Admin"].iter().map(|role| json!({ "fact": "role", "role": role })));
    all.extend(["c1", "c25"].iter().map(|context| json!({ "fact": "signIn", "authContext": context })));
    all.push(json!({ "fact": "signIn", "mfa": true }));
    all.push(json!({ "fact": "signIn", "signedInWithin": 300 }));
    all.push(json!({ "fact": "signIn", "signedInWithin": 3600 }));
    for rule in RULES {
        all.extend(
            [true, false]
                .map(|holds| json!({ "fact": "rule", "rule": rule, "params": { "of": [1, "x"] }, "holds": holds })),
        );
    }
    all
}

/// The ways of a study, as the host reads them: the rule, and the facts as [`Asked::with`] takes them
fn ways(study: &Study) -> Vec<(String, Vec<Value>)> {
    let ways: Vec<Vec<String>> = serde_json::from_str(&study.ways).unwrap();
    let told = ways.iter().filter(|way| !way.is_empty());
    told.map(|way| (way[0].clone(), way[1..].chunks(2).map(|fact| read(&fact[0], &fact[1])).collect())).collect()
}

fn read(word: &str, about: &str) -> Value {
    let number = || about.parse::<u64>().unwrap();
    match word {
        "groupsKnown" => json!({ "fact": word }),
        "group" => json!({ "fact": word, "group": about.split(' ').next() }),
        "role" => json!({ "fact": word, "role": about }),
        "authContext" => json!({ "fact": "signIn", "authContext": about }),
        "mfa" => json!({ "fact": "signIn", "mfa": true }),
        "signedInWithin" => json!({ "fact": "signIn", "signedInWithin": number() }),
        "owned" | "notOwned" => json!({ "fact": "owned", "holds": word == "owned" }),
        "rule" | "notRule" => {
            let mut rule: Value = serde_json::from_str(about).unwrap();
            rule["fact"] = json!("rule");
            rule["holds"] = json!(word == "rule");
            rule
        }
        other => panic!("{other}"),
    }
}

fn subsets(facts: &[Value]) -> impl Iterator<Item = Vec<&Value>> {
    (0..1_u32 << facts.len())
        .map(move |mask| facts.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, fact)| fact).collect())
}

#[test]
fn what_is_named_is_enough_and_nothing_less_is() {
    let (ways_seen, longer) = (Cell::new(0), Cell::new(0));
    for_all(|random| {
        let mut world = World::generate(random);
        for _ in 0..6 {
            let asked = Asked::generate(random);
            let study = asked.study(&mut world);
            assert!(study.ways == "[]" || study.explanation.result == Effect::Deny);
            let (mut before, ways) = (0, ways(&study));
            for (rule, facts) in &ways {
                ways_seen.set(ways_seen.get() + 1);
                longer.set(longer.get() + usize::from(facts.len() > 1));
                for some in subsets(facts) {
                    let (all, changed) = (some.len() == facts.len(), asked.with(some));
                    let context = || format!("{rule} {facts:?} {changed:?} {asked:?} {:#?}", world.rules);
                    assert_eq!(changed.is_allowed(&world), all, "{}", context());
                }
                let (named, with_all) =
                    (world.rules.iter().find(|known| known.id == *rule).unwrap(), asked.with(facts));
                let on = Facts {
                    owned: with_all.owned.unwrap_or_else(|| is_owned(&with_all.who, &with_all.on)),
                    holding: with_all.holding.clone(),
                };
                let person = NaivePrincipal { kind: "user".into(), entity: None, ..with_all.who.clone() };
                let acts: Vec<_> =
                    [&with_all.who].into_iter().chain(with_all.who.acts_for_person.then_some(&person)).collect();
                assert!(
                    named.allow && acts.iter().any(|who| applies(named, who, &with_all.what, &on) == Some(true)),
                    "{rule} {facts:?}"
                );
                assert!(before <= facts.len(), "the shortest come first: {ways:?}");
                before = facts.len();
            }
            assert!(ways.len() <= 5);
        }
    });
    assert!(ways_seen.get() > 1500 && longer.get() > 500, "{ways_seen:?} {longer:?}");
}

#[test]
fn nothing_shorter_is_overlooked() {
    let found = Cell::new(0);
    for_all(|random| {
        let mut world = World::generate(random);
        let asked = Asked::generate(random);
        let study = asked.study(&mut world);
        if study.explanation.result != Effect::Deny {
            return;
        }
        let remedies = ways(&study);
        let shortest = remedies.first().map_or(usize::MAX, |(_, facts)| facts.len());
        let all = all_facts(&asked);
        let allowed = |facts: &[&Value]| asked.with(facts.iter().copied()).is_allowed(&world);
        let pairs = || all.iter().flat_map(|one| all.iter().map(move |other| [one, other]));
        let context = || format!("{remedies:?} {asked:?} {:#?}", world.rules);
        if all.iter().any(|one| allowed(&[one])) {
            assert_eq!(shortest, 1, "{}", context());
            found.set(found.get() + 1);
        } else if pairs().any(|pair| allowed(&pair)) {
            assert_eq!(shortest, 2, "{}", context());
            found.set(found.get() + 1);
        } else {
            assert!(shortest > 2, "{}", context());
        }
    });
    assert!(found.get() > 150, "{found:?}");
}

#[test]
fn the_same_answer_reaches_everybody_and_what_they_may_not_know_does_not() {
    for_all(|random| {
        let mut world = World::generate(random);
        let asked = Asked::generate(random);
        let who = world.enter(&asked.who);
        let told = |reader: u32, known: &[&str]| {
            let known =
                known.iter().map(|id| entra_access_core::identity::Guid::parse(id.as_bytes()).unwrap()).collect();
            let audience = Audience::from_number(reader, known);
            let question = permission(&asked.what);
            world.engine.study_for(&audience, who, &question, Some(&asked.on), &Answered::default(), now()).unwrap()
        };
        let whole = told(3, &[]);
        assert_eq!(whole.withheld, 0);
        for reader in 0..8_u32 {
            let study = told(reader, &[]);
            let text = serde_json::to_string(&study).unwrap();
            let explanation = &study.explanation;
            let context = || format!("{reader} {study:#?} {asked:?} {:#?}", world.rules);
            assert_eq!(explanation.result, whole.explanation.result);
            let (policy, groups, own) = (reader & 1 != 0, reader & 2 != 0, reader & 4 != 0);
            assert_eq!(explanation.rule.is_some(), whole.explanation.rule.is_some());
            assert_eq!(explanation.groups.state, whole.explanation.groups.state);
            assert_eq!(study.rules.len(), whole.rules.len());
            if groups || own {
                assert_eq!(explanation.rule, whole.explanation.rule);
                let outcomes = |study: &Study| study.rules.iter().map(|rule| rule.outcome).collect::<Vec<_>>();
                assert_eq!(outcomes(&study), outcomes(&whole));
            }
            let mine: Vec<_> = asked.who.groups.iter().flatten().map(String::as_str).collect();
            for group in GROUPS {
                let known = policy || groups || own && mine.contains(&group);
                assert!(known || !text.contains(group), "{group}: {}", context());
            }
            if !groups && !own {
                assert!(explanation.groups.matched.is_empty() && study.withheld & 1 == 1, "{}", context());
                let owners = explanation.conditions.iter().flat_map(|conditions| &conditions.owners);
                assert_eq!(owners.count(), 0, "{}", context());
                assert_eq!((study.path.as_str(), study.owned), ("", "unknown"), "{}", context());
            }
            let hidden = study.rules.iter().any(|rule| rule.rule.is_none());
            assert!(!hidden || !policy && study.withheld & 2 == 2, "{}", context());
            for (rule, seen) in world.rules.iter().zip(0..) {
                let others = rule.principals.iter().flatten().any(|(kind, _)| *kind != "kind");
                let named = text.contains(&format!("`{}`", rule.id)) || text.contains(&format!("\"{}\"", rule.id));
                let about =
                    whole.rules.iter().any(|told| told.rule.as_ref() == Some(&rule.id) && told.clause != "principals");
                assert!(policy || !others || about || !named, "{seen} {}: {}", rule.id, context());
            }
        }
        // What can be read elsewhere is no secret.
        let known = told(4, &GROUPS);
        assert_eq!(known.withheld & 1, 0, "{known:#?}");
    });
}

#[test]
fn a_team_inside_the_owner_is_a_way_as_good_as_any_and_the_deny_in_the_way_is_named() {
    let mut world = World::new(Vec::new());
    let id = |n: usize| format!("group:default/g{n}");
    world.engine.set_directory(directory(json!({ "groups": [
        { "entityRef": id(0), "groupId": GROUPS[0] },
        { "entityRef": id(1), "groupId": GROUPS[1], "parent": id(0) },
    ] })));
    let policy = json!({ "rules": [
        { "id": "owners", "effect": "allow", "permissions": ["a.b"], "when": { "owned": true } },
        { "id": "inner", "effect": "allow", "permissions": ["a.b"], "principals": [{ "group": GROUPS[1] }] },
        { "id": "never-workloads", "effect": "deny", "permissions": ["*"], "principals": [{ "kind": "workload" }] },
    ] });
    world.engine.set_policy(&policy.to_string(), "policy").unwrap();
    let mut asked = Asked::generate(&mut Random::new(1));
    asked.what = NaivePermission { name: "a.b".into(), action: None, resource_type: Some("catalog-entity".into()) };
    asked.on = Resource { entity_ref: entity("component:default/thing"), owners: vec![entity(&id(0))] };
    asked.who.groups = Some(Vec::new());
    for (kind, expected) in [("user", 2), ("workload", 0)] {
        asked.who.kind = kind.into();
        asked.who.acts_for_person = false;
        let study = asked.study(&mut world);
        assert_eq!(ways(&study).len(), expected, "{study:#?}");
        assert!(ways(&study).iter().all(|(_, facts)| facts.len() == 1), "{study:#?}");
        let denies = study.rules.iter().any(|rule| rule.effect == "deny" && rule.outcome == "applies");
        assert_eq!((denies, study.owned), (expected == 0, "no"));
    }
    // By the owner above: the group that the rule names is inside the owner, and so one fact is enough.
    asked.who.kind = "user".into();
    asked.who.groups = Some(vec![GROUPS[1].into()]);
    let study = asked.study(&mut world);
    assert_eq!((study.explanation.result, study.ways.as_str(), study.owned), (Effect::Allow, "[]", "yes"));
    assert_eq!(study.path.trim_end(), format!("{} {} {}", id(0), id(1), GROUPS[1]));
}
