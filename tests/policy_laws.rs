//! Laws of the policy, on generated policies, callers and questions; a failure prints the seed that repeats it

use crate::support::{
    generate::GROUPS,
    naive::{Facts, NaivePermission, NaivePrincipal, NaiveRule, allows, applies},
    now,
    random::Random,
    world::{QUESTIONS, World, for_all, is_owned, permission, resource},
};
use entra_access_core::policy::{
    Answered, Effect,
    decision::{Dependence, Ground},
};
use serde_json::{Value, json};

#[test]
fn the_compiled_policy_says_what_the_written_one_means() {
    for_all(|random| {
        let mut world = World::plain(random);
        for _ in 0..QUESTIONS {
            let (who, what) = (NaivePrincipal::generate(random), NaivePermission::generate(random));
            let handle = world.enter(&who);
            let decision = world.decide(handle, &what);
            let on = |owned| Facts { owned, holding: Vec::new() };
            let expected = match [true, false].map(|owned| allows(&world.rules, &who, &what, &on(owned))) {
                [true, true] => (Effect::Allow, Dependence::Nothing),
                [false, false] => (Effect::Deny, Dependence::Nothing),
                [true, false] => (Effect::Conditional, Dependence::Owned),
                [false, true] => (Effect::Conditional, Dependence::NotOwned),
            };
            assert_eq!((decision.effect, decision.dependence), expected, "{who:?} {what:?} {:#?}", world.rules);
            assert_eq!(decision, world.decide(handle, &what), "remembered");
            assert_eq!(decision, world.engine.decide_unnumbered(handle, &permission(&what), now()));
            assert_eq!(world.explain(handle, &what, None).result, decision.effect);
        }
    });
}

#[test]
fn every_condition_means_what_is_written_on_every_resource() {
    for_all(|random| {
        let mut world = World::generate(random);
        for _ in 0..QUESTIONS {
            let (who, what) = (NaivePrincipal::generate(random), NaivePermission::generate(random));
            let handle = world.enter(&who);
            let decision = world.decide(handle, &what);
            for on in Facts::all() {
                let expected = allows(&world.rules, &who, &what, &on);
                let context = || format!("{on:?} {who:?} {what:?} {} {:#?}", world.criteria(decision), world.rules);
                assert_eq!(world.admits(decision, &on), expected, "{}", context());
            }
            assert_eq!(decision, world.decide(handle, &what), "remembered");
            let plain = world.engine.decide_unnumbered(handle, &permission(&what), now());
            assert_eq!((decision.effect, decision.ground), (plain.effect, plain.ground));
            let criteria = world.engine.criteria_unnumbered(handle, &permission(&what), now());
            let text = criteria.map_or(Value::Null, |criteria| serde_json::from_str(&criteria.json()).unwrap());
            assert_eq!(text, world.criteria(decision));
            assert_eq!(world.explain(handle, &what, None).result, decision.effect);
        }
    });
}

#[test]
fn an_explanation_gives_the_answer_and_names_a_rule_that_made_it() {
    for_all(|random| {
        let plain = random.chance(1, 2);
        let mut world = if plain { World::plain(random) } else { World::generate(random) };
        for _ in 0..QUESTIONS {
            let (who, what) = (NaivePrincipal::generate(random), NaivePermission::generate(random));
            let (handle, on) = (world.enter(&who), resource(random));
            let owned = is_owned(&who, &on);
            let explanation = world.explain(handle, &what, Some(&on));
            let resources: Vec<_> = Facts::all().into_iter().filter(|facts| facts.owned == owned).collect();
            let answers: Vec<_> = resources.iter().map(|facts| allows(&world.rules, &who, &what, facts)).collect();
            let context = || format!("{explanation:#?} {who:?} {what:?} owned: {owned} {:#?}", world.rules);
            match explanation.result {
                Effect::Allow => assert!(answers.iter().all(|allowed| *allowed), "{}", context()),
                Effect::Deny => assert!(answers.iter().all(|allowed| !*allowed), "{}", context()),
                Effect::Conditional => assert!(!plain, "{}", context()),
            }
            assert_eq!(explanation.conditions.is_some(), explanation.result == Effect::Conditional);
            assert!(!explanation.reasons.is_empty());
            assert_eq!(explanation.on_behalf_of.is_some(), who.acts_for_person);
            let (allowed, facts) = (explanation.result == Effect::Allow, &resources[0]);
            let person = NaivePrincipal { kind: "user".into(), entity: None, ..who.clone() };
            let askers: Vec<_> = std::iter::once(&who).chain(who.acts_for_person.then_some(&person)).collect();
            let denying = |rule: &NaiveRule| {
                !rule.allow && askers.iter().any(|who| applies(rule, who, &what, facts) != Some(false))
            };
            let allowing = |rule: &NaiveRule| {
                rule.allow && askers.iter().all(|who| applies(rule, who, &what, facts) == Some(true))
            };
            if !plain {
                continue;
            }
            match &explanation.rule {
                Some(id) => {
                    let rule = world.rules.iter().find(|rule| rule.id == *id).unwrap();
                    let made_it = if allowed {
                        rule.allow && askers.iter().any(|who| applies(rule, who, &what, facts) == Some(true))
                    } else {
                        denying(rule)
                    };
                    assert!(made_it, "rule `{id}` did not make this answer: {}", context());
                }
                // Nothing allowed it: then no rule is needed to deny it, though one might as well have.
                None => assert!(!allowed && !world.rules.iter().any(allowing), "a rule made it: {}", context()),
            }
        }
    });
}

#[test]
fn a_study_with_every_answer_is_the_decision_and_tells_of_each_rule_what_it_does() {
    for_all(|random| {
        let mut world = World::generate(random);
        for _ in 0..QUESTIONS / 3 {
            let (who, what) = (NaivePrincipal::generate(random), NaivePermission::generate(random));
            let (handle, on, what_it_is) = (world.enter(&who), resource(random), permission(&what));
            let study = |on: Option<&entra_access_core::policy::Resource>, answered: &Answered| {
                world.engine.study(handle, &what_it_is, on, answered, now()).unwrap()
            };
            let open = study(Some(&on), &Answered::default());
            assert_eq!(open.explanation, world.explain(handle, &what, Some(&on)));
            assert_eq!(study(None, &Answered::default()).explanation, world.explain(handle, &what, None));
            let person = NaivePrincipal { kind: "user".into(), entity: None, ..who.clone() };
            let askers: Vec<_> = std::iter::once(&who).chain(who.acts_for_person.then_some(&person)).collect();
            let facts: Vec<_> = Facts::all().into_iter().filter(|facts| facts.owned == is_owned(&who, &on)).collect();
            for facts in random.some(&facts, 1, 4) {
                let (holds, fails): (Vec<_>, Vec<_>) = open.asks.iter().partition(|ask| {
                    let ask: Value = serde_json::from_str(ask).unwrap();
                    facts.holding.iter().any(|name| ask["rule"] == *name)
                });
                let answered = Answered::parse(&json!({ "holds": holds, "fails": fails }).to_string()).unwrap();
                let closed = study(Some(&on), &answered);
                let context = || format!("{closed:#?} {who:?} {what:?} {facts:?} {:#?}", world.rules);
                let expected = if allows(&world.rules, &who, &what, &facts) { Effect::Allow } else { Effect::Deny };
                assert_eq!(closed.explanation.result, expected, "{}", context());
                let named = closed.explanation.rule.as_ref();
                let allowed_by = |id: &String| world.rules.iter().any(|rule| rule.id == *id && rule.allow);
                assert!(expected == Effect::Deny || named.is_some_and(allowed_by), "{}", context());
                assert!(expected == Effect::Allow || !named.is_some_and(allowed_by), "{}", context());
                let mut told = closed.rules.iter();
                let covering = closed.rules.len() / askers.len();
                for asker in &askers {
                    for told in told.by_ref().take(covering) {
                        let rule = world.rules.iter().find(|rule| Some(&rule.id) == told.rule.as_ref()).unwrap();
                        let applies = applies(rule, asker, &what, &facts).unwrap_or(!rule.allow);
                        assert_eq!(told.outcome == "applies", applies, "{told:?} {}", context());
                        assert_ne!(told.outcome, "depends", "{told:?} {}", context());
                        assert_eq!(told.clause.is_empty(), applies, "{told:?}");
                        assert_eq!((told.effect == "allow", told.kind), (rule.allow, asker.kind.as_str()));
                        assert!(told.why.contains(&format!("rule `{}` ", rule.id)), "{}", told.why);
                    }
                }
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
            // Down to the rule and the sentences, and to the number of the condition.
            assert_eq!(world.explain(one, &what, Some(&on)), shuffled.explain(other, &what, Some(&on)));
            assert_eq!(world.decide(one, &what), shuffled.decide(other, &what));
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
            let (one, other) = (world.enter(&who), stricter.enter(&who));
            let (wide, narrow) = (world.allowed(one, &what), stricter.allowed(other, &what));
            assert!(narrow.iter().zip(wide).all(|(narrow, wide)| !narrow || wide), "{who:?} {what:?}");
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
            let what = NaivePermission::generate(random);
            let unknown = world.enter(&who);
            let narrow = world.allowed(unknown, &what);
            if !narrow.contains(&true) {
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
                let wide = world.allowed(known, &what);
                let context = || format!("{who:?} {what:?} {:#?}", world.rules);
                assert!(narrow.iter().zip(wide).all(|(narrow, wide)| !narrow || wide), "{}", context());
            }
        }
    });
}

#[test]
fn a_stronger_sign_in_never_loses_access() {
    for_all(|random| {
        let mut world = World::generate(random);
        for _ in 0..QUESTIONS {
            let mut who = NaivePrincipal::generate(random);
            let what = NaivePermission::generate(random);
            let weak = world.enter(&who);
            let narrow = world.allowed(weak, &what);
            match random.below(3) {
                0 => who.mfa = true,
                1 => who.contexts = vec!["c1".into(), "c25".into()],
                _ => who.signed_in = Some(0),
            }
            let strong = world.enter(&who);
            let wide = world.allowed(strong, &what);
            assert!(narrow.iter().zip(wide).all(|(narrow, wide)| !narrow || wide), "{who:?} {what:?}");
        }
    });
}

#[test]
fn an_agent_is_never_stronger_than_the_person_for_whom_it_calls() {
    for_all(|random| {
        let mut world = World::generate(random);
        for _ in 0..QUESTIONS {
            let person =
                NaivePrincipal { kind: "user".into(), acts_for_person: false, ..NaivePrincipal::generate(random) };
            let what = NaivePermission::generate(random);
            for herself in ["user:default/me", "user:default/you"] {
                let agent = world.enter(&NaivePrincipal {
                    kind: "agent".into(),
                    acts_for_person: true,
                    entity: Some("user:agent-x/me"),
                    ..person.clone()
                });
                let hers = world.enter(&NaivePrincipal { entity: Some(herself), ..person.clone() });
                let (narrow, wide) = (world.allowed(agent, &what), world.allowed(hers, &what));
                let context = || format!("{person:?} {what:?} {:#?}", world.rules);
                assert!(narrow.iter().zip(wide).all(|(narrow, wide)| !narrow || wide), "{}", context());
            }
        }
    });
}

#[test]
fn a_step_up_that_is_named_helps() {
    let helped = std::cell::Cell::new(0);
    for_all(|random| {
        let mut world = World::generate(random);
        for _ in 0..QUESTIONS {
            let mut who = NaivePrincipal::generate(random);
            let (what, on) = (NaivePermission::generate(random), resource(random));
            let weak = world.enter(&who);
            let explanation = world.explain(weak, &what, Some(&on));
            if explanation.step_up.is_empty() {
                continue;
            }
            helped.set(helped.get() + 1);
            assert_eq!(explanation.result, Effect::Deny);
            assert!(explanation.reasons[0].starts_with("step_up_required: "), "{explanation:?}");
            for requirement in &explanation.step_up {
                who.contexts.extend(requirement.auth_context.iter().map(|context| context.to_string()));
                who.mfa |= requirement.mfa.is_some();
                who.signed_in = if requirement.signed_in_within.is_some() { Some(0) } else { who.signed_in };
            }
            let strong = world.enter(&who);
            let context = || format!("{explanation:#?} {who:?} {what:?} {:#?}", world.rules);
            assert_ne!(world.explain(strong, &what, Some(&on)).result, Effect::Deny, "{}", context());
        }
    });
    assert!(helped.get() > 100, "{}", helped.get());
}

/// Who a principal may turn out to be once everything is known, after the weakest and the strongest sign-in
fn completions(who: &NaivePrincipal) -> Vec<NaivePrincipal> {
    let weak = NaivePrincipal { contexts: Vec::new(), mfa: false, signed_in: None, ..who.clone() };
    let strong =
        NaivePrincipal { contexts: vec!["c1".into(), "c25".into()], mfa: true, signed_in: Some(0), ..who.clone() };
    let members = |bits: u32| {
        let of = GROUPS.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, id)| (*id).to_owned());
        of.collect::<Vec<_>>()
    };
    let all = 0..if who.groups.is_none() { 1_u32 << GROUPS.len() } else { 1 };
    let known = |who: &NaivePrincipal, bits| {
        let groups = who.groups.clone().unwrap_or_else(|| members(bits));
        NaivePrincipal { groups: Some(groups), ..who.clone() }
    };
    all.flat_map(|bits| [who, &weak, &strong].map(|who| known(who, bits))).collect()
}

#[test]
fn the_rules_are_silent_only_where_none_of_them_could_speak() {
    let (silent, heard) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    for_all(|random| {
        let plain = random.chance(1, 2);
        let mut world = if plain { World::plain(random) } else { World::generate(random) };
        for _ in 0..QUESTIONS {
            let (who, what) = (NaivePrincipal::generate(random), NaivePermission::generate(random));
            let handle = world.enter(&who);
            let ground = world.decide(handle, &what).ground;
            let person = NaivePrincipal { kind: "user".into(), entity: None, ..who.clone() };
            let askers = std::iter::once(&who).chain(who.acts_for_person.then_some(&person));
            let context = || format!("{who:?} {what:?} {:#?}", world.rules);
            let facts = Facts::all();
            let bears = |who: &NaivePrincipal, rule: &NaiveRule| {
                facts.iter().any(|on| applies(rule, who, &what, on) != Some(false))
            };
            match ground {
                // Neither now nor when more is known; a stronger sign-in makes an allow rule apply, a weaker one a deny rule.
                Ground::Default => {
                    silent.set(silent.get() + 1);
                    for who in askers {
                        assert!(
                            !world.rules.iter().any(|rule| !rule.allow && bears(who, rule)),
                            "denied: {}",
                            context()
                        );
                        let allowed = |rule: &NaiveRule, who: &NaivePrincipal| {
                            rule.allow && facts.iter().any(|on| applies(rule, who, &what, on) == Some(true))
                        };
                        for who in completions(who) {
                            assert!(!world.rules.iter().any(|rule| allowed(rule, &who)), "allowed: {}", context());
                        }
                    }
                }
                // With all that is to be known known, a rule that applies to something.
                Ground::Unmet if plain && who.groups.is_some() && !who.acts_for_person => {
                    heard.set(heard.get() + 1);
                    assert!(world.rules.iter().any(|rule| bears(&who, rule)), "{}", context());
                }
                _ => {}
            }
        }
    });
    assert!(silent.get() > 1000 && heard.get() > 50, "{} {}", silent.get(), heard.get());
}

#[test]
fn a_rule_that_is_refused_because_it_can_never_allow_never_allowed() {
    let refused = std::cell::Cell::new(0);
    for_all(|random| {
        let rules: Vec<_> = (0..8).map(|number| NaiveRule::generate(random, number)).collect();
        let kept = World::new(rules.clone()).rules;
        let without_denies =
            rules.iter().filter(|rule| !rule.allow).all(|rule| kept.iter().any(|one| one.id == rule.id));
        // A deny that nothing can meet denies where it can't be told, and is refused for another reason.
        if kept.len() == rules.len() || !without_denies {
            return;
        }
        refused.set(refused.get() + 1);
        for _ in 0..QUESTIONS {
            let (who, what) = (NaivePrincipal::generate(random), NaivePermission::generate(random));
            for on in Facts::all() {
                let [before, after] = [&rules, &kept].map(|rules| allows(rules, &who, &what, &on));
                assert_eq!(before, after, "{on:?} {who:?} {what:?} {rules:#?}");
            }
        }
    });
    assert!(refused.get() > 20, "{}", refused.get());
}

#[test]
fn the_generator_reaches_every_kind_of_answer() {
    // Laws about questions that are all denied would prove nothing.
    let mut random = Random::new(7);
    let mut seen = [0_usize; 5];
    for _ in 0..2000 {
        let mut world = World::generate(&mut random);
        let (who, what) = (NaivePrincipal::generate(&mut random), NaivePermission::generate(&mut random));
        let handle = world.enter(&who);
        let decision = world.decide(handle, &what);
        let kind = match (decision.effect, decision.dependence) {
            (Effect::Deny, _) => 0,
            (Effect::Allow, _) => 1,
            (Effect::Conditional, Dependence::Owned) => 2,
            (Effect::Conditional, Dependence::NotOwned) => 3,
            (Effect::Conditional, _) => 4,
        };
        seen[kind] += 1;
    }
    assert!(seen.iter().all(|count| *count > 5), "{seen:?}");
}
