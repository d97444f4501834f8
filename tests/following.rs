//! Accounts that are not in force, and directories that are too old, against a twin that looks everything up anew

use std::collections::BTreeMap;

use crate::support::{
    NOW,
    accounts::{Said, entries},
    claims::{PERSON, TENANT, user_v2},
    directory::directory,
    jws::{KID, token},
    keys::{RSA_A, jwks},
    now,
    random::Random,
    scene::{configuration, profile, tenant},
};
use entra_access_core::{
    directory::{
        EntityRef, Revocation, Round,
        accounts::{DELETED, DISABLED, ENABLED},
        following::{Gap, Word},
    },
    engine::Engine,
    identity::{Actor, Assurance, GroupState, Groups, Guid, Handle, Principal, PrincipalKind},
    keys::portable::Portable,
    limits,
    policy::{
        Effect, Permission, PermissionId,
        decision::{Decision, Ground},
    },
    time::Timestamp,
    token::Purpose,
};
use serde_json::json;

const GROUP: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const DENIED: &str = "aaaaaaaa-0000-4000-8000-000000000002";
const OTHER_TENANT: &str = "2b2b2b2b-2222-3333-4444-5555555555ff";
const ADMIN: &str = "Backstage.Admin";

fn guid(text: &str) -> Guid {
    Guid::parse(text.as_bytes()).unwrap()
}

fn user(at: usize) -> String {
    format!("bbbbbbbb-0000-4000-8000-{at:012x}")
}

fn seconds(at: u64) -> Timestamp {
    Timestamp::from_seconds(at)
}

/// Everybody reads, members write, admins do everything, those of one group are kept out
fn engine() -> Engine<Portable> {
    engine_with(&[])
}

fn engine_with(break_glass: &[&str]) -> Engine<Portable> {
    let groups = json!({ "source": "graph", "graph": { "managedIdentity": true } });
    let mut configuration =
        configuration(&json!([tenant(TENANT, "global"), tenant(OTHER_TENANT, "global")]), &json!({}), &groups);
    configuration.break_glass = break_glass.iter().map(|id| guid(id)).collect();
    let mut engine = Engine::new(configuration, Portable, 0);
    let rules = json!({ "rules": [
        { "id": "everybody", "effect": "allow", "permissions": ["a.read"] },
        { "id": "members", "effect": "allow", "permissions": ["a.write"], "principals": [{ "group": GROUP }] },
        { "id": "admins", "effect": "allow", "permissions": ["*"], "principals": [{ "role": ADMIN }] },
        { "id": "kept-out", "effect": "deny", "permissions": ["a.*"], "actions": ["delete"], "principals": [{ "group": DENIED }] },
        { "id": "owners", "effect": "allow", "permissions": ["catalog.entity.*"], "when": { "owned": true } },
    ] });
    engine.set_policy(&rules.to_string(), "p").unwrap();
    engine.set_directory(directory(json!({ "groups": [{ "entityRef": "group:default/team", "groupId": GROUP }] })));
    engine
}

fn person(id: &str, issued: u64) -> Principal {
    Principal {
        kind: PrincipalKind::User,
        issuer: "test".into(),
        tenant_id: guid(TENANT),
        object_id: guid(id),
        client_id: None,
        actor: None,
        groups: Groups::unknown(),
        roles: Vec::new(),
        assurance: Assurance::default(),
        job: None,
        name: None,
        // As Entra writes it.
        issued_at: seconds(issued.saturating_sub(limits::TOKEN_BACKDATED_SECONDS)),
        expires_at: Timestamp::NEVER,
    }
}

fn enter(engine: &mut Engine<Portable>, principal: Principal) -> Handle {
    let me = EntityRef::parse("user:default/me").unwrap();
    engine.admit(principal, me, seconds(NOW + 1_000_000), now())
}

fn permission(engine: &mut Engine<Portable>, name: &str) -> PermissionId {
    let action = if name.ends_with("delete") { "delete" } else { "read" };
    let text = if name.starts_with("catalog") {
        json!({ "name": name, "action": action, "resourceType": "catalog-entity" })
    } else {
        json!({ "name": name, "action": action })
    };
    engine.permission_id(Permission::parse(&text.to_string()).unwrap()).unwrap()
}

/// Members of two groups, and nothing else
fn load_members(engine: &mut Engine<Portable>, in_group: &[String], denied: &[String]) {
    let entry = |group: &str, members: &[String]| {
        let members: Vec<_> =
            members.iter().map(|id| json!({ "@odata.type": "#microsoft.graph.user", "id": id })).collect();
        json!({ "id": group, "members@delta": members })
    };
    let page = json!({ "value": [entry(GROUP, in_group), entry(DENIED, denied)] });
    engine.begin_members(guid(TENANT), true, None).unwrap();
    engine.add_members(page.to_string().as_bytes()).unwrap();
    engine.commit_members().unwrap();
}

fn load_accounts(engine: &mut Engine<Portable>, all: bool, said: &[Said]) {
    engine.set_accounts(guid(TENANT), all, &entries(said)).unwrap();
}

fn enabled(ids: std::ops::Range<usize>) -> Vec<Said> {
    ids.map(|at| Said { id: user(at), says: ENABLED, ..Said::default() }).collect()
}

/// Known whole a minute ago, and counting for a quarter of an hour
fn follow(engine: &mut Engine<Portable>) -> Round {
    let round = Round { completed: now().before(60), until: now().after(840) };
    engine.set_round(guid(TENANT), round, now());
    round
}

fn of_seconds(at: u64) -> u32 {
    u32::try_from(at).unwrap()
}

#[test]
fn an_account_that_is_not_in_force_is_refused_whatever_is_asked() {
    use Revocation::{Absent, Deleted, Disabled, SignedOut};
    let issued = NOW - 100;
    let grace = limits::NEW_ACCOUNT_SECONDS;
    for (label, says, valid_from, issued, expected) in [
        ("in force", ENABLED, 0, issued, None),
        ("never said", 0, 0, issued, None),
        ("disabled", DISABLED, 0, issued, Some(Disabled)),
        ("deleted", DELETED, 0, issued, Some(Deleted)),
        ("deleted while enabled", DELETED | ENABLED, 0, issued, Some(Deleted)),
        ("signed out before", ENABLED, issued - 1, issued, None),
        ("signed out in that second", ENABLED, issued, issued, None),
        ("signed out since", ENABLED, issued + 1, issued, Some(SignedOut)),
        ("nobody knows when the token was issued", ENABLED, issued, 0, Some(SignedOut)),
        ("nor when anybody was signed out", ENABLED, 0, 0, None),
        ("never heard of, and newer than what is known", u32::MAX, 0, NOW - 60 + 1, None),
        ("never heard of, and about as new", u32::MAX, 0, NOW - 60 - grace + 1, None),
        ("never heard of, and it would have to be known", u32::MAX, 0, NOW - 60 - grace, Some(Absent)),
        ("never heard of, and nobody knows when the token was issued", u32::MAX, 0, 0, Some(Absent)),
    ] {
        let mut engine = engine();
        load_members(&mut engine, &[user(1)], &[]);
        let mut said = enabled(2..4);
        if says != u32::MAX {
            said.push(Said { id: user(1), valid_from: of_seconds(valid_from), says });
        }
        load_accounts(&mut engine, true, &said);
        follow(&mut engine);
        let names = ["a.read", "a.write", "a.delete", "catalog.entity.delete"];
        let ids = names.map(|name| permission(&mut engine, name));
        let on_behalf = Principal {
            kind: PrincipalKind::Agent,
            actor: Some(Actor { client_id: guid(GROUP), autonomous: false }),
            ..person(&user(1), issued)
        };
        for (kind, principal) in [("herself", person(&user(1), issued)), ("her agent", on_behalf)] {
            let admin = Principal { roles: vec![ADMIN.into()], ..principal.clone() };
            for principal in [principal, admin] {
                let caller = enter(&mut engine, principal);
                let standing = engine.standing(caller, Timestamp::NEVER, now()).unwrap();
                assert_eq!(standing.revoked, expected, "{label}, {kind}");
                for id in ids {
                    let refused = engine.decide(caller, id, now()) == Decision::deny(Ground::Revoked);
                    assert_eq!(refused, expected.is_some(), "{label}, {kind}");
                }
                assert_eq!(engine.owners(caller, now()).is_none(), expected.is_some(), "{label}, {kind}");
                assert_eq!(engine.owning(caller, now()).is_none(), expected.is_some(), "{label}, {kind}");
                let read = Permission::parse(r#"{"name":"a.read","action":"read"}"#).unwrap();
                assert_eq!(engine.explain(caller, &read, None, now()).is_none(), expected.is_some(), "{label}, {kind}");
                if expected.is_some() {
                    assert_eq!(engine.possible_owners(caller, now()), None, "{label}, {kind}");
                    assert_eq!(engine.decide_unnumbered(caller, &read, now()), Decision::deny(Ground::Revoked));
                }
            }
        }
    }
}

#[test]
fn nobody_else_is_touched() {
    let mut engine = engine();
    load_members(&mut engine, &[], &[]);
    load_accounts(&mut engine, true, &[Said { id: user(1), says: DELETED, ..Said::default() }]);
    follow(&mut engine);
    let read = permission(&mut engine, "a.read");
    let old = person(&user(7), 0);
    for (label, principal) in [
        ("a workload", Principal { kind: PrincipalKind::Workload, ..old.clone() }),
        (
            "an agent by itself",
            Principal {
                kind: PrincipalKind::Agent,
                actor: Some(Actor { client_id: guid(GROUP), autonomous: true }),
                ..old.clone()
            },
        ),
        ("a job", Principal { kind: PrincipalKind::Pipeline, object_id: guid(&user(1)), ..old.clone() }),
        ("the same id in another tenant", Principal { tenant_id: guid(OTHER_TENANT), ..person(&user(1), 0) }),
    ] {
        let caller = enter(&mut engine, principal);
        assert_eq!(engine.standing(caller, Timestamp::NEVER, now()).unwrap().revoked, None, "{label}");
        assert_eq!(engine.decide(caller, read, now()).effect, Effect::Allow, "{label}");
    }
    // An account of an agent is one.
    load_accounts(&mut engine, false, &[Said { id: user(7), says: DISABLED, ..Said::default() }]);
    let actor = Some(Actor { client_id: guid(GROUP), autonomous: true });
    let agent = enter(&mut engine, Principal { kind: PrincipalKind::Agent, actor, ..old });
    assert_eq!(engine.decide(agent, read, now()), Decision::deny(Ground::Revoked));
}

#[test]
fn a_token_is_refused_as_soon_as_the_account_is() {
    let mut engine = engine();
    let at = profile(engine.configuration(), &format!("entra-v2:{TENANT}"));
    engine.set_keys(at, &jwks(&[RSA_A.jwk(KID)]), now()).unwrap();
    let text = token(user_v2().text());
    let caller = engine.authenticate(&text, Purpose::Access, now()).unwrap();
    let issued = engine.principal(caller, now()).unwrap().issued_at;
    assert_eq!(issued.seconds(), NOW - 60, "`iat` is kept");
    assert!(engine.cacheable_until(caller, now()).is_some());
    let other = Said { id: user(1), says: ENABLED, ..Said::default() };
    for (says, valid_from, words) in [
        (DISABLED, 0, "disabled"),
        (DELETED, 0, "deleted"),
        (ENABLED, of_seconds(issued.seconds() + limits::TOKEN_BACKDATED_SECONDS + 1), "ended"),
    ] {
        let epoch = engine.epoch();
        load_accounts(&mut engine, true, &[other.clone(), Said { id: PERSON.into(), valid_from, says }]);
        assert!(engine.epoch() > epoch, "whatever is remembered of the token must be forgotten");
        let refused = engine.authenticate(&text, Purpose::Access, now()).unwrap_err();
        assert_eq!((refused.code.as_str(), refused.profile), ("principal_revoked", Some(at)));
        let prepared = engine.prepare(&text, Purpose::Access, now(), &Portable).unwrap();
        assert_eq!(engine.take_in(prepared, now()).unwrap_err().code.as_str(), "principal_revoked");
        let inspection = engine.inspect(&text, Purpose::Access, now());
        assert_eq!((inspection.verdict, inspection.code), ("rejected", Some("principal_revoked")));
        assert!(inspection.principal.is_some(), "all that it says is proved");
        assert!(inspection.checks.iter().any(|line| line.check == "account" && line.actual.contains(words)));
    }
    load_accounts(&mut engine, true, &[other, Said { id: PERSON.into(), says: ENABLED, ..Said::default() }]);
    // Nothing takes back that all sign-ins were ended.
    assert!(engine.authenticate(&text, Purpose::Access, now()).is_err());
    let newer = token(user_v2().with("iat", (NOW - 59).to_string()).text());
    assert!(engine.authenticate(&newer, Purpose::Access, now()).is_ok(), "a sign-in of after it counts");
}

#[test]
fn an_older_token_of_somebody_is_judged_by_its_own_time() {
    let mut engine = engine();
    let said = Said { id: user(1), valid_from: of_seconds(NOW - 50), says: ENABLED };
    load_accounts(&mut engine, true, &[said]);
    let caller = enter(&mut engine, person(&user(1), NOW - 40));
    let revoked = |issued| engine.standing(caller, issued, now()).unwrap().revoked;
    assert_eq!(revoked(Timestamp::NEVER), None);
    assert_eq!(revoked(seconds(NOW - 50)), None, "the host writes the time as it is");
    assert_eq!(revoked(seconds(NOW - 51)), Some(Revocation::SignedOut));
    // A newer one makes the sign-in no younger than it is.
    let old = enter(&mut engine, person(&user(1), NOW - 60));
    assert_eq!(engine.standing(old, now(), now()).unwrap().revoked, Some(Revocation::SignedOut));
}

#[test]
fn groups_are_the_directorys_word_while_it_is_known_and_nobodys_otherwise() {
    let mut engine = engine();
    let (write, delete, read) = ("a.write", "a.delete", "a.read");
    let ids = [read, write, delete].map(|name| permission(&mut engine, name));
    // Whatever the tokens say: Ada's that she is in the group, Bob's that he is in none.
    let ada = enter(&mut engine, Principal { groups: Groups::known(vec![guid(GROUP)]), ..person(&user(1), NOW - 600) });
    let bob = enter(&mut engine, Principal { groups: Groups::known(vec![]), ..person(&user(2), NOW - 600) });
    let admin = enter(&mut engine, Principal { roles: vec![ADMIN.into()], ..person(&user(3), NOW - 600) });
    let new = enter(&mut engine, Principal { groups: Groups::known(vec![guid(GROUP)]), ..person(&user(9), NOW - 600) });
    let everybody = [ada, bob, admin, new];
    let effects = |engine: &mut Engine<Portable>, at: Timestamp| {
        everybody.map(|caller| ids.map(|id| engine.decide(caller, id, at).effect == Effect::Allow))
    };
    let words = |engine: &Engine<Portable>, at: Timestamp| {
        everybody.map(|caller| engine.standing(caller, Timestamp::NEVER, at).unwrap().word)
    };
    let unknown = [[true, false, false], [true, false, false], [true, true, false], [true, false, false]];
    assert_eq!(words(&engine, now()), [Word::Nobody(Gap::NotLoaded); 4]);
    assert_eq!(effects(&mut engine, now()), unknown, "before anything is loaded");
    load_members(&mut engine, &[user(2)], &[user(3)]);
    assert_eq!(effects(&mut engine, now()), unknown, "without accounts");
    load_accounts(&mut engine, true, &enabled(0..4));
    assert_eq!(effects(&mut engine, now()), unknown, "while nobody says how old it is");
    let round = follow(&mut engine);
    let known = [[true, false, false], [true, true, false], [true, true, false], [true, false, false]];
    assert_eq!(
        effects(&mut engine, now()),
        known,
        "admin is in the group that is kept out, others have no rule for it"
    );
    assert_eq!(
        words(&engine, now()),
        [Word::Directory, Word::Directory, Word::Directory, Word::Nobody(Gap::NewAccount)]
    );
    let last = seconds(round.until.seconds() - 1);
    assert_eq!(effects(&mut engine, last), known);
    // Without any epoch: what was remembered ends with the time.
    assert_eq!(effects(&mut engine, round.until), unknown);
    assert_eq!(words(&engine, round.until)[..3], [Word::Nobody(Gap::Stale); 3]);
    let read = Permission::parse(r#"{"name":"a.write","action":"read"}"#).unwrap();
    let groups = |caller, at| {
        let groups = engine.explain(caller, &read, None, at).unwrap().groups;
        (groups.state, groups.count.unwrap())
    };
    assert_eq!(groups(bob, last), (GroupState::Known, 1), "whatever his token lists");
    assert_eq!(groups(ada, round.until), (GroupState::Unknown, 0), "although hers lists one");
    assert_eq!(engine.possible_owners(bob, round.until), None, "may own anything");
    assert_eq!(engine.owners(bob, round.until).unwrap().len(), 1, "but for certain only himself");
    assert_eq!(engine.owners(bob, last).unwrap().len(), 2);
}

#[test]
fn a_deny_by_a_directory_role_holds_by_the_token_also_where_groups_are_followed() {
    const ROLE: &str = "aaaaaaaa-0000-4000-8000-00000000000f";
    let mut engine = engine();
    let rules = json!({ "rules": [
        { "id": "all", "effect": "allow", "permissions": ["a.*"] },
        { "id": "by-role", "effect": "allow", "permissions": ["b.read"], "principals": [{ "group": ROLE }] },
        { "id": "not-the-role", "effect": "deny", "permissions": ["a.*"], "principals": [{ "group": ROLE }] },
    ] });
    engine.set_policy(&rules.to_string(), "p").unwrap();
    let ids = ["a.read", "b.read"].map(|name| permission(&mut engine, name));
    // Long before the directory was read; a token with too many groups says nothing of roles either.
    let holder =
        enter(&mut engine, Principal { groups: Groups::known(vec![guid(ROLE)]), ..person(&user(1), NOW - 600) });
    let other =
        enter(&mut engine, Principal { groups: Groups::known(vec![guid(GROUP)]), ..person(&user(2), NOW - 600) });
    let overage = enter(&mut engine, person(&user(3), NOW - 600));
    load_members(&mut engine, &[user(1), user(2), user(3)], &[]);
    load_accounts(&mut engine, true, &enabled(0..4));
    follow(&mut engine);
    assert_eq!(engine.standing(holder, Timestamp::NEVER, now()).unwrap().word, Word::Directory);
    let effects = |engine: &mut Engine<Portable>, caller| ids.map(|id| engine.decide(caller, id, now()).effect);
    assert_eq!(
        effects(&mut engine, holder),
        [Effect::Deny, Effect::Deny],
        "also where nobody could tell that it is a role"
    );
    // Whoever names it makes no group of it: an annotation in the catalog, or the groups that are asked for as rules name them.
    engine.set_directory(directory(json!({ "groups": [{ "entityRef": "group:default/x", "groupId": ROLE }] })));
    assert_eq!(effects(&mut engine, holder)[0], Effect::Deny, "annotated");
    let asked: Vec<u8> = [GROUP, DENIED, ROLE].iter().flat_map(|id| guid(id).value().to_be_bytes()).collect();
    engine.begin_members(guid(TENANT), true, Some(&asked)).unwrap();
    let entry = json!({ "id": GROUP, "members@delta": [{ "@odata.type": "#microsoft.graph.user", "id": user(2) }] });
    engine.add_members(json!({ "value": [entry] }).to_string().as_bytes()).unwrap();
    engine.commit_members().unwrap();
    assert_eq!(effects(&mut engine, holder)[0], Effect::Deny, "asked for");
    assert_eq!(effects(&mut engine, other)[0], Effect::Allow);
    engine.set_directory_roles(vec![guid(ROLE)]);
    assert_eq!(effects(&mut engine, holder), [Effect::Deny, Effect::Deny]);
    assert_eq!(effects(&mut engine, other), [Effect::Allow, Effect::Deny]);
    assert_eq!(effects(&mut engine, overage), [Effect::Deny, Effect::Deny]);
}

#[test]
fn a_deny_of_what_a_directory_role_owns_holds_also_where_groups_are_followed() {
    const ROLE: &str = "aaaaaaaa-0000-4000-8000-00000000000f";
    let mut engine = engine();
    // Whoever may write entities may bind the role to an owner.
    engine.set_directory(directory(json!({ "groups": [{ "entityRef": "group:default/x", "groupId": ROLE }] })));
    let groups = |ids: &[&str]| Groups::known(ids.iter().map(|id| guid(id)).collect());
    let holder = enter(&mut engine, Principal { groups: groups(&[ROLE]), ..person(&user(1), NOW - 600) });
    let other = enter(&mut engine, Principal { groups: groups(&[GROUP]), ..person(&user(2), NOW - 600) });
    let overage = enter(&mut engine, person(&user(3), NOW - 600));
    load_members(&mut engine, &[user(1), user(2), user(3)], &[]);
    load_accounts(&mut engine, true, &enabled(0..4));
    follow(&mut engine);
    let may_own = |engine: &Engine<Portable>, caller| {
        let owners = engine.possible_owners(caller, now()).unwrap();
        owners.iter().any(|owner| owner.as_str() == "group:default/x")
    };
    assert_eq!(
        [holder, other, overage].map(|caller| may_own(&engine, caller)),
        [true, false, false],
        "never told apart"
    );
    engine.set_directory_roles(vec![guid(ROLE)]);
    assert_eq!([holder, other, overage].map(|caller| may_own(&engine, caller)), [true, false, true]);
    let owns = |caller| engine.owners(caller, now()).unwrap().iter().any(|owner| owner.as_str() == "group:default/x");
    assert_eq!([holder, other, overage].map(owns), [false; 3]);
}

#[test]
fn of_a_group_that_is_gone_every_replica_says_the_same() {
    // One was told of it and of its end, one began after that.
    let word = |engine: &mut Engine<Portable>| {
        load_accounts(engine, true, &enabled(0..4));
        follow(engine);
        let caller =
            enter(engine, Principal { groups: Groups::known(vec![guid(DENIED)]), ..person(&user(1), NOW - 600) });
        let delete = permission(engine, "a.delete");
        let decision = engine.decide(caller, delete, now());
        (decision.effect, decision.ground)
    };
    let [mut one, mut other] = [engine(), engine()];
    load_members(&mut one, &[user(1)], &[user(1)]);
    let leaver =
        || json!({ "@odata.type": "#microsoft.graph.user", "id": user(1), "@removed": { "reason": "deleted" } });
    let change = |engine: &mut Engine<Portable>, all: bool, entry: serde_json::Value| {
        engine.begin_members(guid(TENANT), all, None).unwrap();
        engine.add_members(json!({ "value": [entry] }).to_string().as_bytes()).unwrap();
        engine.commit_members().unwrap();
    };
    change(&mut one, false, json!({ "id": DENIED, "members@delta": [leaver()], "@absent": true }));
    let member = json!({ "@odata.type": "#microsoft.graph.user", "id": user(1) });
    change(&mut other, true, json!({ "id": GROUP, "members@delta": [member] }));
    assert_eq!(word(&mut one), (Effect::Deny, Ground::Rule(2)), "it may be a directory role");
    assert_eq!(word(&mut one), word(&mut other));

    // One that is there and has nobody in it keeps nobody out, whatever an old token lists.
    let mut last = engine();
    load_members(&mut last, &[user(1)], &[user(1)]);
    change(&mut last, false, json!({ "id": DENIED, "members@delta": [leaver()] }));
    assert_ne!(word(&mut last).1, Ground::Rule(2));
}

#[test]
fn an_admin_by_role_goes_on_and_a_deny_rule_holds_while_nothing_is_known() {
    let mut engine = engine();
    let [write, delete] = ["a.write", "a.delete"].map(|name| permission(&mut engine, name));
    let admin = enter(&mut engine, Principal { roles: vec![ADMIN.into()], ..person(&user(3), NOW) });
    assert_eq!(engine.decide(admin, write, now()).effect, Effect::Allow);
    let denied = engine.decide(admin, delete, now());
    assert_eq!(
        (denied.effect, denied.ground),
        (Effect::Deny, Ground::Rule(2)),
        "she may be in the group that is kept out"
    );
}

#[test]
fn an_epoch_begins_where_answers_may_change() {
    let mut engine = engine();
    let tenant = guid(TENANT);
    let round = |completed: u64, until: u64| Round { completed: seconds(completed), until: seconds(until) };
    for (label, told, at, begins) in [
        ("for the first time", round(NOW, NOW + 900), NOW, true),
        ("later, while the last one counts", round(NOW + 60, NOW + 960), NOW + 60, false),
        ("the same again", round(NOW + 60, NOW + 960), NOW + 61, false),
        ("it counts for less than it did", round(NOW + 60, NOW + 900), NOW + 62, true),
        ("it counts no longer", round(NOW + 60, 0), NOW + 63, true),
        ("it counts again", round(NOW + 120, NOW + 1020), NOW + 120, true),
        ("after it had ended by itself", round(NOW + 2000, NOW + 2900), NOW + 1020, true),
    ] {
        let epoch = engine.epoch();
        assert_eq!(engine.set_round(tenant, told, seconds(at)), begins, "{label}");
        assert_eq!(engine.epoch() > epoch, begins, "{label}");
    }
    let said = enabled(0..2);
    let epoch = engine.epoch();
    load_accounts(&mut engine, true, &said);
    assert_eq!(engine.epoch(), epoch + 1);
}

#[test]
fn break_glass_lets_one_person_in_while_the_directory_has_no_word() {
    let mut engine = engine_with(&[TENANT, &user(5)]);
    let [read, write, delete, manage] =
        ["a.read", "a.write", "a.delete", "catalog.entity.delete"].map(|name| permission(&mut engine, name));
    let named = person(&user(5), NOW - 600);
    let ground = |engine: &mut Engine<Portable>, principal: &Principal, id, at| {
        let caller = enter(engine, principal.clone());
        let decision = engine.decide(caller, id, at);
        (decision.effect, decision.ground)
    };
    let allowed = (Effect::Allow, Ground::BreakGlass);
    let (fallback, rule) = ((Effect::Deny, Ground::Unmet), (Effect::Allow, Ground::Rule(1)));
    assert_eq!(ground(&mut engine, &named, write, now()), allowed);
    assert_eq!(ground(&mut engine, &named, manage, now()), allowed, "whatever it is");
    assert_eq!(ground(&mut engine, &named, read, now()), rule, "what a rule allows it allows");
    assert_eq!(ground(&mut engine, &named, delete, now()), (Effect::Deny, Ground::Rule(2)), "a deny rule holds");
    let actor = Some(Actor { client_id: guid(GROUP), autonomous: false });
    let agent = Principal { kind: PrincipalKind::Agent, actor, ..named.clone() };
    for (label, other) in [
        ("her agent", agent),
        ("somebody else", person(&user(6), NOW)),
        ("her id in another tenant", Principal { tenant_id: guid(OTHER_TENANT), ..named.clone() }),
    ] {
        assert_eq!(ground(&mut engine, &other, write, now()), fallback, "{label}");
    }
    load_members(&mut engine, &[], &[]);
    load_accounts(&mut engine, true, &enabled(5..6));
    let round = follow(&mut engine);
    assert_eq!(ground(&mut engine, &named, write, now()).0, Effect::Deny, "not while the directory is known");
    assert_eq!(ground(&mut engine, &person(&user(8), NOW), write, now()), fallback, "nor for a new account");
    assert_eq!(ground(&mut engine, &named, write, round.until), allowed, "again when it is too old");
    let caller = enter(&mut engine, named.clone());
    let asked = Permission::parse(r#"{"name":"a.write","action":"read"}"#).unwrap();
    let explained = engine.explain(caller, &asked, None, round.until).unwrap();
    assert_eq!((explained.result, explained.rule), (Effect::Allow, None));
    assert!(explained.reasons[0].starts_with("break_glass: "), "{:?}", explained.reasons);
    load_accounts(&mut engine, false, &[Said { id: user(5), says: DISABLED, ..Said::default() }]);
    let revoked = (Effect::Deny, Ground::Revoked);
    assert_eq!(ground(&mut engine, &named, write, round.until), revoked, "never for an account that is not in force");
}

/// Who is who, in the twin
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Known {
    disabled: bool,
    deleted: bool,
    valid_from: u32,
}

#[test]
fn loads_in_any_order_come_to_what_a_twin_makes_of_them() {
    let mut refused = BTreeMap::<&str, u32>::new();
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let mut engine = engine();
        let mut twin: BTreeMap<String, Known> = BTreeMap::new();
        load_members(&mut engine, &[], &[]);
        let read = permission(&mut engine, "a.read");
        let callers: Vec<_> = (0..8)
            .map(|at| (user(at), NOW - 2000 + 300 * u64::try_from(random.below(8)).unwrap()))
            .map(|(id, issued)| (enter(&mut engine, person(&id, issued)), id, issued))
            .collect();
        let mut completed = None;
        for step in 0..10 {
            let all = step == 0 || random.chance(1, 5);
            let said: Vec<_> = (0..random.below(7))
                .map(|_| Said {
                    id: user(random.below(6)),
                    valid_from: random.pick(&[0, 0, 0, of_seconds(NOW - 1500), of_seconds(NOW - 700)]),
                    says: random.pick(&[0, ENABLED, ENABLED, DISABLED, DELETED]),
                })
                .collect();
            let before = twin.clone();
            let listed: Vec<_> = said.iter().map(|one| one.id.clone()).collect();
            for (id, known) in &mut twin {
                known.deleted |= all && !listed.contains(id);
            }
            for Said { id, valid_from, says } in &said {
                let known = twin.entry(id.clone()).or_default();
                known.deleted = *says == DELETED;
                known.disabled = if *says & (ENABLED | DISABLED) == 0 { known.disabled } else { *says == DISABLED };
                known.valid_from = known.valid_from.max(*valid_from);
            }
            if all || !before.is_empty() {
                let out = twin.values().filter(|known| known.deleted || known.disabled).count();
                let out = u32::try_from(out).unwrap();
                assert_eq!(
                    engine.set_accounts(guid(TENANT), all, &entries(&said)),
                    Ok(out),
                    "seed {seed}, step {step}"
                );
                // A replay changes nothing.
                if !all && random.chance(1, 3) {
                    assert_eq!(engine.set_accounts(guid(TENANT), false, &entries(&said)), Ok(out));
                }
            } else {
                assert!(engine.set_accounts(guid(TENANT), false, &entries(&said)).is_err(), "nothing to change");
                twin = before;
            }
            if random.chance(1, 2) {
                let at = NOW - 1200 + 100 * u64::try_from(random.below(12)).unwrap();
                engine.set_round(guid(TENANT), Round { completed: seconds(at), until: seconds(NOW + 900) }, now());
                completed = Some(at);
            }
            // A new account is looked at again after a while.
            let at = now().after(limits::NEW_ACCOUNT_AGAIN_SECONDS * (step + 1));
            for (caller, id, issued) in &callers {
                let expected = match twin.get(id) {
                    Some(known) if known.deleted => Some("deleted"),
                    Some(known) if known.disabled => Some("disabled"),
                    Some(known) if *issued < u64::from(known.valid_from) => Some("signed out"),
                    None if !twin.is_empty()
                        && completed.is_some_and(|at| issued + limits::NEW_ACCOUNT_SECONDS <= at) =>
                    {
                        Some("absent")
                    }
                    _ => None,
                };
                *refused.entry(expected.unwrap_or("in force")).or_default() += 1;
                let decision = engine.decide(*caller, read, at);
                let label = format!("seed {seed}, step {step}, {id}: {expected:?}");
                assert_eq!(decision.ground == Ground::Revoked, expected.is_some(), "{label}");
                assert_eq!(decision.effect == Effect::Allow, expected.is_none(), "{label}");
                assert_eq!(engine.owners(*caller, at).is_none(), expected.is_some(), "{label}");
            }
        }
    }
    assert!(refused.len() == 5 && refused.values().all(|count| *count > 500), "{refused:?}: the worlds are too poor");
}

#[test]
fn entries_that_are_not_whole_are_none() {
    let mut engine = engine();
    let bytes = entries(&enabled(0..2));
    let epoch = engine.epoch();
    assert!(engine.set_accounts(guid(TENANT), true, &bytes[1..]).is_err());
    assert!(engine.set_accounts(guid(TENANT), false, &bytes).is_err(), "nothing to change yet");
    assert_eq!(engine.epoch(), epoch);
    // A load without anybody is none: nobody is refused by it, and nothing is known.
    engine.set_accounts(guid(TENANT), true, &[]).unwrap();
    load_members(&mut engine, &[], &[]);
    follow(&mut engine);
    let caller = enter(&mut engine, person(&user(1), 0));
    let standing = engine.standing(caller, Timestamp::NEVER, now()).unwrap();
    assert_eq!((standing.revoked, standing.word), (None, Word::Nobody(Gap::NotLoaded)));
}
