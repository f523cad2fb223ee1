//! A module's bytes, read and mended before anything compiles them.
//!
//! The shape that is asked for is OPA's ABI, versions 1.2 and 1.3 (<https://www.openpolicyagent.org/docs/wasm#abi>).
//! Two things are changed in the module, and nothing else:
//! - it imports its memory, which would tie every compiled module to one store; here it defines it instead. The index of
//!   the memory stays 0, so no instruction changes.
//! - the memory's declared minimum can be too small for its own data segments (OPA appends a segment after it has written
//!   the declaration): it becomes the end of the last segment, or what was declared if that is more, and one page.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

use tribunal_engine_core::engine::LoadErrorKind;
use wasm_encoder::reencode::{self, Reencode};
use wasmparser::{
    ConstExpr, DataKind, ExternalKind, Operator, Parser, Payload, TypeRef, ValType, Validator, WasmFeatures,
};

/// The largest module that is read, in bytes. OPA's are 130 KB to 1 MB.
pub const MAX_MODULE_BYTES: usize = 8 << 20;

/// Bytes in a page of WebAssembly memory.
pub(crate) const PAGE: u64 = 1 << 16;

/// What OPA's compiler uses, and what the engine is configured to accept.
const FEATURES: WasmFeatures = WasmFeatures::WASM1
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY);

/// The functions this engine calls, with the number of their parameters and results, all `i32`.
const EXPORTS: [(&str, usize, usize); 16] = [
    ("builtins", 0, 1),
    ("entrypoints", 0, 1),
    ("eval", 1, 1),
    ("opa_eval", 7, 1),
    ("opa_eval_ctx_new", 0, 1),
    ("opa_eval_ctx_set_input", 2, 0),
    ("opa_eval_ctx_set_data", 2, 0),
    ("opa_eval_ctx_set_entrypoint", 2, 0),
    ("opa_eval_ctx_get_result", 1, 1),
    ("opa_malloc", 1, 1),
    ("opa_free", 1, 0),
    ("opa_json_dump", 1, 1),
    ("opa_value_dump", 1, 1),
    ("opa_value_parse", 2, 1),
    ("opa_heap_ptr_get", 0, 1),
    ("opa_heap_ptr_set", 1, 0),
];

/// The functions a module may import from `env`, likewise.
pub(crate) const IMPORTS: [(&str, usize, usize); 7] = [
    ("opa_abort", 1, 0),
    ("opa_println", 1, 0),
    ("opa_builtin0", 2, 1),
    ("opa_builtin1", 3, 1),
    ("opa_builtin2", 4, 1),
    ("opa_builtin3", 5, 1),
    ("opa_builtin4", 6, 1),
];

/// Why a file is not a module this engine runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModuleError {
    /// More than [`MAX_MODULE_BYTES`].
    #[error("the module has {0} bytes, more than {MAX_MODULE_BYTES}")]
    TooLarge(usize),
    /// Not WebAssembly, or not valid, or with features that OPA's compiler does not use.
    #[error("not a WebAssembly module as OPA builds them: {0}")]
    Invalid(String),
    /// WebAssembly, but not of OPA's ABI.
    #[error("not a module built by OPA: {0}")]
    NotOpa(String),
    /// It asks for what the host does not have.
    #[error("the module imports what OPA's ABI does not have: {0}")]
    UnknownImport(String),
    /// OPA's, but of a version this engine does not speak.
    #[error("the module speaks version {major}.{minor} of OPA's ABI; this engine speaks 1.2 and 1.3")]
    AbiVersion {
        /// `opa_wasm_abi_version`
        major: i32,
        /// `opa_wasm_abi_minor_version`
        minor: i32,
    },
}

impl ModuleError {
    /// The kind of load error this is.
    pub fn kind(&self) -> LoadErrorKind {
        match self {
            ModuleError::TooLarge(_) => LoadErrorKind::Bounds,
            ModuleError::Invalid(_) | ModuleError::NotOpa(_) => LoadErrorKind::Invalid,
            ModuleError::UnknownImport(_) | ModuleError::AbiVersion { .. } => LoadErrorKind::Unsupported,
        }
    }
}

impl From<wasmparser::Error> for ModuleError {
    fn from(error: wasmparser::Error) -> Self {
        ModuleError::Invalid(error.to_string())
    }
}

/// A module of OPA's ABI that owns its memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpaModule {
    /// The mended module.
    pub(crate) bytes: Vec<u8>,
    /// The memory it begins with, in bytes.
    pub(crate) memory: u64,
}

impl OpaModule {
    /// Reads and mends a module.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ModuleError> {
        if bytes.len() > MAX_MODULE_BYTES {
            return Err(ModuleError::TooLarge(bytes.len()));
        }
        Validator::new_with_features(FEATURES).validate_all(bytes)?;
        let outline = Outline::read(bytes)?;
        let declared = outline.check()?;
        let pages = declared.initial.max(outline.data_end.div_ceil(PAGE)) + 1;
        let memory = wasm_encoder::MemoryType {
            minimum: pages,
            maximum: declared.maximum.map(|maximum| maximum.max(pages)),
            memory64: false,
            shared: false,
            page_size_log2: None,
        };
        Ok(Self { bytes: own_memory(bytes, memory)?, memory: pages.saturating_mul(PAGE) })
    }
}

/// A function's parameters and results.
type Signature = (Vec<ValType>, Vec<ValType>);

/// What of a module decides whether it is OPA's.
#[derive(Debug, Default)]
struct Outline {
    types: Vec<Signature>,
    /// The type of every function, imported ones first.
    functions: Vec<u32>,
    imported: Vec<(String, String, Option<u32>)>,
    memory: Option<wasmparser::MemoryType>,
    globals: Vec<Option<i32>>,
    exports: HashMap<String, (ExternalKind, u32)>,
    data_end: u64,
}

impl Outline {
    fn read(bytes: &[u8]) -> Result<Self, ModuleError> {
        let mut outline = Outline::default();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(section) => {
                    for function in section.into_iter_err_on_gc_types() {
                        let function = function?;
                        outline.types.push((function.params().to_vec(), function.results().to_vec()));
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        outline.import(import?);
                    }
                }
                Payload::FunctionSection(section) => {
                    for type_index in section {
                        outline.functions.push(type_index?);
                    }
                }
                Payload::GlobalSection(section) => {
                    for global in section {
                        let global = global?;
                        outline
                            .globals
                            .push((!global.ty.mutable).then(|| constant(&global.init_expr)).flatten());
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        outline.exports.insert(export.name.to_owned(), (export.kind, export.index));
                    }
                }
                Payload::DataSection(section) => {
                    for segment in section {
                        outline.segment(&segment?)?;
                    }
                }
                _ => {}
            }
        }
        Ok(outline)
    }

    fn import(&mut self, import: wasmparser::Import<'_>) {
        let mut function = None;
        match import.ty {
            TypeRef::Func(index) | TypeRef::FuncExact(index) => {
                self.functions.push(index);
                function = Some(index);
            }
            TypeRef::Memory(memory) if (import.module, import.name) == ("env", "memory") => {
                self.memory = Some(memory);
                return;
            }
            TypeRef::Global(_) => self.globals.push(None),
            _ => {}
        }
        self.imported.push((import.module.to_owned(), import.name.to_owned(), function));
    }

    fn segment(&mut self, segment: &wasmparser::Data<'_>) -> Result<(), ModuleError> {
        if let DataKind::Active { offset_expr, .. } = &segment.kind {
            let offset = constant(offset_expr)
                .ok_or_else(|| ModuleError::NotOpa("a data segment's place is not a constant".to_owned()))?;
            // An address is an `i32` in the format and unsigned in its meaning.
            let end = u64::from(offset.cast_unsigned()).saturating_add(segment.data.len() as u64);
            self.data_end = self.data_end.max(end);
        }
        Ok(())
    }

    /// Checks everything the engine relies on, and gives the memory as it was declared.
    fn check(&self) -> Result<wasmparser::MemoryType, ModuleError> {
        let not_opa = |what: String| Err(ModuleError::NotOpa(what));
        let mut version = [0; 2];
        for (slot, name) in version.iter_mut().zip(["opa_wasm_abi_version", "opa_wasm_abi_minor_version"]) {
            let value = match self.exports.get(name) {
                Some((ExternalKind::Global, index)) => self.globals.get(*index as usize).copied().flatten(),
                _ => None,
            };
            *slot = match value {
                Some(value) => value,
                None => return not_opa(format!("it has no constant `{name}`")),
            };
        }
        let [major, minor] = version;
        if major != 1 || !(2..=3).contains(&minor) {
            return Err(ModuleError::AbiVersion { major, minor });
        }
        let mut missing = Vec::new();
        for (name, parameters, results) in EXPORTS {
            let signature = match self.exports.get(name) {
                Some((ExternalKind::Func, index)) => {
                    self.signature(self.functions.get(*index as usize).copied())
                }
                _ => None,
            };
            if !signature.is_some_and(|signature| is_i32(signature, parameters, results)) {
                missing.push(format!("`{name}`"));
            }
        }
        if !missing.is_empty() {
            return not_opa(format!(
                "it lacks the functions {}, or has them with other types",
                missing.join(", ")
            ));
        }
        let allowed: BTreeMap<&str, (usize, usize)> =
            IMPORTS.into_iter().map(|(name, p, r)| (name, (p, r))).collect();
        let mut unknown = Vec::new();
        for (module, name, function) in &self.imported {
            let wanted = (module == "env").then(|| allowed.get(name.as_str())).flatten();
            let known = match (wanted, self.signature(*function)) {
                (Some((parameters, results)), Some(signature)) => is_i32(signature, *parameters, *results),
                _ => false,
            };
            if !known {
                unknown.push(format!("`{module}.{name}`"));
            }
        }
        if !unknown.is_empty() {
            return Err(ModuleError::UnknownImport(unknown.join(", ")));
        }
        match (self.memory, self.exports.get("memory")) {
            (Some(memory), Some((ExternalKind::Memory, 0))) => Ok(memory),
            _ => not_opa("it does not import the memory `env.memory` and export it as `memory`".to_owned()),
        }
    }

    fn signature(&self, type_index: Option<u32>) -> Option<&Signature> {
        self.types.get(type_index? as usize)
    }
}

fn is_i32((parameters, results): &Signature, wanted_parameters: usize, wanted_results: usize) -> bool {
    parameters.len() == wanted_parameters
        && results.len() == wanted_results
        && parameters.iter().chain(results).all(|kind| *kind == ValType::I32)
}

/// The value of a constant expression that is one `i32.const`.
pub(crate) fn constant(expression: &ConstExpr<'_>) -> Option<i32> {
    let mut operators = expression.get_operators_reader().into_iter();
    match (operators.next()?.ok()?, operators.next()?.ok()?) {
        (Operator::I32Const { value }, Operator::End) => Some(value),
        _ => None,
    }
}

/// The module with its memory defined instead of imported.
fn own_memory(bytes: &[u8], memory: wasm_encoder::MemoryType) -> Result<Vec<u8>, ModuleError> {
    let mut module = wasm_encoder::Module::new();
    OwnMemory { memory: Some(memory) }
        .parse_core_module(&mut module, Parser::new(0), bytes)
        .map_err(|error| ModuleError::Invalid(error.to_string()))?;
    Ok(module.finish())
}

/// Drops the import of the memory and puts its definition where the format wants it.
struct OwnMemory {
    memory: Option<wasm_encoder::MemoryType>,
}

impl Reencode for OwnMemory {
    type Error = Infallible;

    fn parse_imports(
        &mut self,
        section: &mut wasm_encoder::ImportSection,
        imports: wasmparser::Imports<'_>,
    ) -> Result<(), reencode::Error> {
        match imports {
            wasmparser::Imports::Single(_, import) if matches!(import.ty, TypeRef::Memory(_)) => Ok(()),
            imports => reencode::utils::parse_imports(self, section, imports),
        }
    }

    /// No instruction changes, so none is read: nearly all of a module is code.
    fn parse_function_body(
        &mut self,
        code: &mut wasm_encoder::CodeSection,
        function: wasmparser::FunctionBody<'_>,
    ) -> Result<(), reencode::Error> {
        code.raw(function.as_bytes());
        Ok(())
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut wasm_encoder::Module,
        _after: Option<wasm_encoder::SectionId>,
        before: Option<wasm_encoder::SectionId>,
    ) -> Result<(), reencode::Error> {
        use wasm_encoder::SectionId;
        let earlier =
            [SectionId::Type, SectionId::Import, SectionId::Function, SectionId::Table, SectionId::Memory];
        if before.is_some_and(|section| earlier.contains(&section)) {
            return Ok(());
        }
        if let Some(memory) = self.memory.take() {
            let mut memories = wasm_encoder::MemorySection::new();
            memories.memory(memory);
            module.section(&memories);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/tests/modules/{name}.wasm", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    /// The fixture has OPA's defect, so that a test which decides with it fails without the mending.
    #[test]
    fn a_memory_declared_too_small_is_mended() {
        let bytes = fixture("long_names");
        let outline = Outline::read(&bytes).unwrap();
        let declared = outline.memory.unwrap().initial * PAGE;
        assert!(declared < outline.data_end, "{declared} bytes hold {}", outline.data_end);
        let mended = OpaModule::read(&bytes).unwrap();
        assert!(mended.memory >= outline.data_end + PAGE);
    }

    #[test]
    fn mending_changes_the_memory_and_nothing_else() {
        for name in ["decisions", "regex", "long_names"] {
            let bytes = fixture(name);
            let before = Outline::read(&bytes).unwrap();
            let mended = OpaModule::read(&bytes).unwrap();
            assert_eq!(mended, OpaModule::read(&bytes).unwrap(), "{name}");
            let after = Outline::read(&mended.bytes).unwrap();
            assert!(before.memory.is_some() && after.memory.is_none());
            assert_eq!(before.imported, after.imported);
            assert_eq!(before.functions, after.functions);
            assert_eq!(before.exports, after.exports);
            assert_eq!(before.data_end, after.data_end);
            Validator::new_with_features(FEATURES).validate_all(&mended.bytes).unwrap();
            // It no longer imports its memory, so it is no module of OPA's any more.
            assert!(matches!(OpaModule::read(&mended.bytes), Err(ModuleError::NotOpa(_))));
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(64))]

        /// Damage is refused, or leaves a module that wasmtime may compile: never a panic.
        #[test]
        fn damage_is_no_panic(place in 0_usize..150_000, bytes in proptest::collection::vec(proptest::num::u8::ANY, 1..40)) {
            let mut damaged = fixture("decisions");
            for (slot, byte) in damaged.iter_mut().skip(place).zip(&bytes) {
                *slot = *byte;
            }
            if let Ok(module) = OpaModule::read(&damaged) {
                Validator::new_with_features(FEATURES).validate_all(&module.bytes).unwrap();
            }
        }
    }
}
