//! From a new socket to a session's first settings: encryption requests, protocol version, parameters.

use super::cancel::CancelKey;
use super::frame::violation;
use crate::error::{SqlError, SqlResult, SqlState, state};
use crate::session::Settings;
use bytes::{Buf, BytesMut};
use pgwire::messages::cancel::CancelRequest;
use pgwire::messages::startup::{GssEncRequest, SslRequest, Startup};
use pgwire::messages::{DecodeContext, Message};
use std::collections::BTreeMap;

/// Longest startup packet, as in PostgreSQL.
const MAX_STARTUP: usize = 10_000;

/// What the first packet of a connection wants.
#[derive(Debug)]
pub enum First {
    /// TLS: answered `S` or `N`, and another packet follows, encrypted or not.
    Tls,
    /// GSSAPI: answered `N`, and another packet follows.
    Gssapi,
    Cancel(CancelKey),
    Start(Hello),
    /// Nothing of the protocol. Who sent it might not understand an error, either: it is told nothing.
    Alien,
}

#[derive(Debug)]
pub struct Hello {
    pub user: String,
    pub database: String,
    /// Everything else, in the order of names.
    pub settings: Vec<(String, String)>,
    /// Not understood: a newer minor version, or protocol options.
    pub negotiate: Option<Vec<String>>,
}

/// Takes the first packet out of `input`, if it is all there.
pub fn next_packet(input: &mut BytesMut) -> SqlResult<Option<First>> {
    if input.len() < 4 {
        return Ok(None);
    }
    let length = (&input[..4]).get_u32() as usize;
    if !(8..=MAX_STARTUP).contains(&length) {
        return Ok(Some(First::Alien));
    }
    if input.len() < length {
        return Ok(None);
    }
    let mut packet = input.split_to(length);
    let context = DecodeContext::default();
    let malformed = |_| violation("invalid startup packet layout");
    if SslRequest::is_ssl_request_packet(&packet) {
        return Ok(Some(First::Tls));
    }
    if GssEncRequest::is_gss_enc_request_packet(&packet) {
        return Ok(Some(First::Gssapi));
    }
    if CancelRequest::is_cancel_request_packet(&packet) {
        let Ok(Some(request)) = CancelRequest::decode(&mut packet, &context) else { return Ok(Some(First::Alien)) };
        // Only 4-byte secrets were given out.
        let secret = request.secret_key.to_bytes();
        let secret = <[u8; 4]>::try_from(&secret[..]).map_or(0, i32::from_be_bytes);
        return Ok(Some(First::Cancel(CancelKey { pid: request.pid, secret })));
    }
    let major = (&packet[4..6]).get_u16();
    if major != 3 {
        let minor = (&packet[6..8]).get_u16();
        let message = format!("unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.0");
        return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, message).fatal());
    }
    if packet[packet.len() - 1] != 0 {
        return Err(violation("invalid startup packet layout: expected terminator as last byte"));
    }
    let startup = Startup::decode(&mut packet, &context).map_err(malformed)?;
    let Some(startup) = startup else { return Err(violation("invalid startup packet layout")) };
    hello(startup.protocol_number_minor, startup.parameters).map(|hello| Some(First::Start(hello)))
}

fn hello(minor: u16, mut parameters: BTreeMap<String, String>) -> SqlResult<Hello> {
    let user = parameters.remove("user").filter(|user| !user.is_empty()).ok_or_else(|| {
        let message = "no PostgreSQL user name specified in startup packet";
        SqlError::new(state::INVALID_AUTHORIZATION_SPECIFICATION, message).fatal()
    })?;
    let database = parameters.remove("database").filter(|name| !name.is_empty()).unwrap_or_else(|| user.clone());
    if parameters.remove("replication").is_some_and(|r| !matches!(r.as_str(), "false" | "off" | "no" | "0")) {
        return Err(SqlError::unsupported("the replication protocol").fatal());
    }
    let unknown: Vec<String> = parameters.keys().filter(|k| k.starts_with("_pq_.")).cloned().collect();
    parameters.retain(|name, _| !name.starts_with("_pq_."));
    let negotiate = (minor > 0 || !unknown.is_empty()).then_some(unknown);
    let mut settings = Vec::new();
    if let Some(options) = parameters.remove("options") {
        settings.extend(command_line(&options)?);
    }
    settings.extend(parameters);
    Ok(Hello { user, database, settings, negotiate })
}

/// `-c name=value` and `--name=value`, separated by blanks; a backslash takes the next character as it is.
fn command_line(options: &str) -> SqlResult<Vec<(String, String)>> {
    let invalid = |word: &str| {
        let message = format!("invalid command-line argument for server process: {word}");
        SqlError::new(SqlState::new("42601"), message).fatal()
    };
    let mut words = words(options).into_iter();
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let assignment = match word.strip_prefix("--") {
            Some(rest) => rest.to_owned(),
            None => match word.strip_prefix("-c") {
                Some("") => words.next().ok_or_else(|| invalid(&word))?,
                Some(rest) => rest.to_owned(),
                None => return Err(invalid(&word)),
            },
        };
        let (name, value) = assignment.split_once('=').ok_or_else(|| invalid(&assignment))?;
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => word.extend(chars.next()),
            c if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

impl Hello {
    /// The session's first settings: those of its role and its database, and what the client asks for.
    pub fn settings(
        &self,
        (database, inner): (u32, bool),
        of_role: &[(String, String)],
        superuser: bool,
    ) -> SqlResult<Settings> {
        let mut settings = Settings::new(&self.user, (&self.database, database), inner);
        settings.come_as(superuser);
        for (name, value) in of_role {
            // One that is not known any more does not keep anybody out.
            settings.start_with(name, value).ok();
        }
        for (name, value) in &self.settings {
            settings.ask_for(name, value, superuser).map_err(SqlError::fatal)?;
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BufMut;

    fn packet(code: u32, body: &[u8]) -> BytesMut {
        let mut out = BytesMut::new();
        out.put_u32(body.len() as u32 + 8);
        out.put_u32(code);
        out.put_slice(body);
        out
    }

    #[test]
    fn parameters_and_options() {
        let body = b"user\0ann\0options\0-c jit=on --application-name=a\\ b\0client_encoding\0'utf-8'\0\0";
        let Some(First::Start(hello)) = next_packet(&mut packet(196_608, body)).unwrap() else { panic!() };
        assert_eq!((hello.user.as_str(), hello.database.as_str()), ("ann", "ann"));
        assert!(hello.negotiate.is_none());
        let settings = hello.settings((crate::id::HOME, false), &[], true).unwrap();
        assert_eq!(settings.get("jit"), Some("on"));
        assert_eq!(settings.get("application_name"), Some("a b"));
        assert_eq!(settings.get("client_encoding"), Some("UTF8"));
    }

    #[test]
    fn newer_protocols_are_negotiated_down() {
        let body = b"user\0ann\0_pq_.x\0y\0\0";
        let Some(First::Start(hello)) = next_packet(&mut packet(196_610, body)).unwrap() else { panic!() };
        assert_eq!(hello.negotiate, Some(vec!["_pq_.x".to_owned()]));
        assert!(next_packet(&mut packet(131_072, b"user\0a\0\0")).is_err());
    }

    #[test]
    fn malformed_packets_are_refused() {
        for bytes in [&b"\0\0\0\x07\0\x03\0\0"[..], b"\x7f\0\0\0\0\x03\0\0", b"GET / HTTP/1.1\r\n\r\n"] {
            assert!(matches!(next_packet(&mut BytesMut::from(bytes)), Ok(Some(First::Alien))));
        }
        assert!(next_packet(&mut packet(196_608, b"user\0ann")).is_err());
        assert!(next_packet(&mut packet(196_608, b"\0")).is_err(), "no user");
        let short_cancel_request = next_packet(&mut packet(80_877_102, b"\0\0\0\x01"));
        assert!(matches!(short_cancel_request, Ok(Some(First::Alien))));
        assert!(next_packet(&mut BytesMut::from(&b"\0\0\0"[..])).unwrap().is_none());
    }
}
