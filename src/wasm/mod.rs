//! The WebAssembly surface: conversions only, no decision is made here
//!
//! Rare and big things come as JSON text, tokens as bytes in a buffer of ours, and everything hot is a number.

mod core;
mod node_crypto;

pub use self::core::Core;
pub use node_crypto::NodeCrypto;
