//! What `pgcrypto` is asked for most: digests, message authentication codes, random bytes.

use super::arg::{int, text};
use super::table::*;
use super::{Aggregate, Cast, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::value::{Value, ValueRef};
use md5::Digest as _;

pub const OPERATORS: &[Operator] = &[];
pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];

pub const FUNCTIONS: &[Function] = &[
    func("digest", &[TEXT, TEXT], BYTEA, "q_digest({0}, {1})"),
    func("digest", &[BYTEA, TEXT], BYTEA, "q_digest({0}, {1})"),
    func("hmac", &[TEXT, TEXT, TEXT], BYTEA, "q_hmac({0}, {1}, {2})"),
    func("hmac", &[BYTEA, BYTEA, TEXT], BYTEA, "q_hmac({0}, {1}, {2})"),
    func("gen_random_bytes", &[INT4], BYTEA, "q_random_bytes({0})").volatile(),
];

pub const SCALARS: &[Scalar] = &[
    scalar("q_digest", 2, |_, a| {
        let algorithm = Algorithm::named(text(a, 1)?)?;
        Ok(Value::Blob((algorithm.digest)(bytes(a[0])?)))
    }),
    scalar("q_hmac", 3, |_, a| {
        let algorithm = Algorithm::named(text(a, 2)?)?;
        Ok(Value::Blob(algorithm.code(bytes(a[1])?, bytes(a[0])?)))
    }),
    scalar("q_random_bytes", 1, |ctx, a| {
        let count = usize::try_from(int(a, 0)?).ok().filter(|n| (1..=1024).contains(n));
        let count = count.ok_or_else(|| SqlError::new(SqlState::new("39000"), "Length not in range"))?;
        let words = std::iter::repeat_with(|| ctx.random().to_be_bytes()).take(count.div_ceil(8));
        let mut bytes: Vec<u8> = words.flatten().collect();
        bytes.truncate(count);
        Ok(Value::Blob(bytes))
    })
    .contextual(),
];

type Digest = fn(&[u8]) -> Vec<u8>;

/// A hash, and the size of its blocks.
struct Algorithm {
    digest: Digest,
    block: usize,
}

impl Algorithm {
    /// Errors: 22023.
    fn named(name: &str) -> SqlResult<Algorithm> {
        let (digest, block): (Digest, usize) = match name.to_ascii_lowercase().as_str() {
            "md5" => (|data| md5::Md5::digest(data).to_vec(), 64),
            "sha1" => {
                (|data| ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, data).as_ref().to_vec(), 64)
            }
            "sha224" => (|data| sha2::Sha224::digest(data).to_vec(), 64),
            "sha256" => (|data| sha2::Sha256::digest(data).to_vec(), 64),
            "sha384" => (|data| sha2::Sha384::digest(data).to_vec(), 128),
            "sha512" => (|data| sha2::Sha512::digest(data).to_vec(), 128),
            _ => {
                let message = format!("Cannot use \"{name}\": No such hash algorithm");
                return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
            }
        };
        Ok(Algorithm { digest, block })
    }

    /// HMAC (RFC 2104).
    fn code(&self, key: &[u8], data: &[u8]) -> Vec<u8> {
        let mut block = if key.len() > self.block { (self.digest)(key) } else { key.to_vec() };
        block.resize(self.block, 0);
        let padded = |pad: u8| block.iter().map(move |byte| byte ^ pad);
        let inner: Vec<u8> = padded(0x36).chain(data.iter().copied()).collect();
        let outer: Vec<u8> = padded(0x5c).chain((self.digest)(&inner)).collect();
        (self.digest)(&outer)
    }
}

fn bytes<'a>(value: ValueRef<'a>) -> SqlResult<&'a [u8]> {
    match value {
        ValueRef::Text(text) => Ok(text.as_bytes()),
        ValueRef::Blob(bytes) => Ok(bytes),
        _ => Err(SqlError::internal("a digest of what is neither text nor bytes")),
    }
}
