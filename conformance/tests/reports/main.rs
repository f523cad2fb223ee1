//! Reports in every format, from data made by hand.
#![expect(
    clippy::unwrap_used,
    reason = "what the tests share may panic as the tests do: that is how a test fails"
)]

mod fixture;
mod hostile;
mod json;
mod markup;
mod shown;

use std::io::{self, Write};

/// What a renderer writes.
fn written(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    render(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}
