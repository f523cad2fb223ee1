//! One running module with its data in place, used for one evaluation after another.
//!
//! The data is parsed once; what an evaluation allocates lies above it and is dropped by putting the heap pointer back,
//! which also empties the allocator's free lists. An instance that stopped for any reason is not used again.

use std::collections::BTreeMap;
use std::sync::Arc;

use tribunal_rego_builtins::Context;
use wasmtime::{Result, Store};

use crate::abi::{Abi, OpaEval, text_in};
use crate::host::{Host, HostBuiltins};
use crate::module::PAGE;
use crate::runtime::Compiled;
use crate::stop::Stop;

/// Fuel for starting an instance and parsing its data. Deterministic: what starts at load starts again later.
pub(crate) const START_FUEL: u64 = 2_000_000_000;
/// The longest list of entrypoints or built-ins that is read.
const MAX_NAMES: u64 = 1 << 20;
/// The address of a value that is undefined.
const UNDEFINED: i32 = 0;
/// Far beyond any deadline, and far from overflowing the clock.
const NO_DEADLINE: u64 = 1 << 40;

/// What one evaluation may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Instructions, for all entrypoints together.
    pub(crate) fuel: u64,
    /// Ticks of the epoch clock, if there is a deadline.
    pub(crate) ticks: Option<u64>,
    /// Bytes of each answer.
    pub(crate) output: u64,
}

/// A running module.
pub(crate) struct Instance {
    store: Store<Host>,
    exports: wasmtime::Instance,
    abi: Arc<Abi>,
    /// The address of the parsed data.
    data: i32,
    /// Where the heap of an evaluation begins.
    heap: i32,
}

impl Instance {
    /// Starts a module. Its start function runs, so it has its limits before that.
    pub(crate) fn start(compiled: &Compiled, memory_limit: u64) -> Result<Self> {
        let host = Host { memory_limit, builtins: Arc::default(), context: Context { now_ns: 0 }, abi: None };
        let mut store = Store::new(compiled.engine(), host);
        store.limiter(|host| host);
        store.set_fuel(START_FUEL)?;
        store.set_epoch_deadline(NO_DEADLINE);
        let exports = compiled.instance.instantiate(&mut store)?;
        let abi = Arc::new(Abi::of(&mut store, &exports)?);
        store.data_mut().abi = Some(Arc::clone(&abi));
        Ok(Self { store, exports, abi, data: 0, heap: 0 })
    }

    /// The entrypoints that the module has, by name.
    pub(crate) fn entrypoints(&mut self) -> Result<BTreeMap<String, i32>> {
        let at = self.abi.entrypoints.call(&mut self.store, ())?;
        self.names(at)
    }

    /// The built-ins that the module wants of the host, by name.
    pub(crate) fn builtins(&mut self) -> Result<BTreeMap<String, i32>> {
        let at = self.abi.builtins.call(&mut self.store, ())?;
        self.names(at)
    }

    fn names(&mut self, value: i32) -> Result<BTreeMap<String, i32>> {
        let at = self.abi.json_dump.call(&mut self.store, value)?;
        let text = self.abi.text(&self.store, at, MAX_NAMES)?;
        let names = serde_json::from_str(&text);
        Ok(names.map_err(|error| Stop::Abi(format!("a list of names is not one: {error}")))?)
    }

    /// Gives the instance its built-ins and its data, as JSON. It is ready to evaluate then.
    pub(crate) fn furnish(&mut self, builtins: &Arc<HostBuiltins>, data: &[u8]) -> Result<()> {
        self.store.data_mut().builtins = Arc::clone(builtins);
        self.data = self.abi.parse(&mut self.store, data)?;
        self.heap = self.abi.heap_get.call(&mut self.store, ())?;
        Ok(())
    }

    /// Evaluates entrypoints over one input, given as JSON that the host has written: one answer each, as JSON. Without an
    /// input, `input` is undefined.
    ///
    /// After an error the instance is in no known state, and has to be dropped.
    pub(crate) fn evaluate(
        &mut self,
        input: Option<&[u8]>,
        entrypoints: &[i32],
        context: Context,
        budget: Budget,
    ) -> Result<Vec<String>> {
        self.evaluate_in(input, entrypoints, context, budget, |_| {})
    }

    /// [`Instance::evaluate`], telling `lap` of the end of each stage.
    pub(crate) fn evaluate_in(
        &mut self,
        input: Option<&[u8]>,
        entrypoints: &[i32],
        context: Context,
        budget: Budget,
        mut lap: impl FnMut(&'static str),
    ) -> Result<Vec<String>> {
        self.store.set_fuel(budget.fuel)?;
        self.store.set_epoch_deadline(budget.ticks.unwrap_or(NO_DEADLINE));
        self.store.data_mut().context = context;
        let (abi, store) = (&self.abi, &mut self.store);
        abi.heap_set.call(&mut *store, self.heap)?;
        let input = match input {
            Some(input) => abi.parse(&mut *store, input)?,
            None => UNDEFINED,
        };
        lap("parse input in module");
        let mut answers = Vec::with_capacity(entrypoints.len());
        for entrypoint in entrypoints {
            let context = abi.context_new.call(&mut *store, ())?;
            abi.set_input.call(&mut *store, (context, input))?;
            abi.set_data.call(&mut *store, (context, self.data))?;
            abi.set_entrypoint.call(&mut *store, (context, *entrypoint))?;
            abi.eval.call(&mut *store, context)?;
            lap("evaluate");
            let result = abi.result.call(&mut *store, context)?;
            let text = abi.json_dump.call(&mut *store, result)?;
            answers.push(abi.text(&*store, text, budget.output)?);
            lap("dump");
        }
        Ok(answers)
    }

    /// The module's own way to evaluate in one call, for [`Instance::opa_eval`]. No decision needs it.
    pub(crate) fn one_call(&mut self) -> Result<OpaEval> {
        self.exports.get_typed_func(&mut self.store, "opa_eval")
    }

    /// Evaluates in one call, with the same data and under the same limits: the address of the answer.
    ///
    /// After an error the instance is in no known state, and has to be dropped.
    pub(crate) fn opa_eval(
        &mut self,
        one_call: &OpaEval,
        input: &[u8],
        entrypoint: i32,
        context: Context,
        budget: Budget,
    ) -> Result<i32> {
        self.store.set_fuel(budget.fuel)?;
        self.store.set_epoch_deadline(budget.ticks.unwrap_or(NO_DEADLINE));
        self.store.data_mut().context = context;
        let (abi, store) = (&self.abi, &mut self.store);
        let too_long = || Stop::Abi("a text is longer than 2 GiB".to_owned());
        let length = i32::try_from(input.len()).map_err(|_| too_long())?;
        // The heap goes on behind the input, aligned: the module's allocator itself never leaves four bytes.
        let heap =
            self.heap.checked_add(length).and_then(|end| end.checked_add(7)).ok_or_else(too_long)? & !7;
        let end = usize::try_from(heap).map_err(|_| too_long())?;
        let missing = end.saturating_sub(abi.memory.data_size(&*store));
        if missing > 0 {
            abi.memory.grow(&mut *store, (missing as u64).div_ceil(PAGE))?;
        }
        let place = usize::try_from(self.heap).map_err(|_| too_long())?;
        abi.memory
            .write(&mut *store, place, input)
            .map_err(|_| Stop::Abi("the heap is outside".to_owned()))?;
        one_call.call(&mut *store, (0, entrypoint, self.data, self.heap, length, heap, 0))
    }

    /// The text of an answer, left where it lies.
    pub(crate) fn text(&self, at: i32, limit: u64) -> Result<&str> {
        text_in(self.abi.memory.data(&self.store), at, limit)
    }

    /// Bytes of memory the instance holds.
    #[cfg(test)]
    pub(crate) fn memory_size(&self) -> usize {
        self.abi.memory.data_size(&self.store)
    }

    /// Where the heap stands.
    #[cfg(test)]
    pub(crate) fn heap_pointer(&mut self) -> Result<i32> {
        self.abi.heap_get.call(&mut self.store, ())
    }
}

#[cfg(test)]
mod tests {
    use tribunal_engine_core::fault::{FaultKind, LimitKind};
    use wasmtime::Trap;

    use super::*;
    use crate::module::OpaModule;
    use crate::runtime::Runtime;
    use crate::stop::{Stop, fault};

    const LIMIT: u64 = 16 << 20;
    const BUDGET: Budget = Budget { fuel: 100_000_000, ticks: None, output: 1 << 18 };
    const NOW: Context = Context { now_ns: 0 };

    fn instance() -> (Instance, BTreeMap<String, i32>) {
        let wasm =
            std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/modules/decisions.wasm")).unwrap();
        let module = OpaModule::read(&wasm).unwrap();
        let compiled = Runtime::get(false).unwrap().compile(&module, None).unwrap();
        let mut instance = Instance::start(&compiled, LIMIT).unwrap();
        let entrypoints = instance.entrypoints().unwrap();
        assert!(instance.builtins().unwrap().is_empty());
        instance.furnish(&Arc::default(), br#"{"tools":["search"]}"#).unwrap();
        (instance, entrypoints)
    }

    /// `opa_eval` takes such a text for an undefined input, and `not input.tool` would then hold.
    #[test]
    fn an_input_that_the_module_cannot_read_is_a_fault() {
        for text in ["", "{", r#"{"tool": "search""#, "hello", "[1", "\"x"] {
            let (mut instance, entrypoints) = instance();
            let absent_input = entrypoints["t/absent_input"];
            let error = instance.evaluate(Some(text.as_bytes()), &[absent_input], NOW, BUDGET).unwrap_err();
            assert_eq!(fault(&error).kind, FaultKind::AbiViolation, "{text}");
        }
    }

    #[test]
    fn input_nested_too_deep_exhausts_the_stack_and_nothing_else() {
        let (mut instance, entrypoints) = instance();
        let text = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        let error =
            instance.evaluate(Some(text.as_bytes()), &[entrypoints["t/allow"]], NOW, BUDGET).unwrap_err();
        assert_eq!(fault(&error).kind, FaultKind::Limit(LimitKind::Stack));
    }

    #[test]
    fn an_entrypoint_that_is_not_there_is_a_trap() {
        let (mut instance, _) = instance();
        let error = instance.evaluate(Some(b"{}"), &[12_345], NOW, BUDGET).unwrap_err();
        assert_eq!(fault(&error).kind, FaultKind::Trap, "{error:?}");
        assert!(error.downcast_ref::<Stop>().is_some() || error.downcast_ref::<Trap>().is_some());
    }

    #[test]
    fn the_heap_is_put_back_and_memory_stays_flat() {
        let (mut instance, entrypoints) = instance();
        let asked = [entrypoints["t/decision"], entrypoints["t/by_data"], entrypoints["t/echo"]];
        let input = |round: usize| {
            format!(r#"{{"tool": "search", "padding": "{}"}}"#, "x".repeat(40_000 * (round % 3)))
        };
        let mut ends = [0; 3];
        let mut sizes = [0; 2];
        for round in 0..600 {
            let answers = instance.evaluate(Some(input(round).as_bytes()), &asked, NOW, BUDGET).unwrap();
            assert_eq!(answers[0], r#"[{"result":{"effect":"allow"}}]"#);
            assert_eq!(answers[1], r#"[{"result":true}]"#);
            // The same input ends at the same address every time: nothing of an earlier evaluation is below it.
            let end = instance.heap_pointer().unwrap();
            if round < 3 {
                ends[round] = end;
            }
            assert_eq!(end, ends[round % 3], "round {round}");
            match round {
                9 => sizes[0] = instance.memory_size(),
                599 => sizes[1] = instance.memory_size(),
                _ => {}
            }
        }
        assert_eq!(sizes[0], sizes[1]);
    }

    #[test]
    fn one_call_answers_the_same_and_keeps_the_heap_aligned() {
        let (mut instance, entrypoints) = instance();
        let (one_call, asked) = (instance.one_call().unwrap(), entrypoints["t/decision"]);
        for tool in ["search", "shell", "other"] {
            for padding in 0..8 {
                let input = format!(r#"{{"tool": "{tool}"}}{}"#, " ".repeat(padding));
                let expected = instance.evaluate(Some(input.as_bytes()), &[asked], NOW, BUDGET).unwrap();
                let at = instance.opa_eval(&one_call, input.as_bytes(), asked, NOW, BUDGET).unwrap();
                assert_eq!(instance.text(at, BUDGET.output).unwrap(), expected[0]);
                assert_eq!(instance.heap_pointer().unwrap() % 4, 0, "{} bytes of input", input.len());
            }
        }
    }
}
