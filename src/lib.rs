#![doc = include_str!("../docs/core.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
// No panic may be reachable from input: a panic in WebAssembly kills the instance (docs/architecture.md).
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::todo,
    clippy::unimplemented,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::allow_attributes_without_reason
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        reason = "a test fails by panicking"
    )
)]

pub mod audit;
pub mod base64url;
mod bytes;
pub mod config;
pub mod directory;
pub mod engine;
pub mod error;
pub mod identity;
pub mod json;
pub mod keys;
pub mod limits;
pub mod pipeline;
pub mod policy;
#[cfg(target_arch = "wasm32")]
mod simd;
mod text;
pub mod time;
pub mod token;

#[cfg(feature = "wasm")]
pub mod wasm;
