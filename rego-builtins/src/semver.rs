//! `semver.*`: Semantic Versioning 2.0.0 as OPA reads it, a leading `v` allowed.

use std::cmp::Ordering;

use crate::builtin::{Builtin, Context, Outcome, done, fail};
use crate::operand::{operands, string};
use crate::value::Value;

pub(crate) const BUILTINS: &[Builtin] =
    &[Builtin::new("semver.compare", 2, compare), Builtin::new("semver.is_valid", 1, is_valid)];

struct Version<'a> {
    core: [i64; 3],
    pre_release: &'a str,
}

fn is_valid(_: &Context, args: &[Value]) -> Outcome {
    let [version] = operands(args)?;
    done(version.as_str().is_some_and(|text| parse(text).is_some()))
}

fn compare(_: &Context, args: &[Value]) -> Outcome {
    let [a, b] = operands(args)?;
    let (a, b) = (string(a, 1)?, string(b, 2)?);
    let Some(left) = parse(a) else {
        return fail(format!("operand 1: string {a} is not a valid SemVer"));
    };
    let Some(right) = parse(b) else {
        return fail(format!("operand 2: string {b} is not a valid SemVer"));
    };
    let order = match left.core.cmp(&right.core) {
        Ordering::Equal => pre_releases(left.pre_release, right.pre_release),
        other => Some(other),
    };
    match order {
        Some(order) => done(order as i64),
        // OPA never comes back from these.
        None => fail("pre-releases differ in numbers that are out of range only"),
    }
}

fn parse(text: &str) -> Option<Version<'_>> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (text, metadata) =
        text.split_once('+').map_or((text, None), |(text, metadata)| (text, Some(metadata)));
    let (text, pre_release) = text.split_once('-').map_or((text, None), |(text, pre)| (text, Some(pre)));
    if !metadata.is_none_or(identifiers) {
        return None;
    }
    let no_leading_zeros =
        |pre: &str| !pre.split('.').any(|id| id.len() > 1 && id.starts_with('0') && decimal(id));
    if !pre_release.is_none_or(|pre| identifiers(pre) && no_leading_zeros(pre)) {
        return None;
    }
    let mut numbers = text.split('.').map(numeric);
    let core = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(Version { core, pre_release: pre_release.unwrap_or("") })
}

/// Dot-separated, none empty.
fn identifiers(text: &str) -> bool {
    text.split('.').all(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

fn decimal(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())
}

fn numeric(text: &str) -> Option<i64> {
    (decimal(text) && (text.len() == 1 || !text.starts_with('0'))).then(|| text.parse().ok()).flatten()
}

/// `None` where identifiers differ only in numbers beyond 64 bits.
fn pre_releases(a: &str, b: &str) -> Option<Ordering> {
    match (a, b) {
        _ if a == b => return Some(Ordering::Equal),
        ("", _) => return Some(Ordering::Greater),
        (_, "") => return Some(Ordering::Less),
        _ => {}
    }
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return None,
            (None, Some(_)) => return Some(Ordering::Less),
            (Some(_), None) => return Some(Ordering::Greater),
            (Some(x), Some(y)) => match (decimal(x), decimal(y)) {
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                // Go's `Atoi` gives its bound for what is out of range.
                (true, true) => x.parse().unwrap_or(i64::MAX).cmp(&y.parse().unwrap_or(i64::MAX)),
                (false, false) => x.cmp(y),
            },
        };
        if order != Ordering::Equal {
            return Some(order);
        }
    }
}
