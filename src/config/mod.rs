//! The operator's configuration: strict, and parsed into issuer profiles that cannot be wrong

pub mod cloud;
pub mod document;
mod place;
pub mod profile;

pub use document::{Configuration, OveragePolicy};
pub use profile::{Profile, TokenVersion};
