//! Which requests are let in.

use super::{Facts, Gate, Secret, SignedIn, console};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::net::IpAddr;

/// How a browser is asked for a name and a password.
pub const BASIC: &str = "Basic realm=\"quorate\", charset=\"UTF-8\"";

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub struct Caller {
    pub from: IpAddr,
    pub encrypted: bool,
    /// The name in the certificate of a node of this cluster that it has shown.
    pub node: Option<String>,
    /// Of whom this request has shown the password.
    pub role: Option<SignedIn>,
}

/// Nothing, or what the request is answered with. Notes who has signed in.
pub async fn admit<B>(
    gate: &Gate,
    facts: &dyn Facts,
    caller: &mut Caller,
    request: &Request<B>,
) -> Result<(), Response> {
    let path = request.uri().path();
    let elsewhere = from_elsewhere(request.headers(), request.method() == Method::GET && is_entrance(path));
    if elsewhere || gate.keys.is_none() && from_a_web_page(request.headers()) {
        return Err((StatusCode::FORBIDDEN, "web pages are not answered here\n").into_response());
    }
    // Joining has a proof of its own: the token.
    let open = matches!(path, "/" | "/health" | "/ready" | "/join") || path == "/metrics" && gate.open_metrics;
    // Where only this machine can reach the node, a password only says who he is to SQL.
    let unasked = open || gate.keys.is_none() && !path.starts_with("/console/");
    if let Some((role, password)) = credentials(request.headers()).filter(|_| !unasked) {
        caller.role = match facts.log_in(caller.from, role, password).await {
            Ok(signed_in) => signed_in,
            Err(problem) => return Err(super::refused(problem).into_response()),
        };
        if caller.role.is_none() {
            return Err(ask());
        }
    }
    let member = caller.node.as_ref().is_some_and(|node| facts.is_member(node));
    match &caller.role {
        _ if open || member => Ok(()),
        None if gate.keys.is_none() => Ok(()),
        Some(signed_in) if signed_in.superuser || console::is_for_all_roles(path) => Ok(()),
        Some(_) if gate.keys.is_none() => Err((StatusCode::FORBIDDEN, "this is for superusers\n").into_response()),
        Some(_) | None => Err(ask()),
    }
}

fn ask() -> Response {
    let why = "this needs the name and password of a superuser, or the certificate of a node\n";
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, BASIC)], why).into_response()
}

/// Where people may come from a link.
fn is_entrance(path: &str) -> bool {
    matches!(path, "/" | "/console")
}

/// Whether a page of somebody else makes the browser ask, which adds the password that it remembers.
fn from_elsewhere(headers: &HeaderMap, entrance: bool) -> bool {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let site = text(&HeaderName::from_static("sec-fetch-site"));
    let follows_a_link = entrance && text(&HeaderName::from_static("sec-fetch-mode")) == Some("navigate");
    let origin = text(&ORIGIN).map(|origin| origin.split_once("://").map_or("", |(_, authority)| authority));
    let foreign = origin.is_some_and(|origin| !text(&HOST).is_some_and(|host| host.eq_ignore_ascii_case(origin)));
    foreign || site.is_some_and(|site| !matches!(site, "same-origin" | "none")) && !follows_a_link
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

    #[test]
    fn pages_of_others_borrow_no_password() {
        let asks = |fields: &[(&'static str, &str)], entrance: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("db1.example.com:8433"));
            for (name, value) in fields {
                headers.insert(*name, HeaderValue::from_str(value).unwrap());
            }
            from_elsewhere(&headers, entrance)
        };
        assert!(!asks(&[], false), "a program");
        assert!(!asks(&[("origin", "https://db1.example.com:8433"), ("sec-fetch-site", "same-origin")], false));
        assert!(!asks(&[("sec-fetch-site", "none")], false), "typed by hand");
        assert!(!asks(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], true), "a link");
        assert!(asks(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], false));
        assert!(asks(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")], true));
        assert!(asks(&[("sec-fetch-site", "same-site")], false), "another port of this machine");
        for origin in
            ["https://evil.example", "http://db1.example.com:1", "null", "https://db1.example.com:8433.evil.example"]
        {
            assert!(asks(&[("origin", origin)], false), "{origin}");
        }
    }
}
