//! COPY: its options, and the text and CSV formats as pure transformers (PostgreSQL documentation, COPY).
//!
//! [`CopyReader`] takes the client's text in chunks cut anywhere and gives rows of fields; [`CopyWriter`] does the
//! reverse. For the binary format these are [`BinaryReader`] and [`SIGNATURE`], which is what is before the rows. Left out
//! (0A000): files and programs on the server.

use super::Scope;
use super::access;
use super::bind::{Binder, is_dml};
use super::cursor::{Cursor, Name};
use super::parse;
use super::plan::{CopyFormat, CopyIn, Plan, PlanKind, Read, ResultColumn};
use crate::error::{SqlError, SqlResult, state};
use crate::rights::USAGE;
use crate::sql::catalog::{Relation, RelationKind, quote};
use crate::types::encoding::Encoding;
use sqlparser::ast::{SetExpr, Statement};
use std::borrow::Cow;

#[derive(Clone, Debug)]
pub struct CopyStatement {
    pub source: CopySource,
    pub from: bool,
    pub options: CopyOptions,
    /// WHERE
    pub filter: Option<String>,
}

#[derive(Clone, Debug)]
pub enum CopySource {
    Table(Name, Vec<String>),
    Query(String),
}

/// As written; columns are resolved when the statement is compiled.
#[derive(Clone, Debug, Default)]
pub struct CopyOptions {
    pub format: Option<String>,
    pub encoding: Option<String>,
    pub delimiter: Option<String>,
    pub null: Option<String>,
    pub header: Option<String>,
    pub quote: Option<String>,
    pub escape: Option<String>,
    /// `None` in it: all columns.
    pub force_quote: Option<Option<Vec<String>>>,
    pub force_not_null: Option<Option<Vec<String>>>,
    pub force_null: Option<Option<Vec<String>>>,
}

/// After COPY.
pub fn statement(c: &mut Cursor<'_>) -> SqlResult<CopyStatement> {
    let mut options = CopyOptions::default();
    if c.eat("BINARY") {
        options.format = Some("binary".into());
    }
    let source = if c.is("(") {
        let before = c.position();
        let query = c.parenthesised()?;
        parse::parse_query(query, c.allowance).map_err(|e| parse::moved(e, before))?;
        CopySource::Query(query.to_owned())
    } else {
        let name = c.name()?;
        let columns = if c.is("(") { c.paren_list(Cursor::ident)? } else { Vec::new() };
        CopySource::Table(name, columns)
    };
    let from = c.eat("FROM");
    if !from {
        c.expect("TO")?;
    }
    if from && matches!(source, CopySource::Query(_)) {
        return Err(c.error());
    }
    if c.eat("PROGRAM") {
        return Err(SqlError::unsupported("COPY PROGRAM"));
    }
    if c.eat_one(&["STDIN", "STDOUT"]).is_none() {
        c.string()?;
        return Err(SqlError::unsupported("COPY with a file on the server"));
    }
    if c.eat("DELIMITERS") {
        options.delimiter = Some(c.string()?);
    }
    c.eat("WITH");
    if c.is("(") {
        c.paren_list(|c| new_option(c, &mut options))?;
    } else {
        while !c.done() && !c.is("WHERE") {
            old_option(c, &mut options)?;
        }
    }
    let mut filter = None;
    if c.is("WHERE") {
        if !from {
            return Err(SqlError::syntax("WHERE clause not allowed with COPY TO").position(c.position()));
        }
        c.bump();
        let before = c.position();
        let text = c.rest();
        parse::check_expression(text, c.allowance).map_err(|e| parse::moved(e, before))?;
        filter = Some(text.to_owned());
    }
    Ok(CopyStatement { source, from, options, filter })
}

/// `name [value]` in parentheses.
fn new_option(c: &mut Cursor<'_>, o: &mut CopyOptions) -> SqlResult<()> {
    let name = c.any_word()?;
    let columns = |c: &mut Cursor<'_>| {
        if c.eat("*") { Ok(None) } else { c.paren_list(Cursor::ident).map(Some) }
    };
    let text = |c: &mut Cursor<'_>| match c.peek_text(0) {
        "," | ")" => Ok(None),
        t if t.starts_with(['\'', 'E', 'e', '$']) && t.contains(['\'', '$']) => c.string().map(Some),
        _ => Ok(c.bump().map(|t| t.text(c.source).to_owned())),
    };
    match name.as_str() {
        "format" => once(&mut o.format, text(c)?.map(|f| f.to_ascii_lowercase()))?,
        "delimiter" => once(&mut o.delimiter, text(c)?)?,
        "null" => once(&mut o.null, text(c)?)?,
        "header" => once(&mut o.header, Some(text(c)?.unwrap_or_else(|| "true".into()).to_ascii_lowercase()))?,
        "quote" => once(&mut o.quote, text(c)?)?,
        "escape" => once(&mut o.escape, text(c)?)?,
        "force_quote" => once(&mut o.force_quote, Some(columns(c)?))?,
        "force_not_null" => once(&mut o.force_not_null, Some(columns(c)?))?,
        "force_null" => once(&mut o.force_null, Some(columns(c)?))?,
        "encoding" => once(&mut o.encoding, Some(text(c)?.unwrap_or_default()))?,
        // Tunes PostgreSQL's heap; the rows are the same.
        "freeze" => {
            text(c)?;
        }
        _ => return Err(SqlError::syntax(format!("option \"{name}\" not recognized"))),
    }
    Ok(())
}

/// Sets an option that was not set before.
fn once<T>(option: &mut Option<T>, value: Option<T>) -> SqlResult<()> {
    if option.is_some() {
        return Err(SqlError::syntax("conflicting or redundant options"));
    }
    *option = value;
    Ok(())
}

/// The spellings from before PostgreSQL 9.0.
fn old_option(c: &mut Cursor<'_>, o: &mut CopyOptions) -> SqlResult<()> {
    let value = |c: &mut Cursor<'_>| {
        c.eat("AS");
        c.string().map(Some)
    };
    let columns = |c: &mut Cursor<'_>| if c.eat("*") { Ok(None) } else { c.list(Cursor::ident).map(Some) };
    if c.eat("BINARY") {
        once(&mut o.format, Some("binary".into()))?;
    } else if c.eat("CSV") {
        once(&mut o.format, Some("csv".into()))?;
    } else if c.eat("HEADER") {
        once(&mut o.header, Some("true".into()))?;
    } else if c.eat("FREEZE") {
    } else if c.eat("DELIMITER") || c.eat("DELIMITERS") {
        once(&mut o.delimiter, value(c)?)?;
    } else if c.eat("NULL") {
        once(&mut o.null, value(c)?)?;
    } else if c.eat("QUOTE") {
        once(&mut o.quote, value(c)?)?;
    } else if c.eat("ESCAPE") {
        once(&mut o.escape, value(c)?)?;
    } else if c.eat("ENCODING") {
        once(&mut o.encoding, Some(c.string()?))?;
    } else if c.eat_all("FORCE QUOTE") {
        once(&mut o.force_quote, Some(columns(c)?))?;
    } else if c.eat_all("FORCE NOT NULL") {
        once(&mut o.force_not_null, Some(columns(c)?))?;
    } else if c.eat_all("FORCE NULL") {
        once(&mut o.force_null, Some(columns(c)?))?;
    } else {
        return Err(c.error());
    }
    Ok(())
}

/// The options as a format over columns of these names.
pub fn format_of(o: &CopyOptions, from: bool, names: &[String]) -> SqlResult<CopyFormat> {
    let (csv, binary) = match o.format.as_deref() {
        None | Some("text") => (false, false),
        Some("csv") => (true, false),
        Some("binary") => (false, true),
        Some(other) => {
            let message = format!("COPY format \"{other}\" not recognized");
            return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
        }
    };
    if binary {
        for (given, option) in [(o.delimiter.is_some(), "DELIMITER"), (o.null.is_some(), "NULL")] {
            if given {
                return Err(SqlError::syntax(format!("cannot specify {option} in BINARY mode")));
            }
        }
        if o.header.is_some() {
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, "cannot specify HEADER in BINARY mode"));
        }
    }
    let encoding = o.encoding.as_deref().map(|name| {
        Encoding::named(name).map_err(|error| match error.code == state::FEATURE_NOT_SUPPORTED {
            true => error,
            false => {
                let message = "argument to option \"encoding\" must be a valid encoding name";
                SqlError::new(state::INVALID_PARAMETER_VALUE, message)
            }
        })
    });
    let encoding = encoding.transpose()?;
    let byte = |value: &Option<String>, default: u8, what: &str| match value.as_deref().map(str::as_bytes) {
        None => Ok(default),
        Some([b]) if *b != b'\n' && *b != b'\r' => Ok(*b),
        Some([_]) if what == "delimiter" => {
            let message = "COPY delimiter cannot be newline or carriage return";
            Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message))
        }
        Some(_) => {
            let message = format!("COPY {what} must be a single one-byte character");
            Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message))
        }
    };
    let only_csv = |set: bool, what: &str| match set && !csv {
        true => {
            let message = format!("COPY {what} available only in CSV mode");
            Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message))
        }
        false => Ok(()),
    };
    only_csv(o.quote.is_some(), "quote")?;
    only_csv(o.escape.is_some(), "escape")?;
    only_csv(o.force_quote.is_some(), "force quote")?;
    only_csv(o.force_not_null.is_some(), "force not null")?;
    only_csv(o.force_null.is_some(), "force null")?;
    for (set, what, needed, side) in [
        (o.force_quote.is_some(), "force quote", false, "TO"),
        (o.force_not_null.is_some(), "force not null", true, "FROM"),
        (o.force_null.is_some(), "force null", true, "FROM"),
    ] {
        if set && from != needed {
            let message = format!("COPY {what} only available using COPY {side}");
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
        }
    }
    let (header, header_match) = match o.header.as_deref() {
        None | Some("false" | "off" | "0" | "no") => (false, false),
        Some("true" | "on" | "1" | "yes") => (true, false),
        Some("match") if from => (true, true),
        Some("match") => {
            let message = "cannot use \"match\" with HEADER in COPY TO";
            return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
        }
        Some(_) => return Err(SqlError::syntax("header requires a Boolean value or \"match\"")),
    };
    let columns = |list: &Option<Option<Vec<String>>>| match list {
        None => Ok(Vec::new()),
        Some(None) => Ok((0..names.len()).collect()),
        Some(Some(wanted)) => wanted.iter().map(|w| position_of(names, w)).collect::<SqlResult<Vec<usize>>>(),
    };
    let quote = byte(&o.quote, b'"', "quote")?;
    let format = CopyFormat {
        binary,
        encoding,
        csv,
        delimiter: byte(&o.delimiter, if csv { b',' } else { b'\t' }, "delimiter")?,
        null: o.null.clone().unwrap_or_else(|| if csv { String::new() } else { "\\N".into() }),
        header,
        header_match,
        quote,
        escape: byte(&o.escape, quote, "escape")?,
        force_quote: columns(&o.force_quote)?,
        force_not_null: columns(&o.force_not_null)?,
        force_null: columns(&o.force_null)?,
    };
    let invalid = |message: &str| Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
    if !csv && !binary && b"\\.abcdefghijklmnopqrstuvwxyz0123456789".contains(&format.delimiter) {
        return invalid(&format!("COPY delimiter cannot be \"{}\"", char::from(format.delimiter)));
    }
    if csv && format.delimiter == format.quote {
        return invalid("COPY delimiter and quote must be different");
    }
    if format.null.contains(['\n', '\r']) {
        return invalid("COPY null representation cannot use newline or carriage return");
    }
    if csv && format.null.as_bytes().contains(&format.quote) {
        let message = "CSV quote character must not appear in the NULL specification";
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message));
    }
    if format.null.as_bytes().contains(&format.delimiter) {
        return invalid("COPY delimiter character must not appear in the NULL specification");
    }
    Ok(format)
}

fn position_of(names: &[String], wanted: &str) -> SqlResult<usize> {
    names
        .iter()
        .position(|n| n == wanted)
        .ok_or_else(|| SqlError::new(state::UNDEFINED_COLUMN, format!("column \"{wanted}\" does not exist")))
}

/// Compiles COPY … FROM STDIN and COPY … TO STDOUT.
pub fn compile(copy: &CopyStatement, scope: &Scope<'_>) -> SqlResult<Plan> {
    match &copy.source {
        CopySource::Query(query) => copy_query(query, copy, scope),
        CopySource::Table(name, columns) => {
            name.schema.iter().try_for_each(|schema| access::schema(scope, schema, USAGE))?;
            let relation = scope.catalog.resolve(scope.search_path, name.schema.as_deref(), &name.name);
            let relation = relation.ok_or_else(|| {
                SqlError::new(state::UNDEFINED_TABLE, format!("relation \"{name}\" does not exist"))
                    .position(name.position)
            })?;
            let columns = columns_of(relation, columns, copy.from)?;
            if copy.from {
                copy_in(relation, &columns, copy, scope)
            } else {
                copy_table(relation, &columns, copy, scope)
            }
        }
    }
}

/// The named columns, or all that can be copied.
fn columns_of(relation: &Relation, names: &[String], from: bool) -> SqlResult<Vec<i16>> {
    if names.is_empty() {
        return Ok(relation.columns.iter().filter(|c| c.generated.is_none()).map(|c| c.attnum).collect());
    }
    let mut attnums = Vec::new();
    for name in names {
        let column = relation.column(name).ok_or_else(|| {
            let message = format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
            SqlError::new(state::UNDEFINED_COLUMN, message)
        })?;
        if attnums.contains(&column.attnum) {
            return Err(SqlError::new(state::DUPLICATE_COLUMN, format!("column \"{name}\" specified more than once")));
        }
        if from && column.generated.is_some() {
            let message = format!("column \"{name}\" is a generated column");
            return Err(SqlError::new(state::INVALID_COLUMN_REFERENCE, message)
                .detail("Generated columns cannot be used in COPY."));
        }
        attnums.push(column.attnum);
    }
    Ok(attnums)
}

fn copy_in(relation: &Relation, attnums: &[i16], copy: &CopyStatement, scope: &Scope<'_>) -> SqlResult<Plan> {
    if !matches!(relation.kind, RelationKind::Table) {
        let message = match relation.kind {
            RelationKind::View { .. } => format!("cannot copy to view \"{}\"", relation.name),
            RelationKind::Materialized { .. } => format!("cannot copy to materialized view \"{}\"", relation.name),
            _ => format!("cannot copy to \"{}\": it is not a table", relation.name),
        };
        return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message));
    }
    let columns: Vec<ResultColumn> = attnums
        .iter()
        .filter_map(|n| relation.column_at(*n))
        .map(|c| ResultColumn {
            name: c.name.clone(),
            ty: c.ty,
            typmod: c.typmod,
            table: relation.oid,
            attnum: c.attnum,
        })
        .collect();
    let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
    let mut binder = Binder::new(scope);
    let (insert, facts) = binder.insert_row(relation, attnums, copy.filter.as_deref())?;
    Ok(Plan {
        // The statement itself has none: those of `insert` are the columns of the input.
        params: Vec::new(),
        columns: Vec::new(),
        schema_version: scope.catalog.version,
        kind: PlanKind::CopyIn(CopyIn { insert, facts, format: format_of(&copy.options, true, &names)?, columns }),
    })
}

fn copy_table(relation: &Relation, attnums: &[i16], copy: &CopyStatement, scope: &Scope<'_>) -> SqlResult<Plan> {
    if matches!(relation.kind, RelationKind::View { .. }) {
        return Err(SqlError::new(state::WRONG_OBJECT_TYPE, format!("cannot copy from view \"{}\"", relation.name))
            .hint("Try the COPY (SELECT ...) TO variant."));
    }
    if matches!(relation.kind, RelationKind::Materialized { .. }) {
        let message = format!("cannot copy from materialized view \"{}\"", relation.name);
        return Err(SqlError::new(state::WRONG_OBJECT_TYPE, message).hint("Try the COPY (SELECT ...) TO variant."));
    }
    let names: Vec<String> = attnums.iter().filter_map(|n| relation.column_at(*n)).map(|c| quote(&c.name)).collect();
    let query = format!("SELECT {} FROM {}.{}", names.join(", "), quote(&relation.schema), quote(&relation.name));
    copy_query(&query, copy, scope)
}

fn copy_query(query: &str, copy: &CopyStatement, scope: &Scope<'_>) -> SqlResult<Plan> {
    let statement = parse::parse_query(query, scope.allowance)?;
    let mut binder = Binder::new(scope);
    let query = match &*statement {
        Statement::Query(query) if !is_dml(query) => query,
        statement => {
            let (mut write, columns) = binder.dml(statement)?;
            if columns.is_empty() {
                let text = "COPY query must have a RETURNING clause";
                return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
            }
            let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
            write.copy = Some(format_of(&copy.options, false, &names)?);
            return Ok(Plan {
                params: binder.params()?,
                columns,
                schema_version: scope.catalog.version,
                kind: PlanKind::Write(write),
            });
        }
    };
    if let SetExpr::Select(select) = &*query.body
        && select.into.is_some()
    {
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, "COPY (SELECT INTO) is not supported"));
    }
    let bound = binder.reading_query(query)?;
    if bound.writes {
        return Err(SqlError::unsupported("COPY of a query with effects"));
    }
    let names: Vec<String> = bound.columns.iter().map(|c| c.name.clone()).collect();
    let format = format_of(&copy.options, false, &names)?;
    let (lock, inside) = (bound.lock, bound.inside);
    let facts = bound.facts.into();
    let read = Read { sql: bound.sql.into(), facts, lock, inside, short: bound.short, tag: "COPY", places: Vec::new() };
    Ok(Plan {
        params: binder.params()?,
        columns: bound.columns,
        schema_version: scope.catalog.version,
        kind: PlanKind::CopyOut { read, format },
    })
}

fn bad_file(message: impl Into<String>) -> SqlError {
    SqlError::new(state::BAD_COPY_FILE_FORMAT, message)
}

/// Cuts a stream of bytes into rows of fields. Give it chunks with [`CopyReader::push`], take rows with
/// [`CopyReader::next_row`] until it has none, and after the last chunk call [`CopyReader::finish`].
pub struct CopyReader {
    format: CopyFormat,
    names: Vec<String>,
    buffer: Vec<u8>,
    /// Start of the current line, and how far it has been looked through.
    start: usize,
    scanned: usize,
    in_quotes: bool,
    /// The last byte looked at was an escape inside quotes, which may be an escape or (when it is also the quote)
    /// the end of the quotes.
    line: u64,
    header_pending: bool,
    ended: bool,
    last: bool,
}

/// One row: the text of each field, or NULL.
pub type Fields<'a> = Vec<Option<Cow<'a, str>>>;

impl CopyReader {
    /// `names`: the columns the rows must have.
    pub fn new(format: CopyFormat, names: Vec<String>) -> CopyReader {
        CopyReader {
            header_pending: format.header,
            format,
            names,
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            in_quotes: false,
            line: 0,
            ended: false,
            last: false,
        }
    }

    /// The number of the last line given, from 1, for error contexts.
    pub fn line(&self) -> u64 {
        self.line
    }

    pub fn push(&mut self, chunk: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
        }
        self.buffer.extend_from_slice(chunk);
    }

    /// No more chunks follow: a last line without its newline counts.
    pub fn finish(&mut self) {
        self.last = true;
    }

    /// The next complete row; `None` when more bytes are needed, or at the end.
    pub fn next_row(&mut self) -> SqlResult<Option<Fields<'_>>> {
        let (from, to) = loop {
            if self.ended {
                return Ok(None);
            }
            let Some((from, to)) = self.next_line()? else { return Ok(None) };
            self.line += 1;
            if &self.buffer[from..to] == b"\\." {
                self.ended = true;
                continue;
            }
            if std::mem::take(&mut self.header_pending) {
                self.check_header(from, to)?;
                continue;
            }
            break (from, to);
        };
        let line = self.line;
        let fields = self.fields(from, to).map_err(|e| e.context(format!("COPY, line {line}")))?;
        Ok(Some(fields))
    }

    /// The extent of the next line, without its end; moves behind it.
    fn next_line(&mut self) -> SqlResult<Option<(usize, usize)>> {
        while self.scanned < self.buffer.len() {
            let at = self.scanned;
            match self.buffer[at] {
                b'\\' if !self.format.csv => {
                    // The escaped byte may be a newline that belongs to the value.
                    if at + 1 >= self.buffer.len() && !self.last {
                        return Ok(None);
                    }
                    self.scanned += 2;
                    continue;
                }
                // An escape that is not the quote keeps the next byte from closing; doubled quotes close and reopen.
                b if self.in_quotes && b == self.format.escape && b != self.format.quote => {
                    if at + 1 >= self.buffer.len() && !self.last {
                        return Ok(None);
                    }
                    self.scanned += 2;
                    continue;
                }
                b if self.format.csv && b == self.format.quote => self.in_quotes = !self.in_quotes,
                b @ (b'\n' | b'\r') if !self.in_quotes => {
                    let mut end = at + 1;
                    if b == b'\r' {
                        match self.buffer.get(end) {
                            Some(b'\n') => end += 1,
                            None if !self.last => return Ok(None),
                            _ => {}
                        }
                    }
                    let line = (self.start, at);
                    (self.start, self.scanned) = (end, end);
                    return Ok(Some(line));
                }
                _ => {}
            }
            self.scanned += 1;
        }
        self.scanned = self.scanned.min(self.buffer.len());
        if !self.last || self.start >= self.buffer.len() {
            return Ok(None);
        }
        if self.in_quotes {
            return Err(bad_file("unterminated CSV quoted field").context(format!("COPY, line {}", self.line + 1)));
        }
        let line = (self.start, self.buffer.len());
        self.start = self.buffer.len();
        Ok(Some(line))
    }

    fn check_header(&self, from: usize, to: usize) -> SqlResult<()> {
        if !self.format.header_match {
            return Ok(());
        }
        let fields = self.split(from, to)?;
        if fields.len() != self.names.len() {
            return Err(bad_file(format!(
                "wrong number of fields in header line: got {}, expected {}",
                fields.len(),
                self.names.len()
            )));
        }
        for (i, (field, name)) in fields.iter().zip(&self.names).enumerate() {
            if field.as_deref() != Some(name.as_str()) {
                return Err(bad_file(format!(
                    "column name mismatch in header line field {}: got {}, expected \"{name}\"",
                    i + 1,
                    field.as_deref().map_or("null value".into(), |f| format!("\"{f}\""))
                )));
            }
        }
        Ok(())
    }

    fn fields(&self, from: usize, to: usize) -> SqlResult<Fields<'_>> {
        let fields = self.split(from, to)?;
        // A table without columns to copy has empty lines.
        if self.names.is_empty() && from == to {
            return Ok(Vec::new());
        }
        if fields.len() > self.names.len() {
            return Err(bad_file("extra data after last expected column"));
        }
        match self.names.get(fields.len()) {
            Some(name) => Err(bad_file(format!("missing data for column \"{name}\""))),
            None => Ok(fields),
        }
    }

    fn split(&self, from: usize, to: usize) -> SqlResult<Fields<'_>> {
        let line = std::str::from_utf8(&self.buffer[from..to]).map_err(|_| {
            SqlError::new(state::CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\"")
        })?;
        if line.contains('\0') {
            let message = "invalid byte sequence for encoding \"UTF8\": 0x00";
            return Err(SqlError::new(state::CHARACTER_NOT_IN_REPERTOIRE, message));
        }
        if self.format.csv { Ok(self.split_csv(line)) } else { self.split_text(line) }
    }

    fn split_text<'a>(&self, line: &'a str) -> SqlResult<Fields<'a>> {
        let bytes = line.as_bytes();
        let (mut fields, mut start, mut at) = (Vec::new(), 0, 0);
        loop {
            match bytes.get(at) {
                Some(b'\\') => at += 2,
                Some(b) if *b != self.format.delimiter => at += 1,
                found => {
                    let end = at.min(bytes.len());
                    let raw = &line[start..end];
                    // NULL is recognised before escapes are resolved.
                    fields.push(if raw == self.format.null { None } else { Some(unescape(raw)?) });
                    if found.is_none() {
                        return Ok(fields);
                    }
                    at += 1;
                    start = at;
                }
            }
        }
    }

    fn split_csv<'a>(&self, line: &'a str) -> Fields<'a> {
        let bytes = line.as_bytes();
        let (quote, escape) = (self.format.quote, self.format.escape);
        let (mut fields, mut at) = (Vec::new(), 0);
        loop {
            let start = at;
            // Unquoted parts are borrowed as long as the field is one piece.
            let (mut value, mut piece, mut quoted, mut inside) = (None::<String>, start, false, false);
            while let Some(b) = bytes.get(at) {
                if inside && *b == escape && matches!(bytes.get(at + 1), Some(n) if *n == quote || *n == escape) {
                    value.get_or_insert_default().push_str(&line[piece..at]);
                    piece = at + 1;
                    at += 2;
                } else if *b == quote {
                    value.get_or_insert_default().push_str(&line[piece..at]);
                    (quoted, inside) = (true, !inside);
                    at += 1;
                    piece = at;
                } else if *b == self.format.delimiter && !inside {
                    break;
                } else {
                    at += 1;
                }
            }
            let text = match value {
                Some(text) => Cow::Owned(text + &line[piece..at]),
                None => Cow::Borrowed(&line[start..at]),
            };
            fields.push(self.csv_null(text, quoted, fields.len()));
            if at >= bytes.len() {
                return fields;
            }
            at += 1;
        }
    }

    fn csv_null<'a>(&self, text: Cow<'a, str>, quoted: bool, column: usize) -> Option<Cow<'a, str>> {
        let is_null = text == self.format.null
            && (if quoted {
                self.format.force_null.contains(&column)
            } else {
                !self.format.force_not_null.contains(&column)
            });
        if is_null { None } else { Some(text) }
    }
}

/// The backslash escapes of the text format.
fn unescape(raw: &str) -> SqlResult<Cow<'_, str>> {
    if !raw.contains('\\') {
        return Ok(Cow::Borrowed(raw));
    }
    let bytes = raw.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    // Takes up to `count` digits of base `radix` from `at`.
    let digits = |at: usize, count: usize, radix: u32| {
        let run = bytes[at..].iter().take(count).take_while(|b| char::from(**b).is_digit(radix));
        run.fold((0u32, at), |(value, at), b| (value * radix + char::from(*b).to_digit(radix).unwrap_or(0), at + 1))
    };
    while at < bytes.len() {
        let b = bytes[at];
        at += 1;
        if b != b'\\' || at >= bytes.len() {
            out.push(b);
            continue;
        }
        let escaped = bytes[at];
        at += 1;
        match escaped {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'0'..=b'7' => {
                let (value, next) = digits(at - 1, 3, 8);
                out.push(value as u8);
                at = next;
            }
            b'x' if bytes.get(at).is_some_and(u8::is_ascii_hexdigit) => {
                let (value, next) = digits(at, 2, 16);
                out.push(value as u8);
                at = next;
            }
            other => out.push(other),
        }
    }
    match String::from_utf8(out) {
        Ok(text) if !text.contains('\0') => Ok(Cow::Owned(text)),
        _ => Err(SqlError::new(state::CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\"")),
    }
}

/// Formats rows whose fields are already Postgres text.
pub struct CopyWriter {
    format: CopyFormat,
}

impl CopyWriter {
    pub fn new(format: CopyFormat) -> CopyWriter {
        CopyWriter { format }
    }

    /// The header line, if there is to be one.
    pub fn header(&self, names: &[&str], out: &mut Vec<u8>) {
        if self.format.header {
            let fields: Vec<Option<&str>> = names.iter().map(|n| Some(*n)).collect();
            self.line(&fields, &[], out);
        }
    }

    /// Appends one line of data.
    pub fn row(&self, fields: &[Option<&str>], out: &mut Vec<u8>) {
        self.line(fields, &self.format.force_quote, out);
    }

    /// `force_quote`: columns that are quoted whatever they hold.
    fn line(&self, fields: &[Option<&str>], force_quote: &[usize], out: &mut Vec<u8>) {
        for (i, field) in fields.iter().enumerate() {
            if i > 0 {
                out.push(self.format.delimiter);
            }
            match field {
                None => out.extend_from_slice(self.format.null.as_bytes()),
                Some(text) if self.format.csv => {
                    self.csv_field(text, force_quote.contains(&i), fields.len() == 1, out);
                }
                Some(text) => self.text_field(text, out),
            }
        }
        out.push(b'\n');
    }

    fn text_field(&self, text: &str, out: &mut Vec<u8>) {
        for b in text.bytes() {
            let escaped = match b {
                8 => b'b',
                12 => b'f',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                11 => b'v',
                b'\\' => b'\\',
                _ if b == self.format.delimiter => b,
                _ => {
                    out.push(b);
                    continue;
                }
            };
            out.extend_from_slice(&[b'\\', escaped]);
        }
    }

    /// `force`: quoted in any case. `alone`: the only field of its line, where `\.` would look like the end of the data.
    fn csv_field(&self, text: &str, force: bool, alone: bool, out: &mut Vec<u8>) {
        let f = &self.format;
        let special = |b: u8| b == f.delimiter || b == f.quote || b == b'\n' || b == b'\r';
        let quoted = force || text == f.null || (alone && text == "\\.") || text.bytes().any(special);
        if !quoted {
            return out.extend_from_slice(text.as_bytes());
        }
        out.push(f.quote);
        for b in text.bytes() {
            if b == f.quote || b == f.escape {
                out.push(f.escape);
            }
            out.push(b);
        }
        out.push(f.quote);
    }
}

/// What is before the rows of the binary format: signature, flags, length of the header's extension.
pub const SIGNATURE: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Bytes of it that are the same in all files.
const MAGIC: usize = 11;

/// Cuts a stream of the binary format into rows of fields. Used as a [`CopyReader`] is.
pub struct BinaryReader {
    columns: usize,
    buffer: Vec<u8>,
    at: usize,
    row: u64,
    begun: bool,
    ended: bool,
    last: bool,
}

/// The binary form of each field of a row, or NULL.
pub type BinaryFields<'a> = Vec<Option<&'a [u8]>>;

impl BinaryReader {
    pub fn new(columns: usize) -> BinaryReader {
        BinaryReader { columns, buffer: Vec::new(), at: 0, row: 0, begun: false, ended: false, last: false }
    }

    /// The number of the last row given, from 1, for error contexts.
    pub fn row(&self) -> u64 {
        self.row
    }

    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.extend_from_slice(chunk);
    }

    /// No more chunks follow.
    pub fn finish(&mut self) {
        self.last = true;
    }

    /// The next complete row; `None` when more bytes are needed, or at the end.
    pub fn next_row(&mut self) -> SqlResult<Option<BinaryFields<'_>>> {
        let short = |last: bool, what: &str| if last { Err(bad_file(what)) } else { Ok(None) };
        if !self.begun {
            match header(&self.buffer)? {
                Some(length) => (self.begun, self.at) = (true, length),
                // It is told apart by its first bytes.
                None if self.last && self.buffer.len() < MAGIC => return Err(no_signature()),
                None => return short(self.last, "invalid COPY file header (wrong length)"),
            }
        }
        let rest = &self.buffer[self.at..];
        if self.ended {
            return if rest.is_empty() { Ok(None) } else { Err(bad_file("received copy data after EOF marker")) };
        }
        let Some((count, mut after)) = rest.split_first_chunk::<2>() else {
            return match self.last {
                // A file without its trailer is as good, as in PostgreSQL.
                true if rest.is_empty() => Ok(None),
                last => short(last, "unexpected EOF in COPY data"),
            };
        };
        let count = i16::from_be_bytes(*count);
        if count == -1 {
            self.ended = true;
            self.at += 2;
            return if after.is_empty() { Ok(None) } else { Err(bad_file("received copy data after EOF marker")) };
        }
        if usize::try_from(count).ok() != Some(self.columns) {
            return Err(bad_file(format!("row field count is {count}, expected {}", self.columns)));
        }
        let mut fields = Vec::with_capacity(self.columns);
        for _ in 0..self.columns {
            let Some((length, value)) = after.split_first_chunk::<4>() else {
                return short(self.last, "unexpected EOF in COPY data");
            };
            let length = i32::from_be_bytes(*length);
            after = value;
            if length == -1 {
                fields.push(None);
                continue;
            }
            let length = usize::try_from(length).map_err(|_| bad_file("invalid field size"))?;
            let Some((value, next)) = after.split_at_checked(length) else {
                return short(self.last, "unexpected EOF in COPY data");
            };
            fields.push(Some(value));
            after = next;
        }
        self.at = self.buffer.len() - after.len();
        self.row += 1;
        Ok(Some(fields))
    }
}

fn no_signature() -> SqlError {
    bad_file("COPY file signature not recognized")
}

/// The length of the binary format's header, if all of it is there.
fn header(bytes: &[u8]) -> SqlResult<Option<usize>> {
    let known = bytes.len().min(MAGIC);
    if bytes[..known] != SIGNATURE[..known] {
        return Err(no_signature());
    }
    let word = |at: usize| bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes);
    let (Some(flags), Some(extension)) = (word(MAGIC), word(MAGIC + 4)) else { return Ok(None) };
    if flags & (1 << 16) != 0 {
        return Err(bad_file("invalid COPY file header (WITH OIDS)"));
    }
    if flags >> 16 != 0 {
        return Err(bad_file("unrecognized critical flags in COPY file header"));
    }
    let extension = i32::try_from(extension).map_err(|_| bad_file("invalid COPY file header (missing length)"))?;
    let length = SIGNATURE.len() + extension as usize;
    Ok((length <= bytes.len()).then_some(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(sql: &str) -> (CopyStatement, SqlResult<CopyFormat>) {
        let parsed = parse::parse(sql).unwrap().remove(0);
        let parse::Ast::Copy(copy) = parsed.ast else { panic!("{sql}") };
        let names = ["a".to_owned(), "b".into()];
        let format = format_of(&copy.options, copy.from, &names);
        (*copy, format)
    }

    fn read(sql: &str, data: &str) -> String {
        let (_, format) = options(sql);
        let format = format.unwrap();
        let whole = read_in(&format, data, data.len().max(1));
        for size in [1, 2, 3, 7] {
            assert_eq!(read_in(&format, data, size), whole, "chunks of {size}");
        }
        whole
    }

    fn read_in(format: &CopyFormat, data: &str, size: usize) -> String {
        let mut reader = CopyReader::new(format.clone(), vec!["a".into(), "b".into()]);
        let mut out = Vec::new();
        let mut chunks = data.as_bytes().chunks(size);
        loop {
            loop {
                match reader.next_row() {
                    Ok(Some(fields)) => out.push(format!("{fields:?}")),
                    Ok(None) => break,
                    Err(e) => {
                        out.push(e.message);
                        return out.join("\n").replace("Some(", "(");
                    }
                }
            }
            match chunks.next() {
                Some(chunk) => reader.push(chunk),
                None if reader.last => break,
                None => reader.finish(),
            }
        }
        out.join("\n").replace("Some(", "(")
    }

    #[test]
    fn reads_text() {
        let t = "copy t from stdin";
        assert_eq!(read(t, "1\tx\n\\N\t\n"), "[(\"1\"), (\"x\")]\n[None, (\"\")]");
        assert_eq!(read(t, "a\\tb\\\\\t\\x41\\101\\\nz\r\n\\.\nignored"), "[(\"a\\tb\\\\\"), (\"AA\\nz\")]");
        assert_eq!(read(t, "1"), "missing data for column \"b\"");
        assert_eq!(read(t, "1\t2\t3\n"), "extra data after last expected column");
        assert_eq!(read("copy t from stdin with delimiter '|' null 'x'", "x|\\x\n"), "[None, (\"x\")]");
    }

    #[test]
    fn reads_csv() {
        let t = "copy t from stdin csv";
        assert_eq!(read(t, "1,\n\"\",\"a\"\"b\n,c\"\n"), "[(\"1\"), None]\n[(\"\"), (\"a\\\"b\\n,c\")]");
        assert_eq!(read(t, "x\"y\"z,\" q \"\r\n"), "[(\"xyz\"), (\" q \")]");
        assert_eq!(read(t, "1,\"x"), "unterminated CSV quoted field");
        let header = "copy t from stdin (format csv, header match)";
        assert_eq!(read(header, "a,b\n1,2\n"), "[(\"1\"), (\"2\")]");
        assert!(read(header, "a,c\n1,2\n").starts_with("column name mismatch"));
        let forced = "copy t from stdin (format csv, force_null (a), force_not_null (b), escape '\\')";
        assert_eq!(read(forced, "\"\",\n\"a\\\"b\",2\n"), "[None, (\"\")]\n[(\"a\\\"b\"), (\"2\")]");
    }

    #[test]
    fn writes_what_it_reads() {
        for sql in ["copy t from stdin", "copy t from stdin csv", "copy t from stdin csv escape '\\' null 'N'"] {
            let format = options(sql).1.unwrap();
            let rows = [[Some("a\tb\\"), None], [Some(""), Some("\"x\",\n")], [Some("\\."), Some("N")]];
            let mut bytes = Vec::new();
            let writer = CopyWriter::new(format.clone());
            rows.iter().for_each(|r| writer.row(r, &mut bytes));
            let mut reader = CopyReader::new(format, vec!["a".into(), "b".into()]);
            reader.push(&bytes);
            for row in rows {
                let fields = reader.next_row().unwrap().unwrap();
                assert_eq!(fields.iter().map(|f| f.as_deref()).collect::<Vec<_>>(), row, "{sql}");
            }
        }
    }

    #[test]
    fn the_header_is_quoted_only_where_it_must_be() {
        let format = options("copy t to stdout (format csv, header, force_quote *)").1.unwrap();
        let (writer, mut out) = (CopyWriter::new(format), Vec::new());
        writer.header(&["a", "b,c"], &mut out);
        writer.row(&[Some("1"), None], &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "a,\"b,c\"\n\"1\",\n");
    }

    /// Reads `data` in pieces of each size; all give the same.
    fn read_binary(data: &[u8]) -> String {
        let read = |size: usize| {
            let mut reader = BinaryReader::new(2);
            let (mut out, mut chunks) = (Vec::new(), data.chunks(size));
            loop {
                loop {
                    match reader.next_row() {
                        Ok(Some(fields)) => out.push(format!("{fields:?}")),
                        Ok(None) => break,
                        Err(error) => {
                            out.push(error.message);
                            return out.join(" ");
                        }
                    }
                }
                match chunks.next() {
                    Some(chunk) => reader.push(chunk),
                    None if reader.last => return out.join(" "),
                    None => reader.finish(),
                }
            }
        };
        let whole = read(data.len().max(1));
        (1..8).for_each(|size| assert_eq!(read(size), whole, "chunks of {size}"));
        whole
    }

    #[test]
    fn reads_binary() {
        let row = b"\0\x02\0\0\0\x01a\xff\xff\xff\xff";
        let rows = "[Some([97]), None]";
        assert_eq!(read_binary(&[&SIGNATURE[..], row, row, b"\xff\xff"].concat()), format!("{rows} {rows}"));
        assert_eq!(read_binary(&[&SIGNATURE[..], row].concat()), rows);
        assert_eq!(read_binary(&SIGNATURE[..]), "");
        let extended = [&SIGNATURE[..15], b"\0\0\0\x03xyz", row].concat();
        assert_eq!(read_binary(&extended), rows);
        for (data, message) in [
            (b"".to_vec(), "COPY file signature not recognized"),
            (b"1\t2\n".to_vec(), "COPY file signature not recognized"),
            (SIGNATURE[..14].to_vec(), "invalid COPY file header (wrong length)"),
            ([&SIGNATURE[..11], b"\0\x01\0\0\0\0\0\0"].concat(), "invalid COPY file header (WITH OIDS)"),
            ([&SIGNATURE[..], b"\0\x03"].concat(), "row field count is 3, expected 2"),
            ([&SIGNATURE[..], &row[..6]].concat(), "unexpected EOF in COPY data"),
            ([&SIGNATURE[..], b"\xff\xff\0"].concat(), "received copy data after EOF marker"),
            ([&SIGNATURE[..], b"\0\x02\xff\xff\xff\xfe"].concat(), "invalid field size"),
        ] {
            assert_eq!(read_binary(&data), message, "{data:?}");
        }
    }

    #[test]
    fn option_spellings() {
        for sql in [
            "copy t (a, b) from stdin with (format csv, delimiter ';', header)",
            "COPY t(a,b) FROM STDIN WITH DELIMITER AS ';' CSV HEADER",
            "copy t (a, b) from stdin (FORMAT 'csv', DELIMITER E';', HEADER true)",
        ] {
            let format = options(sql).1.unwrap();
            assert!(format.csv && format.header && format.delimiter == b';', "{sql}");
        }
        for sql in ["copy t from stdin binary", "copy t from stdin (format binary)", "copy binary t from stdin"] {
            assert!(options(sql).1.unwrap().binary, "{sql}");
        }
        assert_eq!(options("copy t from stdin (format binary, null 'x')").1.unwrap_err().code, state::SYNTAX_ERROR);
        assert_eq!(options("copy t from stdin (encoding 'latin1')").1.unwrap().encoding.unwrap().name(), "LATIN1");
        assert_eq!(options("copy t from stdin (encoding 'latin')").1.unwrap_err().code.as_str(), "22023");
        assert_eq!(options("copy t from stdin where a > 1 and b is null").0.filter.unwrap(), "a > 1 and b is null");
        assert!(parse::parse("copy t to stdout where a > 1").is_err());
        assert!(parse::parse("copy t from stdin where a > 1 order by b").is_err());
        assert!(options("copy pgbench_accounts from stdin with (freeze on)").1.is_ok());
        assert!(options("copy t from stdin quote 'x'").1.is_err());
        assert!(matches!(options("copy (select 1) to stdout").0.source, CopySource::Query(_)));
    }
}
