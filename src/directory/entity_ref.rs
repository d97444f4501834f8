//! References to catalog entities in their one full form

use std::fmt;

/// `kind:namespace/name` in lower case, as Backstage's `stringifyEntityRef` writes it
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct EntityRef(Box<str>);

impl EntityRef {
    /// Completes "`x` is not ..."
    pub const EXPECTED: &str = "a full entity reference such as group:default/payments";

    /// From the full form; letters are lowered, a missing kind or namespace is an error rather than a guess
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let (namespace, name) = rest.split_once('/')?;
        let fits = |part: &str| !part.is_empty() && !part.contains([':', '/', ' ']) && !part.contains(char::is_control);
        (fits(kind) && fits(namespace) && fits(name)).then(|| Self(text.to_ascii_lowercase().into()))
    }

    /// As the catalog has it, whatever it is: an entity may name an owner that is no entity (`my team`), and such a text is
    /// only ever compared
    pub fn of_catalog(text: &str) -> Self {
        Self(text.to_ascii_lowercase().into())
    }

    /// The text
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
