//! What one expression contains: what the evaluator would get wrong in silence, and what makes it slow.

use std::collections::HashSet;

use biscuit_auth::builder::{Binary, Expression, Op, Predicate, Term, Unary};
use regex::RegexBuilder;

/// The size a compiled pattern may have. A token's is compiled anew each time it is evaluated.
const PATTERN_SIZE: usize = 1 << 20;

/// Something that must not stand in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// A pattern that is not a plain text: it could not be checked, and one that does not compile matches nothing.
    PatternNotLiteral,
    /// A pattern that does not compile: the evaluator would take it for one that never matches.
    PatternInvalid(String, String),
    /// A call to a function of the host's. There are none.
    Extern(String),
    /// A variable that nothing binds.
    Unbound(String),
    /// A closure's variable that hides another.
    Shadowed(String),
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Problem::PatternNotLiteral => {
                f.write_str("the pattern of `.matches(…)` must be a text in double quotes")
            }
            Problem::PatternInvalid(pattern, error) => write!(f, "`{pattern}` is not a pattern: {error}"),
            Problem::Extern(name) => write!(f, "there is no function `extern::{name}`"),
            Problem::Unbound(name) => write!(f, "no predicate of this statement binds `${name}`"),
            Problem::Shadowed(name) => write!(f, "the closure's `${name}` hides a variable of the same name"),
        }
    }
}

/// What the expressions of one query contain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// Patterns that are compiled and matched.
    pub(crate) patterns: u64,
    /// `.any(…)` and `.all(…)` inside one another.
    pub(crate) closures: usize,
    /// Operations of the longest expression.
    pub(crate) operations: usize,
    /// Additions: of texts, each makes a longer one.
    pub(crate) additions: usize,
    /// The most elements of a set, array or map written here.
    pub(crate) longest: u64,
    /// What must not stand there.
    pub(crate) problems: Vec<Problem>,
}

/// Surveys the expressions of a query over these predicates.
pub(crate) fn survey(body: &[Predicate], expressions: &[Expression]) -> Survey {
    let mut survey = Survey::default();
    let terms = || body.iter().flat_map(|predicate| &predicate.terms);
    let mut bound: HashSet<&str> = HashSet::new();
    for term in terms() {
        survey.longest = survey.longest.max(longest(term));
        if let Term::Variable(name) = term {
            bound.insert(name);
        }
    }
    for expression in expressions {
        let before = survey.operations;
        let operations = walk(&expression.ops, &mut bound, 0, &mut survey);
        survey.operations = before.max(operations);
    }
    survey
}

fn walk<'o>(ops: &'o [Op], bound: &mut HashSet<&'o str>, depth: usize, survey: &mut Survey) -> usize {
    survey.closures = survey.closures.max(depth);
    let mut operations = ops.len();
    let mut previous = None;
    for op in ops {
        match op {
            Op::Value(Term::Variable(name)) if !bound.contains(name.as_str()) => {
                survey.problems.push(Problem::Unbound(name.clone()));
            }
            Op::Value(term) => survey.longest = survey.longest.max(longest(term)),
            // Operations stand in postfix order: a literal operand on the right is the operation just before.
            Op::Binary(Binary::Regex) => {
                survey.patterns += 1;
                survey.problems.extend(pattern(previous).err());
            }
            Op::Binary(Binary::Add) => survey.additions += 1,
            Op::Unary(Unary::Ffi(name)) | Op::Binary(Binary::Ffi(name)) => {
                survey.problems.push(Problem::Extern(name.clone()));
            }
            Op::Closure(parameters, body) => {
                for name in parameters {
                    if !bound.insert(name) {
                        survey.problems.push(Problem::Shadowed(name.clone()));
                    }
                }
                // `&&`, `||` and `try_or` have closures without parameters: those run at most once.
                let inside = depth + usize::from(!parameters.is_empty());
                operations += walk(body, bound, inside, survey);
                for name in parameters {
                    bound.remove(name.as_str());
                }
            }
            Op::Unary(_) | Op::Binary(_) => {}
        }
        previous = Some(op);
    }
    operations
}

fn pattern(operand: Option<&Op>) -> Result<(), Problem> {
    let Some(Op::Value(Term::Str(pattern))) = operand else { return Err(Problem::PatternNotLiteral) };
    let compiled = RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build();
    compiled.map(drop).map_err(|error| Problem::PatternInvalid(pattern.clone(), one_line(&error.to_string())))
}

/// The last line of a pattern's error says what is wrong; the others draw it.
fn one_line(message: &str) -> String {
    message.lines().last().unwrap_or(message).trim().trim_start_matches("error: ").to_owned()
}

/// The most elements of any set, array or map in a term.
pub(crate) fn longest(term: &Term) -> u64 {
    fn most<'t>(length: usize, inner: impl Iterator<Item = &'t Term>) -> u64 {
        inner.map(longest).fold(length as u64, u64::max)
    }
    match term {
        Term::Set(terms) => most(terms.len(), terms.iter()),
        Term::Array(terms) => most(terms.len(), terms.iter()),
        Term::Map(terms) => most(terms.len(), terms.values()),
        _ => 0,
    }
}
