//! Groups beyond the token: what may be configured, what a workload is in, and lists that arrive later

use crate::support::{
    claims::{API, Claims, DAEMON, FOREIGN, GROUPS, PERSON, PORTAL, TENANT, app_v2, user_v2},
    jws::token,
    now,
    scene::{Scene, configuration, tenant},
};
use entra_access_core::{
    config::Configuration,
    engine::Engine,
    identity::{GroupState, Guid, Handle},
    keys::portable::Portable,
    limits,
    policy::{Action, Effect, Permission},
    token::{Purpose, judge::Outcome},
};
use serde_json::{Value, json};

fn guid(text: &str) -> Guid {
    Guid::parse(text.as_bytes()).unwrap()
}

fn engine_with(groups: &Value) -> Engine<Portable> {
    let mut scene = Scene::standard("groups", Vec::new());
    scene.configuration = configuration(&json!([tenant(TENANT, "global")]), &json!({}), groups);
    scene.engine(Portable)
}

fn with_graph() -> Value {
    json!({ "overage": "graph", "graph": { "clientId": API, "clientSecret": "given" } })
}

fn enter(engine: &mut Engine<Portable>, claims: &Claims) -> Handle {
    engine.authenticate(&token(claims.text()), Purpose::Access, now()).unwrap()
}

fn groups_of(engine: &Engine<Portable>, handle: Handle) -> (GroupState, Vec<Guid>) {
    let groups = &engine.principal(handle, now()).unwrap().groups;
    (groups.state(), groups.ids().to_vec())
}

// ---- configuration

/// What the configuration says to this section `groups`; the tenants let the daemon in
fn said(groups: &Value) -> Result<Configuration, String> {
    said_with(&json!([tenant(TENANT, "global")]), groups)
}

fn said_with(tenants: &Value, groups: &Value) -> Result<Configuration, String> {
    let clouds = json!({ "lab": { "authority": "http://127.0.0.1:1" }, "full": { "authority": "http://127.0.0.1:1", "graph": "http://127.0.0.1:1/graph/" } });
    let section = json!({ "tenants": tenants, "clouds": clouds, "groups": groups, "policy": {} });
    Configuration::parse(&section.to_string()).map_err(|error| error.to_string())
}

#[test]
fn credentials_for_graph_are_exactly_one() {
    for credential in [
        json!({ "clientId": API, "clientSecret": "given" }),
        json!({ "clientId": API, "certificate": "given" }),
        json!({ "managedIdentity": true }),
        json!({ "clientId": API, "managedIdentity": true }),
        json!({ "managedIdentity": { "clientId": API } }),
    ] {
        assert_eq!(said(&json!({ "overage": "graph", "graph": credential })).err(), None, "{credential}");
    }
    for (credential, says) in [
        (json!({ "clientId": API }), ": there are no credentials"),
        (json!({}), ": there are no credentials"),
        (json!({ "clientId": API, "clientSecret": "s3cReT", "certificate": "x" }), ": there are several credentials"),
        (json!({ "clientSecret": "s3cReT", "managedIdentity": true }), ": there are several credentials"),
        (json!({ "clientSecret": "s3cReT" }), ": `clientId` is missing"),
        (json!({ "clientId": API, "managedIdentity": false }), ": `managedIdentity: false` is no credential"),
        (json!({ "clientId": API, "managedIdentity": { "clientId": API } }), ": `clientId` is given twice"),
        (json!({ "managedIdentity": "s3cReT" }), ".managedIdentity: invalid type: a string, expected `true`, or the"),
        (json!({ "managedIdentity": { "clientID": API } }), ".managedIdentity.clientID: unknown field `clientID`"),
        (json!({ "managedIdentity": {} }), ".managedIdentity: missing field `clientId`"),
        (json!({ "managedIdentity": 31337 }), ".managedIdentity: invalid type: a number, expected `true`, or the"),
        (
            json!({ "clientId": API, "clientSecret": "" }),
            ".clientSecret: this must be a text in quotes that is not empty",
        ),
        (
            json!({ "clientId": API, "clientSecret": 31337 }),
            ".clientSecret: invalid type: a number, expected a text in quotes",
        ),
        (json!({ "clientId": API, "clientSecret": ["s3cReT"] }), ".clientSecret"),
        (json!({ "clientId": API, "clientSecret": null }), ".clientSecret"),
        (json!({ "clientId": API, "clientsecret": "s3cReT" }), ".clientsecret: unknown field `clientsecret`"),
        (json!({ "clientId": "backstage", "clientSecret": "s3cReT" }), ".clientId: `backstage` is not a GUID"),
        (json!(null), ": invalid type: null"),
    ] {
        let message = said(&json!({ "overage": "graph", "graph": credential })).unwrap_err();
        let expected = format!("entraAccess.groups.graph{says}");
        assert!(message.starts_with(&expected), "{message}\n  should start with {expected}");
        assert!(!message.contains("s3cReT") && !message.contains("31337"), "{message}");
    }
}

#[test]
fn graph_is_asked_with_credentials_and_at_an_address_or_not_at_all() {
    for (groups, says) in [
        (json!({ "overage": "graph" }), "entraAccess.groups.graph: the section is missing"),
        (json!({ "graph": { "managedIdentity": true } }), "entraAccess.groups.graph: nothing uses these credentials"),
        (
            json!({ "overage": "reject", "graph": { "managedIdentity": true } }),
            "entraAccess.groups.graph: nothing uses these credentials",
        ),
        (json!({ "overage": "ask" }), "entraAccess.groups.overage: unknown variant `ask`"),
    ] {
        let message = said(&groups).unwrap_err();
        assert!(message.starts_with(says), "{message}\n  should start with {says}");
    }
    let in_cloud = |cloud: &str| said_with(&json!([tenant(TENANT, cloud)]), &with_graph());
    let message = in_cloud("lab").unwrap_err();
    assert!(message.starts_with("entraAccess.clouds.lab.graph: the address is missing"), "{message}");
    for (cloud, graph) in [
        ("global", "https://graph.microsoft.com"),
        ("usgov", "https://graph.microsoft.us"),
        ("china", "https://microsoftgraph.chinacloudapi.cn"),
        ("full", "http://127.0.0.1:1/graph"),
    ] {
        assert!(
            in_cloud(cloud).unwrap().profiles.iter().all(|profile| profile.tenant().unwrap().graph == graph),
            "{cloud}"
        );
    }
}

#[test]
fn each_mistake_about_workloads_is_named_with_its_place() {
    let entry = json!({ "client": DAEMON, "groups": [GROUPS[0]] });
    assert!(said(&json!({ "workloads": [entry] })).is_ok());
    for (workloads, says) in [
        (json!([entry, entry]), "[1].client: this client is listed twice"),
        (json!([{ "client": API, "groups": [GROUPS[0]] }]), "[0].client: no tenant lets this client in"),
        (
            json!([{ "client": DAEMON, "tenantId": FOREIGN, "groups": [GROUPS[0]] }]),
            "[0].client: no tenant lets this client in",
        ),
        (json!([{ "client": DAEMON, "groups": [] }]), "[0].groups: the list is empty"),
        (json!([{ "client": DAEMON }]), "[0]: missing field `groups`"),
        (
            json!([{ "client": DAEMON, "groups": ["payments"] }]),
            "[0].groups[0]: `payments` is not a GUID, the object id of the group: display names and sAMAccountName",
        ),
        (json!([{ "client": "scanner", "groups": [GROUPS[0]] }]), "[0].client: `scanner` is not a GUID"),
        (json!([{ "client": DAEMON, "group": GROUPS[0] }]), "[0].group: unknown field `group`"),
    ] {
        let message = said(&json!({ "workloads": workloads })).unwrap_err();
        let expected = format!("entraAccess.groups.workloads{says}");
        assert!(message.starts_with(&expected), "{message}\n  should start with {expected}");
    }
    let mapping = json!({ "mapping": [{ "group": "CORP\\payments", "owner": "group:default/payments" }] });
    assert!(said(&mapping).unwrap_err().contains("display names and sAMAccountName are not unique"));
}

#[test]
fn what_is_listed_as_a_directory_role_stands_nowhere_as_a_group() {
    let roles = json!([GROUPS[1], GROUPS[0]]);
    let mapping = json!([{ "group": GROUPS[0], "owner": "group:default/payments" }]);
    let workloads = json!([{ "client": DAEMON, "groups": [PORTAL, GROUPS[1]] }]);
    for (groups, says) in [
        (json!({ "directoryRoles": roles, "mapping": mapping }), "mapping[0].group: this names a directory role"),
        (
            json!({ "directoryRoles": roles, "workloads": workloads }),
            "workloads[0].groups: this names a directory role",
        ),
        (json!({ "directoryRoles": ["Global Reader"] }), "directoryRoles[0]: `Global Reader` is not a GUID"),
        (json!({ "directoryRoles": GROUPS[0] }), "directoryRoles: "),
    ] {
        let message = said(&groups).unwrap_err();
        assert!(message.starts_with(&format!("entraAccess.groups.{says}")), "{message}");
    }
    assert!(said(&json!({ "directoryRoles": [PORTAL], "mapping": mapping })).is_ok());
}

/// Whoever administers a tenant can give the service principals in it new secrets
#[test]
fn an_entry_for_a_workload_counts_for_one_tenant() {
    let tenants = json!([tenant(TENANT, "global"), tenant(FOREIGN, "global")]);
    let entry = |tenant: Option<&str>| match tenant {
        Some(id) => json!({ "workloads": [{ "client": DAEMON, "tenantId": id, "groups": [GROUPS[0]] }] }),
        None => json!({ "workloads": [{ "client": DAEMON, "groups": [GROUPS[0]] }] }),
    };
    let message = said_with(&tenants, &entry(None)).unwrap_err();
    assert!(message.starts_with("entraAccess.groups.workloads[0]: several tenants let this client in"), "{message}");
    let configuration = said_with(&tenants, &entry(Some(TENANT))).unwrap();
    let state = |tenant: &str| configuration.groups.of_workload(guid(tenant), guid(DAEMON)).state();
    assert_eq!((state(TENANT), state(FOREIGN)), (GroupState::Known, GroupState::None));
}

// ---- workloads

#[test]
fn a_workload_has_the_groups_of_the_mapping_or_of_graph_or_none() {
    let claiming = app_v2().with("groups", format!("[\"{}\"]", GROUPS[1]));
    let agent = app_v2().with_text("xms_act_fct", "11").with_text("xms_sub_fct", "11");
    let mapping = json!([{ "client": DAEMON, "groups": [GROUPS[0]] }]);
    let mut both = with_graph();
    both["workloads"] = mapping.clone();
    for (groups, expected) in [
        (json!({}), (GroupState::None, vec![])),
        (json!({ "overage": "reject" }), (GroupState::None, vec![])),
        (with_graph(), (GroupState::Unknown, vec![])),
        (json!({ "workloads": mapping }), (GroupState::Known, vec![guid(GROUPS[0])])),
        (both, (GroupState::Known, vec![guid(GROUPS[0])])),
    ] {
        let mut engine = engine_with(&groups);
        for claims in [&app_v2(), &claiming, &agent] {
            let handle = enter(&mut engine, claims);
            assert_eq!(groups_of(&engine, handle), expected, "{groups} {}", claims.text());
        }
    }
}

// ---- lists that arrive later

fn overage() -> Claims {
    user_v2().without("groups").with("_claim_names", r#"{"groups":"src1"}"#)
}

#[test]
fn a_list_that_arrives_later_completes_the_principal_and_its_decisions() {
    let mut engine = engine_with(&with_graph());
    let rules = json!({ "rules": [
        { "id": "members", "effect": "allow", "permissions": ["a.b"], "principals": [{ "group": GROUPS[0] }] },
        { "id": "not-these", "effect": "deny", "permissions": ["c.d"], "principals": [{ "group": GROUPS[1] }] },
        { "id": "all", "effect": "allow", "permissions": ["c.d"] },
    ] });
    engine.set_policy(&rules.to_string(), "p").unwrap();
    let permission = |name: &str| Permission { name: name.into(), action: Some(Action::Read), resource_type: None };
    let [member, denied] = ["a.b", "c.d"].map(|name| engine.permission_id(permission(name)).unwrap());
    let caller = enter(&mut engine, &overage());
    assert!(engine.groups_unknown(caller, now()));
    // Both answers are remembered, and must not outlive the ignorance.
    assert_eq!(engine.decide(caller, member, now()).effect, Effect::Deny);
    assert_eq!(engine.decide(caller, denied, now()).effect, Effect::Deny);
    engine.complete_groups(caller, vec![guid(GROUPS[0])], now()).unwrap();
    assert!(!engine.groups_unknown(caller, now()));
    assert_eq!(engine.decide(caller, member, now()).effect, Effect::Allow);
    assert_eq!(engine.decide(caller, denied, now()).effect, Effect::Allow);
    assert_eq!(groups_of(&engine, caller), (GroupState::Known, vec![guid(GROUPS[0])]));
}

#[test]
fn a_session_is_completed_like_a_caller_and_nobody_else_with_it() {
    let mut engine = engine_with(&with_graph());
    let record = {
        let caller = enter(&mut engine, &overage());
        engine.principal(caller, now()).unwrap().clone()
    };
    let entity = |name: &str| entra_access_core::directory::EntityRef::parse(name).unwrap();
    let one = engine.admit(record.clone(), entity("user:default/one"), now().after(60), now());
    let two = engine.admit(record, entity("user:default/two"), now().after(60), now());
    engine.complete_groups(one, vec![guid(GROUPS[0])], now()).unwrap();
    assert_eq!(groups_of(&engine, one).0, GroupState::Known);
    assert_eq!(groups_of(&engine, two).0, GroupState::Unknown);
}

#[test]
fn a_known_list_is_never_replaced_and_nobody_is_completed() {
    let mut engine = engine_with(&with_graph());
    let known = enter(&mut engine, &user_v2());
    let before = groups_of(&engine, known);
    assert!(engine.complete_groups(known, vec![guid(PERSON)], now()).is_err());
    assert_eq!(groups_of(&engine, known), before);
    let completed = enter(&mut engine, &overage());
    engine.complete_groups(completed, vec![], now()).unwrap();
    assert!(engine.complete_groups(completed, vec![guid(PERSON)], now()).is_err());
    assert_eq!(groups_of(&engine, completed), (GroupState::Known, vec![]));

    let mut without = engine_with(&json!({}));
    let none = enter(&mut without, &app_v2());
    assert!(without.complete_groups(none, vec![guid(PERSON)], now()).is_err());
    assert_eq!(groups_of(&without, none).0, GroupState::None);

    for nobody in [Handle::from_number(0), Handle::from_number(u32::MAX)] {
        assert!(!engine.groups_unknown(nobody, now()));
        assert!(engine.complete_groups(nobody, vec![], now()).is_err());
    }
    let expired = enter(&mut engine, &overage());
    assert!(engine.complete_groups(expired, vec![], now().after(100_000)).is_err());
}

#[test]
fn a_list_beyond_the_limit_is_refused_as_a_whole() {
    let mut engine = engine_with(&with_graph());
    let caller = enter(&mut engine, &overage());
    let many = |count: usize| (1..=count).map(|at| Guid::from_value(u128::try_from(at).unwrap())).collect();
    assert!(engine.complete_groups(caller, many(limits::RESOLVED_GROUPS + 1), now()).is_err());
    assert_eq!(groups_of(&engine, caller), (GroupState::Unknown, vec![]));
    engine.complete_groups(caller, many(limits::RESOLVED_GROUPS), now()).unwrap();
    assert_eq!(groups_of(&engine, caller).1.len(), limits::RESOLVED_GROUPS);
}

// ---- directory roles, which Entra lists among the groups of a token

#[test]
fn nothing_is_allowed_or_owned_by_a_directory_role_and_what_is_denied_stays_denied() {
    let mut engine = engine_with(&json!({ "mapping": [{ "group": GROUPS[1], "owner": "group:default/mapped" }] }));
    let rules = json!({ "rules": [
        { "id": "by-role", "effect": "allow", "permissions": ["a.b"], "principals": [{ "group": GROUPS[0] }] },
        { "id": "by-either", "effect": "allow", "permissions": ["e.f"], "principals": [{ "group": GROUPS[0] }, { "kind": "user" }] },
        { "id": "all", "effect": "allow", "permissions": ["c.d"] },
        { "id": "not-the-role", "effect": "deny", "permissions": ["c.d"], "principals": [{ "group": GROUPS[0] }] },
    ] });
    engine.set_policy(&rules.to_string(), "p").unwrap();
    engine.set_directory(entra_access_core::directory::DirectoryInput::default());
    let caller = enter(&mut engine, &user_v2());
    let permission = |name: &str| Permission { name: name.into(), action: None, resource_type: None };
    let ids = ["a.b", "c.d", "e.f"].map(|name| engine.permission_id(permission(name)).unwrap());
    let effects = |engine: &mut Engine<Portable>| ids.map(|id| engine.decide(caller, id, now()).effect);
    assert_eq!(effects(&mut engine), [Effect::Allow, Effect::Deny, Effect::Allow]);
    let owned = |engine: &Engine<Portable>| engine.owners(caller, now()).unwrap().len();
    assert_eq!(owned(&engine), 1);
    let epoch = engine.epoch();

    let roles = || vec![guid(GROUPS[1]), guid(GROUPS[0]), guid(GROUPS[0])];
    assert_eq!(engine.set_directory_roles(roles()), ["by-either", "by-role"]);
    assert!(engine.epoch() > epoch, "answers that were given out are of an older epoch");
    assert_eq!(effects(&mut engine), [Effect::Deny, Effect::Deny, Effect::Allow]);
    assert_eq!(owned(&engine), 0);
    assert_eq!(engine.possible_owners(caller, now()).unwrap().len(), 1, "a deny of what is owned holds");
    let explanation = engine.explain(caller, &permission("a.b"), None, now()).unwrap();
    assert!(explanation.reasons.join(" ").contains("which is a directory role and no group"), "{explanation:?}");
    // A policy that comes later is read with the same eyes.
    engine.set_policy(&rules.to_string(), "p").unwrap();
    assert_eq!(effects(&mut engine), [Effect::Deny, Effect::Deny, Effect::Allow]);
    // And when an id is none after all, everything is as before.
    assert!(engine.set_directory_roles(Vec::new()).is_empty());
    assert_eq!(effects(&mut engine), [Effect::Allow, Effect::Deny, Effect::Allow]);
    assert_eq!(owned(&engine), 1);
}

#[test]
fn directory_roles_of_the_configuration_count_without_graph_and_beside_it() {
    let mut engine = engine_with(&json!({ "directoryRoles": [GROUPS[0]] }));
    let rules = json!({ "rules": [
        { "id": "by-role", "effect": "allow", "permissions": ["a.b"], "principals": [{ "group": GROUPS[0] }] },
        { "id": "by-group", "effect": "allow", "permissions": ["c.d"], "principals": [{ "group": GROUPS[1] }] },
    ]});
    engine.set_policy(&rules.to_string(), "p").unwrap();
    let caller = enter(&mut engine, &user_v2());
    let permission = |name: &str| Permission { name: name.into(), action: None, resource_type: None };
    let ids = ["a.b", "c.d"].map(|name| engine.permission_id(permission(name)).unwrap());
    let effects = |engine: &mut Engine<Portable>| ids.map(|id| engine.decide(caller, id, now()).effect);
    assert_eq!(effects(&mut engine), [Effect::Deny, Effect::Allow]);
    assert_eq!(engine.set_directory_roles(vec![guid(GROUPS[1])]), ["by-group", "by-role"]);
    assert_eq!(effects(&mut engine), [Effect::Deny, Effect::Deny]);
    assert_eq!(engine.set_directory_roles(Vec::new()), ["by-role"]);
    assert_eq!(effects(&mut engine), [Effect::Deny, Effect::Allow]);
}

// ---- what a token says in place of ids

#[test]
fn the_inspector_says_how_names_came_into_a_token() {
    let mut engine = engine_with(&json!({}));
    for value in [
        r#"["Payments"]"#,
        r#"["CORP\\payments"]"#,
        r#"["corp.example\\payments"]"#,
        r#"["S-1-5-21-1004336348-1177238915-682003330-512"]"#,
        r#""payments""#,
    ] {
        let inspection = engine.inspect(&token(user_v2().with("groups", value).text()), Purpose::Access, now());
        assert_eq!(inspection.code, Some("claim_invalid"), "{value}");
        let line = inspection.checks.iter().find(|line| line.outcome == Outcome::Fail).unwrap();
        let hint = line.hint.as_deref().unwrap();
        for word in ["sam_account_name", "cloud_displayname", "emit_as_roles", "additionalProperties", "manifest"] {
            assert!(hint.contains(word), "{hint}");
        }
        assert!(!line.actual.contains("ayments") && !hint.contains("ayments"), "{line:?}");
    }
    // Another claim of a wrong form is not about groups.
    let inspection = engine.inspect(&token(user_v2().with("roles", "7").text()), Purpose::Access, now());
    let line = inspection.checks.iter().find(|line| line.outcome == Outcome::Fail).unwrap();
    assert!(!line.hint.as_deref().unwrap().contains("sam_account_name"));
}

/// `emit_as_roles` puts groups into `roles`, in place of the real ones
#[test]
fn roles_are_never_groups() {
    let mut engine = engine_with(&json!({}));
    let rules = json!({ "rules": [
        { "id": "members", "effect": "allow", "permissions": ["a.b"], "principals": [{ "group": GROUPS[0] }] },
    ] });
    engine.set_policy(&rules.to_string(), "p").unwrap();
    let id = engine.permission_id(Permission { name: "a.b".into(), action: None, resource_type: None }).unwrap();
    for (claims, state) in
        [(user_v2().without("groups"), GroupState::Unknown), (user_v2().with("groups", "[]"), GroupState::Known)]
    {
        let caller = enter(&mut engine, &claims.with("roles", format!("[\"{}\"]", GROUPS[0])));
        assert_eq!(groups_of(&engine, caller), (state, vec![]));
        assert_eq!(engine.decide(caller, id, now()).effect, Effect::Deny);
    }
}
