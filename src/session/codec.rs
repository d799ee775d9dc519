//! Stand-in until the text and binary forms of types are here: numbers, booleans and text.

use crate::error::{SqlError, SqlResult, state};
use crate::types::{Env, Type};
use crate::value::{Value, ValueRef};

pub fn parse_text(ty: Type, _typmod: i32, text: &str, _env: &Env) -> SqlResult<Value> {
    let bad = |name: &str| {
        let message = format!("invalid input syntax for type {name}: \"{text}\"");
        SqlError::new(state::INVALID_TEXT_REPRESENTATION, message)
    };
    Ok(match ty {
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => Value::Int(text.parse().map_err(|_| bad("integer"))?),
        Type::BOOL => Value::Int(i64::from(super::settings::boolean(text).ok_or_else(|| bad("boolean"))?)),
        Type::FLOAT4 | Type::FLOAT8 => Value::Real(text.parse().map_err(|_| bad("double precision"))?),
        _ => Value::Text(text.to_owned()),
    })
}

pub fn write_text(ty: Type, _typmod: i32, value: ValueRef<'_>, _env: &Env, out: &mut Vec<u8>) -> SqlResult<()> {
    use std::io::Write;
    match value {
        ValueRef::Int(i) if ty == Type::BOOL => out.push(if i == 0 { b'f' } else { b't' }),
        ValueRef::Int(i) => drop(write!(out, "{i}")),
        ValueRef::Real(x) => drop(write!(out, "{x}")),
        ValueRef::Text(s) => out.extend_from_slice(s.as_bytes()),
        ValueRef::Blob(b) => out.extend_from_slice(b),
        ValueRef::Null => {}
    }
    Ok(())
}

pub fn parse_binary(ty: Type, _typmod: i32, bytes: &[u8], _env: &Env) -> SqlResult<Value> {
    let bad = || SqlError::new(state::INVALID_BINARY_REPRESENTATION, "incorrect binary data format");
    Ok(match ty {
        Type::INT2 => Value::Int(i16::from_be_bytes(bytes.try_into().map_err(|_| bad())?).into()),
        Type::INT4 | Type::OID => Value::Int(i32::from_be_bytes(bytes.try_into().map_err(|_| bad())?).into()),
        Type::INT8 => Value::Int(i64::from_be_bytes(bytes.try_into().map_err(|_| bad())?)),
        Type::BOOL => Value::Int(i64::from(bytes == [1])),
        Type::FLOAT8 => Value::Real(f64::from_be_bytes(bytes.try_into().map_err(|_| bad())?)),
        Type::BYTEA => Value::Blob(bytes.to_vec()),
        _ => Value::Text(super::extended::utf8(bytes)?.to_owned()),
    })
}

pub fn write_binary(ty: Type, typmod: i32, value: ValueRef<'_>, env: &Env, out: &mut Vec<u8>) -> SqlResult<()> {
    match (ty, value) {
        (Type::INT2, ValueRef::Int(i)) => out.extend((i as i16).to_be_bytes()),
        (Type::INT4 | Type::OID, ValueRef::Int(i)) => out.extend((i as i32).to_be_bytes()),
        (Type::INT8, ValueRef::Int(i)) => out.extend(i.to_be_bytes()),
        (Type::BOOL, ValueRef::Int(i)) => out.push(i as u8),
        (Type::FLOAT8, ValueRef::Real(x)) => out.extend(x.to_be_bytes()),
        _ => write_text(ty, typmod, value, env, out)?,
    }
    Ok(())
}
