//! Every mistake in a policy is found when it is read, and named with its place

use entra_access_core::policy::Policy;

#[test]
fn each_mistake_is_named_with_its_place() {
    let rule = r#"{"id":"a","effect":"allow","permissions":["x.y"]}"#;
    for (json, says) in [
        ("{}".to_owned(), "policy.yaml: missing field `rules`"),
        (r#"{"rules":[],"rule":1}"#.into(), "policy.yaml.rule: unknown field `rule`"),
        (format!(r#"{{"rules":[{rule},{rule}]}}"#), "policy.yaml.rules[1].id: another rule has the id `a`"),
        (
            format!(r#"{{"rules":[{}]}}"#, rule.replace("allow", "permit")),
            "policy.yaml.rules[0].effect: unknown variant `permit`",
        ),
        (
            format!(r#"{{"rules":[{}]}}"#, rule.replace("x.y", "x.*.y")),
            "policy.yaml.rules[0].permissions[0]: a permission is",
        ),
        (
            format!(r#"{{"rules":[{}]}}"#, rule.replace("\"x.y\"", "")),
            "policy.yaml.rules[0].permissions: the list is empty",
        ),
        (
            format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","principals":[{"group":"payments"}]}"#)),
            "policy.yaml.rules[0].principals[0].group: `payments` is not a GUID",
        ),
        (
            format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","principals":[]}"#)),
            "policy.yaml.rules[0].principals: the list is empty",
        ),
        (
            format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","principals":[{"mail":"x"}]}"#)),
            "policy.yaml.rules[0].principals[0]",
        ),
        (
            format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","principals":null}"#)),
            "policy.yaml.rules[0].principals: invalid type: null",
        ),
        (
            format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","when":null}"#)),
            "policy.yaml.rules[0].when: invalid type: null",
        ),
        (
            format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","actions":null}"#)),
            "policy.yaml.rules[0].actions: invalid type: null",
        ),
        (
            format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","when":{"owner":true}}"#)),
            "policy.yaml.rules[0].when.owner: unknown field `owner`",
        ),
        (
            format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","when":{"owned":false}}"#)),
            "policy.yaml.rules[0].when.owned: `true` is the only value",
        ),
        (
            format!(r#"{{"rules":[{}]}}"#, rule.replace("}", r#","actions":["remove"]}"#)),
            "policy.yaml.rules[0].actions[0]: unknown variant `remove`",
        ),
        (format!(r#"{{"rules":[{}]}}"#, rule.replace("\"a\"", "\"\"")), "policy.yaml.rules[0].id: an id has"),
    ] {
        let message = Policy::compile(&json, "policy.yaml").unwrap_err().to_string();
        assert!(message.starts_with(says), "{message}\n  should start with {says}");
    }
}

/// What the policy with this rule is refused with
fn refused(rule: &str) -> String {
    Policy::compile(&format!(r#"{{"rules":[{{"id":"a","effect":"allow","permissions":["x.y"],{rule}}}]}}"#), "policy")
        .unwrap_err()
        .to_string()
}

/// The same for what stands behind `when`
fn refused_when(when: &str) -> String {
    refused(&format!(r#""when":{when}"#))
}

#[test]
fn principals_are_selected_by_one_property_each() {
    for (principal, says) in [
        ("{}", "policy.rules[0].principals[0]: a principal is selected by exactly one property"),
        (r#"{"kind":"user","role":"x"}"#, "policy.rules[0].principals[0]: a principal is selected by exactly one"),
        (r#"{"kind":"robot"}"#, "policy.rules[0].principals[0].kind: unknown variant `robot`, expected one of `user`"),
        (r#"{"kind":7}"#, "policy.rules[0].principals[0].kind: invalid type: integer `7`"),
        (r#"{"group":null}"#, "policy.rules[0].principals[0].group: invalid type: null"),
        (r#"{"role":""}"#, "policy.rules[0].principals[0].role: `` is not the value of an app role"),
        (r#"{"workload":"my-app"}"#, "policy.rules[0].principals[0].workload: `my-app` is not a GUID"),
        (r#"{"user":"jane"}"#, "policy.rules[0].principals[0].user: `jane` is not `<tenant id>/<object id>`"),
        (r#"{"user":"group:default/x"}"#, "policy.rules[0].principals[0].user: `group:default/x` is not"),
        (r#"{"user":"11111111-2222-3333-4444-555555555555"}"#, "policy.rules[0].principals[0].user: "),
        (r#"{"user":"11111111-2222-3333-4444-555555555555/jane"}"#, "policy.rules[0].principals[0].user: "),
        (r#"{"pipeline":"gitlab"}"#, "policy.rules[0].principals[0].pipeline: no pipeline `gitlab` is configured"),
        (r#"{"pipeline":7}"#, "policy.rules[0].principals[0].pipeline: invalid type: integer `7`"),
        (r#"{"pipeline":"x","kind":"pipeline"}"#, "policy.rules[0].principals[0]: `kind` is not said of the jobs"),
        (r#"{"trust":"x"}"#, "policy.rules[0].principals[0].trust: this selects among the jobs of a pipeline"),
        (r#"{"claims":{}}"#, "policy.rules[0].principals[0].claims: this selects among the jobs of a pipeline"),
        (r#""user""#, "policy.rules[0].principals[0]: invalid type: string \"user\", expected a mapping"),
    ] {
        let message = refused(&format!(r#""principals":[{principal}]"#));
        assert!(message.starts_with(says), "{message}\n  should start with {says}");
    }
}

#[test]
fn requirements_make_sense() {
    for (requires, says) in [
        ("{}", "policy.rules[0].requires: nothing is required"),
        ("null", "policy.rules[0].requires: invalid type: null"),
        (r#"{"mfa":false}"#, "policy.rules[0].requires.mfa: `true` is the only value"),
        (r#"{"mfa":"yes"}"#, "policy.rules[0].requires.mfa: invalid type"),
        (r#"{"authContext":"c0"}"#, "policy.rules[0].requires.authContext: `c0` is not an authentication context"),
        (r#"{"authContext":"C1"}"#, "policy.rules[0].requires.authContext: "),
        (r#"{"authContext":["c1"]}"#, "policy.rules[0].requires.authContext: invalid type: a list"),
        (r#"{"signedInWithin":"0h"}"#, "policy.rules[0].requires.signedInWithin: `0h` is not a time from 1m to 30d"),
        (r#"{"signedInWithin":3600}"#, "policy.rules[0].requires.signedInWithin: invalid type: integer `3600`"),
        (r#"{"signedInWithin":"1 hour"}"#, "policy.rules[0].requires.signedInWithin: "),
        (r#"{"acr":"1"}"#, "policy.rules[0].requires.acr: unknown field `acr`, expected one of `authContext`"),
    ] {
        let message = refused(&format!(r#""requires":{requires}"#));
        assert!(message.starts_with(says), "{message}\n  should start with {says}");
    }
}

#[test]
fn conditions_are_of_one_form_and_bounded() {
    let exactly = ": a condition has exactly one of `owned`, `not`, `allOf`, `anyOf`, `rule`";
    for (when, says) in [
        ("{}", format!("policy.rules[0].when{exactly}")),
        (r#"{"owned":true,"not":{"owned":true}}"#, format!("policy.rules[0].when{exactly}")),
        (r#"{"owned":true,"params":{}}"#, format!("policy.rules[0].when{exactly}")),
        (r#"{"params":{}}"#, format!("policy.rules[0].when{exactly}")),
        (r#"{"not":{"allOf":[{"owned":true},{}]}}"#, format!("policy.rules[0].when.not.allOf[1]{exactly}")),
        ("[]", "policy.rules[0].when: invalid type: a list, expected a mapping".into()),
        (r#"{"anyOf":[]}"#, "policy.rules[0].when.anyOf: the list is empty".into()),
        (r#"{"allOf":{"owned":true}}"#, "policy.rules[0].when.allOf: invalid type: a mapping".into()),
        (r#"{"rule":""}"#, "policy.rules[0].when.rule: `` is not the name of a permission rule".into()),
        (r#"{"rule":"HAS LABEL"}"#, "policy.rules[0].when.rule: ".into()),
        (r#"{"rule":"X","params":null}"#, "policy.rules[0].when.params: invalid type: null".into()),
        (r#"{"rule":"X","params":[1]}"#, "policy.rules[0].when.params: invalid type: a list".into()),
        (r#"{"rule":"X","resourceType":7}"#, "policy.rules[0].when.resourceType: invalid type: integer `7`".into()),
        (r#"{"rule":"X","param":{}}"#, "policy.rules[0].when.param: unknown field `param`".into()),
        (
            r#"{"not":{"rule":"IS_OWNED_BY_PRINCIPAL","params":{"principal":"user:default/x","epoch":0}}}"#,
            "policy.rules[0].when.not.rule: `IS_OWNED_BY_PRINCIPAL` is asked for the caller only (write `owned: true`)"
                .into(),
        ),
        (r#"{"rule":"IS_NOT_OWNED_BY_PRINCIPAL"}"#, "policy.rules[0].when.rule: `IS_NOT_OWNED_BY_PRINCIPAL` is".into()),
    ] {
        let message = refused_when(when);
        assert!(message.starts_with(&says), "{message}\n  should start with {says}");
    }
    let deep = |levels: usize| format!("{}{}{}", r#"{"not":"#.repeat(levels), r#"{"owned":true}"#, "}".repeat(levels));
    assert!(refused_when(&deep(8)).contains("nested deeper than 8 times"));
    let wide = |parts: usize| format!(r#"{{"anyOf":[{}]}}"#, vec![r#"{"rule":"X"}"#; parts].join(","));
    assert!(refused_when(&wide(64)).contains("policy.rules[0].when: more than 64 parts"));
    let long = |bytes: usize| format!(r#"{{"rule":"X","params":{{"p":"{}"}}}}"#, "x".repeat(bytes));
    assert!(refused_when(&long(2048)).contains("policy.rules[0].when.params: longer than 2048 bytes"));
    for fits in [deep(7), wide(63), long(2040)] {
        let rule = format!(r#"{{"id":"a","effect":"allow","permissions":["x.y"],"when":{fits}}}"#);
        Policy::compile(&format!(r#"{{"rules":[{rule}]}}"#), "policy").unwrap();
    }
}

#[test]
fn a_rule_that_can_never_do_anything_is_a_mistake() {
    let allow = |rest: &str| format!(r#"{{"id":"wanted","effect":"allow",{rest}}}"#);
    let deny = |rest: &str| format!(r#"{{"id":"wall","effect":"deny",{rest}}}"#);
    let group = r#""principals":[{"group":"11111111-2222-3333-4444-555555555555"}]"#;
    let cases = [
        (allow(r#""permissions":["a.b"]"#), deny(r#""permissions":["*"]"#), true),
        (allow(r#""permissions":["a.b","a.c.*"]"#), deny(r#""permissions":["a.*"]"#), true),
        (
            allow(r#""permissions":["a.b"],"actions":["read"]"#),
            deny(r#""permissions":["a.b"],"actions":["read","update"]"#),
            true,
        ),
        (allow(&format!(r#""permissions":["a.b"],{group}"#)), deny(&format!(r#""permissions":["a.b"],{group}"#)), true),
        (allow(&format!(r#""permissions":["a.b"],{group}"#)), deny(r#""permissions":["a.b"]"#), true),
        (
            allow(r#""permissions":["a.b"],"when":{"owned":true}"#),
            deny(r#""permissions":["a.*"],"when":{"owned":true}"#),
            true,
        ),
        // Something is left of each of these.
        (allow(r#""permissions":["a.b","c"]"#), deny(r#""permissions":["a.*"]"#), false),
        (allow(r#""permissions":["*"]"#), deny(r#""permissions":["a.*"]"#), false),
        (allow(r#""permissions":["a.b.*"]"#), deny(r#""permissions":["a.b"]"#), false),
        (allow(r#""permissions":["a.b"]"#), deny(r#""permissions":["a.b"],"actions":["read"]"#), false),
        (allow(r#""permissions":["a.b"]"#), deny(&format!(r#""permissions":["a.b"],{group}"#)), false),
        (allow(r#""permissions":["a.b"]"#), deny(r#""permissions":["a.b"],"when":{"owned":true}"#), false),
        (allow(r#""permissions":["a.b"]"#), deny(r#""permissions":["a.b"],"requires":{"mfa":true}"#), false),
        (
            allow(r#""permissions":["a.b"],"when":{"rule":"X"}"#),
            deny(r#""permissions":["a.b"],"when":{"owned":true}"#),
            false,
        ),
    ];
    for (allow, deny, mistaken) in cases {
        for rules in [format!("{allow},{deny}"), format!("{deny},{allow}")] {
            let at = if rules.starts_with(&allow) { 0 } else { 1 };
            let result = Policy::compile(&format!(r#"{{"rules":[{rules}]}}"#), "policy");
            match result {
                Ok(_) => assert!(!mistaken, "{rules}"),
                Err(error) => {
                    assert!(mistaken, "{error} {rules}");
                    let says = format!("policy.rules[{at}]: rule `wanted` can never allow: `wall` denies all of it (");
                    assert!(error.to_string().starts_with(&says), "{error}");
                }
            }
        }
    }
    // A deny that another deny makes needless does what it says.
    let twice =
        format!("{},{}", deny(r#""permissions":["*"]"#), deny(r#""permissions":["a"]"#).replace("wall", "also"));
    Policy::compile(&format!(r#"{{"rules":[{twice}]}}"#), "policy").unwrap();
}

#[test]
fn several_denies_can_leave_nothing_of_a_rule() {
    let wanted = r#"{"id":"wanted","effect":"allow","permissions":["a.b","a.c"]}"#;
    let deny = |id: &str, pattern: &str| format!(r#"{{"id":"{id}","effect":"deny","permissions":["{pattern}"]}}"#);
    let compile =
        |walls: &[String]| Policy::compile(&format!(r#"{{"rules":[{wanted},{}]}}"#, walls.join(",")), "policy");
    let message = compile(&[deny("one", "a.b"), deny("two", "a.c")]).unwrap_err().to_string();
    let says = "policy.rules[0]: rule `wanted` can never allow: `one` and `two` deny all of it (";
    assert!(message.starts_with(says), "{message}");
    compile(&[deny("one", "a.b"), deny("two", "a.d")]).unwrap();
}

#[test]
fn a_condition_that_nothing_can_meet_is_a_mistake() {
    let owned = r#"{"owned":true}"#;
    let of = |name: &str, of: &str| format!(r#"{{"rule":"{name}","resourceType":"{of}"}}"#);
    for never in [
        format!(r#"{{"allOf":[{owned},{{"not":{owned}}}]}}"#),
        format!(r#"{{"not":{{"anyOf":[{owned},{{"not":{owned}}}]}}}}"#),
        format!(r#"{{"allOf":[{owned},{}]}}"#, of("X", "scaffolder-template")),
        format!(r#"{{"allOf":[{},{}]}}"#, of("X", "scaffolder-template"), of("X", "scaffolder-action")),
        r#"{"allOf":[{"rule":"X","params":{"a":1}},{"not":{"rule":"X","params":{"a":1}}}]}"#.into(),
    ] {
        let message = refused_when(&never);
        assert!(message.starts_with("policy.rules[0].when: rule `a` can never match"), "{message} {never}");
    }
    for sometimes in [
        format!(r#"{{"allOf":[{owned},{}]}}"#, of("X", "catalog-entity")),
        format!(r#"{{"anyOf":[{owned},{}]}}"#, of("X", "scaffolder-template")),
        format!(r#"{{"anyOf":[{owned},{{"not":{owned}}}]}}"#),
        r#"{"allOf":[{"rule":"X","params":{"a":1}},{"not":{"rule":"X","params":{"a":2}}}]}"#.into(),
        of("X", "scaffolder-template"),
    ] {
        let rule = format!(r#"{{"id":"a","effect":"allow","permissions":["x.y"],"when":{sometimes}}}"#);
        Policy::compile(&format!(r#"{{"rules":[{rule}]}}"#), "policy").unwrap();
    }
}

#[test]
fn a_condition_on_permissions_without_a_resource_is_a_mistake() {
    let policy = |permissions: &str, effect: &str| {
        let rule = format!(r#"{{"id":"a","effect":"{effect}","permissions":[{permissions}],"when":{{"owned":true}}}}"#);
        Policy::compile(&format!(r#"{{"rules":[{rule}]}}"#), "policy")
    };
    for effect in ["allow", "deny"] {
        let message = policy(r#""catalog.entity.create","catalog.location.read""#, effect).unwrap_err().to_string();
        assert!(message.starts_with("policy.rules[0].when: rule `a` asks about a resource"), "{message}");
        policy(r#""entra-access.*","entra-access.status.read""#, effect).unwrap_err();
        for fine in [r#""catalog.entity.create","catalog.entity.read""#, r#""catalog.*""#, r#""*""#] {
            policy(fine, effect).unwrap();
        }
    }
}

#[test]
fn a_policy_is_bounded_and_one_json_text() {
    let rules = |count: usize| {
        let rules: Vec<_> =
            (0..count).map(|n| format!(r#"{{"id":"r{n}","effect":"allow","permissions":["x"]}}"#)).collect();
        format!(r#"{{"rules":[{}]}}"#, rules.join(","))
    };
    Policy::compile(&rules(10_000), "policy").unwrap();
    for (text, says) in [
        (rules(10_001), "policy.rules: more than 10000 rules"),
        (format!("{}{}", rules(1), " ".repeat(4 * 1024 * 1024)), "policy: more than 4194304 bytes"),
        (r#"{"rules":[],"rules":[]}"#.into(), "policy: a member stands there twice"),
        (r#"{"rules":[{"id":"a","effect":"allow","effect":"deny","permissions":["x"]}]}"#.into(), "policy: a member"),
        (r#"{"rules":[]} x"#.into(), "policy: this is not JSON"),
        (String::new(), "policy: this is not JSON"),
        ("null".into(), "policy: invalid type: null, expected a mapping"),
        (r#"{"rules":{}}"#.into(), "policy.rules: invalid type: a mapping, expected a sequence"),
        (r#"{"rules":[null]}"#.into(), "policy.rules[0]: invalid type: null"),
        (r#"{"rules":[{"id":"a","effect":"allow"}]}"#.into(), "policy.rules[0]: missing field `permissions`"),
    ] {
        let message = Policy::compile(&text, "policy").unwrap_err().to_string();
        assert!(message.starts_with(says), "{message}\n  should start with {says}");
    }
}
