//! What a built-in is, and the table of all of them.

use std::sync::LazyLock;

use crate::value::Value;

/// What a built-in may know besides its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// `time.now_ns()`, in nanoseconds since the epoch; one instant an evaluation.
    pub now_ns: i64,
}

/// One of OPA's built-in functions.
#[derive(Clone, Copy)]
pub struct Builtin {
    /// OPA's name of it, e.g. `net.cidr_contains`.
    pub name: &'static str,
    /// How many arguments it takes.
    pub arity: u8,
    run: fn(&Context, &[Value]) -> Outcome,
}

/// A call that OPA answers with a built-in error: a fault where errors are strict, undefined where not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{builtin}: {message}")]
pub struct BuiltinError {
    /// The built-in's name.
    pub builtin: &'static str,
    /// What was wrong, in OPA's words where they are stable.
    pub message: String,
}

/// What the functions of this crate return: a value, undefined, or a failure that [`Builtin::call`] names.
pub(crate) type Outcome = Result<Option<Value>, Failure>;

/// A failure that does not know yet which built-in it is of.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Failure(message.into())
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure(error.to_string())
    }
}

/// A defined result.
#[expect(clippy::unnecessary_wraps, reason = "the shape every built-in returns")]
pub(crate) fn done(value: impl Into<Value>) -> Outcome {
    Ok(Some(value.into()))
}

/// A failure as a result.
pub(crate) fn fail<T>(message: impl Into<String>) -> Result<T, Failure> {
    Err(Failure(message.into()))
}

impl Builtin {
    pub(crate) const fn new(name: &'static str, arity: u8, run: fn(&Context, &[Value]) -> Outcome) -> Self {
        Builtin { name, arity, run }
    }

    /// Calls it.
    ///
    /// `Ok(None)` is undefined without an error.
    ///
    /// # Errors
    /// Where OPA raises a built-in error, the number of arguments is wrong, or a bound of
    /// [`limits`](crate::limits) is exceeded.
    pub fn call(&self, ctx: &Context, args: &[Value]) -> Result<Option<Value>, BuiltinError> {
        if args.len() != usize::from(self.arity) {
            let message = format!("takes {} arguments but got {}", self.arity, args.len());
            return Err(BuiltinError { builtin: self.name, message });
        }
        (self.run)(ctx, args).map_err(|Failure(message)| BuiltinError { builtin: self.name, message })
    }
}

impl std::fmt::Debug for Builtin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.name, self.arity)
    }
}

static TABLE: LazyLock<Vec<Builtin>> = LazyLock::new(|| {
    let mut table = crate::groups().concat();
    table.sort_by_key(|builtin| builtin.name);
    table
});

/// Every built-in there is, sorted by name.
#[must_use]
pub fn all() -> &'static [Builtin] {
    &TABLE
}

/// The built-in of that name. Look it up once, at load: it does not change.
#[must_use]
pub fn lookup(name: &str) -> Option<&'static Builtin> {
    let index = all().binary_search_by(|builtin| builtin.name.cmp(name)).ok()?;
    all().get(index)
}
