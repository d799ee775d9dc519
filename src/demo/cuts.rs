//! The network between a demo's nodes, as one that can be cut: every node is reached through a relay of the demo's.
//!
//! Who calls is in the first frame of the peer protocol. A cut is silent, as a real one is: connections stay open, and nothing
//! comes through until it is healed.

use crate::transport::wire::{self, Hello, Kind};
use bytes::BytesMut;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Nodes, by their ids, that hear nobody and that nobody hears.
#[derive(Clone)]
pub struct Cuts(Arc<watch::Sender<BTreeSet<u64>>>);

impl Cuts {
    pub fn new() -> Cuts {
        Cuts(Arc::new(watch::Sender::new(BTreeSet::new())))
    }

    pub fn set(&self, node: u64, cut: bool) {
        self.0.send_modify(|all| {
            if cut {
                all.insert(node)
            } else {
                all.remove(&node)
            };
        });
    }

    pub fn is_cut(&self, node: u64) -> bool {
        self.0.borrow().contains(&node)
    }

    /// Carries what comes to `listener` to node `to`, whose own port is `port`.
    pub async fn relay(self, listener: TcpListener, to: u64, port: u16) {
        while let Ok((caller, _)) = listener.accept().await {
            let cuts = self.0.subscribe();
            tokio::spawn(async move { carry(caller, to, port, cuts).await });
        }
    }
}

async fn carry(mut caller: TcpStream, to: u64, port: u16, cuts: watch::Receiver<BTreeSet<u64>>) -> io::Result<()> {
    let mut first = BytesMut::new();
    let from = loop {
        match wire::next_frame(&mut first.clone()) {
            Ok(Some((Kind::Hello, hello))) => break wire::value::<Hello>(&hello).map_or(0, |hello| hello.from.node.0),
            // Of a node that belongs to no cluster yet: it has no id.
            Ok(Some(_)) => break 0,
            Ok(None) if caller.read_buf(&mut first).await? > 0 => {}
            Ok(None) | Err(_) => return Ok(()),
        }
    };
    passes(&mut cuts.clone(), from, to).await;
    let mut called = TcpStream::connect(("127.0.0.1", port)).await?;
    caller.set_nodelay(true)?;
    called.set_nodelay(true)?;
    called.write_all(&first).await?;
    let ((caller_in, caller_out), (called_in, called_out)) = (caller.into_split(), called.into_split());
    tokio::select! {
        ended = pump(caller_in, called_out, from, to, cuts.clone()) => ended,
        ended = pump(called_in, caller_out, from, to, cuts) => ended,
    }
}

async fn pump(
    mut source: OwnedReadHalf,
    mut sink: OwnedWriteHalf,
    a: u64,
    b: u64,
    mut cuts: watch::Receiver<BTreeSet<u64>>,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = source.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        passes(&mut cuts, a, b).await;
        sink.write_all(&buffer[..read]).await?;
    }
}

async fn passes(cuts: &mut watch::Receiver<BTreeSet<u64>>, a: u64, b: u64) {
    let _ = cuts.wait_for(|cut| !cut.contains(&a) && !cut.contains(&b)).await;
}
