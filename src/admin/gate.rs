//! Which requests are let in.

use super::{Facts, Gate, Secret};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::net::IpAddr;

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub struct Caller {
    pub from: IpAddr,
    /// The name in the certificate of a node of this cluster that it has shown.
    pub node: Option<String>,
}

/// Nothing, or what the request is answered with.
pub async fn admit<B>(gate: &Gate, facts: &dyn Facts, caller: &Caller, request: &Request<B>) -> Result<(), Response> {
    let path = request.uri().path();
    if gate.keys.is_none() {
        return match from_a_web_page(request.headers()) {
            true => Err((StatusCode::FORBIDDEN, "web pages are not answered here\n").into_response()),
            false => Ok(()),
        };
    }
    // Joining has a proof of its own: the token.
    let open = matches!(path, "/health" | "/ready" | "/join") || path == "/metrics" && gate.open_metrics;
    if open || caller.node.as_ref().is_some_and(|node| facts.is_member(node)) {
        return Ok(());
    }
    if let Some((role, password)) = credentials(request.headers()) {
        match facts.log_in(caller.from, role, password).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(problem) => return Err(super::refused(problem).into_response()),
        }
    }
    let ask = [(WWW_AUTHENTICATE, "Basic realm=\"quorate\", charset=\"UTF-8\"")];
    let why = "this needs the name and password of a superuser, or the certificate of a node\n";
    Err((StatusCode::UNAUTHORIZED, ask, why).into_response())
}

fn credentials(headers: &HeaderMap) -> Option<(String, Secret)> {
    let encoded = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(BASE64.decode(encoded.trim()).ok()?).ok()?;
    let (role, password) = decoded.split_once(':')?;
    Some((role.to_owned(), Secret(password.to_owned())))
}

/// Whether a browser asks for a page of somebody else: by its origin, or by a name that is not this machine's, which
/// somebody has made to mean this machine (DNS rebinding).
fn from_a_web_page(headers: &HeaderMap) -> bool {
    let origin = headers.get(ORIGIN).is_some_and(|origin| {
        let host = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        !host.is_some_and(|(_, host)| is_this_machine(host))
    });
    origin || headers.get(HOST).is_some_and(|host| !host.to_str().is_ok_and(is_this_machine))
}

fn is_this_machine(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn web_pages_are_known() {
        let asks = |host: &str, origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_str(host).unwrap());
            origin.map(|origin| headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap()));
            from_a_web_page(&headers)
        };
        for host in ["127.0.0.1:8433", "localhost:8433", "[::1]:8433", "LOCALHOST", "127.3.2.1"] {
            assert!(!asks(host, None), "{host}");
        }
        for host in ["evil.example:8433", "127.0.0.1.evil.example", "localhost.evil.example", "[fd00::1]:1", ""] {
            assert!(asks(host, None), "{host}");
        }
        assert!(!asks("localhost:8433", Some("http://localhost:8433")));
        assert!(asks("localhost:8433", Some("http://evil.example")));
        assert!(asks("localhost:8433", Some("null")));
    }
}
