//! What a policy mentions: the members of the request that its statements read, and the values they hold them against.
//!
//! Expressions are run over what is known of their operands instead of values: where in the request one comes from, or which
//! values stand for it in the text. Variables are followed inside one statement, and to the facts that the pack states.

use std::collections::{BTreeSet, HashMap};

use biscuit_auth::builder::{Binary, Op, Predicate, Rule, Term, Unary};
use jiff::Timestamp;
use serde_json::Value;
use tribunal_engine_core::contract::Pointer;
use tribunal_engine_core::engine::{Form, Literal, RuleVocabulary, Vocabulary};
use tribunal_engine_core::location::Location;
use tribunal_engine_core::pack::InputSchema;

use crate::lexeme::{Kind, Layout, Lexeme};
use crate::program::Answers;
use crate::syntax::{Item, PolicyFile, Statement};

/// The vocabulary of a policy. A fact is no rule of its own: its values are literals of the statements that look them up.
pub(crate) fn of(files: &[PolicyFile<'_>], schema: Option<&InputSchema>) -> Vocabulary {
    let mut facts = HashMap::new();
    for file in files {
        for statement in &file.statements {
            if let Item::Fact(fact) = &statement.item {
                let mut places = Places::of(statement, file);
                for (index, term) in fact.predicate.terms.iter().enumerate() {
                    let position = (fact.predicate.name.as_str(), fact.predicate.terms.len(), index);
                    facts.entry(position).or_insert_with(Vec::new).extend(places.written(term));
                }
            }
        }
    }
    let mut rules = Vec::new();
    for file in files {
        for statement in &file.statements {
            if matches!(&statement.item, Item::Fact(fact) if Answers::of(&fact.predicate.name).is_none()) {
                continue;
            }
            let mut reader =
                Reader { facts: &facts, schema, places: Places::of(statement, file), rule: found(statement) };
            for query in statement.item.queries() {
                reader.query(query);
            }
            rules.push(reader.rule);
        }
    }
    Vocabulary { rules }
}

fn found(statement: &Statement) -> RuleVocabulary {
    RuleVocabulary {
        rule: statement.name.clone(),
        location: Some(statement.location.clone()),
        reads: BTreeSet::new(),
        literals: Vec::new(),
    }
}

/// A value in the text.
#[derive(Debug, Clone)]
struct Written {
    value: Value,
    location: Location,
}

/// Where values stand in a statement. The parser's tree has them in the order of the text, except that predicates come first
/// and sets are sorted, so the first place of a value that is not taken is its own, or one of the same value.
struct Places<'f> {
    file: &'f PolicyFile<'f>,
    statement: &'f Statement,
    free: Vec<Lexeme<'f>>,
}

impl<'f> Places<'f> {
    fn of(statement: &'f Statement, file: &'f PolicyFile<'f>) -> Self {
        Self { file, statement, free: Layout::of(statement, file.text).lexemes.all().to_vec() }
    }

    /// The values of a term: those of a list, set or map are its elements'.
    fn written(&mut self, term: &Term) -> Vec<Written> {
        let value = match term {
            Term::Integer(integer) => Value::from(*integer),
            Term::Str(text) => Value::from(text.as_str()),
            Term::Bool(boolean) => Value::from(*boolean),
            Term::Null => Value::Null,
            Term::Date(seconds) => {
                let date = i64::try_from(*seconds).ok().and_then(|date| Timestamp::from_second(date).ok());
                match date {
                    Some(date) => Value::from(date.to_string()),
                    None => return Vec::new(),
                }
            }
            Term::Set(terms) => return terms.iter().flat_map(|term| self.written(term)).collect(),
            Term::Array(terms) => return terms.iter().flat_map(|term| self.written(term)).collect(),
            Term::Map(terms) => return terms.values().flat_map(|term| self.written(term)).collect(),
            Term::Bytes(_) | Term::Variable(_) | Term::Parameter(_) => return Vec::new(),
        };
        let location = self.take(term);
        vec![Written { value, location }]
    }

    fn take(&mut self, term: &Term) -> Location {
        let fits = |lexeme: &Lexeme<'_>| match (term, lexeme.kind) {
            (Term::Str(text), Kind::Text) => lexeme.unescaped() == *text,
            (Term::Integer(integer), Kind::Integer) => lexeme.text.parse() == Ok(*integer),
            (Term::Bool(boolean), Kind::Word) => lexeme.text.parse() == Ok(*boolean),
            (Term::Null, Kind::Word) => lexeme.text == "null",
            (Term::Date(seconds), Kind::Date) => lexeme
                .text
                .parse::<Timestamp>()
                .is_ok_and(|date| u64::try_from(date.as_second()) == Ok(*seconds)),
            _ => false,
        };
        match self.free.iter().position(fits) {
            Some(index) => {
                let lexeme = self.free.remove(index);
                Location::of_offset(self.file.name.as_str(), self.file.text, lexeme.start)
            }
            None => self.statement.location.clone(),
        }
    }
}

/// What is known of a value without evaluating anything.
#[derive(Debug, Clone)]
enum Operand<'s> {
    /// A member of the request; its root for the request itself.
    Member(Pointer),
    /// An element of a list of the request.
    Element(Pointer),
    /// Something inside an element of a list of the request.
    Inside(Pointer),
    /// How long something is: a member of the request, where that is known.
    Count(Option<Pointer>),
    /// A sum, or texts put together.
    Sum(Vec<Operand<'s>>),
    /// Values of the policy: one of them, or all of them in a list.
    Written { values: Vec<Written>, listed: bool },
    /// The name of a type: what it is held against is no value of the request.
    Type,
    /// Something of the pack's data.
    Data,
    /// What is evaluated for each element, or only if need be.
    Closure(&'s [String], &'s [Op]),
    /// Anything else.
    Unknown,
}

type Variables<'s> = HashMap<&'s str, Operand<'s>>;
/// The values that facts of the pack have, by predicate, number of terms and position.
type Facts<'s> = HashMap<(&'s str, usize, usize), Vec<Written>>;

/// The reader of one statement.
struct Reader<'s> {
    facts: &'s Facts<'s>,
    schema: Option<&'s InputSchema>,
    places: Places<'s>,
    rule: RuleVocabulary,
}

impl<'s> Reader<'s> {
    fn query(&mut self, query: &'s Rule) {
        let mut variables = Variables::new();
        let of_request = |predicate: &&Predicate| stated(&predicate.name).is_some();
        for predicate in query.body.iter().filter(of_request) {
            let operands = stated(&predicate.name).into_iter().flatten();
            for (term, operand) in predicate.terms.iter().zip(operands) {
                if let Operand::Member(place) = &operand
                    && place.tokens().len() > 1
                {
                    self.rule.reads.insert(place.clone());
                }
                match term {
                    Term::Variable(name) => {
                        variables.entry(name).or_insert(operand);
                    }
                    term => {
                        let values = self.places.written(term);
                        self.hold(&operand, values, &Form::Whole);
                    }
                }
            }
        }
        for predicate in query.body.iter().filter(|predicate| !of_request(predicate)) {
            for (index, term) in predicate.terms.iter().enumerate() {
                let Term::Variable(name) = term else { continue };
                let position = (predicate.name.as_str(), predicate.terms.len(), index);
                let values = self.facts.get(&position).cloned().unwrap_or_else(Vec::new);
                match variables.get(name.as_str()).cloned() {
                    Some(operand) => self.hold(&operand, values, &Form::Whole),
                    None if values.is_empty() => {}
                    None => {
                        variables.insert(name, Operand::Written { values, listed: false });
                    }
                }
            }
        }
        for expression in &query.expressions {
            let operand = self.evaluate(&expression.ops, &variables);
            self.consume(&operand, &variables);
        }
    }

    /// Operations stand in postfix order.
    fn evaluate(&mut self, ops: &'s [Op], variables: &Variables<'s>) -> Operand<'s> {
        let mut stack = Vec::new();
        for op in ops {
            let operand = match op {
                Op::Value(Term::Variable(name)) => {
                    variables.get(name.as_str()).cloned().unwrap_or(Operand::Unknown)
                }
                Op::Value(term) => Operand::Written {
                    values: self.places.written(term),
                    listed: matches!(term, Term::Set(_) | Term::Array(_) | Term::Map(_)),
                },
                Op::Closure(parameters, body) => Operand::Closure(parameters, body),
                Op::Unary(op) => {
                    let operand = stack.pop().unwrap_or(Operand::Unknown);
                    self.unary(op, operand, variables)
                }
                Op::Binary(op) => {
                    let right = stack.pop().unwrap_or(Operand::Unknown);
                    let left = stack.pop().unwrap_or(Operand::Unknown);
                    self.binary(op, left, right, variables)
                }
            };
            stack.push(operand);
        }
        stack.pop().unwrap_or(Operand::Unknown)
    }

    fn unary(&mut self, op: &Unary, operand: Operand<'s>, variables: &Variables<'s>) -> Operand<'s> {
        if *op == Unary::Parens {
            return operand;
        }
        self.consume(&operand, variables);
        match (op, operand) {
            (Unary::Length, Operand::Member(place)) => Operand::Count(Some(place)),
            (Unary::Length, Operand::Data) => Operand::Data,
            (Unary::Length, _) => Operand::Count(None),
            (Unary::TypeOf, _) => Operand::Type,
            (Unary::Negate | Unary::Parens | Unary::Ffi(_), _) => Operand::Unknown,
        }
    }

    fn binary(
        &mut self,
        op: &Binary,
        left: Operand<'s>,
        right: Operand<'s>,
        variables: &Variables<'s>,
    ) -> Operand<'s> {
        match op {
            Binary::Get => return self.get(left, &right, variables),
            Binary::Any | Binary::All => self.each(left, right, variables),
            // What stands in for an error is held against nothing.
            Binary::TryOr => {
                self.consume(&right, variables);
                return match left {
                    Operand::Closure(_, body) => self.evaluate(body, variables),
                    left => left,
                };
            }
            Binary::Add | Binary::Sub | Binary::Mul | Binary::Div => return Operand::Sum(vec![left, right]),
            Binary::LessThan | Binary::LessOrEqual | Binary::GreaterThan | Binary::GreaterOrEqual => {
                self.compare(left, right, &Form::Bound, variables);
            }
            Binary::Equal | Binary::NotEqual | Binary::HeterogeneousEqual | Binary::HeterogeneousNotEqual => {
                self.compare(left, right, &Form::Whole, variables);
            }
            Binary::Contains => self.contains(left, right, variables),
            Binary::Prefix => self.against(left, right, &Form::Prefix, variables),
            Binary::Suffix => self.against(left, right, &Form::Suffix, variables),
            Binary::Regex => self.against(left, right, &Form::Regex, variables),
            Binary::Intersection | Binary::Union => self.compare(left, right, &Form::Element, variables),
            Binary::LazyAnd
            | Binary::LazyOr
            | Binary::And
            | Binary::Or
            | Binary::BitwiseAnd
            | Binary::BitwiseOr
            | Binary::BitwiseXor
            | Binary::Ffi(_) => {
                self.consume(&left, variables);
                self.consume(&right, variables);
            }
        }
        Operand::Unknown
    }

    fn get(&mut self, left: Operand<'s>, right: &Operand<'s>, variables: &Variables<'s>) -> Operand<'s> {
        if let Operand::Written { values, listed: false } = right
            && values.iter().all(|written| written.value.is_string())
        {
            let place = match &left {
                Operand::Member(place) => Some(place.clone()),
                Operand::Element(_) | Operand::Inside(_) => None,
                _ => return if matches!(left, Operand::Data) { left } else { Operand::Unknown },
            };
            for written in values {
                self.literal(written.clone(), Form::Name, place.clone());
            }
            let name = match values.as_slice() {
                [written] => written.value.as_str(),
                _ => None,
            };
            return match (left, name) {
                (Operand::Member(place), Some(name)) => Operand::Member(place.child(name)),
                (Operand::Element(list) | Operand::Inside(list), _) => Operand::Inside(list),
                _ => Operand::Unknown,
            };
        }
        self.consume(right, variables);
        if !matches!(left, Operand::Member(_)) {
            self.consume(&left, variables);
        }
        element(left)
    }

    /// `.any(…)` and `.all(…)`.
    fn each(&mut self, left: Operand<'s>, right: Operand<'s>, variables: &Variables<'s>) {
        self.consume(&left, variables);
        let Operand::Closure(parameters, body) = right else { return };
        let mut inner = variables.clone();
        for parameter in parameters {
            inner.insert(parameter, element(left.clone()));
        }
        let operand = self.evaluate(body, &inner);
        self.consume(&operand, &inner);
    }

    fn contains(&mut self, left: Operand<'s>, right: Operand<'s>, variables: &Variables<'s>) {
        match (left, right) {
            (Operand::Written { values, listed: true }, right) => {
                self.consume(&right, variables);
                self.hold(&right, values, &Form::Whole);
            }
            (Operand::Member(place), Operand::Written { values, listed: false }) => {
                for written in values {
                    for form in self.contained(&place, &written.value) {
                        self.literal(written.clone(), form, Some(place.clone()));
                    }
                }
                self.consume(&Operand::Member(place), variables);
            }
            (left, right) => self.against(left, right, &Form::Element, variables),
        }
    }

    /// A comparison whose sides may change places.
    fn compare(&mut self, left: Operand<'s>, right: Operand<'s>, form: &Form, variables: &Variables<'s>) {
        let swapped = match (&left, &right) {
            (Operand::Written { .. }, _) => true,
            (Operand::Sum(_), Operand::Written { .. } | Operand::Sum(_)) => false,
            (Operand::Sum(_), _) => true,
            _ => false,
        };
        let (subject, other) = if swapped { (right, left) } else { (left, right) };
        self.against(subject, other, form, variables);
    }

    /// Holds a subject against what the text says about it.
    fn against(&mut self, subject: Operand<'s>, other: Operand<'s>, form: &Form, variables: &Variables<'s>) {
        self.consume(&subject, variables);
        match other {
            Operand::Written { values, listed } => {
                let form = match (form, listed) {
                    (Form::Whole, true) => &Form::Element,
                    _ => form,
                };
                self.hold(&subject, values, form);
            }
            Operand::Sum(pieces) => self.assemble(&subject, pieces, form, variables),
            // A text of the policy that begins with the request's, and the like.
            other if matches!(subject, Operand::Written { .. }) => {
                self.consume(&other, variables);
                if let Operand::Written { values, .. } = subject {
                    self.hold(&other, values, &Form::Other);
                }
            }
            other => self.consume(&other, variables),
        }
    }

    /// Holds a subject against texts put together: what stands first begins it, what stands last ends it.
    fn assemble(
        &mut self,
        subject: &Operand<'s>,
        pieces: Vec<Operand<'s>>,
        form: &Form,
        variables: &Variables<'s>,
    ) {
        let pieces = flat(pieces);
        let last = pieces.len().saturating_sub(1);
        for (index, piece) in pieces.into_iter().enumerate() {
            let Operand::Written { values, .. } = piece else {
                self.consume(&piece, variables);
                continue;
            };
            let (texts, others): (Vec<_>, Vec<_>) =
                values.into_iter().partition(|written| written.value.is_string());
            let form = match form {
                Form::Whole | Form::Prefix if index == 0 => Form::Prefix,
                Form::Whole | Form::Suffix if index == last => Form::Suffix,
                _ => Form::Infix,
            };
            self.hold(subject, texts, &form);
            self.hold(&Operand::Unknown, others, &Form::Other);
        }
    }

    /// Notes the values that a subject is held against.
    fn hold(&mut self, subject: &Operand<'s>, values: Vec<Written>, form: &Form) {
        let (place, form) = match (subject, form) {
            (Operand::Data | Operand::Type | Operand::Written { .. }, _) => return,
            (Operand::Member(place), form) => (Some(place.clone()), form.clone()),
            (Operand::Count(place), _) => (place.clone(), Form::Bound),
            (Operand::Element(list), Form::Whole) => (Some(list.clone()), Form::Element),
            (Operand::Element(_) | Operand::Inside(_), Form::Element) => (None, Form::Other),
            (Operand::Sum(_), Form::Whole) if values.iter().all(|written| written.value.is_number()) => {
                (None, Form::Bound)
            }
            (_, form) => (None, form.clone()),
        };
        for written in values {
            self.literal(written, form.clone(), place.clone());
        }
    }

    /// What `.contains(…)` does with a value: that a list has it, or that a text does.
    fn contained(&self, place: &Pointer, value: &Value) -> Vec<Form> {
        match (self.schema.and_then(|schema| type_at(schema.document(), place)), value) {
            (Some("string"), _) => vec![Form::Infix],
            (Some("object"), _) => vec![Form::Name],
            (None, Value::String(_)) => vec![Form::Element, Form::Infix],
            _ => vec![Form::Element],
        }
    }

    fn literal(&mut self, Written { value, location }: Written, form: Form, place: Option<Pointer>) {
        let known = |known: &Literal| known.value == value && known.form == form && known.place == place;
        if !self.rule.literals.iter().any(known) {
            self.rule.literals.push(Literal { value, form, place, location: Some(location) });
        }
    }

    /// Notes what an operand reads, now that something is done with it.
    fn consume(&mut self, operand: &Operand<'s>, variables: &Variables<'s>) {
        match operand {
            Operand::Member(place) | Operand::Element(place) | Operand::Inside(place) => {
                if !place.tokens().is_empty() {
                    self.rule.reads.insert(place.clone());
                }
            }
            Operand::Sum(pieces) => {
                for piece in pieces {
                    self.consume(piece, variables);
                    if let Operand::Written { values, .. } = piece {
                        self.hold(&Operand::Unknown, values.clone(), &Form::Other);
                    }
                }
            }
            Operand::Closure(_, body) => {
                let operand = self.evaluate(body, variables);
                self.consume(&operand, variables);
            }
            Operand::Count(_)
            | Operand::Written { .. }
            | Operand::Type
            | Operand::Data
            | Operand::Unknown => {}
        }
    }
}

/// The terms of a predicate that the engine states about the request.
fn stated(predicate: &str) -> Option<Vec<Operand<'static>>> {
    let members = |tokens: &[&[&str]]| {
        tokens.iter().map(|tokens| Operand::Member(Pointer::from_tokens(tokens.iter().copied()))).collect()
    };
    Some(match predicate {
        "subject" => members(&[&["subject", "type"], &["subject", "id"]]),
        "resource" => members(&[&["resource", "type"], &["resource", "id"]]),
        "action" => members(&[&["action", "name"]]),
        "request" => members(&[&[]]),
        "derived" => members(&[&["derived"]]),
        "data" => vec![Operand::Data],
        "time" => vec![Operand::Unknown],
        _ => return None,
    })
}

/// What an element of an operand is.
fn element(operand: Operand<'_>) -> Operand<'_> {
    match operand {
        Operand::Member(list) => Operand::Element(list),
        Operand::Element(list) | Operand::Inside(list) => Operand::Inside(list),
        Operand::Written { values, .. } => Operand::Written { values, listed: false },
        Operand::Data => Operand::Data,
        _ => Operand::Unknown,
    }
}

/// The pieces of sums of sums.
fn flat(pieces: Vec<Operand<'_>>) -> Vec<Operand<'_>> {
    let flattened = pieces.into_iter().flat_map(|piece| match piece {
        Operand::Sum(pieces) => flat(pieces),
        piece => vec![piece],
    });
    flattened.collect()
}

/// The type that a schema plainly gives the value at a place.
fn type_at<'d>(schema: &'d Value, place: &Pointer) -> Option<&'d str> {
    let step = |schema: &'d Value, token: &String| schema.get("properties")?.get(token);
    place.tokens().iter().try_fold(schema, step)?.get("type")?.as_str()
}
