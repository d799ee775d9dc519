//! The language that sessions speak in production: the SQL compiler behind the session's seam.

use super::effect::CopyForm;
use super::language::{CopyReader, CopyWriter, Language, Statement};
use crate::error::{SqlError, SqlResult, state};
use crate::sql::allowance::Allowance;
use crate::sql::plan::Plan;
use crate::sql::{self, Ast, Parsed, Scope, copy};
use crate::types::binary::{parse_binary, write_binary};
use crate::types::text::{parse_text, write_text};
use crate::value::{Value, ValueRef};
use std::sync::Arc;

/// PostgreSQL's SQL, as far as `sql` compiles it.
pub struct Postgres;

impl Language for Postgres {
    fn parse(&self, text: &str, allowance: &Allowance) -> SqlResult<Vec<Arc<dyn Statement>>> {
        let parsed = sql::parse_within(text, allowance)?;
        Ok(parsed
            .into_iter()
            .filter(|p| !matches!(p.ast, Ast::Empty))
            .map(|p| Arc::new(Source(p)) as Arc<dyn Statement>)
            .collect())
    }

    fn copy_reader(&self, form: &CopyForm) -> SqlResult<Box<dyn CopyReader>> {
        if form.format.binary {
            let rows = copy::BinaryReader::new(form.columns.len());
            return Ok(Box::new(BinaryReader { rows, form: form.clone() }));
        }
        let names = form.columns.iter().map(|c| c.name.clone()).collect();
        let lines = copy::CopyReader::new(form.format.clone(), names);
        Ok(Box::new(Reader { lines, form: form.clone(), cut: Vec::new() }))
    }

    fn copy_writer(&self, form: &CopyForm) -> SqlResult<Box<dyn CopyWriter>> {
        if form.format.binary {
            return Ok(Box::new(BinaryWriter { form: form.clone(), begun: false }));
        }
        Ok(Box::new(Writer { lines: copy::CopyWriter::new(form.format.clone()), form: form.clone(), text: Vec::new() }))
    }
}

struct Source(Parsed);

impl Statement for Source {
    fn compile(&self, scope: &Scope<'_>) -> SqlResult<Plan> {
        sql::compile(&self.0, scope)
    }

    fn text(&self) -> &str {
        &self.0.text
    }

    fn only_in_blocks(&self) -> Option<&'static str> {
        matches!(self.0.ast, Ast::Lock { .. }).then_some("LOCK TABLE")
    }

    fn notices(&self) -> &[SqlError] {
        &self.0.notices
    }
}

struct Reader {
    lines: copy::CopyReader,
    form: CopyForm,
    /// The beginning of a character whose rest is still to come.
    cut: Vec<u8>,
}

impl Reader {
    fn drain(&mut self, row: &mut dyn FnMut(Vec<Value>) -> SqlResult<()>) -> SqlResult<()> {
        while let Some(fields) = self.lines.next_row()? {
            let values = self.form.columns.iter().zip(&fields).map(|(column, field)| match field {
                None => Ok(Value::Null),
                Some(text) => parse_text(column.ty, column.typmod, text, &self.form.env)
                    .map_err(|e| e.context(format!("COPY, column {}: \"{}\"", column.name, excerpt(text)))),
            });
            row(values.collect::<SqlResult<_>>()?)?;
        }
        Ok(())
    }
}

fn excerpt(text: &str) -> &str {
    text.char_indices().nth(100).map_or(text, |(end, _)| &text[..end])
}

impl CopyReader for Reader {
    fn feed(&mut self, data: &[u8], row: &mut dyn FnMut(Vec<Value>) -> SqlResult<()>) -> SqlResult<()> {
        let encoding = self.form.encoding;
        if encoding.is_stored() {
            self.lines.push(data);
            return self.drain(row);
        }
        let joined = [&self.cut, data].concat();
        let (whole, cut) = joined.split_at(encoding.whole(&joined));
        self.lines.push(encoding.decode(whole)?.as_bytes());
        self.cut = cut.to_vec();
        self.drain(row)
    }

    fn finish(&mut self, row: &mut dyn FnMut(Vec<Value>) -> SqlResult<()>) -> SqlResult<()> {
        self.form.encoding.decode(&self.cut)?;
        self.lines.finish();
        self.drain(row)
    }
}

struct Writer {
    lines: copy::CopyWriter,
    form: CopyForm,
    text: Vec<u8>,
}

impl CopyWriter for Writer {
    fn begin(&mut self, out: &mut Vec<u8>) -> SqlResult<()> {
        let names: Vec<&str> = self.form.columns.iter().map(|c| c.name.as_str()).collect();
        let start = out.len();
        self.lines.header(&names, out);
        self.form.encoding.encode_from(out, start)
    }

    fn row(&mut self, values: &[ValueRef<'_>], out: &mut Vec<u8>) -> SqlResult<()> {
        self.text.clear();
        let mut ends = Vec::with_capacity(values.len());
        for (value, column) in values.iter().zip(&self.form.columns) {
            let start = self.text.len();
            if !value.is_null() {
                write_text(column.ty, column.typmod, *value, &self.form.env, &mut self.text)?;
            }
            ends.push((!value.is_null()).then_some((start, self.text.len())));
        }
        let text = std::str::from_utf8(&self.text)
            .map_err(|_| SqlError::new(state::CHARACTER_NOT_IN_REPERTOIRE, "a value is not valid UTF-8"))?;
        let fields: Vec<Option<&str>> = ends.into_iter().map(|e| e.map(|(start, end)| &text[start..end])).collect();
        let start = out.len();
        self.lines.row(&fields, out);
        self.form.encoding.encode_from(out, start)
    }

    fn end(&mut self, _out: &mut Vec<u8>) -> SqlResult<()> {
        Ok(())
    }
}

struct BinaryReader {
    rows: copy::BinaryReader,
    form: CopyForm,
}

impl BinaryReader {
    fn drain(&mut self, row: &mut dyn FnMut(Vec<Value>) -> SqlResult<()>) -> SqlResult<()> {
        let CopyForm { columns, env, encoding, .. } = &self.form;
        let at = self.rows.row();
        let context = |error: SqlError, number: u64| error.context(format!("COPY, line {number}"));
        while let Some(fields) = self.rows.next_row().map_err(|e| context(e, at + 1))? {
            let values = columns.iter().zip(&fields).map(|(column, field)| match field {
                None => Ok(Value::Null),
                Some(bytes) => encoding
                    .decode_binary(column.ty, bytes)
                    .and_then(|bytes| parse_binary(column.ty, column.typmod, &bytes, env))
                    .map_err(|e| e.context(format!("COPY, column {}", column.name))),
            });
            row(values.collect::<SqlResult<_>>()?)?;
        }
        Ok(())
    }
}

impl CopyReader for BinaryReader {
    fn feed(&mut self, data: &[u8], row: &mut dyn FnMut(Vec<Value>) -> SqlResult<()>) -> SqlResult<()> {
        self.rows.push(data);
        self.drain(row)
    }

    fn finish(&mut self, row: &mut dyn FnMut(Vec<Value>) -> SqlResult<()>) -> SqlResult<()> {
        self.rows.finish();
        self.drain(row)
    }
}

struct BinaryWriter {
    form: CopyForm,
    /// What is before the rows is in the same message as the first of them: psycopg takes each message for a row.
    begun: bool,
}

impl BinaryWriter {
    fn open(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            out.extend_from_slice(copy::SIGNATURE);
        }
    }
}

impl CopyWriter for BinaryWriter {
    fn begin(&mut self, _out: &mut Vec<u8>) -> SqlResult<()> {
        Ok(())
    }

    fn row(&mut self, values: &[ValueRef<'_>], out: &mut Vec<u8>) -> SqlResult<()> {
        self.open(out);
        out.extend_from_slice(&(values.len() as u16).to_be_bytes());
        for (value, column) in values.iter().zip(&self.form.columns) {
            if value.is_null() {
                out.extend_from_slice(&(-1i32).to_be_bytes());
                continue;
            }
            let at = out.len() + 4;
            out.extend_from_slice(&[0; 4]);
            write_binary(column.ty, column.typmod, *value, &self.form.env, out)?;
            self.form.encoding.encode_binary_from(column.ty, out, at)?;
            let length = (out.len() - at) as u32;
            out[at - 4..at].copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) -> SqlResult<()> {
        self.open(out);
        out.extend_from_slice(&(-1i16).to_be_bytes());
        Ok(())
    }
}
