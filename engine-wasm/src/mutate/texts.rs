//! Small changes of texts.

/// How much of a text is shown in front of a change, and in all.
const SHOWN_BEFORE: usize = 12;
const SHOWN: usize = 48;

/// The text with its last character another one of its kind; nothing for an empty one.
pub(super) fn other_end(text: &str) -> Option<String> {
    let last = text.chars().next_back()?;
    let other = match last {
        'a'..='y' | 'A'..='Y' | '0'..='8' => char::from_u32(u32::from(last) + 1)?,
        'z' => 'y',
        'Z' => 'Y',
        '9' => '8',
        '-' => '_',
        _ => '-',
    };
    Some(text.strip_suffix(last)?.chars().chain([other]).collect())
}

/// Wider and narrower patterns in place of one for `glob.match`.
pub(super) fn globs(pattern: &str) -> Vec<String> {
    match pattern.split_once('*') {
        // `**` is already the widest.
        Some((before, after)) if !after.starts_with('*') => {
            vec![format!("{before}{after}"), format!("{before}**{after}")]
        }
        _ => Vec::new(),
    }
}

/// Other patterns in place of a regular expression.
pub(super) fn regexes(pattern: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(rest) = pattern.strip_prefix("(?i)") {
        found.push(rest.to_owned());
    }
    // One alternative fewer: the first that is a plain word.
    if let Some((before, after)) = pattern.split_once("(?:")
        && let Some((word, rest)) = after.split_once('|')
        && !word.is_empty()
        && word.chars().all(char::is_alphanumeric)
    {
        found.push(format!("{before}(?:{rest}"));
    }
    // As much of something becomes exactly one of it.
    if let Some((before, after)) = pattern.split_once(['+', '*'])
        && !before.ends_with('\\')
        && !after.starts_with('?')
    {
        found.push(format!("{before}{after}"));
    }
    for anchored in [pattern.strip_prefix('^'), pattern.strip_suffix('$')].into_iter().flatten() {
        found.push(anchored.to_owned());
    }
    found
}

/// Two texts that differ, as far as it takes to see where.
pub(super) fn difference(before: &str, after: &str) -> (String, String) {
    let common = before.chars().zip(after.chars()).take_while(|(before, after)| before == after).count();
    let start = if before.chars().count().max(after.chars().count()) > SHOWN {
        common.saturating_sub(SHOWN_BEFORE)
    } else {
        0
    };
    (excerpt(before, start), excerpt(after, start))
}

fn excerpt(text: &str, start: usize) -> String {
    let rest: String = text.chars().skip(start).collect();
    let shown = shortened(&rest);
    serde_json::Value::from(if start > 0 { format!("…{shown}") } else { shown }).to_string()
}

/// The beginning of a text.
pub(super) fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_otherwise() {
        for (text, other) in [("dev", "dew"), ("z", "y"), ("v9", "v8"), ("a-", "a_"), ("/", "-"), ("é", "-")]
        {
            assert_eq!(other_end(text).as_deref(), Some(other));
        }
        assert_eq!(other_end(""), None);
    }

    #[test]
    fn patterns_become_wider_and_narrower() {
        assert_eq!(globs("a/*/b"), ["a//b", "a/**/b"]);
        assert!(globs("a/**").is_empty() && globs("a").is_empty());
        assert_eq!(
            regexes("(?i)(?:send|post)x+"),
            ["(?:send|post)x+", "(?i)(?:post)x+", "(?i)(?:send|post)x"]
        );
        assert_eq!(regexes("^a$"), ["a$", "^a"]);
        assert!(regexes(r"a\+b").is_empty());
    }

    #[test]
    fn a_difference_in_a_long_text_is_shown() {
        let long = format!("{}end{}", "x".repeat(100), "y".repeat(100));
        let (before, after) = difference(&long, &long.replace("end", "and"));
        assert_ne!(before, after);
        assert!(before.chars().count() < 60 && before.starts_with("\"…xxxx"), "{before}");
        assert_eq!(difference("a", "b"), ("\"a\"".to_owned(), "\"b\"".to_owned()));
    }
}
