//! The Postgres protocol by hand: for what a driver would not send, and to see exactly what comes back.

use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const PROTOCOL_3: u32 = 196_608;
pub const SSL_REQUEST: u32 = 80_877_103;
pub const CANCEL_REQUEST: u32 = 80_877_102;
/// The longest wait for one message.
const PATIENCE: Duration = Duration::from_secs(60);

/// A message of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub tag: u8,
    pub body: Vec<u8>,
}

/// A client after its startup.
pub struct Raw {
    pub stream: TcpStream,
    pub pid: u32,
    pub secret: Vec<u8>,
}

/// A frame of the client: tag, length, body.
pub fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    out.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    out.extend_from_slice(body);
    out
}

/// A startup packet: no tag.
pub fn startup(code: u32, body: &[u8]) -> Vec<u8> {
    let mut out = (body.len() as u32 + 8).to_be_bytes().to_vec();
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(body);
    out
}

/// Strings, each ended by a zero byte.
pub fn strings(parts: &[&str]) -> Vec<u8> {
    parts.iter().flat_map(|s| s.bytes().chain([0])).collect()
}

pub fn query(sql: &str) -> Vec<u8> {
    frame(b'Q', &strings(&[sql]))
}

pub fn parse(name: &str, sql: &str) -> Vec<u8> {
    frame(b'P', &[strings(&[name, sql]), vec![0, 0]].concat())
}

/// Text parameters, text results.
pub fn bind(portal: &str, statement: &str, params: &[Option<&str>]) -> Vec<u8> {
    let mut body = strings(&[portal, statement]);
    body.extend_from_slice(&[0, 0]);
    body.extend_from_slice(&(params.len() as u16).to_be_bytes());
    for param in params {
        match param {
            None => body.extend_from_slice(&(-1i32).to_be_bytes()),
            Some(text) => {
                body.extend_from_slice(&(text.len() as u32).to_be_bytes());
                body.extend_from_slice(text.as_bytes());
            }
        }
    }
    body.extend_from_slice(&[0, 0]);
    frame(b'B', &body)
}

pub fn describe_portal(portal: &str) -> Vec<u8> {
    frame(b'D', &[b"P".to_vec(), strings(&[portal])].concat())
}

pub fn execute(portal: &str, max_rows: u32) -> Vec<u8> {
    frame(b'E', &[strings(&[portal]), max_rows.to_be_bytes().to_vec()].concat())
}

pub fn sync() -> Vec<u8> {
    frame(b'S', &[])
}

impl Raw {
    pub async fn connect(port: u16) -> io::Result<Raw> {
        Raw::connect_as(port, "quorate", "quorate").await
    }

    pub async fn connect_as(port: u16, user: &str, database: &str) -> io::Result<Raw> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let mut raw = Raw { stream, pid: 0, secret: Vec::new() };
        raw.send(&startup(PROTOCOL_3, &[strings(&["user", user, "database", database]), vec![0]].concat())).await?;
        loop {
            let message = raw.receive().await?;
            match message.tag {
                b'K' => {
                    raw.pid = u32::from_be_bytes(message.body[..4].try_into().expect("four bytes"));
                    raw.secret = message.body[4..].to_vec();
                }
                b'Z' => return Ok(raw),
                b'E' => return Err(io::Error::other(message.error().to_string())),
                _ => {}
            }
        }
    }

    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match tokio::time::timeout(PATIENCE, self.stream.write_all(bytes)).await {
            Ok(result) => result,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the server does not read")),
        }
    }

    pub async fn receive(&mut self) -> io::Result<Message> {
        match tokio::time::timeout(PATIENCE, receive(&mut self.stream)).await {
            Ok(result) => result,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the server does not answer")),
        }
    }

    /// All messages up to and including ReadyForQuery.
    pub async fn until_ready(&mut self) -> io::Result<Vec<Message>> {
        let mut messages = Vec::new();
        loop {
            let message = self.receive().await?;
            let ready = message.tag == b'Z';
            messages.push(message);
            if ready {
                return Ok(messages);
            }
        }
    }

    pub async fn query(&mut self, sql: &str) -> io::Result<Vec<Message>> {
        self.send(&query(sql)).await?;
        self.until_ready().await
    }
}

async fn receive(stream: &mut TcpStream) -> io::Result<Message> {
    let tag = stream.read_u8().await?;
    let length = stream.read_u32().await? as usize;
    let mut body = vec![0; length.checked_sub(4).ok_or_else(|| io::Error::other("a length below four"))?];
    stream.read_exact(&mut body).await?;
    Ok(Message { tag, body })
}

/// The fields of an ErrorResponse or a NoticeResponse.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<(u8, String)>);

impl Fields {
    pub fn get(&self, field: u8) -> Option<&str> {
        self.0.iter().find(|(f, _)| *f == field).map(|(_, text)| text.as_str())
    }

    pub fn code(&self) -> &str {
        self.get(b'C').unwrap_or("")
    }

    pub fn message(&self) -> &str {
        self.get(b'M').unwrap_or("")
    }
}

impl std::fmt::Display for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code(), self.message())
    }
}

impl Message {
    pub fn error(&self) -> Fields {
        let mut fields = Fields::default();
        let mut rest = self.body.as_slice();
        while let Some((&field, text)) = rest.split_first()
            && field != 0
        {
            let end = text.iter().position(|b| *b == 0).unwrap_or(text.len());
            fields.0.push((field, String::from_utf8_lossy(&text[..end]).into_owned()));
            rest = text.get(end + 1..).unwrap_or(&[]);
        }
        fields
    }

    /// The text of a CommandComplete.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.body.strip_suffix(&[0]).unwrap_or(&self.body)).into_owned()
    }

    /// Names and type OIDs of a RowDescription.
    pub fn columns(&self) -> Vec<(String, u32)> {
        let mut columns = Vec::new();
        let mut rest = &self.body[2..];
        while let Some(end) = rest.iter().position(|b| *b == 0) {
            let name = String::from_utf8_lossy(&rest[..end]).into_owned();
            let fields = &rest[end + 1..];
            columns.push((name, u32::from_be_bytes(fields[6..10].try_into().expect("four bytes"))));
            rest = &fields[18..];
        }
        columns
    }

    /// The values of a DataRow, as text.
    pub fn values(&self) -> Vec<Option<String>> {
        let count = u16::from_be_bytes([self.body[0], self.body[1]]);
        let mut rest = &self.body[2..];
        let mut values = Vec::new();
        for _ in 0..count {
            let length = i32::from_be_bytes(rest[..4].try_into().expect("four bytes"));
            rest = &rest[4..];
            match usize::try_from(length) {
                Err(_) => values.push(None),
                Ok(length) => {
                    values.push(Some(String::from_utf8_lossy(&rest[..length]).into_owned()));
                    rest = &rest[length..];
                }
            }
        }
        values
    }
}

/// The first error among messages.
pub fn first_error(messages: &[Message]) -> Option<Fields> {
    messages.iter().find(|m| m.tag == b'E').map(Message::error)
}

/// All values of all rows among messages, in order; NULL as an empty text.
pub fn all_values(messages: &[Message]) -> Vec<String> {
    messages.iter().filter(|m| m.tag == b'D').flat_map(|m| m.values()).map(Option::unwrap_or_default).collect()
}
