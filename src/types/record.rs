//! Rows as values: `record`, and lists of rows.
//!
//! A record is stored as a BLOB that tells the names and types of its fields, so it can be shown, compared, taken apart and
//! made JSON without asking anybody: the length of its shape, the shape (the number of fields; for each its type, type
//! modifier and name), then the values as SQLite stores them. The shape is one constant of the statement that makes it.
//!
//! A list of rows is what a query that depends on the row beside it is gathered into: the number of columns, then value
//! after value. It never leaves a statement.

use super::{Env, Type, binary, text};
use crate::error::{SqlError, SqlResult, state};
use crate::meter;
use crate::value::{Value, ValueRef};

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub ty: Type,
    pub typmod: i32,
}

fn damaged() -> SqlError {
    SqlError::internal("a record is damaged")
}

/// Fields in the form that records carry.
pub fn shape(fields: &[Field]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 + fields.iter().map(|f| 10 + f.name.len()).sum::<usize>());
    out.extend((fields.len() as u16).to_le_bytes());
    for field in fields {
        out.extend(field.ty.0.to_le_bytes());
        out.extend(field.typmod.to_le_bytes());
        out.extend((field.name.len() as u16).to_le_bytes());
        out.extend(field.name.as_bytes());
    }
    out
}

/// Reads bytes from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> SqlResult<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> SqlResult<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| damaged())
    }

    fn text(&mut self, length: usize) -> SqlResult<&'a str> {
        std::str::from_utf8(self.take(length)?).map_err(|_| damaged())
    }

    fn value(&mut self) -> SqlResult<ValueRef<'a>> {
        Ok(match self.array::<1>()?[0] {
            0 => ValueRef::Null,
            1 => ValueRef::Int(i64::from_le_bytes(self.array()?)),
            2 => ValueRef::Real(f64::from_bits(u64::from_le_bytes(self.array()?))),
            3 => {
                let length = u32::from_le_bytes(self.array()?) as usize;
                ValueRef::Text(self.text(length)?)
            }
            4 => {
                let length = u32::from_le_bytes(self.array()?) as usize;
                ValueRef::Blob(self.take(length)?)
            }
            _ => return Err(damaged()),
        })
    }
}

/// Appends a value in the form that records and lists have it in.
pub fn push_value(value: ValueRef<'_>, out: &mut Vec<u8>) {
    let mut sized = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend((bytes.len() as u32).to_le_bytes());
        out.extend(bytes);
    };
    match value {
        ValueRef::Null => out.push(0),
        ValueRef::Int(n) => {
            out.push(1);
            out.extend(n.to_le_bytes());
        }
        ValueRef::Real(x) => {
            out.push(2);
            out.extend(x.to_bits().to_le_bytes());
        }
        ValueRef::Text(text) => sized(3, text.as_bytes()),
        ValueRef::Blob(bytes) => sized(4, bytes),
    }
}

/// The fields of a shape. Errors: XX000 for something else.
pub fn fields(shape: &[u8]) -> SqlResult<Vec<Field>> {
    let mut reader = Reader(shape);
    let count = u16::from_le_bytes(reader.array()?);
    meter::work(count.into())?;
    (0..count)
        .map(|_| {
            let ty = Type(u32::from_le_bytes(reader.array()?));
            let typmod = i32::from_le_bytes(reader.array()?);
            let length = u16::from_le_bytes(reader.array()?);
            Ok(Field { name: reader.text(length.into())?.to_owned(), ty, typmod })
        })
        .collect()
}

/// A record of a shape with these values.
pub fn build<'a>(shape: &[u8], values: impl IntoIterator<Item = ValueRef<'a>>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + shape.len());
    out.extend((shape.len() as u32).to_le_bytes());
    out.extend(shape);
    values.into_iter().for_each(|value| push_value(value, &mut out));
    out
}

/// A record, borrowed.
pub struct Record<'a> {
    pub fields: Vec<Field>,
    pub values: Vec<ValueRef<'a>>,
}

impl<'a> Record<'a> {
    /// Errors: XX000 for something else.
    pub fn read(bytes: &'a [u8]) -> SqlResult<Record<'a>> {
        let mut reader = Reader(bytes);
        let length = u32::from_le_bytes(reader.array()?) as usize;
        let fields = fields(reader.take(length)?)?;
        let values = fields.iter().map(|_| reader.value()).collect::<SqlResult<_>>()?;
        Ok(Record { fields, values })
    }
}

/// The value of a field by its number, from 0, without looking at the others' names.
pub fn field(bytes: &[u8], number: usize) -> SqlResult<ValueRef<'_>> {
    let mut reader = Reader(bytes);
    let length = u32::from_le_bytes(reader.array()?) as usize;
    reader.take(length)?;
    for _ in 0..number {
        reader.value()?;
    }
    reader.value()
}

/// The output function of records: `(1,x,"a b",)`.
pub fn write_text(bytes: &[u8], env: &Env, out: &mut Vec<u8>) -> SqlResult<()> {
    let record = Record::read(bytes)?;
    let mut item = Vec::new();
    out.push(b'(');
    for (i, (field, value)) in record.fields.iter().zip(record.values).enumerate() {
        meter::work(4)?;
        if i > 0 {
            out.push(b',');
        }
        if value.is_null() {
            continue;
        }
        item.clear();
        text::write_text(field.ty, field.typmod, value, env, &mut item)?;
        push_quoted(&item, out);
    }
    out.push(b')');
    Ok(())
}

/// The input function of rows: the texts of `count` fields, `None` for NULL (PostgreSQL 15, 8.16.6). Errors: 22P02.
pub fn read_text(text: &str, count: usize) -> SqlResult<Vec<Option<String>>> {
    let fail = |why: &str| {
        let message = format!("malformed record literal: \"{text}\"");
        SqlError::new(state::INVALID_TEXT_REPRESENTATION, message).detail(why)
    };
    let rest = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    let mut chars = rest.strip_prefix('(').ok_or_else(|| fail("Missing left parenthesis."))?.chars().peekable();
    let mut fields = Vec::with_capacity(count);
    for number in 0..count {
        if number > 0 && chars.next_if_eq(&',').is_none() {
            return Err(fail("Too few columns."));
        }
        if matches!(chars.peek(), Some(',' | ')')) {
            fields.push(None);
            continue;
        }
        let (mut field, mut quoted) = (String::new(), false);
        loop {
            match chars.peek() {
                Some(',' | ')') if !quoted => break,
                _ => {}
            }
            let ended = || fail("Unexpected end of input.");
            match chars.next().ok_or_else(ended)? {
                '\\' => field.push(chars.next().ok_or_else(ended)?),
                '"' if quoted && chars.next_if_eq(&'"').is_some() => field.push('"'),
                '"' => quoted = !quoted,
                other => field.push(other),
            }
        }
        fields.push(Some(field));
    }
    match chars.next() {
        Some(')') => {}
        _ => return Err(fail("Too many columns.")),
    }
    match chars.all(|c| c.is_ascii_whitespace() || c == '\x0b') {
        true => Ok(fields),
        false => Err(fail("Junk after right parenthesis.")),
    }
}

fn push_quoted(item: &[u8], out: &mut Vec<u8>) {
    let special = |b: &u8| matches!(b, b'"' | b'\\' | b'(' | b')' | b',') || b.is_ascii_whitespace() || *b == 0x0b;
    if !item.is_empty() && !item.iter().any(special) {
        return out.extend_from_slice(item);
    }
    out.push(b'"');
    for &b in item {
        if matches!(b, b'"' | b'\\') {
            out.push(b);
        }
        out.push(b);
    }
    out.push(b'"');
}

/// What PostgreSQL sends for a record in binary: the number of fields, then each one's type and binary form.
pub fn write_wire(bytes: &[u8], env: &Env, out: &mut Vec<u8>) -> SqlResult<()> {
    let record = Record::read(bytes)?;
    out.extend((record.fields.len() as i32).to_be_bytes());
    for (field, value) in record.fields.iter().zip(record.values) {
        out.extend(field.ty.0.to_be_bytes());
        if value.is_null() {
            out.extend((-1i32).to_be_bytes());
            continue;
        }
        let at = out.len();
        out.extend([0; 4]);
        binary::write_binary(field.ty, field.typmod, value, env, out)?;
        let length = (out.len() - at - 4) as i32;
        out[at..at + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

/// Rows one after the other.
#[derive(Debug, Default)]
pub struct List {
    bytes: Vec<u8>,
}

impl List {
    /// Appends a row; all have as many values. Errors: those of [`meter`].
    pub fn push<'v>(&mut self, row: impl ExactSizeIterator<Item = ValueRef<'v>>) -> SqlResult<()> {
        let before = self.bytes.capacity();
        if self.bytes.is_empty() {
            self.bytes.extend((row.len() as u16).to_le_bytes());
        }
        // Rows without columns are as many as there are bytes.
        if row.len() == 0 {
            self.bytes.push(0);
        }
        row.for_each(|value| push_value(value, &mut self.bytes));
        let grown = self.bytes.capacity().saturating_sub(before);
        if self.bytes.len() > u32::MAX as usize / 8 {
            return Err(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, "a list of rows is too long"));
        }
        if grown > 0 { meter::hold(grown) } else { Ok(()) }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A list of rows that is read from its beginning to its end.
pub struct Rows {
    bytes: Vec<u8>,
    at: usize,
    width: usize,
}

impl Rows {
    /// Errors: those of [`meter`], XX000 for something else.
    pub fn read(bytes: &[u8]) -> SqlResult<Rows> {
        meter::hold(bytes.len())?;
        let width = if bytes.is_empty() { 0 } else { u16::from_le_bytes(Reader(bytes).array()?).into() };
        Ok(Rows { bytes: bytes.to_vec(), at: 2, width })
    }

    /// The next row into `row`; whether there is one.
    pub fn next(&mut self, row: &mut Vec<Value>) -> SqlResult<bool> {
        row.clear();
        if self.at >= self.bytes.len() {
            return Ok(false);
        }
        meter::work(2 * self.width)?;
        let mut reader = Reader(&self.bytes[self.at..]);
        for _ in 0..self.width {
            row.push(reader.value()?.to_owned());
        }
        self.at = self.bytes.len() - reader.0.len();
        self.at += usize::from(self.width == 0);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::NO_TYPMOD;

    fn field_of(name: &str, ty: Type) -> Field {
        Field { name: name.to_owned(), ty, typmod: NO_TYPMOD }
    }

    #[test]
    fn records_are_what_they_were_made_of() {
        let fields = [field_of("a", Type::INT4), field_of("b c", Type::TEXT), field_of("d", Type::FLOAT8)];
        let values = [ValueRef::Int(7), ValueRef::Text("x, \"y\""), ValueRef::Null];
        let bytes = build(&shape(&fields), values);
        let record = Record::read(&bytes).unwrap();
        assert_eq!(record.fields, fields);
        assert_eq!(record.values, values);
        assert_eq!(field(&bytes, 1).unwrap(), values[1]);
        let mut text = Vec::new();
        write_text(&bytes, &Env::default(), &mut text).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), "(7,\"x, \"\"y\"\"\",)");
        let mut wire = Vec::new();
        write_wire(&bytes[..], &Env::default(), &mut wire).unwrap();
        assert_eq!(&wire[..16], [0, 0, 0, 3, 0, 0, 0, 23, 0, 0, 0, 4, 0, 0, 0, 7]);
    }

    #[test]
    fn lists_are_read_row_by_row() {
        let mut list = List::default();
        for n in 0..3 {
            list.push([ValueRef::Int(n), ValueRef::Null].into_iter()).unwrap();
        }
        let mut rows = Rows::read(list.as_bytes()).unwrap();
        let mut row = Vec::new();
        for n in 0..3 {
            assert!(rows.next(&mut row).unwrap());
            assert_eq!(row, [Value::Int(n), Value::Null]);
        }
        assert!(!rows.next(&mut row).unwrap());
        assert!(!Rows::read(&[]).unwrap().next(&mut row).unwrap());
    }

    #[test]
    fn damage_is_an_error() {
        assert!(Record::read(&[]).is_err());
        assert!(Record::read(&[9, 0, 0, 0, 1]).is_err());
        assert!(field(&build(&shape(&[]), []), 0).is_err());
    }
}
