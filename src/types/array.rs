//! Arrays: PostgreSQL's binary format as the stored form, read in place, and the `{a,"b c",NULL}` text form.
//!
//! Layout (all big-endian): dimensions, has-null flag, element OID; per dimension its length and lower bound; per
//! element its length (−1 for NULL) and its binary form. An empty array has no dimensions.

use super::{Env, NO_TYPMOD, Type, binary, text};
use crate::error::{SqlError, SqlResult, state};
use crate::meter;
use crate::value::{Value, ValueRef};

/// At most so many dimensions, as in PostgreSQL.
const MAX_DIMENSIONS: usize = 6;

/// As PostgreSQL limits them.
const MAX_ELEMENTS: i64 = 134_217_727;

pub fn too_large() -> SqlError {
    SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, format!("array size exceeds the maximum allowed ({MAX_ELEMENTS})"))
}

/// Errors: 54000 for more than an array may have.
pub fn check_dimensions(count: usize) -> SqlResult<()> {
    if count <= MAX_DIMENSIONS {
        return Ok(());
    }
    let text = format!("number of array dimensions ({count}) exceeds the maximum allowed ({MAX_DIMENSIONS})");
    Err(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, text))
}

/// How many elements an array of these lengths has.
pub fn checked_count(lengths: &[i32]) -> SqlResult<i64> {
    check_dimensions(lengths.len())?;
    if lengths.is_empty() {
        return Ok(0);
    }
    let times = |count: i64, length: &i32| {
        let count = count.checked_mul((*length).into()).filter(|n| *length >= 0 && *n <= MAX_ELEMENTS);
        count.ok_or_else(too_large)
    };
    lengths.iter().try_fold(1, times)
}

/// A stored array, borrowed.
#[derive(Clone, Debug, PartialEq)]
pub struct Array<'a> {
    pub elem: Type,
    /// Length and lower bound of each dimension.
    pub dims: Vec<(i32, i32)>,
    /// The elements' bytes, row-major.
    body: &'a [u8],
}

fn bad(what: &str) -> SqlError {
    SqlError::new(state::INVALID_BINARY_REPRESENTATION, what)
}

fn malformed(text: &str, detail: &str) -> SqlError {
    SqlError::new(state::INVALID_TEXT_REPRESENTATION, format!("malformed array literal: \"{text}\"")).detail(detail)
}

/// A dimension's last subscript, and the one after it, are numbers as well.
fn check_bounds(length: i32, lower: i32) -> SqlResult<()> {
    let message = || format!("array lower bound is too large: {lower}");
    lower.checked_add(length).map(drop).ok_or_else(|| SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message()))
}

impl<'a> Array<'a> {
    /// Reads the header. Errors: 22P03.
    pub fn read(bytes: &'a [u8]) -> SqlResult<Array<'a>> {
        let word = |at: usize| -> SqlResult<i32> {
            let bytes = bytes.get(at * 4..at * 4 + 4).and_then(|b| b.try_into().ok());
            bytes.map(i32::from_be_bytes).ok_or_else(|| bad("array header is incomplete"))
        };
        let count = word(0)?;
        if !(0..=MAX_DIMENSIONS as i32).contains(&count) {
            return Err(bad("invalid number of dimensions"));
        }
        let elem = Type(word(2)? as u32);
        let mut dims = Vec::with_capacity(count as usize);
        for d in 0..count as usize {
            let (length, lower) = (word(3 + 2 * d)?, word(4 + 2 * d)?);
            if length < 0 {
                return Err(bad("invalid array length"));
            }
            check_bounds(length, lower)?;
            dims.push((length, lower));
        }
        let count = dims.iter().try_fold(1i64, |n, (length, _)| n.checked_mul((*length).into()));
        if count.is_none_or(|n| n > MAX_ELEMENTS) {
            return Err(too_large());
        }
        Ok(Array { elem, body: &bytes[12 + 8 * dims.len()..], dims })
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        if self.dims.is_empty() { 0 } else { self.dims.iter().map(|(length, _)| *length as usize).product() }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements' binary forms in order, `None` for NULL. Stops at damage; [`Array::values`] reports it.
    pub fn iter(&self) -> impl Iterator<Item = Option<&'a [u8]>> + use<'a> {
        let mut rest = self.body;
        let mut left = self.len();
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let (length, after) = rest.split_first_chunk::<4>()?;
            let length = i32::from_be_bytes(*length);
            if length < 0 {
                rest = after;
                return Some(None);
            }
            let (item, after) = after.split_at_checked(length as usize)?;
            rest = after;
            Some(Some(item))
        })
    }

    /// The elements as stored values. Errors: 22P03.
    pub fn values(&self) -> SqlResult<Vec<Value>> {
        meter::work(self.len().min(self.body.len()))?;
        let mut values = Vec::new();
        for item in self.iter() {
            let value = item.map_or(Ok(Value::Null), |bytes| binary::decode(self.elem, NO_TYPMOD, bytes))?;
            keep(&mut values, value)?;
        }
        if values.len() == self.len() { Ok(values) } else { Err(bad("insufficient data left in message")) }
    }

    /// The stored value at one subscript per dimension; NULL outside.
    pub fn get(&self, subscripts: &[i64]) -> SqlResult<Value> {
        if subscripts.len() != self.dims.len() || self.dims.is_empty() {
            return Ok(Value::Null);
        }
        let mut at = 0usize;
        for (subscript, (length, lower)) in subscripts.iter().zip(&self.dims) {
            let offset = subscript - i64::from(*lower);
            if !(0..i64::from(*length)).contains(&offset) {
                return Ok(Value::Null);
            }
            at = at * *length as usize + offset as usize;
        }
        match self.iter().nth(at) {
            Some(Some(bytes)) => binary::decode(self.elem, NO_TYPMOD, bytes),
            _ => Ok(Value::Null),
        }
    }
}

/// The binary form with each element's bytes replaced. What is damaged is left for whoever reads it.
pub fn map_elements(bytes: &[u8], f: &mut dyn FnMut(&[u8]) -> SqlResult<Vec<u8>>) -> SqlResult<Vec<u8>> {
    let Ok(array) = Array::read(bytes) else { return Ok(bytes.to_vec()) };
    if array.iter().count() != array.len() {
        return Ok(bytes.to_vec());
    }
    let mut out = bytes[..bytes.len() - array.body.len()].to_vec();
    for item in array.iter() {
        let Some(item) = item else {
            out.extend_from_slice(&(-1i32).to_be_bytes());
            continue;
        };
        let item = f(item)?;
        out.extend_from_slice(&(item.len() as u32).to_be_bytes());
        out.extend_from_slice(&item);
    }
    Ok(out)
}

/// Appends an element to those that an array is made of, counting what it costs. Errors: those of [`meter`].
pub fn keep(items: &mut Vec<Value>, item: Value) -> SqlResult<()> {
    if items.len() as i64 >= MAX_ELEMENTS {
        return Err(too_large());
    }
    meter::work(2)?;
    // A vector that grows has its contents twice.
    meter::hold(item.as_ref().held() + size_of::<Value>())?;
    items.push(item);
    Ok(())
}

/// A one-dimensional array of stored values. Errors: as encoding an element.
pub fn build(elem: Type, items: &[Value]) -> SqlResult<Vec<u8>> {
    let dims: &[(i32, i32)] = if items.is_empty() { &[] } else { &[(items.len() as i32, 1)] };
    build_with_dims(elem, dims, items)
}

/// An array of stored values, row-major. Errors: as encoding an element.
pub fn build_with_dims(elem: Type, dims: &[(i32, i32)], items: &[Value]) -> SqlResult<Vec<u8>> {
    meter::work(4 * items.len())?;
    meter::hold(20 + items.len() * 12)?;
    let mut out = Vec::with_capacity(20 + items.len() * 12);
    let mut word = |n: i32| out.extend_from_slice(&n.to_be_bytes());
    word(dims.len() as i32);
    word(i32::from(items.iter().any(Value::is_null)));
    word(elem.0 as i32);
    for (length, lower) in dims {
        word(*length);
        word(*lower);
    }
    for item in items {
        push_item(elem, item.as_ref(), &mut out)?;
    }
    Ok(out)
}

fn push_item(elem: Type, item: ValueRef<'_>, out: &mut Vec<u8>) -> SqlResult<()> {
    if item.is_null() {
        out.extend_from_slice(&(-1i32).to_be_bytes());
        return Ok(());
    }
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    binary::encode(elem, NO_TYPMOD, item, out)?;
    let length = (out.len() - at - 4) as i32;
    out[at..at + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

/// An element as an array keeps it: a char(n) with its blanks, since the array does not know the length.
pub fn element(elem: Type, typmod: i32, value: Value) -> Value {
    match value {
        Value::Text(text) if elem == Type::BPCHAR => {
            let mut padded = text.into_bytes();
            let shown = String::from_utf8_lossy(&padded).into_owned();
            text::push_padding(&shown, typmod, &mut padded);
            Value::Text(String::from_utf8_lossy(&padded).into_owned())
        }
        value => value,
    }
}

/// The elements of a flat `int2vector` or `oidvector` text ("1 2 3"). Their arrays begin at 0.
pub fn parse_vector(elem: Type, input: &str, env: &Env) -> SqlResult<Value> {
    let items = input
        .split_ascii_whitespace()
        .map(|word| text::parse_text(elem, NO_TYPMOD, word, env))
        .collect::<SqlResult<Vec<_>>>()?;
    Ok(Value::Blob(build_with_dims(elem, &[(items.len() as i32, 0)], &items)?))
}

/// The input function of arrays. Errors: 22P02, and those of the element's input function.
pub fn parse_text(elem: Type, typmod: i32, input: &str, env: &Env, now: Option<i64>) -> SqlResult<Value> {
    let mut reader = Reader { input, rest: input.trim(), elem, typmod, env, now, items: Vec::new(), dims: Vec::new() };
    let bounds = reader.bounds()?;
    reader.level(0)?;
    if !reader.rest.is_empty() {
        return Err(malformed(input, "Junk after closing right brace."));
    }
    let Reader { items, dims, .. } = reader;
    if items.is_empty() {
        return Ok(Value::Blob(build(elem, &[])?));
    }
    let mut dims: Vec<(i32, i32)> = dims.into_iter().map(|length| (length.unwrap_or(0), 1)).collect();
    if let Some(bounds) = bounds {
        if bounds.iter().map(|b| b.0).ne(dims.iter().map(|d| d.0)) {
            return Err(malformed(input, "Specified array dimensions do not match array contents."));
        }
        dims = bounds;
    }
    Ok(Value::Blob(build_with_dims(elem, &dims, &items)?))
}

struct Reader<'a> {
    input: &'a str,
    rest: &'a str,
    elem: Type,
    typmod: i32,
    env: &'a Env,
    now: Option<i64>,
    items: Vec<Value>,
    /// Lengths by depth, once known.
    dims: Vec<Option<i32>>,
}

impl Reader<'_> {
    fn fail(&self, detail: &str) -> SqlError {
        malformed(self.input, detail)
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    }

    fn eat(&mut self, c: char) -> bool {
        self.skip_blanks();
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// `[2:3][1:2]=` in front: lengths and lower bounds.
    fn bounds(&mut self) -> SqlResult<Option<Vec<(i32, i32)>>> {
        let mut bounds = Vec::new();
        while self.eat('[') {
            let (inside, rest) =
                self.rest.split_once(']').ok_or_else(|| self.fail("Missing \"]\" after array dimensions."))?;
            let (lower, upper) = inside.split_once(':').unwrap_or(("1", inside));
            let number = |s: &str| s.trim().parse::<i32>().map_err(|_| self.fail("Missing array dimension value."));
            let (lower, upper) = (number(lower)?, number(upper)?);
            if upper < lower {
                return Err(SqlError::new(state::ARRAY_SUBSCRIPT_ERROR, "upper bound cannot be less than lower bound"));
            }
            let length = i64::from(upper) - i64::from(lower) + 1;
            if length > MAX_ELEMENTS {
                return Err(too_large());
            }
            check_bounds(length as i32, lower)?;
            bounds.push((length as i32, lower));
            self.rest = rest;
        }
        if bounds.is_empty() {
            return Ok(None);
        }
        if !self.eat('=') {
            return Err(self.fail("Missing \"=\" after array dimensions."));
        }
        Ok(Some(bounds))
    }

    /// One pair of braces.
    fn level(&mut self, depth: usize) -> SqlResult<()> {
        if depth >= MAX_DIMENSIONS {
            return Err(SqlError::new(
                state::PROGRAM_LIMIT_EXCEEDED,
                "number of array dimensions exceeds the maximum allowed (6)",
            ));
        }
        if !self.eat('{') {
            return Err(self.fail("Array value must start with \"{\" or dimension information."));
        }
        if self.dims.len() == depth {
            self.dims.push(None);
        }
        let mut count = 0;
        if self.eat('}') {
            if depth > 0 {
                return Err(self.fail("Unexpected \"}\" character."));
            }
            return Ok(());
        }
        loop {
            self.skip_blanks();
            if self.rest.starts_with('{') {
                if !self.items.is_empty() && self.dims.len() == depth + 1 {
                    return Err(self.fail("Unexpected \"{\" character."));
                }
                self.level(depth + 1)?;
            } else {
                if self.dims.len() != depth + 1 {
                    return Err(self.fail("Multidimensional arrays must have sub-arrays with matching dimensions."));
                }
                let item = self.item()?;
                keep(&mut self.items, item)?;
            }
            count += 1;
            if self.eat(',') {
                continue;
            }
            if self.eat('}') {
                break;
            }
            let detail = if self.rest.is_empty() { "Unexpected end of input." } else { "Unexpected array element." };
            return Err(self.fail(detail));
        }
        match self.dims[depth] {
            Some(length) if length != count => {
                Err(self.fail("Multidimensional arrays must have sub-arrays with matching dimensions."))
            }
            _ => {
                self.dims[depth] = Some(count);
                Ok(())
            }
        }
    }

    fn item(&mut self) -> SqlResult<Value> {
        let mut text = String::new();
        if let Some(rest) = self.rest.strip_prefix('"') {
            let mut chars = rest.char_indices();
            loop {
                match chars.next() {
                    Some((at, '"')) => {
                        self.rest = &rest[at + 1..];
                        break;
                    }
                    Some((_, '\\')) => text.extend(chars.next().map(|(_, c)| c)),
                    Some((_, c)) => text.push(c),
                    None => return Err(self.fail("Unexpected end of input.")),
                }
            }
            let value = text::parse_text_at(self.elem, self.typmod, &text, self.env, self.now)?;
            return Ok(element(self.elem, self.typmod, value));
        }
        // Blanks around a bare item do not count, but escaped ones do.
        let (mut keep, mut escaped, mut end) = (0, false, self.rest.len());
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                ',' | '}' => {
                    end = at;
                    break;
                }
                '{' | '"' => return Err(self.fail("Unexpected array element.")),
                '\\' => {
                    escaped = true;
                    text.extend(chars.next().map(|(_, c)| c));
                    keep = text.len();
                }
                c => {
                    text.push(c);
                    if !c.is_ascii_whitespace() {
                        keep = text.len();
                    }
                }
            }
        }
        text.truncate(keep);
        self.rest = &self.rest[end..];
        if text.is_empty() {
            return Err(self.fail(if self.rest.is_empty() {
                "Unexpected end of input."
            } else if self.rest.starts_with('}') {
                "Unexpected \"}\" character."
            } else {
                "Unexpected \",\" character."
            }));
        }
        if !escaped && text.eq_ignore_ascii_case("null") {
            return Ok(Value::Null);
        }
        let value = text::parse_text_at(self.elem, self.typmod, &text, self.env, self.now)?;
        Ok(element(self.elem, self.typmod, value))
    }
}

/// The output function of arrays, and of the vectors `1 2 3`.
pub fn write_text(ty: Type, bytes: &[u8], env: &Env, out: &mut Vec<u8>) -> SqlResult<()> {
    let array = Array::read(bytes)?;
    let mut item_text = Vec::new();
    let mut items = array.values()?.into_iter();
    if matches!(ty, Type::INT2VECTOR | Type::OIDVECTOR) {
        for (at, item) in items.enumerate() {
            if at > 0 {
                out.push(b' ');
            }
            text::write_text(array.elem, NO_TYPMOD, item.as_ref(), env, out)?;
        }
        return Ok(());
    }
    if array.is_empty() {
        out.extend_from_slice(b"{}");
        return Ok(());
    }
    if array.dims.iter().any(|(_, lower)| *lower != 1) {
        for (length, lower) in &array.dims {
            out.extend_from_slice(format!("[{lower}:{}]", i64::from(*lower) + i64::from(*length) - 1).as_bytes());
        }
        out.push(b'=');
    }
    write_level(&array, 0, &mut items, env, &mut item_text, out)
}

fn write_level(
    array: &Array<'_>,
    depth: usize,
    items: &mut std::vec::IntoIter<Value>,
    env: &Env,
    scratch: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> SqlResult<()> {
    out.push(b'{');
    for at in 0..array.dims[depth].0 {
        if at > 0 {
            out.push(b',');
        }
        if depth + 1 < array.dims.len() {
            write_level(array, depth + 1, items, env, scratch, out)?;
            continue;
        }
        meter::work(4)?;
        match items.next() {
            None | Some(Value::Null) => out.extend_from_slice(b"NULL"),
            Some(item) => {
                scratch.clear();
                text::write_text(array.elem, NO_TYPMOD, item.as_ref(), env, scratch)?;
                push_quoted(scratch, out);
            }
        }
    }
    out.push(b'}');
    Ok(())
}

fn push_quoted(item: &[u8], out: &mut Vec<u8>) {
    let special = |b: &u8| matches!(b, b'"' | b'\\' | b'{' | b'}' | b',' | b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    if !item.is_empty() && !item.iter().any(special) && !item.eq_ignore_ascii_case(b"null") {
        out.extend_from_slice(item);
        return;
    }
    out.push(b'"');
    for &b in item {
        if matches!(b, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(b);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(elem: Type, input: &str) -> SqlResult<String> {
        let env = Env::default();
        let Value::Blob(bytes) = parse_text(elem, NO_TYPMOD, input, &env, None)? else { panic!("arrays are blobs") };
        let mut out = Vec::new();
        write_text(elem.array().unwrap(), &bytes, &env, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn text_form() {
        for (elem, input, output) in [
            (Type::INT4, "{1,2,3}", "{1,2,3}"),
            (Type::INT4, " { 1 , NULL , 3 } ", "{1,NULL,3}"),
            (Type::TEXT, r#"{a,"b c","",null,"null","q\"x\\y"}"#, r#"{a,"b c","",NULL,"null","q\"x\\y"}"#),
            (Type::INT4, "{}", "{}"),
            (Type::INT4, "{{1,2},{3,4}}", "{{1,2},{3,4}}"),
            (Type::INT4, "[0:1]={7,8}", "[0:1]={7,8}"),
            (Type::FLOAT8, "{1.5,NaN}", "{1.5,NaN}"),
        ] {
            assert_eq!(round(elem, input).unwrap(), output);
        }
        for bad in ["", "1,2", "{1,2", "{1,,2}", "{{1},{2,3}}", "{1}x", "{1,{2}}", "{1,}"] {
            assert_eq!(round(Type::INT4, bad).unwrap_err().code, state::INVALID_TEXT_REPRESENTATION, "{bad}");
        }
    }

    #[test]
    fn subscripts() {
        let Value::Blob(bytes) = parse_text(Type::INT4, NO_TYPMOD, "{{1,2},{3,4}}", &Env::default(), None).unwrap()
        else {
            panic!()
        };
        let array = Array::read(&bytes).unwrap();
        assert_eq!(array.get(&[2, 1]).unwrap(), Value::Int(3));
        assert_eq!(array.get(&[3, 1]).unwrap(), Value::Null);
        assert_eq!(array.get(&[1]).unwrap(), Value::Null);
    }
}
