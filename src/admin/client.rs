//! The other side of HTTP: how commands and nodes ask a node.

use super::Secret;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// The longest answer that is read.
const MAX_ANSWER: usize = 64 << 20;

/// How to ask: encrypted or not, and as whom.
#[derive(Clone, Default)]
pub struct Way {
    /// What is believed of the node, and the certificate that is shown.
    pub tls: Option<Arc<ClientConfig>>,
    /// A role and its password.
    pub login: Option<(String, Secret)>,
}

/// What a node has said: the status of HTTP, and the body.
pub struct Said {
    pub status: u16,
    pub body: Bytes,
    /// How long the body is said to be; that of an answer to HEAD is not there.
    pub length: Option<u64>,
}

impl Said {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).trim().to_owned()
    }
}

impl Way {
    /// Asks the node at `address` (host and port); with a body it is told something.
    pub async fn ask(
        &self,
        address: &str,
        path: &str,
        body: Option<Vec<u8>>,
        patience: Duration,
    ) -> Result<Said, String> {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        self.request(address, (address, method, path), body, patience).await
    }

    /// The same by any method, of a host that has a name of its own.
    pub async fn request(
        &self,
        address: &str,
        what: (&str, Method, &str),
        body: Option<Vec<u8>>,
        patience: Duration,
    ) -> Result<Said, String> {
        let asked = timeout(patience, self.converse(address, what, body)).await;
        asked.unwrap_or_else(|_| Err("it does not answer in time".into()))
    }

    async fn converse(
        &self,
        address: &str,
        (called, method, path): (&str, Method, &str),
        body: Option<Vec<u8>>,
    ) -> Result<Said, String> {
        let stream = TcpStream::connect(address).await.map_err(|e| e.to_string())?;
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, called);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some((role, password)) = &self.login {
            let credentials = BASE64.encode(format!("{role}:{}", password.0));
            request = request.header(header::AUTHORIZATION, format!("Basic {credentials}"));
        }
        let request = request.body(body.map_or_else(Body::empty, Body::from)).map_err(|e| e.to_string())?;
        match &self.tls {
            None => exchange(stream, request).await,
            Some(tls) => {
                let name = ServerName::try_from(host).map_err(|e| e.to_string())?;
                let connector = TlsConnector::from(tls.clone());
                let stream = connector.connect(name, stream).await.map_err(|e| e.to_string())?;
                exchange(stream, request).await
            }
        }
    }
}

async fn exchange<S>(stream: S, request: Request<Body>) -> Result<Said, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(|e| e.to_string())?;
        let status = answer.status().as_u16();
        let length = answer.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let body = to_bytes(Body::new(answer.into_body()), MAX_ANSWER).await.map_err(|e| e.to_string())?;
        Ok(Said { status, body, length })
    };
    tokio::pin!(answer, connection);
    tokio::select! {
        said = &mut answer => said,
        ended = &mut connection => match ended {
            // What it has said may have come with its end.
            Ok(()) => answer.await,
            Err(error) => Err(error.to_string()),
        },
    }
}

/// Asks the node at `addr` for what is at `path`, and waits.
pub fn get_json<T: serde::de::DeserializeOwned>(addr: &str, path: &str, way: &Way) -> Result<T, String> {
    let said = wait_for(way.ask(addr, path, None, Duration::from_secs(2)))?;
    match said.is_success() {
        true => serde_json::from_slice(&said.body).map_err(|e| e.to_string()),
        false => Err(said.text()),
    }
}

/// For a command line, which has nothing else to do.
pub fn wait_for<T>(asked: impl std::future::Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(asked)
}
