//! Binary forms: what PostgreSQL's send and receive functions exchange, over stored values.

use super::datetime::{self, MICROS_PER_DAY, TimeTz};
use super::interval::Interval;
use super::network::Inet;
use super::numeric::{Numeric, text_to_binary};
use super::text::{self, mismatch, real};
use super::{Env, NO_TYPMOD, Type, array, bits, format_type_plain, json, jsonpath, record};
use crate::error::{SqlError, SqlResult, state};
use crate::value::{Value, ValueRef};

/// Time zones differ from UTC by less than so many seconds.
const DISPLACEMENTS: i32 = 16 * 3600;

/// Reads a value of `ty` from its binary form.
///
/// Errors: 22P03 (malformed), 22003, 22008, 22001 (does not fit), 22021 (not UTF-8), 0A000.
pub fn parse_binary(ty: Type, typmod: i32, bytes: &[u8], _env: &Env) -> SqlResult<Value> {
    if matches!(ty, Type::RECORD | Type::RECORD_ARRAY) {
        return Err(SqlError::unsupported("input of anonymous composite types"));
    }
    decode(ty, typmod, bytes)
}

/// Appends the binary form of a stored value. NULL has none: callers send it apart.
///
/// Errors: XX000 when the value is not what `ty` is stored as.
pub fn write_binary(ty: Type, typmod: i32, value: ValueRef<'_>, env: &Env, out: &mut Vec<u8>) -> SqlResult<()> {
    match (ty, value) {
        // Inside, records carry more than is sent.
        (Type::RECORD, ValueRef::Blob(bytes)) => record::write_wire(bytes, env, out),
        (Type::RECORD_ARRAY, ValueRef::Blob(bytes)) => write_records(bytes, env, out),
        _ => encode(ty, typmod, value, out),
    }
}

fn write_records(bytes: &[u8], env: &Env, out: &mut Vec<u8>) -> SqlResult<()> {
    let array = array::Array::read(bytes)?;
    let mut sent = Vec::with_capacity(array.len());
    for item in array.iter() {
        sent.push(match item {
            None => Value::Null,
            Some(bytes) => {
                let mut wire = Vec::new();
                record::write_wire(bytes, env, &mut wire)?;
                Value::Blob(wire)
            }
        });
    }
    out.extend(array::build_with_dims(array.elem, &array.dims, &sent)?);
    Ok(())
}

fn bad(ty: Type) -> SqlError {
    SqlError::new(
        state::INVALID_BINARY_REPRESENTATION,
        format!("incorrect binary data format for type {}", format_type_plain(ty)),
    )
}

fn fixed<const N: usize>(ty: Type, bytes: &[u8]) -> SqlResult<[u8; N]> {
    bytes.try_into().map_err(|_| bad(ty))
}

fn utf8(bytes: &[u8]) -> SqlResult<&str> {
    let invalid = |at: usize| {
        let mut shown = String::new();
        for byte in bytes[at..].iter().take(4) {
            shown.push_str(&format!(" 0x{byte:02x}"));
        }
        SqlError::new(
            state::CHARACTER_NOT_IN_REPERTOIRE,
            format!("invalid byte sequence for encoding \"UTF8\":{shown}"),
        )
    };
    let text = std::str::from_utf8(bytes).map_err(|e| invalid(e.valid_up_to()))?;
    match bytes.contains(&0) {
        true => {
            Err(SqlError::new(state::CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\": 0x00"))
        }
        false => Ok(text),
    }
}

/// [`parse_binary`] without the settings, on which no binary form depends.
pub(crate) fn decode(ty: Type, typmod: i32, bytes: &[u8]) -> SqlResult<Value> {
    Ok(match ty {
        Type::BOOL => Value::Int((fixed::<1>(ty, bytes)?[0] != 0).into()),
        Type::INT2 => Value::Int(i16::from_be_bytes(fixed(ty, bytes)?).into()),
        Type::INT4 => Value::Int(i32::from_be_bytes(fixed(ty, bytes)?).into()),
        Type::INT8 | Type::XID8 | Type::MONEY => Value::Int(i64::from_be_bytes(fixed(ty, bytes)?)),
        Type::OID | Type::XID | Type::CID => Value::Int(u32::from_be_bytes(fixed(ty, bytes)?).into()),
        _ if ty.is_reg() => Value::Int(u32::from_be_bytes(fixed(ty, bytes)?).into()),
        Type::FLOAT4 => real(f32::from_be_bytes(fixed(ty, bytes)?).into()),
        Type::FLOAT8 => real(f64::from_be_bytes(fixed(ty, bytes)?)),
        Type::NUMERIC => Value::Text(Numeric::parse_binary(bytes)?.with_typmod(typmod)?.to_string()),
        Type::VARCHAR => Value::Text(text::varchar(utf8(bytes)?, typmod, false)?.to_owned()),
        Type::BPCHAR => Value::Text(text::bpchar(utf8(bytes)?, typmod, false)?.to_owned()),
        Type::NAME if bytes.len() > 63 => {
            let error = SqlError::new(state::NAME_TOO_LONG, "identifier too long");
            return Err(error.detail("Identifier must be less than 64 characters."));
        }
        Type::TEXT | Type::CITEXT | Type::NAME | Type::UNKNOWN | Type::CSTRING | Type::PG_NODE_TREE | Type::ACLITEM => {
            Value::Text(utf8(bytes)?.to_owned())
        }
        // The zero byte is the empty "char".
        Type::CHAR if bytes == [0] => Value::Text(String::new()),
        Type::CHAR => Value::Text(utf8(&fixed::<1>(ty, bytes)?)?.to_owned()),
        Type::BYTEA => Value::Blob(bytes.to_owned()),
        Type::UUID => Value::Blob(fixed::<16>(ty, bytes)?.to_vec()),
        Type::BIT | Type::VARBIT => Value::Text(bits::fit(ty, typmod, &bits::read(bytes)?, false)?.into_owned()),
        Type::INET | Type::CIDR => Value::Blob(Inet::parse_binary(ty, bytes)?.encode()),
        Type::MACADDR => Value::Blob(fixed::<6>(ty, bytes)?.to_vec()),
        // Six bytes are taken as they are in text.
        Type::MACADDR8 => Value::Blob(match fixed::<6>(ty, bytes) {
            Ok([a, b, c, d, e, f]) => vec![a, b, c, 0xff, 0xfe, d, e, f],
            Err(_) => fixed::<8>(ty, bytes)?.to_vec(),
        }),
        Type::DATE => {
            let days = i32::from_be_bytes(fixed(ty, bytes)?).into();
            Value::Int(if datetime::is_infinite_date(days) { days } else { datetime::check_date(days)? })
        }
        Type::TIME => Value::Int(time(i64::from_be_bytes(fixed(ty, bytes)?), typmod)?),
        Type::TIMETZ => {
            let (micros, west) = bytes.split_at_checked(8).ok_or_else(|| bad(ty))?;
            let west = i32::from_be_bytes(fixed(ty, west)?);
            if !(1 - DISPLACEMENTS..DISPLACEMENTS).contains(&west) {
                let message = "time zone displacement out of range";
                return Err(SqlError::new(datetime::INVALID_TIME_ZONE_DISPLACEMENT, message));
            }
            let offset = -west;
            let micros = time(i64::from_be_bytes(fixed(ty, micros)?), typmod)?;
            Value::Text(TimeTz { micros, offset }.encode())
        }
        Type::TIMESTAMP | Type::TIMESTAMPTZ => {
            let t = i64::from_be_bytes(fixed(ty, bytes)?);
            let t = if datetime::is_infinite(t) { t } else { datetime::check_timestamp(Some(t))? };
            Value::Int(datetime::timestamp_typmod(t, typmod)?)
        }
        Type::INTERVAL => {
            let bytes: [u8; 16] = fixed(ty, bytes)?;
            let interval = Interval {
                micros: i64::from_be_bytes(fixed(ty, &bytes[..8])?),
                days: i32::from_be_bytes(fixed(ty, &bytes[8..12])?),
                months: i32::from_be_bytes(fixed(ty, &bytes[12..])?),
            };
            Value::Text(interval.with_typmod(typmod)?.encode())
        }
        Type::JSON => {
            let text = utf8(bytes)?;
            json::validate(text)?;
            Value::Text(text.to_owned())
        }
        Type::JSONB => match bytes.split_first() {
            Some((1, text)) => Value::Text(json::canonical(utf8(text)?)?),
            Some((version, _)) => {
                let message = format!("unsupported jsonb version number {version}");
                return Err(SqlError::new(state::INVALID_BINARY_REPRESENTATION, message));
            }
            None => return Err(bad(ty)),
        },
        Type::JSONPATH => match bytes.split_first() {
            Some((1, text)) => Value::Text(jsonpath::parse(utf8(text)?)?.to_text()),
            _ => return Err(bad(ty)),
        },
        Type::VOID => Value::Text(String::new()),
        Type::TID => {
            let (block, offset) = bytes.split_at_checked(4).ok_or_else(|| bad(ty))?;
            let (block, offset) = (u32::from_be_bytes(fixed(ty, block)?), u16::from_be_bytes(fixed(ty, offset)?));
            Value::Text(format!("({block},{offset})"))
        }
        // Only as an element of an array of ours: see [`parse_binary`].
        Type::RECORD => Value::Blob(bytes.to_owned()),
        _ => match (ty.element(), ty.info()) {
            (Some(elem), _) => Value::Blob(decode_array(elem, typmod, bytes)?),
            // A user-defined type's label.
            (None, None) => Value::Text(utf8(bytes)?.to_owned()),
            (None, Some(info)) => return Err(SqlError::unsupported(format!("binary input of type {}", info.sql_name))),
        },
    })
}

fn time(micros: i64, typmod: i32) -> SqlResult<i64> {
    if !(0..=MICROS_PER_DAY).contains(&micros) {
        return Err(SqlError::new(state::DATETIME_FIELD_OVERFLOW, "time out of range"));
    }
    Ok(datetime::time_typmod(micros, typmod))
}

/// Checks a received array and brings its elements into canonical form.
fn decode_array(elem: Type, typmod: i32, bytes: &[u8]) -> SqlResult<Vec<u8>> {
    let received = array::Array::read(bytes)?;
    if received.elem != elem {
        return Err(SqlError::new(
            state::DATATYPE_MISMATCH,
            format!(
                "binary data has array element type {} ({}) instead of expected {} ({})",
                received.elem.0,
                format_type_plain(received.elem),
                elem.0,
                format_type_plain(elem)
            ),
        ));
    }
    let mut items = Vec::new();
    for item in received.iter() {
        items.push(item.map_or(Ok(Value::Null), |bytes| decode(elem, typmod, bytes))?);
    }
    if items.len() != received.len() {
        return Err(SqlError::new(state::PROTOCOL_VIOLATION, "insufficient data left in message"));
    }
    array::build_with_dims(elem, if items.is_empty() { &[] } else { &received.dims }, &items)
}

/// [`write_binary`] without the settings, on which no binary form depends.
pub(crate) fn encode(ty: Type, typmod: i32, value: ValueRef<'_>, out: &mut Vec<u8>) -> SqlResult<()> {
    match (ty, value) {
        (Type::BOOL, ValueRef::Int(n)) => out.push((n != 0).into()),
        (Type::INT2, ValueRef::Int(n)) => out.extend_from_slice(&(n as i16).to_be_bytes()),
        (Type::INT4 | Type::DATE, ValueRef::Int(n)) => out.extend_from_slice(&(n as i32).to_be_bytes()),
        (
            Type::INT8 | Type::XID8 | Type::MONEY | Type::TIME | Type::TIMESTAMP | Type::TIMESTAMPTZ,
            ValueRef::Int(n),
        ) => {
            out.extend_from_slice(&n.to_be_bytes());
        }
        (Type::OID | Type::XID | Type::CID, ValueRef::Int(n)) => out.extend_from_slice(&(n as u32).to_be_bytes()),
        (_, ValueRef::Text(named)) if ty.is_reg() => {
            let (oid, _) = text::named_oid(named).ok_or_else(|| mismatch(ty, value))?;
            out.extend_from_slice(&oid.to_be_bytes());
        }
        (_, ValueRef::Text(named)) if ty.is_reg_array() => {
            let numbers = text::parse_text(Type::OID_ARRAY, NO_TYPMOD, text::named_oids(named).0, &Env::default())?;
            encode(ty, typmod, numbers.as_ref(), out)?;
        }
        (_, ValueRef::Int(n)) if ty.is_reg() => out.extend_from_slice(&(n as u32).to_be_bytes()),
        (Type::FLOAT4, _) => {
            let x = text::stored_f64(value).ok_or_else(|| mismatch(ty, value))?;
            out.extend_from_slice(&(x as f32).to_be_bytes());
        }
        (Type::FLOAT8, _) => {
            let x = text::stored_f64(value).ok_or_else(|| mismatch(ty, value))?;
            out.extend_from_slice(&x.to_be_bytes());
        }
        (Type::NUMERIC, ValueRef::Text(text)) if text.ends_with(|c: char| c.is_ascii_digit()) => {
            text_to_binary(text, out);
        }
        (Type::NUMERIC, _) => text::stored_numeric(value)?.write_binary(out),
        (Type::CHAR, ValueRef::Text(text)) => out.push(text.as_bytes().first().copied().unwrap_or(0)),
        (Type::BPCHAR, ValueRef::Text(text)) => {
            out.extend_from_slice(text.as_bytes());
            text::push_padding(text, typmod, out);
        }
        (Type::INTERVAL, ValueRef::Text(text)) => {
            let interval = Interval::stored(text)?;
            out.extend_from_slice(&interval.micros.to_be_bytes());
            out.extend_from_slice(&interval.days.to_be_bytes());
            out.extend_from_slice(&interval.months.to_be_bytes());
        }
        (Type::TIMETZ, ValueRef::Text(text)) => {
            let time = TimeTz::stored(text)?;
            out.extend_from_slice(&time.micros.to_be_bytes());
            out.extend_from_slice(&(-time.offset).to_be_bytes());
        }
        (Type::JSONB | Type::JSONPATH, ValueRef::Text(text)) => {
            out.push(1);
            out.extend_from_slice(text.as_bytes());
        }
        (Type::BIT | Type::VARBIT, ValueRef::Text(text)) => bits::write(text, out),
        (Type::INET | Type::CIDR, ValueRef::Blob(bytes)) => Inet::stored(bytes)?.write_binary(ty, out),
        (Type::TID, ValueRef::Text(text)) => {
            let (block, offset) = text::parse_tid(text)?;
            out.extend_from_slice(&(block as u32).to_be_bytes());
            out.extend_from_slice(&offset.to_be_bytes());
        }
        // As the catalog keeps them.
        (Type::INT2VECTOR | Type::OIDVECTOR, ValueRef::Text(text)) => {
            let elem = if ty == Type::OIDVECTOR { Type::OID } else { Type::INT2 };
            let items = text.split_ascii_whitespace().map(|n| n.parse().map(Value::Int));
            let items = items.collect::<Result<Vec<_>, _>>().map_err(|_| mismatch(ty, value))?;
            out.extend(array::build_with_dims(elem, &[(items.len() as i32, 0)], &items)?);
        }
        (_, ValueRef::Text(text)) => out.extend_from_slice(text.as_bytes()),
        // bytea and uuid are their bytes, arrays are stored in this form.
        (_, ValueRef::Blob(bytes)) => out.extend_from_slice(bytes),
        (_, ValueRef::Null) => return Err(SqlError::internal("NULL has no binary form")),
        _ => return Err(mismatch(ty, value)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::NO_TYPMOD;
    use super::*;

    #[test]
    fn round_trips() {
        let env = Env::default();
        for (ty, text) in [
            (Type::BOOL, "t"),
            (Type::INT2, "-7"),
            (Type::INT4, "123456"),
            (Type::INT8, "-9223372036854775808"),
            (Type::OID, "4294967295"),
            (Type::FLOAT4, "1.1"),
            (Type::FLOAT8, "NaN"),
            (Type::NUMERIC, "-12345.6700"),
            (Type::TEXT, "größe"),
            (Type::BYTEA, "\\x00ff"),
            (Type::UUID, "123e4567-e89b-12d3-a456-426614174000"),
            (Type::DATE, "2024-02-29"),
            (Type::DATE, "-infinity"),
            (Type::TIME, "23:59:59.5"),
            (Type::TIMETZ, "01:02:03+05:30"),
            (Type::TIMESTAMP, "1999-12-31 23:59:59.999999"),
            (Type::TIMESTAMPTZ, "infinity"),
            (Type::INTERVAL, "1 year 2 mons -3 days +04:05:06.7"),
            (Type::JSON, "{ \"a\" : 1 }"),
            (Type::JSONB, "{\"a\": 1}"),
            (Type::INET, "10.1.2.3/8"),
            (Type::CIDR, "2001:db8::/32"),
            (Type::BIT, "10110111000"),
            (Type::VARBIT, ""),
            (Type::MACADDR, "08:00:2b:01:02:03"),
            (Type::MACADDR8, "08:00:2b:01:02:03:04:05"),
            (Type::TEXT_ARRAY, "{a,NULL,\"b c\"}"),
            (Type::NUMERIC_ARRAY, "{1.50,NaN}"),
            (Type::OIDVECTOR, "1 2 3"),
        ] {
            let value = text::parse_text(ty, NO_TYPMOD, text, &env).unwrap();
            let mut bytes = Vec::new();
            write_binary(ty, NO_TYPMOD, value.as_ref(), &env, &mut bytes).unwrap();
            assert_eq!(parse_binary(ty, NO_TYPMOD, &bytes, &env).unwrap(), value, "{text}");
            let mut shown = Vec::new();
            text::write_text(ty, NO_TYPMOD, value.as_ref(), &env, &mut shown).unwrap();
            assert_eq!(String::from_utf8(shown).unwrap(), text);
        }
    }

    #[test]
    fn malformed_input_is_refused() {
        let env = Env::default();
        for (ty, bytes) in [
            (Type::INT4, &[0u8, 1][..]),
            (Type::UUID, &[0; 15]),
            (Type::TEXT, &[0xff]),
            (Type::JSONB, &[2, b'1']),
            (Type::NUMERIC, &[0, 1]),
            (Type::INT4_ARRAY, &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 5, 0, 0, 0, 1]),
        ] {
            assert!(parse_binary(ty, NO_TYPMOD, bytes, &env).is_err());
        }
    }
}
