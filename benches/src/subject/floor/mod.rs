//! Floors: what is below an engine and cannot be undercut, with everything made ready that an engine has to make.
//!
//! They are no decision points. Each says only what a bare crate says, and that is compared as far as it goes. Each runs
//! under the limits that the engine above it has, as far as the bare crate knows limits; what fails has not denied.

#[cfg(feature = "biscuit")]
mod biscuit;
#[cfg(feature = "cedar")]
pub(super) mod cedar;
mod json;
#[cfg(feature = "rego-native")]
mod regorus;
#[cfg(feature = "wasm")]
pub(super) mod wasm;

use super::Catalogue;

/// Puts every floor into the catalogue.
pub(super) fn add(catalogue: &mut Catalogue) {
    #[cfg(feature = "wasm")]
    catalogue.add(wasm::OpaEval);
    #[cfg(not(feature = "wasm"))]
    absent(catalogue, "floor:opa-eval", "rego-wasm", "wasm");
    #[cfg(feature = "rego-native")]
    catalogue.add(regorus::Regorus);
    #[cfg(not(feature = "rego-native"))]
    absent(catalogue, "floor:regorus", "rego-native", "rego-native");
    #[cfg(feature = "cedar")]
    catalogue.add(cedar::IsAuthorized);
    #[cfg(not(feature = "cedar"))]
    absent(catalogue, "floor:cedar-policy", "cedar", "cedar");
    #[cfg(feature = "biscuit")]
    catalogue.add(biscuit::Authorize);
    #[cfg(not(feature = "biscuit"))]
    absent(catalogue, "floor:biscuit-auth", "biscuit", "biscuit");
    catalogue.add(json::Json);
}

#[cfg(not(all(feature = "wasm", feature = "rego-native", feature = "cedar", feature = "biscuit")))]
fn absent(catalogue: &mut Catalogue, name: &'static str, engine: &'static str, feature: &'static str) {
    catalogue.add(super::absent::Absent { name, engine, kind: super::Kind::Floor, feature });
}
