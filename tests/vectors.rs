//! Every vector, judged natively with the portable verifier

use std::collections::HashSet;

use crate::support::{
    key_sets, now,
    scene::{differences, profile_allowing},
    vectors,
};
use entra_access_core::keys::{KeySet, portable::Portable};

#[test]
fn every_token_comes_to_what_it_must() {
    let scenes = vectors::scenes();
    let mut wrong = Vec::new();
    for scene in &scenes {
        wrong.extend(differences(scene, &mut scene.engine(Portable)));
    }
    assert!(wrong.is_empty(), "{} vectors differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn names_are_unique_and_the_table_is_not_empty() {
    let mut names = HashSet::new();
    for scene in vectors::scenes() {
        for vector in &scene.vectors {
            assert!(names.insert(format!("{}/{}", scene.name, vector.name)), "{} twice", vector.name);
        }
    }
    // A table that lost its rows would pass: this is roughly what it holds.
    assert!(names.len() > 550, "only {} vectors", names.len());
}

/// Codes that a token can come to; the rest belong to other parts (single use, revocation, step-up)
#[test]
fn every_code_of_the_verifier_has_a_vector() {
    let seen: HashSet<&str> =
        vectors::scenes().iter().flat_map(|scene| &scene.vectors).filter_map(|vector| vector.expected.err()).collect();
    let elsewhere = ["token_replayed", "principal_revoked", "step_up_required"];
    for code in entra_access_core::error::RejectionCode::ALL {
        let code = code.as_str();
        assert!(seen.contains(code) || elsewhere.contains(&code), "no vector for {code}");
    }
}

#[test]
fn every_key_set_comes_to_what_it_must() {
    for row in key_sets::rows() {
        let actual = KeySet::parse(&row.text, now(), &profile_allowing(&["RS256"]), &Portable);
        match (row.expected, actual) {
            (Ok(usable), Ok((_, report))) => assert_eq!(report.usable, usable, "{}", row.name),
            (Err(reason), Err(actual)) => assert!(actual.contains(reason), "{}: {actual}", row.name),
            (expected, actual) => panic!("{}: expected {expected:?}, got {:?}", row.name, actual.map(|(_, r)| r)),
        }
    }
}
