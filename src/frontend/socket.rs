//! A client's connection, encrypted or not.

use super::login::Account;
use crate::pki::{Tls, distinguished_names};
use crate::status::SessionRow;
use bytes::BytesMut;
use rustls::ProtocolVersion::TLSv1_2;
use rustls::pki_types::CertificateDer;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub enum Socket {
    Plain(TcpStream),
    /// And what binds SCRAM to it: the certificate of its handshake may not be the node's any more.
    Encrypted(Box<TlsStream<TcpStream>>, Option<Vec<u8>>),
    /// The client is inside the node, which has found out who it is; or it is the node itself.
    Inner(DuplexStream, Option<Box<Account>>),
    /// Its handshake has failed, or was given up.
    Gone,
}

impl Socket {
    /// The server's side of a TLS handshake; when it fails, nothing is left of the connection.
    pub async fn encrypt(&mut self, tls: &Tls) -> io::Result<()> {
        if !matches!(self, Socket::Plain(_)) {
            return Ok(());
        }
        if let Socket::Plain(stream) = std::mem::replace(self, Socket::Gone) {
            let stream = TlsAcceptor::from(Arc::clone(&tls.clients)).accept(stream).await?;
            *self = Socket::Encrypted(Box::new(stream), tls.binding.clone());
        }
        Ok(())
    }

    /// The connection below; nothing if it was lost in a handshake.
    pub fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Socket::Plain(stream) => Some(stream),
            Socket::Encrypted(stream, _) => Some(stream.get_ref().0),
            Socket::Inner(..) | Socket::Gone => None,
        }
    }

    pub fn is_encrypted(&self) -> bool {
        matches!(self, Socket::Encrypted(..))
    }

    /// What binds SCRAM to the channel, if anything can.
    pub fn binding(&self) -> Option<&[u8]> {
        if let Socket::Encrypted(_, binding) = self { binding.as_deref() } else { None }
    }

    /// The client's certificate; an authority that is believed has issued it.
    pub fn certificate(&self) -> Option<CertificateDer<'static>> {
        let Socket::Encrypted(stream, _) = self else { return None };
        stream.get_ref().1.peer_certificates()?.first().cloned()
    }

    /// Notes how the connection is encrypted, for `pg_stat_ssl`.
    pub fn describe(&self, row: &mut SessionRow) {
        let Socket::Encrypted(stream, _) = self else { return };
        let connection = stream.get_ref().1;
        let version = connection.protocol_version();
        let suite = connection.negotiated_cipher_suite();
        row.ssl = true;
        row.ssl_version = version.map(|version| if version == TLSv1_2 { "TLSv1.2" } else { "TLSv1.3" }.to_owned());
        // OpenSSL's name of a suite of TLS 1.3.
        row.ssl_cipher = suite.and_then(|s| s.suite().as_str()).map(|name| name.replacen("TLS13_", "TLS_", 1));
        let bits = |name: &String| if name.contains("AES_128") { 128 } else { 256 };
        row.ssl_bits = row.ssl_cipher.as_ref().map(bits);
        if let Some((subject, issuer, serial)) = self.certificate().and_then(|der| distinguished_names(&der)) {
            row.ssl_client_dn = Some(subject);
            row.ssl_issuer_dn = Some(issuer);
            row.ssl_client_serial = Some(serial);
        }
    }

    /// Looks at what has arrived without taking it; nothing is there when the client is gone.
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            // It waits for what it has asked.
            Socket::Inner(..) => std::future::pending().await,
            Socket::Gone => Ok(0),
            Socket::Plain(stream) => stream.peek(buffer).await,
            Socket::Encrypted(stream, _) => stream.get_ref().0.peek(buffer).await,
        }
    }

    /// Reads what comes next, and keeps no memory for a client that says nothing.
    pub async fn read_some(&mut self, input: &mut BytesMut) -> io::Result<usize> {
        if let Socket::Plain(stream) = self {
            stream.readable().await?;
        }
        self.read_buf(input).await
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Socket::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Socket::Encrypted(stream, _) => Pin::new(stream).poll_read(cx, buf),
            Socket::Inner(stream, _) => Pin::new(stream).poll_read(cx, buf),
            Socket::Gone => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Socket::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Socket::Encrypted(stream, _) => Pin::new(stream).poll_write(cx, bytes),
            Socket::Inner(stream, _) => Pin::new(stream).poll_write(cx, bytes),
            Socket::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Socket::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Socket::Encrypted(stream, _) => Pin::new(stream).poll_flush(cx),
            Socket::Inner(stream, _) => Pin::new(stream).poll_flush(cx),
            Socket::Gone => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Socket::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Socket::Encrypted(stream, _) => Pin::new(stream).poll_shutdown(cx),
            Socket::Inner(stream, _) => Pin::new(stream).poll_shutdown(cx),
            Socket::Gone => Poll::Ready(Ok(())),
        }
    }
}
