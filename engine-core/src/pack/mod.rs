//! A pack: the policies of one guardrail for every engine that can express it, with what they need.
//!
//! - [`manifest`]: the file `pack.yaml`
//! - [`files`]: a pack's files in memory, and their digest
//! - [`source`]: a pack read and checked, as engines load it
//! - [`lock`]: the file `pack.lock`, what a built module was made from
//! - [`schema`]: JSON Schemas over requests and data
//! - [`shape`]: which members of a request its schema names

pub mod files;
pub mod lock;
pub mod manifest;
pub mod schema;
pub mod shape;
pub mod source;

pub use files::PackFiles;
pub use lock::{LockedModule, PackLock};
pub use manifest::{Manifest, Parity, ReasonParity, TokenMode};
pub use schema::{DataSchema, InputSchema};
pub use shape::{Shape, ShapeTable};
pub use source::PackSource;
