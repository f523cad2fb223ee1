//! From a function's instructions back to the planner's statements.
//!
//! OPA's compiler writes each statement as one fixed run of instructions (`internal/compiler/wasm/wasm.go`), so a run
//! that is met is that statement. Instructions that belong to none are passed over: what they do to locals is noted, so
//! that nothing is believed of a value which may be another one.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use wasmparser::{FunctionBody, Operator};

use super::statement::{Callee, Kind, Origin, Statement, Term, TermKind, Value};
use crate::image::{Image, Interned};
use crate::module::ModuleError;

/// An instruction, as far as statements are made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Get(u32),
    Set(u32),
    Tee(u32),
    Const(i32),
    Long,
    Call(u32),
    Indirect,
    Eqz,
    Ne,
    Block,
    End,
    BrIf(u32),
    Return,
    Other,
}

impl Op {
    fn of(operator: &Operator<'_>) -> Self {
        match *operator {
            Operator::LocalGet { local_index } => Op::Get(local_index),
            Operator::LocalSet { local_index } => Op::Set(local_index),
            Operator::LocalTee { local_index } => Op::Tee(local_index),
            Operator::I32Const { value } => Op::Const(value),
            Operator::I64Const { .. } => Op::Long,
            Operator::Call { function_index } => Op::Call(function_index),
            Operator::CallIndirect { .. } => Op::Indirect,
            Operator::I32Eqz => Op::Eqz,
            Operator::I32Ne => Op::Ne,
            Operator::Block { .. } => Op::Block,
            Operator::End => Op::End,
            Operator::BrIf { relative_depth } => Op::BrIf(relative_depth),
            Operator::Return => Op::Return,
            _ => Op::Other,
        }
    }
}

/// What a function of the policy says.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) statements: Vec<Statement>,
    /// Where each value comes from.
    pub(super) origins: Vec<Origin>,
    /// The functions it calls.
    pub(super) calls: BTreeSet<u32>,
    /// It calls a function by a path that it computes.
    pub(super) calls_any: bool,
}

/// Reads a function of the policy. `rules` names those that are the policy's, `host` the host's built-ins.
pub(super) fn decode<'m>(
    image: &Image<'m>,
    rules: &HashMap<u32, String>,
    host: &HashMap<i32, &str>,
    body: &FunctionBody<'m>,
) -> Result<Decoded, ModuleError> {
    let (ops, places) = instructions(body)?;
    let mut decoded = Decoded::default();
    for op in &ops {
        match op {
            Op::Call(function) => {
                decoded.calls.insert(*function);
            }
            Op::Indirect => decoded.calls_any = true,
            _ => {}
        }
    }
    let mut decoder =
        Decoder { image, rules, host, ops: &ops, places: &places, at: 0, locals: HashMap::new(), decoded };
    // Every function of a policy is given the request and the data first.
    decoder.define(0, Origin::Input(Vec::new()));
    decoder.define(1, Origin::Data(Vec::new()));
    decoder.run();
    Ok(decoder.decoded)
}

/// The host's built-ins by their number, from the function `builtins` that lists them.
pub(super) fn host_builtins<'m>(image: &Image<'m>) -> Result<HashMap<i32, &'m str>, ModuleError> {
    let body = image.function("builtins").and_then(|function| image.bodies.get(image.body_index(function)?));
    let mut found = HashMap::new();
    let Some(body) = body else { return Ok(found) };
    let mut name = None;
    for operator in body.get_operators_reader()? {
        match operator? {
            Operator::I32Const { value } => name = image.terminated(value),
            Operator::I64Const { value } => {
                if let (Some(name), Ok(number)) = (name.take(), i32::try_from(value)) {
                    found.insert(number, name);
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The places of the constant in front of each call of `function`: what it is given last.
pub(super) fn argument_of(
    body: &FunctionBody<'_>,
    function: u32,
) -> Result<Option<(i32, Range<usize>)>, ModuleError> {
    let (ops, places) = instructions(body)?;
    let found =
        ops.iter().zip(&places).zip(ops.iter().skip(1)).find_map(|((op, place), next)| match (op, next) {
            (Op::Const(value), Op::Call(called)) if *called == function => Some((*value, place.clone())),
            _ => None,
        });
    Ok(found)
}

fn instructions(body: &FunctionBody<'_>) -> Result<(Vec<Op>, Vec<Range<usize>>), ModuleError> {
    let mut ops = Vec::new();
    let mut starts = Vec::new();
    for operator in body.get_operators_reader()?.into_iter_with_offsets() {
        let (operator, start) = operator?;
        ops.push(Op::of(&operator));
        starts.push(start);
    }
    let ends = starts.iter().copied().skip(1).chain([body.range().end]);
    let places = starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect();
    Ok((ops, places))
}

struct Decoder<'d, 'm> {
    image: &'d Image<'m>,
    rules: &'d HashMap<u32, String>,
    host: &'d HashMap<i32, &'d str>,
    ops: &'d [Op],
    places: &'d [Range<usize>],
    at: usize,
    /// What each local holds at this point of the text. Blocks end where they are left, so a value that several of them
    /// assign is the last one's; only once-only assignments, which leave it one value, come together so.
    locals: HashMap<u32, Value>,
    decoded: Decoded,
}

impl Decoder<'_, '_> {
    fn run(&mut self) {
        while let Some(rest) = self.ops.get(self.at..).filter(|rest| !rest.is_empty()) {
            let step = self.statement(rest).or_else(|| self.call(rest));
            let (kind, length) = step.unwrap_or_else(|| (self.passed_over(rest), 1));
            if let Some(kind) = kind {
                let place = self.span(0, length);
                self.decoded.statements.push(Statement { place, kind });
            }
            self.at += length;
        }
    }

    /// The statement that begins here, if it is of a fixed length; the statement may say nothing.
    fn statement(&mut self, ops: &[Op]) -> Option<(Option<Kind>, usize)> {
        use Op::{Block, BrIf, Call, Const, End, Eqz, Get, Long, Ne, Return, Set, Tee};
        Some(match *ops {
            // AssignVarOnce
            [
                Block,
                Block,
                Get(target),
                Eqz,
                BrIf(0),
                Get(_),
                _,
                Call(f),
                Eqz,
                BrIf(1),
                Const(_),
                Const(_),
                Const(_),
                Const(_),
                Call(_),
                Op::Other,
                End,
                _,
                Set(set),
                End,
                ..,
            ] if target == set && self.is(f, "opa_value_compare") => {
                let source = self.term(17)?;
                (Some(Kind::Assign { source, again: self.place(6), target: self.get(target) }), 20)
            }
            // ObjectInsertOnce
            [
                Block,
                Block,
                Get(object),
                _,
                Call(get),
                Tee(_),
                Eqz,
                BrIf(0),
                Get(_),
                _,
                Call(_),
                Eqz,
                BrIf(1),
                Const(_),
                Const(_),
                Const(_),
                Const(_),
                Call(_),
                Op::Other,
                End,
                Get(inserted),
                _,
                _,
                Call(insert),
                End,
                ..,
            ] if object == inserted
                && self.is(get, "opa_value_get")
                && self.is(insert, "opa_object_insert") =>
            {
                let (key, member) = (self.term(21)?, self.term(22)?);
                // Its key and member stand twice: neither is a place that could be changed alone.
                let values = [key.value(), member.value()];
                for value in values.into_iter().flatten() {
                    self.decoded
                        .statements
                        .push(Statement { place: self.span(0, 25), kind: Kind::Use { value } });
                }
                (None, 25)
            }
            // Scan
            [
                Get(source),
                Get(key),
                Call(f),
                Tee(next),
                Eqz,
                BrIf(1),
                Get(_),
                Get(_),
                Call(get),
                Set(target),
                ..,
            ] if key == next && self.is(f, "opa_value_iter") && self.is(get, "opa_value_get") => {
                let source = self.get(source);
                let element = self.inside(source);
                self.define(next, element.clone());
                self.define(target, element);
                (Some(Kind::Use { value: source }), 10)
            }
            // Dot
            [Get(source), _, Call(f), Tee(target), Eqz, BrIf(0), ..] if self.is(f, "opa_value_get") => {
                let (source, key) = (self.get(source), self.term(1)?);
                let origin = self.member(source, &key);
                let target = self.define(target, origin);
                (Some(Kind::Dot { source, key, target }), 6)
            }
            // Equal
            [_, _, Call(f), BrIf(0), ..] if self.is(f, "opa_value_compare") => {
                let (left, right) = (self.term(0)?, self.term(1)?);
                (Some(Kind::Compare { equal: true, left, right, branch: self.place(3)? }), 4)
            }
            // NotEqual
            [_, _, Call(f), Eqz, BrIf(0), ..] if self.is(f, "opa_value_compare") => {
                let (left, right) = (self.term(0)?, self.term(1)?);
                (Some(Kind::Compare { equal: false, left, right, branch: self.place(4)? }), 5)
            }
            // MakeNumberRef
            [Const(address), Const(length), Call(f), Set(target), ..] if self.is(f, "opa_number_ref") => {
                let text = self.image.text(address, length)?.to_owned();
                let target = self.define(target, Origin::Number(text.clone()));
                (Some(Kind::Number { text, place: self.span(0, 2), target }), 4)
            }
            // MakeNumberInt, Len
            [Long, Call(f), Set(target), ..] if self.is(f, "opa_number_int") => {
                self.define(target, Origin::Planned);
                (None, 3)
            }
            [Get(source), Call(f), Call(_), Set(target), ..] if self.is(f, "opa_value_length") => {
                let value = self.get(source);
                self.define(target, Origin::Planned);
                (Some(Kind::Use { value }), 4)
            }
            // ObjectInsert
            [Get(collection), _, _, Call(f), ..] if self.is(f, "opa_object_insert") => {
                let (key, member) = (self.term(1)?, self.term(2)?);
                (Some(Kind::Insert { collection: self.get(collection), key: Some(key), member }), 4)
            }
            // ArrayAppend, SetAdd
            [Get(collection), _, Call(f), ..]
                if self.is(f, "opa_array_append") || self.is(f, "opa_set_add") =>
            {
                let member = self.term(1)?;
                (Some(Kind::Insert { collection: self.get(collection), key: None, member }), 3)
            }
            // The end of Not
            [Const(0), Set(condition), End, Get(checked), Eqz, BrIf(0), ..] if condition == checked => {
                (Some(Kind::Not { negation: self.place(4)?, check: self.span(3, 6) }), 6)
            }
            // The end of `every`: IsUndefined behind a loop
            [End, End, Get(failed), Const(0), Ne, BrIf(0), ..]
                if self.origin(failed) == Some(&Origin::True) =>
            {
                (Some(Kind::Every { branch: self.place(5)? }), 6)
            }
            // IsUndefined, IsDefined: they use nothing
            [Get(_), Const(0), Ne, BrIf(0), ..] => (None, 4),
            [Get(_), Eqz, BrIf(0), ..] => (None, 3),
            // ReturnLocal, also where the function first remembers its result
            [Get(value), Return, ..] => (Some(Kind::Return { value: self.get(value) }), 2),
            [Get(value), Const(_), Get(_), Call(f), Return, ..] if self.is(f, "opa_memoize_insert") => {
                (Some(Kind::Return { value: self.get(value) }), 5)
            }
            // AssignVar
            [Get(_) | Const(_), Set(target), ..] => {
                let source = self.term(0)?;
                let origin = match &source.kind {
                    TermKind::Value(value) => {
                        self.decoded.origins.get(value.0).cloned().unwrap_or(Origin::Other)
                    }
                    TermKind::Bool(true) => Origin::True,
                    TermKind::Bool(false) | TermKind::String(_) => Origin::Other,
                };
                let target = self.define(target, origin);
                (Some(Kind::Assign { source, again: None, target }), 2)
            }
            _ => return None,
        })
    }

    /// The call that begins here.
    fn call(&mut self, ops: &[Op]) -> Option<(Option<Kind>, usize)> {
        let pushed = ops.iter().take_while(|op| matches!(op, Op::Get(_) | Op::Const(_))).count();
        let [Op::Call(function), Op::Tee(result), Op::Eqz, Op::BrIf(0), ..] = *ops.get(pushed..)? else {
            return None;
        };
        if self.image.arity(function)? != pushed {
            return None;
        }
        let name = self.image.name(function)?;
        let (callee, origin, first) = match (self.rules.get(&function), ops.first()) {
            (Some(rule), _) => (Callee::Rule(rule.clone()), Origin::Rule(rule.clone()), 0),
            // The host's built-in of this number, a context that nobody uses, and the arguments.
            (None, Some(Op::Const(number))) if name.starts_with("opa_builtin") => {
                let name = (*self.host.get(number)?).to_owned();
                (Callee::Builtin(name.clone()), Origin::Builtin(name), 2)
            }
            (None, _) => (Callee::Builtin(name.to_owned()), Origin::Builtin(name.to_owned()), 0),
        };
        let arguments = (first..pushed).map(|index| self.term(index)).collect::<Option<_>>()?;
        let call = self.place(pushed)?;
        let result = self.define(result, origin);
        Some((Some(Kind::Call { callee, arguments, call, result }), pushed + 4))
    }

    /// What an instruction outside of any statement does to the locals.
    fn passed_over(&mut self, ops: &[Op]) -> Option<Kind> {
        match *ops.first()? {
            Op::Get(local) => Some(Kind::Use { value: self.get(local) }),
            Op::Set(local) | Op::Tee(local) => {
                self.define(local, Origin::Other);
                None
            }
            _ => None,
        }
    }

    fn is(&self, function: u32, name: &str) -> bool {
        self.image.name(function) == Some(name)
    }

    fn place(&self, index: usize) -> Option<Range<usize>> {
        self.places.get(self.at + index).cloned()
    }

    /// The bytes of the instructions from one to before another, counted from here.
    fn span(&self, from: usize, to: usize) -> Range<usize> {
        let places = self.places.get(self.at + from..self.at + to).unwrap_or_default();
        match (places.first(), places.last()) {
            (Some(first), Some(last)) => first.start..last.end,
            _ => 0..0,
        }
    }

    fn term(&mut self, index: usize) -> Option<Term> {
        let place = self.place(index)?;
        let kind = match *self.ops.get(self.at + index)? {
            Op::Get(local) => TermKind::Value(self.get(local)),
            Op::Const(address) => match self.image.interned(address)? {
                Interned::String(text) => TermKind::String(text),
                Interned::Bool(value) => TermKind::Bool(value),
            },
            _ => return None,
        };
        Some(Term { place, kind })
    }

    fn get(&mut self, local: u32) -> Value {
        match self.locals.get(&local) {
            Some(value) => *value,
            None => self.define(local, Origin::Other),
        }
    }

    fn define(&mut self, local: u32, origin: Origin) -> Value {
        let value = Value(self.decoded.origins.len());
        self.decoded.origins.push(origin);
        self.locals.insert(local, value);
        value
    }

    fn origin(&self, local: u32) -> Option<&Origin> {
        self.decoded.origins.get(self.locals.get(&local)?.0)
    }

    /// Where `source[key]` comes from.
    fn member(&self, source: Value, key: &Term) -> Origin {
        let longer = |path: &[String], name: &str| path.iter().cloned().chain([name.to_owned()]).collect();
        match (self.decoded.origins.get(source.0), key.string()) {
            (Some(Origin::Input(path)), Some(name)) => Origin::Input(longer(path, name)),
            (Some(Origin::Data(path)), Some(name)) => Origin::Data(longer(path, name)),
            _ => self.inside(source),
        }
    }

    /// Where what is somewhere in `source` comes from.
    fn inside(&self, source: Value) -> Origin {
        match self.decoded.origins.get(source.0) {
            Some(Origin::Input(path) | Origin::Element(path)) => Origin::Element(path.clone()),
            _ => Origin::Other,
        }
    }
}
