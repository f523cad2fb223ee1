//! What the derived members of a request may take up together.

use serde_json::Value;

/// Bytes of text, keys included: four times the largest request there may be by default.
const TEXT: usize = 4 << 20;
/// Values, as many as a request may have by default.
const NODES: usize = 100_000;

/// What is left of the bound on the derived members of one request.
#[derive(Debug)]
pub(super) struct Room {
    text: usize,
    nodes: usize,
}

impl Room {
    /// All of it.
    pub(super) fn new() -> Self {
        Self { text: TEXT, nodes: NODES }
    }

    /// Whether there is room for a result of so many bytes of text and so many values.
    pub(super) fn holds(&self, text: usize, nodes: usize) -> Result<(), String> {
        if text > self.text {
            return Err(format!(
                "gives more than the {} MiB of text that derived members may hold",
                TEXT >> 20
            ));
        }
        if nodes > self.nodes {
            return Err(format!("gives more than the {NODES} values that derived members may hold"));
        }
        Ok(())
    }

    /// Charges a value.
    pub(super) fn take(&mut self, value: &Value) -> Result<(), String> {
        self.take_node()?;
        match value {
            Value::String(text) => self.take_text(text),
            Value::Array(items) => items.iter().try_for_each(|item| self.take(item)),
            Value::Object(members) => members.iter().try_for_each(|(name, member)| {
                self.take_text(name)?;
                self.take(member)
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    /// Charges a member, where there is one.
    pub(super) fn charged(&mut self, member: Option<Value>) -> Result<Option<Value>, String> {
        if let Some(member) = &member {
            self.take(member)?;
        }
        Ok(member)
    }

    /// Charges a value without its content.
    pub(super) fn take_node(&mut self) -> Result<(), String> {
        self.holds(0, 1)?;
        self.nodes -= 1;
        Ok(())
    }

    fn take_text(&mut self, text: &str) -> Result<(), String> {
        self.holds(text.len(), 0)?;
        self.text -= text.len();
        Ok(())
    }
}
