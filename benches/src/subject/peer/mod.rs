//! Peers: other ways to the same answer, each found on this machine or reported missing.

#[cfg(feature = "cedar")]
mod cedar_naive;
#[cfg(all(unix, feature = "wasm"))]
mod opa_bench;
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
    #[cfg(not(feature = "wasm"))]
    absent(catalogue, "peer:wasm-per-call", "rego-wasm", "wasm");
    #[cfg(feature = "cedar")]
    catalogue.add(cedar_naive::CedarNaive);
    #[cfg(not(feature = "cedar"))]
    absent(catalogue, "peer:cedar-naive", "cedar", "cedar");
    catalogue.add(opa_server::OpaServer);
    #[cfg(all(unix, feature = "wasm"))]
    {
        catalogue.add(opa_bench::OpaBench::TOPDOWN);
        catalogue.add(opa_bench::OpaBench::WASM);
    }
    #[cfg(feature = "wasm")]
    catalogue.add(outside::Outside::OPA_WASM);
    #[cfg(feature = "rego-native")]
    catalogue.add(outside::Outside::REGORUS);
    #[cfg(not(all(unix, feature = "wasm")))]
    {
        absent(catalogue, "peer:opa-bench", "rego-native", "wasm");
        absent(catalogue, "peer:opa-bench-wasm", "rego-wasm", "wasm");
    }
}

#[cfg(not(all(unix, feature = "wasm", feature = "cedar")))]
fn absent(catalogue: &mut Catalogue, name: &'static str, engine: &'static str, feature: &'static str) {
    catalogue.add(super::absent::Absent { name, engine, kind: super::Kind::Peer, feature });
}
