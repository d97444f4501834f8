//! Tokens of CI jobs: of the three kinds of issuers, in their documented shapes, and all that must not pass for them

use entra_access_core::identity::PrincipalKind::Pipeline;
use serde_json::json;

use super::{Vector, accept, refuse};
use crate::support::{
    NOW,
    claims::{Claims, TENANT, user_v2, v2_issuer},
    jws::token_of,
    keys::{RSA_A, RSA_B, TestKey, jwks},
    pipelines::{AUDIENCE, BITBUCKET, GITHUB, GITLAB, REPOSITORY, WORKSPACE, bitbucket, configuration, github, gitlab},
    scene::Scene,
};

/// A way to a token that must not be accepted, and the code that it must come to
type Wrong = (&'static str, Claims, &'static str);

/// The scenes
pub fn scenes() -> Vec<Scene> {
    vec![Scene {
        name: "pipelines",
        configuration: configuration(&json!([])),
        keys: keys(),
        vectors: [good(), of_one_issuer_only(), bad_gitlab(), bad_bitbucket(), bad_github(), every_required_claim()]
            .concat(),
    }]
}

/// GitLab signs with `a`, the two others with `b`: the keys of one issuer are not those of another
pub fn keys() -> Vec<(String, String)> {
    vec![
        (format!("entra-v2:{TENANT}"), jwks(&[RSA_A.jwk("entra")])),
        ("pipeline:gitlab".into(), jwks(&[RSA_A.jwk("a")])),
        ("pipeline:bitbucket".into(), jwks(&[RSA_B.jwk("b")])),
        ("pipeline:github".into(), jwks(&[RSA_B.jwk("c")])),
    ]
}

/// Signed as each issuer signs
pub fn of_gitlab(claims: &Claims) -> Vec<u8> {
    token_of(&RSA_A, "a", claims.text())
}

/// See [`of_gitlab`]
pub fn of_bitbucket(claims: &Claims) -> Vec<u8> {
    token_of(&RSA_B, "b", claims.text())
}

/// See [`of_gitlab`]
pub fn of_github(claims: &Claims) -> Vec<u8> {
    token_of(&RSA_B, "c", claims.text())
}

fn good() -> Vec<Vector> {
    let braces = |uuid: &str| format!("{{{}}}", uuid.to_uppercase());
    vec![
        accept("gitlab_staging", Pipeline, of_gitlab(&gitlab())),
        accept("gitlab_renamed_project", Pipeline, of_gitlab(&gitlab().with_text("project_path", "other/name"))),
        accept(
            "gitlab_one_audience_in_a_list",
            Pipeline,
            of_gitlab(&gitlab().with("aud", format!("[\"{AUDIENCE}\"]"))),
        ),
        accept("gitlab_runs_in_its_own_project", Pipeline, of_gitlab(&gitlab().with_text("job_project_id", "42"))),
        accept("gitlab_old_without_runner", Pipeline, of_gitlab(&gitlab().with("runner_id", "null"))),
        accept("gitlab_configuration_elsewhere", Pipeline, of_gitlab(&gitlab().with("ci_config_ref_uri", "null"))),
        accept(
            "gitlab_release_by_glob",
            Pipeline,
            of_gitlab(&gitlab().with_text("ref", "release/1.2").without("environment").with("runner_id", "7")),
        ),
        accept(
            "gitlab_child_pipeline_of_a_protected_ref",
            Pipeline,
            of_gitlab(&gitlab().with_text("pipeline_source", "parent_pipeline")),
        ),
        accept(
            "gitlab_merge_request_where_allowed",
            Pipeline,
            of_gitlab(
                &gitlab()
                    .with_text("project_id", "43")
                    .with_text("job_project_id", "43")
                    .with_text("ref_protected", "false")
                    .with_text("pipeline_source", "merge_request_event"),
            ),
        ),
        accept(
            "github_pull_request_where_allowed",
            Pipeline,
            of_github(&github().with_text("event_name", "pull_request").with_text("repository_id", "43")),
        ),
        accept("gitlab_single_use", Pipeline, of_gitlab(&single_use())),
        accept("bitbucket", Pipeline, of_bitbucket(&bitbucket())),
        accept(
            "bitbucket_without_braces",
            Pipeline,
            of_bitbucket(&bitbucket().with_text("repositoryUuid", REPOSITORY)),
        ),
        accept(
            "bitbucket_capitals",
            Pipeline,
            of_bitbucket(&bitbucket().with_text("workspaceUuid", &braces(WORKSPACE))),
        ),
        accept("github", Pipeline, of_github(&github())),
        accept(
            "github_immutable_subject",
            Pipeline,
            of_github(&github().with_text("sub", "repo:octo@1/api@7:environment:staging")),
        ),
        accept("github_renamed", Pipeline, of_github(&github().with_text("repository", "octo/renamed"))),
        accept(
            "github_empty_refs_of_a_push",
            Pipeline,
            of_github(&github().with_text("base_ref", "").with_text("head_ref", "")),
        ),
    ]
}

/// The same claims, and the keys of another
fn of_one_issuer_only() -> Vec<Vector> {
    let sign = |claims: &Claims, key: &TestKey, kid: &str| token_of(key, kid, claims.text());
    let spelt = |issuer: &str| of_gitlab(&gitlab().with_text("iss", issuer));
    vec![
        refuse("gitlab_by_a_key_of_github", "key_unknown", of_github(&gitlab())),
        refuse("github_by_a_key_of_gitlab", "key_unknown", of_gitlab(&github())),
        refuse("github_by_a_key_of_bitbucket", "key_unknown", of_bitbucket(&github())),
        refuse("github_by_gitlabs_key_under_its_own_name", "signature_invalid", sign(&github(), &RSA_A, "c")),
        refuse("gitlab_by_a_key_of_entra", "key_unknown", sign(&gitlab(), &RSA_A, "entra")),
        refuse("entra_by_a_key_of_gitlab", "key_unknown", of_gitlab(&user_v2())),
        refuse("gitlab_claims_under_entras_issuer", "claim_missing", {
            sign(&gitlab().with_text("iss", &v2_issuer(TENANT)), &RSA_A, "entra")
        }),
        refuse("entra_claims_under_gitlabs_issuer", "token_kind_not_allowed", {
            of_gitlab(
                &user_v2()
                    .with_text("iss", GITLAB)
                    .with_text("aud", AUDIENCE)
                    .with("iat", (NOW - 10).to_string())
                    .with("exp", (NOW + 290).to_string()),
            )
        }),
        refuse(
            "github_claims_under_gitlabs_issuer",
            "token_kind_not_allowed",
            of_gitlab(&github().with_text("iss", GITLAB)),
        ),
        refuse(
            "gitlab_claims_under_githubs_issuer",
            "token_kind_not_allowed",
            of_github(&gitlab().with_text("iss", GITHUB)),
        ),
        refuse("github_claims_under_bitbuckets_issuer", "token_kind_not_allowed", {
            of_bitbucket(&github().with_text("iss", BITBUCKET))
        }),
        refuse("issuer_with_a_slash", "issuer_untrusted", spelt("https://gitlab.example.com/")),
        refuse("issuer_without_scheme", "issuer_untrusted", spelt("gitlab.example.com")),
        refuse("issuer_in_capitals", "issuer_untrusted", spelt("https://GITLAB.example.com")),
        refuse("issuer_by_http", "issuer_untrusted", spelt("http://gitlab.example.com")),
        refuse("issuer_of_another_workspace", "issuer_untrusted", {
            of_bitbucket(&bitbucket().with_text("iss", &BITBUCKET.replace("/acme/", "/evil/")))
        }),
        refuse(
            "issuer_of_an_enterprise",
            "issuer_untrusted",
            of_github(&github().with_text("iss", &format!("{GITHUB}/octo"))),
        ),
        Vector { ..accept("x", Pipeline, of_gitlab(&gitlab())) }.at_sign_in_refused("gitlab_at_a_sign_in"),
    ]
}

fn bad_gitlab() -> Vec<Vector> {
    let production = gitlab().with_text("environment", "production");
    let merge_request = gitlab().with_text("pipeline_source", "merge_request_event");
    let where_allowed = merge_request.clone().with_text("project_id", "43").with_text("ref_protected", "false");
    let login = gitlab().without("job_id").without("pipeline_id");
    let wrong: Vec<Wrong> = vec![
        ("production", production.clone(), "pipeline_untrusted"),
        ("production_in_another_case", gitlab().with_text("environment", "Staging"), "pipeline_untrusted"),
        ("environment_padded", gitlab().with_text("environment", " staging"), "pipeline_untrusted"),
        ("environment_absent", gitlab().without("environment"), "pipeline_untrusted"),
        ("environment_null", gitlab().with("environment", "null"), "pipeline_untrusted"),
        ("environment_empty", gitlab().with_text("environment", ""), "pipeline_untrusted"),
        ("environment_in_a_list", gitlab().with("environment", r#"["staging"]"#), "claim_invalid"),
        (
            "environment_under_another_case",
            gitlab().without("environment").with_text("Environment", "staging"),
            "pipeline_untrusted",
        ),
        ("environment_in_two_cases", gitlab().with_text("Environment", "staging"), "claim_duplicated"),
        ("other_project_with_the_old_path", gitlab().with_text("project_id", "4200"), "pipeline_untrusted"),
        ("project_id_a_number", gitlab().with("project_id", "42"), "claim_invalid"),
        ("project_id_padded", gitlab().with_text("project_id", "42 "), "claim_invalid"),
        ("project_id_with_a_zero", gitlab().with_text("project_id", "042"), "claim_invalid"),
        ("project_id_a_fraction", gitlab().with_text("project_id", "42.0"), "claim_invalid"),
        ("ref_protected_a_boolean", gitlab().with("ref_protected", "true"), "claim_invalid"),
        ("ref_protected_a_capital", gitlab().with_text("ref_protected", "True"), "claim_invalid"),
        ("ref_protected_false", gitlab().with_text("ref_protected", "false"), "pipeline_untrusted"),
        ("runner_id_a_string", gitlab().with_text("runner_id", "7"), "claim_invalid"),
        ("runner_id_a_fraction", gitlab().with("runner_id", "7.9"), "claim_invalid"),
        (
            "release_on_another_runner",
            gitlab().with_text("ref", "release/1").without("environment").with("runner_id", "70"),
            "pipeline_untrusted",
        ),
        (
            "release_below_a_release",
            gitlab().with_text("ref", "release/1/x").without("environment"),
            "pipeline_untrusted",
        ),
        ("release_of_nothing", gitlab().with_text("ref", "release/").without("environment"), "pipeline_untrusted"),
        ("feature_branch", gitlab().with_text("ref", "feature").without("environment"), "pipeline_untrusted"),
        ("two_entries", gitlab().with_text("ref", "release/1"), "pipeline_untrusted"),
        ("fork", gitlab().with_text("job_project_id", "99"), "pipeline_untrusted"),
        ("fork_of_which_nothing_is_said", gitlab().with("job_project_id", "42"), "claim_invalid"),
        ("merge_request", merge_request.clone(), "pipeline_untrusted"),
        (
            "merge_request_of_another_system",
            gitlab().with_text("pipeline_source", "external_pull_request_event"),
            "pipeline_untrusted",
        ),
        ("merge_request_where_allowed_of_an_old_version", where_allowed.clone(), "pipeline_untrusted"),
        (
            "merge_request_where_allowed_of_a_fork",
            where_allowed.clone().with_text("job_project_id", "42"),
            "pipeline_untrusted",
        ),
        (
            "child_pipeline_of_an_unprotected_ref",
            where_allowed.with_text("pipeline_source", "parent_pipeline"),
            "pipeline_untrusted",
        ),
        ("login_id_token", login.clone(), "token_kind_not_allowed"),
        ("login_id_token_with_nonce", login.with_text("nonce", "n"), "token_kind_not_allowed"),
        ("job_with_a_nonce", gitlab().with_text("nonce", "n"), "token_kind_not_allowed"),
        ("security_event", gitlab().with("events", "{}"), "token_kind_not_allowed"),
        ("bound_to_a_key", gitlab().with("cnf", "{}"), "proof_of_possession_unsupported"),
        ("audience_of_vault", gitlab().with_text("aud", "https://vault.example.com"), "audience_mismatch"),
        ("audience_of_the_instance", gitlab().with_text("aud", GITLAB), "audience_mismatch"),
        ("audience_with_a_slash", gitlab().with_text("aud", &format!("{AUDIENCE}/")), "audience_mismatch"),
        (
            "audience_of_two_services",
            gitlab().with("aud", format!("[\"{AUDIENCE}\",\"https://vault.example.com\"]")),
            "audience_mismatch",
        ),
        ("audience_empty", gitlab().with_text("aud", ""), "claim_invalid"),
        ("audience_an_empty_list", gitlab().with("aud", "[]"), "claim_invalid"),
        ("expired", gitlab().with("exp", (NOW - 60).to_string()), "token_expired"),
        ("issued_in_the_future", gitlab().with("iat", (NOW + 61).to_string()), "token_not_yet_valid"),
        ("lives_for_two_hours", gitlab().with("exp", (NOW + 7200).to_string()), "lifetime_too_long"),
        ("single_use_without_jti", single_use().without("jti"), "claim_missing"),
        ("single_use_with_an_empty_jti", single_use().with_text("jti", ""), "claim_invalid"),
        ("single_use_with_a_long_jti", single_use().with_text("jti", &"x".repeat(129)), "claim_invalid"),
        ("single_use_with_a_number", single_use().with("jti", "7"), "claim_invalid"),
    ];
    rows("gitlab", wrong, of_gitlab)
}

/// Of the project whose tokens count once
pub fn single_use() -> Claims {
    gitlab().with_text("project_id", "44")
}

fn bad_bitbucket() -> Vec<Vector> {
    let other = "{99999999-0000-0000-0000-000000000009}";
    let wrong: Vec<Wrong> = vec![
        ("other_repository", bitbucket().with_text("repositoryUuid", other), "pipeline_untrusted"),
        ("other_environment", bitbucket().with_text("deploymentEnvironmentUuid", other), "pipeline_untrusted"),
        ("no_environment", bitbucket().without("deploymentEnvironmentUuid"), "pipeline_untrusted"),
        ("half_a_brace", bitbucket().with_text("repositoryUuid", &format!("{{{REPOSITORY}")), "claim_invalid"),
        ("repository_a_list", bitbucket().with("repositoryUuid", format!("[\"{REPOSITORY}\"]")), "claim_invalid"),
        ("no_step", bitbucket().without("stepUuid"), "token_kind_not_allowed"),
        (
            "claim_in_lower_case",
            bitbucket().without("repositoryUuid").with_text("repositoryuuid", REPOSITORY),
            "claim_missing",
        ),
        (
            "audience_of_the_workspace",
            bitbucket().with_text("aud", &format!("ari:cloud:bitbucket::workspace/{WORKSPACE}")),
            "audience_mismatch",
        ),
        ("lives_for_three_hours", bitbucket().with("exp", (NOW + 10_800).to_string()), "lifetime_too_long"),
    ];
    rows("bitbucket", wrong, of_bitbucket)
}

fn bad_github() -> Vec<Vector> {
    let event = |name| github().with_text("event_name", name);
    let wrong: Vec<Wrong> = vec![
        ("other_repository_of_the_same_name", github().with_text("repository_id", "8"), "pipeline_untrusted"),
        ("production", github().with_text("environment", "production"), "pipeline_untrusted"),
        ("no_environment", github().without("environment"), "pipeline_untrusted"),
        ("environment_with_an_encoded_colon", github().with_text("environment", "staging%3Aeu"), "pipeline_untrusted"),
        ("pull_request", event("pull_request"), "pipeline_untrusted"),
        ("pull_request_target", event("pull_request_target"), "pipeline_untrusted"),
        ("review", event("pull_request_review"), "pipeline_untrusted"),
        ("run_after_another", event("workflow_run"), "pipeline_untrusted"),
        (
            "pull_request_target_where_allowed",
            event("pull_request_target").with_text("repository_id", "43"),
            "pipeline_untrusted",
        ),
        ("repository_id_a_number", github().with("repository_id", "7"), "claim_invalid"),
        ("no_run", github().without("run_id"), "token_kind_not_allowed"),
        ("property_a_boolean", github().with("repo_property_critical", "true"), "claim_invalid"),
        ("audience_of_the_owner", github().with_text("aud", "https://github.com/octo"), "audience_mismatch"),
        ("lives_for_an_hour", github().with("exp", (NOW + 3590).to_string()), "lifetime_too_long"),
    ];
    rows("github", wrong, of_github)
}

/// Each required claim of each issuer missing, of another type, empty, null, a list, in capitals
fn every_required_claim() -> Vec<Vector> {
    type Kind = (&'static str, Claims, fn(&Claims) -> Vec<u8>, &'static [&'static str], &'static str);
    let kinds: [Kind; 3] = [
        (
            "gitlab",
            gitlab(),
            of_gitlab,
            &[
                "project_id",
                "namespace_id",
                "pipeline_id",
                "pipeline_source",
                "job_id",
                "ref",
                "ref_type",
                "ref_protected",
                "sub",
            ],
            "job_id",
        ),
        (
            "bitbucket",
            bitbucket(),
            of_bitbucket,
            &["repositoryUuid", "workspaceUuid", "pipelineUuid", "stepUuid", "sub"],
            "stepUuid",
        ),
        (
            "github",
            github(),
            of_github,
            &["repository_id", "repository_owner_id", "event_name", "ref", "run_id", "sub"],
            "run_id",
        ),
    ];
    let mut all = Vec::new();
    for (kind, claims, sign, required, mark) in kinds {
        for name in required {
            let missing = if *name == mark { "token_kind_not_allowed" } else { "claim_missing" };
            let mut row = |what: &str, claims: Claims, code| {
                all.push(refuse(format!("required_{kind}_{name}_{what}"), code, sign(&claims)));
            };
            row("missing", claims.clone().without(name), missing);
            row("in_capitals", claims.clone().without(name).with_text(&name.to_uppercase(), "1"), missing);
            row("in_two_cases", claims.clone().with_text(&name.to_uppercase(), "1"), "claim_duplicated");
            for (what, value) in [
                ("null", "null"),
                ("empty", r#""""#),
                ("a_list", r#"["1"]"#),
                ("an_object", "{}"),
                ("a_number", "1"),
                ("a_boolean", "true"),
            ] {
                row(what, claims.clone().with(name, value), "claim_invalid");
            }
        }
        for name in ["iss", "aud", "exp", "iat"] {
            let code = "claim_missing";
            all.push(refuse(format!("{kind}_{name}_missing"), code, sign(&claims.clone().without(name))));
            all.push(refuse(format!("{kind}_{name}_null"), "claim_invalid", sign(&claims.clone().with(name, "null"))));
        }
    }
    all
}

fn rows(kind: &str, wrong: Vec<Wrong>, sign: fn(&Claims) -> Vec<u8>) -> Vec<Vector> {
    wrong.into_iter().map(|(name, claims, code)| refuse(format!("{kind}_{name}"), code, sign(&claims))).collect()
}

impl Vector {
    fn at_sign_in_refused(self, name: &str) -> Self {
        Self { name: name.into(), expected: Err("token_kind_not_allowed"), ..self }.at_sign_in()
    }
}
