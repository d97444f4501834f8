//! What a host reads from a catalog whose groups come from the msgraph provider

use entra_access_core::directory::DirectoryInput;
use serde_json::{Value, json};

/// From a JSON value in which each group without a location gets one that is trusted
pub fn directory(mut value: Value) -> DirectoryInput {
    for group in value["groups"].as_array_mut().into_iter().flatten() {
        for annotation in ["location", "origin"] {
            if group.get(annotation).is_none() {
                group[annotation] = json!("msgraph:test/1");
            }
        }
    }
    DirectoryInput::parse(&value.to_string()).unwrap()
}
