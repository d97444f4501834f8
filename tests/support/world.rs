//! Generated worlds of the policy laws: an engine, and beside it the written rules for the naive judge

use entra_access_core::{
    config::Configuration,
    directory::EntityRef,
    engine::Engine,
    identity::{Actor, Assurance, Groups, Guid, Handle, Principal, PrincipalKind},
    keys::portable::Portable,
    policy::{Decision, Effect, Explanation, Permission, Resource, decision::Dependence},
    time::Timestamp,
};
use serde_json::{Value, json};

use super::{
    NOW,
    claims::TENANT,
    directory::directory,
    generate::GROUPS,
    naive::{Facts, NaivePermission, NaivePrincipal, NaiveRule},
    now,
    random::Random,
    scene::{Scene, configuration, tenant},
};

pub const POLICIES: u64 = 1500;
pub const QUESTIONS: usize = 12;

/// An engine in which the first three groups own something
pub struct World {
    pub engine: Engine<Portable>,
    pub rules: Vec<NaiveRule>,
}

impl World {
    pub fn new(rules: Vec<NaiveRule>) -> Self {
        Self::with(Scene::standard("laws", Vec::new()).configuration, rules)
    }

    fn with(configuration: Configuration, rules: Vec<NaiveRule>) -> Self {
        let mut engine = Engine::new(configuration, Portable, 0);
        let groups: Vec<_> = GROUPS
            .iter()
            .take(3)
            .enumerate()
            .map(|(n, id)| json!({ "entityRef": format!("group:default/g{n}"), "groupId": id }))
            .collect();
        engine.set_directory(directory(json!({ "groups": groups })));
        let mut world = Self { engine, rules };
        world.set_policy();
        world
    }

    pub fn generate(random: &mut Random) -> Self {
        let count = random.below(9);
        Self::new((0..count).map(|number| NaiveRule::generate(random, number)).collect())
    }

    /// The same where the directory says who is in which group
    pub fn followed(random: &mut Random) -> Self {
        let source = json!({ "source": "graph", "graph": { "managedIdentity": true } });
        let configuration = configuration(&json!([tenant(TENANT, "global")]), &json!({}), &source);
        let Self { rules, .. } = Self::generate(random);
        Self::with(configuration, rules)
    }

    /// Without conditions other than ownership, and without requirements
    pub fn plain(random: &mut Random) -> Self {
        let count = random.below(9);
        Self::new((0..count).map(|number| NaiveRule::plain(random, number)).collect())
    }

    /// Rules that could never do anything are refused; the policy means the same without them
    pub fn set_policy(&mut self) {
        loop {
            let rules: Vec<Value> = self.rules.iter().map(NaiveRule::json).collect();
            let text = json!({ "rules": rules }).to_string();
            let Err(mistake) = self.engine.set_policy(&text, "policy") else { return };
            assert!(mistake.message.contains("can never "), "{mistake}");
            let at: usize = mistake.path["policy.rules[".len()..].split(']').next().unwrap().parse().unwrap();
            self.rules.remove(at);
        }
    }

    pub fn enter(&mut self, who: &NaivePrincipal) -> Handle {
        let groups = match &who.groups {
            // Service principals and pipelines have no groups: asked as such, the answer is the same as for an empty list.
            Some(ids) if ids.is_empty() && who.kind != "user" => Groups::none(),
            Some(ids) => Groups::known(ids.iter().map(|id| guid(id)).collect()),
            None => Groups::unknown(),
        };
        let autonomous = !who.acts_for_person;
        let signed_in = who.signed_in.map(|minutes| now().before(minutes * 60));
        let principal = Principal {
            kind: *PrincipalKind::ALL.iter().find(|kind| kind.as_str() == who.kind).unwrap(),
            issuer: "laws".into(),
            tenant_id: guid(TENANT),
            object_id: guid(who.object),
            client_id: Some(guid(who.client)),
            actor: (who.kind == "agent").then(|| Actor { client_id: guid(who.client), autonomous }),
            groups,
            roles: who.roles.clone(),
            name: None,
            assurance: Assurance::new(who.contexts.clone(), who.mfa, signed_in),
            job: None,
            issued_at: now(),
            expires_at: now(),
        };
        let until = Timestamp::from_seconds(NOW + 60);
        self.engine.admit(principal, entity(who.entity.unwrap()), until, now())
    }

    pub fn explain(&self, who: Handle, what: &NaivePermission, resource: Option<&Resource>) -> Explanation {
        self.engine.explain(who, &permission(what), resource, now()).unwrap()
    }

    /// The decision by number, as Backstage gets it
    pub fn decide(&mut self, who: Handle, what: &NaivePermission) -> Decision {
        let id = self.engine.permission_id(permission(what)).unwrap();
        self.engine.decide(who, id, now())
    }

    /// Its condition in the text that crosses to the host; `null` where there is none
    pub fn criteria(&self, decision: Decision) -> Value {
        match decision.dependence {
            Dependence::Nothing => Value::Null,
            Dependence::Owned => json!({ "owned": true }),
            Dependence::NotOwned => json!({ "owned": false }),
            Dependence::Criteria(number) => {
                serde_json::from_str(&self.engine.criteria(number).unwrap().json()).unwrap()
            }
        }
    }

    /// Whether a decision allows it on a resource, by Backstage's reading of the condition
    pub fn admits(&self, decision: Decision, on: &Facts) -> bool {
        match decision.effect {
            Effect::Allow => true,
            Effect::Deny => false,
            Effect::Conditional => meets(&self.criteria(decision), on),
        }
    }

    /// Whether it is allowed on each of [`Facts::all`]
    pub fn allowed(&mut self, who: Handle, what: &NaivePermission) -> Vec<bool> {
        let decision = self.decide(who, what);
        Facts::all().iter().map(|on| self.admits(decision, on)).collect()
    }
}

/// As Backstage's `applyConditions` reads it
pub fn meets(criteria: &Value, on: &Facts) -> bool {
    let all = |name: &str| criteria[name].as_array().filter(|all| !all.is_empty());
    match criteria {
        _ if all("allOf").is_some() => all("allOf").unwrap().iter().all(|part| meets(part, on)),
        _ if all("anyOf").is_some() => all("anyOf").unwrap().iter().any(|part| meets(part, on)),
        Value::Object(one) if one.contains_key("not") => {
            assert!(one["not"]["rule"].is_string(), "only another plugin's rule is turned round: {criteria}");
            !meets(&one["not"], on)
        }
        Value::Object(one) if one.contains_key("rule") => {
            assert_eq!(one["params"], json!({ "of": [1, "x"] }));
            on.holding.iter().any(|name| one["rule"] == *name)
        }
        _ => criteria["owned"].as_bool().expect("a literal") == on.owned,
    }
}

pub fn guid(text: &str) -> Guid {
    Guid::parse(text.as_bytes()).unwrap()
}

pub fn entity(text: &str) -> EntityRef {
    EntityRef::parse(text).unwrap()
}

pub fn permission(what: &NaivePermission) -> Permission {
    let json = json!({ "name": what.name, "action": what.action, "resourceType": what.resource_type });
    Permission::parse(&json.to_string()).unwrap()
}

/// A resource of some of the owners
pub fn resource(random: &mut Random) -> Resource {
    let owners =
        ["group:default/g0", "group:default/g1", "group:default/g2", "group:default/nobody", "user:default/me"];
    let owners = random.some(&owners, 1, 4);
    Resource { entity_ref: entity("component:default/thing"), owners: owners.into_iter().map(entity).collect() }
}

pub fn is_owned(who: &NaivePrincipal, resource: &Resource) -> bool {
    resource.owners.iter().any(|owner| match owner.as_str() {
        "user:default/me" => who.entity == Some("user:default/me"),
        "group:default/nobody" => false,
        group => {
            let number: usize = group.strip_prefix("group:default/g").unwrap().parse().unwrap();
            who.groups.iter().flatten().any(|id| id == GROUPS[number])
        }
    })
}

/// Puts questions to generated worlds; a panic names its seed
pub fn for_all(law: impl Fn(&mut Random)) {
    for seed in 0..POLICIES {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| law(&mut Random::new(seed))));
        assert!(outcome.is_ok(), "fails with seed {seed}");
    }
}
