//! The network between a demo's nodes, as one that can be cut and be slow: every node is reached through a relay of the demo's.
//!
//! Who calls says in the first frame of the peer protocol where it is reached itself: at another relay, which is what a node
//! is named by here. So a node that lost its disk and came back under another id is still the same place. A cut is silent, as a
//! real one is: connections stay open, and nothing comes through until it is healed. A process that is gone is not silent, and
//! its machine refuses connections in its name: so does its relay, or the others would not learn of it at once.

use crate::transport::wire::{self, Hello, Kind};
use bytes::BytesMut;
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// How much later everything arrives that comes from a slow node, or goes to it.
pub const DELAY: Duration = Duration::from_millis(100);
/// How often a relay looks whether its node is there again.
const LOOK: Duration = Duration::from_millis(10);
/// Chunks on the way in one direction of a connection.
const ON_THE_WAY: usize = 256;

/// What is wrong with the network. Nodes are named by the ports of their relays.
#[derive(Clone, Debug, Default)]
struct Harm {
    /// They hear nobody, and nobody hears them.
    cut: BTreeSet<u16>,
    slow: BTreeSet<u16>,
}

impl Harm {
    fn passes(&self, ends: [u16; 2]) -> bool {
        !ends.iter().any(|end| self.cut.contains(end))
    }

    fn delay(&self, ends: [u16; 2]) -> Duration {
        DELAY * ends.iter().filter(|end| self.slow.contains(end)).count() as u32
    }
}

/// The links of all nodes.
#[derive(Clone)]
pub struct Links(Arc<watch::Sender<Harm>>);

impl Links {
    pub fn new() -> Links {
        Links(Arc::new(watch::Sender::new(Harm::default())))
    }

    pub fn cut(&self, node: u16) {
        self.0.send_modify(|harm| _ = harm.cut.insert(node));
    }

    pub fn slow(&self, node: u16) {
        self.0.send_modify(|harm| _ = harm.slow.insert(node));
    }

    /// Takes both back.
    pub fn heal(&self, node: u16) {
        self.0.send_modify(|harm| _ = (harm.cut.remove(&node), harm.slow.remove(&node)));
    }

    pub fn is_cut(&self, node: u16) -> bool {
        self.0.borrow().cut.contains(&node)
    }

    pub fn is_slow(&self, node: u16) -> bool {
        self.0.borrow().slow.contains(&node)
    }

    /// Carries what comes to `listener` to the node whose own port is `port`, and refuses when that does.
    pub async fn relay(self, mut listener: TcpListener, port: u16) {
        let Ok(front) = listener.local_addr() else { return };
        let (gone, mut told) = mpsc::channel(64);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((caller, _)) => drop(tokio::spawn(carry(caller, front.port(), port, self.0.subscribe(), gone.clone()))),
                    Err(_) => sleep(LOOK).await,
                },
                Some(asks) = told.recv() => {
                    if listens(port).await {
                        continue;
                    }
                    // Before the connections end: whoever connects again at once is refused.
                    drop(listener);
                    drop(asks);
                    listener = again(front, port, &mut told).await;
                }
            }
        }
    }
}

/// Somebody who has lost a node asks whether it is gone; the answer is that this is dropped.
type Asks = oneshot::Sender<()>;

async fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).await.is_ok()
}

/// Waits until the node is there again.
async fn again(front: SocketAddr, port: u16, told: &mut mpsc::Receiver<Asks>) -> TcpListener {
    loop {
        tokio::select! {
            asks = told.recv() => drop(asks),
            () = sleep(LOOK) => if listens(port).await && let Ok(listener) = TcpListener::bind(front).await {
                return listener;
            },
        }
    }
}

async fn carry(mut caller: TcpStream, to: u16, port: u16, harm: watch::Receiver<Harm>, gone: mpsc::Sender<Asks>) {
    let mut first = BytesMut::new();
    let from = loop {
        match wire::next_frame(&mut first.clone()) {
            Ok(Some((Kind::Hello, hello))) => {
                let address = wire::value_and_more::<Hello>(&hello).ok().and_then(|hello| hello.address.parse().ok());
                break address.map_or(0, |address: SocketAddr| address.port());
            }
            // Of a node that belongs to no cluster yet.
            Ok(Some(_)) => break 0,
            Ok(None) if caller.read_buf(&mut first).await.is_ok_and(|read| read > 0) => {}
            Ok(None) | Err(_) => return,
        }
    };
    let ends = [from, to];
    passes(&mut harm.clone(), ends).await;
    if converse(&mut caller, port, &first, ends, &harm).await.is_err() {
        // What a cut hides, it hides until it is healed.
        passes(&mut harm.clone(), ends).await;
        let (asks, answer) = oneshot::channel();
        if gone.send(asks).await.is_ok() {
            let _ = answer.await;
        }
    }
}

/// Until one side hangs up: an error if it is the node.
async fn converse(
    caller: &mut TcpStream,
    port: u16,
    first: &[u8],
    ends: [u16; 2],
    harm: &watch::Receiver<Harm>,
) -> io::Result<()> {
    let mut called = TcpStream::connect(("127.0.0.1", port)).await?;
    caller.set_nodelay(true)?;
    called.set_nodelay(true)?;
    let delay = harm.borrow().delay(ends);
    sleep(delay).await;
    called.write_all(first).await?;
    // Borrowed halves: nobody is told of an end before `carry` is through.
    let ((mut caller_in, mut caller_out), (mut called_in, mut called_out)) = (caller.split(), called.split());
    tokio::select! {
        ended = pump(&mut caller_in, &mut called_out, ends, harm) => ended,
        ended = pump(&mut called_in, &mut caller_out, ends, harm) => ended.and(Err(io::ErrorKind::UnexpectedEof.into())),
    }
}

/// One direction. What is on its way when a link becomes slow, or fast again, keeps its order.
async fn pump(
    source: &mut (impl AsyncRead + Unpin),
    sink: &mut (impl AsyncWrite + Unpin),
    ends: [u16; 2],
    harm: &watch::Receiver<Harm>,
) -> io::Result<()> {
    let (queue, mut queued) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let (reads, mut writes) = (harm.clone(), harm.clone());
    let read = async move {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = source.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            let due = Instant::now() + reads.borrow().delay(ends);
            if queue.send((due, buffer[..read].to_vec())).await.is_err() {
                return Ok(());
            }
        }
    };
    let write = async move {
        while let Some((due, bytes)) = queued.recv().await {
            if due > Instant::now() {
                sleep_until(due).await;
            }
            passes(&mut writes, ends).await;
            sink.write_all(&bytes).await?;
        }
        Ok(())
    };
    tokio::try_join!(read, write).map(|((), ())| ())
}

async fn passes(harm: &mut watch::Receiver<Harm>, ends: [u16; 2]) {
    let _ = harm.wait_for(|harm| harm.passes(ends)).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;
    use tokio::time::timeout;

    /// One that says everything again.
    async fn echo() -> (u16, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let mut all = tokio::task::JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                all.spawn(async move {
                    let (mut input, mut output) = stream.split();
                    tokio::io::copy(&mut input, &mut output).await
                });
            }
        });
        (port, task)
    }

    /// Says hello as one that is reached at `from`, and reads the echo of it.
    async fn call(front: u16, from: u16) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(("127.0.0.1", front)).await?;
        let identity = wire::PeerIdentity { cluster: 1, node: NodeId(1), incarnation: 1 };
        let hello = Hello {
            magic: wire::MAGIC,
            version: 1,
            oldest: 1,
            lane: wire::Lane::Control,
            from: identity,
            to: NodeId(2),
            to_incarnation: 2,
            address: format!("127.0.0.1:{from}"),
        };
        let mut bytes = Vec::new();
        wire::frame_value(&mut bytes, Kind::Hello, &hello);
        stream.write_all(&bytes).await?;
        stream.read_exact(&mut bytes).await?;
        Ok(stream)
    }

    async fn round(stream: &mut TcpStream) -> io::Result<Duration> {
        let begun = Instant::now();
        stream.write_all(b"x").await?;
        stream.read_exact(&mut [0]).await?;
        Ok(begun.elapsed())
    }

    #[tokio::test]
    async fn links_are_slow_cut_and_healed_and_refuse_for_the_dead() {
        let (port, node) = echo().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let front = listener.local_addr().unwrap().port();
        let links = Links::new();
        let relay = tokio::spawn(links.clone().relay(listener, port));
        let (caller, other) = (1, 2);
        let mut stream = call(front, caller).await.unwrap();
        let mut others = call(front, other).await.unwrap();

        // Of the one that calls: there and back, and only its own.
        links.slow(caller);
        assert!(round(&mut stream).await.unwrap() >= 2 * DELAY);
        assert!(round(&mut others).await.unwrap() < 2 * DELAY);
        links.slow(front);
        assert!(round(&mut stream).await.unwrap() >= 4 * DELAY, "both ends are slow");
        links.heal(front);
        links.heal(caller);
        assert!(round(&mut stream).await.unwrap() < 2 * DELAY);

        // Silent, and what was said arrives later.
        links.cut(caller);
        stream.write_all(b"late").await.unwrap();
        let mut late = [0; 4];
        assert!(timeout(DELAY, stream.read_exact(&mut late)).await.is_err());
        round(&mut others).await.unwrap();
        links.heal(caller);
        stream.read_exact(&mut late).await.unwrap();
        assert_eq!(&late, b"late");

        // The dead: connections end, and by then new ones are refused.
        node.abort();
        let _ = node.await;
        assert_eq!(stream.read(&mut late).await.unwrap_or(0), 0);
        let refused = TcpStream::connect(("127.0.0.1", front)).await.map_err(|error| error.kind()).err();
        assert_eq!(refused, Some(io::ErrorKind::ConnectionRefused));
        relay.abort();
    }
}
