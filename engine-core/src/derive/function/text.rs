//! Texts made of texts.

use serde_json::Value;

use super::{Made, OfText};
use crate::derive::room::Room;

#[derive(Debug)]
pub(super) struct Lower;

impl OfText for Lower {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        Ok(Some(Value::String(text.to_lowercase())))
    }
}
