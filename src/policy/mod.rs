//! Rules as reviewed text, compiled once, decided by table look-up
//!
//! Deny by default; deny overrides allow; the order of the rules never matters.

pub mod answered;
pub mod asker;
pub mod audience;
pub mod compile;
pub mod condition;
pub mod criteria;
pub mod decision;
pub mod document;
pub mod evaluate;
pub mod explain;
pub mod fact;
mod mistakes;
pub mod permission;
mod remedy;
pub mod requirement;
pub mod selector;
pub mod study;
mod verdict;

pub use answered::Answered;
pub use audience::Audience;
pub use compile::Policy;
pub use criteria::CriteriaNumber;
pub use decision::{Decision, Effect};
pub use explain::{Explanation, Resource};
pub use permission::{Action, Permission, PermissionId, Permissions};
pub use study::Study;
