//! The verified caller; made from a verified token or from a record of one, and from nothing else

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{Assurance, Groups, Guid, Job};
use crate::time::Timestamp;

/// What kind of caller
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PrincipalKind {
    /// A person
    User,
    /// A service principal or managed identity, calling for itself
    Workload,
    /// An AI agent: for a person, or with an identity of its own
    Agent,
    /// A CI job
    Pipeline,
}

impl PrincipalKind {
    /// Every one
    pub const ALL: [Self; 4] = [Self::User, Self::Workload, Self::Agent, Self::Pipeline];

    /// The word used in policies
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Workload => "workload",
            Self::Agent => "agent",
            Self::Pipeline => "pipeline",
        }
    }
}

/// Who acts, where that is not the principal itself
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// Client id of the agent
    pub client_id: Guid,
    /// It acts for nobody but itself: app-only, or with an account of its own. Absent: it acts for the person whose object id
    /// the principal carries
    #[serde(skip_serializing_if = "is_false")]
    pub autonomous: bool,
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// A verified caller; the identity key is issuer, tenant and object id, never an e-mail address or a name
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    /// What kind of caller
    pub kind: PrincipalKind,
    /// Id of the issuer profile
    pub issuer: Arc<str>,
    /// `tid`; zero for a job, which is of no tenant
    pub tenant_id: Guid,
    /// `oid`; zero for a job
    pub object_id: Guid,
    /// `azp` or `appid`: the application through which it calls
    pub client_id: Option<Guid>,
    /// The agent, when one acts for this principal
    pub actor: Option<Actor>,
    /// Entra groups
    pub groups: Groups,
    /// App roles
    pub roles: Vec<String>,
    /// For display only
    pub name: Option<String>,
    /// How strongly the caller signed in; absent: nothing is known
    #[serde(skip_serializing_if = "Assurance::is_absent")]
    pub assurance: Assurance,
    /// The job, exactly when it is a pipeline
    #[serde(rename = "pipeline", skip_serializing_if = "Option::is_none")]
    pub job: Option<Box<Job>>,
    /// When its token was issued, in seconds; the beginning of time where that is not known: then it is older than anything
    #[serde(serialize_with = "seconds", skip_serializing_if = "is_unknown")]
    pub issued_at: Timestamp,
    /// When the record ends, in seconds
    #[serde(serialize_with = "seconds")]
    pub expires_at: Timestamp,
}

impl Principal {
    /// Whether an agent calls on behalf of a person, who must then be allowed as well
    pub fn acts_for_person(&self) -> bool {
        self.kind == PrincipalKind::Agent && !self.actor.as_ref().is_some_and(|actor| actor.autonomous)
    }

    /// Whether its token counts once and was not claimed yet: until then it is nobody
    pub fn is_unclaimed(&self) -> bool {
        self.job.as_ref().is_some_and(|job| job.single_use.is_some())
    }
}

fn is_unknown(time: &Timestamp) -> bool {
    *time == Timestamp::default()
}

fn seconds<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(time.seconds())
}
