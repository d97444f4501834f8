//! What is told of somebody to whom her groups are none of their business hangs on nothing but the answer and the rule that made it

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use crate::support::{
    accounts::{Said, entries},
    claims::TENANT,
    generate::{GROUPS, RULES},
    naive::{NaivePermission, NaivePrincipal},
    now,
    random::Random,
    world::{World, entity, for_all, guid, permission, resource},
};
use entra_access_core::{
    directory::{Round, accounts::ENABLED},
    identity::Handle,
    policy::{Answered, Audience, Effect, Resource, Study},
};
use serde_json::json;

/// Of people of whom no rule knows by name
const ACCOUNTS: [&str; 8] = [
    "dddddddd-0000-4000-8000-000000000001",
    "dddddddd-0000-4000-8000-000000000002",
    "dddddddd-0000-4000-8000-000000000003",
    "dddddddd-0000-4000-8000-000000000004",
    "dddddddd-0000-4000-8000-000000000005",
    "dddddddd-0000-4000-8000-000000000006",
    "dddddddd-0000-4000-8000-000000000007",
    "dddddddd-0000-4000-8000-000000000008",
];

/// What the reader is told anyway, as text: the answer, its rule and how much is known of the groups
fn told(Study { explanation, .. }: &Study) -> String {
    let state = serde_json::to_value(explanation.groups.state).unwrap();
    let both = explanation.on_behalf_of.as_ref().map(|both| (both.agent_result, both.person_result));
    json!([explanation.result, explanation.rule, state, both]).to_string()
}

/// The explanation, and what is asked of the plugin of the resource: whoever has that, and sees it asked, may be the reader
fn text(study: &Study) -> String {
    serde_json::to_string(study).unwrap()
}

/// Enters principals who are alike but for their groups
type Enter = fn(&mut World, &NaivePrincipal, &[Vec<String>]) -> Vec<Handle>;

/// Their tokens say in which groups they are
fn by_token(world: &mut World, who: &NaivePrincipal, groups: &[Vec<String>]) -> Vec<Handle> {
    groups.iter().map(|ids| world.enter(&NaivePrincipal { groups: Some(ids.clone()), ..who.clone() })).collect()
}

/// The directory says it
fn by_directory(world: &mut World, who: &NaivePrincipal, groups: &[Vec<String>]) -> Vec<Handle> {
    let entry = |group: &&str| {
        let is_in = |one: &&(&str, &Vec<String>)| one.1.iter().any(|id| id == group);
        let member = |(id, _): &(&str, &Vec<String>)| json!({ "@odata.type": "#microsoft.graph.user", "id": id });
        let all: Vec<_> = ACCOUNTS.into_iter().zip(groups).collect();
        json!({ "id": group, "members@delta": all.iter().filter(is_in).map(member).collect::<Vec<_>>() })
    };
    let page = json!({ "value": GROUPS.iter().map(entry).collect::<Vec<_>>() });
    world.engine.begin_members(guid(TENANT), true, None).unwrap();
    world.engine.add_members(page.to_string().as_bytes()).unwrap();
    world.engine.commit_members().unwrap();
    let accounts = ACCOUNTS.map(|id| Said { id: id.into(), says: ENABLED, ..Said::default() });
    world.engine.set_accounts(guid(TENANT), true, &entries(&accounts)).unwrap();
    let round = Round { completed: now().before(60), until: now().after(600) };
    world.engine.set_round(guid(TENANT), round, now());
    let who = NaivePrincipal { kind: "user".into(), acts_for_person: false, groups: None, ..who.clone() };
    ACCOUNTS.iter().map(|object| world.enter(&NaivePrincipal { object, ..who.clone() })).collect()
}

#[test]
fn principals_who_differ_in_their_groups_only_are_told_of_alike_where_the_answer_is_the_same() {
    told_alike(World::generate, by_token);
}

#[test]
fn so_are_those_whose_groups_the_directory_says() {
    told_alike(World::followed, by_directory);
}

fn told_alike(generate: fn(&mut Random) -> World, enter: Enter) {
    let (alike, apart) = (Cell::new(0_usize), Cell::new(0_usize));
    for_all(|random| {
        let mut world = generate(random);
        let (who, what) = (NaivePrincipal::generate(random), NaivePermission::generate(random));
        let on = resource(random);
        let on = (random.below(4) > 0).then_some(&on);
        let rule = |name: &&str| format!(r#"{{"rule":"{name}","params":{{"of":[1,"x"]}}}}"#);
        let holds: Vec<_> = random.some(&RULES, 1, 2).iter().map(rule).collect();
        let answered = Answered::parse(&json!({ "holds": holds, "fails": [] }).to_string()).unwrap();
        let mut by_reader: BTreeMap<(u32, String), BTreeSet<String>> = BTreeMap::new();
        let mut some = || random.some(&GROUPS, 1, 2).iter().map(|id| (*id).to_owned()).collect();
        let groups: Vec<Vec<String>> = ACCOUNTS.iter().map(|_| some()).collect();
        for handle in enter(&mut world, &who, &groups) {
            for reader in 0..4_u32 {
                let audience = Audience::from_number(reader, Vec::new());
                let study =
                    world.engine.study_for(&audience, handle, &permission(&what), on, &answered, now()).unwrap();
                by_reader.entry((reader, told(&study))).or_default().insert(text(&study));
            }
        }
        for ((reader, told), texts) in by_reader {
            match (reader & 2 == 0, texts.len()) {
                (true, count) => {
                    assert_eq!(count, 1, "{reader} {told} {texts:#?} {:#?}", world.rules);
                    alike.set(alike.get() + 1);
                }
                (false, count) => apart.set(apart.get() + count - 1),
            }
        }
    });
    assert!(alike.get() > 1000 && apart.get() > 1000, "{alike:?} {apart:?}");
}

#[test]
fn a_rule_that_hangs_on_groups_is_named_only_where_nothing_else_decides() {
    let mut world = World::new(Vec::new());
    let rules = json!({ "rules": [
        { "id": "admins", "effect": "allow", "permissions": ["a.*"], "principals": [{ "group": GROUPS[0] }] },
        { "id": "everybody", "effect": "allow", "permissions": ["a.b"] },
        { "id": "owners", "effect": "allow", "permissions": ["a.c"], "when": { "owned": true } },
        { "id": "not-the-suspended", "effect": "deny", "permissions": ["*"], "principals": [{ "group": GROUPS[3] }] },
    ] });
    world.engine.set_policy(&rules.to_string(), "policy").unwrap();
    let mut ask = |name: &str, groups: &[&str], reader: u32| {
        let mut who = NaivePrincipal::generate(&mut Random::new(1));
        (who.kind, who.acts_for_person) = ("user".into(), false);
        who.groups = Some(groups.iter().map(|id| (*id).to_owned()).collect());
        let what = NaivePermission { name: name.into(), action: None, resource_type: Some("catalog-entity".into()) };
        let on = Resource { entity_ref: entity("component:default/thing"), owners: vec![entity("group:default/g1")] };
        let handle = world.enter(&who);
        let audience = Audience::from_number(reader, Vec::new());
        world.engine.study_for(&audience, handle, &permission(&what), Some(&on), &Answered::default(), now()).unwrap()
    };
    let rule = |study: &Study| study.explanation.rule.clone();
    // Whoever may read groups is told the first of those that allow.
    assert_eq!(rule(&ask("a.b", &[GROUPS[0]], 3)).as_deref(), Some("admins"));
    let study = ask("a.b", &[GROUPS[0]], 0);
    assert_eq!(rule(&study).as_deref(), Some("everybody"));
    assert!(!text(&study).contains("admins"));
    // Where the answer hangs on it, the rule is the answer.
    for (name, groups, expected) in [
        ("a.c", &[GROUPS[0]][..], Some("admins")),
        ("a.c", &[GROUPS[1]], Some("owners")),
        ("a.b", &[GROUPS[3]], Some("not-the-suspended")),
        ("a.c", &[GROUPS[2]], None),
    ] {
        let study = ask(name, groups, 0);
        assert_eq!(rule(&study).as_deref(), expected, "{study:#?}");
        assert_eq!((study.explanation.groups.count, study.owned, study.path.as_str()), (None, "unknown", ""));
        assert_eq!((study.ways.is_empty(), study.withheld), (study.explanation.result == Effect::Deny, 3));
        let mut applying = study.rules.iter().filter(|rule| rule.outcome == "applies").map(|told| told.rule.as_deref());
        assert!(applying.all(|id| id == expected || id == Some("everybody")), "{study:#?}");
    }
}
