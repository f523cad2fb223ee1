//! The small mistakes that a pack's policies could have: each is one edit of a policy file.
//!
//! | mutation | in the policy |
//! |---|---|
//! | flip effect | `permit` ↔ `forbid`; a forbid without its `@effect("step_up")` or `@redact` |
//! | drop condition | an operand of `&&` or `\|\|`, a `when` or `unless`, a constraint of the scope, the `if` of an `if` |
//! | off by one | a number, one more and one less |
//! | swap operator | `==` `!=` `in`, `<` `<=` `>` `>=`, `&&` `\|\|`, `+` `-`, `when` `unless`, `containsAll` `containsAny`, … |
//! | change pattern | a `*` of a `like` added at either end, or removed anywhere |
//! | change literal | another text, truth value, entity or action |
//! | remove member | an element of a list, a member of a record |
//! | drop not | `!x` becomes `x` |
//! | add deny | a forbid of everything, and one of each policy's own scope and conditions |
//!
//! Nothing is reordered, since no order decides in Cedar; but policies without `@id` are numbered, so that what is added
//! stands at the end of the last file. Annotations are texts for people and stay as they are, those apart that make a
//! forbid soft.
//!
//! Each edited policy is read and validated as it would be at load, alone: a mistake that strict validation finds never
//! decides anything, and neither does one that leaves the policy's meaning as it was.

mod edit;
mod edits;
mod meaning;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use cedar_policy::{Policy, Schema};
use cedar_policy_core::ast::{ActionConstraint, PrincipalOrResourceConstraint};
use cedar_policy_core::parser::{cst, text_to_cst};
use tribunal_engine_core::engine::{LoadError, LoadErrorKind, LoadErrors, Mutant, Mutation};
use tribunal_engine_core::location::Location;
use tribunal_engine_core::pack::PackSource;

use crate::policies::{self, Read};
use crate::schema::RequestTypes;
use edit::{Edit, shortened};
use meaning::Meanings;

/// Every mutant of a pack's policies, in the order of their texts.
///
/// # Errors
/// A policy that Cedar read once and now does not, which should not be.
pub(crate) fn mutants(
    pack: &PackSource,
    schema: &Schema,
    types: &RequestTypes,
    policies: &[Read<'_>],
) -> Result<Vec<Mutant>, LoadErrors> {
    let meanings = Meanings::new(pack, schema, types);
    let mut made = Made::default();
    let mut denials = vec!["forbid(principal, action, resource);".to_owned()];
    for of_file in policies.chunk_by(|read, next| read.path == next.path) {
        let Some(first) = of_file.first() else { continue };
        let syntax = syntax(first)?;
        for read in of_file {
            let Some(policy) = syntax.get(&read.start) else { continue };
            mistakes(read, policy, &meanings, &mut made);
            denials.extend(denial(read, policy));
        }
    }
    if let Some(last) = policies.last() {
        denials.iter().for_each(|statement| made.denial(last, statement));
    }
    Ok(made.mutants)
}

/// The mistakes that one policy could have.
fn mistakes(read: &Read<'_>, policy: &cst::PolicyImpl, meanings: &Meanings<'_>, made: &mut Made) {
    let Some(original) = meanings.of(&read.policy) else { return };
    let edited = |range: &Range<usize>, replacement: &str| {
        let before = read.text.get(read.start..range.start)?;
        let after = read.text.get(range.end..read.end)?;
        Policy::parse(None, format!("{before}{replacement}{after}")).ok()
    };
    for edit in edits::of(read, policy, meanings) {
        let changes = |replacement: &&String| {
            edited(&edit.range, replacement).is_some_and(|policy| {
                meanings.of(&policy).is_some_and(|meaning| meaning != original)
                    && policies::is_valid(policy, &meanings.validator)
            })
        };
        if let Some(replacement) = edit.replacements.iter().find(changes) {
            made.mistake(read, &edit, replacement);
        }
    }
}

/// What forbids whatever a policy matches, if that is not everything.
fn denial(read: &Read<'_>, policy: &cst::PolicyImpl) -> Option<String> {
    let scope = read.policy.as_ref();
    let any = |constraint: &PrincipalOrResourceConstraint| *constraint == PrincipalOrResourceConstraint::Any;
    let is_everything = any(scope.principal_constraint().as_inner())
        && any(scope.resource_constraint().as_inner())
        && *scope.action_constraint() == ActionConstraint::Any
        && scope.non_scope_constraints().is_none();
    let limits = read.text.get(policy.effect.loc()?.end()..read.end)?;
    (!is_everything).then(|| format!("forbid{limits}"))
}

/// The policies of a file by where they begin, as they are written.
fn syntax(read: &Read<'_>) -> Result<HashMap<usize, cst::PolicyImpl>, LoadErrors> {
    let unreadable = |message: String| {
        LoadErrors::from(LoadError::new(LoadErrorKind::Syntax, message).at(Location::new(
            &read.rule.location.file,
            1,
            1,
        )))
    };
    let parsed = text_to_cst::parse_policies(read.text).map_err(|error| unreadable(error.to_string()))?;
    let policies = parsed.node.into_iter().flat_map(|policies| policies.0);
    let placed = policies.filter_map(|policy| {
        let start = policy.loc?.start();
        policy.node.map(|cst::Policy::Policy(policy)| (start, policy))
    });
    Ok(placed.collect())
}

/// The mutants so far, no two of the same text.
#[derive(Default)]
struct Made {
    mutants: Vec<Mutant>,
    seen: HashSet<(String, Arc<[u8]>)>,
}

impl Made {
    fn mistake(&mut self, read: &Read<'_>, edit: &Edit, replacement: &str) {
        let (Some(before), Some(after)) =
            (read.text.get(..edit.range.start), read.text.get(edit.range.end..))
        else {
            return;
        };
        let (was, is) = edit.shown(read.text, replacement);
        self.push(read.path, format!("{before}{replacement}{after}"), |files| Mutant {
            mutation: edit.mutation,
            rule: Some(read.rule.id.clone()),
            location: read.place(edit.at),
            before: was,
            after: is,
            files,
        });
    }

    /// A law, not a mistake: whatever it says, a forbid more never leads to a milder decision.
    fn denial(&mut self, last: &Read<'_>, statement: &str) {
        // On a line of its own, since the file may end in a comment.
        self.push(last.path, format!("{}\n{statement}\n", last.text), |files| Mutant {
            mutation: Mutation::AddDeny,
            rule: None,
            location: Location::of_offset(&last.rule.location.file, last.text, last.text.len()),
            before: String::new(),
            after: shortened(statement),
            files,
        });
    }

    fn push(&mut self, path: &str, text: String, mutant: impl FnOnce(BTreeMap<String, Arc<[u8]>>) -> Mutant) {
        let bytes: Arc<[u8]> = text.into_bytes().into();
        if self.seen.insert((path.to_owned(), Arc::clone(&bytes))) {
            self.mutants.push(mutant(BTreeMap::from([(path.to_owned(), bytes)])));
        }
    }
}
