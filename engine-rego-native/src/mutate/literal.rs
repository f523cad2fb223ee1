//! Numbers, texts, and the members of lists, sets and objects.

use std::ops::Range;

use regorus::unstable::Expr;
use tribunal_engine_core::engine::{Form, Mutation};

use super::edit::Edit;
use super::pattern::characters;
use super::site::Site;
use crate::vocabulary::answers::Answer;
use crate::vocabulary::flow::text;

/// The changes of a literal, or of a record of them.
pub(crate) fn expression(site: &Site<'_, '_, '_>, expr: &Expr, edits: &mut Vec<Edit>) {
    match expr {
        Expr::Number { .. } if site.only_answered(expr).is_none() => number(site, expr, edits),
        Expr::String { .. } | Expr::RawString { .. } if is_held_against(site, expr) => {
            last_character(site, expr, edits);
        }
        // A decision without its effect is none, and its reason is nothing but a reason.
        Expr::Object { fields, .. } => {
            let members: Vec<Range<usize>> = fields
                .iter()
                .map(|(_, key, value)| site.text.expression(key).start..site.text.expression(value).end)
                .collect();
            let kept = |index: usize| match (site.only_answered(expr), fields.get(index)) {
                (Some(Answer::Reason), _) => true,
                (Some(Answer::Decision), Some((_, key, _))) => matches!(text(key), Some("effect" | "reason")),
                _ => false,
            };
            members_out(site, expr, &members, "{}", kept, edits);
        }
        Expr::Array { items, .. } | Expr::Set { items, .. } => {
            if site.uses.is_setting(expr) || site.only_answered(expr) == Some(Answer::Reason) {
                return;
            }
            let members: Vec<Range<usize>> = items.iter().map(|item| site.text.expression(item)).collect();
            let empty = if matches!(expr, Expr::Set { .. }) { "set()" } else { "[]" };
            members_out(site, expr, &members, empty, |_| false, edits);
        }
        _ => {}
    }
}

fn number(site: &Site<'_, '_, '_>, expr: &Expr, edits: &mut Vec<Edit>) {
    let range = site.text.expression(expr);
    let Ok(number) = site.text.slice(range.clone()).parse::<i64>() else { return };
    for other in [number.checked_add(1), number.checked_sub(1)].into_iter().flatten() {
        edits.push(site.replace(Mutation::OffByOne, range.clone(), other.to_string()));
    }
}

/// Whether another text could change a decision, as far as can be seen.
fn is_held_against(site: &Site<'_, '_, '_>, expr: &Expr) -> bool {
    site.only_answered(expr).is_none()
        && !site.uses.is_setting(expr)
        && !site.forms(expr).any(|form| *form == Form::Regex)
}

/// Changes the last character of a text; of a pattern, the last that stands for itself.
fn last_character(site: &Site<'_, '_, '_>, expr: &Expr, edits: &mut Vec<Edit>) {
    let range = site.text.expression(expr);
    let characters = characters(site.text, expr);
    let is_glob = site.forms(expr).any(|form| matches!(form, Form::Glob(_)));
    let last = characters.iter().rev().find(|(char, _)| !is_glob || char.is_alphanumeric());
    let quote = site.text.slice(range.start..range.start + 1);
    match last {
        Some((char, place)) => {
            let mut edit = site.replace(Mutation::ChangeLiteral, place.clone(), other(*char));
            let changed = edit.of(site.text.text);
            let length = other(*char).len();
            let end = range.end + length - place.len();
            edit.show(
                site.text.slice(range.clone()),
                changed.as_deref().and_then(|text| text.get(range.start..end)).unwrap_or(""),
            );
            edits.push(edit);
        }
        None if characters.is_empty() => {
            edits.push(site.replace(Mutation::ChangeLiteral, range, format!("{quote}x{quote}")));
        }
        None => {}
    }
}

/// Another character of the same kind.
fn other(char: char) -> &'static str {
    const LETTERS: [(&str, &str); 3] = [
        ("abcdefghijklmnopqrstuvwxyz", "bcdefghijklmnopqrstuvwxyza"),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "BCDEFGHIJKLMNOPQRSTUVWXYZA"),
        ("0123456789", "1234567890"),
    ];
    for (from, to) in LETTERS {
        if let Some(next) = from.find(char).and_then(|index| to.get(index..index + 1)) {
            return next;
        }
    }
    "x"
}

/// Takes out each member that is not kept.
fn members_out(
    site: &Site<'_, '_, '_>,
    expr: &Expr,
    members: &[Range<usize>],
    empty: &str,
    kept: impl Fn(usize) -> bool,
    edits: &mut Vec<Edit>,
) {
    for (index, member) in members.iter().enumerate().filter(|(index, _)| !kept(*index)) {
        let before = index.checked_sub(1).and_then(|index| members.get(index));
        // What is taken out goes with one of the commas beside it.
        let range = match (members.get(index + 1), before) {
            (Some(next), _) => member.start..next.start,
            (None, Some(before)) => before.end..member.end,
            (None, None) => {
                let mut edit = site.replace(Mutation::RemoveMember, site.text.expression(expr), empty);
                edit.show(site.text.slice(member.clone()), "");
                edits.push(edit);
                continue;
            }
        };
        edits.push(site.remove(Mutation::RemoveMember, range, member.clone()));
    }
}
