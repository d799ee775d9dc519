//! A network between the nodes that can be cut without root: every node is reached through a proxy.
//!
//! The proxy learns who calls from the first frame of the peer protocol, so each direction of each pair can be cut by
//! itself. A cut is silent, as a real one is: connections stay open, nothing comes through, and what was sent may still
//! arrive after the healing. New connections during a cut are accepted and hang.

use super::ports::free_port;
use bytes::BytesMut;
use quorate::transport::wire::{self, Hello, Kind};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Pairs (from, to) of nodes between which nothing passes, in this direction.
type Cuts = BTreeSet<(u64, u64)>;

#[derive(Clone)]
pub struct Switch {
    cuts: Arc<watch::Sender<Cuts>>,
}

impl Switch {
    pub fn new() -> Switch {
        Switch { cuts: Arc::new(watch::Sender::new(Cuts::new())) }
    }

    /// Listens for node `to`, whose real peer port is `port`; returns the port that the others must use.
    pub async fn stand_before(&self, to: u64, port: u16) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", free_port())).await.expect("a free port");
        let front = listener.local_addr().expect("bound").port();
        let cuts = self.cuts.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, to, port, cuts.subscribe()));
            }
        });
        front
    }

    pub fn cut_one_way(&self, from: u64, to: u64) {
        self.cuts.send_modify(|cuts| {
            cuts.insert((from, to));
        });
    }

    pub fn cut(&self, a: u64, b: u64) {
        self.cut_one_way(a, b);
        self.cut_one_way(b, a);
    }

    /// Cuts every pair of which one is in `side` and the other in `rest`.
    pub fn split(&self, side: &[u64], rest: &[u64]) {
        for a in side {
            for b in rest {
                self.cut(*a, *b);
            }
        }
    }

    pub fn heal(&self) {
        self.cuts.send_modify(Cuts::clear);
    }
}

/// One connection, from its first frame to its end.
async fn carry(mut caller: TcpStream, to: u64, port: u16, cuts: watch::Receiver<Cuts>) -> Option<()> {
    let mut first = BytesMut::new();
    let from = loop {
        match wire::next_frame(&mut first.clone()) {
            Ok(Some((Kind::Hello, payload))) => break wire::value::<Hello>(&payload).ok()?.from.node.0,
            // Of a node that belongs to no cluster yet: no cut is about it.
            Ok(Some((Kind::Question, _))) => break 0,
            _ => {}
        }
        if caller.read_buf(&mut first).await.ok()? == 0 {
            return None;
        }
    };
    open(&mut cuts.clone(), (from, to)).await?;
    let mut called = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    caller.set_nodelay(true).ok()?;
    called.set_nodelay(true).ok()?;
    called.write_all(&first).await.ok()?;
    let (caller_in, caller_out) = caller.into_split();
    let (called_in, called_out) = called.into_split();
    tokio::select! {
        _ = pump(caller_in, called_out, (from, to), cuts.clone()) => {}
        _ = pump(called_in, caller_out, (to, from), cuts.clone()) => {}
    }
    Some(())
}

async fn pump(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    pair: (u64, u64),
    mut cuts: watch::Receiver<Cuts>,
) -> Option<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let n = from.read(&mut buffer).await.ok()?;
        if n == 0 {
            return None;
        }
        open(&mut cuts, pair).await?;
        to.write_all(&buffer[..n]).await.ok()?;
    }
}

/// Waits until this direction is not cut.
async fn open(cuts: &mut watch::Receiver<Cuts>, pair: (u64, u64)) -> Option<()> {
    cuts.wait_for(|cuts| !cuts.contains(&pair)).await.ok().map(|_| ())
}
