//! Project Wycheproof's signatures, with the portable verifier

#[path = "support/wycheproof_sets.rs"]
mod wycheproof_sets;

use entra_access_core::keys::portable::Portable;
use wycheproof_sets::{Tally, judge, sets};

#[test]
fn every_signature_is_judged_as_labelled() {
    let mut tally = Tally::default();
    for set in sets() {
        judge(&set, &Portable, &mut tally);
    }
    assert!(tally.wrong.is_empty(), "{} differ:\n{}", tally.wrong.len(), tally.wrong.join("\n"));
    assert_eq!(tally.stale(), Vec::<String>::new(), "exceptions that are not needed");
    // Sets that lost their content would pass.
    assert!(tally.judged > 6000 && tally.accepted > 800, "{} judged, {} accepted", tally.judged, tally.accepted);
}
