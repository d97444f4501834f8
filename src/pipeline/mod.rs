//! CI pipelines: what GitLab, Bitbucket and GitHub say of a job, and which jobs are trusted with what

pub mod claims;
pub mod kinds;
pub mod pattern;
pub mod trust;

pub use claims::JobClaims;
pub use kinds::PipelineKind;
pub use trust::TrustEntry;
