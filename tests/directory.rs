//! The directory by the engine's public face, against a twin that follows every edge by name

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{
    NOW,
    accounts::{Said, entries},
    claims::TENANT,
    directory::directory,
    naive_directory::NaiveDirectory,
    now,
    random::Random,
    scene::{Scene, configuration, tenant},
};
use entra_access_core::{
    directory::{EntityRef, GroupMapping, Round, accounts::ENABLED},
    engine::Engine,
    identity::{Assurance, Groups, Guid, Handle, Principal, PrincipalKind},
    keys::portable::Portable,
    policy::{Effect, Permission, Resource},
    time::Timestamp,
};
use serde_json::{Value, json};

const ME: &str = "user:default/me";

fn guid(text: &str) -> Guid {
    Guid::parse(text.as_bytes()).unwrap()
}

fn group(at: usize) -> String {
    format!("aaaaaaaa-0000-4000-8000-{at:012x}")
}

fn user(at: usize) -> String {
    format!("bbbbbbbb-0000-4000-8000-{at:012x}")
}

fn owner(at: usize) -> String {
    format!("group:default/g{at}")
}

/// Where the directory is the source of groups
fn engine_of(mapping: &[(String, String)], depth: Option<usize>) -> Engine<Portable> {
    engine_with(true, mapping, depth)
}

fn engine_with(live: bool, mapping: &[(String, String)], depth: Option<usize>) -> Engine<Portable> {
    let mut configuration = Scene::standard("directory", Vec::new()).configuration;
    configuration.groups.live = live;
    configuration.groups.max_depth = depth.map(|depth| u32::try_from(depth).unwrap());
    configuration.groups.mapping = mapping
        .iter()
        .map(|(id, owner)| GroupMapping { group: guid(id), owner: EntityRef::parse(owner).unwrap() })
        .collect();
    Engine::new(configuration, Portable, 0)
}

fn enter(engine: &mut Engine<Portable>, object: &str, groups: Groups) -> Handle {
    let principal = Principal {
        kind: PrincipalKind::User,
        issuer: "directory".into(),
        tenant_id: guid(TENANT),
        object_id: guid(object),
        client_id: None,
        actor: None,
        groups,
        roles: Vec::new(),
        assurance: Assurance::default(),
        job: None,
        name: None,
        issued_at: now(),
        expires_at: now(),
    };
    let until = Timestamp::from_seconds(NOW + 60);
    engine.admit(principal, EntityRef::parse(ME).unwrap(), until, now())
}

fn known(ids: &BTreeSet<String>) -> Groups {
    Groups::known(ids.iter().map(|id| guid(id)).collect())
}

fn names(owners: Vec<EntityRef>) -> BTreeSet<String> {
    owners.iter().map(ToString::to_string).filter(|name| name != ME).collect()
}

/// A group with members as Graph lists them
fn entry(group: &str, members: &BTreeSet<String>) -> Value {
    let members: Vec<_> = members.iter().map(|id| member(id)).collect();
    json!({ "id": group, "members@delta": members })
}

fn member(id: &str) -> Value {
    let kind = if id.starts_with('a') { "group" } else { "user" };
    json!({ "@odata.type": format!("#microsoft.graph.{kind}"), "id": id })
}

fn page(entries: &[Value]) -> String {
    json!({ "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#groups", "value": entries }).to_string()
}

fn load(engine: &mut Engine<Portable>, all: bool, pages: &[String]) {
    load_covering(engine, all, pages, None);
}

/// The same where only these groups were asked for
fn load_covering(engine: &mut Engine<Portable>, all: bool, pages: &[String], covered: Option<&[String]>) {
    let covered: Option<Vec<u8>> =
        covered.map(|ids| ids.iter().flat_map(|id| guid(id).value().to_be_bytes()).collect());
    engine.begin_members(guid(TENANT), all, covered.as_deref()).unwrap();
    for page in pages {
        engine.add_members(page.as_bytes()).unwrap();
    }
    engine.commit_members().unwrap();
    let accounts: Vec<_> = (0..8).map(|at| Said { id: user(at), says: ENABLED, ..Said::default() }).collect();
    engine.set_accounts(guid(TENANT), true, &entries(&accounts)).unwrap();
    // The tokens of these tests are a little newer.
    let round = Round { completed: now().before(10), until: now().after(600) };
    engine.set_round(guid(TENANT), round, now());
}

fn only_owners(reached: BTreeSet<String>) -> BTreeSet<String> {
    reached.into_iter().filter(|name| name.starts_with("group:")).collect()
}

#[test]
fn owners_are_what_following_every_edge_finds() {
    let (entra, owners, users): (Vec<_>, Vec<_>, Vec<_>) =
        ((0..7).map(group).collect(), (0..9).map(owner).collect(), (0..4).map(user).collect());
    let (mut found, mut doubted) = (0, 0);
    for seed in 0..2000 {
        let mut random = Random::new(seed);
        let twin = NaiveDirectory::generate(&mut random, &entra, &owners, &users);
        for loaded in [false, true] {
            let mut engine = engine_with(loaded, &twin.mapping, twin.depth);
            engine.set_directory(directory(twin.catalog()));
            let mut seen = twin.clone();
            if loaded {
                let entries: Vec<_> = twin.members.iter().map(|(group, members)| entry(group, members)).collect();
                load(&mut engine, true, &[page(&entries)]);
            } else {
                seen.members.clear();
            }
            for who in &users {
                let token: BTreeSet<String> = random.some(&entra, 1, 3).into_iter().collect();
                let caller = enter(&mut engine, who, known(&token));
                let direct = seen.groups_of(who);
                let from = if loaded { direct } else { token.clone() };
                let sure = only_owners(seen.reached(&from, false));
                let possible = only_owners(seen.reached(&from.union(&token).cloned().collect(), true));
                let label = format!("seed {seed}, loaded {loaded}, {who}: {twin:#?}");
                assert_eq!(names(engine.owners(caller, now()).unwrap()), sure, "{label}");
                assert_eq!(names(engine.possible_owners(caller, now()).unwrap()), possible, "{label}");
                for owner in &owners {
                    let resource = json!({ "entityRef": "component:default/x", "owners": [owner] });
                    let resource = Resource::parse(&resource.to_string()).unwrap().unwrap();
                    let principal = engine.principal(caller, now()).unwrap();
                    let standing = engine.directory().standing(principal, principal.issued_at, now());
                    let path = engine.directory().path(principal, &standing, &resource.owners[0]);
                    assert_eq!(path.is_some(), sure.contains(owner), "{label}");
                    if let Some(path) = path {
                        assert_eq!(path.owners[0].as_str(), owner);
                        assert!(from.contains(&path.groups.last().unwrap().to_string()), "{label}");
                    }
                }
                found += sure.len();
                doubted += possible.len() - sure.len();
            }
        }
    }
    assert!(found > 20_000 && doubted > 10_000, "{found} {doubted}: the worlds are too poor");
}

#[test]
fn changes_come_to_the_same_as_loading_anew() {
    let (entra, users): (Vec<_>, Vec<_>) = ((0..6).map(group).collect(), (0..6).map(user).collect());
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let mut twin = NaiveDirectory::generate(&mut random, &entra, &[owner(0)], &users);
        (twin.groups, twin.mapping, twin.depth) = (Vec::new(), Vec::new(), None);
        let mut engine = engine_of(&[], None);
        let entries: Vec<_> = twin.members.iter().map(|(group, members)| entry(group, members)).collect();
        load(&mut engine, true, &[page(&entries)]);
        for _ in 0..6 {
            let mut entries = Vec::new();
            for _ in 0..random.below(5) {
                let group = random.pick(&entra);
                if random.chance(1, 6) {
                    entries.push(json!({ "id": group, "@removed": { "reason": "changed" } }));
                    twin.members.remove(&group);
                    twin.members.values_mut().for_each(|members| members.retain(|member| *member != group));
                    continue;
                }
                let mut listed = Vec::new();
                let members = twin.members.entry(group.clone()).or_default();
                for id in random.some(&[users.clone(), entra.clone()].concat(), 1, 5) {
                    let mut json = member(&id);
                    if random.chance(1, 2) {
                        json["@removed"] = json!({ "reason": "deleted" });
                        members.remove(&id);
                    } else {
                        members.insert(id);
                    }
                    listed.push(json);
                }
                // The group's id may come last.
                entries.push(json!({ "members@delta": listed, "id": group, "displayName": "x" }));
            }
            let at = random.below(entries.len() + 1);
            load(&mut engine, false, &[page(&entries[..at]), page(&entries[at..])]);
            for who in &users {
                let expected: BTreeSet<String> = twin.reached(&twin.groups_of(who), false);
                let member = engine.directory().member(guid(TENANT), guid(who));
                let groups: BTreeSet<String> = member
                    .map(|member| {
                        let nodes = engine.directory_mut().resolve(member).to_vec();
                        let ids = nodes.into_iter().map(|node| engine.directory().group_id(node).unwrap().to_string());
                        ids.collect()
                    })
                    .unwrap_or_default();
                assert_eq!(groups, expected, "seed {seed}, {who}: {twin:#?}");
            }
        }
    }
}

/// The size of the goal: 100,000 users, 20,000 groups, eight levels, several parents, cycles
#[test]
fn a_large_tenant_is_resolved_as_step_by_step() {
    const GROUPS: usize = 20_000;
    const USERS: usize = 100_000;
    let mut random = Random::new(8);
    let mut inside: Vec<Vec<usize>> = vec![Vec::new(); GROUPS];
    let mut above: Vec<Vec<usize>> = vec![Vec::new(); GROUPS];
    let level = GROUPS / 8;
    for (at, parents) in above.iter_mut().enumerate().skip(level) {
        for _ in 0..=random.below(2) {
            let group = at / level * level - level + random.below(level);
            inside[group].push(at);
            parents.push(group);
        }
    }
    // From the top back into the bottom that it is reached from: cycles of eight groups and more.
    for _ in 0..20 {
        let bottom = GROUPS - 1 - random.below(level);
        let mut top = bottom;
        while top >= level {
            top = above[top][0];
        }
        inside[bottom].push(top);
        above[top].push(bottom);
    }
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); GROUPS];
    let mut direct: Vec<Vec<usize>> = vec![Vec::new(); USERS];
    for (at, groups) in direct.iter_mut().enumerate() {
        for _ in 0..if at % 100 == 0 { 200 } else { 8 } {
            let group = random.below(GROUPS);
            groups.push(group);
            users[group].push(at);
        }
    }
    let mut engine = engine_of(&[], None);
    engine.begin_members(guid(TENANT), true, None).unwrap();
    for first in (0..GROUPS).step_by(500) {
        let entries: Vec<_> = (first..first + 500)
            .map(|at| {
                let members = users[at].iter().map(|at| user(*at)).chain(inside[at].iter().map(|at| group(*at)));
                entry(&group(at), &members.collect())
            })
            .collect();
        engine.add_members(page(&entries).as_bytes()).unwrap();
    }
    let report = engine.commit_members().unwrap();
    assert_eq!((report.groups, report.principals), (GROUPS, USERS));
    assert!(report.bytes < 20_000_000, "{report:?}");
    for at in (0..USERS).step_by(97) {
        let mut reached = BTreeSet::new();
        let mut open = direct[at].clone();
        while let Some(group) = open.pop() {
            if reached.insert(group) {
                open.extend(&above[group]);
            }
        }
        let member = engine.directory().member(guid(TENANT), guid(&user(at))).unwrap();
        let nodes = engine.directory_mut().resolve(member).to_vec();
        assert_eq!(nodes.len(), reached.len(), "user {at}");
        let ids: BTreeSet<_> = nodes.iter().map(|node| engine.directory().group_id(*node).unwrap()).collect();
        assert_eq!(ids, reached.iter().map(|at| guid(&group(*at))).collect(), "user {at}");
    }
}

#[test]
fn a_page_that_is_none_gives_up_the_whole_loading() {
    let mut engine = engine_of(&[], None);
    assert!(engine.add_members(b"{}").is_err() && engine.commit_members().is_err());
    assert!(engine.begin_members(guid(TENANT), false, None).is_err(), "nothing to change");
    let one: BTreeSet<String> = [user(1)].into();
    let good = page(&[entry(&group(1), &one)]);
    load(&mut engine, true, std::slice::from_ref(&good));
    let epoch = engine.epoch();
    let id = group(2);
    for bad in [
        String::new(),
        "[]".into(),
        "{}".into(),
        r#"{"error":{"code":"TooManyRequests"}}"#.into(),
        r#"{"value":{}}"#.into(),
        r#"{"value":[],"value":[]}"#.into(),
        r#"{"value":[{"members@delta":[]}]}"#.into(),
        r#"{"value":[{"id":"payments"}]}"#.into(),
        format!(r#"{{"value":[{{"id":"{id}","id":"{id}"}}]}}"#),
        format!(r#"{{"value":[{{"id":"{id}","members@delta":[{{"id":"{id}"}}]}}]}}"#),
        format!(r##"{{"value":[{{"id":"{id}","members@delta":[{{"@odata.type":"#microsoft.graph.user"}}]}}]}}"##),
        format!(
            r##"{{"value":[{{"id":"{id}","members@delta":[{{"@odata.type":"#microsoft.graph.user","id":"ada"}}]}}]}}"##
        ),
        format!(r#"{{"value":[{{"id":"{id}","members@delta":null}}]}}"#),
        good[..good.len() - 1].into(),
    ] {
        engine.begin_members(guid(TENANT), true, None).unwrap();
        engine.add_members(good.as_bytes()).unwrap();
        assert!(engine.add_members(bad.as_bytes()).is_err(), "{bad}");
        assert!(engine.add_members(good.as_bytes()).is_err(), "given up after {bad}");
        assert!(engine.commit_members().is_err(), "given up after {bad}");
    }
    assert_eq!(engine.epoch(), epoch);
    assert!(engine.directory().member(guid(TENANT), guid(&user(1))).is_some(), "the directory stays");
}

#[test]
fn what_stands_beside_the_groups_and_spaces_do_not_matter() {
    let mut engine = engine_of(&[], None);
    engine.begin_members(guid(TENANT), true, None).unwrap();
    let text = format!(
        "{{ \"value\" : [ {{ \"id\" : \"{}\", \"members@delta\" : [ {{ \"id\" : \"{}\" , \"@odata.type\" : \"#microsoft.graph.servicePrincipal\" }} ] }} ],\n\"@odata.nextLink\": \"https://graph.microsoft.com/v1.0/groups/delta?$skiptoken=\\u0041\" }}",
        group(1),
        user(1)
    );
    let report = engine.add_members(text.as_bytes()).unwrap();
    assert_eq!((report.groups, report.members), (1, 1));
    let last = r#"{"value":[],"@odata.deltaLink":{"any":["thing"]}}"#;
    assert_eq!(engine.add_members(last.as_bytes()).unwrap().groups, 0);
    assert_eq!(engine.commit_members().unwrap().memberships, 1);
}

#[test]
fn ids_that_the_catalog_no_longer_names_are_forgotten() {
    let mut engine = engine_of(&[], None);
    for round in 0..3 {
        let groups: Vec<_> =
            (0..200).map(|at| json!({ "entityRef": owner(at), "groupId": group(round * 1000 + at) })).collect();
        engine.set_directory(directory(json!({ "groups": groups })));
    }
    engine.begin_members(guid(TENANT), true, None).unwrap();
    assert_eq!(engine.commit_members().unwrap().groups, 200);
}

#[test]
fn a_user_of_another_tenant_with_the_same_id_is_somebody_else() {
    let other = "2b2b2b2b-2222-3333-4444-5555555555ff";
    let tenants = json!([tenant(TENANT, "global"), tenant(other, "global")]);
    let mut engine = Engine::new(configuration(&tenants, &json!({}), &json!({})), Portable, 0);
    engine.set_directory(directory(json!({ "groups": [{ "entityRef": owner(1), "groupId": group(1) }] })));
    engine.begin_members(guid(other), true, None).unwrap();
    engine.add_members(page(&[entry(&group(1), &[user(1)].into())]).as_bytes()).unwrap();
    engine.commit_members().unwrap();
    let caller = enter(&mut engine, &user(1), Groups::known(Vec::new()));
    assert_eq!(names(engine.owners(caller, now()).unwrap()), BTreeSet::new());
}

#[test]
fn who_lost_the_last_group_has_none_whatever_the_token_still_says() {
    let mut engine = engine_of(&[], None);
    engine.set_directory(directory(json!({ "groups": [{ "entityRef": owner(1), "groupId": group(1) }] })));
    let full = page(&[entry(&group(1), &[user(1)].into())]);
    let token = || Groups::known(vec![guid(&group(1))]);
    for (all, change) in [
        (
            false,
            json!({ "id": group(1), "members@delta": [
            { "@odata.type": "#microsoft.graph.user", "id": user(1), "@removed": { "reason": "deleted" } },
        ] }),
        ),
        (false, json!({ "id": group(1), "@removed": { "reason": "deleted" } })),
        (true, json!({ "id": group(1), "members@delta": [] })),
    ] {
        load(&mut engine, true, std::slice::from_ref(&full));
        let caller = enter(&mut engine, &user(1), token());
        assert_eq!(names(engine.owners(caller, now()).unwrap()), [owner(1)].into());
        load(&mut engine, all, &[page(&[change])]);
        assert_eq!(names(engine.owners(caller, now()).unwrap()), BTreeSet::new());
        assert_eq!(names(engine.possible_owners(caller, now()).unwrap()), [owner(1)].into(), "enough for a deny");
        let stranger = enter(&mut engine, &user(2), token());
        assert_eq!(names(engine.owners(stranger, now()).unwrap()), BTreeSet::new(), "never a member");
        let new = enter(&mut engine, &user(99), token());
        assert_eq!(names(engine.owners(new, now()).unwrap()), BTreeSet::new(), "never heard of");
        assert_eq!(engine.possible_owners(new, now()), None, "and so it may own anything");
    }
}

#[test]
fn rules_about_groups_go_by_the_directory_too() {
    let mut engine = engine_of(&[], None);
    let rule = |id: &str, effect: &str, permissions: &[&str], group: &str| json!({ "id": id, "effect": effect, "permissions": permissions, "principals": [{ "group": group }] });
    let rules = json!({ "rules": [
        rule("members", "allow", &["a.b"], &group(1)),
        rule("outer", "allow", &["a.c"], &group(2)),
        { "id": "all", "effect": "allow", "permissions": ["c.d", "c.e"] },
        rule("not-members", "deny", &["c.d"], &group(1)),
        rule("not-outer", "deny", &["c.e"], &group(2)),
    ] });
    engine.set_policy(&rules.to_string(), "p").unwrap();
    let ids = ["a.b", "a.c", "c.d", "c.e"]
        .map(|name| Permission::parse(&json!({ "name": name }).to_string()).unwrap())
        .map(|permission| engine.permission_id(permission).unwrap());
    let nested = entry(&group(2), &[group(1)].into());
    let (allow, deny) = (Effect::Allow, Effect::Deny);
    let in_it = [entry(&group(1), &[user(1)].into()), nested.clone()];
    let lost = [entry(&group(1), &[user(2)].into()), entry(&group(3), &[user(1)].into()), nested];
    for (label, members, token, expected) in [
        ("joined since", &in_it[..], Groups::known(vec![]), [allow, allow, deny, deny]),
        ("in both", &in_it[..], known(&[group(1), group(2)].into()), [allow, allow, deny, deny]),
        ("never in it", &lost[..], Groups::known(vec![]), [deny, deny, allow, allow]),
        ("lost since: enough for a deny", &lost[..], known(&[group(1)].into()), [deny, deny, deny, allow]),
        ("the token does not say", &lost[..], Groups::unknown(), [deny, deny, allow, allow]),
        ("only the directory says", &in_it[..], Groups::unknown(), [allow, allow, deny, deny]),
    ] {
        load(&mut engine, true, &[page(members)]);
        let caller = enter(&mut engine, &user(1), token);
        assert_eq!(ids.map(|id| engine.decide(caller, id, now()).effect), expected, "{label}");
    }
}

#[test]
fn a_group_that_was_not_loaded_denies_and_never_allows() {
    let mut engine = engine_of(&[], None);
    let rules = json!({ "rules": [
        { "id": "members", "effect": "allow", "permissions": ["a.b"], "principals": [{ "group": group(1) }] },
        { "id": "all", "effect": "allow", "permissions": ["c.d"] },
        { "id": "kept-out", "effect": "deny", "permissions": ["c.d"], "principals": [{ "group": group(1) }] },
    ] });
    engine.set_policy(&rules.to_string(), "p").unwrap();
    let ids = ["a.b", "c.d"]
        .map(|name| Permission::parse(&json!({ "name": name }).to_string()).unwrap())
        .map(|permission| engine.permission_id(permission).unwrap());
    let (allow, deny) = (Effect::Allow, Effect::Deny);
    let (here, elsewhere) = (entry(&group(1), &[user(1)].into()), entry(&group(1), &[user(2)].into()));
    let (nested, other) = (entry(&group(1), &[group(2)].into()), entry(&group(2), &[user(2)].into()));
    let unknown = [deny, deny];
    for (label, pages, covered, expected) in [
        ("everything was loaded", vec![elsewhere.clone()], None, [deny, allow]),
        ("it was loaded", vec![elsewhere.clone()], Some(vec![group(1)]), [deny, allow]),
        ("it was asked for and has nobody", vec![], Some(vec![group(3), group(1)]), [deny, allow]),
        ("it was not asked for", vec![other.clone()], Some(vec![group(2)]), unknown),
        ("nothing was asked for", vec![], Some(vec![]), unknown),
        ("nothing, and it came all the same", vec![here], Some(vec![]), [allow, deny]),
        ("one in it was not asked for", vec![nested.clone()], Some(vec![group(1)]), unknown),
        ("one in it was", vec![nested, other], Some(vec![group(1), group(2)]), [deny, allow]),
    ] {
        for all in [true, false] {
            // Changes bring their own coverage: a load of everything before them is no longer all.
            if !all {
                load(&mut engine, true, &[]);
            }
            load_covering(&mut engine, all, &[page(&pages)], covered.as_deref());
            let caller = enter(&mut engine, &user(1), Groups::known(vec![]));
            assert_eq!(ids.map(|id| engine.decide(caller, id, now()).effect), expected, "{label}, all: {all}");
            let permission = Permission::parse(r#"{"name":"a.b"}"#).unwrap();
            let reasons = engine.explain(caller, &permission, None, now()).unwrap().reasons;
            let says = reasons.iter().any(|reason| reason.contains("whether it is for the principal is not known"));
            assert_eq!(says, expected == unknown, "{label}: {reasons:?}");
        }
    }
}

/// Of a directory of which only some groups were loaded, nothing is said that the whole one denies
#[test]
fn what_a_part_of_the_directory_says_holds_of_the_whole() {
    let (entra, owners, users): (Vec<_>, Vec<_>, Vec<_>) =
        ((0..6).map(group).collect(), (0..5).map(owner).collect(), (0..4).map(user).collect());
    let mut counts = [0; 3];
    for seed in 0..600 {
        let mut random = Random::new(seed);
        let whole = NaiveDirectory::generate(&mut random, &entra, &owners, &users);
        let covered = random.some(&entra, 2, 3);
        let mut part = whole.clone();
        part.members.retain(|group, _| covered.contains(group));
        // A group is known where none inside it is missing.
        let missing: Vec<_> = entra.iter().filter(|group| !covered.contains(group)).cloned().collect();
        let is_open =
            |group: &String| missing.iter().any(|id| whole.reached(&[id.clone()].into(), false).contains(group));
        let open: BTreeSet<String> = entra.iter().filter(|group| is_open(group)).cloned().collect();

        let mut engine = engine_of(&whole.mapping, whole.depth);
        engine.set_directory(directory(whole.catalog()));
        let rules: Vec<_> = entra
            .iter()
            .enumerate()
            .flat_map(|(at, group)| {
                let of = json!([{ "group": group }]);
                [
                    json!({ "id": format!("in-{at}"), "effect": "allow", "permissions": [format!("in.{at}")], "principals": of }),
                    json!({ "id": format!("all-{at}"), "effect": "allow", "permissions": [format!("out.{at}")] }),
                    json!({ "id": format!("out-{at}"), "effect": "deny", "permissions": [format!("out.{at}")], "principals": of }),
                ]
            })
            .collect();
        engine.set_policy(&json!({ "rules": rules }).to_string(), "p").unwrap();
        let entries: Vec<_> = part.members.iter().map(|(group, members)| entry(group, members)).collect();
        load_covering(&mut engine, true, &[page(&entries)], Some(&covered));
        for who in &users {
            let caller = enter(&mut engine, who, Groups::known(vec![]));
            let found = part.reached(&part.groups_of(who), false);
            let truth = whole.reached(&whole.groups_of(who), false);
            let label = format!("seed {seed}, {who}, covered {covered:?}: {whole:#?}");
            for (at, group) in entra.iter().enumerate() {
                let mut allows = |word: &str| {
                    let permission = Permission::parse(&json!({ "name": format!("{word}.{at}") }).to_string()).unwrap();
                    let id = engine.permission_id(permission).unwrap();
                    engine.decide(caller, id, now()).effect == Effect::Allow
                };
                let (inside, outside) = (allows("in"), allows("out"));
                assert_eq!(
                    (inside, outside),
                    (found.contains(group), !found.contains(group) && !open.contains(group)),
                    "{label}"
                );
                assert!(!inside || truth.contains(group), "{label}");
                assert!(!outside || !truth.contains(group), "{label}");
                counts[0] += usize::from(!inside && !outside);
                counts[1] += usize::from(outside);
            }
            let (owned, may_own) =
                (engine.owners(caller, now()).unwrap(), engine.possible_owners(caller, now()).unwrap());
            let (owned, may_own, truth) = (names(owned), names(may_own), only_owners(truth));
            let is_bound = |group: &&String| {
                let by_catalog = whole.groups.iter().any(|known| matches!(&known.id, Some(Ok(id)) if id == *group));
                by_catalog || whole.mapping.iter().any(|(id, _)| id == *group)
            };
            let bound: BTreeSet<String> = open.iter().filter(is_bound).cloned().collect();
            let starts: BTreeSet<String> = part.groups_of(who).union(&bound).cloned().collect();
            assert_eq!(may_own, only_owners(part.reached(&starts, true)), "{label}");
            assert!(owned.is_subset(&truth) && truth.is_subset(&may_own), "{label}");
            counts[2] += may_own.difference(&owned).count();
        }
    }
    assert!(counts.iter().all(|count| *count > 2_000), "{counts:?}: the worlds are too poor");
}

#[test]
fn an_explanation_names_the_way() {
    let mut engine = engine_of(&[], None);
    engine
        .set_policy(r#"{"rules":[{"id":"own","effect":"allow","permissions":["*"],"when":{"owned":true}}]}"#, "p")
        .unwrap();
    engine.set_directory(directory(json!({ "groups": [
        { "entityRef": "group:default/division" },
        { "entityRef": "group:default/payments", "parent": "group:default/division" },
        { "entityRef": "group:default/engineers", "groupId": group(1), "parent": "group:default/payments" },
    ] })));
    load(&mut engine, true, &[page(&[entry(&group(1), &[group(2)].into()), entry(&group(2), &[user(1)].into())])]);
    let caller = enter(&mut engine, &user(1), known(&[group(1), group(2)].into()));
    let explain = |owner: &str| {
        let permission =
            json!({ "name": "catalog.entity.delete", "action": "delete", "resourceType": "catalog-entity" });
        let resource = json!({ "entityRef": "component:default/x", "owners": [owner] });
        let (permission, resource) = (
            Permission::parse(&permission.to_string()).unwrap(),
            Resource::parse(&resource.to_string()).unwrap().unwrap(),
        );
        engine.explain(caller, &permission, Some(&resource), now()).unwrap()
    };
    let explanation = explain("group:default/division");
    assert_eq!(explanation.result, Effect::Allow);
    let way = "`component:default/x` is owned by `group:default/division`, which contains `group:default/payments`, which contains `group:default/engineers`, and the principal is a member of its Entra group";
    let expected = format!("rule `own` allows it: {way} {} through {}", group(1), group(2));
    assert_eq!(explanation.reasons[0], expected);
    assert_eq!(explanation.groups.matched, [guid(&group(1)), guid(&group(2))]);
    assert_eq!(explain("group:default/nobody").result, Effect::Deny);
}

#[test]
fn slips_in_the_catalog_are_reported_and_never_widen() {
    let mut engine = engine_with(false, &[], None);
    let evil = "url:https://git.example.com/evil.yaml";
    let report = engine.set_directory(directory(json!({ "groups": [
        { "entityRef": owner(0), "groupId": group(0), "parent": owner(0) },
        { "entityRef": owner(1), "groupId": group(1), "parent": "group:default/gone" },
        { "entityRef": owner(2), "groupId": group(2), "children": [owner(0)], "location": evil, "origin": evil },
        { "entityRef": owner(3), "groupId": 7, "children": ["group:default/gone", owner(3)] },
        { "entityRef": owner(4), "parent": owner(5), "location": evil },
        { "entityRef": owner(5) },
    ] })));
    let problems: BTreeMap<_, _> =
        report.problems.iter().map(|problem| (problem.entity_ref.clone() + &problem.message[..12], ())).collect();
    assert_eq!(report.problems.len(), problems.len());
    for (entity, says) in [
        (owner(0), "spec.parent names the group itself"),
        (owner(1), "spec.parent names `group:default/gone`, which is no group in the catalog"),
        (owner(2), "it claims the Entra group"),
        (owner(3), "is not a GUID"),
        (owner(3), "spec.children names the group itself"),
        (owner(4), "it nests groups, but `url:https://git.example.com/evil.yaml` (read from `msgraph:test/1`)"),
    ] {
        let told = report.problems.iter().any(|problem| problem.entity_ref == entity && problem.message.contains(says));
        assert!(told, "{entity}: {says}: {report:#?}");
    }
    assert_eq!((report.groups, report.owners, report.nested, report.problems.len()), (2, 2, 0, 6));
    let caller = enter(&mut engine, &user(1), known(&(0..4).map(group).collect()));
    assert_eq!(names(engine.owners(caller, now()).unwrap()), [owner(0), owner(1)].into());
    assert_eq!(names(engine.possible_owners(caller, now()).unwrap()), [owner(0), owner(1), owner(2)].into());
}
