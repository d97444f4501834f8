//! The operator's configuration: strict, and parsed into issuer profiles that cannot be wrong

pub mod cloud;
pub mod document;
pub mod profile;

pub use document::{Configuration, GroupMapping, OveragePolicy};
pub use profile::{Profile, TokenVersion};
