//! A client inside the node: what the node itself wants done in SQL, and what people ask through its HTTP port, goes the way
//! of every other statement.

use super::listener::{Databases, Newcomer, Options};
use super::login::Account;
use super::socket::Socket;
use crate::antechamber::Antechamber;
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::gateway::Database;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::Serialize;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{Semaphore, watch};

/// Who asks: a role that has been let in, with what is known of it.
pub struct Asker<'a> {
    pub user: &'a str,
    /// None: the node itself asks, and may do everything.
    pub account: Option<Account>,
    pub database: &'a str,
    /// What its session begins with.
    pub settings: &'a [(&'a str, &'a str)],
}

/// How much of an answer is wanted; what is beyond is not read, and the statement ends.
#[derive(Clone, Copy)]
pub struct Bounds {
    pub rows: usize,
    pub bytes: usize,
}

/// What came of one statement.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Table {
    pub columns: Vec<Column>,
    /// Values as text.
    pub rows: Vec<Vec<Option<String>>>,
    pub tag: String,
    /// There were more rows.
    pub cut: bool,
}

#[derive(Debug, PartialEq, Serialize)]
pub struct Column {
    pub name: String,
    /// The type's OID.
    pub r#type: u32,
}

/// An error or a notice.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Said {
    pub severity: String,
    pub code: String,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    pub position: Option<u32>,
}

/// What came of a text of statements.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Answers {
    pub tables: Vec<Table>,
    pub notices: Vec<Said>,
    pub error: Option<Said>,
}

/// Runs statements, one after the other, as `user`, who is believed. Returns what the client of the last one would be told beside.
pub async fn run<D: Database>(
    user: &str,
    database: &str,
    statements: &[&str],
    databases: Databases<D>,
    options: Arc<Options>,
) -> SqlResult<Vec<SqlError>> {
    let asker = Asker { user, account: None, database, settings: &[] };
    let bounds = Bounds { rows: 0, bytes: usize::MAX };
    let answers = ask(asker, statements, bounds, databases, options).await?;
    match answers.error {
        None => Ok(answers.notices.into_iter().map(Said::into_error).collect()),
        Some(said) => Err(said.into_error()),
    }
}

/// Runs texts of statements in a session of their own, one after the other until one fails, and tells what came of the last.
pub async fn ask<D: Database>(
    asker: Asker<'_>,
    statements: &[&str],
    bounds: Bounds,
    databases: Databases<D>,
    options: Arc<Options>,
) -> SqlResult<Answers> {
    let (mut ours, theirs) = duplex(64 << 10);
    let (stop, shutdown) = watch::channel(false);
    let sessions = Arc::new(Semaphore::new(1 + options.reserved));
    let guest = Antechamber::new(1).enter();
    let stream = Socket::Inner(theirs, asker.account.clone().map(Box::new));
    let newcomer = Newcomer { stream, input: BytesMut::new(), guest, databases, options, sessions, shutdown };
    let served = tokio::spawn(async move {
        newcomer.run().await;
        drop(stop);
    });
    let outcome = converse(&mut ours, &asker, statements, bounds).await;
    drop(ours);
    let cut = outcome.as_ref().is_ok_and(|answers| answers.tables.iter().any(|table| table.cut && bounds.rows > 0));
    if !cut {
        let _ = served.await;
    }
    outcome.map_err(|error| SqlError::internal(format!("the node's own session broke: {error}")))
}

async fn converse(
    stream: &mut DuplexStream,
    asker: &Asker<'_>,
    statements: &[&str],
    bounds: Bounds,
) -> io::Result<Answers> {
    let mut startup = BytesMut::new();
    startup.put_u32(196_608);
    let settings = asker.settings.iter().flat_map(|(name, value)| [*name, *value]);
    for text in ["user", asker.user, "database", asker.database].into_iter().chain(settings).chain([""]) {
        // It would end the text.
        startup.extend(text.bytes().filter(|byte| *byte != 0));
        startup.put_u8(0);
    }
    stream.write_u32(startup.len() as u32 + 4).await?;
    stream.write_all(&startup).await?;
    let mut answers = read_answers(stream, bounds).await?;
    if answers.error.is_some() {
        return Ok(answers);
    }
    for sql in statements {
        let sql: Vec<u8> = sql.bytes().filter(|byte| *byte != 0).collect();
        stream.write_u8(b'Q').await?;
        stream.write_u32(sql.len() as u32 + 5).await?;
        stream.write_all(&sql).await?;
        stream.write_u8(0).await?;
        answers = read_answers(stream, bounds).await?;
        if answers.error.is_some() {
            break;
        }
    }
    // Who was cut short hangs up; and a session that has ended does not hear it.
    let _ = stream.write_all(b"X\0\0\0\x04").await;
    Ok(answers)
}

/// Reads to the end of what was asked, or of what is wanted of it.
async fn read_answers(stream: &mut DuplexStream, bounds: Bounds) -> io::Result<Answers> {
    let mut answers = Answers::default();
    let (mut table, mut bytes) = (Table::default(), 0usize);
    loop {
        let kind = stream.read_u8().await?;
        let length = stream.read_u32().await?.saturating_sub(4);
        let mut body = vec![0; length as usize];
        stream.read_exact(&mut body).await?;
        bytes = bytes.saturating_add(body.len());
        let mut body = Bytes::from(body);
        match kind {
            b'Z' => return Ok(answers),
            b'T' => table.columns = columns(&mut body).ok_or(io::ErrorKind::InvalidData)?,
            b'D' if bounds.rows == 0 => table.cut = true,
            b'D' if table.rows.len() >= bounds.rows || bytes > bounds.bytes => {
                table.cut = true;
                answers.tables.push(table);
                return Ok(answers);
            }
            b'D' => table.rows.push(values(&mut body).ok_or(io::ErrorKind::InvalidData)?),
            b'C' => {
                table.tag = text(&mut body);
                answers.tables.push(std::mem::take(&mut table));
            }
            b'G' => {
                // Nothing is copied in from here.
                stream.write_u8(b'f').await?;
                let words = b"COPY FROM STDIN needs a client that has data\0";
                stream.write_u32(words.len() as u32 + 4).await?;
                stream.write_all(words).await?;
            }
            b'd' => {
                let line = String::from_utf8_lossy(&body).trim_end_matches('\n').to_owned();
                if table.rows.len() < bounds.rows && bytes <= bounds.bytes {
                    table.rows.push(vec![Some(line)]);
                } else {
                    table.cut = true;
                }
            }
            b'N' => answers.notices.push(said(&body)),
            b'E' => {
                let said = said(&body);
                let fatal = said.severity == "FATAL";
                answers.error = Some(said);
                // After the end of a session nothing follows.
                if fatal {
                    return Ok(answers);
                }
            }
            _ => {}
        }
    }
}

fn text(body: &mut Bytes) -> String {
    let end = body.iter().position(|byte| *byte == 0).unwrap_or(body.len());
    let text = String::from_utf8_lossy(&body.split_to(end)).into_owned();
    if !body.is_empty() {
        body.advance(1);
    }
    text
}

fn columns(body: &mut Bytes) -> Option<Vec<Column>> {
    let count = body.try_get_u16().ok()?;
    let column = |_| {
        let name = text(body);
        let mut rest = (body.len() >= 18).then(|| body.split_to(18))?;
        rest.advance(6);
        Some(Column { name, r#type: rest.get_u32() })
    };
    (0..count).map(column).collect()
}

fn values(body: &mut Bytes) -> Option<Vec<Option<String>>> {
    let count = body.try_get_u16().ok()?;
    let value = |_| match body.try_get_i32().ok()? {
        length @ 0.. if body.len() >= length as usize => {
            Some(Some(String::from_utf8_lossy(&body.split_to(length as usize)).into_owned()))
        }
        length => (length < 0).then_some(None),
    };
    (0..count).map(value).collect()
}

fn said(body: &[u8]) -> Said {
    let mut said = Said::default();
    for field in body.split(|byte| *byte == 0) {
        let Some((key, rest)) = field.split_first() else { continue };
        let text = String::from_utf8_lossy(rest).into_owned();
        match key {
            b'V' => said.severity = text,
            b'C' => said.code = text,
            b'M' => said.message = text,
            b'D' => said.detail = Some(text),
            b'H' => said.hint = Some(text),
            b'P' => said.position = text.parse().ok(),
            _ => {}
        }
    }
    said
}

impl Said {
    fn into_error(self) -> SqlError {
        let code = self.code.as_bytes().try_into().map_or(state::INTERNAL_ERROR, SqlState);
        let mut error = SqlError::new(code, self.message);
        error.fatal = self.severity == "FATAL";
        error.fields.detail = self.detail;
        error.fields.hint = self.hint;
        error
    }
}
