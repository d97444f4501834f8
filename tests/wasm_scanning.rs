//! The scanners as they are built for WebAssembly: sixteen bytes at a time
#![cfg(target_arch = "wasm32")]

#[path = "support/scanning.rs"]
mod scanners;

use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn base64url_decodes_what_it_must() {
    scanners::base64url_decodes_what_it_must();
}

#[wasm_bindgen_test]
fn guids_are_read_as_they_must() {
    scanners::guids_are_read_as_they_must();
}

#[wasm_bindgen_test]
fn strings_hold_what_they_may() {
    scanners::strings_hold_what_they_may();
}

#[wasm_bindgen_test]
fn tokens_are_split_at_their_dots() {
    scanners::tokens_are_split_at_their_dots();
}
