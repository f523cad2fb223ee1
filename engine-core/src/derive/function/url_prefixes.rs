//! What an allow list can be compared with: a URL's canonical beginnings.

use serde_json::Value;
use url::{Host, Url};

use super::encoding::percent_to_the_end;
use super::url::{host, read};
use super::{Made, OfText};
use crate::derive::room::Room;

/// Most segments of a path.
const SEGMENTS: usize = 63;
/// Most segments of a beginning: with more, all beginnings together would grow with the square of the path for longer.
const DEEPEST: usize = 16;

/// `https://h:443/`, `https://h:443/docs`, `https://h:443/docs/api` of `https://h/docs/api`: a policy allows a URL if one of
/// them is in its set. None is deeper than [`DEEPEST`] segments. What could lead elsewhere than it seems to is refused.
#[derive(Debug)]
pub(super) struct UrlPrefixes;

impl OfText for UrlPrefixes {
    fn of_text(&self, text: &str, room: &Room) -> Made {
        let url = read(text)?;
        let Some(host) = canonical_host(&url)? else { return Ok(None) };
        let path = path(&url)?;
        let port = url.port_or_known_default().map_or_else(String::new, |port| format!(":{port}"));
        let origin = format!("{}://{host}{port}", url.scheme());

        // A slash ends a beginning, and so does the end; the first slash belongs to each.
        let ends: Vec<usize> = path
            .match_indices('/')
            .map(|(at, _)| at)
            .skip(1)
            .chain((path.len() > 1).then_some(path.len()))
            .collect();
        if ends.len() > SEGMENTS {
            return Err(format!("has a path of {} segments, more than {SEGMENTS}", ends.len()));
        }
        let ends = || ends.iter().copied().take(DEEPEST);
        room.holds((origin.len() + path.len()) * (ends().len() + 1), ends().len() + 2)?;
        let mut prefixes = vec![format!("{origin}/")];
        for end in ends() {
            let prefix = format!("{origin}{}", path.get(..end).unwrap_or(&path));
            // `//x` begins with an empty segment.
            if prefixes.last() != Some(&prefix) {
                prefixes.push(prefix);
            }
        }
        Ok(Some(Value::Array(prefixes.into_iter().map(Value::from).collect())))
    }
}

/// The host in lower case and Punycode, without a trailing dot; addresses in their one form. `None` for a URL without one.
fn canonical_host(url: &Url) -> Result<Option<String>, String> {
    match host(url) {
        None => Ok(None),
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(&name);
            if name.is_empty() || name.ends_with('.') {
                return Err("is a URL whose host ends in dots".to_owned());
            }
            // What could not be read as a host is still encoded.
            if !Host::parse(name).is_ok_and(|host| host.to_string() == name) {
                return Err("is a URL whose host is none".to_owned());
            }
            Ok(Some(name.to_owned()))
        }
        Some(address) => Ok(Some(address.to_string())),
    }
}

/// The path, decoded until nothing is encoded any more: whichever of its readers decodes how often, it leads to no other
/// place than it says.
fn path(url: &Url) -> Result<String, String> {
    let path = percent_to_the_end(url.path()).ok_or("is a URL whose path is not UTF-8")?;
    if path.chars().any(|char| char == '\\' || char.is_control()) {
        return Err("is a URL whose path hides a backslash or a control character".to_owned());
    }
    // Some servers cut a segment at its first `;` before they look at the dots.
    let leads_up = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    if path.split('/').any(leads_up) {
        return Err("is a URL whose path hides a `.` or `..`".to_owned());
    }
    Ok(if path.starts_with('/') { path } else { format!("/{path}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prefixes(text: &str) -> Result<Option<Vec<String>>, String> {
        let made = UrlPrefixes.of_text(text, &Room::new())?;
        Ok(made.map(|list| {
            list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        }))
    }

    #[test]
    fn a_url_begins_in_one_way_however_it_is_written() {
        for (text, expected) in [
            ("https://h.example", &["https://h.example:443/"] as &[&str]),
            (
                "HTTPS://H.Example.:443/docs/api?q=../x#f",
                &["https://h.example:443/", "https://h.example:443/docs", "https://h.example:443/docs/api"],
            ),
            ("https://u:p@h.example/", &["https://h.example:443/"]),
            (
                "https://h.example\\@evil.example/",
                &[
                    "https://h.example:443/",
                    "https://h.example:443/@evil.example",
                    "https://h.example:443/@evil.example/",
                ],
            ),
            ("https://h.example@evil.example/", &["https://evil.example:443/"]),
            ("http://h.example:8080/a/../b", &["http://h.example:8080/", "http://h.example:8080/b"]),
            ("http://h.example/a/%2e%2e/b", &["http://h.example:80/", "http://h.example:80/b"]),
            (
                "http://h.example/a%2Fb",
                &["http://h.example:80/", "http://h.example:80/a", "http://h.example:80/a/b"],
            ),
            ("http://h.example/%2541%42", &["http://h.example:80/", "http://h.example:80/AB"]),
            (
                "http://h.example/a/",
                &["http://h.example:80/", "http://h.example:80/a", "http://h.example:80/a/"],
            ),
            ("http://h.example//a", &["http://h.example:80/", "http://h.example:80//a"]),
            ("http://h.example/caf%C3%A9", &["http://h.example:80/", "http://h.example:80/café"]),
            (
                "http://h.example/..a/b..",
                &["http://h.example:80/", "http://h.example:80/..a", "http://h.example:80/..a/b.."],
            ),
            ("http://FAẞ.example/", &["http://xn--fa-hia.example:80/"]),
            ("http://2130706433/", &["http://127.0.0.1:80/"]),
            ("http://127.0.0.1./", &["http://127.0.0.1:80/"]),
            ("http://[0:0::1]/", &["http://[::1]:80/"]),
            ("ssh://Git.Example./repo", &["ssh://git.example/", "ssh://git.example/repo"]),
            ("redis://0x7f.1:6379", &["redis://127.0.0.1:6379/"]),
            ("redis://%65xample.org/0", &["redis://example.org/", "redis://example.org/0"]),
        ] {
            let expected = expected.iter().map(|&text| text.to_owned()).collect();
            assert_eq!(prefixes(text), Ok(Some(expected)), "{text}");
        }
        for text in ["mailto:a@example.org", "data:text/html,x", "file:///etc/passwd", "javascript:alert(1)"]
        {
            assert_eq!(prefixes(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn a_path_that_leads_elsewhere_than_it_seems_is_refused() {
        for (text, says) in [
            ("http://h/docs%2f..%2fadmin", "hides a `.` or `..`"),
            ("http://h/docs/%252e%252e/admin", "hides a `.` or `..`"),
            ("http://h/docs/%25252e%25252e/admin", "hides a `.` or `..`"),
            ("http://h/docs/.%252e/admin", "hides a `.` or `..`"),
            ("http://h/docs/..;/admin", "hides a `.` or `..`"),
            ("http://h/docs/%2e%2e;x=1/admin", "hides a `.` or `..`"),
            ("http://h/docs%5c..%5cadmin", "hides a backslash"),
            ("http://h/docs%255cadmin", "hides a backslash"),
            ("http://h/a%00b", "control character"),
            ("http://h/a%0d%0ab", "control character"),
            ("http://h/%c0%ae%c0%ae/", "not UTF-8"),
            ("http://h/%ff", "not UTF-8"),
            ("http://h../", "ends in dots"),
            ("http://./", "ends in dots"),
            ("ssh://a%00b/", "whose host is none"),
            ("ssh://h/a\\..\\b", "hides a backslash"),
            ("nothing", "is not a URL"),
        ] {
            let refused = prefixes(text).unwrap_err();
            assert!(refused.contains(says), "{text}: {refused}");
        }
        let deep = |segments: usize| format!("http://h{}", "/a".repeat(segments));
        for (segments, found) in [(0, 1), (15, 16), (16, 17), (17, 17), (63, 17)] {
            let prefixes = prefixes(&deep(segments)).unwrap().unwrap();
            assert_eq!(prefixes.len(), found, "{segments}");
            assert_eq!(prefixes.last().unwrap().matches("/a").count(), segments.min(DEEPEST));
        }
        assert!(prefixes(&deep(64)).unwrap_err().contains("a path of 64 segments, more than 63"));
        let long = format!("http://h/{}/b", "a".repeat(3 << 20));
        assert!(prefixes(&long).unwrap_err().contains("4 MiB"));
    }

    /// Segments that mean something to somebody, and their encodings.
    fn segment() -> impl Strategy<Value = String> {
        prop::collection::vec(
            prop::sample::select(vec![
                ".", "..", "%2e", "%2E", "%252e", "%2f", "%5c", "%255c", "%25", "25", "2e", "a", "docs", ";",
                "\\", "%00", "%c3%a9", "%ff", "é", " ", "?", "#", "@", ":", "%",
            ]),
            0..4,
        )
        .prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn no_prefix_leads_up(
            scheme in prop::sample::select(vec!["http", "HTTPS", "ssh", "file"]),
            host in prop::sample::select(vec!["h.example", "H.EXAMPLE.", "0x7f.1", "[::1]", "u:p@h", "h\\@x", ""]),
            segments in prop::collection::vec(segment(), 0..6),
        ) {
            let text = format!("{scheme}://{host}/{}", segments.join("/"));
            if let Ok(Some(prefixes)) = prefixes(&text) {
                prop_assert!(prefixes.len() <= DEEPEST + 1);
                for (index, prefix) in prefixes.iter().enumerate() {
                    let (_, rest) = prefix.split_once("://").unwrap();
                    let (_, path) = rest.split_once('/').unwrap();
                    prop_assert!(path.split('/').all(|segment| segment != ".." && segment != "."), "{prefix}");
                    prop_assert!(!path.contains('\\'), "{prefix}");
                    // Decoding changes nothing, so no reader sees another path.
                    let decoded = percent_to_the_end(path);
                    prop_assert_eq!(decoded.as_deref(), Some(path));
                    prop_assert!(index == 0 || prefix.starts_with(prefixes[index - 1].as_str()));
                }
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
            if let Ok(Some(prefixes)) = prefixes(&text) {
                prop_assert!(!prefixes.is_empty());
            }
        }
    }
}
