//! Floors: what is below an engine and cannot be undercut, with everything made ready that an engine has to make.
//!
//! They are no decision points. Each says only what a bare crate says, and that is compared as far as it goes.

#[cfg(feature = "biscuit")]
mod biscuit;
#[cfg(feature = "cedar")]
pub(super) mod cedar;
mod json;
#[cfg(feature = "rego-native")]
mod regorus;
#[cfg(feature = "wasm")]
mod wasm;

use super::Catalogue;

/// Puts every floor into the catalogue.
pub(super) fn add(catalogue: &mut Catalogue) {
    #[cfg(feature = "wasm")]
    catalogue.add(wasm::OpaEval);
    #[cfg(feature = "rego-native")]
    catalogue.add(regorus::Regorus);
    #[cfg(feature = "cedar")]
    catalogue.add(cedar::IsAuthorized);
    #[cfg(feature = "biscuit")]
    catalogue.add(biscuit::Authorize);
    catalogue.add(json::Json);
}
