//! The audit trail: what a record says, byte for byte, and the chain that every record is a link of
//!
//! Each replica has a chain of its own. A link is the SHA-256 of the link before it and the record, and the record names its
//! chain and its place in it: a record that is changed, removed, moved or taken from another chain no longer fits.

mod chain;
mod record;
mod sha256;

pub use chain::{Finding, Link, Verifier, link};
pub use record::{Malformed, Record};
pub use sha256::{Digest, sha256};
