//! A client inside the node: what the node itself wants done in SQL goes the way of every other statement.

use super::listener::{Databases, Newcomer, Options};
use super::socket::Socket;
use crate::antechamber::Antechamber;
use crate::error::{SqlError, SqlResult};
use crate::gateway::Database;
use bytes::{BufMut, BytesMut};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{Semaphore, watch};

/// Runs a statement as `user`, who is believed.
pub async fn run<D: Database>(
    user: &str,
    database: &str,
    sql: &str,
    databases: Databases<D>,
    options: Arc<Options>,
) -> SqlResult<()> {
    let (mut ours, theirs) = duplex(64 << 10);
    let (_stop, shutdown) = watch::channel(false);
    let sessions = Arc::new(Semaphore::new(1 + options.reserved));
    let guest = Antechamber::new(1).enter();
    let stream = Socket::Inner(theirs);
    let newcomer = Newcomer { stream, input: BytesMut::new(), guest, databases, options, sessions, shutdown };
    let served = tokio::spawn(newcomer.run());
    let outcome = converse(&mut ours, user, database, sql).await;
    drop(ours);
    let _ = served.await;
    outcome.map_err(|error| SqlError::internal(format!("the node's own session broke: {error}")))?
}

async fn converse(stream: &mut DuplexStream, user: &str, database: &str, sql: &str) -> io::Result<SqlResult<()>> {
    let mut startup = BytesMut::new();
    startup.put_u32(196_608);
    for text in ["user", user, "database", database, ""] {
        startup.put_slice(text.as_bytes());
        startup.put_u8(0);
    }
    stream.write_u32(startup.len() as u32 + 4).await?;
    stream.write_all(&startup).await?;
    if let Err(error) = ready(stream).await? {
        return Ok(Err(error));
    }
    stream.write_u8(b'Q').await?;
    stream.write_u32(sql.len() as u32 + 5).await?;
    stream.write_all(sql.as_bytes()).await?;
    stream.write_u8(0).await?;
    let outcome = ready(stream).await?;
    stream.write_all(b"X\0\0\0\x04").await?;
    Ok(outcome)
}

/// Reads to the end of what was asked; its error, if there was one.
async fn ready(stream: &mut DuplexStream) -> io::Result<SqlResult<()>> {
    let mut outcome = Ok(());
    loop {
        let kind = stream.read_u8().await?;
        let length = stream.read_u32().await?.saturating_sub(4);
        let mut body = vec![0; length as usize];
        stream.read_exact(&mut body).await?;
        match kind {
            b'Z' => return Ok(outcome),
            b'E' => {
                let fields: Vec<&[u8]> = body.split(|byte| *byte == 0).collect();
                let field = |key: u8| fields.iter().find(|field| field.first() == Some(&key)).map(|field| &field[1..]);
                let text = |key| String::from_utf8_lossy(field(key).unwrap_or_default()).into_owned();
                let error = SqlError::internal(format!("{} ({})", text(b'M'), text(b'C')));
                // After the end of a session nothing follows.
                if text(b'V') == "FATAL" {
                    return Ok(Err(error));
                }
                outcome = Err(error);
            }
            _ => {}
        }
    }
}
