//! A pack's regular expressions, compiled once.
//!
//! The evaluator compiles a pattern each time it meets it, which costs many times what matching does. So `.matches(…)` of the
//! pack's own statements becomes a call to a function that has them all, compiled as the evaluator would. Nobody else can call
//! it: a pack or a token that names a function of the host's is refused before this.

use std::collections::HashMap;
use std::sync::Arc;

use biscuit_auth::builder::{Binary, Expression, Op, Rule, Term};
use biscuit_auth::datalog::ExternFunc;
use regex::Regex;

/// The name of the function.
pub(crate) const MATCHES: &str = "matches";

/// The patterns met so far.
#[derive(Debug, Default)]
pub(crate) struct Patterns(HashMap<String, Regex>);

impl Patterns {
    /// A query with the call in place of each pattern.
    pub(crate) fn replaced(&mut self, query: &Rule) -> Rule {
        let mut query = query.clone();
        for Expression { ops } in &mut query.expressions {
            self.replace(ops);
        }
        query
    }

    fn replace(&mut self, ops: &mut [Op]) {
        let mut pattern: Option<String> = None;
        for op in ops {
            match (&mut *op, pattern.take()) {
                // A pattern is the operation just before, as the lint has made sure.
                (Op::Binary(Binary::Regex), Some(text)) if self.has(&text) => {
                    *op = Op::Binary(Binary::Ffi(MATCHES.to_owned()));
                }
                (Op::Value(Term::Str(text)), _) => pattern = Some(text.clone()),
                (Op::Closure(_, body), _) => self.replace(body),
                _ => {}
            }
        }
    }

    fn has(&mut self, text: &str) -> bool {
        if let (false, Ok(pattern)) = (self.0.contains_key(text), Regex::new(text)) {
            self.0.insert(text.to_owned(), pattern);
        }
        self.0.contains_key(text)
    }

    /// The function, where there are patterns. It is an error where the evaluator's own operation is one: on anything but a text.
    pub(crate) fn function(self) -> Option<ExternFunc> {
        let Self(patterns) = self;
        if patterns.is_empty() {
            return None;
        }
        let matches = move |text: Term, pattern: Option<Term>| match (text, pattern) {
            (Term::Str(text), Some(Term::Str(pattern))) => {
                let pattern =
                    patterns.get(&pattern).ok_or_else(|| "this pattern is none of the pack's".to_owned())?;
                Ok(Term::Bool(pattern.is_match(&text)))
            }
            _ => Err("only a text is matched".to_owned()),
        };
        Some(ExternFunc::new(Arc::new(matches)))
    }
}
