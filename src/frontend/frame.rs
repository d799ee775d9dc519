//! Bytes to requests.
//!
//! Frames are cut here and their bodies read with bounds checks: pgwire's own decoders panic on a Bind or Parse that
//! is shorter than it says, and replace bytes that are not UTF-8, both of which a client must not be able to cause.
//! A frame that does not add up is a protocol violation, after which nothing can be trusted: the connection ends.
//! A frame that is whole but whose text is none in the client's encoding is an ordinary error.

use crate::error::{SqlError, SqlResult, state};
use crate::session::{Bind, Request, Target};
use crate::types::Type;
use crate::types::encoding::Encoding;
use bytes::{Buf, Bytes, BytesMut};

/// PostgreSQL's bound on a message.
const MAX_MESSAGE: usize = 0x3fff_ffff;
/// Messages of these types may be long, as in PostgreSQL; all others are short.
const LONG: &[u8] = b"QPBdFf";
const MAX_SHORT: usize = 10_000;

/// Takes the first message out of `input`, if it is all there.
pub fn next_request(input: &mut BytesMut, encoding: Encoding) -> SqlResult<Option<Request>> {
    let Some(needed) = needed(input)? else { return Ok(None) };
    if input.len() < needed {
        return Ok(None);
    }
    let mut frame = input.split_to(needed);
    let kind = frame[0];
    frame.advance(5);
    decode(kind, frame.freeze(), encoding).map(Some)
}

/// The length of the first frame, if enough of it is there to tell.
pub fn needed(input: &[u8]) -> SqlResult<Option<usize>> {
    let [kind, a, b, c, d, ..] = *input else {
        return match input.first() {
            Some(kind) if !known(*kind) => Err(unknown(*kind)),
            _ => Ok(None),
        };
    };
    if !known(kind) {
        return Err(unknown(kind));
    }
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    let limit = if LONG.contains(&kind) { MAX_MESSAGE } else { MAX_SHORT };
    if !(4..=limit).contains(&length) {
        return Err(violation("invalid message length"));
    }
    Ok(Some(length + 1))
}

fn known(kind: u8) -> bool {
    b"QPBDECHSdcfXFp".contains(&kind)
}

fn decode(kind: u8, body: Bytes, encoding: Encoding) -> SqlResult<Request> {
    let mut body = Body { bytes: body, encoding, invalid: None };
    let request = match kind {
        b'Q' => Request::Query(body.text()?),
        b'P' => {
            let (name, text) = (body.text()?, body.text()?);
            let count = body.u16()?;
            let types = (0..count).map(|_| body.i32().map(|oid| Type(oid as u32))).collect::<SqlResult<_>>()?;
            Request::Parse { name, text, types }
        }
        b'B' => Request::Bind(bind(&mut body)?),
        b'D' => Request::Describe { target: body.target("DESCRIBE")?, name: body.text()? },
        b'C' => Request::Close { target: body.target("CLOSE")?, name: body.text()? },
        b'E' => Request::Execute { portal: body.text()?, max_rows: body.i32()?.max(0) as u32 },
        b'H' => Request::Flush,
        b'S' => Request::Sync,
        b'd' => Request::CopyData(std::mem::take(&mut body.bytes)),
        b'c' => Request::CopyDone,
        b'f' => Request::CopyFail(body.text()?),
        b'X' => Request::Terminate,
        b'F' => return Err(SqlError::unsupported("the function call protocol").fatal()),
        _ => return Err(violation(format!("unexpected message type 0x{kind:02x}"))),
    };
    if !body.bytes.is_empty() {
        return Err(violation("invalid message format"));
    }
    Ok(match body.invalid {
        Some(error) => Request::Invalid { error, extended: kind != b'Q' },
        None => request,
    })
}

fn bind(body: &mut Body) -> SqlResult<Bind> {
    let (portal, statement) = (body.text()?, body.text()?);
    let param_formats = body.formats()?;
    let count = body.u16()?;
    let mut params = Vec::with_capacity(usize::from(count).min(body.bytes.len() / 4));
    for _ in 0..count {
        params.push(match body.i32()? {
            -1 => None,
            n => Some(body.take(usize::try_from(n).map_err(|_| violation("invalid parameter length"))?)?),
        });
    }
    let result_formats = body.formats()?;
    Ok(Bind { portal, statement, param_formats, params, result_formats })
}

struct Body {
    bytes: Bytes,
    encoding: Encoding,
    /// The first text that is none in this encoding.
    invalid: Option<SqlError>,
}

impl Body {
    fn take(&mut self, n: usize) -> SqlResult<Bytes> {
        if n > self.bytes.len() {
            return Err(violation("insufficient data left in message"));
        }
        Ok(self.bytes.split_to(n))
    }

    fn u16(&mut self) -> SqlResult<u16> {
        let b = self.take(2)?;
        Ok(u16::from_be_bytes([b[0], b[1]]))
    }

    fn i32(&mut self) -> SqlResult<i32> {
        let b = self.take(4)?;
        Ok(i32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    }

    fn formats(&mut self) -> SqlResult<Vec<i16>> {
        let count = self.u16()?;
        (0..count).map(|_| self.u16().map(|code| code as i16)).collect()
    }

    fn text(&mut self) -> SqlResult<String> {
        let end = self.bytes.iter().position(|b| *b == 0).ok_or_else(|| violation("invalid string in message"))?;
        let raw = self.bytes.split_to(end);
        self.bytes.advance(1);
        Ok(match self.encoding.decode(&raw) {
            Ok(text) => text.into_owned(),
            Err(error) => {
                self.invalid.get_or_insert(error);
                String::new()
            }
        })
    }

    fn target(&mut self, message: &str) -> SqlResult<Target> {
        match self.take(1)?[0] {
            b'S' => Ok(Target::Statement),
            b'P' => Ok(Target::Portal),
            other => Err(violation(format!("invalid {message} message subtype {other}"))),
        }
    }
}

fn unknown(kind: u8) -> SqlError {
    violation(format!("invalid frontend message type {kind}"))
}

/// The end of a connection: what follows cannot be understood.
pub fn violation(message: impl Into<String>) -> SqlError {
    SqlError::new(state::PROTOCOL_VIOLATION, message).fatal()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next_request(input: &mut BytesMut) -> SqlResult<Option<Request>> {
        super::next_request(input, Encoding::UTF8)
    }

    fn frame(kind: u8, body: &[u8]) -> BytesMut {
        let mut out = BytesMut::from(&[kind][..]);
        out.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
        out.extend_from_slice(body);
        out
    }

    #[test]
    fn whole_messages_only() {
        let whole = frame(b'Q', b"SELECT 1\0");
        for cut in 0..whole.len() {
            assert_eq!(next_request(&mut BytesMut::from(&whole[..cut])).unwrap(), None, "{cut} bytes");
        }
        let mut two = whole.clone();
        two.extend_from_slice(&frame(b'S', b""));
        assert_eq!(next_request(&mut two).unwrap(), Some(Request::Query("SELECT 1".into())));
        assert_eq!(next_request(&mut two).unwrap(), Some(Request::Sync));
        assert!(two.is_empty());
    }

    #[test]
    fn every_truncated_body_is_a_violation_and_none_panics() {
        let bodies: [(u8, &[u8]); 5] = [
            (b'P', b"s\0SELECT $1\0\0\x01\0\0\0\x17"),
            (b'B', b"p\0s\0\0\x01\0\x01\0\x02\0\0\0\x01x\xff\xff\xff\xff\0\x01\0\x00"),
            (b'D', b"Sname\0"),
            (b'C', b"Pname\0"),
            (b'E', b"p\0\0\0\0\x05"),
        ];
        for (kind, body) in bodies {
            assert!(next_request(&mut frame(kind, body)).unwrap().is_some(), "{}", kind as char);
            for cut in 0..body.len() {
                let error = next_request(&mut frame(kind, &body[..cut])).unwrap_err();
                assert!(error.fatal && error.code == state::PROTOCOL_VIOLATION, "{} cut at {cut}", kind as char);
            }
            let longer = [body, b"x"].concat();
            assert!(next_request(&mut frame(kind, &longer)).is_err());
        }
    }

    #[test]
    fn bounds_and_unknown_types() {
        assert!(next_request(&mut BytesMut::from(&b"!"[..])).is_err());
        assert!(next_request(&mut BytesMut::from(&b"Q\0\0\0\x03"[..])).is_err());
        assert!(next_request(&mut BytesMut::from(&b"Q\x7f\xff\xff\xff"[..])).is_err());
        assert!(next_request(&mut BytesMut::from(&b"S\0\x01\0\0"[..])).is_err());
        assert!(next_request(&mut frame(b'D', b"Xname\0")).is_err());
    }

    #[test]
    fn text_that_is_not_utf8_is_an_ordinary_error() {
        let request = next_request(&mut frame(b'Q', b"SELECT '\xff'\0")).unwrap();
        let Some(Request::Invalid { error, extended: false }) = request else { panic!("{request:?}") };
        assert_eq!(error.code, state::CHARACTER_NOT_IN_REPERTOIRE);
        assert!(!error.fatal);
    }
}
