//! Texts that a policy puts together from its own text and the pack's data: what it then looks for is neither of the pieces.

use regorus::unstable::{Expr, Ref};
use serde_json::Value as Json;

use super::flow::{Flows, Part, text};
use super::program::Home;
use crate::admission::calls::Callee;
use crate::admission::scope::Scopes;

/// What is known of texts before the first request.
pub(crate) struct Constants<'r, 'p, 'm> {
    pub(crate) flows: &'r Flows<'p, 'm>,
    /// The pack's data.
    pub(crate) data: &'r Json,
}

impl<'m> Constants<'_, '_, 'm> {
    /// The text that an expression is, if it is the same for every request.
    pub(crate) fn text(&self, home: Home, expr: &'m Expr) -> Option<String> {
        /// Texts inside texts.
        const DEPTH: usize = 16;
        self.of(home, expr, DEPTH)
    }

    fn of(&self, home: Home, expr: &'m Expr, depth: usize) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        match expr {
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                if let Some(text) = self.of_data(home, expr) {
                    return Some(text);
                }
                let flow = self.flows.of(home, expr);
                let mut wholes = flow.terms.iter().filter(|term| term.part != Part::Piece);
                match (wholes.next(), wholes.next(), flow.origins.is_empty()) {
                    (Some(term), None, true) => self.of(term.home, term.expr, depth),
                    _ => None,
                }
            }
            Expr::Call { fcn, params, .. } => match (self.flows.callee(home, fcn)?, params.as_slice()) {
                (Callee::Builtin(name), [separator, items]) if name == "concat" => {
                    let Expr::Array { items, .. } = items.as_ref() else { return None };
                    let all: Option<Vec<String>> =
                        items.iter().map(|item: &Ref<Expr>| self.of(home, item, depth)).collect();
                    Some(all?.join(&self.of(home, separator, depth)?))
                }
                _ => None,
            },
            expr => text(expr).map(str::to_owned),
        }
    }

    fn of_data(&self, home: Home, expr: &'m Expr) -> Option<String> {
        let definition = self.flows.program.definition(home)?;
        let scopes = Scopes::new(definition.module, self.flows.program.symbols);
        let target = scopes.data_path(expr).filter(|target| target.exact)?;
        let value = target.path.iter().try_fold(self.data, |value, name| value.get(name))?;
        value.as_str().map(str::to_owned)
    }
}
