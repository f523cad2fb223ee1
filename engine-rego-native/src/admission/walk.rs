//! The way through a rule: every statement and expression once, with the variables known there.

use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Query, Rule, RuleAssign, RuleHead};

use super::expression::{Step, each_part, reference};
use super::scope::Scopes;

/// Where an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// It is a statement of its own.
    Statement,
    /// It is what a statement negates.
    Negated,
    /// Its value is used.
    Operand,
}

/// What looks at the parts of a rule.
pub(crate) trait Visitor<'m> {
    /// An expression. A reference comes as a whole, then its indices.
    fn expression(&mut self, expr: &'m Expr, position: Position, scopes: &Scopes<'m>);
    /// A pattern that values are taken apart by.
    fn pattern(&mut self, pattern: &'m Expr, scopes: &Scopes<'m>);
    /// A statement, before its expressions.
    fn statement(&mut self, statement: &'m LiteralStmt, scopes: &Scopes<'m>);
}

/// Goes through a rule.
pub(crate) fn rule<'m>(rule: &'m Rule, scopes: &mut Scopes<'m>, visitor: &mut impl Visitor<'m>) {
    match rule {
        Rule::Default { value, args, .. } => {
            scopes.enter_patterns(args.iter().map(AsRef::as_ref));
            expression(value, Position::Operand, scopes, visitor);
            scopes.leave();
        }
        Rule::Spec { head, bodies, .. } => {
            let (refr, args, key, assign) = match head {
                RuleHead::Compr { refr, assign, .. } => (refr, &[][..], None, assign.as_ref()),
                RuleHead::Set { refr, key, .. } => (refr, &[][..], key.as_ref(), None),
                RuleHead::Func { refr, args, assign, .. } => (refr, args.as_slice(), None, assign.as_ref()),
            };
            scopes.enter_patterns(args.iter().map(AsRef::as_ref));
            args.iter().for_each(|pattern| visitor.pattern(pattern, scopes));
            let head_values = |scopes: &mut Scopes<'m>, visitor: &mut _| {
                indices(refr, scopes, visitor);
                key.into_iter().for_each(|key| expression(key, Position::Operand, scopes, visitor));
                assign.into_iter().for_each(|RuleAssign { value, .. }| {
                    expression(value, Position::Operand, scopes, visitor)
                });
            };
            if bodies.is_empty() {
                head_values(scopes, visitor);
            }
            for body in bodies {
                scopes.enter_query(&body.query);
                // An `else` has a value of its own.
                if !body.is_else {
                    head_values(scopes, visitor);
                }
                body.assign
                    .iter()
                    .for_each(|assign| expression(&assign.value, Position::Operand, scopes, visitor));
                statements(&body.query, scopes, visitor);
                scopes.leave();
            }
            scopes.leave();
        }
    }
}

fn statements<'m>(query: &'m Query, scopes: &mut Scopes<'m>, visitor: &mut impl Visitor<'m>) {
    for statement in &query.stmts {
        visitor.statement(statement, scopes);
        for modifier in &statement.with_mods {
            expression(&modifier.r#as, Position::Operand, scopes, visitor);
        }
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { key, value, collection, .. } => {
                key.iter().chain([value]).for_each(|pattern| visitor.pattern(pattern, scopes));
                for expr in key.iter().chain([value, collection]) {
                    expression(expr, Position::Operand, scopes, visitor);
                }
            }
            Literal::Expr { expr, .. } => expression(expr, Position::Statement, scopes, visitor),
            Literal::NotExpr { expr, .. } => expression(expr, Position::Negated, scopes, visitor),
            Literal::Every { key, value, domain, query, .. } => {
                expression(domain, Position::Operand, scopes, visitor);
                scopes.enter_names(key.iter().chain([value]).map(|name| name.text()));
                nested(query, &[], scopes, visitor);
                scopes.leave();
            }
        }
    }
}

/// A body inside an expression, with the terms that its variables reach.
fn nested<'m>(query: &'m Query, terms: &[&'m Expr], scopes: &mut Scopes<'m>, visitor: &mut impl Visitor<'m>) {
    scopes.enter_query(query);
    for term in terms {
        expression(term, Position::Operand, scopes, visitor);
    }
    statements(query, scopes, visitor);
    scopes.leave();
}

fn indices<'m>(expr: &'m Expr, scopes: &mut Scopes<'m>, visitor: &mut impl Visitor<'m>) {
    for step in reference(expr).steps {
        if let Step::Index(index) = step {
            expression(index, Position::Operand, scopes, visitor);
        }
    }
}

fn expression<'m>(
    expr: &'m Expr,
    position: Position,
    scopes: &mut Scopes<'m>,
    visitor: &mut impl Visitor<'m>,
) {
    visitor.expression(expr, position, scopes);
    match expr {
        Expr::AssignExpr { op: AssignOp::ColEq, lhs, .. } => visitor.pattern(lhs, scopes),
        Expr::AssignExpr { op: AssignOp::Eq, lhs, rhs, .. } => {
            visitor.pattern(lhs, scopes);
            visitor.pattern(rhs, scopes);
        }
        _ => {}
    }
    match expr {
        Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
            nested(query, &[term], scopes, visitor)
        }
        Expr::ObjectCompr { key, value, query, .. } => nested(query, &[key, value], scopes, visitor),
        expr => each_part(expr, &mut |part| expression(part, Position::Operand, scopes, visitor)),
    }
}
