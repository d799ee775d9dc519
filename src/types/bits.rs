//! Bit strings: `bit(n)` and `bit varying(n)`.
//!
//! They are stored as texts of zeros and ones, which SQLite orders as PostgreSQL does: by the first bit that differs, and
//! of two that begin alike the shorter one first.

use super::{NO_TYPMOD, Type, format_type};
use crate::error::{SqlError, SqlResult, state};
use std::borrow::Cow;

/// Reads a string: binary digits, behind a `b` or not, or hexadecimal ones behind an `x`. Errors: 22P02.
pub fn parse(text: &str) -> SqlResult<String> {
    match text.as_bytes().first() {
        Some(b'x' | b'X') => parse_hex(&text[1..]),
        Some(b'b' | b'B') => parse_binary(&text[1..]),
        _ => parse_binary(text),
    }
}

fn invalid_digit(digit: char, kind: &str) -> SqlError {
    SqlError::new(state::INVALID_TEXT_REPRESENTATION, format!("\"{digit}\" is not a valid {kind} digit"))
}

pub fn parse_binary(digits: &str) -> SqlResult<String> {
    match digits.chars().find(|c| !matches!(c, '0' | '1')) {
        Some(other) => Err(invalid_digit(other, "binary")),
        None => Ok(digits.to_owned()),
    }
}

pub fn parse_hex(digits: &str) -> SqlResult<String> {
    let mut bits = String::with_capacity(digits.len() * 4);
    for c in digits.chars() {
        let digit = c.to_digit(16).ok_or_else(|| invalid_digit(c, "hexadecimal"))?;
        bits.push_str(&format!("{digit:04b}"));
    }
    Ok(bits)
}

/// A string as a column of the type takes it; where a cast is written, it is cut, and a `bit(n)` filled up with zeros.
///
/// Errors: 22026, 22001.
pub fn fit(ty: Type, typmod: i32, bits: &str, explicit: bool) -> SqlResult<Cow<'_, str>> {
    let Some(wanted) = usize::try_from(typmod).ok().filter(|n| *n > 0 && *n != bits.len()) else {
        return Ok(bits.into());
    };
    match (ty, explicit) {
        (Type::VARBIT, _) if bits.len() < wanted => Ok(bits.into()),
        (_, true) if bits.len() > wanted => Ok(bits[..wanted].into()),
        (_, true) => Ok(format!("{bits:0<wanted$}").into()),
        (Type::VARBIT, false) => Err(SqlError::new(
            state::STRING_DATA_RIGHT_TRUNCATION,
            format!("bit string too long for type {}", format_type(ty, typmod)),
        )),
        (_, false) => Err(SqlError::new(
            state::STRING_DATA_LENGTH_MISMATCH,
            format!("bit string length {} does not match type {}", bits.len(), format_type(ty, typmod)),
        )),
    }
}

/// A number's lower bits, at least one.
pub fn of_number(number: i64, typmod: i32) -> String {
    let width = if typmod == NO_TYPMOD { 1 } else { typmod.max(1) as usize };
    let bit = |i: usize| if number >> i.min(63) & 1 == 1 { '1' } else { '0' };
    (0..width).rev().map(bit).collect()
}

/// The number of so many bits that a string is, which may be shorter. Errors: 22003.
pub fn to_number(bits: &str, width: u32) -> SqlResult<i64> {
    if bits.len() > width as usize {
        let name = if width == 32 { "integer" } else { "bigint" };
        return Err(SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, format!("{name} out of range")));
    }
    let number = bits.bytes().fold(0u64, |n, b| n << 1 | u64::from(b == b'1'));
    Ok(if width == 32 { i64::from(number as u32 as i32) } else { number as i64 })
}

/// The binary form: how many bits, and those in bytes.
pub fn write(bits: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&(bits.len() as i32).to_be_bytes());
    for eight in bits.as_bytes().chunks(8) {
        out.push(eight.iter().enumerate().fold(0, |byte, (i, b)| byte | u8::from(*b == b'1') << (7 - i)));
    }
}

/// Errors: 22P03, 08P01.
pub fn read(bytes: &[u8]) -> SqlResult<String> {
    let short = || SqlError::new(state::PROTOCOL_VIOLATION, "insufficient data left in message");
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(short)?;
    let length = usize::try_from(i32::from_be_bytes(*length))
        .map_err(|_| SqlError::new(state::INVALID_BINARY_REPRESENTATION, "invalid length in external bit string"))?;
    if rest.len() < length.div_ceil(8) {
        return Err(short());
    }
    if rest.len() > length.div_ceil(8) {
        return Err(SqlError::new(state::INVALID_BINARY_REPRESENTATION, "incorrect binary data format"));
    }
    Ok((0..length).map(|i| if rest[i / 8] >> (7 - i % 8) & 1 == 1 { '1' } else { '0' }).collect())
}
