//! URLs, as <https://url.spec.whatwg.org/> reads them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{Made, OfText};
use crate::contract::Pointer;
use crate::derive::room::Room;

/// See [`DeriveSpec::Url`](crate::derive::DeriveSpec::Url).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UrlSpec {
    /// The URL's text.
    pub source: Pointer,
    /// Which part.
    pub part: UrlPart,
}

/// A part of a URL, as <https://url.spec.whatwg.org/> normalises it; absent where the URL has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the parts of a URL name themselves")]
pub enum UrlPart {
    Scheme,
    Username,
    Host,
    /// An integer: the port written, or the scheme's own.
    Port,
    Path,
    Query,
}

#[derive(Debug)]
pub(super) struct Part(pub(super) UrlPart);

impl OfText for Part {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
        let part = match self.0 {
            UrlPart::Scheme => Some(url.scheme()),
            UrlPart::Username => Some(url.username()).filter(|name| !name.is_empty()),
            UrlPart::Host => url.host_str().filter(|host| !host.is_empty()),
            UrlPart::Port => return Ok(url.port_or_known_default().map(Value::from)),
            UrlPart::Path => Some(url.path()),
            UrlPart::Query => url.query(),
        };
        Ok(part.map(|part| Value::String(part.to_owned())))
    }
}
