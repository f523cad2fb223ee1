//! URLs, as <https://url.spec.whatwg.org/> reads them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::{Host, Origin, Url};

use super::{Made, OfText, address};
use crate::contract::Pointer;
use crate::derive::room::Room;

/// See [`DeriveSpec::Url`](crate::derive::DeriveSpec::Url).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UrlSpec {
    /// The URL's text.
    pub source: Pointer,
    /// Which part; without it, a record of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<UrlPart>,
}

/// A part of a URL, as WHATWG normalises it; absent where the URL has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the parts of a URL name themselves")]
pub enum UrlPart {
    Scheme,
    Username,
    Password,
    Host,
    /// An integer: the port written, or the scheme's own.
    Port,
    Path,
    Query,
    Fragment,
    /// `scheme://host`, with the port where it is not the scheme's own; absent where WHATWG calls the origin opaque.
    Origin,
}

/// Reads a URL.
pub(super) fn read(text: &str) -> Result<Url, String> {
    Url::parse(text).map_err(|error| format!("is not a URL: {error}"))
}

/// The host of a URL. Of a scheme that WHATWG does not know, it leaves the host as it was written; whoever follows the URL
/// does not, so an address is one there too, and a name is lower-case and Punycode where it can be.
pub(super) fn host(url: &Url) -> Option<Host<String>> {
    match url.host()?.to_owned() {
        Host::Domain(name) if name.is_empty() => None,
        Host::Domain(name) if !url.is_special() => Some(Host::parse(&name).unwrap_or(Host::Domain(name))),
        host => Some(host),
    }
}

#[derive(Debug)]
pub(super) struct Part(pub(super) UrlPart);

impl OfText for Part {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        let url = read(text)?;
        let part = match self.0 {
            UrlPart::Scheme => Some(url.scheme()),
            UrlPart::Username => Some(url.username()).filter(|name| !name.is_empty()),
            UrlPart::Password => url.password(),
            UrlPart::Host => url.host_str().filter(|host| !host.is_empty()),
            UrlPart::Port => return Ok(url.port_or_known_default().map(Value::from)),
            UrlPart::Path => Some(url.path()),
            UrlPart::Query => url.query(),
            UrlPart::Fragment => url.fragment(),
            UrlPart::Origin => {
                return Ok(match url.origin() {
                    Origin::Opaque(_) => None,
                    origin @ Origin::Tuple(..) => Some(origin.ascii_serialization().into()),
                });
            }
        };
        Ok(part.map(Value::from))
    }
}

#[derive(Debug)]
pub(super) struct Record;

impl OfText for Record {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        let url = read(text)?;
        let host = host(&url);
        let (kind, scope) = match host {
            None => ("none", None),
            Some(Host::Domain(_)) => ("domain", None),
            Some(Host::Ipv4(host)) => ("ipv4", Some(address::scope(host.into()))),
            Some(Host::Ipv6(host)) => ("ipv6", Some(address::scope(host.into()))),
        };
        let mut record = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                record.insert(name.to_owned(), value);
            }
        };
        set("scheme", Some(url.scheme().into()));
        set("host", Some(host.map_or_else(String::new, |host| host.to_string()).into()));
        set("host_kind", Some(kind.into()));
        set("scope", scope.map(Value::from));
        set("port", url.port_or_known_default().map(Value::from));
        set("path", Some(url.path().into()));
        set("query", url.query().map(Value::from));
        set("fragment", url.fragment().map(Value::from));
        set("credentials", Some((!url.username().is_empty() || url.password().is_some()).into()));
        Ok(Some(Value::Object(record)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_url_is_read_as_a_browser_does() {
        for (text, expected) in [
            (
                "HTTPS://User:p%40ss@EXAMPLE.org:443/a/../b%41?q=1#top",
                json!({"scheme": "https", "host": "example.org", "host_kind": "domain", "port": 443, "path": "/b%41",
                       "query": "q=1", "fragment": "top", "credentials": true}),
            ),
            (
                "http://0x7f.1:8080",
                json!({"scheme": "http", "host": "127.0.0.1", "host_kind": "ipv4", "scope": "loopback", "port": 8080,
                       "path": "/", "credentials": false}),
            ),
            (
                "https://[::ffff:169.254.169.254]/latest",
                json!({"scheme": "https", "host": "[::ffff:a9fe:a9fe]", "host_kind": "ipv6", "scope": "metadata",
                       "port": 443, "path": "/latest", "credentials": false}),
            ),
            (
                "http:\\\\faß.example\\x",
                json!({"scheme": "http", "host": "xn--fa-hia.example", "host_kind": "domain", "port": 80, "path": "/x",
                       "credentials": false}),
            ),
            (
                "gopher://0xA9FEA9FE:80/_GET",
                json!({"scheme": "gopher", "host": "169.254.169.254", "host_kind": "ipv4", "scope": "metadata", "port": 80,
                       "path": "/_GET", "credentials": false}),
            ),
            (
                "ssh://Git.EXAMPLE/x",
                json!({"scheme": "ssh", "host": "git.example", "host_kind": "domain", "path": "/x", "credentials": false}),
            ),
            (
                "odd://a%00b/",
                json!({"scheme": "odd", "host": "a%00b", "host_kind": "domain", "path": "/", "credentials": false}),
            ),
            (
                "mailto:someone@example.org",
                json!({"scheme": "mailto", "host": "", "host_kind": "none", "path": "someone@example.org",
                       "credentials": false}),
            ),
            (
                "file:///etc/passwd",
                json!({"scheme": "file", "host": "", "host_kind": "none", "path": "/etc/passwd", "credentials": false}),
            ),
            (
                " ja\nvascript:alert(1) ",
                json!({"scheme": "javascript", "host": "", "host_kind": "none", "path": "alert(1)", "credentials": false}),
            ),
        ] {
            assert_eq!(Record.of_text(text, &Room::new()), Ok(Some(expected)), "{text}");
        }
        for text in
            ["", "/relative", "example.org", "http://", "http://1.2.3.256/", "http://a b/", "http://[::1"]
        {
            assert!(Record.of_text(text, &Room::new()).unwrap_err().starts_with("is not a URL: "), "{text}");
        }
    }

    #[test]
    fn a_part_that_is_not_there_is_absent() {
        use UrlPart::{Fragment, Host, Origin, Password, Path, Port, Query, Scheme, Username};
        let full = "https://u:p@h.example:8443/p?q#f";
        for (part, text, expected) in [
            (Scheme, full, Some(json!("https"))),
            (Username, full, Some(json!("u"))),
            (Password, full, Some(json!("p"))),
            (Host, full, Some(json!("h.example"))),
            (Port, full, Some(json!(8443))),
            (Path, full, Some(json!("/p"))),
            (Query, full, Some(json!("q"))),
            (Fragment, full, Some(json!("f"))),
            (Origin, full, Some(json!("https://h.example:8443"))),
            (Origin, "https://h.example:443/x", Some(json!("https://h.example"))),
            (Origin, "data:text/html,x", None),
            (Username, "https://h/", None),
            (Password, "https://u@h/", None),
            (Host, "data:,x", None),
            (Port, "data:,x", None),
            (Query, "https://h/", None),
            (Fragment, "https://h/", None),
        ] {
            assert_eq!(Part(part).of_text(text, &Room::new()), Ok(expected), "{part:?} {text}");
        }
    }
}
