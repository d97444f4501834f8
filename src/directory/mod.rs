//! Which Entra groups somebody is in, which owners in the catalog these stand for, and what all of them are inside of

pub mod accounts;
mod catalog;
#[expect(clippy::module_inception, reason = "the notion that gives the module its name")]
mod directory;
pub mod entity_ref;
pub mod following;
mod graph;
mod ids;
mod input;
mod members;
mod page;
mod reading;
pub mod trust;

use catalog::Catalog;
pub use catalog::{DirectoryReport, GroupMapping};
pub use directory::{Directory, Member, Path};
pub use entity_ref::EntityRef;
pub use following::{Following, Revocation, Round, Standing};
pub use input::{CatalogGroup, DirectoryInput};
use members::Loading;
pub use members::MembersReport;
pub use page::PageReport;
pub use trust::{LocationRule, TrustedLocations};
