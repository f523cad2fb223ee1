//! What can be wrong in a rule, and the instructions that make it so.

use std::ops::Range;

use tribunal_engine_core::engine::Mutation;
use wasm_encoder::Instruction;

use super::{encoded, texts};
use crate::image::Image;
use crate::plan::{Callee, Constant, ConstantKind, Kind, Origin, Position, Rule, Statement, Term, TermKind};

/// Functions of the runtime that are mistaken for each other. One is only there if the policy, or the runtime, calls it.
const NEIGHBOURS: [&[&str]; 8] = [
    &["opa_strings_startswith", "opa_strings_endswith", "opa_strings_contains"],
    &["opa_strings_trim_prefix", "opa_strings_trim_suffix"],
    &["opa_strings_lower", "opa_strings_upper"],
    &["opa_arith_plus", "opa_arith_minus"],
    &["opa_arith_multiply", "opa_arith_divide"],
    &["opa_agg_min", "opa_agg_max"],
    &["opa_agg_all", "opa_agg_any"],
    &["opa_set_union", "opa_set_intersection"],
];

/// Functions of one text that are forgotten, and what takes the place of their call: the text as it is.
const FORGOTTEN: [(&str, &[Instruction<'static>]); 6] = [
    ("opa_strings_lower", &[]),
    ("opa_strings_upper", &[]),
    ("opa_strings_trim_space", &[]),
    ("opa_strings_trim", &[Instruction::Drop]),
    ("opa_strings_trim_prefix", &[Instruction::Drop]),
    ("opa_strings_trim_suffix", &[Instruction::Drop]),
];

/// A mistake.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) mutation: Mutation,
    /// Where in the module it begins.
    pub(super) offset: usize,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) edit: Edit,
}

/// Bytes of the module and what takes their place.
pub(super) type Replaced = (Range<usize>, Vec<u8>);

/// What is done to the function of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edit {
    /// Instructions take the place of others.
    Code(Vec<Replaced>),
    /// Another text is referred to.
    Text { places: Vec<Range<usize>>, text: String },
    /// Another number is made.
    Number { place: Range<usize>, text: String },
}

impl Edit {
    fn replace(place: Range<usize>, instructions: &[Instruction<'_>]) -> Self {
        Edit::Code(vec![(place, encoded(instructions))])
    }
}

/// The mistakes that a rule could have, in its order and no two the same.
pub(super) fn changes(image: &Image<'_>, rule: &Rule) -> Vec<Change> {
    let mut changes = effects(image, rule);
    for (index, statement) in rule.statements.iter().enumerate() {
        changes.extend(conditions(rule, index, statement));
        changes.extend(operators(image, rule, statement));
        changes.extend(members(rule, statement));
    }
    for constant in rule.constants() {
        changes.extend(constants(image, rule, &constant));
    }
    changes.sort_by(|a, b| (a.offset, a.mutation, &a.after).cmp(&(b.offset, b.mutation, &b.after)));
    changes.dedup_by(|a, b| a.edit == b.edit);
    changes
}

/// Another effect: refusals become permissions, and permissions refusals.
fn effects(image: &Image<'_>, rule: &Rule) -> Vec<Change> {
    let mut changes = Vec::new();
    for effect in rule.effects() {
        let (after, edit) = match &effect.term.kind {
            TermKind::String(text) => {
                let other = if text == "allow" { "deny" } else { "allow" };
                let edit = Edit::Text { places: effect.places.clone(), text: other.to_owned() };
                (serde_json::Value::from(other).to_string(), edit)
            }
            TermKind::Bool(value) => {
                let Some(address) = image.boolean(!value) else { continue };
                let constant = encoded(&[Instruction::I32Const(address)]);
                let edit =
                    Edit::Code(effect.places.iter().map(|place| (place.clone(), constant.clone())).collect());
                ((!value).to_string(), edit)
            }
            TermKind::Value(_) => continue,
        };
        changes.push(Change {
            mutation: Mutation::FlipEffect,
            offset: effect.term.place.start,
            before: rule.show(effect.term),
            after,
            edit,
        });
    }
    changes
}

/// Conditions left out, and negations.
fn conditions(rule: &Rule, index: usize, statement: &Statement) -> Vec<Change> {
    let dropped = |before: String, edit| Change {
        mutation: Mutation::DropCondition,
        offset: statement.place.start,
        before,
        after: String::new(),
        edit,
    };
    match &statement.kind {
        // A call whose result has only to be true goes as a whole, with its having to be defined.
        Kind::Call { callee, arguments, result, .. } => {
            let next = rule.statements.get(index + 1);
            match next.map(|next| (next, &next.kind)) {
                Some((next, Kind::Compare { equal: false, left, right, .. }))
                    if left.value() == Some(*result)
                        && right.kind == TermKind::Bool(false)
                        && next.place.start == statement.place.end
                        && rule.uses(*result) == 1
                        && !is_type_test(callee) =>
                {
                    let place = statement.place.start..next.place.end;
                    vec![dropped(show_call(rule, callee, arguments), Edit::replace(place, &[]))]
                }
                _ => Vec::new(),
            }
        }
        Kind::Compare { equal, left, right, branch } => {
            let is_of_call = || {
                index.checked_sub(1).and_then(|before| rule.statements.get(before)).is_some_and(|before| {
                    matches!(&before.kind, Kind::Call { result, .. } if Some(*result) == left.value())
                })
            };
            if is_planned(rule, left) || is_planned(rule, right) || (!equal && is_of_call()) {
                return Vec::new();
            }
            let before =
                if *equal { format!("{} == {}", rule.show(left), rule.show(right)) } else { rule.show(left) };
            vec![dropped(before, Edit::replace(branch.clone(), &[Instruction::Drop]))]
        }
        Kind::Not { negation, check } => vec![
            dropped("not …".to_owned(), Edit::replace(check.clone(), &[])),
            Change {
                mutation: Mutation::DropNot,
                offset: negation.start,
                before: "not".to_owned(),
                after: String::new(),
                edit: Edit::replace(negation.clone(), &[]),
            },
        ],
        Kind::Every { branch } => {
            vec![dropped("every …".to_owned(), Edit::replace(branch.clone(), &[Instruction::Drop]))]
        }
        _ => Vec::new(),
    }
}

/// Operators in place of their neighbours.
fn operators(image: &Image<'_>, rule: &Rule, statement: &Statement) -> Vec<Change> {
    let change = |offset, before: String, after: String, edit| Change {
        mutation: Mutation::SwapOperator,
        offset,
        before,
        after,
        edit,
    };
    match &statement.kind {
        Kind::Compare { equal: true, left, right, branch }
            if !is_planned(rule, left) && !is_planned(rule, right) =>
        {
            let show = |operator| format!("{} {operator} {}", rule.show(left), rule.show(right));
            let edit = Edit::replace(branch.start..branch.start, &[Instruction::I32Eqz]);
            vec![change(branch.start, show("=="), show("!="), edit)]
        }
        Kind::Call { callee: Callee::Builtin(name), arguments, call, .. } => {
            if let (Some((before, after, test)), [left, right]) = (comparison(name), arguments.as_slice()) {
                // The neighbour is not in a module that does not call it, what it is made of always is.
                let (Some(compare), Some(boolean)) =
                    (image.function("opa_value_compare"), image.function("opa_boolean"))
                else {
                    return Vec::new();
                };
                let edit = Edit::replace(
                    call.clone(),
                    &[Instruction::Call(compare), Instruction::I32Const(0), test, Instruction::Call(boolean)],
                );
                let show = |operator| format!("{} {operator} {}", rule.show(left), rule.show(right));
                return vec![change(call.start, show(before), show(after), edit)];
            }
            let forgotten = FORGOTTEN.iter().find(|(function, _)| function == name).map(|(_, instead)| {
                change(call.start, name.clone(), String::new(), Edit::replace(call.clone(), instead))
            });
            let neighbours = NEIGHBOURS.iter().find(|group| group.contains(&name.as_str()));
            let others = neighbours.into_iter().copied().flatten().filter(|other| *other != name);
            others
                .filter_map(|other| {
                    let edit = Edit::replace(call.clone(), &[Instruction::Call(image.function(other)?)]);
                    Some(change(call.start, name.clone(), (*other).to_owned(), edit))
                })
                .chain(forgotten)
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Members left out of what is written out and not answered.
fn members(rule: &Rule, statement: &Statement) -> Vec<Change> {
    match &statement.kind {
        Kind::Insert { collection, key, member } if !rule.is_answered(*collection) => {
            let before = match key {
                Some(key) if key.string().is_some() => format!("{}: {}", rule.show(key), rule.show(member)),
                None if member.string().is_some() => rule.show(member),
                _ => return Vec::new(),
            };
            vec![Change {
                mutation: Mutation::RemoveMember,
                offset: statement.place.start,
                before: texts::shortened(&before),
                after: String::new(),
                edit: Edit::replace(statement.place.clone(), &[]),
            }]
        }
        _ => Vec::new(),
    }
}

/// Numbers one off, other texts and other patterns.
fn constants(image: &Image<'_>, rule: &Rule, constant: &Constant<'_>) -> Vec<Change> {
    let Some(first) = constant.places.first() else { return Vec::new() };
    let text = match constant.kind {
        ConstantKind::Text(text) => text,
        ConstantKind::Number(text) => return numbers(rule, constant, text, first),
    };
    let change = |mutation, other: String| {
        let (before, after) = texts::difference(text, &other);
        let edit = Edit::Text { places: constant.places.clone(), text: other };
        Change { mutation, offset: first.start, before, after, edit }
    };
    let patterns = patterns(image, constant, text);
    if patterns.is_empty() {
        return texts::other_end(text)
            .map(|other| change(Mutation::ChangeLiteral, other))
            .into_iter()
            .collect();
    }
    patterns.into_iter().map(|other| change(Mutation::ChangePattern, other)).collect()
}

/// Other patterns, if the text is one: it is given to a function as its pattern, or has the signs of one in a module that
/// calls such a function. Which text reaches which call is not told where rules and lists lie between the two.
fn patterns(image: &Image<'_>, constant: &Constant<'_>, text: &str) -> Vec<String> {
    let builtin = match constant.position {
        Position::Argument { builtin, index: 0, .. } => builtin,
        _ => "",
    };
    let calls = |function| image.function(function).is_some();
    if builtin == "opa_regex_match" || (calls("opa_regex_match") && text.starts_with("(?")) {
        return texts::regexes(text);
    }
    if builtin == "opa_glob_match" || (calls("opa_glob_match") && text.contains('*')) {
        return texts::globs(text);
    }
    Vec::new()
}

fn numbers(rule: &Rule, constant: &Constant<'_>, text: &str, place: &Range<usize>) -> Vec<Change> {
    let Ok(number) = text.parse::<i64>() else { return Vec::new() };
    let is_compared = match constant.position {
        Position::Compared(_) => true,
        Position::Argument { builtin, .. } => comparison(builtin).is_some(),
        Position::Listed(_) | Position::Other => false,
    };
    let held = match constant.position {
        Position::Compared(held) => format!("{} == ", rule.show(held)),
        _ => String::new(),
    };
    [number.checked_sub(1), number.checked_add(1)]
        .into_iter()
        .flatten()
        // Functions take a negative index or count for 0, or for none.
        .filter(|other| is_compared || *other >= 0)
        .map(|other| Change {
            mutation: Mutation::OffByOne,
            offset: place.start,
            before: format!("{held}{number}"),
            after: format!("{held}{other}"),
            edit: Edit::Number { place: place.clone(), text: other.to_string() },
        })
        .collect()
}

/// What a comparison is written as, its neighbour, and how the neighbour tests what `opa_value_compare` gives.
fn comparison(builtin: &str) -> Option<(&'static str, &'static str, Instruction<'static>)> {
    Some(match builtin {
        "opa_cmp_lt" => ("<", "<=", Instruction::I32LeS),
        "opa_cmp_lte" => ("<=", "<", Instruction::I32LtS),
        "opa_cmp_gt" => (">", ">=", Instruction::I32GeS),
        "opa_cmp_gte" => (">=", ">", Instruction::I32GtS),
        "opa_cmp_eq" => ("==", "!=", Instruction::I32Ne),
        "opa_cmp_neq" => ("!=", "==", Instruction::I32Eq),
        _ => return None,
    })
}

fn is_type_test(callee: &Callee) -> bool {
    matches!(callee, Callee::Builtin(name) if name.starts_with("opa_types_is_"))
}

/// The planner's own comparisons, as of the length of a list with that of one written out.
fn is_planned(rule: &Rule, term: &Term) -> bool {
    term.value().is_some_and(|value| *rule.origin(value) == Origin::Planned)
}

fn show_call(rule: &Rule, callee: &Callee, arguments: &[Term]) -> String {
    let shown: Vec<String> = arguments.iter().map(|argument| rule.show(argument)).collect();
    match (callee, shown.as_slice()) {
        (Callee::Rule(name), _) => name.rsplit('.').next().unwrap_or(name).to_owned(),
        (Callee::Builtin(name), [left, right]) if name == "builtin_member" => format!("{left} in {right}"),
        (Callee::Builtin(name), shown) => match (comparison(name), shown) {
            (Some((operator, ..)), [left, right]) => format!("{left} {operator} {right}"),
            _ => format!("{name}({})", shown.join(", ")),
        },
    }
}
