//! As much of HTTP as asking a server on this machine takes, over a Unix socket, with connections kept open.
//!
//! Requests are HTTP/1.0 with keep-alive, so that an answer is never in chunks: it has its length, or ends with the
//! connection.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a read or a write may take. An answer needs a tenth of a millisecond.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of a head that are read at most.
const MOST_HEAD: u64 = 64 << 10;

/// Bytes of a body that are read at most.
const MOST_BODY: u64 = 64 << 20;

/// A server, and the connections to it that nobody is using: as many as ever asked at the same time.
#[derive(Debug)]
pub(super) struct Client {
    socket: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

#[derive(Debug)]
struct Connection(BufReader<UnixStream>);

impl Client {
    pub(super) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), idle: Mutex::default() }
    }

    /// Asks for a target, as `/health`.
    pub(super) fn get(&self, target: &str) -> io::Result<Response> {
        self.send(format!("GET {target} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").as_bytes())
    }

    /// Sends JSON to a target.
    pub(super) fn post(&self, target: &str, body: &[u8]) -> io::Result<Response> {
        let length = body.len();
        let mut request = format!(
            "POST {target} HTTP/1.0\r\nConnection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.send(&request)
    }

    fn send(&self, request: &[u8]) -> io::Result<Response> {
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(connection) = kept {
            match self.exchange(connection, request) {
                // The server may have closed it meanwhile, which a new one will show. One that hangs is not asked twice.
                Err(error) if !is_timeout(&error) => {}
                done => return done,
            }
        }
        let stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        self.exchange(Connection(BufReader::new(stream)), request)
    }

    fn exchange(&self, mut connection: Connection, request: &[u8]) -> io::Result<Response> {
        connection.0.get_mut().write_all(request)?;
        let (response, stays_open) = read(&mut connection.0)?;
        if stays_open {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
        Ok(response)
    }
}

/// Whether an error says that the other side took too long.
pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Reads an answer, and whether the connection can be used again.
fn read(from: &mut impl BufRead) -> io::Result<(Response, bool)> {
    let mut head = from.by_ref().take(MOST_HEAD);
    let first = line(&mut head)?;
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| invalid(format!("`{first}` is no answer of HTTP")))?;
    let (mut length, mut stays_open) = (None, false);
    loop {
        let line = line(&mut head)?;
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(invalid(format!("`{line}` is no header")));
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                let bytes = value.trim().parse::<u64>();
                length = Some(bytes.map_err(|_| invalid(format!("`{line}` is no length")))?);
            }
            "connection" => stays_open = value.trim().eq_ignore_ascii_case("keep-alive"),
            _ => {}
        }
    }
    if let Some(length) = length.filter(|length| *length > MOST_BODY) {
        return Err(invalid(format!("the answer has {length} bytes, more than {MOST_BODY}")));
    }
    let mut body = Vec::new();
    from.by_ref().take(length.unwrap_or(MOST_BODY)).read_to_end(&mut body)?;
    if length.is_some_and(|length| length != body.len() as u64) {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok((Response { status, body }, stays_open && length.is_some()))
}

/// A line of a head, without its end.
fn line(head: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    head.read_line(&mut line)?;
    match line.strip_suffix('\n') {
        Some(line) => Ok(line.trim_end_matches('\r').to_owned()),
        None => Err(ErrorKind::UnexpectedEof.into()),
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> io::Result<(Response, bool)> {
        read(&mut text.as_bytes())
    }

    #[test]
    fn an_answer_has_its_length_or_ends_with_the_connection() {
        let answer = |status, body: &str| Response { status, body: body.as_bytes().to_vec() };
        let kept =
            "HTTP/1.0 200 OK\r\ncontent-length: 2\r\nX: y:z\r\nConnection: Keep-Alive\r\n\r\n{}HTTP/1.0 …";
        assert_eq!(of(kept).unwrap(), (answer(200, "{}"), true));
        assert_eq!(
            of("HTTP/1.0 500 Oh\r\nConnection: close\r\n\r\nwhy").unwrap(),
            (answer(500, "why"), false)
        );
        // Without a length nobody could tell where the next answer begins.
        assert_eq!(
            of("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n{}").unwrap(),
            (answer(200, "{}"), false)
        );
    }

    #[test]
    fn half_an_answer_is_none() {
        for text in [
            "",
            "HTTP/1.0 200 OK",
            "HTTP/1.0 200 OK\r\nContent-Le",
            "HTTP/1.0 200 OK\r\n",
            "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n{}",
        ] {
            assert_eq!(of(text).unwrap_err().kind(), ErrorKind::UnexpectedEof, "{text:?}");
        }
        for text in [
            "220 smtp\r\n\r\n",
            "HTTP/1.0 OK\r\n\r\n",
            "HTTP/1.0 200 OK\r\nno header\r\n\r\n",
            "HTTP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.0 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        ] {
            assert_eq!(of(text).unwrap_err().kind(), ErrorKind::InvalidData, "{text:?}");
        }
    }
}
