//! Reading the request: the floor of whatever takes JSON.

use serde_json::Value;

use crate::subject::{Answer, Candidate, Kind, Question, Request, Site, Subject, Unavailable};

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
        "serde_json 1".to_owned()
    }

    fn question<'s>(&'s self, request: &'s Request) -> Result<Box<dyn Question + 's>, Unavailable> {
        Ok(Box::new(Reading { text: &request.text, read: None }))
    }
}

struct Reading<'r> {
    text: &'r [u8],
    read: Option<Value>,
}

impl Question for Reading<'_> {
    fn ask(&mut self) {
        self.read = serde_json::from_slice(self.text).ok();
    }

    fn answer(&mut self) -> Answer {
        Answer::Read(self.read.clone().unwrap_or(Value::Null))
    }

    fn came_to(&mut self, expected: &Answer) -> bool {
        matches!((expected, &self.read), (Answer::Read(expected), Some(read)) if expected == read)
    }
}
