//! Which Entra group stands for which owner in the catalog

pub mod bindings;
pub mod entity_ref;
pub mod trust;

pub use bindings::{Bindings, DirectoryInput, DirectoryReport, GroupMapping, OwnerId};
pub use entity_ref::EntityRef;
pub use trust::{LocationRule, TrustedLocations};
