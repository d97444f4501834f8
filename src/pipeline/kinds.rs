//! The three kinds of pipeline issuers as tables of data: which claims, of which JSON type, and what they are good for
//!
//! Sources: GitLab's documentation and code of ID tokens (`lib/gitlab/ci/jwt*.rb`), Atlassian's announcement of Bitbucket's
//! audiences and tokens seen in public, GitHub's reference of Actions' OpenID Connect.

/// How an issuer types a claim; everything is compared as text
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Any string
    Text,
    /// A number in a string, without leading zeros: an id
    Digits,
    /// `"true"` or `"false"`, in a string
    Flag,
    /// A whole JSON number
    Number,
    /// A UUID, in braces or not, in any letter case
    Uuid,
}

/// A claim that is known
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// As it stands in a token; one that ends with `*` stands for all that begin like it
    pub name: &'static str,
    /// How it is typed
    pub form: Form,
    /// [`REQUIRED`], [`IMMUTABLE`], [`RECORDED`], [`PERSON`], [`OPAQUE`]
    pub traits: u8,
}

/// A token without it is refused
pub const REQUIRED: u8 = 1;
/// An id that is never given to another project, repository or owner
pub const IMMUTABLE: u8 = 2;
/// Kept for the audit
pub const RECORDED: u8 = 4;
/// Says who started the job, which authorizes nothing
pub const PERSON: u8 = 8;
/// Differs from job to job, or is put together differently from project to project
pub const OPAQUE: u8 = 16;

impl Claim {
    /// Whether it has one of these traits
    pub const fn is(&self, traits: u8) -> bool {
        self.traits & traits != 0
    }
}

const fn claim(name: &'static str, form: Form, traits: u8) -> Claim {
    Claim { name, form, traits }
}

/// Everything that differs between the kinds
#[derive(Debug)]
pub struct PipelineKind {
    /// The word in the configuration
    pub name: &'static str,
    /// The name in messages
    pub title: &'static str,
    /// The claims that are known
    pub claims: &'static [Claim],
    /// What only a job's token has
    pub mark: &'static str,
    /// The immutable id by which jobs are told apart
    pub subject: &'static str,
    /// Accepted algorithms
    pub algorithms: &'static [&'static str],
    /// Longest lifetime unless configured, in seconds
    pub lifetime_seconds: u64,
    /// An entry marked `production` binds one of these
    pub production: &'static [&'static str],
    /// How a job for a merge request is told, where it can be
    pub merge_requests: Option<MergeRequests>,
}

/// How a job for a merge request is told
#[derive(Debug)]
pub struct MergeRequests {
    /// What started the pipeline
    pub claim: &'static str,
    /// Beginnings of its values for merge requests
    pub prefixes: &'static [&'static str],
    /// Values by which a fork starts a job with the rights of the project that it runs in: no entry lets them in
    pub forks: &'static [&'static str],
    /// A value that does not say what started it in the end: taken for a merge request's unless the ref is protected
    pub inherited: &'static str,
    /// The project that the job runs in, as opposed to the one that its code is of
    pub runs_in: Option<&'static str>,
}

/// Says that a ref is protected
pub const REF_PROTECTED: &str = "ref_protected";

impl PipelineKind {
    /// The claim with exactly this name
    pub fn claim(&self, name: &str) -> Option<&'static Claim> {
        self.claims.iter().find(|claim| match claim.name.strip_suffix('*') {
            Some(prefix) => name.len() > prefix.len() && name.starts_with(prefix),
            None => claim.name == name,
        })
    }
}

/// Every kind
pub static KINDS: [PipelineKind; 3] = [
    PipelineKind {
        name: "gitlab",
        title: "GitLab",
        claims: GITLAB,
        // A login ID token is signed with the same keys.
        mark: "job_id",
        subject: "project_id",
        algorithms: &["RS256"],
        // As long as the job may run; a project's jobs may run for an hour unless it says otherwise.
        lifetime_seconds: 3600,
        production: &["environment", REF_PROTECTED, "environment_protected"],
        merge_requests: Some(MergeRequests {
            claim: "pipeline_source",
            prefixes: &["merge_request", "external_pull_request"],
            forks: &[],
            inherited: "parent_pipeline",
            // Since a security fix `project_id` is the fork of a merge request; before it was the project that ran its code.
            runs_in: Some("job_project_id"),
        }),
    },
    PipelineKind {
        name: "bitbucket",
        title: "Bitbucket",
        claims: BITBUCKET,
        mark: "stepUuid",
        subject: "repositoryUuid",
        algorithms: &["RS256"],
        // A step may run for two hours unless it says otherwise.
        lifetime_seconds: 7200,
        // No claim says that a branch is protected or that code is of a fork; only deployments can be restricted.
        production: &["deploymentEnvironmentUuid"],
        merge_requests: None,
    },
    PipelineKind {
        name: "github",
        title: "GitHub",
        claims: GITHUB,
        mark: "run_id",
        subject: "repository_id",
        algorithms: &["RS256"],
        // Five minutes in every sample.
        lifetime_seconds: 900,
        production: &["environment", "ref", "job_workflow_ref"],
        merge_requests: Some(MergeRequests {
            claim: "event_name",
            // A `workflow_run` may be the pull request of a fork that went before it.
            prefixes: &["pull_request", "workflow_run"],
            forks: &["pull_request_target"],
            inherited: "",
            runs_in: None,
        }),
    },
];

use Form::{Digits, Flag, Number, Text, Uuid};

const GITLAB: &[Claim] = &[
    claim("project_id", Digits, REQUIRED | IMMUTABLE | RECORDED),
    claim("namespace_id", Digits, REQUIRED | IMMUTABLE | RECORDED),
    claim("project_path", Text, RECORDED),
    claim("namespace_path", Text, 0),
    claim("pipeline_id", Digits, REQUIRED | RECORDED),
    claim("pipeline_source", Text, REQUIRED | RECORDED),
    claim("job_id", Digits, REQUIRED | RECORDED),
    claim("ref", Text, REQUIRED | RECORDED),
    claim("ref_type", Text, REQUIRED),
    claim("ref_path", Text, 0),
    claim(REF_PROTECTED, Flag, REQUIRED | RECORDED),
    claim("environment", Text, RECORDED),
    claim("environment_protected", Flag, 0),
    claim("deployment_tier", Text, 0),
    claim("environment_action", Text, 0),
    claim("runner_id", Number, 0),
    claim("runner_environment", Text, 0),
    claim("sha", Text, RECORDED),
    claim("project_visibility", Text, 0),
    claim("ci_config_ref_uri", Text, 0),
    claim("ci_config_sha", Text, 0),
    claim("job_project_id", Digits, RECORDED),
    claim("job_project_path", Text, 0),
    claim("job_namespace_id", Digits, 0),
    claim("job_namespace_path", Text, 0),
    claim("user_id", Digits, PERSON | RECORDED),
    claim("user_login", Text, PERSON | RECORDED),
    claim("user_email", Text, PERSON),
    claim("user_access_level", Text, PERSON),
    claim("sub", Text, REQUIRED | OPAQUE),
    claim("jti", Text, OPAQUE),
];

const BITBUCKET: &[Claim] = &[
    claim("repositoryUuid", Uuid, REQUIRED | IMMUTABLE | RECORDED),
    claim("workspaceUuid", Uuid, REQUIRED | IMMUTABLE | RECORDED),
    claim("pipelineUuid", Uuid, REQUIRED | RECORDED),
    claim("stepUuid", Uuid, REQUIRED | RECORDED),
    claim("deploymentEnvironmentUuid", Uuid, RECORDED),
    claim("deploymentEnvironment", Text, RECORDED),
    claim("branchName", Text, RECORDED),
    claim("sub", Text, REQUIRED | OPAQUE),
    claim("jti", Text, OPAQUE),
];

const GITHUB: &[Claim] = &[
    claim("repository_id", Digits, REQUIRED | IMMUTABLE | RECORDED),
    claim("repository_owner_id", Digits, REQUIRED | IMMUTABLE | RECORDED),
    claim("enterprise_id", Digits, IMMUTABLE),
    claim("repository", Text, RECORDED),
    claim("repository_owner", Text, 0),
    claim("repository_visibility", Text, 0),
    claim("enterprise", Text, 0),
    claim("event_name", Text, REQUIRED | RECORDED),
    claim("ref", Text, REQUIRED | RECORDED),
    claim("ref_type", Text, 0),
    claim(REF_PROTECTED, Flag, 0),
    claim("base_ref", Text, 0),
    claim("head_ref", Text, 0),
    claim("sha", Text, RECORDED),
    claim("environment", Text, RECORDED),
    claim("workflow", Text, 0),
    claim("workflow_ref", Text, 0),
    claim("workflow_sha", Text, 0),
    claim("job_workflow_ref", Text, RECORDED),
    claim("job_workflow_sha", Text, 0),
    claim("run_id", Digits, REQUIRED | RECORDED),
    claim("run_number", Digits, 0),
    claim("run_attempt", Digits, RECORDED),
    claim("runner_environment", Text, 0),
    claim("repo_property_*", Text, 0),
    claim("actor", Text, PERSON | RECORDED),
    claim("actor_id", Digits, PERSON | RECORDED),
    claim("sub", Text, REQUIRED | OPAQUE),
    claim("jti", Text, OPAQUE),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_tables_is_sound() {
        for kind in &KINDS {
            for (at, claim) in kind.claims.iter().enumerate() {
                assert!(kind.claims.iter().skip(at + 1).all(|other| other.name != claim.name), "{} twice", claim.name);
                assert!(!claim.is(IMMUTABLE) || matches!(claim.form, Form::Digits | Form::Uuid), "{}", claim.name);
                assert!(!(claim.is(PERSON | OPAQUE) && claim.is(IMMUTABLE)), "{}", claim.name);
            }
            let subject = kind.claim(kind.subject).unwrap();
            assert!(subject.is(IMMUTABLE) && subject.is(REQUIRED) && subject.is(RECORDED));
            assert!(kind.claim(kind.mark).unwrap().is(REQUIRED));
            assert!(kind.production.iter().all(|name| kind.claim(name).is_some()));
            if let Some(rule) = &kind.merge_requests {
                assert!(kind.claim(rule.claim).unwrap().is(REQUIRED));
                assert!(rule.runs_in.is_none_or(|name| kind.claim(name).unwrap().form == subject.form));
            }
        }
    }

    #[test]
    fn a_family_of_claims_is_known_by_its_beginning() {
        let github = &KINDS[2];
        assert_eq!(github.claim("repo_property_team").unwrap().name, "repo_property_*");
        for unknown in ["repo_property_", "repo_property", "repo_propert*", "Ref", "sub "] {
            assert!(github.claim(unknown).is_none(), "{unknown}");
        }
    }
}
