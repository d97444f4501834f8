//! Strict JSON, read by one grammar: tokens in place, documents of operators and issuers as trees
//!
//! Nothing else in the core reads JSON, so no two readers can see two values in one text.

mod names;
mod place;
mod reader;
mod string;
mod value;

pub use place::{At, Read, owned_text};
pub use reader::{Budget, JsonError, Reader};
pub use string::JsonString;
pub use value::{Value, list, quote, value};
