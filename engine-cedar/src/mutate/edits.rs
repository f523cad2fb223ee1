//! Where a policy's text could have been written a little otherwise: a walk over it as it is written, brackets included.
//!
//! An edit may lead to what does not parse or validate; whoever makes mutants of them leaves those out.

use std::ops::Range;

use cedar_policy::{EntityUid, Policy};
use cedar_policy_core::parser::Node;
use cedar_policy_core::parser::cst::{
    Add, AddOp, And, Annotation, Cond, Expr, ExprData, Ident, Literal, MemAccess, Member, Mult, NegOp, Or,
    PolicyImpl, Primary, RecInit, Ref, RelOp, Relation, Str, Unary, VariableDef,
};
use tribunal_engine_core::engine::Mutation;

use super::edit::Edit;
use super::meaning::Meanings;
use crate::policies::Read;
use crate::schema::DATA;

/// The annotations that make a forbid soft.
const SOFT: [&str; 5] = ["effect", "step_up", "redact", "replacement", "replacement_from"];

/// How many other actions are tried in place of one.
const ACTIONS: usize = 8;

type Written<T> = Node<Option<T>>;

/// Every edit of a policy that could be a mistake, in the order of the text.
pub(super) fn of(read: &Read<'_>, policy: &PolicyImpl, meanings: &Meanings<'_>) -> Vec<Edit> {
    let mut walk = Walk { text: read.text, meanings, edits: Vec::new() };
    walk.effect(&read.policy, policy);
    policy.variables.iter().for_each(|variable| walk.scope(variable));
    policy.conds.iter().for_each(|condition| walk.condition(condition));
    walk.edits.sort_by_key(|edit| edit.at);
    walk.edits
}

struct Walk<'w> {
    text: &'w str,
    meanings: &'w Meanings<'w>,
    edits: Vec<Edit>,
}

impl Walk<'_> {
    fn replace_by(&mut self, mutation: Mutation, range: Range<usize>, replacements: Vec<String>) {
        let (at, context) = (range.start, range.clone());
        self.edits.push(Edit { mutation, at, range, replacements, context });
    }

    fn replace(&mut self, mutation: Mutation, range: Range<usize>, replacement: impl Into<String>) {
        self.replace_by(mutation, range, vec![replacement.into()]);
    }

    /// Replaces a part of something that is short enough to be shown as a whole.
    fn replace_within(
        &mut self,
        mutation: Mutation,
        context: Range<usize>,
        range: Range<usize>,
        replacement: impl Into<String>,
    ) {
        let at = range.start;
        self.edits.push(Edit { mutation, at, range, replacements: vec![replacement.into()], context });
    }

    /// Leaves a part out, with what separates it from others.
    fn leave_out(&mut self, mutation: Mutation, part: Range<usize>, with_separator: Range<usize>) {
        self.edits.push(Edit {
            mutation,
            at: part.start,
            range: with_separator,
            replacements: vec![String::new()],
            context: part,
        });
    }

    fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).map_or("", |text| text)
    }

    /// Permits and plain forbids for each other, soft forbids for plain ones.
    fn effect(&mut self, read: &Policy, policy: &PolicyImpl) {
        let Some(effect) = span(&policy.effect) else { return };
        let soft: Vec<Range<usize>> =
            policy.annotations.iter().filter(|annotation| is_soft(annotation)).filter_map(span).collect();
        if let Some(first) = soft.first() {
            // From there on, what is not soft stays.
            let kept = policy.annotations.iter().filter(|annotation| !is_soft(annotation)).filter_map(span);
            let kept: String = kept
                .filter(|kept| kept.start > first.start)
                .map(|kept| format!("{}\n", self.slice(kept)))
                .collect();
            self.replace(Mutation::FlipEffect, first.start..effect.start, kept);
        } else if read.effect() == cedar_policy::Effect::Permit {
            self.replace(Mutation::FlipEffect, effect, "forbid");
        } else {
            self.replace(Mutation::FlipEffect, effect, "permit");
        }
    }

    fn scope(&mut self, definition: &Written<VariableDef>) {
        let Some(VariableDef { variable, entity_type, ineq, .. }) = &definition.node else { return };
        let Some(variable) = span(variable) else { return };
        let of_type = entity_type.as_ref().and_then(span);
        if let Some(of_type) = &of_type {
            let range = variable.end..of_type.end;
            self.leave_out(Mutation::DropCondition, trimmed(self.text, range.clone()), range);
        }
        if let Some((operator, entity)) = ineq
            && let Some(written) = span(entity)
        {
            let start = of_type.map_or(variable.end, |of_type| of_type.end);
            let range = start..written.end;
            self.leave_out(Mutation::DropCondition, trimmed(self.text, range), start..written.end);
            // A scope has no other operators.
            if let Some(token) = token(self.text, start..written.start)
                && self.can_have_members(sole_primary(entity))
            {
                let other = if *operator == RelOp::In { "==" } else { "in" };
                self.replace_within(Mutation::SwapOperator, variable.start..written.end, token, other);
            }
            self.expression(entity);
        }
    }

    fn condition(&mut self, condition: &Written<Cond>) {
        let (Some(whole), Some(Cond { cond, expr })) = (span(condition), &condition.node) else { return };
        self.leave_out(Mutation::DropCondition, whole.clone(), whole.clone());
        if let Some(keyword) = span(cond) {
            let other = if cond.node == Some(Ident::Unless) { "when" } else { "unless" };
            self.replace_within(Mutation::SwapOperator, whole, keyword, other);
        }
        if let Some(expression) = expr {
            self.expression(expression);
        }
    }

    fn expression(&mut self, expression: &Written<Expr>) {
        let Some(Expr::Expr(written)) = &expression.node else { return };
        match &*written.expr {
            ExprData::Or(or) => self.or(or),
            ExprData::If(test, then, otherwise) => {
                if let (Some(whole), Some(then)) = (span(expression), span(then)) {
                    let taken = format!("({})", self.slice(then));
                    self.replace(Mutation::DropCondition, whole, taken);
                }
                [test, then, otherwise].into_iter().for_each(|part| self.expression(part));
            }
        }
    }

    fn or(&mut self, or: &Written<Or>) {
        let Some(Or { initial, extended }) = &or.node else { return };
        let operands: Vec<&Written<And>> = [initial].into_iter().chain(extended).collect();
        self.operands(&operands, "&&");
        operands.into_iter().for_each(|operand| self.and(operand));
    }

    fn and(&mut self, and: &Written<And>) {
        let Some(And { initial, extended }) = &and.node else { return };
        let operands: Vec<&Written<Relation>> = [initial].into_iter().chain(extended).collect();
        self.operands(&operands, "||");
        operands.into_iter().for_each(|operand| self.relation(operand));
    }

    /// Leaves each operand out, and puts another operator before each but the first.
    fn operands<T>(&mut self, operands: &[&Written<T>], other: &str) {
        let spans: Vec<Range<usize>> = operands.iter().filter_map(|operand| span(operand)).collect();
        self.leave_out_each(Mutation::DropCondition, &spans);
        for (left, right) in spans.iter().zip(spans.iter().skip(1)) {
            if let Some(token) = token(self.text, left.end..right.start) {
                self.replace_within(Mutation::SwapOperator, left.start..right.end, token, other);
            }
        }
    }

    /// Leaves each of several parts out, with one separator; one alone stays.
    fn leave_out_each(&mut self, mutation: Mutation, parts: &[Range<usize>]) {
        if let [first, second, ..] = parts {
            self.leave_out(mutation, first.clone(), first.start..second.start);
        }
        for (before, part) in parts.iter().zip(parts.iter().skip(1)) {
            self.leave_out(mutation, part.clone(), before.end..part.end);
        }
    }

    fn relation(&mut self, relation: &Written<Relation>) {
        let (Some(whole), Some(written)) = (span(relation), &relation.node) else { return };
        match written {
            Relation::Common { initial, extended } => {
                self.sum(initial);
                // Cedar has no chains of them.
                if let [(operator, right)] = extended.as_slice() {
                    if let (Some(left), Some(end)) = (span(initial), span(right))
                        && let Some(token) = token(self.text, left.end..end.start)
                    {
                        for other in neighbours(*operator) {
                            let membership = *operator == RelOp::In || *other == "in";
                            if !membership || self.can_have_members(sole_of_sum(right)) {
                                self.replace_within(
                                    Mutation::SwapOperator,
                                    whole.clone(),
                                    token.clone(),
                                    *other,
                                );
                            }
                        }
                    }
                    self.sum(right);
                }
            }
            // Its right side is a name.
            Relation::Has { target, .. } => self.sum(target),
            Relation::Like { target, pattern } => {
                self.sum(target);
                if let Some(Primary::Literal(literal)) = sole_of_sum(pattern)
                    && let Some(Literal::Str(text)) = &literal.node
                    && let Some(pattern) = span(text)
                {
                    self.pattern(pattern);
                }
            }
            Relation::IsIn { target, entity_type, in_entity } => {
                self.sum(target);
                if let (Some(target), Some(of_type), Some(entity)) =
                    (span(target), span(entity_type), in_entity)
                    && let Some(end) = span(entity).map(|entity| entity.end)
                {
                    let (is, within) = (target.end..of_type.end, of_type.end..end);
                    self.leave_out(Mutation::DropCondition, trimmed(self.text, is.clone()), is);
                    self.leave_out(Mutation::DropCondition, trimmed(self.text, within.clone()), within);
                    self.sum(entity);
                }
            }
        }
    }

    /// Whether `in` could be another thing than `==`, as far as an entity that is written out tells.
    fn can_have_members(&self, right: Option<&Primary>) -> bool {
        match right {
            Some(Primary::EList(_)) => false,
            // Nothing can be in what requests name: a pack where it could is refused.
            Some(Primary::Name(name)) => !name.node.as_ref().is_some_and(|name| {
                name.path.is_empty() && matches!(name.name.node, Some(Ident::Principal | Ident::Resource))
            }),
            Some(Primary::Ref(entity)) => {
                span(entity).and_then(|span| self.uid(span)).is_none_or(|uid| self.meanings.has_members(&uid))
            }
            _ => true,
        }
    }

    fn uid(&self, span: Range<usize>) -> Option<EntityUid> {
        self.slice(span).parse().ok()
    }

    fn sum(&mut self, sum: &Written<Add>) {
        let (Some(whole), Some(Add { initial, extended })) = (span(sum), &sum.node) else { return };
        self.product(initial);
        let mut end = span(initial).map(|initial| initial.end);
        for (operator, operand) in extended {
            let Some(right) = span(operand) else { continue };
            if let Some(token) = end.and_then(|end| token(self.text, end..right.start)) {
                let other = if *operator == AddOp::Plus { "-" } else { "+" };
                self.replace_within(Mutation::SwapOperator, whole.clone(), token, other);
            }
            self.product(operand);
            end = Some(right.end);
        }
    }

    fn product(&mut self, product: &Written<Mult>) {
        let Some(Mult { initial, extended }) = &product.node else { return };
        self.unary(initial);
        extended.iter().for_each(|(_, operand)| self.unary(operand));
    }

    fn unary(&mut self, unary: &Written<Unary>) {
        let (Some(whole), Some(Unary { op, item })) = (span(unary), &unary.node) else { return };
        match op {
            Some(NegOp::Bang(_) | NegOp::OverBang) => {
                let sign = whole.start..whole.start + 1;
                self.replace_within(Mutation::DropNot, whole, sign, "");
            }
            Some(NegOp::Dash(1)) => {
                if let Some(number) = sole_number(item) {
                    return self.number(whole, -i128::from(number));
                }
            }
            _ => {}
        }
        self.member(item);
    }

    fn number(&mut self, range: Range<usize>, number: i128) {
        let one_off = [number + 1, number - 1];
        for number in one_off.into_iter().filter_map(|number| i64::try_from(number).ok()) {
            self.replace(Mutation::OffByOne, range.clone(), number.to_string());
        }
    }

    fn member(&mut self, member: &Written<Member>) {
        let Some(Member { item, access }) = &member.node else { return };
        match (&item.node, access.first().and_then(|access| access.node.as_ref())) {
            // An extension's value, as `decimal("1.5")`.
            (Some(Primary::Name(_)), Some(MemAccess::Call(arguments))) => {
                for argument in arguments {
                    match sole_primary(argument) {
                        Some(Primary::Literal(literal)) => self.extension_literal(literal),
                        _ => self.expression(argument),
                    }
                }
            }
            // An attribute of an entity: another entity would not have it.
            (Some(Primary::Ref(_)), Some(_)) => {}
            (Some(primary), _) => self.primary(primary),
            (None, _) => {}
        }
        for (name, call) in access.iter().zip(access.iter().skip(1)) {
            let (Some(MemAccess::Field(name)), Some(MemAccess::Call(arguments))) = (&name.node, &call.node)
            else {
                continue;
            };
            if let Some(range) = span(name) {
                for other in methods(self.slice(range.clone())) {
                    self.replace(Mutation::SwapOperator, range.clone(), *other);
                }
            }
            arguments.iter().for_each(|argument| self.expression(argument));
        }
    }

    fn primary(&mut self, primary: &Primary) {
        match primary {
            Primary::Literal(literal) => self.literal(literal),
            Primary::Ref(entity) => self.entity(entity),
            Primary::Expr(expression) => self.expression(expression),
            Primary::EList(elements) => {
                let spans: Vec<Range<usize>> = elements.iter().filter_map(span).collect();
                self.leave_out_each(Mutation::RemoveMember, &spans);
                elements.iter().for_each(|element| self.expression(element));
            }
            Primary::RInits(members) => {
                let spans: Vec<Range<usize>> = members.iter().filter_map(span).collect();
                self.leave_out_each(Mutation::RemoveMember, &spans);
                for RecInit(_, value) in members.iter().filter_map(|member| member.node.as_ref()) {
                    self.expression(value);
                }
            }
            Primary::Name(_) | Primary::Slot(_) => {}
        }
    }

    fn literal(&mut self, literal: &Written<Literal>) {
        let (Some(range), Some(written)) = (span(literal), &literal.node) else { return };
        match written {
            Literal::True => self.replace(Mutation::ChangeLiteral, range, "false"),
            Literal::False => self.replace(Mutation::ChangeLiteral, range, "true"),
            Literal::Num(number) => self.number(range, i128::from(*number)),
            Literal::Str(text) => self.quoted(text, range),
        }
    }

    /// Changes a text in quotes; `context` is what the change is shown with.
    fn quoted(&mut self, text: &Written<Str>, context: Range<usize>) {
        let Some(inside) = span(text).map(within_quotes) else { return };
        let replacements = other_texts(self.slice(inside.clone()));
        self.edits.push(Edit {
            mutation: Mutation::ChangeLiteral,
            at: context.start,
            range: inside,
            replacements,
            context,
        });
    }

    fn entity(&mut self, entity: &Written<Ref>) {
        let (Some(range), Some(Ref::Uid { eid, .. })) = (span(entity), &entity.node) else { return };
        let Some(uid) = self.uid(range.clone()) else { return };
        if uid.type_name().to_string() == DATA {
            return;
        }
        let actions: Vec<String> = self.meanings.other_actions(&uid).into_iter().take(ACTIONS).collect();
        if actions.is_empty() {
            self.quoted(eid, range);
        } else {
            self.replace_by(Mutation::ChangeLiteral, range, actions);
        }
    }

    /// Changes the last digit, so that the text stays one of its kind.
    fn extension_literal(&mut self, literal: &Written<Literal>) {
        let Some(Literal::Str(text)) = &literal.node else { return };
        let Some(quoted) = span(text) else { return };
        let inside = within_quotes(quoted.clone());
        let written = self.slice(inside.clone());
        let mut replacements = Vec::new();
        if let Some((start, digit)) = written.char_indices().rfind(|(_, c)| c.is_ascii_digit())
            && let (Some(before), Some(after)) = (written.get(..start), written.get(start + 1..))
            && let Some(digit) = digit.to_digit(10)
        {
            let digits = [(digit + 1) % 10, (digit + 9) % 10];
            replacements.extend(digits.map(|digit| format!("{before}{digit}{after}")));
        }
        self.edits.push(Edit {
            mutation: Mutation::ChangeLiteral,
            at: quoted.start,
            range: inside,
            replacements,
            context: quoted,
        });
    }

    /// Adds a `*` at the ends that have none, and removes each that is there.
    fn pattern(&mut self, quoted: Range<usize>) {
        let inside = within_quotes(quoted.clone());
        let stars = stars(self.slice(inside.clone()));
        let mut change = |range: Range<usize>, replacement: &str| {
            let range = inside.start + range.start..inside.start + range.end;
            self.replace_within(Mutation::ChangePattern, quoted.clone(), range, replacement);
        };
        let length = inside.len();
        if stars.first() != Some(&0) {
            change(0..0, "*");
        }
        for star in &stars {
            change(*star..star + 1, "");
        }
        if stars.last().is_none_or(|last| last + 1 != length) {
            change(length..length, "*");
        }
    }
}

fn is_soft(annotation: &Written<Annotation>) -> bool {
    let key = annotation.node.as_ref().and_then(|annotation| annotation.key.node.as_ref());
    matches!(key, Some(Ident::Ident(name)) if SOFT.contains(&name.as_str()))
}

/// The operators that are mistaken for one. A scope, which has two, is no place for these.
fn neighbours(operator: RelOp) -> &'static [&'static str] {
    match operator {
        RelOp::Eq => &["!=", "in"],
        RelOp::NotEq | RelOp::In => &["=="],
        RelOp::Less => &["<=", ">"],
        RelOp::LessEq => &["<", ">="],
        RelOp::Greater => &[">=", "<"],
        RelOp::GreaterEq => &[">", "<="],
        RelOp::InvalidSingleEq => &[],
    }
}

/// The methods that are mistaken for one.
fn methods(name: &str) -> &'static [&'static str] {
    match name {
        "contains" => &["containsAll", "containsAny"],
        "containsAll" => &["containsAny", "contains"],
        "containsAny" => &["containsAll", "contains"],
        "lessThan" => &["lessThanOrEqual", "greaterThan"],
        "lessThanOrEqual" => &["lessThan", "greaterThanOrEqual"],
        "greaterThan" => &["greaterThanOrEqual", "lessThan"],
        "greaterThanOrEqual" => &["greaterThan", "lessThanOrEqual"],
        "isIpv4" => &["isIpv6"],
        "isIpv6" => &["isIpv4"],
        "isLoopback" => &["isMulticast"],
        "isMulticast" => &["isLoopback"],
        _ => &[],
    }
}

/// Where a node stands in the file.
fn span<T>(node: &Written<T>) -> Option<Range<usize>> {
    node.loc().map(|loc| loc.start()..loc.end())
}

/// A range without the white space at its beginning.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = text.get(range.clone()).map_or("", |part| part);
    range.end - part.trim_start().len()..range.end
}

fn within_quotes(quoted: Range<usize>) -> Range<usize> {
    quoted.start + 1..quoted.end.saturating_sub(1).max(quoted.start + 1)
}

/// The one token between two nodes, which comments may surround.
fn token(text: &str, between: Range<usize>) -> Option<Range<usize>> {
    let mut rest = text.get(between.clone())?;
    loop {
        rest = rest.trim_start();
        match rest.strip_prefix("//") {
            Some(comment) => rest = comment.get(comment.find(['\n', '\r'])?..)?,
            None => break,
        }
    }
    let start = between.end - rest.len();
    let length = rest.find(|c: char| c.is_whitespace() || c == '/').map_or(rest.len(), |end| end);
    (length > 0).then_some(start..start + length)
}

/// Other texts than this one, as they are written between quotes: the last character another one, or one more. The last may
/// belong to an escape, which the first then breaks.
fn other_texts(written: &str) -> Vec<String> {
    let mut others = Vec::new();
    if let Some((start, last)) = written.char_indices().next_back()
        && let Some(before) = written.get(..start)
    {
        others.push(format!("{before}{}", if last == 'x' { 'y' } else { 'x' }));
    }
    others.push(format!("{written}x"));
    others
}

/// Where the wildcards of a pattern stand, as it is written.
fn stars(pattern: &str) -> Vec<usize> {
    let mut stars = Vec::new();
    let mut escaped = false;
    for (at, c) in pattern.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '*' => stars.push(at),
            _ => {}
        }
    }
    stars
}

/// What an expression is that is nothing but this.
fn sole_primary(expression: &Written<Expr>) -> Option<&Primary> {
    let Expr::Expr(written) = expression.node.as_ref()?;
    let ExprData::Or(or) = &*written.expr else { return None };
    let Or { initial, extended } = or.node.as_ref()?;
    let And { initial: relation, extended: relations } = initial.node.as_ref()?;
    let Relation::Common { initial: sum, extended: sums } = relation.node.as_ref()? else { return None };
    let alone = extended.is_empty() && relations.is_empty() && sums.is_empty();
    if alone { sole_of_sum(sum) } else { None }
}

fn sole_of_sum(sum: &Written<Add>) -> Option<&Primary> {
    let Add { initial, extended } = sum.node.as_ref()?;
    let Mult { initial: unary, extended: factors } = initial.node.as_ref()?;
    let Unary { op, item } = unary.node.as_ref()?;
    let Member { item: primary, access } = item.node.as_ref()?;
    let alone = extended.is_empty() && factors.is_empty() && op.is_none() && access.is_empty();
    if alone { primary.node.as_ref() } else { None }
}

fn sole_number(member: &Written<Member>) -> Option<u64> {
    let Member { item, access } = member.node.as_ref()?;
    match item.node.as_ref()? {
        Primary::Literal(literal) if access.is_empty() => match literal.node.as_ref()? {
            Literal::Num(number) => Some(*number),
            _ => None,
        },
        _ => None,
    }
}
