//! OPA's built-in functions as pure Rust functions over one small value type, exact to OPA 1.22.0 (topdown).
//!
//! Nothing here does I/O, reads a clock or draws random numbers; the one instant a policy may know comes in through
//! [`Context`]. The crate knows nothing of decisions or engines, and compiles to `wasm32-unknown-unknown`.
//!
//! ```
//! use tribunal_rego_builtins::{Context, Value, lookup};
//!
//! let sprintf = lookup("sprintf").ok_or("missing")?;
//! let args = [Value::from("%d of %s"), Value::parse_json(r#"[-7, {"a": 1.0}]"#)?];
//! let text = sprintf.call(&Context { now_ns: 0 }, &args)?;
//! assert_eq!(text, Some(Value::from(r#"-7 of {"a": 1.0}"#)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Map
//! - `value`, `number`: [`Value`] and its total order; [`Number`], kept as written and compared by value
//! - `parse`, `print`, `quote`: JSON, OPA's value format, OPA's own text of a value
//! - `builtin`, `operand`: [`Builtin`], the table ([`all`], [`lookup`]), the checks of arguments
//! - [`limits`]: what a call may build; OPA has no such bounds
//! - `float`: Go's `big.Float`, through which OPA's fractions go; `go_float`: doubles as Go prints them
//! - `re2`, `cache`: Go's regular expressions on the linear-time `regex` crate, compiled once a thread
//! - `path`, `replacer`, `civil`, `layout`, `time_text`, `duration`: what the groups below are made of
//! - one module a group of built-ins, see the table
//!
//! # Built-ins
//! | module | built-ins |
//! |---|---|
//! | `arithmetic` | `abs`, `bits.and`, `bits.lsh`, `bits.negate`, `bits.or`, `bits.rsh`, `bits.xor`, `ceil`, `div`, `floor`, `minus`, `mul`, `numbers.range`, `numbers.range_step`, `plus`, `rem`, `round` |
//! | `collections` | `all`, `and`, `any`, `array.concat`, `array.flatten`, `array.reverse`, `array.slice`, `count`, `equal`, `gt`, `gte`, `internal.member_2`, `internal.member_3`, `intersection`, `is_array`, `is_boolean`, `is_null`, `is_number`, `is_object`, `is_set`, `is_string`, `lt`, `lte`, `max`, `min`, `neq`, `or`, `product`, `set_diff`, `sort`, `sum`, `to_number`, `type_name`, `union` |
//! | `crypto` | `crypto.hmac.equal`, `crypto.hmac.md5`, `crypto.hmac.sha1`, `crypto.hmac.sha256`, `crypto.hmac.sha512`, `crypto.md5`, `crypto.sha1`, `crypto.sha256` |
//! | `encoding` | `base64.decode`, `base64.encode`, `base64.is_valid`, `base64url.decode`, `base64url.encode`, `base64url.encode_no_pad`, `hex.decode`, `hex.encode`, `urlquery.decode`, `urlquery.decode_object`, `urlquery.encode`, `urlquery.encode_object` |
//! | `glob` | `glob.match`, `glob.quote_meta` |
//! | `graph` | `graph.reachable` |
//! | `json` | `json.filter`, `json.is_valid`, `json.marshal`, `json.marshal_with_options`, `json.remove`, `json.unmarshal` |
//! | `net` | `net.cidr_contains`, `net.cidr_contains_matches`, `net.cidr_expand`, `net.cidr_intersects`, `net.cidr_is_valid`, `net.cidr_overlap` |
//! | `object` | `object.filter`, `object.get`, `object.keys`, `object.remove`, `object.subset`, `object.union`, `object.union_n` |
//! | `patch` | `json.patch` |
//! | `regex` | `re_match`, `regex.find_all_string_submatch_n`, `regex.find_n`, `regex.is_valid`, `regex.match`, `regex.replace`, `regex.split`, `regex.template_match` |
//! | `semver` | `semver.compare`, `semver.is_valid` |
//! | `sprintf` | `sprintf` |
//! | `strings` | `concat`, `contains`, `endswith`, `format_int`, `indexof`, `indexof_n`, `lower`, `replace`, `split`, `startswith`, `strings.any_prefix_match`, `strings.any_suffix_match`, `strings.count`, `strings.replace_n`, `strings.reverse`, `strings.split_n`, `substring`, `trim`, `trim_left`, `trim_prefix`, `trim_right`, `trim_space`, `trim_suffix`, `upper` |
//! | `time` | `time.add_date`, `time.clock`, `time.date`, `time.diff`, `time.format`, `time.now_ns`, `time.parse_duration_ns`, `time.parse_ns`, `time.parse_rfc3339_ns`, `time.weekday` |
//! | `units` | `units.parse`, `units.parse_bytes` |
//!
//! # Differences from OPA
//! - What exceeds [`limits`] fails, where OPA would go on.
//! - Strings are UTF-8. A result that is not (`base64.decode`, `hex.decode`, `urlquery.decode`, replacing the empty
//!   string within a character) fails.
//! - Numbers of more than 19 digits compare exactly; OPA takes two of them for equal if their doubles are.
//! - `to_number` refuses the hexadecimal texts Go reads.
//! - Where OPA 1.22.0 panics or never returns, the call fails: `json.patch` that removes the whole document,
//!   `semver.compare` of pre-releases that differ in numbers beyond 64 bits only.
//! - `json.patch`: an array's element is found where it now is; OPA looks for one it has not touched yet at that
//!   index of the original array.
//! - Time zones are those of the bundled database, OPA's those of the machine; `Local` is refused.
//! - `time.add_date` fails where Go's calendar overflows.
//! - `sprintf`: `%p` of a big integer, an address in Go, fails.

mod arithmetic;
mod builtin;
mod cache;
mod civil;
mod collections;
mod crypto;
mod duration;
mod encoding;
mod float;
mod glob;
mod go_float;
mod graph;
mod json;
mod layout;
pub mod limits;
mod net;
mod number;
mod object;
mod operand;
mod parse;
mod patch;
mod path;
mod print;
mod quote;
mod re2;
mod regex;
mod replacer;
mod semver;
mod sprintf;
mod strings;
mod time;
mod time_text;
mod units;
mod value;

pub use builtin::{Builtin, BuiltinError, Context, all, lookup};
pub use number::{Number, NumberError};
pub use parse::ParseError;
pub use value::{UnrepresentableNumber, Value};

/// The built-ins, a slice a module.
fn groups() -> Vec<&'static [Builtin]> {
    vec![
        arithmetic::BUILTINS,
        collections::BUILTINS,
        crypto::BUILTINS,
        encoding::BUILTINS,
        glob::BUILTINS,
        graph::BUILTINS,
        json::BUILTINS,
        net::BUILTINS,
        object::BUILTINS,
        patch::BUILTINS,
        regex::BUILTINS,
        semver::BUILTINS,
        sprintf::BUILTINS,
        strings::BUILTINS,
        time::BUILTINS,
        units::BUILTINS,
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_lists_all_built_ins() {
        let rows =
            include_str!("lib.rs").lines().skip_while(|line| *line != "//! | module | built-ins |").skip(2);
        let rows = rows.take_while(|line| line.starts_with("//! |"));
        let listed: BTreeSet<&str> = rows
            .flat_map(|row| {
                row.split('|').nth(2).unwrap().split(", ").map(|name| name.trim().trim_matches('`'))
            })
            .collect();
        assert_eq!(listed, all().iter().map(|builtin| builtin.name).collect());
    }

    #[test]
    fn names_are_unique_and_found() {
        assert!(all().windows(2).all(|pair| pair[0].name < pair[1].name));
        assert!(all().iter().all(|builtin| std::ptr::eq(lookup(builtin.name).unwrap(), builtin)));
        assert!(lookup("http.send").is_none() && lookup("").is_none());
    }

    #[test]
    fn arity_is_checked() {
        let error = lookup("concat").unwrap().call(&Context { now_ns: 0 }, &[]).unwrap_err();
        assert_eq!(error.to_string(), "concat: takes 2 arguments but got 0");
    }

    fn outcome(name: &str, args: &str) -> Result<Option<Value>, BuiltinError> {
        let Ok(Value::Array(args)) = Value::parse_rego(&format!("[{args}]")) else { panic!("{args}") };
        lookup(name).unwrap().call(&Context { now_ns: 5 }, &args)
    }

    #[test]
    fn what_would_grow_without_bound_fails() {
        for (name, args) in [
            ("numbers.range", "1, 20000000"),
            ("numbers.range", "0, 1e30"),
            ("sprintf", &format!(r#""{}", [{}]"#, "%1000000d".repeat(18), ["1"; 18].join(","))),
            ("bits.lsh", "1, 1000000000"),
            ("mul", "1e30000, 1e30000"),
            ("product", "[1.5e30000, 1e30000]"),
            ("net.cidr_expand", r#""::/1""#),
            (
                "regex.match",
                r#""(\\pL{1000}){1}(\\pN{1000})(\\pS{1000})(\\pL{1000})(\\pL{1000})(\\pL{1000})", "a""#,
            ),
            ("replace", &format!(r#""{}", "a", "{}""#, "a".repeat(10_000), "b".repeat(10_000))),
            ("regex.replace", &format!(r#""{}", "a", "{}""#, "a".repeat(10_000), "b".repeat(10_000))),
            ("json.unmarshal", &format!("{:?}", "[".repeat(5000) + &"]".repeat(5000))),
        ] {
            assert!(outcome(name, args).is_err(), "{name}");
        }
    }

    #[test]
    fn what_opa_cannot_answer_fails() {
        assert!(outcome("json.patch", r#"{}, [{"op": "remove", "path": ""}]"#).is_err());
        assert!(
            outcome("semver.compare", r#""1.0.0-99999999999999999999", "1.0.0-99999999999999999998""#)
                .is_err()
        );
        assert!(outcome("base64.decode", r#""/w==""#).is_err());
        assert!(outcome("time.date", r#"[0, "Local"]"#).is_err());
    }

    #[test]
    fn the_clock_is_the_contexts() {
        assert_eq!(outcome("time.now_ns", ""), Ok(Some(Value::from(5i64))));
    }
}
