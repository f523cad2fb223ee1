//! Modules made by hand that look like OPA's, with one thing changed, and what becomes of their answers.

use serde_json::json;
use tribunal_engine_core::contract::Decision;
use tribunal_engine_core::fault::{FaultKind, LimitKind};
use tribunal_engine_core::pack::PackFiles;
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, ImportSection, MemoryType, Module, StartSection, TypeSection, ValType,
};

use crate::harness::{Pack, decide};

/// A pack around bytes, with a lock that vouches for them.
pub(crate) fn around(wasm: Vec<u8>) -> Pack {
    let settings = json!({"entrypoint": "t/decision", "strict_builtin_errors": false});
    Pack::around(PackFiles::default(), wasm, vec!["t/decision".to_owned()], settings)
}

/// A module with every export that OPA's ABI asks for. Its functions give constants: whatever it is asked, it has one
/// entrypoint, `t/decision`, wants the built-in `time.now_ns` as number 5, and answers `answer`.
#[derive(Clone, Copy)]
pub(crate) struct Forged {
    pub(crate) version: (i32, i32),
    /// An import besides those of OPA's, which `eval` calls with zeros: module, name, parameters, results.
    pub(crate) import: Option<(&'static str, &'static str, usize, usize)>,
    /// The number that `eval` gives as the first argument of that call.
    pub(crate) number: i32,
    /// How often `eval` makes that call.
    pub(crate) calls: usize,
    /// An export that is left out.
    pub(crate) without: &'static str,
    /// What the start function does.
    pub(crate) start: Option<fn(&mut Function)>,
    /// The memory's declared minimum.
    pub(crate) pages: u64,
    /// Where one more data segment lies.
    pub(crate) segment: Option<i32>,
    /// Functions that give something else than they should.
    pub(crate) gives: &'static [(&'static str, i32)],
    pub(crate) answer: &'static [u8],
}

impl Default for Forged {
    fn default() -> Self {
        Self {
            version: (1, 3),
            import: None,
            number: 0,
            calls: 1,
            without: "",
            start: None,
            pages: 2,
            segment: None,
            gives: &[],
            answer: b"[{\"result\":true}]\0",
        }
    }
}

const EXPORTS: [(&str, usize, usize, i32); 16] = [
    ("builtins", 0, 1, Forged::BUILTINS),
    ("entrypoints", 0, 1, Forged::ENTRYPOINTS),
    ("eval", 1, 1, 0),
    ("opa_eval", 7, 1, Forged::ANSWER),
    ("opa_eval_ctx_new", 0, 1, 64),
    ("opa_eval_ctx_set_input", 2, 0, 0),
    ("opa_eval_ctx_set_data", 2, 0, 0),
    ("opa_eval_ctx_set_entrypoint", 2, 0, 0),
    ("opa_eval_ctx_get_result", 1, 1, Forged::ANSWER),
    ("opa_malloc", 1, 1, 8192),
    ("opa_free", 1, 0, 0),
    // Gives back what it is given: a value's address is its text's.
    ("opa_json_dump", 1, 1, 0),
    ("opa_value_dump", 1, 1, Forged::EMPTY),
    ("opa_value_parse", 2, 1, 64),
    ("opa_heap_ptr_get", 0, 1, 16384),
    ("opa_heap_ptr_set", 1, 0, 0),
];

impl Forged {
    pub(crate) const EMPTY: i32 = 1024;
    pub(crate) const ENTRYPOINTS: i32 = 1100;
    pub(crate) const BUILTINS: i32 = 1200;
    pub(crate) const ANSWER: i32 = 2048;
    /// The index of the start function, where nothing else is imported.
    pub(crate) const START: u32 = 17;

    pub(crate) fn build(&self) -> Vec<u8> {
        let (mut types, mut functions, mut code) =
            (TypeSection::new(), FunctionSection::new(), CodeSection::new());
        let (mut imports, mut exports) = (ImportSection::new(), ExportSection::new());
        types.ty().function([ValType::I32], []);
        imports.import("env", "opa_abort", EntityType::Function(0));
        let memory = MemoryType {
            minimum: self.pages,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        };
        imports.import("env", "memory", EntityType::Memory(memory));
        let (mut first_type, mut first) = (1, 1);
        if let Some((module, name, parameters, results)) = self.import {
            types.ty().function(vec![ValType::I32; parameters], vec![ValType::I32; results]);
            imports.import(module, name, EntityType::Function(1));
            (first_type, first) = (2, 2);
        }
        for (index, (name, parameters, results, gives)) in (0..).zip(EXPORTS) {
            types.ty().function(vec![ValType::I32; parameters], vec![ValType::I32; results]);
            functions.function(first_type + index);
            let mut function = Function::new([]);
            if let (Some((_, _, parameters, 1)), "eval") = (self.import, name) {
                for _ in 0..self.calls {
                    function.instructions().i32_const(self.number);
                    for _ in 1..parameters {
                        function.instructions().i32_const(0);
                    }
                    function.instructions().call(1).drop();
                }
            }
            let gives =
                self.gives.iter().find(|(other, _)| *other == name).map_or(gives, |(_, gives)| *gives);
            match (name, results) {
                ("opa_json_dump", _) => function.instructions().local_get(0).end(),
                (_, 0) => function.instructions().end(),
                _ => function.instructions().i32_const(gives).end(),
            };
            code.function(&function);
            if name != self.without {
                exports.export(name, ExportKind::Func, first + index);
            }
        }
        let start = first + u32::try_from(EXPORTS.len()).unwrap();
        types.ty().function([], []);
        functions.function(first_type + u32::try_from(EXPORTS.len()).unwrap());
        let mut function = Function::new([]);
        if let Some(body) = self.start {
            body(&mut function);
        }
        function.instructions().end();
        code.function(&function);

        exports.export("memory", ExportKind::Memory, 0);
        let mut globals = GlobalSection::new();
        let versions =
            [("opa_wasm_abi_version", self.version.0), ("opa_wasm_abi_minor_version", self.version.1)];
        for (index, (name, value)) in (0..).zip(versions) {
            let kind = GlobalType { val_type: ValType::I32, mutable: false, shared: false };
            globals.global(kind, &ConstExpr::i32_const(value));
            if name != self.without {
                exports.export(name, ExportKind::Global, index);
            }
        }
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(Self::EMPTY), *b"{}\0");
        data.active(0, &ConstExpr::i32_const(Self::ENTRYPOINTS), *b"{\"t/decision\":1}\0");
        data.active(0, &ConstExpr::i32_const(Self::BUILTINS), *b"{\"time.now_ns\":5}\0");
        data.active(0, &ConstExpr::i32_const(Self::ANSWER), self.answer.iter().copied());
        if let Some(place) = self.segment {
            data.active(0, &ConstExpr::i32_const(place), *b"{}\0");
        }
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&globals).section(&exports);
        if self.start.is_some() {
            module.section(&StartSection { function_index: start });
        }
        module.section(&code).section(&data);
        module.finish()
    }
}

#[test]
fn a_forged_answer_is_read_as_strictly_as_any() {
    let base = Forged::default;
    let payload = json!({});
    assert_eq!(around(base().build()).decide(&payload).unwrap(), Decision::allow());
    for (forged, kind) in [
        (Forged { answer: b"[]\0", ..base() }, FaultKind::UndefinedDecision),
        (
            Forged { answer: b"[{\"result\":true},{\"result\":true}]\0", ..base() },
            FaultKind::MalformedDecision,
        ),
        (Forged { answer: b"[{\"result\":\"permit\"}]\0", ..base() }, FaultKind::MalformedDecision),
        (Forged { answer: b"{\"result\":true}\0", ..base() }, FaultKind::AbiViolation),
        (Forged { answer: b"[{\"result\":true}\0", ..base() }, FaultKind::AbiViolation),
        (Forged { answer: b"[{\"result\":\"\xff\"}]\0", ..base() }, FaultKind::AbiViolation),
        (Forged { answer: b"\0", ..base() }, FaultKind::AbiViolation),
        (Forged { gives: &[("opa_eval_ctx_get_result", 0)], ..base() }, FaultKind::AbiViolation),
        (Forged { gives: &[("opa_eval_ctx_get_result", -1)], ..base() }, FaultKind::AbiViolation),
        (Forged { gives: &[("opa_eval_ctx_get_result", 3 << 16)], ..base() }, FaultKind::AbiViolation),
    ] {
        let engine = around(forged.build()).load().unwrap();
        for _ in 0..2 {
            assert_eq!(
                decide(&*engine, &payload).unwrap_err().kind,
                kind,
                "{:?}",
                String::from_utf8_lossy(forged.answer)
            );
        }
    }
}

#[test]
fn a_built_in_is_called_as_it_was_named_or_not_at_all() {
    let calls = |name, parameters, number| {
        let import = Some(("env", name, parameters, 1));
        around(Forged { import, number, ..Forged::default() }.build())
            .decide(&json!({}))
            .map_err(|fault| fault.kind)
    };
    assert_eq!(calls("opa_builtin0", 2, 5), Ok(Decision::allow()));
    assert_eq!(calls("opa_builtin0", 2, 6), Err(FaultKind::AbiViolation), "a number it did not name");
    assert_eq!(calls("opa_builtin1", 3, 5), Err(FaultKind::AbiViolation), "one argument too many");
}

/// The module itself needs next to no fuel: what is used up is what the host charges for its work.
#[test]
fn host_built_ins_cost_fuel_call_by_call() {
    let import = Some(("env", "opa_builtin0", 2, 1));
    let with = |calls, fuel: u64| {
        let module = Forged { import, number: 5, calls, ..Forged::default() }.build();
        around(module).limits(json!({"fuel": fuel})).decide(&json!({})).map_err(|fault| fault.kind)
    };
    let out_of_fuel = Err(FaultKind::Limit(LimitKind::Fuel));
    assert_eq!(with(0, 500), Ok(Decision::allow()));
    assert_eq!(with(1, 1_900), out_of_fuel);
    assert_eq!(with(1, 2_500), Ok(Decision::allow()));
    assert_eq!(with(3, 5_900), out_of_fuel);
    assert_eq!(with(3, 6_500), Ok(Decision::allow()));
}
