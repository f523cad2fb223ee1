//! Effects, and a denial in front.

use regorus::unstable::{Expr, Rule, RuleHead};
use tribunal_engine_core::contract::Pointer;
use tribunal_engine_core::engine::{Form, Mutation, Vocabulary};

use super::edit::Edit;
use super::site::Site;
use crate::admission::expression::{Step, reference};
use crate::settings::Question;
use crate::vocabulary::answers::Answer;
use crate::vocabulary::flow::text;
use crate::vocabulary::program::{Definition, values as values_of};

/// What an added branch gives as its reason.
const REASON: &str = "added_denial";

/// The changes of an effect wherever it stands.
pub(crate) fn expression(site: &Site<'_, '_, '_>, expr: &Expr, edits: &mut Vec<Edit>) {
    let other = match (text(expr), site.answers.of_term(expr)) {
        (Some("allow"), Some(Answer::Decision | Answer::Effect)) => "deny",
        (Some("deny" | "redact" | "step_up"), Some(Answer::Decision | Answer::Effect)) => "allow",
        _ => return,
    };
    let range = site.text.expression(expr);
    edits.push(site.replace(Mutation::FlipEffect, range, format!("\"{other}\"")));
}

/// The changes of a rule's value where it is `true` or `false`.
pub(crate) fn values(site: &Site<'_, '_, '_>, rule: &Rule, edits: &mut Vec<Edit>) {
    for value in values_of(rule) {
        if let Expr::Bool { value: regorus::Value::Bool(flag), .. } = value
            && !matches!(rule, Rule::Spec { head: RuleHead::Set { .. }, .. })
        {
            let range = site.text.expression(value);
            edits.push(site.replace(Mutation::FlipEffect, range, (!flag).to_string()));
        }
    }
}

/// Puts branches that deny in front of the rule that decides, if they can be put there.
pub(crate) fn add_denial(
    site: &Site<'_, '_, '_>,
    definition: &Definition<'_>,
    question: &Question,
    vocabulary: &Vocabulary,
    edits: &mut Vec<Edit>,
) {
    let (asked, denial) = match question {
        Question::Decision(rule) => (rule, format!("{{\"effect\": \"deny\", \"reason\": \"{REASON}\"}}")),
        Question::AllowAndReason { allow, .. } => (allow, "false".to_owned()),
    };
    let Rule::Spec { head: RuleHead::Compr { refr, assign, .. }, bodies, .. } = definition.rule else {
        return;
    };
    let is_only = site
        .flows
        .program
        .of_rule(asked)
        .iter()
        .filter_map(|home| site.flows.program.definition(*home))
        .filter(|other| matches!(other.rule, Rule::Spec { .. }))
        .count()
        == 1;
    let is_partial = reference(refr).steps.iter().any(|step| matches!(step, Step::Index(_)));
    if definition.place.path != *asked
        || !is_only
        || is_partial
        || bodies.iter().skip(1).any(|body| !body.is_else)
    {
        return;
    }
    let end = site.text.expression(refr).end;
    // The rule's first branch becomes an `else`; one without a value needs its condition right behind that.
    if assign.is_none() && bodies.is_empty() {
        return;
    }
    for condition in conditions(vocabulary) {
        let branch = format!(" := {denial} if {condition}\n\nelse");
        let mut edit = site.replace(Mutation::AddDeny, end..end, branch);
        edit.show("", &format!("{denial} if {condition}"));
        edits.push(edit);
    }
}

/// Conditions that hold for all requests and for some: what the policy looks for itself, a letter in what it reads.
fn conditions(vocabulary: &Vocabulary) -> Vec<String> {
    const LITERALS: usize = 2;
    let literals = vocabulary.rules.iter().flat_map(|rule| &rule.literals);
    let equations = literals.filter(|literal| literal.form == Form::Whole && literal.value.is_string());
    let equations = equations
        .filter_map(|literal| Some(format!("{} == {}", input(literal.place.as_ref()?)?, literal.value)));
    let read = vocabulary.rules.iter().flat_map(|rule| &rule.reads).find_map(input);
    let letter = read.map(|member| format!("{{ is_string({member}); contains({member}, \"a\") }}"));
    let mut found = vec!["true".to_owned()];
    found.extend(equations.take(LITERALS));
    found.extend(letter);
    found
}

/// A member of the request as Rego reads it.
fn input(place: &Pointer) -> Option<String> {
    if place.tokens().is_empty() {
        return None;
    }
    let steps: String =
        place.tokens().iter().map(|token| format!("[{}]", serde_json::Value::from(token.as_str()))).collect();
    Some(format!("input{steps}"))
}
