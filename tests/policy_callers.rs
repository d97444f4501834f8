//! What a policy learns of a caller from the token: how they signed in, for whom they call, and which entity they are

use crate::support::{
    NOW,
    claims::{Claims, DAEMON, GROUPS, PERSON, PORTAL, TENANT, agent_v2, app_v2, user_v2},
    directory::directory,
    jws::token,
    now,
    scene::Scene,
};
use entra_access_core::{
    directory::EntityRef,
    engine::Engine,
    identity::{Guid, Handle, Principal},
    keys::portable::Portable,
    policy::{
        Effect, Explanation, Permission, Resource,
        decision::{Decision, Dependence, Ground},
        requirement::Requirement,
    },
    time::Timestamp,
    token::Purpose,
};
use serde_json::{Value, json};

struct World {
    engine: Engine<Portable>,
}

impl World {
    /// The rules, and the first group as owner of what the payments team has
    fn new(rules: Value) -> Self {
        let mut engine = Scene::standard("callers", Vec::new()).engine(Portable);
        engine.set_policy(&json!({ "rules": rules }).to_string(), "policy").unwrap();
        let groups = json!({ "groups": [{ "entityRef": "group:default/payments", "groupId": GROUPS[0] }] });
        engine.set_directory(directory(groups));
        Self { engine }
    }

    fn enter(&mut self, claims: &Claims) -> Handle {
        self.engine.authenticate(&token(claims.text()), Purpose::Access, now()).unwrap()
    }

    /// Signed in under an entity for two hours
    fn sign_in(&mut self, claims: &Claims, entity: &str) -> Handle {
        let caller = self.enter(claims);
        let record = self.engine.principal(caller, now()).unwrap().clone();
        self.engine.admit(record, EntityRef::parse(entity).unwrap(), later(7200), now())
    }

    fn decide(&mut self, who: Handle, what: &Permission, at: Timestamp) -> Decision {
        let id = self.engine.permission_id(what.clone()).unwrap();
        self.engine.decide(who, id, at)
    }

    fn effect(&mut self, claims: &Claims) -> Effect {
        let who = self.enter(claims);
        self.decide(who, &delete(), now()).effect
    }

    fn explain(&self, who: Handle, owner: Option<&str>) -> Explanation {
        let resource = owner.map(|owner| Resource {
            entity_ref: EntityRef::parse("component:default/x").unwrap(),
            owners: vec![EntityRef::parse(owner).unwrap()],
        });
        self.engine.explain(who, &delete(), resource.as_ref(), now()).unwrap()
    }
}

fn delete() -> Permission {
    Permission::parse(r#"{"name":"catalog.entity.delete","action":"delete","resourceType":"catalog-entity"}"#).unwrap()
}

fn later(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(NOW + seconds)
}

fn record(claims: &Claims) -> Principal {
    let mut world = World::new(json!([]));
    let who = world.enter(claims);
    world.engine.principal(who, now()).unwrap().clone()
}

fn requiring(requires: Value) -> Value {
    json!([{ "id": "strong", "effect": "allow", "permissions": ["*"], "requires": requires }])
}

#[test]
fn assurance_is_read_from_the_token_and_nothing_absent_counts() {
    assert!(record(&user_v2()).assurance.is_absent());
    let strong = user_v2()
        .with("acrs", r#"["c1","C2","p1","c25","c100",""]"#)
        .with("amr", r#"["pwd","ngcmfa"]"#)
        .with("auth_time", (NOW - 30).to_string());
    let assurance = record(&strong).assurance;
    assert_eq!(assurance.auth_contexts, ["c1", "c25"]);
    assert!(assurance.mfa);
    assert_eq!(assurance.signed_in_at(), Some(Timestamp::from_seconds(NOW - 30)));
    for methods in ["[]", r#"["pwd"]"#, r#"["wiaormfa"]"#, r#"["MFA"]"#, r#"["mfa "]"#] {
        assert!(!record(&user_v2().with("amr", methods)).assurance.mfa, "{methods}");
    }
    assert!(record(&user_v2().with("amr", r#"["pwd","mfa"]"#)).assurance.mfa);
    // Within the leeway clocks may differ; what is later has not happened yet.
    assert!(record(&user_v2().with("auth_time", (NOW + 300).to_string())).assurance.signed_in_at().is_some());
    assert!(record(&user_v2().with("auth_time", (NOW + 301).to_string())).assurance.is_absent());
}

#[test]
fn assurance_of_another_type_is_no_token_of_entra() {
    let mut world = World::new(json!([]));
    for (claim, value) in [
        ("acrs", r#""c1""#),
        ("acrs", "[1]"),
        ("acrs", "null"),
        ("amr", r#""mfa""#),
        ("amr", r#"{"mfa":true}"#),
        ("auth_time", r#""1760000000""#),
        ("auth_time", "1.5"),
        ("auth_time", "-1"),
    ] {
        let text = token(user_v2().with(claim, value).text());
        let rejection = world.engine.authenticate(&text, Purpose::Access, now()).unwrap_err();
        assert_eq!(rejection.code.as_str(), "claim_invalid", "{claim} {value}");
    }
    let twice = token(user_v2().with("amr", r#"["pwd"]"#).with("AMR", r#"["mfa"]"#).text());
    let rejection = world.engine.authenticate(&twice, Purpose::Access, now()).unwrap_err();
    assert_eq!(rejection.code.as_str(), "claim_duplicated");
}

#[test]
fn a_record_from_before_assurance_was_kept_still_parses_and_counts_for_nothing() {
    let mut text = serde_json::to_value(record(&agent_v2().with("amr", r#"["mfa"]"#))).unwrap();
    assert_eq!(text["assurance"], json!({ "authContexts": [], "mfa": true, "signedInAt": null }));
    text.as_object_mut().unwrap().remove("assurance").unwrap();
    let old = Principal::parse(&text.to_string()).unwrap();
    assert!(old.assurance.is_absent());
    assert!(old.acts_for_person(), "an agent of which nothing is said needs its person's rights");
    assert_eq!(serde_json::to_value(record(&user_v2())).unwrap().get("assurance"), None);
}

#[test]
fn an_allow_rule_allows_only_those_who_meet_its_requirement() {
    for (requires, claim, good, bad) in [
        (json!({ "authContext": "c1" }), "acrs", r#"["c1"]"#.to_owned(), r#"["c11"]"#.to_owned()),
        (json!({ "mfa": true }), "amr", r#"["mfa"]"#.to_owned(), r#"["pwd"]"#.to_owned()),
        (json!({ "signedInWithin": "1h" }), "auth_time", (NOW - 3599).to_string(), (NOW - 3600).to_string()),
    ] {
        let mut world = World::new(requiring(requires.clone()));
        assert_eq!(world.effect(&user_v2().with(claim, &good)), Effect::Allow, "{requires}");
        assert_eq!(world.effect(&user_v2().with(claim, &bad)), Effect::Deny, "{requires}");
        assert_eq!(world.effect(&user_v2()), Effect::Deny, "{requires}");
    }
    let mut world = World::new(requiring(json!({ "authContext": "c1", "mfa": true })));
    assert_eq!(world.effect(&user_v2().with("acrs", r#"["c1"]"#)), Effect::Deny, "all of it");
}

#[test]
fn a_deny_rule_spares_only_those_who_meet_its_requirement() {
    let mut world = World::new(json!([
        { "id": "all", "effect": "allow", "permissions": ["*"] },
        { "id": "deletes-need-mfa", "effect": "deny", "permissions": ["*"], "actions": ["delete"], "requires": { "mfa": true } },
    ]));
    assert_eq!(world.effect(&user_v2()), Effect::Deny);
    assert_eq!(world.effect(&user_v2().with("amr", r#"["mfa"]"#)), Effect::Allow);
    let who = world.enter(&user_v2());
    let explanation = world.explain(who, None);
    assert_eq!(explanation.rule.as_deref(), Some("deletes-need-mfa"));
    assert_eq!(
        explanation.reasons[0],
        "step_up_required: rule `deletes-need-mfa` denies it without a sign-in with more than one factor"
    );
    assert_eq!(explanation.step_up, [Requirement { mfa: Some(true), ..Requirement::default() }]);
}

#[test]
fn an_answer_is_not_remembered_beyond_the_moment_it_changes() {
    let mut world = World::new(json!([
        { "id": "recent", "effect": "allow", "permissions": ["*"], "requires": { "signedInWithin": "1h" } },
        { "id": "very-recent", "effect": "deny", "permissions": ["*"], "actions": ["create"], "requires": { "signedInWithin": "10m" } },
    ]));
    let create =
        Permission { name: "a".into(), action: Some(entra_access_core::policy::Action::Create), resource_type: None };
    let who = world.sign_in(&user_v2().with("auth_time", NOW.to_string()), "user:default/ada");
    for (seconds, deletes, creates) in [
        (0, Effect::Allow, Effect::Allow),
        (599, Effect::Allow, Effect::Allow),
        (600, Effect::Allow, Effect::Deny),
        (3599, Effect::Allow, Effect::Deny),
        (3600, Effect::Deny, Effect::Deny),
        (7199, Effect::Deny, Effect::Deny),
    ] {
        assert_eq!(world.decide(who, &delete(), later(seconds)).effect, deletes, "{seconds}");
        assert_eq!(world.decide(who, &create, later(seconds)).effect, creates, "{seconds}");
    }
}

#[test]
fn a_step_up_is_named_only_where_it_helps() {
    let mut world = World::new(json!([
        { "id": "strong-owners", "effect": "allow", "permissions": ["*"], "when": { "owned": true },
          "requires": { "authContext": "c1", "signedInWithin": "1h" } },
        { "id": "strong-admins", "effect": "allow", "permissions": ["*"], "principals": [{ "role": "Other" }],
          "requires": { "mfa": true } },
    ]));
    let who = world.enter(&user_v2());
    let owner = world.explain(who, Some("group:default/payments"));
    assert_eq!(owner.result, Effect::Deny);
    assert_eq!(
        owner.reasons[0],
        "step_up_required: rule `strong-owners` allows it after a sign-in with authentication context c1 and within the last 3600 seconds"
    );
    let strong = Requirement { auth_context: Some("c1".into()), mfa: None, signed_in_within: Some(3600) };
    assert_eq!(owner.step_up, [strong]);
    let other = world.explain(who, Some("group:default/search"));
    assert!(other.step_up.is_empty() && !other.reasons.concat().contains("step_up_required"), "{other:?}");
}

#[test]
fn users_and_workloads_are_selected_by_their_ids() {
    let allow =
        |principal: Value| json!([{ "id": "a", "effect": "allow", "permissions": ["*"], "principals": [principal] }]);
    let user = format!("{TENANT}/{PERSON}");
    let other_tenant = format!("{PERSON}/{PERSON}");
    for (principal, person, app, agent) in [
        (json!({ "user": user }), Effect::Allow, Effect::Deny, Effect::Deny),
        (json!({ "user": user.to_uppercase() }), Effect::Allow, Effect::Deny, Effect::Deny),
        (json!({ "user": other_tenant }), Effect::Deny, Effect::Deny, Effect::Deny),
        (json!({ "workload": DAEMON }), Effect::Deny, Effect::Allow, Effect::Deny),
        // The application through which a person calls is not a workload.
        (json!({ "workload": PORTAL }), Effect::Deny, Effect::Deny, Effect::Deny),
    ] {
        let mut world = World::new(allow(principal.clone()));
        let found = [user_v2(), app_v2(), agent_v2()].map(|claims| world.effect(&claims));
        assert_eq!(found, [person, app, agent], "{principal}");
    }
}

#[test]
fn an_entity_that_is_not_known_is_nobodys_allow_and_everybodys_deny() {
    let selected = json!([{ "user": "user:default/ada" }]);
    let mut allowing =
        World::new(json!([{ "id": "a", "effect": "allow", "permissions": ["*"], "principals": selected }]));
    let mut denying = World::new(json!([
        { "id": "all", "effect": "allow", "permissions": ["*"] },
        { "id": "not-ada", "effect": "deny", "permissions": ["*"], "principals": selected },
    ]));
    for (entity, allowed, denied) in [
        (Some("user:default/ada"), Effect::Allow, Effect::Deny),
        (Some("user:default/bob"), Effect::Deny, Effect::Allow),
        (None, Effect::Deny, Effect::Deny),
    ] {
        for (world, expected) in [(&mut allowing, allowed), (&mut denying, denied)] {
            let who = match entity {
                Some(entity) => world.sign_in(&user_v2(), entity),
                None => world.enter(&user_v2()),
            };
            assert_eq!(world.decide(who, &delete(), now()).effect, expected, "{entity:?}");
        }
    }
}

/// The rule `d`, which denies to delete, with more of its keys
fn denying(more: &Value) -> Value {
    let mut rule = json!({ "id": "d", "effect": "deny", "permissions": ["catalog.entity.delete"] });
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rule
}

#[test]
fn a_deny_that_holds_for_want_of_knowledge_says_so() {
    let spares = "and what is not known spares nobody";
    let unknown = user_v2().without("groups").with("hasgroups", "true");
    let group = json!({ "principals": [{ "group": GROUPS[1] }] });
    for (claims, more, says) in [
        (
            &unknown,
            json!({ "when": { "not": { "owned": true } } }),
            "it asks for ownership, and the groups of the principal are not known",
        ),
        (&unknown, group.clone(), "the groups of the principal are not known"),
        (
            &user_v2(),
            json!({ "principals": [{ "user": "user:default/ada" }] }),
            "whether it is for the principal is not known",
        ),
        (
            &user_v2(),
            json!({ "when": { "rule": "X", "resourceType": "scaffolder-action" } }),
            "`X` can't be asked of the resources of `catalog.entity.delete`",
        ),
        (
            &unknown,
            json!({ "when": { "rule": "X", "resourceType": "scaffolder-action" } }),
            "`X` can't be asked of the resources of `catalog.entity.delete`",
        ),
        (
            &unknown,
            json!({ "principals": [{ "user": "user:default/ada" }] }),
            "whether it is for the principal is not known",
        ),
    ] {
        let mut world = World::new(json!([denying(&more)]));
        let who = world.enter(claims);
        let explanation = world.explain(who, Some("group:default/payments"));
        assert_eq!(explanation.result, Effect::Deny);
        assert_eq!(explanation.reasons[0], format!("rule `d` denies `catalog.entity.delete`: {says}, {spares}"));
    }
    // A rule of another type beside it has no part in it.
    let other = json!({ "rule": "X", "resourceType": "scaffolder-action" });
    let when = json!({ "anyOf": [{ "owned": true }, other] });
    let mut world =
        World::new(json!([{ "id": "a", "effect": "allow", "permissions": ["catalog.entity.delete"], "when": when }]));
    let who = world.enter(&unknown);
    let says = "rule `a` does not match: it asks for ownership, and the groups of the principal are not known";
    let reasons = world.explain(who, None).reasons;
    assert!(reasons.iter().any(|reason| reason == says), "{reasons:?}");
    // What is certain is said as it is.
    for more in
        [json!({}), json!({ "principals": [{ "kind": "user" }] }), json!({ "principals": [{ "group": GROUPS[0] }] })]
    {
        let mut world = World::new(json!([denying(&more)]));
        let who = world.enter(&user_v2());
        assert_eq!(world.explain(who, None).reasons[0], "rule `d` denies `catalog.entity.delete`");
    }
}

#[test]
fn an_agent_needs_its_own_and_its_persons_rights() {
    let user = json!([{ "user": format!("{TENANT}/{PERSON}") }]);
    let rules = |person: &str, agent: &str| {
        json!([
            { "id": "person", "effect": person, "permissions": ["*"], "principals": user },
            { "id": "agent", "effect": agent, "permissions": ["*"], "principals": [{ "kind": "agent" }] },
        ])
    };
    for (person, agent, refused_by) in
        [("allow", "allow", None), ("deny", "allow", Some("person")), ("allow", "deny", Some("agent"))]
    {
        let mut world = World::new(rules(person, agent));
        let who = world.enter(&agent_v2());
        let expected = if refused_by.is_none() { Effect::Allow } else { Effect::Deny };
        assert_eq!(world.decide(who, &delete(), now()).effect, expected);
        let explanation = world.explain(who, None);
        assert_eq!((explanation.result, explanation.rule.as_deref()), (expected, refused_by.or(Some("agent"))));
        let both = explanation.on_behalf_of.unwrap();
        assert_eq!(both.agent, Guid::parse(PORTAL.as_bytes()));
        assert_eq!(both.person, format!("{TENANT}/{PERSON}"));
        let results = (both.agent_result == Effect::Allow, both.person_result == Effect::Allow);
        assert_eq!(results, (refused_by != Some("agent"), refused_by != Some("person")));
        let blames_person = explanation.reasons[0].starts_with("the person for whom the agent calls is refused: ");
        assert_eq!(blames_person, refused_by == Some("person"), "{:?}", explanation.reasons);
    }
    // One for itself has nobody behind it.
    let mut world = World::new(rules("deny", "allow"));
    for autonomous in [
        agent_v2().with_text("xms_sub_fct", "13"),
        app_v2().with_text("xms_act_fct", "11").with_text("xms_sub_fct", "11"),
    ] {
        assert_eq!(world.effect(&autonomous), Effect::Allow);
    }
}

#[test]
fn what_only_one_of_them_may_the_agent_may_not() {
    let rule = |name: &str| json!({ "rule": name });
    let mut world = World::new(json!([
        { "id": "person", "effect": "allow", "permissions": ["*"], "principals": [{ "kind": "user" }], "when": rule("A") },
        { "id": "agent", "effect": "allow", "permissions": ["*"], "principals": [{ "kind": "agent" }], "when": rule("B") },
        { "id": "neither", "effect": "deny", "permissions": ["*"], "principals": [{ "kind": "agent" }], "when": rule("C") },
    ]));
    let who = world.enter(&agent_v2());
    let decision = world.decide(who, &delete(), now());
    let Dependence::Criteria(number) = decision.dependence else { panic!("{decision:?}") };
    assert_eq!(
        world.engine.criteria(number).unwrap().json(),
        r#"{"allOf":[{"rule":"A"},{"rule":"B"},{"not":{"rule":"C"}}]}"#
    );
}

#[test]
fn an_agents_own_name_is_not_its_persons() {
    let mut world =
        World::new(json!([{ "id": "owners", "effect": "allow", "permissions": ["*"], "when": { "owned": true } }]));
    let who = world.sign_in(&agent_v2(), "user:agent-x/ada");
    assert_eq!(world.explain(who, Some("group:default/payments")).result, Effect::Allow);
    assert_eq!(world.explain(who, Some("user:agent-x/ada")).result, Effect::Deny);
    let person = world.sign_in(&user_v2(), "user:default/ada");
    assert_eq!(world.explain(person, Some("user:default/ada")).result, Effect::Allow);
    // What the person owns in her own name is not known: she might own all of it.
    let mut world = World::new(json!([
        { "id": "all", "effect": "allow", "permissions": ["*"] },
        { "id": "not-ones-own", "effect": "deny", "permissions": ["*"], "when": { "owned": true } },
    ]));
    assert_eq!(world.effect(&agent_v2()), Effect::Deny);
    assert_eq!(world.effect(&user_v2()), Effect::Conditional);
}

#[test]
fn a_condition_too_long_for_one_answer_is_a_refusal_that_says_so() {
    let rules: Vec<_> = (0..200)
        .map(|n| {
            let when = json!({ "rule": "HAS_LABEL", "params": { "label": format!("team-{n}-{}", "x".repeat(40)) } });
            json!({ "id": format!("r{n}"), "effect": "allow", "permissions": ["*"], "when": when })
        })
        .collect();
    let mut world = World::new(json!(rules));
    let who = world.enter(&user_v2());
    let decision = world.decide(who, &delete(), now());
    assert_eq!((decision.effect, decision.ground), (Effect::Deny, Ground::TooLong));
    assert_eq!(decision.number(), 0xfffc_0000);
    let explanation = world.explain(who, None);
    assert_eq!(explanation.result, Effect::Deny);
    assert!(explanation.reasons.iter().any(|reason| reason.contains("too long for one answer")), "{explanation:?}");
}

#[test]
fn a_question_about_which_no_rule_speaks_is_told_from_one_that_a_rule_leaves_open() {
    let other = json!([{ "kind": "workload" }]);
    let group = json!([{ "group": GROUPS[1] }]);
    let silent = |rules: &[Value], claims: &Claims| {
        let mut world = World::new(json!(rules));
        let who = world.enter(claims);
        let decision = world.decide(who, &delete(), now());
        assert_eq!(decision.effect, Effect::Deny);
        decision.ground == Ground::Default
    };
    let rule = |effect: &str, more: Value| {
        let mut rule = json!({ "id": effect, "effect": effect, "permissions": ["catalog.*"] });
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rule
    };
    let user = user_v2();
    // Another permission, another action, another caller, a requirement of a deny rule that is met.
    for rules in [
        vec![],
        vec![rule("allow", json!({ "permissions": ["scaffolder.*"] })), rule("deny", json!({ "actions": ["create"] }))],
        vec![
            rule("allow", json!({ "principals": [{ "role": "Nobody" }] })),
            rule("deny", json!({ "principals": other })),
        ],
        vec![rule("allow", json!({ "when": { "rule": "HAS_TAG", "resourceType": "scaffolder-template" } }))],
        vec![rule("deny", json!({ "requires": { "authContext": "c1" } }))],
    ] {
        assert!(silent(&rules, &user.clone().with("acrs", r#"["c1"]"#)), "{rules:?}");
    }
    // A sign-in that is too weak, a deny rule about some of the resources, groups that are not known.
    for rules in [
        vec![rule("allow", json!({ "requires": { "authContext": "c1" } }))],
        vec![rule("deny", json!({ "when": { "owned": true } }))],
        vec![rule("deny", json!({}))],
    ] {
        assert!(!silent(&rules, &user), "{rules:?}");
    }
    for more in [json!({ "principals": group }), json!({ "when": { "owned": true } })] {
        assert!(!silent(&[rule("allow", more)], &user.clone().without("groups").with("hasgroups", "true")));
    }
    // Either of the two that an agent is.
    for principals in [json!([{ "kind": "agent" }]), json!([{ "kind": "user" }])] {
        assert!(!silent(&[rule("allow", json!({ "principals": principals }))], &agent_v2()));
    }
    assert!(silent(&[rule("allow", json!({ "principals": other }))], &agent_v2()));
}
