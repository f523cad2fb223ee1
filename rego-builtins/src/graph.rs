//! `graph.reachable`.

use std::collections::{BTreeSet, VecDeque};

use crate::builtin::{Builtin, Context, Outcome, done};
use crate::operand::{object, operands, wrong_type};
use crate::value::Value;

pub(crate) const BUILTINS: &[Builtin] = &[Builtin::new("graph.reachable", 2, reachable)];

fn reachable(_: &Context, args: &[Value]) -> Outcome {
    let [graph, initial] = operands(args)?;
    let graph = object(graph, 1)?;
    let mut queue: VecDeque<&Value> = match initial {
        Value::Array(items) => items.iter().collect(),
        Value::Set(items) => items.iter().collect(),
        other => return Err(wrong_type(2, other, &["array", "set"])),
    };
    let mut reached = BTreeSet::new();
    while let Some(node) = queue.pop_front() {
        // A vertex that the graph lacks is not reached.
        let Some(edges) = graph.get(node) else { continue };
        if !reached.insert(node.clone()) {
            continue;
        }
        match edges {
            Value::Array(items) => queue.extend(items),
            Value::Set(items) => queue.extend(items),
            _ => {}
        }
    }
    done(reached)
}
