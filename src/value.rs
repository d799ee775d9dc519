//! A value as SQLite stores it; `types` says how each Postgres type is represented in one.

use serde::{Deserialize, Serialize};

/// An owned SQLite value.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub enum Value {
    #[default]
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Blob(#[serde(with = "blob")] Vec<u8>),
}

/// A borrowed SQLite value, valid until the row it came from moves on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    Null,
    Int(i64),
    Real(f64),
    Text(&'a str),
    Blob(&'a [u8]),
}

impl Value {
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Value::Null => ValueRef::Null,
            Value::Int(i) => ValueRef::Int(*i),
            Value::Real(r) => ValueRef::Real(*r),
            Value::Text(s) => ValueRef::Text(s),
            Value::Blob(b) => ValueRef::Blob(b),
        }
    }

    /// Bytes that it takes, about.
    pub fn weight(&self) -> usize {
        match self {
            Value::Null | Value::Int(_) | Value::Real(_) => 8,
            Value::Text(text) => 8 + text.len(),
            Value::Blob(bytes) => 8 + bytes.len(),
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

impl ValueRef<'_> {
    pub fn to_owned(self) -> Value {
        match self {
            ValueRef::Null => Value::Null,
            ValueRef::Int(i) => Value::Int(i),
            ValueRef::Real(r) => Value::Real(r),
            ValueRef::Text(s) => Value::Text(s.to_owned()),
            ValueRef::Blob(b) => Value::Blob(b.to_owned()),
        }
    }

    /// Bytes of memory that the owned value takes.
    pub fn held(self) -> usize {
        // What an allocation costs beside its bytes.
        const HEAP: usize = 16;
        size_of::<Value>()
            + match self {
                ValueRef::Text(text) => text.len() + HEAP,
                ValueRef::Blob(blob) => blob.len() + HEAP,
                _ => 0,
            }
    }

    pub fn is_null(self) -> bool {
        matches!(self, ValueRef::Null)
    }
}

/// A blob as one run of bytes. The bytes on the wire are those that the derived form would write one by one.
mod blob {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(blob: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(blob)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        Bytes::deserialize(deserializer).map(Vec::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_written_as_a_sequence_of_bytes_would_be() {
        let blob: Vec<u8> = (0..=255).collect();
        let written = postcard::to_allocvec(&Value::Blob(blob.clone())).unwrap();
        let mut expected = vec![4];
        expected.extend(postcard::to_allocvec(&blob).unwrap());
        assert_eq!(written, expected);
        assert_eq!(postcard::from_bytes::<Value>(&written).unwrap(), Value::Blob(blob));
    }
}
