//! Text forms: PostgreSQL's input and output functions over stored values.
//!
//! `parse_text` is what a text parameter, a COPY field or `'…'::type` becomes; `write_text` is what a client reads.
//! Names behind OIDs (`regclass` and its kin) need the catalog: here they are numbers, but for `regtype`'s
//! built-in types. User-defined types are their labels.

use super::interval::{self, Interval};
use super::network::{self, Inet};
use super::numeric::{self, Numeric};
use super::{
    Env, NO_TYPMOD, Type, array, bits, datetime, format_type, format_type_plain, json, jsonpath, money, record,
};
use crate::error::{SqlError, SqlResult, state};
use crate::value::{Value, ValueRef};

/// Bytes of a `name`, without C's terminator.
const NAME_LENGTH: usize = 63;

/// Reads a value of `ty` from its text form.
///
/// Errors: 22P02 (no such value), 22003 (out of range), 22001 (too long), 22007, 22008 (dates), 22021 (NUL), 0A000
/// (types without storage here, and dates such as `now`, for which there is [`parse_text_at`]).
pub fn parse_text(ty: Type, typmod: i32, text: &str, env: &Env) -> SqlResult<Value> {
    parse_text_at(ty, typmod, text, env, None)
}

/// As [`parse_text`]; nothing if the value depends on when it is read: `now`, `today 12:00`, an array of such.
pub fn parse_literal(ty: Type, typmod: i32, text: &str, env: &Env) -> SqlResult<Option<Value>> {
    match parse_text(ty, typmod, text, env) {
        Err(e) if e.code == state::FEATURE_NOT_SUPPORTED => parse_text_at(ty, typmod, text, env, Some(0)).map(|_| None),
        other => other.map(Some),
    }
}

/// As [`parse_text`], with the time that `now`, `today` and the like mean (µs since 2000 UTC).
pub fn parse_text_at(ty: Type, typmod: i32, text: &str, env: &Env, now: Option<i64>) -> SqlResult<Value> {
    Ok(match ty {
        Type::TEXT | Type::CITEXT | Type::UNKNOWN | Type::CSTRING | Type::ACLITEM | Type::PG_NODE_TREE => {
            Value::Text(checked(text)?.to_owned())
        }
        Type::TID => {
            let (block, offset) = parse_tid(text)?;
            Value::Text(format!("({block},{offset})"))
        }
        Type::INT4 => Value::Int(integer(text, i32::MIN.into(), i32::MAX.into(), ty)?),
        Type::INT8 => Value::Int(integer(text, i64::MIN, i64::MAX, ty)?),
        Type::INT2 => Value::Int(integer(text, i16::MIN.into(), i16::MAX.into(), ty)?),
        Type::BOOL => Value::Int(parse_bool(text)?.into()),
        Type::VARCHAR => Value::Text(varchar(checked(text)?, typmod, false)?.to_owned()),
        Type::BPCHAR => Value::Text(bpchar(checked(text)?, typmod, false)?.to_owned()),
        Type::NAME => Value::Text(cut(checked(text)?, NAME_LENGTH).to_owned()),
        Type::CHAR => Value::Text(
            octal(checked(text)?).map_or_else(|| text.chars().next(), Some).map(String::from).unwrap_or_default(),
        ),
        Type::NUMERIC => Value::Text(numeric::input(text, typmod)?),
        Type::FLOAT8 => real(parse_f64(text)?),
        Type::FLOAT4 => real(parse_f32(text)?.into()),
        Type::OID => Value::Int(parse_oid(text, ty)?),
        Type::XID | Type::CID => Value::Int((leading_number(text) as u32).into()),
        Type::XID8 => Value::Int(i64::try_from(leading_number(text)).map_err(|_| out_of_range(ty, text))?),
        Type::REGTYPE => Value::Int(match Type::by_name(text.trim()) {
            Some(known) => known.0.into(),
            None => parse_reg(text, ty)?,
        }),
        _ if ty.is_reg() => Value::Int(parse_reg(text, ty)?),
        Type::BYTEA => Value::Blob(parse_bytea(text)?),
        Type::UUID => Value::Blob(parse_uuid(text)?.to_vec()),
        Type::BIT | Type::VARBIT => Value::Text(bits::fit(ty, typmod, &bits::parse(text)?, false)?.into_owned()),
        Type::INET | Type::CIDR => Value::Blob(Inet::parse(ty, text)?.encode()),
        Type::MONEY => Value::Int(money::parse(text)?),
        Type::MACADDR => Value::Blob(network::parse_macaddr(text)?.to_vec()),
        Type::MACADDR8 => Value::Blob(network::parse_macaddr8(text)?.to_vec()),
        Type::DATE => Value::Int(datetime::parse_date(text, env, now)?),
        Type::TIME => Value::Int(datetime::parse_time(text, typmod, env, now)?),
        Type::TIMETZ => Value::Text(datetime::parse_timetz(text, typmod, env, now)?.encode()),
        Type::TIMESTAMP => Value::Int(datetime::parse_timestamp(text, typmod, env, now)?),
        Type::TIMESTAMPTZ => Value::Int(datetime::parse_timestamptz(text, typmod, env, now)?),
        Type::INTERVAL => Value::Text(interval::parse(text, env.interval_style, typmod)?.encode()),
        Type::JSON => {
            json::validate(checked(text)?)?;
            Value::Text(text.to_owned())
        }
        Type::JSONB => Value::Text(json::canonical(checked(text)?)?),
        Type::JSONPATH => Value::Text(jsonpath::parse(checked(text)?)?.to_text()),
        Type::VOID => Value::Text(String::new()),
        Type::INT2VECTOR => array::parse_vector(Type::INT2, text, env)?,
        Type::OIDVECTOR => array::parse_vector(Type::OID, text, env)?,
        _ => match (ty.element(), ty.info()) {
            (Some(elem), _) => array::parse_text(elem, typmod, checked(text)?, env, now)?,
            (None, None) => Value::Text(checked(text)?.to_owned()),
            (None, Some(info)) if info.kind == 'p' => {
                return Err(SqlError::new(
                    state::FEATURE_NOT_SUPPORTED,
                    format!("cannot accept a value of type {}", info.sql_name),
                ));
            }
            (None, Some(info)) => return Err(SqlError::unsupported(format!("type {}", info.sql_name))),
        },
    })
}

/// Appends the text form of a stored value. NULL has none: callers send it apart.
///
/// Errors: XX000 when the value is not what `ty` is stored as.
pub fn write_text(ty: Type, typmod: i32, value: ValueRef<'_>, env: &Env, out: &mut Vec<u8>) -> SqlResult<()> {
    match (ty, value) {
        (Type::BOOL, ValueRef::Int(n)) => out.push(if n != 0 { b't' } else { b'f' }),
        (Type::DATE, ValueRef::Int(n)) => datetime::write_date(n, env.date_style, out),
        (Type::TIME, ValueRef::Int(n)) => datetime::write_time(n, out),
        (Type::TIMESTAMP, ValueRef::Int(n)) => datetime::write_timestamp(n, env.date_style, out),
        (Type::TIMESTAMPTZ, ValueRef::Int(n)) => datetime::write_timestamptz(n, env, out)?,
        (Type::FLOAT8, ValueRef::Real(x)) => push_f64(x, env.extra_float_digits, out),
        (Type::FLOAT4, ValueRef::Real(x)) => push_f32(x as f32, env.extra_float_digits, out),
        (Type::FLOAT8, ValueRef::Int(n)) => push_f64(n as f64, env.extra_float_digits, out),
        (Type::FLOAT4, ValueRef::Int(n)) => push_f32(n as f32, env.extra_float_digits, out),
        (Type::REGTYPE, ValueRef::Int(n)) => match Type(n as u32).info() {
            Some(info) => out.extend_from_slice(info.sql_name.as_bytes()),
            None => push_oid_or_dash(n, out),
        },
        (_, ValueRef::Int(n)) if ty.is_reg() => push_oid_or_dash(n, out),
        (_, ValueRef::Text(named)) if ty.is_reg_array() => {
            out.extend_from_slice(named_oids(named).1.as_bytes());
        }
        (_, ValueRef::Text(named)) if ty.is_reg() => match named_oid(named) {
            Some((0, _)) | None => push_oid_or_dash(0, out),
            Some((_, name)) => out.extend_from_slice(name.as_bytes()),
        },
        (Type::MONEY, ValueRef::Int(n)) => money::write(n, out),
        (_, ValueRef::Int(n)) if is_number(ty) => push_int(n, out),
        (Type::INTERVAL, ValueRef::Text(text)) => {
            let mut shown = String::new();
            interval::write(&Interval::stored(text)?, env.interval_style, &mut shown);
            out.extend_from_slice(shown.as_bytes());
        }
        (Type::TIMETZ, ValueRef::Text(text)) => datetime::write_timetz(datetime::TimeTz::stored(text)?, out),
        (Type::BPCHAR, ValueRef::Text(text)) => {
            out.extend_from_slice(text.as_bytes());
            push_padding(text, typmod, out);
        }
        (Type::BYTEA, ValueRef::Blob(bytes)) => push_bytea(bytes, env.bytea_escape, out),
        (Type::UUID, ValueRef::Blob(bytes)) => push_uuid(bytes, out)?,
        (Type::INET | Type::CIDR, ValueRef::Blob(bytes)) => out.extend(Inet::stored(bytes)?.to_text(ty).bytes()),
        (Type::MACADDR | Type::MACADDR8, ValueRef::Blob(bytes)) => network::push_macaddr(bytes, out),
        (Type::RECORD, ValueRef::Blob(bytes)) => record::write_text(bytes, env, out)?,
        // Everything else is stored as it is shown: text, numeric, json, jsonb, NaN, labels.
        (_, ValueRef::Text(text)) => out.extend_from_slice(text.as_bytes()),
        (_, ValueRef::Blob(bytes)) if ty.is_array() || ty.info().is_none() => array::write_text(ty, bytes, env, out)?,
        (_, ValueRef::Null) => return Err(SqlError::internal("NULL has no text form")),
        _ => return Err(mismatch(ty, value)),
    }
    Ok(())
}

pub(crate) fn mismatch(ty: Type, value: ValueRef<'_>) -> SqlError {
    let kind = match value {
        ValueRef::Null => "NULL",
        ValueRef::Int(_) => "an integer",
        ValueRef::Real(_) => "a real",
        ValueRef::Text(_) => "a text",
        ValueRef::Blob(_) => "a blob",
    };
    SqlError::internal(format!("a value of type {} cannot be stored as {kind}", format_type_plain(ty)))
}

/// The two numbers of a `tid`: a block, and a place in it. Errors: 22P02.
pub fn parse_tid(text: &str) -> SqlResult<(i64, u16)> {
    let inside = text.trim().strip_prefix('(').and_then(|t| t.strip_suffix(')'));
    let parts = inside.and_then(|t| t.split_once(','));
    let numbers = parts.and_then(|(block, offset)| Some((block.trim().parse().ok()?, offset.trim().parse().ok()?)));
    numbers.ok_or_else(|| invalid(Type::TID, text))
}

fn is_number(ty: Type) -> bool {
    ty.is_integer() || matches!(ty, Type::OID | Type::NUMERIC | Type::XID | Type::XID8 | Type::CID)
}

/// A double as it is stored: SQLite has no NaN.
pub fn real(x: f64) -> Value {
    if x.is_nan() { Value::Text("NaN".into()) } else { Value::Real(x) }
}

/// A stored float; `None` when the value is no float.
pub fn stored_f64(value: ValueRef<'_>) -> Option<f64> {
    match value {
        ValueRef::Real(x) => Some(x),
        ValueRef::Int(n) => Some(n as f64),
        ValueRef::Text("NaN") => Some(f64::NAN),
        _ => None,
    }
}

fn checked(text: &str) -> SqlResult<&str> {
    if text.as_bytes().contains(&0) {
        return Err(SqlError::new(
            state::CHARACTER_NOT_IN_REPERTOIRE,
            "invalid byte sequence for encoding \"UTF8\": 0x00",
        ));
    }
    Ok(text)
}

fn invalid(ty: Type, text: &str) -> SqlError {
    let ty = format_type_plain(ty);
    SqlError::new(state::INVALID_TEXT_REPRESENTATION, format!("invalid input syntax for type {ty}: \"{text}\""))
}

fn out_of_range(ty: Type, text: &str) -> SqlError {
    let ty = format_type_plain(ty);
    SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, format!("value \"{text}\" is out of range for type {ty}"))
}

fn blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

fn integer(text: &str, min: i64, max: i64, ty: Type) -> SqlResult<i64> {
    let trimmed = text.trim_matches(blank);
    let digits = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(invalid(ty, text));
    }
    match trimmed.parse::<i64>() {
        Ok(n) if (min..=max).contains(&n) => Ok(n),
        _ => Err(out_of_range(ty, text)),
    }
}

fn parse_oid(text: &str, ty: Type) -> SqlResult<i64> {
    let n = integer(text, i64::MIN, i64::MAX, ty)?;
    // As strtoul: negative numbers wrap.
    if (i64::from(i32::MIN)..=i64::from(u32::MAX)).contains(&n) {
        Ok((n as u32).into())
    } else {
        Err(out_of_range(ty, text))
    }
}

/// The number that a text begins with, as strtoul reads it: octal behind `0`, hexadecimal behind `0x`; 0 if there is none.
fn leading_number(text: &str) -> u64 {
    let text = text.trim_start();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (base, digits) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None => (if text.starts_with('0') { 8 } else { 10 }, text),
    };
    let digits = digits.chars().map_while(|c| c.to_digit(base));
    let value = digits.fold(0u64, |n, digit| n.saturating_mul(base.into()).saturating_add(digit.into()));
    if negative { value.wrapping_neg() } else { value }
}

/// The character that a backslash and three octal digits stand for in `"char"`, as far as it is ASCII.
fn octal(text: &str) -> Option<char> {
    let digits = text.strip_prefix('\\').filter(|digits| digits.len() == 3)?;
    u8::from_str_radix(digits, 8).ok().filter(|byte| (1..128).contains(byte)).map(char::from)
}

/// As [`parse_text_at`], for the value of a parameter: a name of an object stays a text, which the statement looks up.
pub fn parse_parameter(ty: Type, text: &str, env: &Env, now: Option<i64>) -> SqlResult<Value> {
    let number = |text: &str| text.trim() == "-" || text.trim().bytes().all(|b| b.is_ascii_digit());
    if ty.is_reg() && !number(text) {
        return Ok(Value::Text(checked(text)?.to_owned()));
    }
    parse_text_at(ty, NO_TYPMOD, text, env, now)
}

fn parse_reg(text: &str, ty: Type) -> SqlResult<i64> {
    let trimmed = text.trim();
    if trimmed == "-" {
        return Ok(0);
    }
    if trimmed.bytes().all(|b| b.is_ascii_digit()) && !trimmed.is_empty() {
        return parse_oid(trimmed, Type::OID);
    }
    match ty {
        Type::REGTYPE => Err(SqlError::new(state::UNDEFINED_OBJECT, format!("type \"{trimmed}\" does not exist"))),
        _ => Err(SqlError::unsupported(format!("a name as a value of type {} in this place", format_type_plain(ty)))),
    }
}

/// A value of a `reg…` type in a result: its number and, after a space, the name of what it stands for.
pub fn named_oid(text: &str) -> Option<(u32, &str)> {
    let (oid, name) = text.split_once(' ')?;
    Some((oid.parse().ok()?, name))
}

/// The same of an array of them: the array of the numbers, and that of the names.
pub fn named_oids(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, text))
}

fn push_oid_or_dash(n: i64, out: &mut Vec<u8>) {
    if n == 0 { out.push(b'-') } else { push_int(n, out) }
}

/// `t`, `yes`, `on`, `1` and their prefixes and opposites.
pub fn parse_bool(text: &str) -> SqlResult<bool> {
    let word = text.trim_matches(blank).to_ascii_lowercase();
    let prefix = |of: &str| !word.is_empty() && of.starts_with(&word);
    if prefix("true") || prefix("yes") || word == "on" || word == "1" {
        Ok(true)
    } else if prefix("false") || prefix("no") || (prefix("off") && word.len() > 1) || word == "0" {
        Ok(false)
    } else {
        Err(invalid(Type::BOOL, text))
    }
}

/// Text as `varchar(n)` takes it: too long is an error unless only blanks are too much; an explicit cast cuts.
pub fn varchar(text: &str, typmod: i32, explicit: bool) -> SqlResult<&str> {
    if typmod < 4 {
        return Ok(text);
    }
    let n = (typmod - 4) as usize;
    if text.len() <= n {
        return Ok(text);
    }
    match text.char_indices().nth(n) {
        None => Ok(text),
        Some((at, _)) if explicit || text[at..].bytes().all(|b| b == b' ') => Ok(&text[..at]),
        Some(_) => Err(too_long(Type::VARCHAR, typmod)),
    }
}

/// Text as `char(n)` stores it: trailing blanks cut. Without a length, all of them belong to the value.
pub fn bpchar(text: &str, typmod: i32, explicit: bool) -> SqlResult<&str> {
    let cut = match varchar(text, typmod, explicit) {
        Ok(cut) => cut,
        Err(_) => return Err(too_long(Type::BPCHAR, typmod)),
    };
    Ok(if typmod == NO_TYPMOD { cut } else { cut.trim_end_matches(' ') })
}

fn too_long(ty: Type, typmod: i32) -> SqlError {
    SqlError::new(state::STRING_DATA_RIGHT_TRUNCATION, format!("value too long for type {}", format_type(ty, typmod)))
}

/// Blanks up to the length of `char(n)`.
pub(crate) fn push_padding(text: &str, typmod: i32, out: &mut Vec<u8>) {
    if typmod != NO_TYPMOD {
        let missing = (typmod - 4) as usize;
        let missing = missing.saturating_sub(text.chars().count());
        out.resize(out.len() + missing, b' ');
    }
}

/// The longest prefix of at most `bytes` bytes that ends between characters.
fn cut(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

// ---- numbers ----

/// Appends decimal digits.
pub fn push_int(n: i64, out: &mut Vec<u8>) {
    const PAIRS: &[u8; 200] =
        b"0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
    let mut buffer = [0u8; 20];
    let mut at = buffer.len();
    let mut rest = n.unsigned_abs();
    while rest >= 100 {
        let pair = (rest % 100) as usize * 2;
        rest /= 100;
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if rest >= 10 {
        let pair = rest as usize * 2;
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        at -= 1;
        buffer[at] = b'0' + rest as u8;
    }
    if n < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&buffer[at..]);
}

/// What PostgreSQL reads as a float: decimal with exponent, NaN, infinities, in any case, blanks around.
fn float_body(text: &str, ty: Type) -> SqlResult<&str> {
    let trimmed = text.trim_matches(blank);
    let body = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    let word = ["nan", "inf", "infinity"].iter().any(|w| body.eq_ignore_ascii_case(w));
    let number = body.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if word || number { Ok(trimmed) } else { Err(invalid(ty, text)) }
}

fn float_range(text: &str, ty: Type) -> SqlError {
    let ty = format_type_plain(ty);
    SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, format!("\"{}\" is out of range for type {ty}", text.trim()))
}

/// Is a zero or infinity that came out of parsing really in the text?
fn says(body: &str, infinite: bool) -> bool {
    let mantissa = body.split(['e', 'E']).next().unwrap_or(body);
    if infinite { body.contains(['i', 'I']) } else { !mantissa.bytes().any(|b| matches!(b, b'1'..=b'9')) }
}

pub fn parse_f64(text: &str) -> SqlResult<f64> {
    let body = float_body(text, Type::FLOAT8)?;
    let x: f64 = body.parse().map_err(|_| invalid(Type::FLOAT8, text))?;
    if (x.is_infinite() || x == 0.0) && !says(body, x.is_infinite()) {
        return Err(float_range(text, Type::FLOAT8));
    }
    Ok(x)
}

pub fn parse_f32(text: &str) -> SqlResult<f32> {
    let body = float_body(text, Type::FLOAT4)?;
    let x: f32 = body.parse().map_err(|_| invalid(Type::FLOAT4, text))?;
    if (x.is_infinite() || x == 0.0) && !says(body, x.is_infinite()) {
        return Err(float_range(text, Type::FLOAT4));
    }
    Ok(x)
}

/// The output function of `float8`: the shortest digits that read back, or 15 + `extra` digits when `extra` ≤ 0.
pub fn push_f64(x: f64, extra: i8, out: &mut Vec<u8>) {
    if !x.is_finite() {
        return push_non_finite(x, out);
    }
    if extra > 0 {
        // Whole numbers that are exact and short need no float printing.
        if x == x.trunc() && x.abs() < 1e15 && (x != 0.0 || x.is_sign_positive()) {
            return push_int(x as i64, out);
        }
        let mut buffer = ryu::Buffer::new();
        let shortest = buffer.format_finite(x);
        let low = f64::from_bits(x.abs().to_bits().saturating_sub(1));
        let high = f64::from_bits(x.abs().to_bits() + 1);
        if halfway(shortest, x.abs(), low, high) {
            let fits = |text: &String| text.parse() == Ok(x) && !halfway(text, x.abs(), low, high);
            let inside = (0..=16).map(|n| format!("{x:.n$e}")).find(fits);
            push_precise(&inside.unwrap_or_default(), 15, out);
        } else {
            push_shortest(shortest, 15, out);
        }
    } else {
        let digits = (15 + i32::from(extra)).max(1) as usize;
        push_precise(&format!("{:.*e}", digits - 1, x), digits as i32, out);
    }
}

/// The output function of `float4`.
pub fn push_f32(x: f32, extra: i8, out: &mut Vec<u8>) {
    if !x.is_finite() {
        return push_non_finite(x.into(), out);
    }
    if extra > 0 {
        let mut buffer = ryu::Buffer::new();
        let shortest = buffer.format_finite(x);
        let low = f32::from_bits(x.abs().to_bits().saturating_sub(1));
        let high = f32::from_bits(x.abs().to_bits() + 1);
        if halfway(shortest, x.abs().into(), low.into(), high.into()) {
            let fits = |text: &String| text.parse() == Ok(x) && !halfway(text, x.abs().into(), low.into(), high.into());
            let inside = (0..=8).map(|n| format!("{x:.n$e}")).find(fits);
            push_precise(&inside.unwrap_or_default(), 6, out);
        } else {
            push_shortest(shortest, 6, out);
        }
    } else {
        let digits = (6 + i32::from(extra)).max(1) as usize;
        push_precise(&format!("{:.*e}", digits - 1, x), digits as i32, out);
    }
}

/// Is the decimal exactly between `x` and a neighbour? It reads back as `x` by the rule of even mantissas, but
/// PostgreSQL does not rely on that rule. Only some numbers beyond 2^24 (singles) and 2^53 can be so, up to 10^38.
fn halfway(decimal: &str, x: f64, low: f64, high: f64) -> bool {
    if !(1e7..1e38).contains(&x) || !decimal.contains('e') {
        return false;
    }
    let Ok(exact) = Numeric::parse(decimal).and_then(|n| n.abs().to_integer_exact()) else { return false };
    let twice_off = (exact - x as i128) * 2;
    twice_off == (high - x) as i128 || twice_off == (low - x) as i128
}

fn push_non_finite(x: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(if x.is_nan() {
        b"NaN"
    } else if x > 0.0 {
        b"Infinity"
    } else {
        b"-Infinity"
    });
}

/// Rewrites `1.5e-7`, `100.0` into PostgreSQL's form.
fn push_shortest(text: &str, limit: i32, out: &mut Vec<u8>) {
    let (negative, body) = match text.strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, text),
    };
    let (mantissa, exponent) = body.split_once('e').unwrap_or((body, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = Vec::with_capacity(24);
    digits.extend_from_slice(whole.as_bytes());
    digits.extend_from_slice(fraction.as_bytes());
    let point = whole.len() as i32 + exponent;
    push_digits(negative, &digits, point, limit, out);
}

/// Rewrites `1.234500e-7` with a fixed count of digits like C's %g.
fn push_precise(text: &str, precision: i32, out: &mut Vec<u8>) {
    let (negative, body) = match text.strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, text),
    };
    let (mantissa, exponent) = body.split_once('e').unwrap_or((body, "0"));
    let digits: Vec<u8> = mantissa.bytes().filter(|b| *b != b'.').collect();
    push_digits(negative, &digits, exponent.parse::<i32>().unwrap_or(0) + 1, precision, out);
}

/// Digits with the point after the first `point` of them: plain while the exponent is in −4…limit−1.
fn push_digits(negative: bool, digits: &[u8], point: i32, limit: i32, out: &mut Vec<u8>) {
    if negative {
        out.push(b'-');
    }
    let zeros = digits.iter().take_while(|b| **b == b'0').count();
    let end = digits.iter().rposition(|b| *b != b'0').map_or(zeros, |at| at + 1);
    let (digits, point) = (&digits[zeros..end], point - zeros as i32);
    if digits.is_empty() {
        out.push(b'0');
        return;
    }
    let exponent = point - 1;
    if exponent < -4 || exponent >= limit {
        out.push(digits[0]);
        if digits.len() > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        if exponent.abs() < 10 {
            out.push(b'0');
        }
        return push_int(exponent.abs().into(), out);
    }
    if point <= 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + (-point) as usize, b'0');
        out.extend_from_slice(digits);
    } else if digits.len() <= point as usize {
        out.extend_from_slice(digits);
        out.resize(out.len() + point as usize - digits.len(), b'0');
    } else {
        out.extend_from_slice(&digits[..point as usize]);
        out.push(b'.');
        out.extend_from_slice(&digits[point as usize..]);
    }
}

/// A stored numeric. Errors: XX000.
pub fn stored_numeric(value: ValueRef<'_>) -> SqlResult<Numeric> {
    match value {
        ValueRef::Text(text) => Numeric::parse(text),
        ValueRef::Int(n) => Ok(Numeric::from(n)),
        _ => Err(mismatch(Type::NUMERIC, value)),
    }
}

// ---- bytes ----

const HEX: &[u8; 16] = b"0123456789abcdef";

fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() * 2);
    for b in bytes {
        out.extend_from_slice(&[HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]);
    }
}

fn push_bytea(bytes: &[u8], escape: bool, out: &mut Vec<u8>) {
    if !escape {
        out.extend_from_slice(b"\\x");
        return push_hex(bytes, out);
    }
    for &b in bytes {
        match b {
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x20..=0x7e => out.push(b),
            _ => out.extend_from_slice(format!("\\{b:03o}").as_bytes()),
        }
    }
}

fn parse_bytea(text: &str) -> SqlResult<Vec<u8>> {
    let bad = |message: String| SqlError::new(state::INVALID_PARAMETER_VALUE, message);
    if let Some(hex) = text.strip_prefix("\\x") {
        let mut out = Vec::with_capacity(hex.len() / 2);
        let mut high = None;
        for c in hex.chars() {
            // Blanks may stand between bytes.
            if high.is_none() && blank(c) {
                continue;
            }
            let digit = c.to_digit(16).ok_or_else(|| bad(format!("invalid hexadecimal digit: \"{c}\"")))? as u8;
            match high.take() {
                None => high = Some(digit),
                Some(h) => out.push(h << 4 | digit),
            }
        }
        return match high {
            None => Ok(out),
            Some(_) => Err(bad("invalid hexadecimal data: odd number of digits".into())),
        };
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        match rest {
            [] => return Ok(out),
            [b'\\', b'\\', tail @ ..] => {
                out.push(b'\\');
                rest = tail;
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..] => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = tail;
            }
            [b'\\', ..] => return Err(invalid(Type::BYTEA, text).without_value()),
            [b, tail @ ..] => {
                out.push(*b);
                rest = tail;
            }
        }
    }
}

trait WithoutValue {
    fn without_value(self) -> Self;
}

impl WithoutValue for SqlError {
    /// "invalid input syntax for type bytea" is the one message of its kind without the value.
    fn without_value(mut self) -> SqlError {
        if let Some(at) = self.message.find(": \"") {
            self.message.truncate(at);
        }
        self
    }
}

fn parse_uuid(text: &str) -> SqlResult<[u8; 16]> {
    let body = match text.as_bytes() {
        [b'{', body @ .., b'}'] => body,
        body => body,
    };
    let mut out = [0u8; 16];
    let mut count = 0;
    for (at, &b) in body.iter().enumerate() {
        if b == b'-' && count > 0 && count % 4 == 0 && count < 32 && body[at - 1] != b'-' {
            continue;
        }
        let digit = (b as char).to_digit(16).filter(|_| count < 32).ok_or_else(|| invalid(Type::UUID, text))? as u8;
        out[count / 2] |= if count % 2 == 0 { digit << 4 } else { digit };
        count += 1;
    }
    if count == 32 && body.last() != Some(&b'-') { Ok(out) } else { Err(invalid(Type::UUID, text)) }
}

fn push_uuid(bytes: &[u8], out: &mut Vec<u8>) -> SqlResult<()> {
    if bytes.len() != 16 {
        return Err(SqlError::new(state::DATA_CORRUPTED, "a stored uuid has 16 bytes"));
    }
    for (at, part) in [(0, 4), (4, 6), (6, 8), (8, 10), (10, 16)].into_iter().enumerate() {
        if at > 0 {
            out.push(b'-');
        }
        push_hex(&bytes[part.0..part.1], out);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
