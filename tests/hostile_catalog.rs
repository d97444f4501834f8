//! What anybody may write into a catalog or ask for must not open, freeze or drown anything

use crate::support::{
    claims::{GROUPS, user_v2},
    directory::directory,
    jws::token,
    now,
    scene::Scene,
};
use entra_access_core::{
    config::Configuration,
    directory::{DirectoryInput, EntityRef},
    engine::Engine,
    identity::Handle,
    json::Reader,
    keys::portable::Portable,
    limits,
    policy::{Effect, Permission, Resource, decision::Dependence},
    token::Purpose,
};
use serde_json::json;

/// Everybody may delete, except what is their own
const DENY_OWNED: &str = r#"{"rules":[
    {"id":"all","effect":"allow","permissions":["*"]},
    {"id":"not-ones-own","effect":"deny","permissions":["*"],"actions":["delete"],"when":{"owned":true}}]}"#;

fn scene(policy: &str) -> (Engine<Portable>, Handle) {
    let mut engine = Scene::standard("hostile", Vec::new()).engine(Portable);
    engine.set_policy(policy, "policy").unwrap();
    let caller = engine.authenticate(&token(user_v2().text()), Purpose::Access, now()).unwrap();
    (engine, caller)
}

fn delete() -> Permission {
    Permission::parse(r#"{"name":"catalog.entity.delete","action":"delete","resourceType":"catalog-entity"}"#).unwrap()
}

fn resource(owner: &str) -> Resource {
    let text = json!({ "entityRef": "component:default/x", "owners": [owner] }).to_string();
    Resource::parse(&text).unwrap().unwrap()
}

fn explained(engine: &Engine<Portable>, caller: Handle, owner: &str) -> Effect {
    engine.explain(caller, &delete(), Some(&resource(owner)), now()).unwrap().result
}

#[test]
fn an_owner_that_is_no_entity_ref_harms_nobody_else() {
    let (mut engine, caller) = scene(DENY_OWNED);
    let report = engine.set_directory(directory(json!({
        "groups": [
            { "entityRef": "group:default/mine", "groupId": GROUPS[0] },
            { "entityRef": "not a ref", "groupId": "00000000-0000-0000-0000-00000000aaaa" },
        ],
        "owners": ["group:default/mine", "group:default/my team", "group:default/a/b/c", ""],
    })));
    assert_eq!(report.owners, 2);
    assert_eq!(explained(&engine, caller, "group:default/mine"), Effect::Deny);
    assert_eq!(explained(&engine, caller, "group:default/my team"), Effect::Allow);
}

#[test]
fn a_deny_of_ones_own_holds_before_the_catalog_was_read() {
    let (mut engine, caller) = scene(DENY_OWNED);
    let id = engine.permission_id(delete()).unwrap();
    assert_eq!(engine.decide(caller, id, now()).effect, Effect::Deny);
    engine.set_directory(DirectoryInput::default());
    let decision = engine.decide(caller, id, now());
    assert_eq!((decision.effect, decision.dependence), (Effect::Conditional, Dependence::NotOwned));
}

#[test]
fn a_decoy_group_does_not_lift_a_deny_and_gives_nothing() {
    let (mut engine, caller) = scene(DENY_OWNED);
    engine.set_directory(directory(json!({ "groups": [
        { "entityRef": "group:default/mine", "groupId": GROUPS[0] },
        { "entityRef": "group:default/decoy", "groupId": GROUPS[0] },
    ] })));
    for claimant in ["group:default/mine", "group:default/decoy"] {
        assert_eq!(explained(&engine, caller, claimant), Effect::Deny, "{claimant}");
        assert!(!engine.owners(caller, now()).unwrap().iter().any(|owner| owner.as_str() == claimant));
        assert!(engine.possible_owners(caller, now()).unwrap().iter().any(|owner| owner.as_str() == claimant));
    }
}

/// The annotations are Backstage's own: what a file says of them is overwritten (plugin-js/e2e/trust.test.ts)
#[test]
fn a_group_that_anybody_registered_gives_nothing_takes_nothing_and_lifts_no_deny() {
    let (mut engine, caller) = scene(DENY_OWNED);
    let evil = "url:https://git.example.com/evil/blob/main/org.yaml";
    let report = engine.set_directory(directory(json!({ "groups": [
        { "entityRef": "group:default/mine", "groupId": GROUPS[0] },
        { "entityRef": "group:default/thief", "groupId": GROUPS[0], "location": evil, "origin": evil },
        { "entityRef": "group:default/half", "groupId": GROUPS[0], "origin": evil },
        { "entityRef": "group:default/nowhere", "groupId": GROUPS[0], "location": "", "origin": "" },
    ] })));
    let owners = engine.owners(caller, now()).unwrap();
    assert_eq!(owners.iter().map(EntityRef::as_str).collect::<Vec<_>>(), ["group:default/mine"]);
    let reported: Vec<_> = report.problems.iter().map(|problem| problem.entity_ref.as_str()).collect();
    assert_eq!(reported, ["group:default/thief", "group:default/half", "group:default/nowhere"]);
    assert!(report.problems.iter().all(|problem| problem.message.contains("entraAccess.catalog.trustedLocations")));
    // Its claim may be true: enough for a deny, as a group of one's own may stand there.
    assert_eq!(explained(&engine, caller, "group:default/thief"), Effect::Deny);
    assert_eq!(explained(&engine, caller, "group:default/others"), Effect::Allow);
}

#[test]
fn what_the_operator_names_is_trusted_from_the_next_directory_on() {
    let (mut engine, caller) = scene(DENY_OWNED);
    let org = "file:/etc/backstage/org.yaml";
    let catalog = json!({ "groups": [
        { "entityRef": "group:default/mine", "groupId": GROUPS[0], "location": org, "origin": org },
    ] });
    assert_eq!(engine.set_directory(directory(catalog.clone())).groups, 0);
    engine.trust_location(org, org);
    assert_eq!(engine.set_directory(directory(catalog)).groups, 1);
    assert_eq!(engine.owners(caller, now()).unwrap().len(), 1);
}

#[test]
fn a_long_permission_name_gets_an_answer_and_no_number() {
    let (mut engine, caller) = scene(DENY_OWNED);
    let long = |bytes: usize| Permission { name: "x".repeat(bytes), action: None, resource_type: None };
    assert!(engine.permission_id(long(limits::PERMISSION_BYTES)).is_some());
    assert!(engine.permission_id(long(limits::PERMISSION_BYTES + 1)).is_none());
    assert_eq!(engine.decide_unnumbered(caller, &long(limits::PERMISSION_BYTES + 1), now()).effect, Effect::Allow);
}

#[test]
fn escaped_look_alike_names_are_still_told_apart() {
    // All of one length with the same ends, and escaped: the slowest names that a token can hold.
    let name = |at: usize| format!("\\u0061{at:03}{}z", "b".repeat(20));
    let members = |numbers: &[usize]| {
        let all: Vec<_> = numbers.iter().map(|at| format!("\"{}\":0", name(*at))).collect();
        format!("{{{}}}", all.join(","))
    };
    let many: Vec<_> = (0..limits::JSON_MEMBERS).collect();
    assert!(Reader::read_object(members(&many).as_bytes(), |reader, _| reader.skip()).is_ok());
    let mut twice = many[1..].to_vec();
    twice.push(7);
    assert!(Reader::read_object(members(&twice).as_bytes(), |reader, _| reader.skip()).is_err());
}

#[test]
fn a_secret_in_the_wrong_place_is_not_printed() {
    let secret = "Abc8Q~Xy3kFq.9WvT-2bLzRr0pQsUo1nMeHgDa7K";
    for place in ["tenantId", "clients"] {
        let value = if place == "clients" { json!([secret]) } else { json!(secret) };
        let mut tenant = json!({ "tenantId": "11111111-2222-3333-4444-555555555555", "audiences": ["x"] });
        tenant[place] = value;
        let text = json!({ "tenants": [tenant], "policy": { "rules": [] } }).to_string();
        let message = Configuration::parse(&text).unwrap_err().to_string();
        assert!(message.contains(place) && message.contains("is not a GUID"), "{message}");
        assert!(!message.contains(&secret[4..]), "{message}");
    }
}
