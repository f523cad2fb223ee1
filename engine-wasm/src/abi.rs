//! The functions of OPA's ABI that an instance exports, and text in its memory.

use wasmtime::{AsContext, AsContextMut, Instance, Memory, Result, TypedFunc};

use crate::stop::Stop;

/// The exports this engine calls. Addresses and lengths are `i32` in the ABI and unsigned in their meaning; 0 is no
/// value.
pub(crate) struct Abi {
    pub(crate) memory: Memory,
    pub(crate) builtins: TypedFunc<(), i32>,
    pub(crate) entrypoints: TypedFunc<(), i32>,
    pub(crate) eval: TypedFunc<i32, i32>,
    pub(crate) context_new: TypedFunc<(), i32>,
    pub(crate) set_input: TypedFunc<(i32, i32), ()>,
    pub(crate) set_data: TypedFunc<(i32, i32), ()>,
    pub(crate) set_entrypoint: TypedFunc<(i32, i32), ()>,
    pub(crate) result: TypedFunc<i32, i32>,
    pub(crate) malloc: TypedFunc<i32, i32>,
    pub(crate) free: TypedFunc<i32, ()>,
    pub(crate) json_dump: TypedFunc<i32, i32>,
    pub(crate) value_dump: TypedFunc<i32, i32>,
    pub(crate) value_parse: TypedFunc<(i32, i32), i32>,
    pub(crate) heap_get: TypedFunc<(), i32>,
    pub(crate) heap_set: TypedFunc<i32, ()>,
}

/// Everything in one call, for [`crate::bare`] only: what it cannot read as input it takes for undefined.
pub(crate) type OpaEval = TypedFunc<(i32, i32, i32, i32, i32, i32, i32), i32>;

impl Abi {
    /// Finds the exports. Their types were checked when the module was read.
    pub(crate) fn of(mut store: impl AsContextMut, instance: &Instance) -> Result<Self> {
        let store = &mut store;
        Ok(Self {
            memory: instance
                .get_memory(&mut *store, "memory")
                .ok_or_else(|| Stop::Abi("the module exports no memory".to_owned()))?,
            builtins: instance.get_typed_func(&mut *store, "builtins")?,
            entrypoints: instance.get_typed_func(&mut *store, "entrypoints")?,
            eval: instance.get_typed_func(&mut *store, "eval")?,
            context_new: instance.get_typed_func(&mut *store, "opa_eval_ctx_new")?,
            set_input: instance.get_typed_func(&mut *store, "opa_eval_ctx_set_input")?,
            set_data: instance.get_typed_func(&mut *store, "opa_eval_ctx_set_data")?,
            set_entrypoint: instance.get_typed_func(&mut *store, "opa_eval_ctx_set_entrypoint")?,
            result: instance.get_typed_func(&mut *store, "opa_eval_ctx_get_result")?,
            malloc: instance.get_typed_func(&mut *store, "opa_malloc")?,
            free: instance.get_typed_func(&mut *store, "opa_free")?,
            json_dump: instance.get_typed_func(&mut *store, "opa_json_dump")?,
            value_dump: instance.get_typed_func(&mut *store, "opa_value_dump")?,
            value_parse: instance.get_typed_func(&mut *store, "opa_value_parse")?,
            heap_get: instance.get_typed_func(&mut *store, "opa_heap_ptr_get")?,
            heap_set: instance.get_typed_func(&mut *store, "opa_heap_ptr_set")?,
        })
    }

    /// Copies bytes into the module's heap, which grows by the module's own hand, so that its allocator knows of it.
    pub(crate) fn place(&self, mut store: impl AsContextMut, bytes: &[u8]) -> Result<(i32, i32)> {
        let length =
            i32::try_from(bytes.len()).map_err(|_| Stop::Abi("a text is longer than 2 GiB".to_owned()))?;
        let at = self.malloc.call(&mut store, length)?;
        let place = address(at)?;
        self.memory
            .write(&mut store, place, bytes)
            .map_err(|_| Stop::Abi(format!("the module gives {place:#x} as room for {length} bytes")))?;
        Ok((at, length))
    }

    /// A value out of its text in OPA's format.
    pub(crate) fn parse(&self, mut store: impl AsContextMut, text: &[u8]) -> Result<i32> {
        let (at, length) = self.place(&mut store, text)?;
        let value = self.value_parse.call(&mut store, (at, length))?;
        // OPA's own `opa_eval` takes a text it cannot read for an undefined input, and `not input.x` then holds.
        if value == 0 {
            return Err(Stop::Abi("the module cannot read the value it was given".to_owned()).into());
        }
        Ok(value)
    }

    /// The text, ended by a zero byte, at an address.
    pub(crate) fn text(&self, store: impl AsContext, at: i32, limit: u64) -> Result<String> {
        let store = store.as_context();
        text_at(self.memory.data(&store), at, limit)
    }
}

/// The text, ended by a zero byte, at an address of a memory.
pub(crate) fn text_at(memory: &[u8], at: i32, limit: u64) -> Result<String> {
    text_in(memory, at, limit).map(str::to_owned)
}

/// [`text_at`], left where it lies.
pub(crate) fn text_in(memory: &[u8], at: i32, limit: u64) -> Result<&str> {
    let start = address(at)?;
    let rest = memory.get(start..).ok_or_else(|| Stop::Abi(format!("{start:#x} lies outside the memory")))?;
    let window =
        usize::try_from(limit).map_or(rest, |limit| rest.get(..=limit).map_or(rest, |window| window));
    let Some(end) = window.iter().position(|byte| *byte == 0) else {
        return Err(match window.len() < rest.len() {
            true => Stop::Output(limit).into(),
            false => Stop::Abi(format!("the text at {start:#x} has no end")).into(),
        });
    };
    let text = window.get(..end).map_or(&[][..], |text| text);
    std::str::from_utf8(text)
        .map_err(|error| Stop::Abi(format!("the text at {start:#x} is not UTF-8: {error}")).into())
}

fn address(at: i32) -> Result<usize> {
    match usize::try_from(at.cast_unsigned()) {
        Ok(place) if place != 0 => Ok(place),
        _ => Err(Stop::Abi("the module gives no address".to_owned()).into()),
    }
}

#[cfg(test)]
mod tests {
    use tribunal_engine_core::fault::{FaultKind, LimitKind};

    use super::*;

    #[test]
    fn text_is_read_within_its_bounds_or_not_at_all() {
        let memory = b"\0[1]\0\xff\0abc";
        let read = |at, limit| text_at(memory, at, limit).map_err(|error| crate::stop::fault(&error).kind);
        assert_eq!(read(1, 3), Ok("[1]".to_owned()));
        assert_eq!(read(1, 2), Err(FaultKind::Limit(LimitKind::Output)));
        for at in [0, 5, 7, 8, 10, 11, 1000, -1] {
            assert_eq!(read(at, 100), Err(FaultKind::AbiViolation), "{at}");
        }
    }
}
