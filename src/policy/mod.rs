//! Rules as reviewed text, compiled once, decided by table look-up
//!
//! Deny by default; deny overrides allow; the order of the rules never matters.

pub mod compile;
pub mod decision;
pub mod document;
pub mod evaluate;
pub mod explain;
pub mod permission;

pub use compile::Policy;
pub use decision::{Decision, Effect};
pub use explain::{Explanation, Resource};
pub use permission::{Action, Permission, PermissionId, Permissions};
