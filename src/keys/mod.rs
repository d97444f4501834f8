//! Public keys of issuers: import, selection, and the one question asked of the host

pub mod algorithm;
pub mod jwk;
#[cfg(feature = "portable")]
pub mod portable;
pub mod set;
pub mod signature;

pub use algorithm::Algorithm;
pub use jwk::{Curve, KeyMaterial, PublicKey};
pub use set::{Entry, KeySet, KeySetReport, KeyTrust};
pub use signature::{KeyImportError, SignatureVerifier};
