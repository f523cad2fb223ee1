//! Requests out of a file, each as it stands there.

use serde::de::IgnoredAny;
use tribunal::PolicyRequest;

use super::BenchError;

/// A request out of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// What it is called.
    pub name: String,
    /// Its JSON, to the byte: white space and the order of keys are part of what reading real traffic costs.
    pub text: String,
}

/// Reads requests from a file: an array of them, or one after another, as a line each.
///
/// # Errors
/// What is no request, with its place.
pub fn read_requests(file: &str, text: &[u8]) -> Result<Vec<Given>, BenchError> {
    let text = std::str::from_utf8(text)
        .map_err(|_| BenchError::Input(format!("{file}: requests are JSON, and this is not UTF-8")))?;
    let mut reader = Reader { file, text, rest: text, is_array: false, found: Vec::new() };
    reader.is_array = reader.takes('[');
    if reader.is_array {
        reader.array()?;
    } else {
        while !reader.is_over() {
            reader.request()?;
        }
    }
    if reader.found.is_empty() {
        return Err(BenchError::Input(format!("{file}: there is no request")));
    }
    Ok(reader.found)
}

struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    /// What is not read yet.
    rest: &'t str,
    is_array: bool,
    found: Vec<Given>,
}

impl Reader<'_> {
    /// The requests of an array that has begun, and its end.
    fn array(&mut self) -> Result<(), BenchError> {
        if !self.takes(']') {
            loop {
                self.request()?;
                if self.takes(']') {
                    break;
                }
                if !self.takes(',') {
                    return Err(self.wrong(0, "`,` or `]` is missing"));
                }
            }
        }
        if self.is_over() { Ok(()) } else { Err(self.wrong(0, "there is something after the array")) }
    }

    fn request(&mut self) -> Result<(), BenchError> {
        self.skip();
        if !self.rest.starts_with('{') {
            return Err(self.wrong(0, "a request is a JSON object"));
        }
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<IgnoredAny>();
        let read = values.next();
        let length = values.byte_offset();
        if let Some(Err(error)) = read {
            let before: usize = self.rest.split_inclusive('\n').take(error.line() - 1).map(str::len).sum();
            let message = error.to_string();
            let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
            return Err(self.wrong(before + error.column().saturating_sub(1), message));
        }
        let (text, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        if let Err(fault) = PolicyRequest::from_slice(text.as_bytes()) {
            return Err(self.wrong(0, &fault.detail));
        }
        self.found.push(Given { name: format!("request {}", self.found.len() + 1), text: text.to_owned() });
        self.rest = rest;
        Ok(())
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Whether this comes next; it is then read.
    fn takes(&mut self, sign: char) -> bool {
        self.skip();
        let found = self.rest.strip_prefix(sign);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn is_over(&mut self) -> bool {
        self.skip();
        self.rest.is_empty()
    }

    /// What is wrong so many bytes on.
    fn wrong(&self, offset: usize, why: &str) -> BenchError {
        let offset = self.text.len() - self.rest.len() + offset;
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|char| *char != '\n').count() + 1;
        let place = format!("{}:{line}:{column}", self.file);
        // An array is often one line: there a place alone says little.
        BenchError::Input(if self.is_array {
            format!("request {} of {place}: {why}", self.found.len() + 1)
        } else {
            format!("{place}: {why}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        read_requests("f", text.as_bytes()).unwrap().into_iter().map(|given| given.text).collect()
    }

    fn error(text: &str) -> String {
        read_requests("f", text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn requests_are_kept_to_the_byte() {
        let odd = "{ \"z\":1,\t\"a\" : 1.0e2 }";
        assert_eq!(texts(&format!("{odd}\n\n  {{}}\r\n")), [odd, "{}"]);
        assert_eq!(texts(&format!("[{odd},\n {{}} ]\n")), [odd, "{}"]);
        assert_eq!(texts("{\n  \"a\": 1\n}\n"), ["{\n  \"a\": 1\n}"], "one over several lines");
        assert_eq!(read_requests("f", b"{}{}").unwrap().last().unwrap().name, "request 2");
    }

    #[test]
    fn what_is_no_request_is_told_with_its_place() {
        for (text, says) in [
            ("", "f: there is no request"),
            ("[]", "f: there is no request"),
            ("{}\n\n{\"a\": nul}", "f:3:"),
            ("{}\n\"x\"", "f:2:1: a request is a JSON object"),
            ("[{},\n{}, 5]", "request 3 of f:2:5: a request is a JSON object"),
            ("[{} {}]", "request 2 of f:1:5: `,` or `]` is missing"),
            ("[{}", "request 2 of f:1:4: `,` or `]` is missing"),
            ("[{}] {}", "there is something after the array"),
            ("[{},\n{\"derived\": 1}]", "request 2 of f:2:1: `derived`"),
            // The front door does not take which of two is meant.
            ("{}\n{\"a\": 1, \"a\": 2}", "f:2:1: "),
        ] {
            assert!(error(text).starts_with(says) || error(text).ends_with(says), "{text}: {}", error(text));
        }
        assert!(read_requests("f", b"\xff").unwrap_err().to_string().contains("UTF-8"));
    }
}
