//! One request or many, read with bounds.
//!
//! An input is one JSON document, on as many lines as it likes, or NDJSON: a request a line. Many requests are read as they
//! come; never more than a line is held, and never more of a line than a request may have.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::de::IgnoredAny;
use tribunal::core::limits::RequestBounds;

/// The longest line that is skipped to find the next one: 64 MiB. Behind it nothing can be told apart any more.
const ENDLESS: u64 = 64 << 20;

/// Bytes read at once.
const BUFFER: usize = 1 << 16;

/// What an input holds.
pub(crate) enum Requests {
    /// One document; it may be empty or cut off after one byte too many.
    One(Vec<u8>),
    /// A request a line.
    Lines(Lines),
}

/// The lines of an input.
pub(crate) struct Lines {
    reader: BufReader<Box<dyn Read + Send>>,
    pending: VecDeque<Line>,
    at: u64,
    limit: usize,
    ended: bool,
}

/// One line that is not blank.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Counted from 1.
    pub(crate) number: u64,
    /// Its bytes without the line end; cut off after one byte more than a request may have.
    pub(crate) text: Vec<u8>,
}

/// Opens an input, `-` being standard input. Also tells its size, where that is known.
pub(crate) fn open(path: &Path) -> io::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), None));
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let size = metadata.is_file().then_some(metadata.len());
    Ok((Box::new(file), size))
}

/// Whether a file's name says that it holds a request a line.
pub(crate) fn is_named_for_lines(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "ndjson" || extension == "jsonl")
}

/// Finds out which of the two an input is. `lines`: it is known to be the latter.
pub(crate) fn read(reader: Box<dyn Read + Send>, lines: bool) -> io::Result<Requests> {
    let size = RequestBounds::default().size.0;
    let limit = usize::try_from(size).map_or(usize::MAX, |size| size.saturating_add(1));
    let reader = BufReader::with_capacity(BUFFER, reader);
    let mut found = Lines { reader, pending: VecDeque::new(), at: 0, limit, ended: false };
    if lines {
        return Ok(Requests::Lines(found));
    }
    let Some(first) = found.next()? else { return Ok(Requests::One(Vec::new())) };
    let goes_on = serde_json::from_slice::<IgnoredAny>(&first.text).is_err_and(|error| error.is_eof());
    if goes_on && first.text.len() < limit {
        let mut document = first.text;
        document.push(b'\n');
        let room = limit.saturating_sub(document.len()) as u64;
        found.reader.take(room).read_to_end(&mut document)?;
        return Ok(Requests::One(document));
    }
    match found.next()? {
        None => Ok(Requests::One(first.text)),
        Some(second) => {
            found.pending.extend([first, second]);
            Ok(Requests::Lines(found))
        }
    }
}

impl Lines {
    /// The next line that is not blank.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.pending.pop_front() {
            return Ok(Some(line));
        }
        while !self.ended {
            let text = self.read_line()?;
            if !text.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(Line { number: self.at, text }));
            }
        }
        Ok(None)
    }

    /// Whether the next line is held already, so that nobody waits for whoever writes it.
    pub(crate) fn is_ready(&self) -> bool {
        !self.pending.is_empty() || self.reader.buffer().contains(&b'\n')
    }

    fn read_line(&mut self) -> io::Result<Vec<u8>> {
        self.at += 1;
        let mut text = Vec::new();
        let mut length = 0_u64;
        loop {
            let held = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                held => held?,
            };
            if held.is_empty() {
                self.ended = true;
                return Ok(text);
            }
            let end = held.iter().position(|byte| *byte == b'\n');
            let part = held.get(..end.unwrap_or(held.len())).map_or(&[][..], |part| part);
            let room = self.limit.saturating_sub(text.len());
            text.extend(part.iter().take(room));
            length = length.saturating_add(part.len() as u64);
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                return Ok(text);
            }
            if length > ENDLESS {
                self.ended = true;
                if self.at == 1 {
                    // A document without an end: what is held of it is too large for a request already.
                    return Ok(text);
                }
                let message =
                    format!("line {} is longer than {ENDLESS} bytes; nothing after it is read", self.at);
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &'static [u8], lines: bool) -> Requests {
        read(Box::new(text), lines).unwrap()
    }

    fn lines(text: &'static [u8], named: bool) -> Vec<(u64, String)> {
        let Requests::Lines(mut lines) = of(text, named) else { panic!("one document") };
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push((line.number, String::from_utf8(line.text).unwrap()));
        }
        found
    }

    #[test]
    fn a_document_may_have_many_lines() {
        for text in [&b"{\n \"a\": 1\n}\n"[..], b"\n\n{\"a\": 1}\n\n", b"{\"a\": 1}", b"", b"[1,\n2]"] {
            let Requests::One(document) = of(text, false) else { panic!("{text:?} is one document") };
            assert_eq!(document.trim_ascii(), text.trim_ascii());
        }
    }

    #[test]
    fn several_documents_stand_a_line_each() {
        let expected = vec![(1, "{\"a\":1}".to_owned()), (3, "{\"a\":2}\r".to_owned())];
        assert_eq!(lines(b"{\"a\":1}\n\n{\"a\":2}\r\n", false), expected);
        assert_eq!(lines(b"}\n{}\n", false).len(), 2);
        assert_eq!(lines(b"{\"a\":\n{}\n", true).len(), 2);
        assert_eq!(lines(b"{}\n", true), vec![(1, "{}".to_owned())]);
        assert_eq!(lines(b"\n \n", true), vec![]);
    }

    #[test]
    fn no_more_is_held_than_a_request_may_have() {
        let limit = (1 << 20) + 1;
        let endless = Box::new(io::repeat(b'['));
        let Requests::One(document) = read(endless, false).unwrap() else { panic!("one document") };
        assert_eq!(document.len(), limit);
        let long = io::repeat(b'1').take(5 << 20).chain(&b"\n{}\n"[..]);
        let Requests::Lines(mut lines) = read(Box::new(long), false).unwrap() else { panic!("two lines") };
        assert_eq!(lines.next().unwrap().unwrap().text.len(), limit);
        assert_eq!(lines.next().unwrap(), Some(Line { number: 2, text: b"{}".to_vec() }));
        assert_eq!(lines.next().unwrap(), None);
    }
}
