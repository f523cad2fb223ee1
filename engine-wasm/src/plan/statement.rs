//! The statements of OPA's planner, as its compiler writes them down in a function of the policy.

use std::ops::Range;

/// What a local holds from one assignment to the next. The compiler uses a local again in every body of a rule, so the
/// local itself says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Value(pub(super) usize);

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A member of the request, the request itself with no names.
    Input(Vec<String>),
    /// Something inside a list or under a computed name of that member of the request.
    Element(Vec<String>),
    /// A member of the data.
    Data(Vec<String>),
    /// What another rule of the policy gives.
    Rule(String),
    /// What a built-in function gives.
    Builtin(String),
    /// A number of the policy's text.
    Number(String),
    /// A number that the planner made up: a length, the index of an element of a list written out.
    Planned,
    /// `true`, as the planner notes a success.
    True,
    /// Anything else.
    Other,
}

/// What a statement works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    /// The instruction that puts it on the stack.
    pub(crate) place: Range<usize>,
    pub(crate) kind: TermKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TermKind {
    Value(Value),
    String(String),
    Bool(bool),
}

impl Term {
    pub(crate) fn value(&self) -> Option<Value> {
        match self.kind {
            TermKind::Value(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn string(&self) -> Option<&str> {
        match &self.kind {
            TermKind::String(text) => Some(text),
            _ => None,
        }
    }
}

/// A function that a statement calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Callee {
    /// Another rule or function of the policy, by the name that rules go by.
    Rule(String),
    /// A built-in: the runtime's function in the module (`opa_cmp_lt`), or the host's, by its name in Rego.
    Builtin(String),
}

/// One statement and the bytes it takes in the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) place: Range<usize>,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `source[key]`, which must be there.
    Dot { source: Value, key: Term, target: Value },
    /// A call whose result must be defined. `call` is the one instruction.
    Call { callee: Callee, arguments: Vec<Term>, call: Range<usize>, result: Value },
    /// The block goes on if the two are equal (or unequal). `branch` is the instruction that leaves it otherwise.
    Compare { equal: bool, left: Term, right: Term, branch: Range<usize> },
    /// A number of the text. `place` are its address and length.
    Number { text: String, place: Range<usize>, target: Value },
    /// A member put into a list, a set or an object.
    Insert { collection: Value, key: Option<Term>, member: Term },
    /// An assignment. One that may happen once only mentions its source twice.
    Assign { source: Term, again: Option<Range<usize>>, target: Value },
    /// What the function gives.
    Return { value: Value },
    /// The end of a `not`: the block goes on if what is in it did not hold. `negation` is what an assertion would lack,
    /// `check` the whole.
    Not { negation: Range<usize>, check: Range<usize> },
    /// The end of an `every`: the block goes on if no element failed. `branch` leaves it otherwise.
    Every { branch: Range<usize> },
    /// Any other use of a value.
    Use { value: Value },
}

impl Kind {
    /// The values that the statement uses, but for what it makes or adds to.
    pub(crate) fn used(&self) -> Vec<Value> {
        match self {
            Kind::Dot { source, key, .. } => [Some(*source), key.value()].into_iter().flatten().collect(),
            Kind::Call { arguments, .. } => arguments.iter().filter_map(Term::value).collect(),
            Kind::Compare { left, right, .. } => [left, right].into_iter().filter_map(Term::value).collect(),
            Kind::Insert { key, member, .. } => key.iter().chain([member]).filter_map(Term::value).collect(),
            Kind::Assign { source, .. } => source.value().into_iter().collect(),
            Kind::Return { value } | Kind::Use { value } => vec![*value],
            Kind::Number { .. } | Kind::Not { .. } | Kind::Every { .. } => Vec::new(),
        }
    }
}
