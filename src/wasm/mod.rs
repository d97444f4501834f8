//! The WebAssembly surface: conversions only, no decision is made here
//!
//! Rare and big things come as JSON text, tokens as bytes in a buffer of ours, and everything hot is a number.

mod audit;
mod core;
mod node_crypto;
mod text;

pub use self::core::Core;
pub use node_crypto::NodeCrypto;

use wasm_bindgen::prelude::*;

/// The linear memory, into which the host writes tokens; see [`Core::token_buffer`]
#[wasm_bindgen(js_name = linearMemory)]
pub fn linear_memory() -> JsValue {
    wasm_bindgen::memory()
}
