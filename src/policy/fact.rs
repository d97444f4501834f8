//! Facts that are supposed: what is not so, but could be

use crate::identity::Guid;

/// Something that could be true of the principal, of its sign-in or of the resource
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<'e> {
    /// The groups of the principal are known, and those that are named beside it are all that matter
    GroupsKnown,
    /// The principal is a member of an Entra group
    Group(Guid),
    /// It has an app role
    Role(&'e str),
    /// It signed in with an authentication context
    Context(&'e str),
    /// It signed in with more than one factor
    Mfa,
    /// It signed in within so many seconds
    SignedInWithin(u64),
    /// It owns the resource, or certainly does not
    Owned(bool),
    /// A permission rule of another plugin, by name and params, holds of the resource, or does not
    Rule(&'e str, Option<&'e str>, bool),
}
