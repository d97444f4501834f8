//! Who is asking: ids, group state, and the table of verified principals

pub mod assurance;
pub mod groups;
pub mod guid;
pub mod job;
pub mod principal;
mod record;
pub mod table;

pub use assurance::Assurance;
pub use groups::{GroupState, Groups};
pub use guid::Guid;
pub use job::{Job, Pairs, SingleUse};
pub use principal::{Actor, Principal, PrincipalKind};
pub use table::{Handle, Principals};
