//! Reading the request: the floor of whatever takes JSON.

use serde_json::Value;

use crate::subject::{Answer, Candidate, Kind, Question, Request, Site, Subject, Unavailable};

/// The version of serde_json in this build; a test holds it to `Cargo.lock`.
const VERSION: &str = "1.0.154";

#[derive(Debug)]
pub(super) struct Json;

impl Candidate for Json {
    fn name(&self) -> &str {
        "floor:json"
    }

    fn engine(&self) -> &str {
        ""
    }

    fn kind(&self) -> Kind {
        Kind::Floor
    }

    fn about(&self) -> &str {
        "JSON text in, serde_json's value out, and nothing else"
    }

    fn loads(&self) -> bool {
        false
    }

    fn open(&self, _: &Site) -> Result<Box<dyn Subject>, Unavailable> {
        Ok(Box::new(Open))
    }
}

struct Open;

impl Subject for Open {
    fn version(&self) -> String {
        format!("serde_json {VERSION}")
    }

    fn question<'s>(&'s self, request: &'s Request) -> Result<Box<dyn Question + 's>, Unavailable> {
        Ok(Box::new(Reading { text: &request.text, read: None }))
    }
}

struct Reading<'r> {
    text: &'r [u8],
    read: Option<Result<Value, serde_json::Error>>,
}

impl Question for Reading<'_> {
    fn ask(&mut self) {
        self.read = Some(serde_json::from_slice(self.text));
    }

    fn answer(&mut self) -> Answer {
        match &self.read {
            Some(Ok(read)) => Answer::Read(read.clone()),
            Some(Err(error)) => Answer::Failed(error.to_string()),
            None => Answer::unasked(),
        }
    }

    fn came_to(&mut self, expected: &Answer) -> bool {
        matches!((expected, &self.read), (Answer::Read(expected), Some(Ok(read))) if expected == read)
    }
}

#[cfg(test)]
mod tests {
    use super::VERSION;

    #[test]
    fn the_version_is_the_one_that_is_built() {
        let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock")).unwrap();
        assert!(lock.contains(&format!("name = \"serde_json\"\nversion = \"{VERSION}\"\n")), "{VERSION}");
    }
}
