//! Which built-ins there are, and how a worker gets them.
//!
//! Every built-in comes from `tribunal-rego-builtins`, exact to OPA; regorus prefers a registered extension to its own
//! function of that name. Of regorus's own, only those the probes found clean are let through.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use regorus::Value;
use tribunal_engine_core::fault::{Fault, FaultKind, LimitKind};
use tribunal_rego_builtins::{Builtin, Context, all, lookup};

use crate::convert::{Unrepresentable, from_builtin, to_builtin};

/// Built-ins of regorus that a policy may call. `walk` is a relation and `print` takes any number of arguments, so
/// neither can be an extension; both agree with OPA in every probe. What `print` prints is dropped.
const OF_REGORUS: [&str; 2] = ["print", "walk"];

/// Operators, which OPA lets a policy call by name, and functions that only its compiler calls.
const NOT_BY_NAME: [&str; 2] = ["internal.member_2", "internal.member_3"];

/// How many arguments a built-in takes, if a policy may call it.
pub(crate) enum Arity {
    /// So many.
    Exactly(usize),
    /// Any number.
    Any,
    /// One, and a pattern for what it gives.
    Relation,
}

/// Whether a policy may call the built-in of this name, and how.
pub(crate) fn arity(name: &str) -> Option<Arity> {
    match name {
        "print" => Some(Arity::Any),
        "walk" => Some(Arity::Relation),
        name if NOT_BY_NAME.contains(&name) => None,
        name => lookup(name).map(|builtin| Arity::Exactly(usize::from(builtin.arity))),
    }
}

/// The name of every built-in a policy may call.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    OF_REGORUS.into_iter().chain(all().iter().map(|builtin| builtin.name))
}

/// Whether a built-in gives a value for all arguments, errors aside: then its call cannot be undefined.
pub(crate) fn is_total(name: &str) -> bool {
    const TOTAL: [&str; 33] = [
        "abs",
        "array.concat",
        "array.reverse",
        "array.slice",
        "base64.encode",
        "ceil",
        "concat",
        "contains",
        "count",
        "crypto.sha256",
        "endswith",
        "floor",
        "format_int",
        "hex.encode",
        "json.marshal",
        "lower",
        "object.get",
        "object.keys",
        "product",
        "replace",
        "round",
        "split",
        "sprintf",
        "startswith",
        "substring",
        "sum",
        "trim",
        "trim_left",
        "trim_prefix",
        "trim_right",
        "trim_space",
        "trim_suffix",
        "upper",
    ];
    TOTAL.binary_search(&name).is_ok()
}

/// What the built-ins of one worker know of the evaluation under way, and the fault that stopped it.
///
/// regorus turns an extension's error into text and may try other rules before it gives up; the fault kept here cannot
/// be lost on that way.
#[derive(Debug, Clone)]
pub(crate) struct Call(Arc<Mutex<CallState>>);

#[derive(Debug)]
struct CallState {
    now_ns: i64,
    deadline: Instant,
    fault: Option<Fault>,
}

impl Call {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(CallState { now_ns: 0, deadline: Instant::now(), fault: None })))
    }

    fn state(&self) -> MutexGuard<'_, CallState> {
        // Only this worker's thread ever locks it, and a worker that panicked is thrown away.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an evaluation.
    pub(crate) fn begin(&self, now_ns: i64, deadline: Instant) {
        *self.state() = CallState { now_ns, deadline, fault: None };
    }

    /// The fault that a built-in met, if one did.
    pub(crate) fn take_fault(&self) -> Option<Fault> {
        self.state().fault.take()
    }

    fn run(&self, builtin: &Builtin, arguments: &[Value], strict: bool) -> Result<Value, Fault> {
        let now_ns = {
            let state = self.state();
            // regorus counts its own steps, not time spent in here.
            if Instant::now() >= state.deadline {
                return Err(Fault::new(
                    FaultKind::Limit(LimitKind::Deadline),
                    format!("out of time in `{}`", builtin.name),
                ));
            }
            state.now_ns
        };
        let failed = |detail: String| Fault::new(FaultKind::BuiltinError, detail);
        let unrepresentable =
            |Unrepresentable(text): Unrepresentable| failed(format!("{}: number {text}", builtin.name));
        let arguments =
            arguments.iter().map(to_builtin).collect::<Result<Vec<_>, _>>().map_err(unrepresentable)?;
        match builtin.call(&Context { now_ns }, &arguments) {
            Ok(Some(value)) => from_builtin(&value).map_err(unrepresentable),
            Ok(None) => Ok(Value::Undefined),
            Err(error) if strict => Err(failed(error.to_string())),
            Err(_) => Ok(Value::Undefined),
        }
    }
}

/// Gives an engine every built-in of `tribunal-rego-builtins`.
pub(crate) fn register(engine: &mut regorus::Engine, call: &Call, strict: bool) -> Result<(), String> {
    for builtin in all() {
        let call = call.clone();
        let extension = move |arguments: Vec<Value>| {
            call.run(builtin, &arguments, strict).map_err(|fault| {
                call.state().fault.get_or_insert(fault.clone());
                fault.into()
            })
        };
        engine
            .add_extension(builtin.name.to_owned(), builtin.arity, Box::new(extension))
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_stays_refused() {
        for name in
            ["http.send", "opa.runtime", "rand.intn", "uuid.rfc4122", "trace", "internal.member_2", "no.such"]
        {
            assert!(arity(name).is_none(), "{name}");
        }
    }

    #[test]
    fn total_built_ins_exist_and_are_sorted() {
        for name in ["abs", "count", "upper", "lower", "object.get"] {
            assert!(is_total(name) && arity(name).is_some(), "{name}");
        }
        assert!(!is_total("max") && !is_total("min"));
    }
}
