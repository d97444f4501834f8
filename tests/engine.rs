//! The engine by its public face: what it holds, what it forgets, and that nothing missing ever opens anything

use crate::support::{
    NOW,
    claims::{
        API, Claims, DAEMON, FOREIGN, GROUPS, PERSON, PORTAL, SERVICE, TENANT, app_v2, id_token_v2, user_v1, user_v2,
    },
    directory::directory,
    jws::{KID, token, token_of},
    keys::{RSA_A, RSA_B, jwks},
    now,
    scene::{Scene, configuration, profile, tenant},
};
use entra_access_core::{
    directory::{DirectoryInput, EntityRef},
    engine::Engine,
    identity::{GroupState, Guid, Handle, Principal},
    keys::portable::Portable,
    limits,
    policy::{
        Action, Effect, Permission, PermissionId, Resource,
        decision::{Decision, Ground},
    },
    time::Timestamp,
    token::Purpose,
};
use serde_json::json;

const ALLOW_ALL: &str = r#"{"rules":[{"id":"all","effect":"allow","permissions":["*"]}]}"#;

fn engine() -> Engine<Portable> {
    Scene::standard("engine", Vec::new()).engine(Portable)
}

fn enter(engine: &mut Engine<Portable>, claims: &Claims) -> Handle {
    engine.authenticate(&token(claims.text()), Purpose::Access, now()).unwrap()
}

fn principal(claims: &Claims) -> Principal {
    let mut engine = engine();
    let handle = enter(&mut engine, claims);
    engine.principal(handle, now()).unwrap().clone()
}

fn read() -> Permission {
    permission("catalog.entity.read")
}

fn permission(name: &str) -> Permission {
    Permission { name: name.into(), action: Some(Action::Read), resource_type: Some("catalog-entity".into()) }
}

fn entity(text: &str) -> EntityRef {
    EntityRef::parse(text).unwrap()
}

fn code(engine: &mut Engine<Portable>, token: &[u8]) -> &'static str {
    let rejection = engine.authenticate(token, Purpose::Access, now()).unwrap_err();
    rejection.code.as_str()
}

#[test]
fn without_a_policy_everything_is_denied() {
    let mut engine = engine();
    let caller = enter(&mut engine, &user_v2());
    let id = engine.permission_id(read()).unwrap();
    assert_eq!(engine.decide(caller, id, now()), Decision::deny(Ground::NotReady));
    assert_eq!(engine.decide_unnumbered(caller, &read(), now()), Decision::deny(Ground::NotReady));
    assert_eq!(engine.explain(caller, &read(), None, now()), None);
    // An answer given without a policy must not outlive its arrival, nor its absence be remembered.
    engine.set_policy(ALLOW_ALL, "p").unwrap();
    assert_eq!(engine.decide(caller, id, now()).effect, Effect::Allow);
    engine.set_policy(r#"{"rules":[]}"#, "p").unwrap();
    assert_eq!(engine.decide(caller, id, now()), Decision::deny(Ground::Default));
}

#[test]
fn a_broken_policy_leaves_the_old_one_in_force() {
    let mut engine = engine();
    let caller = enter(&mut engine, &user_v2());
    engine.set_policy(ALLOW_ALL, "p").unwrap();
    let (epoch, id) = (engine.epoch(), engine.permission_id(read()).unwrap());
    let error =
        engine.set_policy(r#"{"rules":[{"id":"x","effect":"maybe","permissions":["*"]}]}"#, "file.yaml").unwrap_err();
    assert_eq!(error.path, "file.yaml.rules[0].effect");
    assert_eq!((engine.epoch(), engine.rule_ids()), (epoch, vec!["all"]));
    assert_eq!(engine.decide(caller, id, now()).effect, Effect::Allow);
}

#[test]
fn a_handle_that_names_nobody_is_denied() {
    let mut engine = engine();
    engine.set_policy(ALLOW_ALL, "p").unwrap();
    let id = engine.permission_id(read()).unwrap();
    let denied = Decision::deny(Ground::UnknownPrincipal);
    let expires = Timestamp::from_seconds(NOW + 3600 + limits::LEEWAY_SECONDS);
    let expired = enter(&mut engine, &user_v2());
    assert_eq!(engine.decide(expired, id, now()).effect, Effect::Allow);
    // The answer was remembered with the principal; it must go with it.
    assert_eq!(engine.decide(expired, id, expires), denied);
    let released = enter(&mut engine, &user_v2());
    engine.release(released);
    engine.release(released);
    let after = enter(&mut engine, &user_v2());
    assert_ne!(released, after, "a handle came back for somebody else");
    for handle in [released, Handle::from_number(0), Handle::from_number(7), Handle::from_number(u32::MAX)] {
        assert_eq!(engine.decide(handle, id, now()), denied);
        assert_eq!(engine.decide_unnumbered(handle, &read(), now()), denied);
        assert_eq!(engine.explain(handle, &read(), None, now()), None);
        assert_eq!(engine.owners(handle, now()), None);
        assert_eq!(engine.owning(handle, now()), None);
        assert_eq!(engine.principal(handle, now()), None);
    }
    assert_eq!(engine.decide(after, id, now()).effect, Effect::Allow);
    assert_eq!(engine.principals(), 2);
}

#[test]
fn a_permission_number_that_was_never_given_is_denied() {
    let mut engine = engine();
    engine.set_policy(ALLOW_ALL, "p").unwrap();
    let caller = enter(&mut engine, &user_v2());
    for number in [0, 1, 1_000_000, u32::MAX] {
        let decision = engine.decide(caller, PermissionId::from_number(number), now());
        assert_eq!(decision, Decision::deny(Ground::NotReady), "{number}");
    }
}

#[test]
fn the_epoch_grows_with_every_change_and_goes_on_where_another_engine_stopped() {
    let scene = Scene::standard("epoch", Vec::new());
    let mut engine = Engine::new(scene.configuration, Portable, 41);
    let mut last = engine.epoch();
    assert_eq!(last, 41);
    for change in 0..4 {
        match change % 2 {
            0 => drop(engine.set_policy(ALLOW_ALL, "p").unwrap()),
            _ => drop(engine.set_directory(DirectoryInput::default())),
        }
        assert!(engine.epoch() > last);
        last = engine.epoch();
    }
}

#[test]
fn keys_that_are_not_there_yet_are_not_unknown_keys() {
    let mut engine = Engine::new(Scene::standard("keys", Vec::new()).configuration, Portable, 0);
    let good = token(user_v2().text());
    assert_eq!(code(&mut engine, &good), "keys_unavailable");
    let v2 = profile(engine.configuration(), &format!("entra-v2:{TENANT}"));
    engine.set_keys(v2, &jwks(&[RSA_B.jwk("other")]), now()).unwrap();
    assert_eq!(code(&mut engine, &good), "key_unknown");
    // Only this profile has keys now.
    assert_eq!(code(&mut engine, &token_of(&RSA_B, "other", user_v1().text())), "keys_unavailable");
    engine.set_keys(v2, &jwks(&[RSA_A.jwk(KID)]), now()).unwrap();
    assert!(engine.authenticate(&good, Purpose::Access, now()).is_ok());
    // A key that is published no more is trusted no more.
    engine.set_keys(v2, &jwks(&[RSA_B.jwk("other")]), now()).unwrap();
    assert_eq!(code(&mut engine, &good), "key_unknown");
}

#[test]
fn keys_outlive_an_outage_of_their_issuer_by_a_day_and_no_more() {
    let mut engine = Engine::new(Scene::standard("keys", Vec::new()).configuration, Portable, 0);
    let good = token(user_v2().text());
    let v2 = profile(engine.configuration(), &format!("entra-v2:{TENANT}"));
    let keys = jwks(&[RSA_A.jwk(KID)]);
    engine.set_keys(v2, &keys, now().before(limits::KEYS_TRUSTED_SECONDS - 1)).unwrap();
    let handle = engine.authenticate(&good, Purpose::Access, now()).unwrap();
    // Nor is an answer kept longer than the keys that it rests on.
    assert_eq!(engine.cacheable_until(handle, now()), Some(now().after(1)));
    assert_eq!(
        engine.authenticate(&good, Purpose::Access, now().after(1)).unwrap_err().code.as_str(),
        "keys_unavailable"
    );
    engine.set_keys(v2, &keys, now()).unwrap();
    assert!(engine.authenticate(&good, Purpose::Access, now().after(1)).is_ok(), "fetched anew they count again");
}

#[test]
fn a_refused_key_set_leaves_the_old_keys_in_place() {
    let mut engine = engine();
    let good = token(user_v2().text());
    for row in crate::support::key_sets::rows() {
        if row.expected.is_err() {
            assert!(engine.set_keys(0, &row.text, now()).is_err(), "{}", row.name);
            assert!(engine.authenticate(&good, Purpose::Access, now()).is_ok(), "{}", row.name);
        }
    }
    assert!(engine.set_keys(99, &jwks(&[RSA_A.jwk(KID)]), now()).is_err());
}

#[test]
fn keys_that_roll_overlap() {
    let mut engine = engine();
    engine.set_keys(0, &jwks(&[RSA_A.jwk(KID), RSA_B.jwk("next")]), now()).unwrap();
    for token in [token(user_v2().text()), token_of(&RSA_B, "next", user_v2().text())] {
        assert!(engine.authenticate(&token, Purpose::Access, now()).is_ok());
    }
}

#[test]
fn the_principal_is_tenant_and_object_id_and_nothing_mutable() {
    let ada = principal(&user_v2());
    assert_eq!(ada.issuer.as_ref(), format!("entra-v2:{TENANT}"));
    assert_eq!((ada.tenant_id, ada.object_id), (guid(TENANT), guid(PERSON)));
    assert_eq!(ada.client_id, Some(guid(PORTAL)));
    assert_eq!(ada.groups.ids(), GROUPS.map(guid));
    assert_eq!(ada.roles, ["Backstage.Admin"]);
    assert_eq!(ada.actor, None);
    let renamed = user_v2()
        .with_text("preferred_username", "root@example.com")
        .and("email", "\"root@example.com\"")
        .and("upn", "\"root@example.com\"")
        .and("unique_name", "\"root\"")
        .and("xms_edov", "true");
    assert_eq!(principal(&renamed), ada);
    let somebody_else = principal(&user_v2().with_text("oid", FOREIGN));
    assert_ne!(somebody_else.object_id, ada.object_id);
    let daemon = principal(&app_v2());
    assert_eq!((daemon.object_id, daemon.client_id), (guid(SERVICE), Some(guid(DAEMON))));
    assert_eq!(daemon.groups.state(), GroupState::None);
    let agent = principal(&crate::support::claims::agent_v2());
    assert_eq!(agent.actor.unwrap().client_id, guid(PORTAL));
    // A role with a space in it is one role; splitting it would grant two.
    assert_eq!(principal(&user_v2().with("roles", "[\"a b\"]")).roles, ["a b"]);
}

#[test]
fn an_id_token_is_for_the_audience_that_is_ours() {
    let mut engine = engine();
    for aud in [format!("[\"{API}\"]"), format!("[\"{PORTAL}\",\"{API}\"]"), format!("[\"x\",\"{API}\"]")] {
        let token = token(id_token_v2().with("aud", aud).text());
        let caller = engine.authenticate(&token, Purpose::SignIn, now()).unwrap();
        let client = engine.principal(caller, now()).unwrap().client_id;
        assert_eq!(client, Some(guid(API)));
    }
}

#[test]
fn groups_left_out_are_unknown_and_never_empty() {
    let without = user_v2().without("groups");
    let url = r#"{"src1":{"endpoint":"https://evil.example/getMemberObjects"}}"#;
    for claims in [
        without.clone(),
        without.clone().with("hasgroups", "true"),
        without.clone().with("hasgroups", "\"true\""),
        without.clone().with("_claim_names", r#"{"groups":"src1"}"#).with("_claim_sources", url),
        user_v2().with("_claim_names", r#"{"groups":"src1"}"#),
        user_v2().with("groups", "[]").with("hasgroups", "true"),
    ] {
        let groups = principal(&claims).groups;
        assert_eq!((groups.state(), groups.ids().len()), (GroupState::Unknown, 0), "{}", claims.text());
    }
    assert_eq!(principal(&user_v2().with("groups", "[]")).groups.state(), GroupState::Known);
    // Groups of an application are Microsoft's to list, and it never does: what a token says there is not believed.
    let claiming = app_v2().with("groups", format!("[\"{}\"]", GROUPS[0]));
    assert_eq!(principal(&claiming).groups.state(), GroupState::None);
}

#[test]
fn owners_are_the_entity_itself_and_what_its_groups_stand_for() {
    let mapping = json!({ "mapping": [{ "group": GROUPS[1], "owner": "group:default/mapped" }] });
    let mut scene = Scene::standard("owners", Vec::new());
    scene.configuration = configuration(&json!([tenant(TENANT, "global")]), &json!({}), &mapping);
    let mut engine = scene.engine(Portable);
    let ada = principal(&user_v2());
    let until = Timestamp::from_seconds(NOW + 600);
    let caller = engine.admit(ada, entity("user:default/ada"), until, now());
    assert_eq!(owners(&engine, caller), ["group:default/mapped", "user:default/ada"]);
    engine.set_directory(directory(json!({
        "groups": [
            { "entityRef": "Group:default/Payments", "groupId": GROUPS[0] },
            { "entityRef": "group:default/strangers", "groupId": FOREIGN },
        ],
        "owners": ["group:default/payments"],
    })));
    let all = ["group:default/mapped", "group:default/payments", "user:default/ada"];
    assert_eq!(owners(&engine, caller), all);
    let owning = engine.owning(caller, now()).unwrap();
    assert_eq!(owning, [entity("group:default/payments")]);
    // Two entities that claim one group: neither gets it.
    engine.set_directory(directory(json!({ "groups": [
        { "entityRef": "group:default/payments", "groupId": GROUPS[0] },
        { "entityRef": "group:default/thief", "groupId": GROUPS[0] },
    ]})));
    assert_eq!(owners(&engine, caller), ["group:default/mapped", "user:default/ada"]);
    assert_eq!(engine.owners(caller, until), None);
}

fn owners(engine: &Engine<Portable>, caller: Handle) -> Vec<String> {
    let owners = engine.owners(caller, now()).unwrap();
    owners.iter().map(ToString::to_string).collect()
}

#[test]
fn an_admitted_record_ends_when_it_is_told_to() {
    let mut engine = engine();
    engine.set_policy(ALLOW_ALL, "p").unwrap();
    let ada = principal(&user_v2());
    let over = engine.admit(ada.clone(), entity("user:default/ada"), now(), now());
    assert_eq!(engine.principal(over, now()), None);
    let text = serde_json::to_string(&ada).unwrap();
    let again = Principal::parse(&text).unwrap();
    assert_eq!(again, ada, "a record survives a restart unchanged");
    assert!(Principal::parse(&text.replace("\"kind\"", "\"x\":1,\"kind\"")).is_err());
}

#[test]
fn permissions_beyond_the_numbers_are_answered_all_the_same() {
    let policy = r#"{"rules":[
        {"id":"even","effect":"allow","permissions":["even.*"]},
        {"id":"owned","effect":"allow","permissions":["owned.*"],"when":{"owned":true}}]}"#;
    let mut engine = engine();
    engine.set_policy(policy, "p").unwrap();
    let caller = enter(&mut engine, &user_v2());
    let name = |n: usize| permission(&format!("{}.p{n}", ["even", "odd", "owned"][n % 3]));
    for n in 0..limits::PERMISSIONS {
        let id = engine.permission_id(name(n)).unwrap();
        let decision = engine.decide(caller, id, now());
        assert_eq!(decision, engine.decide_unnumbered(caller, &name(n), now()), "{n}");
        assert_eq!(decision, engine.decide(caller, id, now()), "{n} remembered");
    }
    let expected = [Effect::Allow, Effect::Deny, Effect::Conditional];
    for n in limits::PERMISSIONS..limits::PERMISSIONS + 3 {
        assert_eq!(engine.permission_id(name(n)), None);
        assert_eq!(engine.decide_unnumbered(caller, &name(n), now()).effect, expected[n % 3]);
    }
    // Those that have a number keep it.
    assert_eq!(engine.permission_id(name(5)).unwrap().number(), 5);
}

#[test]
fn an_answer_follows_the_directory_of_its_moment() {
    let mut engine = engine();
    engine
        .set_policy(r#"{"rules":[{"id":"own","effect":"allow","permissions":["*"],"when":{"owned":true}}]}"#, "p")
        .unwrap();
    let caller =
        engine.admit(principal(&user_v2()), entity("user:default/ada"), Timestamp::from_seconds(NOW + 600), now());
    let resource =
        Resource { entity_ref: entity("component:default/api"), owners: vec![entity("group:default/payments")] };
    let result = |engine: &Engine<Portable>| {
        let explanation = engine.explain(caller, &read(), Some(&resource), now()).unwrap();
        (explanation.result, explanation.rule)
    };
    assert_eq!(result(&engine), (Effect::Deny, None));
    engine.set_directory(directory(json!({
        "groups": [{ "entityRef": "group:default/payments", "groupId": GROUPS[0] }],
    })));
    assert_eq!(result(&engine), (Effect::Allow, Some("own".into())));
    engine.set_directory(DirectoryInput::default());
    assert_eq!(result(&engine), (Effect::Deny, None));
}

fn guid(text: &str) -> Guid {
    Guid::parse(text.as_bytes()).unwrap()
}
