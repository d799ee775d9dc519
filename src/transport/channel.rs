//! One connection between nodes, encrypted or not: bytes in and bytes out, without waiting for anything but the socket.
//!
//! Who sends encrypts on his own thread, and writes what the socket takes; see [`super::tcp`]. With [`Keys`], both sides
//! show a certificate of this cluster before a single byte of the protocol is read.

use crate::pki::{Keys, NodeName, node_name};
use bytes::{Buf, BytesMut};
use parking_lot::Mutex;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, Connection, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream as BlockingStream;
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Who the other side is, is in its certificate and not in a name that is dialled.
const NO_NAME: &str = "node.quorate.invalid";

type Shared = Option<Arc<Mutex<Sealed>>>;

/// The encryption of a connection, both ways.
struct Sealed {
    connection: Connection,
    /// What is to be encrypted next.
    plain: Vec<u8>,
}

/// The side that comes in.
pub struct Reader {
    half: OwnedReadHalf,
    sealed: Shared,
    /// What has come and was not decrypted yet.
    cipher: BytesMut,
}

/// The side that goes out.
#[derive(Clone)]
pub struct Writer {
    half: Arc<OwnedWriteHalf>,
    sealed: Shared,
}

fn invalid(error: impl std::fmt::Display) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error.to_string())
}

/// The side that dials; with the name in the other's certificate.
pub async fn dialled(stream: TcpStream, keys: Option<&Keys>) -> io::Result<(Reader, Writer, Option<NodeName>)> {
    let Some(keys) = keys else { return Ok(plain(stream)) };
    let name = ServerName::try_from(NO_NAME).map_err(invalid)?;
    let stream = TlsConnector::from(keys.now().dial.clone()).connect(name, stream).await?;
    let (stream, connection) = stream.into_inner();
    sealed(stream, connection.into(), keys)
}

/// The side that was dialled.
pub async fn accepted(stream: TcpStream, keys: Option<&Keys>) -> io::Result<(Reader, Writer, Option<NodeName>)> {
    let Some(keys) = keys else { return Ok(plain(stream)) };
    let stream = TlsAcceptor::from(keys.now().peers.clone()).accept(stream).await?;
    let (stream, connection) = stream.into_inner();
    sealed(stream, connection.into(), keys)
}

fn plain(stream: TcpStream) -> (Reader, Writer, Option<NodeName>) {
    let (read, write) = stream.into_split();
    let reader = Reader { half: read, sealed: None, cipher: BytesMut::new() };
    (reader, Writer { half: Arc::new(write), sealed: None }, None)
}

fn sealed(
    stream: TcpStream,
    mut connection: Connection,
    keys: &Keys,
) -> io::Result<(Reader, Writer, Option<NodeName>)> {
    let name = connection.peer_certificates().and_then(|chain| node_name(chain.first()?));
    let name = name.filter(|name| name.cluster == keys.cluster());
    let name = name.ok_or_else(|| invalid("the certificate is not one of a node of this cluster"))?;
    connection.set_buffer_limit(None);
    let (read, write) = stream.into_split();
    let sealed = Some(Arc::new(Mutex::new(Sealed { connection, plain: Vec::new() })));
    let reader = Reader { half: read, sealed: sealed.clone(), cipher: BytesMut::new() };
    Ok((reader, Writer { half: Arc::new(write), sealed }, Some(name)))
}

impl Sealed {
    /// Moves what is decrypted to `input`; 0 if that is nothing.
    fn take(&mut self, input: &mut BytesMut) -> io::Result<usize> {
        let state = self.connection.process_new_packets().map_err(invalid)?;
        let (at, length) = (input.len(), state.plaintext_bytes_to_read());
        input.resize(at + length, 0);
        self.connection.reader().read_exact(&mut input[at..])?;
        Ok(length)
    }
}

impl Reader {
    /// Appends what comes next to `input`; 0 at the end of the stream.
    pub async fn read_buf(&mut self, input: &mut BytesMut) -> io::Result<usize> {
        let Some(sealed) = &self.sealed else { return self.half.read_buf(input).await };
        let mut read = sealed.lock().take(input)?;
        while read == 0 {
            self.cipher.reserve(16 << 10);
            // Frames carry their length and checksum: a stream that is cut off is noticed as an unencrypted one is.
            if self.half.read_buf(&mut self.cipher).await? == 0 {
                return Ok(0);
            }
            let mut sealed = sealed.lock();
            while !self.cipher.is_empty() {
                let taken = sealed.connection.read_tls(&mut &self.cipher[..])?;
                self.cipher.advance(taken);
                read += sealed.take(input)?;
                if taken == 0 {
                    return Ok(read);
                }
            }
        }
        Ok(read)
    }

    /// The whole connection, for a thread that may wait for it.
    pub fn into_blocking(self, writer: Writer) -> io::Result<Waiting> {
        let Writer { half, sealed } = writer;
        drop(sealed);
        let half = Arc::into_inner(half).ok_or_else(|| invalid("somebody else writes to this connection"))?;
        let stream = self.half.reunite(half).map_err(invalid)?.into_std()?;
        stream.set_nonblocking(false)?;
        match self.sealed.map(Arc::into_inner) {
            None => Ok(Waiting::Plain(stream)),
            Some(None) => Err(invalid("somebody else uses this connection")),
            Some(Some(sealed)) => Ok(Waiting::sealed(sealed.into_inner().connection, stream)),
        }
    }
}

impl Writer {
    /// Appends to `out` what must go to the socket for what `write` writes.
    pub fn seal(&self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        let Some(sealed) = &self.sealed else { return write(out) };
        let mut sealed = sealed.lock();
        let Sealed { connection, plain } = &mut *sealed;
        plain.clear();
        write(plain);
        // Both write to memory: they do not fail.
        let _ = connection.writer().write_all(plain);
        while connection.wants_write() {
            if connection.write_tls(out).is_err() {
                break;
            }
        }
        if plain.capacity() > 1 << 20 {
            plain.clear();
            plain.shrink_to(64 << 10);
        }
    }

    /// Gives the socket what [`Writer::seal`] made.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.half.try_write(bytes)
    }

    pub async fn writable(&self) -> io::Result<()> {
        self.half.writable().await
    }

    pub async fn write_whole(&self, plain: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.seal(&mut bytes, |out| out.extend_from_slice(plain));
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            self.writable().await?;
            match self.try_write(rest) {
                Ok(n) => rest = &rest[n..],
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

/// A connection of a thread that waits for it.
pub enum Waiting {
    Plain(BlockingStream),
    Client(Box<StreamOwned<ClientConnection, BlockingStream>>),
    Server(Box<StreamOwned<rustls::ServerConnection, BlockingStream>>),
}

impl Waiting {
    /// The side that dials.
    pub fn dialled(stream: BlockingStream, keys: Option<&Keys>) -> io::Result<Waiting> {
        let Some(keys) = keys else { return Ok(Waiting::Plain(stream)) };
        let name = ServerName::try_from(NO_NAME).map_err(invalid)?;
        let connection = ClientConnection::new(keys.now().dial.clone(), name).map_err(invalid)?;
        Ok(Waiting::sealed(connection.into(), stream))
    }

    fn sealed(connection: Connection, stream: BlockingStream) -> Waiting {
        match connection {
            Connection::Client(client) => Waiting::Client(Box::new(StreamOwned::new(client, stream))),
            Connection::Server(server) => Waiting::Server(Box::new(StreamOwned::new(server, stream))),
        }
    }

    pub fn socket(&self) -> &BlockingStream {
        match self {
            Waiting::Plain(stream) => stream,
            Waiting::Client(stream) => &stream.sock,
            Waiting::Server(stream) => &stream.sock,
        }
    }

    fn inner(&mut self) -> &mut dyn ReadWrite {
        match self {
            Waiting::Plain(stream) => stream,
            Waiting::Client(stream) => stream.as_mut(),
            Waiting::Server(stream) => stream.as_mut(),
        }
    }
}

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

impl Read for Waiting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner().read(buffer)
    }
}

impl Write for Waiting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner().flush()
    }
}
