//! `plain`, `markup` and `scan`: functions that read a text as people, browsers and models do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Made, OfText};
use crate::contract::Pointer;
use crate::derive::objection::Objection;
use crate::derive::reading::{Segment, fold, markup};
use crate::derive::room::Room;
use crate::derive::scan;
use crate::derive::scan::spec::ScanSpec;

/// See [`DeriveSpec::Markup`](crate::derive::DeriveSpec::Markup).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkupSpec {
    /// The text.
    pub source: Pointer,
    /// Which part.
    pub part: MarkupPart,
}

/// What there is in HTML and Markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarkupPart {
    /// The text that a reader sees, line by line.
    Visible,
    /// The texts that a reader does not see: comments, hidden elements, alternative texts, titles.
    Hidden,
    /// Where links lead, and the URLs that stand in the text.
    Links,
    /// Where images come from, and what else is fetched unasked.
    Images,
}

/// See [`DeriveSpec::Plain`](crate::derive::DeriveSpec::Plain).
#[derive(Debug)]
pub(super) struct Plain;

impl OfText for Plain {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        let read = fold::plain(text).map_err(|error| error.to_string())?;
        Ok(Some(read.text().into()))
    }
}

#[derive(Debug)]
pub(super) struct Markup(pub(super) MarkupPart);

impl OfText for Markup {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        let read = markup::read(text).map_err(|error| error.to_string())?;
        let texts =
            |segments: Vec<Segment>| segments.into_iter().map(|segment| Value::from(segment.text)).collect();
        Ok(Some(match self.0 {
            MarkupPart::Visible => read.lines().into(),
            MarkupPart::Hidden => Value::Array(texts(read.hidden)),
            MarkupPart::Links => Value::Array(texts(read.links)),
            MarkupPart::Images => Value::Array(texts(read.images)),
        }))
    }
}

/// A scan with the rules that the pack's data puts in force.
#[derive(Debug)]
pub(super) struct Scan {
    scan: scan::Scan,
    enabled: scan::Enabled,
}

impl Scan {
    pub(super) fn compile(spec: &ScanSpec, data: &Value) -> Result<Self, Vec<Objection>> {
        let scan = scan::Scan::compile(spec)?;
        let enabled = match &spec.enabled {
            None => scan::Enabled::ALL,
            Some(from) => scan.enabled(from.texts(data)?)?,
        };
        Ok(Self { scan, enabled })
    }
}

impl OfText for Scan {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        self.scan.call(text, &self.enabled).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::derive::{DerivePlan, PackData};
    use crate::document::Document;
    use crate::engine::LoadErrors;

    fn plan(yaml: &str, data: &str) -> Result<DerivePlan, LoadErrors> {
        let manifest = Document::parse("pack.yaml", yaml.as_bytes())?;
        let data = Document::parse("data.json", data.as_bytes())?;
        let specs = serde_json::from_value(manifest.value["derive"].clone()).unwrap();
        DerivePlan::compile(&specs, &manifest, PackData::from(&data))
    }

    const DECLARED: &str = r"
derive:
  folded: {plain: {source: /text}}
  seen: {markup: {source: /text, part: visible}}
  unseen: {markup: {source: /texts, part: hidden}}
  links: {markup: {source: /text, part: links}}
  pii:
    scan:
      source: /texts
      enabled: {data: /rules}
      rules:
        email: {detector: email}
        card: {detector: payment_card}
  again: {scan: {source: /derived/folded, rules: {name: {pattern: jane, example: jane}}}}
";

    #[test]
    fn members_are_derived_from_texts_and_lists_of_texts() {
        let request = json!({
            "text": "<b>Jané</b> at <!-- not --> [home](https://x.test)",
            "texts": ["a@b.org 4111111111111111", "<!-- Do it -->"],
        });
        let plan = plan(DECLARED, r#"{"rules": ["email"]}"#).unwrap();
        let derived =
            plan.apply(&request, "2026-11-21T00:00:00Z".parse().unwrap()).unwrap()["derived"].clone();
        assert_eq!(
            derived,
            json!({
                "folded": "<b>jane</b> at <!-- not --> [home](https://x.test)",
                "seen": "Jané at home",
                "unseen": [[], ["do it"]],
                "links": ["https://x.test"],
                "pii": [
                    {"found": ["email"], "count": 1, "text": "[filtered-email] 4111111111111111"},
                    {"found": [], "count": 0, "text": "<!-- Do it -->"},
                ],
                "again": {
                    "found": ["name"], "count": 1,
                    "text": "<b>[filtered-name]</b> at <!-- not --> [home](https://x.test)",
                },
            })
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (data, says) in [
            (
                r#"{"rules": ["email", "mail"]}"#,
                "data.json:1:21: there is no rule `mail`; there are card, email",
            ),
            (r#"{"rules": "email"}"#, "data.json:1:2: a list of texts is wanted here"),
            (r#"{}"#, "there is no `/rules` in the data"),
        ] {
            let errors = plan(DECLARED, data).unwrap_err().to_string();
            assert!(errors.contains(says), "{errors}");
        }
        let yaml = "derive: {a: {scan: {source: /x, rules: {b: {pattern: 'a*', example: a}}}}}";
        let errors = plan(yaml, "{}").unwrap_err().to_string();
        assert!(errors.contains("pack.yaml:1:45: the pattern matches the empty text"), "{errors}");
    }
}
