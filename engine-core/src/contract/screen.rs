//! A last look at texts that leave in an artifact: personal data and credentials in the forms that are known are taken out,
//! whichever packs were asked. A deployment that looks for injections alone must not have its previews tell addresses.

use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::engine::Registry;
use crate::pack::{PackFiles, PackSource};

/// The detectors, in the form in which a pack declares them; `None` if they could not be compiled, which a test excludes.
static SCREEN: LazyLock<Option<PackSource>> = LazyLock::new(|| {
    let mut registry = Registry::new();
    registry.declare_absent("none");
    let manifest = include_bytes!("screen.yaml").to_vec();
    let files = PackFiles::new([("pack.yaml".to_owned(), manifest)]);
    PackSource::read("artifact-screen", files, &registry).ok()
});

/// The shortest credential that may have no digits, `xoxb-` and ten letters, in bytes.
const SHORTEST_WORD: usize = 15;

/// The text with `[filtered-…]` in the place of each finding; of one that cannot be looked through only the length.
pub(super) fn screened(text: &str) -> String {
    look_through(text).unwrap_or_else(|| format!("[{} characters]", text.chars().count()))
}

/// Whether there is nothing to find.
pub(super) fn is_clean(text: &str) -> bool {
    look_through(text).is_some_and(|screened| screened == text)
}

/// Whether there is nothing to find either where a text stands under a name, which may be what tells: `password`.
pub(super) fn is_clean_under(name: &str, text: &str) -> bool {
    is_clean(&format!("{name}: {text}"))
}

fn look_through(text: &str) -> Option<String> {
    // Many texts are a policy's word for what it found: nothing that is looked for is so short and without digits.
    if text.len() < SHORTEST_WORD
        && text.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '-' | ' ' | ';'))
    {
        return Some(text.to_owned());
    }
    let payload = json!({ "text": text });
    let derived = SCREEN.as_ref()?.derive.apply(&payload, Timestamp::UNIX_EPOCH).ok()?;
    derived.pointer("/derived/screened/text").and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_forms_are_taken_out() {
        assert!(SCREEN.is_some());
        for (text, shown) in [
            ("write to j.smith@example.org", "write to [filtered-email]"),
            ("paid with 4111 1111 1111 1111", "paid with [filtered-payment-card]"),
            ("https://user:hunter2@example.org/", "[filtered-basic-auth-url]/"),
            ("key AKIAIOSFODNN7EXAMPLE", "key [filtered-aws-access-key]"),
            ("AKIAIOSFODNNAEXAMPLE", "[filtered-aws-access-key]"),
            ("glpat-abcdefghijklmnopqrst", "[filtered-gitlab-token]"),
            ("xoxb-abcdefghij", "[filtered-slack-token]"),
            (
                "from 203.0.113.7 by 2001:db8::8:800:200c:417a",
                "from [filtered-ip-address] by [filtered-ip-address]",
            ),
        ] {
            assert_eq!(screened(text), shown);
            assert!(!is_clean(text));
        }
        for text in [
            "instruction_override; email",
            "engine_error:schema",
            "spiffe://poc.local/agents/mcp-client/dspy-researcher/dev",
            "https://shop.example/offers",
            "allow policy.biscuit:27",
            "018f0000-0000-7000-8000-000000000001",
            "/context/prompt",
            "0.1.2 of 2026-11-21T12:30:45Z, v1.2.3.4",
        ] {
            assert!(is_clean(text), "{text}: {}", screened(text));
        }
    }
}
