//! How large and deep a policy may be.

use std::num::NonZeroU32;

/// Bytes of Rego in a pack.
pub(crate) const SOURCE_BYTES: usize = 512 << 10;

/// Characters in a line (a tab counts four), as regorus has it.
pub(crate) const LINE_COLUMNS: NonZeroU32 = NonZeroU32::new(1024).unwrap();

/// Brackets of any kind inside each other. regorus parses each `[` and `{` twice, and what is inside it twice again:
/// 20 of them take half a minute.
pub(crate) const BRACKETS: usize = 12;

/// Work of parsing a file, in tokens, each counted twice for every `[` and `{` around it. A million is about a third of a
/// second where dependencies are optimised lightly.
pub(crate) const PARSE_WORK: u64 = 4 << 20;

/// Operators and dots on one level of brackets without a comma, a `;` or an assignment between them: the parser makes
/// a chain of them as deep as it is long.
pub(crate) const CHAIN: usize = 4_000;

/// `set(` in a file: regorus's lexer recurses when they stand inside each other.
pub(crate) const SET_CALLS: usize = 500;

/// Stack for parsing and checking: what the bounds above let through fits.
pub(crate) const ADMISSION_STACK: usize = 64 << 20;

/// How deep evaluation may nest: the heaviest way through the rules a rule needs, where an expression inside another
/// counts 1, a body or comprehension 3 and 3 more for each loop in it, and a rule 4. One unit takes at most 3 KiB of stack
/// in a build without optimisation of this crate, and a thread has 2 MiB.
pub(crate) const EVALUATION_DEPTH: usize = 300;
