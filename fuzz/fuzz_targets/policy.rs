//! A policy: never a panic, and one answer from the table, the plain evaluation and the explanation
#![no_main]

use entra_access_core::{
    directory::{DirectoryInput, EntityRef},
    engine::Engine,
    identity::{Actor, Assurance, Groups, Guid, Principal, PrincipalKind},
    policy::{Decision, Effect, Permission, Resource, criteria::Criteria, decision::Dependence},
    time::Timestamp,
};
use entra_access_fuzz::{NOW, Stub, configuration, now};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

const GROUP: &str = "cccccccc-0000-0000-0000-000000000001";

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut engine = Engine::new(configuration("unknown"), Stub, 0);
    let place = "msgraph:fuzz/1";
    let directory = json!({ "groups": [
        { "entityRef": "group:default/payments", "groupId": GROUP, "location": place, "origin": place },
    ] });
    engine.set_directory(DirectoryInput::parse(&directory.to_string()).unwrap());
    if let Err(mistake) = engine.set_policy(text, "policy") {
        assert!(mistake.path.starts_with("policy") && !mistake.message.is_empty(), "{mistake}");
        let who =
            engine.admit(principal(PrincipalKind::User, Groups::none()), entity("user:default/me"), later(), now());
        let [first, ..] = permissions();
        assert_eq!(
            engine.decide_unnumbered(who, &first, now()).effect,
            Effect::Deny,
            "a refused policy allows nothing"
        );
        return;
    }
    let open = text.contains("allow");
    for kind in [PrincipalKind::User, PrincipalKind::Workload, PrincipalKind::Agent, PrincipalKind::Pipeline] {
        for groups in [Groups::none(), Groups::unknown(), Groups::known(vec![guid(GROUP)])] {
            let who = engine.admit(principal(kind, groups), entity("user:default/me"), later(), now());
            for permission in permissions() {
                let plain = engine.decide_unnumbered(who, &permission, now());
                let id = engine.permission_id(permission.clone()).unwrap();
                let numbered = engine.decide(who, id, now());
                assert_eq!((numbered.effect, numbered.ground), (plain.effect, plain.ground), "first answer");
                assert_eq!(engine.decide(who, id, now()), numbered, "remembered answer");
                let criteria = engine.criteria_unnumbered(who, &permission, now());
                if let Dependence::Criteria(number) = numbered.dependence {
                    assert_eq!(engine.criteria(number), criteria.as_ref(), "the condition by its number");
                } else {
                    assert_eq!(numbered.dependence, plain.dependence, "a condition that needs no number");
                }
                assert_eq!(criteria.is_some(), plain.effect == Effect::Conditional);
                assert!(open || escaped(text) || plain.effect == Effect::Deny, "allowed without an allow rule");
                explained(&engine, who, &permission, plain);
                assert_eq!(engine.decide(who, id, later()).effect, Effect::Deny, "an expired principal");
            }
            engine.release(who);
        }
    }
});

fn explained(
    engine: &Engine<Stub>,
    who: entra_access_core::identity::Handle,
    permission: &Permission,
    plain: Decision,
) {
    let explanation = engine.explain(who, permission, None, now()).unwrap();
    assert_eq!(explanation.result, plain.effect);
    assert!(!explanation.reasons.is_empty());
    assert_eq!(explanation.conditions.is_some(), plain.effect == Effect::Conditional);
    let for_person = engine.principal(who, now()).unwrap().acts_for_person();
    let criteria = engine.criteria_unnumbered(who, permission, now());
    if let Some(criteria) = &criteria {
        serde_json::from_str::<serde_json::Value>(&criteria.json()).expect("the host reads it");
    }
    for (owner, owned) in [("user:default/me", !for_person), ("group:default/nobody", false)] {
        let resource = Resource { entity_ref: entity("component:default/x"), owners: vec![entity(owner)] };
        let result = engine.explain(who, permission, Some(&resource), now()).unwrap().result;
        let expected = match criteria.as_ref().map(|criteria| criteria.given(owned, !owned)) {
            None => plain.effect,
            Some(Criteria::Always) => Effect::Allow,
            Some(Criteria::Never) => Effect::Deny,
            Some(_) => Effect::Conditional,
        };
        assert_eq!(result, expected, "{plain:?} on what is owned by {owner}");
    }
}

/// Whether `allow` may stand there in other letters
fn escaped(text: &str) -> bool {
    text.contains("\\u")
}

fn permissions() -> [Permission; 5] {
    let permission = |name, action: Option<&str>, resource: Option<&str>| {
        Permission::parse(&json!({ "name": name, "action": action, "resourceType": resource }).to_string()).unwrap()
    };
    [
        permission("catalog.entity.read", Some("read"), Some("catalog-entity")),
        permission("catalog.entity.delete", Some("delete"), Some("catalog-entity")),
        permission("catalog.location.create", Some("create"), None),
        permission("scaffolder.task.read", Some("read"), Some("scaffolder-task")),
        permission("a", None, Some("catalog-entity")),
    ]
}

fn principal(kind: PrincipalKind, groups: Groups) -> Principal {
    Principal {
        kind,
        issuer: "fuzz".into(),
        tenant_id: guid("11111111-2222-3333-4444-555555555555"),
        object_id: guid("bbbbbbbb-0000-0000-0000-000000000001"),
        client_id: Some(guid("aaaaaaaa-0000-0000-0000-00000000000d")),
        actor: (kind == PrincipalKind::Agent)
            .then(|| Actor { client_id: guid("aaaaaaaa-0000-0000-0000-00000000000d"), autonomous: groups == Groups::none() }),
        groups,
        roles: vec!["Backstage.Admin".into()],
        name: None,
        assurance: Assurance::new(vec!["c1".into()], false, Some(now().before(60))),
        job: None,
        issued_at: Timestamp::default(),
        expires_at: later(),
    }
}

fn guid(text: &str) -> Guid {
    Guid::parse(text.as_bytes()).unwrap()
}

fn entity(text: &str) -> EntityRef {
    EntityRef::parse(text).unwrap()
}

fn later() -> Timestamp {
    Timestamp::from_seconds(NOW + 60)
}
