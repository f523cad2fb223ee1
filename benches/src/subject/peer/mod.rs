//! Peers: other ways to the same answer, each found on this machine or reported missing.

#[cfg(feature = "cedar")]
mod cedar_naive;
#[cfg(all(unix, feature = "wasm"))]
mod opa_bench;
#[cfg(all(unix, feature = "wasm"))]
mod opa_server;
#[cfg(any(feature = "wasm", feature = "rego-native"))]
mod outside;
#[cfg(feature = "wasm")]
mod wasm_per_call;

use super::Catalogue;

/// Puts every peer into the catalogue.
pub(super) fn add(catalogue: &mut Catalogue) {
    #[cfg(feature = "wasm")]
    catalogue.add(wasm_per_call::WasmPerCall);
    #[cfg(feature = "cedar")]
    catalogue.add(cedar_naive::CedarNaive);
    #[cfg(all(unix, feature = "wasm"))]
    {
        catalogue.add(opa_server::OpaServer);
        catalogue.add(opa_bench::OpaBench::TOPDOWN);
        catalogue.add(opa_bench::OpaBench::WASM);
    }
    #[cfg(feature = "wasm")]
    catalogue.add(outside::Outside::OPA_WASM);
    #[cfg(feature = "rego-native")]
    catalogue.add(outside::Outside::REGORUS);
}
