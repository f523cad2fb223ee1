//! Modules with one small mistake each: the planner's statements, changed where the module has them.
//!
//! A mutant is the module with a few instructions of one rule replaced, and where a constant changes with one more text
//! behind its data; every other byte means what it did. The lock that goes with it vouches for it, so that it loads.
//!
//! A module has no lines. A mutant's place is line 1 and, as the column, how far into the module the change begins (from
//! 1): no two places of a module are the same, and the rule and what stood there tell people which it is.
//!
//! What is left out:
//! - the runtime, the listing of entrypoints and built-ins, rules that the pack's entrypoints do not reach;
//! - whether a value is there at all (the branch after each lookup and call): without it the code would go on with no value;
//! - tests of a type (`is_number`), which the input schema and the functions that follow make anyway;
//! - the names of members that are asked for: the rule would never apply, as with many of its other mistakes;
//! - reasons and patches, of which no effect hangs;
//! - [`Mutation::AddDeny`]: a statement that refuses would have to be planned and compiled, and how it comes together with
//!   the others (a conflict, `else`) is the compiler's business; the engine that reads the Rego adds it there.
//! - [`Mutation::Reorder`]: what the planner wrote down is already in its own order.

mod changes;
mod texts;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use changes::{Change, Edit, Replaced};
use tribunal_engine_core::engine::{LoadError, LoadErrorKind, Mutant, Mutation};
use tribunal_engine_core::location::Location;
use tribunal_engine_core::pack::{PackLock, PackSource, files, lock};
use wasm_encoder::{Encode, Instruction};

use crate::MODULE;
use crate::image::{Image, interned_string};
use crate::pack_build::lock_text;
use crate::plan::Plan;

/// Mutants of one pack: each is compiled anew to be run, which takes a fifth of a second and more.
const MAX_MUTANTS: usize = 60;

/// The mutants of a pack's module, in the order of the module.
pub(crate) fn mutants(pack: &PackSource, image: &Image<'_>, plan: &Plan) -> Result<Vec<Mutant>, LoadError> {
    let Some(lock) = &pack.lock else { return Ok(Vec::new()) };
    let mut changes: Vec<(usize, Change)> = Vec::new();
    for (index, rule) in plan.rules.iter().enumerate() {
        changes.extend(changes::changes(image, rule).into_iter().map(|change| (index, change)));
    }
    let mut mutants = Vec::new();
    for (rule, change) in spread(changes) {
        let Some(rule) = plan.rules.get(rule) else { continue };
        let Some(module) = apply(image, plan, rule.body, &change.edit) else { continue };
        let mut lock = lock.clone();
        lock.module.digest = files::digest(&module);
        mutants.push(Mutant {
            mutation: change.mutation,
            rule: Some(rule.name.clone()),
            location: Location::new(pack.file_name(MODULE), 1, change.offset + 1),
            before: change.before,
            after: change.after,
            files: BTreeMap::from([
                (MODULE.to_owned(), Arc::from(module)),
                (lock::FILE.to_owned(), Arc::from(text_of(pack, &lock)?.into_bytes())),
            ]),
        });
    }
    Ok(mutants)
}

fn text_of(pack: &PackSource, lock: &PackLock) -> Result<String, LoadError> {
    lock_text(lock).map_err(|error| {
        let message = format!("`{}` cannot be written: {error}", pack.file_name(lock::FILE));
        LoadError::new(LoadErrorKind::Artefact, message)
    })
}

/// As many changes as there may be, of every kind in every rule one before there is a second of any; in the order of the
/// module.
fn spread(changes: Vec<(usize, Change)>) -> Vec<(usize, Change)> {
    let mut kinds: BTreeMap<(Mutation, usize), VecDeque<(usize, Change)>> = BTreeMap::new();
    for (rule, change) in changes {
        kinds.entry((change.mutation, rule)).or_default().push_back((rule, change));
    }
    let mut chosen = Vec::new();
    while chosen.len() < MAX_MUTANTS && !kinds.is_empty() {
        for changes in kinds.values_mut() {
            chosen.extend(changes.pop_front());
        }
        kinds.retain(|_, changes| !changes.is_empty());
    }
    chosen.truncate(MAX_MUTANTS);
    chosen.sort_by_key(|(_, change)| change.offset);
    chosen
}

/// The module with a change made; nothing where it does not tell where its heap begins, and a text would have to be added.
fn apply(image: &Image<'_>, plan: &Plan, body: usize, edit: &Edit) -> Option<Vec<u8>> {
    let mut edits: BTreeMap<usize, Vec<Replaced>> = BTreeMap::new();
    let mut more_data = Vec::new();
    let code = edits.entry(body).or_default();
    match edit {
        Edit::Code(replaced) => code.extend(replaced.iter().cloned()),
        Edit::Text { places, text } => {
            let (bytes, address) = interned_string(text, image.data_end()?)?;
            more_data = bytes;
            code.extend(
                places.iter().map(|place| (place.clone(), encoded(&[Instruction::I32Const(address)]))),
            );
        }
        Edit::Number { place, text } => {
            let address = image.data_end()?.cast_signed();
            more_data = text.as_bytes().to_vec();
            more_data.push(0);
            let length = i32::try_from(text.len()).ok()?;
            code.push((
                place.clone(),
                encoded(&[Instruction::I32Const(address), Instruction::I32Const(length)]),
            ));
        }
    }
    if !more_data.is_empty() {
        let base = plan.heap_base.as_ref()?;
        let address = base.address.checked_add(u32::try_from(more_data.len()).ok()?)?;
        let instruction = encoded(&[Instruction::I32Const(address.cast_signed())]);
        edits.entry(base.body).or_default().push((base.place.clone(), instruction));
    }
    let mut bodies = BTreeMap::new();
    for (body, mut edits) in edits {
        edits.sort_by_key(|(place, _)| place.start);
        let range = image.bodies.get(body)?.range();
        let (mut code, mut at) = (Vec::new(), range.start);
        for (place, bytes) in edits {
            code.extend(image.bytes.get(at..place.start)?);
            code.extend(bytes);
            at = place.end;
        }
        code.extend(image.bytes.get(at..range.end)?);
        bodies.insert(body, code);
    }
    Some(image.write(&bodies, &more_data))
}

/// Instructions as they stand in a module.
fn encoded(instructions: &[Instruction<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for instruction in instructions {
        instruction.encode(&mut bytes);
    }
    bytes
}
