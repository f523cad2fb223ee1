//! Which values of a rule only go into the answer: what is written there is held against nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::Role;
use super::statement::{Callee, Kind, Statement, Value};

/// The members by which an object is known for a decision, or for a patch of one.
const DECISION: [&[&str]; 2] = [&["effect"], &["op", "path"]];

/// The values that are the answer, or that nothing but the answer is made of.
pub(super) fn answered(statements: &[Statement], role: Option<Role>) -> BTreeSet<Value> {
    let mut keys: BTreeMap<Value, BTreeSet<&str>> = BTreeMap::new();
    for statement in statements {
        if let Kind::Insert { collection, key: Some(key), .. } = &statement.kind {
            keys.entry(*collection).or_default().extend(key.string());
        }
    }
    let is_decision =
        |keys: &BTreeSet<&str>| DECISION.iter().any(|known| known.iter().all(|key| keys.contains(key)));
    // Of every value whether all its uses, which stand behind it, are the answer.
    let mut uses: BTreeMap<Value, bool> =
        keys.iter().filter(|(_, keys)| is_decision(keys)).map(|(value, _)| (*value, true)).collect();
    let decisions: BTreeSet<Value> = uses.keys().copied().collect();
    for statement in statements.iter().rev() {
        let answers = match &statement.kind {
            Kind::Return { .. } => role.is_some(),
            Kind::Assign { target, .. } => match uses.get(target) {
                Some(answers) => *answers,
                // Nobody looks at it.
                None => continue,
            },
            Kind::Insert { collection, .. } => uses.get(collection) == Some(&true),
            Kind::Call { callee: Callee::Builtin(_), result, .. } => uses.get(result) == Some(&true),
            _ => false,
        };
        for value in statement.kind.used() {
            let entry = uses.entry(value).or_insert(true);
            *entry &= answers || decisions.contains(&value);
        }
    }
    uses.into_iter().filter(|(_, answers)| *answers).map(|(value, _)| value).collect()
}
