//! The scanners as they are built natively

#[path = "support/scanning.rs"]
mod scanners;

#[test]
fn base64url_decodes_what_it_must() {
    scanners::base64url_decodes_what_it_must();
}

#[test]
fn guids_are_read_as_they_must() {
    scanners::guids_are_read_as_they_must();
}

#[test]
fn strings_hold_what_they_may() {
    scanners::strings_hold_what_they_may();
}

#[test]
fn tokens_are_split_at_their_dots() {
    scanners::tokens_are_split_at_their_dots();
}
