//! The operator's configuration: strict, and parsed into issuer profiles that cannot be wrong

mod audit;
mod catalog;
pub mod cloud;
mod custom_cloud;
pub mod document;
mod groups;
pub mod identity;
mod pipelines;
pub mod profile;
mod tenant;

pub use audit::AuditSettings;
pub use document::Configuration;
pub use groups::{GroupSettings, OveragePolicy};
pub use identity::Identity;
pub use profile::{IssuerOf, JobIssuer, Profile, TenantIssuer, TokenVersion};
