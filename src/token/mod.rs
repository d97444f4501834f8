//! From bytes to a verified token: strict parsing, then every check in one order
//!
//! `compact` splits, `base64url` decodes, `json` reads in place, `header` and `claims` pick the members that matter,
//! `verify` judges them. The same judgement explains itself through [`judge::Report`].

mod caller;
mod claim_checks;
pub mod claim_name;
pub mod claims;
pub mod compact;
pub mod header;
mod job;
pub mod judge;
pub mod verify;

pub use verify::{Purpose, Rejection, Verified, verify};
