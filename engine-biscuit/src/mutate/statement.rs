//! Mistakes inside one statement.

use std::ops::Range;

use biscuit_auth::builder::{Check, CheckKind, Policy, PolicyKind};
use tribunal_engine_core::contract::DecisionEffect;
use tribunal_engine_core::engine::Mutation;

use super::{Edit, order, pattern};
use crate::convert::REQUEST;
use crate::lexeme::{Kind, Layout, Lexeme, Lexemes};
use crate::program::Answers;
use crate::syntax::{Item, Statement};

/// Operators and methods, each with those that are easily written in its place.
const NEIGHBOURS: [(&str, &[&str]); 14] = [
    ("===", &["!=="]),
    ("!==", &["==="]),
    ("==", &["!="]),
    ("!=", &["=="]),
    ("<", &["<=", ">"]),
    ("<=", &["<", ">="]),
    (">", &[">=", "<"]),
    (">=", &[">", "<="]),
    ("&&", &["||"]),
    ("||", &["&&"]),
    ("starts_with", &["ends_with"]),
    ("ends_with", &["starts_with"]),
    ("any", &["all"]),
    ("all", &["any"]),
];

/// The edits of a statement of this file.
pub(super) fn edits(statement: &Statement, text: &str, edits: &mut Vec<Edit>) {
    let layout = Layout::of(statement, text);
    let mut sentence = Sentence { statement, text, layout: &layout, edits };
    sentence.effect();
    sentence.itself();
    sentence.conditions();
    // What an answer says is held against nothing.
    let head = match &statement.item {
        Item::Rule(rule) if Answers::of(&rule.head.name).is_some() => None,
        Item::Fact(fact) if Answers::of(&fact.predicate.name).is_some() => None,
        _ => Some(&layout.head),
    };
    for range in head.into_iter().chain(layout.conditions()) {
        sentence.members(range);
        for index in range.clone() {
            sentence.lexeme(index);
        }
    }
}

struct Sentence<'s> {
    statement: &'s Statement,
    text: &'s str,
    layout: &'s Layout<'s>,
    edits: &'s mut Vec<Edit>,
}

impl<'s> Sentence<'s> {
    fn lexemes(&self) -> &'s Lexemes<'s> {
        &self.layout.lexemes
    }

    fn add(&mut self, mutation: Mutation, span: Range<usize>, with: impl Into<String>) {
        let rule = Some(self.statement.name.clone());
        self.edits.push(Edit::new(mutation, rule, span, with));
    }

    /// The text of a range of lexemes.
    fn written(&self, range: &Range<usize>) -> &'s str {
        self.text.get(self.lexemes().span(range)).unwrap_or("")
    }

    /// Another effect.
    fn effect(&mut self) {
        let keyword = self.layout.keyword.clone();
        match &self.statement.item {
            Item::Policy(Policy { kind: PolicyKind::Allow, .. }) => {
                self.add(Mutation::FlipEffect, keyword, "deny if");
            }
            Item::Policy(Policy { kind: PolicyKind::Deny, .. }) => {
                self.add(Mutation::FlipEffect, keyword, "allow if");
            }
            Item::Check(check) => self.check(check, keyword),
            Item::Fact(_) | Item::Rule(_) => {
                let stated = self.lexemes().all().get(self.layout.head.clone()).unwrap_or(&[]);
                if let [name, _, effect, _] = stated
                    && Answers::of(name.text) == Some(Answers::Effect)
                    && effect.kind == Kind::Text
                {
                    let others = DecisionEffect::ALL.map(DecisionEffect::as_str);
                    for other in others.into_iter().filter(|other| *other != effect.unescaped()) {
                        self.add(Mutation::FlipEffect, effect.span(), format!("\"{other}\""));
                    }
                }
            }
        }
    }

    /// `check if` and `check all`. They are the same where at most one combination of facts can match.
    fn check(&mut self, check: &Check, keyword: Range<usize>) {
        let request = |name: &str| REQUEST.iter().any(|(known, _)| *known == name);
        let differ = check.queries.iter().any(|query| {
            !query.expressions.is_empty() && query.body.iter().any(|predicate| !request(&predicate.name))
        });
        match check.kind {
            CheckKind::One if differ => self.add(Mutation::SwapOperator, keyword, "check all"),
            CheckKind::All if differ => self.add(Mutation::SwapOperator, keyword, "check if"),
            CheckKind::One | CheckKind::All | CheckKind::Reject => {}
        }
    }

    /// The whole statement left out: a check, or one of the facts that make up a table.
    fn itself(&mut self) {
        let mutation = match &self.statement.item {
            Item::Check(_) => Mutation::DropCondition,
            Item::Fact(fact) if Answers::of(&fact.predicate.name).is_none() => Mutation::RemoveMember,
            Item::Fact(_) | Item::Rule(_) | Item::Policy(_) => return,
        };
        let (end, _) = order::end(self.statement, self.text);
        self.add(mutation, self.statement.span.start..end, "");
    }

    fn conditions(&mut self) {
        let bodies: Vec<Range<usize>> = self.layout.bodies.iter().map(|body| body.whole.clone()).collect();
        self.each_dropped(Mutation::DropCondition, &bodies, |_| true);
        // A check that holds whatever is asked is one left out.
        let vacuous =
            matches!(&self.statement.item, Item::Check(Check { kind: CheckKind::One | CheckKind::All, .. }));
        for body in &self.layout.bodies {
            let matters = |condition: &Range<usize>| !self.holds_always(condition);
            match body.conditions.as_slice() {
                [condition] if !vacuous && matters(condition) => {
                    let span = self.lexemes().span(condition);
                    self.add(Mutation::DropCondition, span, "true");
                }
                conditions => {
                    let matter: Vec<bool> = conditions.iter().map(matters).collect();
                    self.each_dropped(Mutation::DropCondition, conditions, |index| {
                        matter.get(index) == Some(&true)
                    });
                }
            }
            for condition in &body.conditions {
                self.operands(condition);
                for (_, group) in self.lexemes().groups(condition.clone()) {
                    for part in self.lexemes().parts(group, ",") {
                        let closure =
                            self.lexemes().get(part.start + 1).is_some_and(|lexeme| lexeme.is("->"));
                        self.operands(&(part.start + if closure { 2 } else { 0 }..part.end));
                    }
                }
            }
        }
    }

    /// One operand of `||` or `&&` left out.
    fn operands(&mut self, range: &Range<usize>) {
        let alternatives = self.lexemes().parts(range.clone(), "||");
        self.each_dropped(Mutation::DropCondition, &alternatives, |_| true);
        for alternative in alternatives {
            let conditions = self.lexemes().parts(alternative, "&&");
            self.each_dropped(Mutation::DropCondition, &conditions, |_| true);
        }
    }

    /// Whether a condition plainly holds: `true`, or a fact that every request states and that nothing else looks at.
    fn holds_always(&self, condition: &Range<usize>) -> bool {
        if self.lexemes().says(condition, "true") {
            return true;
        }
        let written = self.lexemes().all().get(condition.clone()).unwrap_or(&[]);
        let [name, _, variable, _] = written else { return false };
        variable.kind == Kind::Variable
            && ["request", "derived", "data", "time"].iter().any(|known| name.is(known))
            && self.lexemes().all().iter().filter(|lexeme| lexeme.text == variable.text).count() == 1
    }

    /// One of several parts left out, with the separator before it, or after it for the first.
    fn each_dropped(&mut self, mutation: Mutation, parts: &[Range<usize>], matters: impl Fn(usize) -> bool) {
        let spans: Vec<Range<usize>> = parts.iter().map(|part| self.lexemes().span(part)).collect();
        let mut drop = |dropped: &Range<usize>, span: Range<usize>| {
            let rule = Some(self.statement.name.clone());
            self.edits.push(Edit { named: dropped.clone(), ..Edit::new(mutation, rule, span, "") });
        };
        if let [first, second, ..] = spans.as_slice()
            && matters(0)
        {
            drop(first, first.start..second.start);
        }
        for (index, pair) in spans.windows(2).enumerate() {
            if let [before, dropped] = pair
                && matters(index + 1)
            {
                drop(dropped, before.end..dropped.end);
            }
        }
    }

    /// One member of a list, set or map left out.
    fn members(&mut self, range: &Range<usize>) {
        for (bracket, group) in self.lexemes().groups(range.clone()) {
            if bracket == "(" {
                continue;
            }
            let members = self.lexemes().parts(group, ",");
            match members.as_slice() {
                [only] => {
                    // An empty set is `{,}`; `{}` is an empty map.
                    let set = bracket == "{" && self.lexemes().parts(only.clone(), ":").len() == 1;
                    let span = self.lexemes().span(only);
                    if !self.lexemes().says(only, ",") {
                        self.add(Mutation::RemoveMember, span, if set { "," } else { "" });
                    }
                }
                members => {
                    let texts: Vec<&str> = members.iter().map(|member| self.written(member)).collect();
                    let once = |index: usize| {
                        texts.iter().filter(|text| texts.get(index) == Some(*text)).count() == 1
                    };
                    self.each_dropped(Mutation::RemoveMember, members, once);
                }
            }
        }
    }

    /// Another operator, number, text or pattern.
    fn lexeme(&mut self, index: usize) {
        let Some(lexeme) = self.lexemes().get(index) else { return };
        match lexeme.kind {
            Kind::Integer => {
                let Ok(number) = lexeme.text.parse::<i64>() else { return };
                for other in [number.checked_sub(1), number.checked_add(1)].into_iter().flatten() {
                    self.add(Mutation::OffByOne, lexeme.span(), other.to_string());
                }
            }
            Kind::Text => self.string(index, lexeme),
            Kind::Symbol if lexeme.text == "!" => self.add(Mutation::DropNot, lexeme.span(), ""),
            Kind::Symbol | Kind::Word => {
                let method = self.lexemes().before(index, 1).is_some_and(|before| before.is("."));
                if method || lexeme.kind == Kind::Symbol {
                    let known = NEIGHBOURS.iter().find(|(known, _)| *known == lexeme.text);
                    for other in known.into_iter().flat_map(|(_, others)| *others) {
                        self.add(Mutation::SwapOperator, lexeme.span(), *other);
                    }
                }
            }
            Kind::Date | Kind::Variable => {}
        }
    }

    /// The name of a member or of a type is no text that the request is held against.
    fn string(&mut self, index: usize, lexeme: &Lexeme<'s>) {
        match self.lexemes().method(index) {
            Some("get") => {}
            Some("matches") => {
                for (span, with) in pattern::edits(&lexeme.characters(), self.text) {
                    self.add(Mutation::ChangePattern, span, with);
                }
            }
            _ if self.lexemes().before(index, 4).is_some_and(|method| method.is("type")) => {}
            _ => {
                let (span, with) = match lexeme.characters().pop() {
                    Some((c, span)) => (span, other(c)),
                    None => (lexeme.start + 1..lexeme.start + 1, 'x'),
                };
                // The whole text is replaced, so that it is shown.
                let kept = self.text.get(lexeme.start..span.start).unwrap_or("");
                self.add(Mutation::ChangeLiteral, lexeme.span(), format!("{kept}{with}\""));
            }
        }
    }
}

/// Another character of the same kind.
fn other(c: char) -> char {
    match c {
        'z' => 'y',
        'Z' => 'Y',
        '9' => '8',
        c if c.is_ascii_alphanumeric() => char::from_u32(u32::from(c) + 1).unwrap_or('x'),
        _ => 'x',
    }
}
