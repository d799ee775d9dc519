//! Messages and rows to bytes, appended to the connection's output buffer.
//!
//! Messages that are rare and have no text go through pgwire's encoders, which know UTF-8 only. Those with text are written by
//! hand in the client's encoding; and those of every statement are, and rows, each value straight into the buffer behind a place
//! for its length: they are what a busy server spends its time on.

use super::origin::origin;
use crate::error::{SqlError, SqlResult};
use crate::gateway::mailbox::Letter;
use crate::session::{CopyForm, Message, RowForm, Severity, Status};
use crate::telemetry::TELEMETRY;
use crate::types::binary::write_binary;
use crate::types::encoding::Encoding;
use crate::types::text::write_text;
use crate::value::{Value, ValueRef};
use bytes::BytesMut;
use pgwire::messages::copy::{CopyDone, CopyInResponse, CopyOutResponse};
use pgwire::messages::data::ParameterDescription;
use std::io::Write as _;

/// Appends a message of pgwire's.
pub fn put<M: pgwire::messages::Message>(out: &mut Vec<u8>, message: &M) {
    let mut bytes = BytesMut::with_capacity(message.message_length() + 1);
    match message.encode(&mut bytes) {
        Ok(()) => out.extend_from_slice(&bytes),
        // Only ever too long: names of thousands of columns, an enormous notice.
        Err(error) => {
            put_error(out, &SqlError::internal(format!("cannot encode a message: {error}")), Encoding::UTF8);
        }
    }
}

/// Appends one message of the session's.
pub fn message(out: &mut Vec<u8>, message: &Message, encoding: Encoding) {
    match message {
        // What every statement sends; pgwire's encoders take memory for each.
        Message::ParseComplete => framed(out, b'1', |_| {}),
        Message::BindComplete => framed(out, b'2', |_| {}),
        Message::CloseComplete => framed(out, b'3', |_| {}),
        Message::NoData => framed(out, b'n', |_| {}),
        Message::PortalSuspended => framed(out, b's', |_| {}),
        Message::EmptyQuery => framed(out, b'I', |_| {}),
        Message::Parameters(types) => {
            put(out, &ParameterDescription::new(types.iter().map(|t| t.0).collect()));
        }
        Message::Columns(form) => columns(out, form),
        Message::Complete(tag) => framed(out, b'C', |out| {
            // A Vec takes whatever is written.
            let _ = write!(out, "{tag}\0");
        }),
        Message::Error(error) => put_error(out, error, encoding),
        Message::Notice(severity, notice) => {
            let word = if *severity == Severity::Notice { "NOTICE" } else { "WARNING" };
            put_fields(out, b'N', &fields(word, notice), encoding);
        }
        Message::Setting { name, value } => {
            texts(out, b'S', &[name, value], encoding);
        }
        Message::Ready(status) => framed(out, b'Z', |out| {
            out.push(match status {
                Status::Idle => b'I',
                Status::InBlock => b'T',
                Status::Failed => b'E',
            });
        }),
        Message::CopyIn(form) => {
            let (format, formats) = copy_formats(form);
            put(out, &CopyInResponse::new(format, formats.len() as i16, formats));
        }
        Message::CopyOut(form) => {
            let (format, formats) = copy_formats(form);
            put(out, &CopyOutResponse::new(format, formats.len() as i16, formats));
        }
        Message::CopyDone => put(out, &CopyDone::new()),
    }
}

/// A notification.
pub fn letter(out: &mut Vec<u8>, letter: &Letter, encoding: Encoding) {
    framed(out, b'A', |out| {
        out.extend_from_slice(&letter.pid.to_be_bytes());
        for text in [&letter.channel, &letter.payload] {
            out.extend_from_slice(&encoding.encode_lossy(text));
            out.push(0);
        }
    });
}

pub fn put_error(out: &mut Vec<u8>, error: &SqlError, encoding: Encoding) {
    TELEMETRY.error(error.code.as_str());
    let word = if error.fatal { "FATAL" } else { "ERROR" };
    put_fields(out, b'E', &fields(word, error), encoding);
}

/// A frame of zero-terminated texts. What the client has no letters for becomes question marks: what is said here may
/// be about just that.
fn texts(out: &mut Vec<u8>, kind: u8, texts: &[&str], encoding: Encoding) {
    framed(out, kind, |out| {
        for text in texts {
            out.extend_from_slice(&encoding.encode_lossy(text));
            out.push(0);
        }
    });
}

fn put_fields(out: &mut Vec<u8>, kind: u8, fields: &[(u8, String)], encoding: Encoding) {
    framed(out, kind, |out| {
        for (code, text) in fields {
            out.push(*code);
            out.extend_from_slice(&encoding.encode_lossy(text));
            out.push(0);
        }
        out.push(0);
    });
}

/// Appends a frame with what `fill` appends. What is too long for a frame is left out: an error of two gigabytes.
fn framed(out: &mut Vec<u8>, kind: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[kind, 0, 0, 0, 0]);
    fill(out);
    let _ = close_frame(out, start);
}

/// The fields of an ErrorResponse or NoticeResponse, in PostgreSQL's order.
fn fields(severity: &str, error: &SqlError) -> Vec<(u8, String)> {
    let mut fields = vec![
        (b'S', severity.to_owned()),
        (b'V', severity.to_owned()),
        (b'C', error.code.as_str().to_owned()),
        (b'M', error.message.clone()),
    ];
    let f = &error.fields;
    let optional = [
        (b'D', &f.detail),
        (b'H', &f.hint),
        (b'W', &f.context),
        (b's', &f.schema),
        (b't', &f.table),
        (b'c', &f.column),
        (b'd', &f.datatype),
        (b'n', &f.constraint),
    ];
    fields.extend(optional.into_iter().filter_map(|(code, text)| text.clone().map(|text| (code, text))));
    fields.extend(f.position.map(|p| (b'P', p.to_string())));
    if let Some((file, line, routine)) = origin(error) {
        fields.extend([(b'F', file.to_owned()), (b'L', line.to_string()), (b'R', routine.to_owned())]);
    }
    // A NUL would end the field early and shift all that follows.
    for (_, text) in &mut fields {
        text.retain(|c| c != '\0');
    }
    fields
}

fn columns(out: &mut Vec<u8>, form: &RowForm) {
    framed(out, b'T', |out| {
        out.extend_from_slice(&(form.columns.len() as u16).to_be_bytes());
        for (c, binary) in form.columns.iter().zip(&form.binary) {
            out.extend_from_slice(&form.encoding.encode_lossy(&c.name));
            out.push(0);
            out.extend_from_slice(&c.table.to_be_bytes());
            out.extend_from_slice(&c.attnum.to_be_bytes());
            out.extend_from_slice(&c.ty.0.to_be_bytes());
            out.extend_from_slice(&c.ty.length().to_be_bytes());
            out.extend_from_slice(&c.typmod.to_be_bytes());
            out.extend_from_slice(&i16::from(*binary).to_be_bytes());
        }
    });
}

fn copy_formats(form: &CopyForm) -> (i8, Vec<i16>) {
    let binary = i16::from(form.format.binary);
    (binary as i8, vec![binary; form.columns.len()])
}

/// Appends a DataRow. On an error nothing of it stays in `out`.
pub fn data_row(out: &mut Vec<u8>, form: &RowForm, values: &[ValueRef<'_>]) -> SqlResult<()> {
    let start = out.len();
    out.extend_from_slice(&[b'D', 0, 0, 0, 0]);
    out.extend_from_slice(&(form.columns.len() as u16).to_be_bytes());
    // What a statement returns beyond its columns comes first and is for the server (EXPLAIN's node numbers).
    let hidden = values.len() - form.columns.len().min(values.len());
    for ((column, binary), value) in form.columns.iter().zip(&form.binary).zip(&values[hidden..]) {
        if value.is_null() {
            out.extend_from_slice(&(-1i32).to_be_bytes());
            continue;
        }
        let at = out.len();
        out.extend_from_slice(&[0; 4]);
        let written = match binary {
            false => write_text(column.ty, column.typmod, *value, &form.env, out)
                .and_then(|()| form.encoding.encode_from(out, at + 4)),
            true => write_binary(column.ty, column.typmod, *value, &form.env, out)
                .and_then(|()| form.encoding.encode_binary_from(column.ty, out, at + 4)),
        };
        if let Err(error) = written {
            out.truncate(start);
            return Err(error);
        }
        let length = (out.len() - at - 4) as u32;
        out[at..at + 4].copy_from_slice(&length.to_be_bytes());
    }
    close_frame(out, start)
}

/// Writes the length of the frame that begins at `start`.
pub fn close_frame(out: &mut Vec<u8>, start: usize) -> SqlResult<()> {
    let length = out.len() - start - 1;
    if length > i32::MAX as usize {
        out.truncate(start);
        return Err(SqlError::new(crate::error::state::PROGRAM_LIMIT_EXCEEDED, "row is too large for a message"));
    }
    out[start + 1..start + 5].copy_from_slice(&(length as u32).to_be_bytes());
    Ok(())
}

/// Appends rows that are held as values.
pub fn rows(out: &mut Vec<u8>, form: &RowForm, rows: &[Vec<Value>]) -> SqlResult<()> {
    let mut refs = Vec::new();
    for row in rows {
        refs.clear();
        refs.extend(row.iter().map(Value::as_ref));
        data_row(out, form, &refs)?;
    }
    Ok(())
}
