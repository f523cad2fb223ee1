//! Sizes that are varied: requests that are filled, and packs made with so many rules or so much data.

use serde_json::{Value, json};
use tribunal::core::pack::PackFiles;

use crate::report::data::Point;
use crate::run::BenchError;

/// A pack that was made.
#[derive(Debug)]
pub struct Made {
    /// What it is called in a workshop.
    pub name: String,
    /// What reports call its place.
    pub origin: String,
    /// Its files.
    pub files: PackFiles,
    /// What keeps it from being measured, if anything does.
    pub missing: Option<String>,
}

/// A pack of this size.
///
/// # Errors
/// If none can be made.
pub fn made(point: Option<&Point>) -> Result<Made, BenchError> {
    Err(BenchError::Input(format!("no pack is made for {point:?}")))
}

/// A request filled up to about so many bytes, under `/context/padding`, where no rule of a shipped pack looks: a list of
/// small records, as tool arguments are.
///
/// # Errors
/// If the request is not an object.
pub fn filled(text: &str, bytes: u64) -> Result<String, BenchError> {
    let wrong = || BenchError::Input("a request that is filled is an object".to_owned());
    let mut request: Value = serde_json::from_str(text).map_err(|_| wrong())?;
    let members = request.as_object_mut().ok_or_else(wrong)?;
    let context = members.entry("context").or_insert_with(|| json!({}));
    let context = context.as_object_mut().ok_or_else(wrong)?;
    let wanted = usize::try_from(bytes).unwrap_or(usize::MAX);
    let record = json!({"name": "argument", "value": "some text of a tool call", "index": 1000});
    let each = record.to_string().len() + 1;
    // What the padding itself needs around it.
    let around = r#""context":{},"padding":[],"#.len();
    let records = wanted.saturating_sub(text.len() + around) / each;
    if records > 0 {
        context.insert("padding".to_owned(), Value::Array(vec![record; records]));
    }
    Ok(request.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_filled_to_about_its_size() {
        let text = r#"{"subject":{"id":"a"},"action":{"name":"b"}}"#;
        for bytes in [1_000_u64, 100_000, 1_000_000] {
            let filled = filled(text, bytes).unwrap();
            let size = filled.len() as u64;
            assert!(size <= bytes && size + 200 > bytes, "{size} for {bytes}");
            assert!(tribunal::PolicyRequest::from_slice(filled.as_bytes()).is_ok());
        }
        assert_eq!(filled(text, 10).unwrap().len(), text.len() + r#","context":{}"#.len());
    }
}
