//! Bounds on what a built-in may build. OPA has none of these: a call that exceeds one is a
//! [`BuiltinError`](crate::BuiltinError) here, never a different result.

/// Bytes of a string that a built-in makes (`sprintf` widths, `replace`, `concat`, `json.marshal`, …): 16 MiB.
pub const MAX_STRING_BYTES: usize = 16 << 20;

/// Elements of an array or set that a built-in makes (`numbers.range`, `net.cidr_expand`, …).
pub const MAX_ELEMENTS: usize = 1 << 20;

/// Digits of a number that takes part in arithmetic.
pub const MAX_NUMBER_DIGITS: i64 = 40_000;

/// Nesting of a value that is parsed, here or by `json.unmarshal`.
pub const MAX_DEPTH: usize = 512;

/// Bytes of a regular expression or glob.
pub const MAX_PATTERN_BYTES: usize = 64 << 10;

/// Bytes a compiled regular expression or glob may take.
pub const MAX_COMPILED_BYTES: usize = 32 << 20;

/// Compiled patterns a thread keeps.
pub const CACHED_PATTERNS: usize = 256;

/// Decimal exponent of a number with an exponent, as in OPA (2^100000).
pub const MAX_EXPONENT: i64 = 30_103;

/// Nesting of groups in a regular expression (OPA: 1000).
pub const MAX_PATTERN_NESTING: u32 = 250;
