//! What the integration tests share: fixed keys, a builder of tokens out of raw JSON text, and the table of vectors
//!
//! Tokens are built from text, not from values: most of what is tested here can't be written by a JSON library.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod accounts;
pub mod claims;
pub mod directory;
pub mod generate;
pub mod jws;
pub mod key_sets;
pub mod keys;
pub mod naive;
pub mod naive_directory;
pub mod pipelines;
pub mod random;
pub mod scene;
pub mod vectors;
pub mod world;

use entra_access_core::time::Timestamp;

/// The moment of every test
pub const NOW: u64 = 1_760_000_000;

/// [`NOW`] as the core takes it
pub fn now() -> Timestamp {
    Timestamp::from_seconds(NOW)
}
