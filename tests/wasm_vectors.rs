//! Every vector once more, in WebAssembly: `node:crypto` and the portable verifier must agree with the table and each other
#![cfg(all(target_arch = "wasm32", feature = "wasm"))]

mod support;

use entra_access_core::{
    keys::{KeySet, SignatureVerifier, portable::Portable},
    wasm::NodeCrypto,
};
use support::{
    key_sets, now,
    scene::{differences, judge, profile_allowing},
    vectors,
};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn every_token_comes_to_the_same_with_both_verifiers() {
    let mut wrong = Vec::new();
    for scene in vectors::scenes() {
        let (mut node, mut portable) = (scene.engine(NodeCrypto), scene.engine(Portable));
        wrong.extend(differences(&scene, &mut node));
        wrong.extend(differences(&scene, &mut portable));
        for vector in &scene.vectors {
            // The whole principal, not only its kind.
            let (one, other) =
                (judge(&mut node, &vector.token, vector.purpose), judge(&mut portable, &vector.token, vector.purpose));
            if one != other {
                wrong.push(format!("{}/{}: {one:?} and {other:?}", scene.name, vector.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} vectors differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[wasm_bindgen_test]
fn every_key_set_comes_to_the_same_with_both_verifiers() {
    for row in key_sets::rows() {
        let (node, portable) = (outcome(&row.text, &NodeCrypto), outcome(&row.text, &Portable));
        assert_eq!(node, portable, "{}", row.name);
        assert_eq!(node.is_ok(), row.expected.is_ok(), "{}: {node:?}", row.name);
    }
}

fn outcome<V: SignatureVerifier>(text: &str, verifier: &V) -> Result<usize, String> {
    KeySet::parse(text, now(), &profile_allowing(&["RS256"]), verifier).map(|(_, report)| report.usable)
}
