//! Project Wycheproof's signatures once more, with `node:crypto`
#![cfg(all(target_arch = "wasm32", feature = "wasm"))]

#[path = "support/wycheproof_sets.rs"]
mod wycheproof_sets;

use entra_access_core::wasm::NodeCrypto;
use wasm_bindgen_test::wasm_bindgen_test;
use wycheproof_sets::{Tally, judge, sets};

#[wasm_bindgen_test]
fn every_signature_is_judged_as_labelled() {
    let mut tally = Tally::default();
    for set in sets() {
        judge(&set, &NodeCrypto, &mut tally);
    }
    assert!(tally.wrong.is_empty(), "{} differ:\n{}", tally.wrong.len(), tally.wrong.join("\n"));
    assert_eq!(tally.stale(), Vec::<String>::new(), "exceptions that are not needed");
    assert!(tally.judged > 6000 && tally.accepted > 800, "{} judged, {} accepted", tally.judged, tally.accepted);
}
