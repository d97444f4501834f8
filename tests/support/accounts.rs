//! Accounts as the host hands them over

use entra_access_core::identity::Guid;

/// What a page of Microsoft Graph says of an account
#[derive(Debug, Clone, Default)]
pub struct Said {
    pub id: String,
    pub valid_from: u32,
    /// `ENABLED`, `DISABLED`, `DELETED`
    pub says: u32,
}

/// In the form of `src/directory/accounts.rs`
pub fn entries(said: &[Said]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Said { id, valid_from, says } in said {
        bytes.extend(Guid::parse(id.as_bytes()).unwrap().value().to_be_bytes());
        bytes.extend(valid_from.to_be_bytes());
        bytes.extend(says.to_be_bytes());
    }
    bytes
}
