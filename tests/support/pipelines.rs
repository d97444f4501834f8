//! Tokens of CI jobs as they are documented, and a configuration that trusts some of them

use entra_access_core::config::Configuration;
use serde_json::{Value, json};

use super::{
    NOW,
    claims::{Claims, GROUPS, TENANT},
    scene::tenant,
};

/// What jobs ask tokens for
pub const AUDIENCE: &str = "https://backstage.example.com";
/// A self-managed instance
pub const GITLAB: &str = "https://gitlab.example.com";
/// A workspace
pub const BITBUCKET: &str = "https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc";
/// The one of github.com
pub const GITHUB: &str = "https://token.actions.githubusercontent.com";
/// A repository of Bitbucket
pub const REPOSITORY: &str = "11111111-aaaa-0000-0000-000000000001";
/// Its workspace
pub const WORKSPACE: &str = "11111111-aaaa-0000-0000-000000000002";
/// An environment of it
pub const ENVIRONMENT: &str = "11111111-aaaa-0000-0000-000000000003";

/// A job of project 42 on a protected branch, deploying to staging
pub fn gitlab() -> Claims {
    times(Claims::none())
        .with_text("iss", GITLAB)
        .with_text("sub", "project_path:acme/payments:ref_type:branch:ref:main")
        .with_text("aud", AUDIENCE)
        .with_text("jti", "2a5b7e8e-0000-4000-8000-000000000001")
        .with_text("namespace_id", "7")
        .with_text("namespace_path", "acme")
        .with_text("project_id", "42")
        .with_text("project_path", "acme/payments")
        .with_text("user_id", "3")
        .with_text("user_login", "olivia")
        .with_text("user_email", "olivia@example.com")
        .with_text("user_access_level", "maintainer")
        .with_text("pipeline_id", "1001")
        .with_text("pipeline_source", "push")
        .with_text("job_id", "5005")
        .with_text("ref", "main")
        .with_text("ref_type", "branch")
        .with_text("ref_path", "refs/heads/main")
        .with_text("ref_protected", "true")
        .with_text("environment", "staging")
        .with_text("environment_protected", "false")
        .with_text("deployment_tier", "staging")
        .with_text("environment_action", "start")
        .with("runner_id", "1")
        .with_text("runner_environment", "self-hosted")
        .with_text("sha", "714a629c0b401fdce83e847fc9589983fc6f46bc")
        .with_text("project_visibility", "internal")
        .with_text("ci_config_ref_uri", "gitlab.example.com/acme/payments//.gitlab-ci.yml@refs/heads/main")
        .with_text("ci_config_sha", "714a629c0b401fdce83e847fc9589983fc6f46bc")
        .with("groups_direct", r#"["acme","acme/owners"]"#)
        .with("user_identities", r#"[{"provider":"entra","extern_uid":"x"}]"#)
}

/// A step that deploys to an environment
pub fn bitbucket() -> Claims {
    let uuid = |last: u8| format!("{{11111111-aaaa-0000-0000-0000000000{last:02}}}");
    times(Claims::none())
        .with_text("iss", BITBUCKET)
        .with_text("sub", &format!("{{{REPOSITORY}}}:{{{ENVIRONMENT}}}:{}", uuid(5)))
        .with_text("aud", AUDIENCE)
        .with_text("repositoryUuid", &format!("{{{REPOSITORY}}}"))
        .with_text("workspaceUuid", &format!("{{{WORKSPACE}}}"))
        .with_text("pipelineUuid", &uuid(4))
        .with_text("stepUuid", &uuid(5))
        .with_text("deploymentEnvironmentUuid", &format!("{{{ENVIRONMENT}}}"))
        .with_text("branchName", "main")
}

/// A job that deploys to staging
pub fn github() -> Claims {
    times(Claims::none())
        .with_text("iss", GITHUB)
        .with_text("sub", "repo:octo/api:environment:staging")
        .with_text("aud", AUDIENCE)
        .with_text("jti", "example-id")
        .with_text("repository", "octo/api")
        .with_text("repository_owner", "octo")
        .with_text("repository_id", "7")
        .with_text("repository_owner_id", "1")
        .with_text("repository_visibility", "private")
        .with_text("actor", "octocat")
        .with_text("actor_id", "12")
        .with_text("event_name", "push")
        .with_text("ref", "refs/heads/main")
        .with_text("ref_type", "branch")
        .with_text("ref_protected", "true")
        .with_text("base_ref", "")
        .with_text("head_ref", "")
        .with_text("environment", "staging")
        .with_text("sha", "714a629c0b401fdce83e847fc9589983fc6f46bc")
        .with_text("workflow", "deploy")
        .with_text("workflow_ref", "octo/api/.github/workflows/deploy.yml@refs/heads/main")
        .with_text("job_workflow_ref", "octo/ci/.github/workflows/deploy.yml@refs/tags/v1")
        .with_text("run_id", "900")
        .with_text("run_number", "10")
        .with_text("run_attempt", "2")
        .with_text("runner_environment", "github-hosted")
        .with_text("repo_property_team", "payments,billing")
}

fn times(claims: Claims) -> Claims {
    claims.with("iat", (NOW - 10).to_string()).with("nbf", (NOW - 15).to_string()).with("exp", (NOW + 290).to_string())
}

/// The entries of GitLab: two that may both be about a job, one for merge requests, one whose tokens count once
pub fn gitlab_trust() -> Value {
    json!([
        { "name": "payments-staging", "groups": [GROUPS[0]], "publish": ["environment", "ref_protected", "deployment_tier"],
          "match": { "project_id": "42", "environment": ["staging", "review"], "ref_protected": "true" } },
        { "name": "payments-release", "groups": [], "match": { "project_id": "42", "ref": "release/*", "runner_id": [1, 7] } },
        { "name": "merge-requests", "groups": [], "match": { "project_id": "43" }, "allowMergeRequests": true },
        { "name": "once", "groups": [], "match": { "project_id": "44" }, "singleUse": true },
    ])
}

/// One tenant and the three issuers, with `more` of them
pub fn configuration(more: &Value) -> Configuration {
    let mut pipelines = json!([
        { "id": "gitlab", "type": "gitlab", "issuer": GITLAB, "audiences": [AUDIENCE], "trust": gitlab_trust() },
        { "id": "bitbucket", "type": "bitbucket", "issuer": BITBUCKET, "audiences": [AUDIENCE], "trust": [
            { "name": "payments", "groups": [GROUPS[0]], "production": true,
              "match": { "repositoryUuid": REPOSITORY.to_uppercase(), "deploymentEnvironmentUuid": format!("{{{ENVIRONMENT}}}") } }
        ] },
        { "id": "github", "type": "github", "issuer": GITHUB, "audiences": [AUDIENCE], "trust": [
            { "name": "api", "groups": [GROUPS[0]],
              "match": { "repository_id": "7", "environment": "stag*", "job_workflow_ref": "octo/ci/.github/workflows/deploy.yml@refs/tags/*" } },
            { "name": "pull-requests", "groups": [], "match": { "repository_id": "43" }, "allowMergeRequests": true }
        ] },
    ]);
    pipelines.as_array_mut().unwrap().extend(more.as_array().unwrap().iter().cloned());
    let text = json!({ "tenants": [tenant(TENANT, "global")], "pipelines": pipelines, "policy": {} });
    Configuration::parse(&text.to_string()).unwrap()
}
