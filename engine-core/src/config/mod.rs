//! The deployment: which packs guard what, on which engine each.
//!
//! - [`deployment`]: the file `tribunal.yaml`
//! - [`when`]: which requests a pack claims

pub mod deployment;
pub mod when;

pub use deployment::{Deployment, OnNoPack, PackEntry};
pub use when::{Claim, When};
