//! CI jobs as principals: what the configuration must say, who comes in, and what the core tells of those who do not
//!
//! Each bad token is a row of `tests/support/vectors/pipelines.rs`.

use crate::support::{
    NOW,
    claims::{Claims, GROUPS, TENANT},
    now,
    pipelines::{
        AUDIENCE, BITBUCKET, ENVIRONMENT, GITHUB, GITLAB, REPOSITORY, bitbucket, configuration, github, gitlab,
    },
    random::Random,
    scene::{profile, tenant},
    vectors::pipelines::{keys, of_bitbucket, of_github, of_gitlab, single_use},
};
use entra_access_core::{
    config::Configuration,
    directory::EntityRef,
    engine::{Engine, Inspection},
    identity::{GroupState, Handle, Principal, PrincipalKind},
    keys::portable::Portable,
    pipeline::{JobClaims, PipelineKind, kinds::KINDS, pattern::Pattern},
    policy::{Effect, Permission},
    time::Timestamp,
    token::{Purpose, judge::Outcome, verify::JOB_CHECKS},
};
use serde_json::{Value, json};

fn engine() -> Engine<Portable> {
    engine_of(configuration(&json!([])))
}

fn engine_of(configuration: Configuration) -> Engine<Portable> {
    let mut engine = Engine::new(configuration, Portable, 0);
    for (id, text) in keys() {
        let at = profile(engine.configuration(), &id);
        engine.set_keys(at, &text, now()).unwrap();
    }
    engine
}

fn enter(engine: &mut Engine<Portable>, token: &[u8]) -> Handle {
    engine.authenticate(token, Purpose::Access, now()).unwrap()
}

fn principal(token: &[u8]) -> Principal {
    let mut engine = engine();
    let handle = enter(&mut engine, token);
    engine.principal(handle, now()).unwrap().clone()
}

fn inspect(token: &[u8]) -> Inspection {
    engine().inspect(token, Purpose::Access, now())
}

// --- who comes in

#[test]
fn a_job_has_the_groups_of_its_entry_and_what_the_audit_keeps() {
    let job = principal(&of_gitlab(&gitlab()));
    assert_eq!((job.kind, &*job.issuer, job.client_id), (PrincipalKind::Pipeline, "pipeline:gitlab", None));
    assert_eq!((job.groups.state(), job.groups.ids().len()), (GroupState::Known, 1));
    assert_eq!(job.expires_at, Timestamp::from_seconds(NOW + 290 + 60));
    let record = serde_json::to_value(&job).unwrap();
    assert_eq!(
        record["pipeline"],
        json!({
            "type": "gitlab", "trust": "payments-staging", "subject": "42",
            "published": { "environment": "staging", "ref_protected": "true", "deployment_tier": "staging" },
            "job": {
                "project_id": "42", "namespace_id": "7", "project_path": "acme/payments", "pipeline_id": "1001",
                "pipeline_source": "push", "job_id": "5005", "ref": "main", "ref_protected": "true", "environment": "staging",
                "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc", "user_id": "3", "user_login": "olivia",
            },
        })
    );
    assert!(!record.to_string().contains('@'), "an e-mail address in {record}");

    let step = principal(&of_bitbucket(&bitbucket())).job.unwrap();
    assert_eq!((&*step.r#type, &*step.trust, &*step.subject), ("bitbucket", "payments", REPOSITORY));
    assert_eq!(step.job.get("deploymentEnvironmentUuid"), Some(ENVIRONMENT));
    let run = principal(&of_github(&github())).job.unwrap();
    assert_eq!((&*run.r#type, &*run.trust, &*run.subject), ("github", "api", "7"));
    assert_eq!((run.job.get("run_id"), run.job.get("actor")), (Some("900"), Some("octocat")));
}

#[test]
fn a_published_claim_that_is_absent_is_absent() {
    let job = principal(&of_gitlab(&gitlab().without("deployment_tier"))).job.unwrap();
    assert_eq!((job.published.get("deployment_tier"), job.published.get("environment")), (None, Some("staging")));
}

#[test]
fn a_record_of_a_job_reads_back_what_was_written() {
    for token in [of_gitlab(&gitlab()), of_bitbucket(&bitbucket()), of_github(&github())] {
        let job = principal(&token);
        let text = serde_json::to_string(&job).unwrap();
        assert_eq!(Principal::parse(&text), Ok(job));
        for (change, to, says) in [
            (r#""kind":"pipeline""#, r#""kind":"user""#, "record: `pipeline` stands there for pipelines"),
            (r#""trust":"#, r#""trusts":"#, "record.pipeline.trusts: unknown field"),
            (r#""published":{"#, r#""published":{"x":1,"#, "record.pipeline.published"),
            (r#""subject":""#, r#""singleUse":{},"subject":""#, "record.pipeline.singleUse: unknown field"),
        ] {
            let changed = text.replace(change, to).replace(",}", "}");
            assert_ne!(changed, text, "{change}");
            let message = Principal::parse(&changed).unwrap_err().to_string();
            assert!(message.starts_with(says), "{message}\n  should start with {says}");
        }
        let mut record: Value = serde_json::from_str(&text).unwrap();
        record.as_object_mut().unwrap().remove("pipeline");
        assert!(Principal::parse(&record.to_string()).is_err(), "a pipeline without its job");
    }
}

#[test]
fn one_who_has_to_be_claimed_is_nobody_until_then() {
    let mut engine = engine();
    engine.set_policy(r#"{"rules":[{"id":"all","effect":"allow","permissions":["*"]}]}"#, "policy").unwrap();
    let token = of_gitlab(&single_use());
    let read = Permission { name: "catalog.location.read".into(), action: None, resource_type: None };
    let first = enter(&mut engine, &token);
    let effect = |engine: &mut Engine<Portable>, who| engine.decide_unnumbered(who, &read, now()).effect;
    let single = engine.principal(first, now()).unwrap().job.as_ref().unwrap().single_use.clone().unwrap();
    assert_eq!((&*single.issuer, single.until), (GITLAB, NOW + 350));
    assert_eq!(effect(&mut engine, first), Effect::Deny);
    assert_eq!(engine.owners(first, now()), None);
    assert_eq!(engine.cacheable_until(first, now()), None);
    let id = engine.permission_id(read.clone()).unwrap();
    assert_eq!(engine.decide(first, id, now()).effect, Effect::Deny);

    // Its record taken in as it is makes nobody either.
    let record = engine.principal(first, now()).unwrap().clone();
    let entity = EntityRef::parse("pipeline:gitlab/once.44").unwrap();
    let session = engine.admit(record, entity, Timestamp::from_seconds(NOW + 60), now());
    assert_eq!(effect(&mut engine, session), Effect::Deny);

    assert!(engine.claimed(first, now()) && !engine.claimed(first, now()));
    assert_eq!(effect(&mut engine, first), Effect::Allow);
    assert_eq!(engine.decide(first, id, now()).effect, Effect::Allow);
    let second = enter(&mut engine, &token);
    assert_eq!(effect(&mut engine, second), Effect::Deny, "each offering has to be claimed");
    let other = enter(&mut engine, &of_gitlab(&gitlab()));
    assert!(!engine.claimed(other, now()), "nothing to claim");
    assert!(!engine.claimed(Handle::from_number(12345), now()), "nobody");
}

// --- what the inspector says

#[test]
fn every_check_of_a_job_is_shown_once_and_in_order() {
    let shown = inspect(&of_gitlab(&gitlab()));
    let names: Vec<_> = shown.checks.iter().map(|line| line.check.as_ref()).collect();
    assert_eq!(names, JOB_CHECKS);
}

#[test]
fn the_nearest_entries_are_shown_claim_by_claim() {
    let shown = inspect(&of_gitlab(&gitlab().with_text("environment", "production")));
    let lines: Vec<_> = shown
        .checks
        .iter()
        .filter(|line| line.check.starts_with("trust "))
        .map(|line| (line.check.as_ref(), line.expected.as_str(), line.actual.as_str(), line.outcome))
        .collect();
    // One difference each, in the order of writing; the fourth entry is as near, and three are enough.
    assert_eq!(
        lines,
        [
            ("trust payments-staging: environment", "staging or review", "production", Outcome::Fail),
            ("trust payments-staging: project_id", "42", "42", Outcome::Pass),
            ("trust payments-staging: ref_protected", "true", "true", Outcome::Pass),
            ("trust payments-release: project_id", "42", "42", Outcome::Pass),
            ("trust payments-release: ref", "release/*", "main", Outcome::Fail),
            ("trust payments-release: runner_id", "1 or 7", "1", Outcome::Pass),
            ("trust merge-requests: project_id", "43", "42", Outcome::Fail),
        ]
    );
    let hint =
        shown.checks.iter().find_map(|line| line.hint.as_deref().filter(|_| line.check.ends_with(": environment")));
    assert_eq!(hint, Some("`match.environment` of `payments-staging` in the trust entries of pipeline:gitlab"));
    let absent = inspect(&of_gitlab(&gitlab().without("environment")));
    assert!(absent.checks.iter().any(|line| line.check.ends_with(": environment") && line.actual == "absent"));
}

#[test]
fn hints_say_what_to_change() {
    let text = |token: Vec<u8>, check: &str| {
        let shown = inspect(&token);
        let line = shown.checks.iter().find(|line| line.check == check).unwrap().clone();
        assert_eq!(line.outcome, Outcome::Fail, "{check}");
        format!("{} | {} | {}", line.expected, line.actual, line.hint.unwrap())
    };
    for (token, check, words) in [
        (
            of_gitlab(&gitlab().with_text("iss", "gitlab.example.com")),
            "issuer",
            vec![GITLAB, "issuer: gitlab.example.com", "pipeline:gitlab"],
        ),
        (of_gitlab(&gitlab().with_text("iss", "https://ci.example.com")), "issuer", vec!["entraAccess.pipelines"]),
        (
            of_gitlab(&gitlab().with_text("aud", "https://vault.example.com")),
            "audience",
            vec![AUDIENCE, "add https://vault.example.com to `audiences`", "pipeline:gitlab"],
        ),
        (
            of_gitlab(&gitlab().with_text("ref", "release/1")),
            "trust",
            vec!["payments-staging and payments-release", "two entries"],
        ),
        (of_gitlab(&gitlab().without("job_id")), "kind", vec!["same keys sign tokens of people"]),
        (of_gitlab(&gitlab().without("ref")), "job", vec!["no `ref`"]),
        (of_gitlab(&gitlab().with("project_id", "42")), "job", vec!["`project_id` has another type or form"]),
        (of_gitlab(&gitlab().with_text("job_project_id", "99")), "project", vec!["42", "99", "fork"]),
        (
            of_gitlab(&gitlab().with_text("pipeline_source", "merge_request_event")),
            "merge request",
            vec!["merge_request_event", "allowMergeRequests"],
        ),
        (of_gitlab(&single_use().without("jti")), "single use", vec!["no `jti`"]),
        (of_gitlab(&gitlab().with("exp", (NOW + 7200).to_string())), "lifetime", vec!["3600 s", "maxLifetime"]),
    ] {
        let text = text(token, check);
        for word in words {
            assert!(text.contains(word), "{check}: `{text}` does not say `{word}`");
        }
    }
}

// --- what the configuration must say

fn parse(pipelines: &Value) -> Result<Configuration, String> {
    let text = json!({ "tenants": [tenant(TENANT, "global")], "pipelines": pipelines, "policy": {} });
    Configuration::parse(&text.to_string()).map_err(|error| error.to_string())
}

/// An entry of each kind that is right
fn right(kind: &str) -> Value {
    let (issuer, wanted) = match kind {
        "gitlab" => (GITLAB, json!({ "project_id": "42", "environment": "staging" })),
        "bitbucket" => (BITBUCKET, json!({ "repositoryUuid": REPOSITORY })),
        _ => (GITHUB, json!({ "repository_id": "7" })),
    };
    json!({ "id": "ci", "type": kind, "issuer": issuer, "audiences": [AUDIENCE],
            "trust": [{ "name": "one", "match": wanted, "groups": [] }] })
}

#[test]
fn each_mistake_is_named_with_its_place_and_the_fix() {
    let rows: Vec<(&str, &str, Value, &str)> = vec![
        ("gitlab", "/id", json!("Git Lab"), ".id: `Git Lab` is no id"),
        ("gitlab", "/id", json!("a--b"), ".id: `a--b` is no id"),
        ("gitlab", "/id", json!(7), ".id: invalid type: integer `7`, expected a string"),
        (
            "gitlab",
            "/type",
            json!("jenkins"),
            ".type: unknown variant `jenkins`, expected one of `gitlab`, `bitbucket`, `github`",
        ),
        (
            "gitlab",
            "/issuer",
            json!("http://gitlab.example.com"),
            ".issuer: plain http is accepted to this machine only",
        ),
        ("gitlab", "/issuer", json!("gitlab.example.com"), ".issuer: this is no base URL"),
        ("gitlab", "/issuer", json!("https://gitlab.example.com//"), ".issuer: more than one slash"),
        ("gitlab", "/issuer", json!("https://*.example.com"), ".issuer: this is no base URL"),
        ("gitlab", "/audiences", json!([]), ".audiences: the list is empty"),
        ("gitlab", "/audiences", json!(["*"]), ".audiences[0]: audiences are compared exactly"),
        ("gitlab", "/audiences", json!([GITLAB]), ".audiences: the issuer itself is the audience"),
        ("gitlab", "/leeway", json!(301), ".leeway: 301 seconds of leeway"),
        (
            "gitlab",
            "/maxLifetime",
            json!(59),
            ".maxLifetime: 59 seconds are no lifetime of a pipeline's token (60 to 86400",
        ),
        ("gitlab", "/maxLifetime", json!(86_401), ".maxLifetime: 86401 seconds"),
        ("gitlab", "/allowMergeRequests", json!(true), ".allowMergeRequests: unknown field"),
        ("gitlab", "/trust", json!([]), ".trust: 0 entries"),
        ("gitlab", "/trust", json!(null), ".trust: invalid type: null"),
        ("gitlab", "/trust/0/name", json!("One"), ".trust[0].name: `One` is no name"),
        ("gitlab", "/trust/0/name", json!("a".repeat(31)), ".trust[0].name: "),
        ("gitlab", "/trust/0/groups", json!(["Payments"]), ".trust[0].groups[0]: `Payments` is not a GUID"),
        ("gitlab", "/trust/0/groups", json!(null), ".trust[0].groups: invalid type: null"),
        ("gitlab", "/trust/0/singleUse", json!("yes"), ".trust[0].singleUse: invalid type"),
        (
            "gitlab",
            "/trust/0/match",
            json!({}),
            ".trust[0].match: the entry binds names only, which others can take after a rename (one of: project_id, namespace_id)",
        ),
        (
            "gitlab",
            "/trust/0/match",
            json!({ "project_path": "acme/payments" }),
            ".trust[0].match: the entry binds names only",
        ),
        ("gitlab", "/trust/0/match", json!([]), ".trust[0].match: invalid type: a list"),
        (
            "gitlab",
            "/trust/0/match/projectId",
            json!("42"),
            ".trust[0].match.projectId: `projectId` is no known claim of this type of pipeline (did you mean `project_id`?)",
        ),
        (
            "gitlab",
            "/trust/0/match/repository_id",
            json!("42"),
            ".trust[0].match.repository_id: `repository_id` is no known claim",
        ),
        (
            "gitlab",
            "/trust/0/match/user_login",
            json!("olivia"),
            ".trust[0].match.user_login: `user_login` says who started the job, which authorizes nothing",
        ),
        ("gitlab", "/trust/0/match/sub", json!("project_path:x"), ".trust[0].match.sub: `sub` differs from job to job"),
        ("gitlab", "/trust/0/match/aud", json!("x"), ".trust[0].match.aud: `aud` is no known claim"),
        (
            "gitlab",
            "/trust/0/match/project_id",
            json!(42),
            ".trust[0].match.project_id: invalid type: integer `42`, expected digits in a string, such as '42' (`project_id` in the tokens of GitLab is",
        ),
        (
            "gitlab",
            "/trust/0/match/project_id",
            json!("*"),
            ".trust[0].match.project_id: `*` is not digits in a string",
        ),
        ("gitlab", "/trust/0/match/project_id", json!("042"), ".trust[0].match.project_id: `042` is not digits"),
        ("gitlab", "/trust/0/match/project_id", json!([]), ".trust[0].match.project_id: the list is empty"),
        (
            "gitlab",
            "/trust/0/match/project_id",
            json!(["42", null]),
            ".trust[0].match.project_id[1]: invalid type: null",
        ),
        (
            "gitlab",
            "/trust/0/match/ref_protected",
            json!(true),
            ".trust[0].match.ref_protected: invalid type: a boolean, expected 'true' or 'false' in a string",
        ),
        ("gitlab", "/trust/0/match/ref_protected", json!("yes"), ".trust[0].match.ref_protected: `yes` is not 'true'"),
        (
            "gitlab",
            "/trust/0/match/runner_id",
            json!("7"),
            ".trust[0].match.runner_id: invalid type: string \"7\", expected a whole number",
        ),
        (
            "gitlab",
            "/trust/0/match/runner_id",
            json!(1.9),
            ".trust[0].match.runner_id: invalid value, expected a whole number",
        ),
        ("gitlab", "/trust/0/match/ref", json!(""), ".trust[0].match.ref: `` is not a string that is not empty"),
        ("gitlab", "/trust/0/match/ref", json!(" main"), ".trust[0].match.ref: ` main` is not"),
        ("gitlab", "/trust/0/match/ref", json!("release/**"), ".trust[0].match.ref: `*` never crosses"),
        ("gitlab", "/trust/0/match/ref", json!(null), ".trust[0].match.ref: invalid type: null"),
        (
            "gitlab",
            "/trust/0/publish",
            json!(["user_login"]),
            ".trust[0].publish[0]: `user_login` says who started the job",
        ),
        (
            "gitlab",
            "/trust/0/publish",
            json!(["enviroment"]),
            ".trust[0].publish[0]: `enviroment` is no known claim of this type of pipeline (did you mean `environment`?)",
        ),
        (
            "bitbucket",
            "/trust/0/allowMergeRequests",
            json!(true),
            ".trust[0]: Bitbucket does not say whether a job is for a merge request (leave `allowMergeRequests` out)",
        ),
        (
            "bitbucket",
            "/trust/0/production",
            json!(true),
            ".trust[0].match: an entry marked `production` binds no deployment environment or protected ref (one of: deploymentEnvironmentUuid)",
        ),
        (
            "bitbucket",
            "/trust/0/match/repositoryUuid",
            json!("payments"),
            ".trust[0].match.repositoryUuid: `payments` is not a UUID",
        ),
        (
            "bitbucket",
            "/trust/0/match/repository_uuid",
            json!("x"),
            ".trust[0].match.repository_uuid: `repository_uuid` is no known claim of this type of pipeline (did you mean `repositoryUuid`?)",
        ),
        ("github", "/trust/0/production", json!(true), ".trust[0].match: an entry marked `production`"),
        (
            "github",
            "/trust/0/match/repository_id",
            json!(7),
            ".trust[0].match.repository_id: invalid type: integer `7`",
        ),
        (
            "github",
            "/trust/0/match/repo_property_",
            json!("x"),
            ".trust[0].match.repo_property_: `repo_property_` is no known claim",
        ),
    ];
    for (kind, pointer, value, says) in rows {
        let mut pipeline = right(kind);
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        pipeline.pointer_mut(parent).unwrap()[name] = value;
        let message = parse(&json!([pipeline])).unwrap_err();
        let says = format!("entraAccess.pipelines[0]{says}");
        assert!(message.starts_with(&says), "{message}\n  should start with {says}");
    }
    for name in ["id", "type", "issuer", "audiences", "trust"] {
        let mut pipeline = right("gitlab");
        pipeline.as_object_mut().unwrap().remove(name);
        let message = parse(&json!([pipeline])).unwrap_err();
        let fix = if name == "audiences" {
            " (name what the jobs ask tokens for, such as the base URL of this Backstage)"
        } else {
            ""
        };
        assert_eq!(message, format!("entraAccess.pipelines[0]: missing field `{name}`{fix}"));
    }
    for name in ["name", "match", "groups"] {
        let mut pipeline = right("gitlab");
        pipeline["trust"][0].as_object_mut().unwrap().remove(name);
        let message = parse(&json!([pipeline])).unwrap_err();
        assert_eq!(message, format!("entraAccess.pipelines[0].trust[0]: missing field `{name}`"));
    }
}

#[test]
fn a_directory_role_is_no_group_of_an_entry() {
    const ROLE: &str = "62e90394-69f5-4237-9190-012177145e10";
    let with = |groups: Value| {
        let (mut first, mut pipeline) = (right("github"), right("gitlab"));
        first["id"] = json!("hub");
        pipeline["trust"][0]["groups"] = groups;
        let text = json!({
            "tenants": [tenant(TENANT, "global")],
            "pipelines": [first, pipeline],
            "groups": { "directoryRoles": [ROLE] },
            "policy": {},
        });
        Configuration::parse(&text.to_string()).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(with(json!([TENANT])), Ok(()));
    assert_eq!(
        with(json!([TENANT, ROLE])).unwrap_err(),
        "entraAccess.pipelines[1].trust[0].groups: this names a directory role, which is no group \
         (use a group, or take the id out of `groups.directoryRoles`)"
    );
}

#[test]
fn right_entries_are_taken() {
    for kind in ["gitlab", "bitbucket", "github"] {
        parse(&json!([right(kind)])).unwrap();
    }
    let issuer = |kind, issuer: &str| {
        let mut pipeline = right(kind);
        pipeline["issuer"] = json!(issuer);
        parse(&json!([pipeline])).map(|found| found.profiles.last().unwrap().discovery_url.clone())
    };
    for (kind, text) in [
        ("gitlab", "https://gitlab.com"),
        ("gitlab", "http://127.0.0.1:7200"),
        ("github", "https://github.example.com/_services/token"),
        ("github", "https://token.actions.octo.ghe.com"),
        ("github", "https://token.actions.githubusercontent.com/octo-enterprise"),
        ("github", "https://token.actions.githubusercontent.com/"),
    ] {
        let expected = format!("{}/.well-known/openid-configuration", text.trim_end_matches('/'));
        assert_eq!(issuer(kind, text), Ok(expected));
    }
    let lifetimes = ["gitlab", "bitbucket", "github"].map(|kind| {
        let found = parse(&json!([right(kind)])).unwrap();
        let profile = found.profiles.last().unwrap().clone();
        (
            profile.leeway_seconds,
            profile.lifetime_seconds,
            profile.algorithms.iter().map(|one| one.name).collect::<Vec<_>>(),
        )
    });
    assert_eq!(lifetimes, [(60, 3600, vec!["RS256"]), (60, 7200, vec!["RS256"]), (60, 900, vec!["RS256"])]);
}

#[test]
fn no_two_issuers_are_alike() {
    let mut other = right("github");
    assert!(
        parse(&json!([right("gitlab"), other]))
            .unwrap_err()
            .starts_with("entraAccess.pipelines[1].id: another issuer has it")
    );
    other["id"] = json!("other");
    parse(&json!([right("gitlab"), other])).unwrap();
    other["issuer"] = json!(GITLAB);
    let message = parse(&json!([right("gitlab"), other])).unwrap_err();
    assert!(message.starts_with("entraAccess.pipelines[1].issuer: another issuer has it"), "{message}");
    other["issuer"] = json!(crate::support::claims::v2_issuer(TENANT));
    assert!(parse(&json!([other])).unwrap_err().starts_with("entraAccess.pipelines[0].issuer: another issuer has it"));
}

#[test]
fn entries_that_are_both_about_every_job_of_one_are_a_mistake() {
    let wants = |all: &[Value]| {
        let mut pipeline = right("gitlab");
        let entry = |(at, wanted): (usize, &Value)| json!({ "name": format!("e{at}"), "match": wanted, "groups": [] });
        pipeline["trust"] = all.iter().enumerate().map(entry).collect();
        parse(&json!([pipeline])).err()
    };
    let staging = json!({ "project_id": "42", "environment": "staging" });
    for (other, both) in [
        (json!({ "project_id": "42", "environment": "staging" }), true),
        (json!({ "environment": ["staging"], "project_id": ["42"] }), true),
        (json!({ "project_id": "42" }), true),
        (json!({ "project_id": ["41", "42"], "environment": "*" }), true),
        (json!({ "project_id": "42", "environment": "staging", "ref": "main" }), true),
        (json!({ "project_id": "42", "environment": "production" }), false),
        (json!({ "project_id": "43" }), false),
        // These may both be about a job, and need not: such a job is refused.
        (json!({ "project_id": "42", "ref": "main" }), false),
        (json!({ "namespace_id": "7" }), false),
    ] {
        for pair in [[staging.clone(), other.clone()], [other.clone(), staging.clone()]] {
            let found = wants(&pair);
            assert_eq!(found.is_some(), both, "{other}: {found:?}");
            if let Some(message) = found {
                assert!(message.contains("every job of one of `e0` and `e1` is a job of both"), "{message}");
            }
        }
    }
    let mut twice = right("gitlab");
    let mut again = twice["trust"][0].clone();
    again["match"]["project_id"] = json!("1");
    twice["trust"].as_array_mut().unwrap().push(again);
    assert!(
        parse(&json!([twice]))
            .unwrap_err()
            .starts_with("entraAccess.pipelines[0].trust[1]: two entries have the name `one`")
    );
}

#[test]
fn entries_of_which_one_job_is_certainly_both_are_a_mistake() {
    let found = |one: Value, other: Value| {
        let mut pipeline = right("gitlab");
        pipeline["trust"] = json!([
            { "name": "e0", "match": one, "groups": [] },
            { "name": "e1", "match": other, "groups": [] },
        ]);
        parse(&json!([pipeline])).err()
    };
    let first = json!({ "project_id": "42", "environment": ["staging", "production"] });
    for (other, both) in [
        (json!({ "project_id": "42", "environment": ["production", "review"] }), true),
        (json!({ "project_id": ["41", "42"], "environment": ["prod*", "review"], "ref": "main" }), true),
        (json!({ "project_id": "42", "environment": ["review", "test"] }), false),
        (json!({ "project_id": "43", "environment": ["production", "review"] }), false),
    ] {
        for (one, two) in [(first.clone(), other.clone()), (other.clone(), first.clone())] {
            let message = found(one, two);
            let says = "some jobs of one of `e0` and `e1` are jobs of both";
            assert_eq!(message.as_ref().is_some_and(|message| message.contains(says)), both, "{other}: {message:?}");
        }
    }
}

#[test]
fn production_is_proved_by_values_not_by_the_mere_name_of_a_claim() {
    let found = |kind: &str, wanted: Value| {
        let mut pipeline = right(kind);
        pipeline["trust"][0]["production"] = json!(true);
        pipeline["trust"][0]["match"] = wanted;
        parse(&json!([pipeline])).err()
    };
    for (kind, wanted, good) in [
        ("gitlab", json!({ "project_id": "42", "ref_protected": "true" }), true),
        ("gitlab", json!({ "project_id": "42", "ref_protected": "false" }), false),
        ("gitlab", json!({ "project_id": "42", "ref_protected": ["true", "false"] }), false),
        ("gitlab", json!({ "project_id": "42", "environment": "production" }), true),
        ("gitlab", json!({ "project_id": "42", "environment": ["production", "production-eu"] }), true),
        ("gitlab", json!({ "project_id": "42", "environment": "*" }), false),
        ("gitlab", json!({ "project_id": "42", "environment": "*", "environment_protected": "true" }), true),
        ("github", json!({ "repository_id": "7", "ref": "refs/heads/main" }), true),
        ("github", json!({ "repository_id": "7", "ref": "refs/heads/*" }), false),
    ] {
        let message = found(kind, wanted.clone());
        assert_eq!(message.is_none(), good, "{wanted}: {message:?}");
        let says = ".trust[0].match: an entry marked `production` takes any environment or ref";
        assert!(message.is_none_or(|message| message.contains(says)), "{wanted}");
    }
}

// --- laws: a naive twin on generated entries and claims

/// A glob by trying every length of every star
fn naive_glob(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text) {
        (None, text) => text.is_empty(),
        (Some(('*', rest)), text) => (1..=text.len())
            .take_while(|length| {
                let upper: String = text[length - 1..].iter().take(3).collect::<String>().to_uppercase();
                !matches!(text[length - 1], '/' | ':') && upper != "%3A" && upper != "%2F"
            })
            .any(|length| naive_glob(rest, &text[length..])),
        (Some((letter, rest)), text) => text.first() == Some(letter) && naive_glob(rest, &text[1..]),
    }
}

#[test]
fn patterns_match_what_a_naive_matcher_matches() {
    const LETTERS: [&str; 9] = ["a", "b", "/", ":", "%3A", "%2f", "*", "*", "ä"];
    let mut random = Random::new(7);
    let (mut matched, mut tried) = (0, 0);
    for _ in 0..200_000 {
        let mut word = |count: usize, star: bool| -> String {
            (0..random.below(count)).map(|_| random.pick(&LETTERS[..if star { 9 } else { 6 }])).collect()
        };
        let (wanted, value) = (word(7, true), word(8, false));
        let Ok(pattern) = Pattern::parse(&wanted) else { continue };
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        let expected = naive_glob(&chars(&wanted), &chars(&value));
        assert_eq!(pattern.matches(&value), expected, "{wanted:?} {value:?}");
        matched += usize::from(expected);
        tried += 1;
    }
    assert!(matched > 1000 && matched < tried, "{matched} of {tried}");
}

#[test]
fn a_pattern_that_includes_another_matches_all_that_it_matches() {
    const LETTERS: [&str; 5] = ["a", "b", "/", "*", "*"];
    let mut random = Random::new(8);
    let mut included = 0;
    for _ in 0..100_000 {
        let mut word = |count: usize, letters: usize| -> String {
            (0..=random.below(count)).map(|_| random.pick(&LETTERS[..letters])).collect()
        };
        let (wide, narrow, value) = (word(4, 5), word(4, 5), word(5, 3));
        let (Ok(wide), Ok(narrow)) = (Pattern::parse(&wide), Pattern::parse(&narrow)) else { continue };
        if wide.includes(&narrow) && narrow.matches(&value) {
            included += 1;
            assert!(wide.matches(&value), "{wide:?} {narrow:?} {value}");
        }
    }
    assert!(included > 300, "{included}");
}

/// Small worlds in which entries often match, and sometimes two of them
fn random_entry(random: &mut Random, at: usize) -> Value {
    let mut wanted = json!({});
    wanted[random.pick(&["project_id", "namespace_id"])] = json!(random.pick(&["1", "2"]));
    for (name, values) in WORLD {
        if random.chance(1, 3) {
            wanted[*name] = match random.chance(1, 3) {
                true => json!([random.pick(values), random.pick(values)]),
                false => json!(random.pick(values)),
            };
        }
    }
    if random.chance(1, 6) {
        wanted["runner_id"] = json!(random.below(3));
    }
    json!({ "name": format!("e{at}"), "match": wanted, "groups": [GROUPS[0]] })
}

const WORLD: &[(&str, &[&str])] = &[
    ("environment", &["staging", "production", "review/*", "*"]),
    ("ref", &["main", "release/*", "*"]),
    ("ref_protected", &["true", "false"]),
];

fn random_job(random: &mut Random) -> Claims {
    let mut job = gitlab()
        .with_text("project_id", random.pick(&["1", "2", "3"]))
        .with_text("namespace_id", random.pick(&["1", "2", "3"]))
        .with_text("ref", random.pick(&["main", "release/1", "x/y/z"]))
        .with_text("ref_protected", random.pick(&["true", "false"]))
        .with("runner_id", random.below(4).to_string());
    job = match random.pick(&["staging", "production", "review/1", "review/1/2", ""]) {
        "" => job.without("environment"),
        environment => job.with_text("environment", environment),
    };
    job
}

/// Whether an entry is about a job, both as plain JSON
fn naively_about(entry: &Value, job: &Value) -> bool {
    entry["match"].as_object().unwrap().iter().all(|(name, wanted)| {
        let any = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
        any.iter().any(|one| match (one.as_str(), job[name].as_str()) {
            (Some(pattern), Some(value)) => {
                naive_glob(&pattern.chars().collect::<Vec<_>>(), &value.chars().collect::<Vec<_>>())
            }
            _ => *one == job[name],
        })
    })
}

#[test]
fn exactly_the_entries_match_that_a_naive_reader_finds() {
    let mut random = Random::new(9);
    let (mut none, mut one, mut several) = (0, 0, 0);
    for _ in 0..300 {
        let mut pipeline = right("gitlab");
        pipeline["trust"] = (0..=random.below(3)).map(|at| random_entry(&mut random, at)).collect();
        let Ok(configuration) = parse(&json!([pipeline])) else { continue };
        let trust = &configuration.profiles.last().unwrap().jobs().unwrap().trust;
        for _ in 0..40 {
            let text = random_job(&mut random).text();
            let plain: Value = serde_json::from_str(&text).unwrap();
            let job = JobClaims::read(text.as_bytes(), kind("gitlab")).unwrap();
            let found: Vec<_> =
                trust.iter().filter(|entry| entry.matches(&job)).map(|entry| entry.name.to_string()).collect();
            let entries = pipeline["trust"].as_array().unwrap().iter();
            let expected: Vec<_> = entries
                .filter(|entry| naively_about(entry, &plain))
                .map(|entry| entry["name"].as_str().unwrap())
                .collect();
            assert_eq!(found, expected, "{pipeline}\n{text}");
            match found.len() {
                0 => none += 1,
                1 => one += 1,
                _ => several += 1,
            }
        }
    }
    assert!(none > 500 && one > 500 && several > 100, "{none} {one} {several}");
}

fn kind(name: &str) -> &'static PipelineKind {
    KINDS.iter().find(|kind| kind.name == name).unwrap()
}
