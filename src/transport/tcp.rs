//! TCP between nodes.
//!
//! Each node dials its own connections to each peer, one per [`Lane`]; on the other side they are only read, except
//! that requests are answered on the connection they came on. Connections are redialled for ever, with a back-off
//! that ends when the peer dials: a node that has just started is reached both ways at once, or the next election
//! would lack its vote.
//!
//! A sender encodes into the lane's buffer and writes it to the socket itself, on its own thread: in the common case
//! a message costs one system call and no wake-up of another thread. Only what the socket does not take is left to
//! the lane's task.
//!
//! When the control connection closes and dialling again is *refused*, the peer's process is gone, and
//! [`Inbound::peer_down`] says so within a millisecond or two. Silence is not noticed here; Raft's timeouts do that.
//! Connections whose data is not acknowledged for [`STALLED`] are closed, so that a healed network is used at once
//! instead of after TCP's own patience.
//!
//! A node that belongs to no cluster yet speaks here too: it asks ([`ask`]) and is asked ([`lobby`]), one question on a
//! connection. What is in the question is the caller's business.
//!
//! With [`NetworkConfig::keys`], every connection is encrypted, and both sides have a certificate of this cluster
//! ([`super::channel`]). Without, whoever reaches the port is believed: it must be one that only this machine reaches.
//!
//! Left out: limits on the rate of snapshots.

use super::channel::{Reader, Waiting, Writer, accepted, dialled};
use super::wire::{self, Hello, Kind, Lane, MAGIC, PeerIdentity, Welcome};
use super::{Beat, CallError, Envelope, Inbound, Service, SnapshotDone, Transport};
use crate::consensus::SnapshotMeta;
use crate::consensus::form::snapshot_meta;
use crate::id::NodeId;
use crate::pki::{Keys, NodeName};
use crate::version::PEERS;
use bytes::{Buf, Bytes, BytesMut};
use parking_lot::Mutex;
use raft::eraftpb::MessageType;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{TcpStream as BlockingStream, ToSocketAddrs};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio_util::sync::CancellationToken;
use xxhash_rust::xxh3::Xxh3;

/// A connection whose data is not acknowledged for this long is closed.
pub const STALLED: Duration = Duration::from_secs(5);
/// A peer that has not been reached for this long is as good as gone.
const LOST: Duration = Duration::from_secs(10);
/// Time for connecting and for each step of the handshake.
const PATIENCE: Duration = Duration::from_secs(3);
/// Time without progress after which a snapshot's transfer fails.
const SNAPSHOT_PATIENCE: Duration = Duration::from_secs(30);
const SNAPSHOT_PART: usize = 256 << 10;
/// What may wait for a socket, in bytes; above it, messages are dropped.
const MAX_BACKLOG: usize = 64 << 20;
const FIRST_BACKOFF: Duration = Duration::from_millis(10);
const MAX_BACKOFF: Duration = Duration::from_secs(1);

/// Says whether a node may talk to this one, or why not. The second argument: it knows this node's incarnation, which
/// only the cluster can have told it. The third: the name in its certificate.
pub type Admission = Box<dyn Fn(&PeerIdentity, bool, Option<&NodeName>) -> Result<(), Refusal> + Send + Sync>;

/// Why a node may not talk to this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not known, or is not who it says.
    Stranger(String),
    /// The cluster has removed it.
    Removed(String),
}

/// Answers the question of a node that belongs to no cluster.
pub type Clerk = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

/// Connections that have not said who they are, at a time.
const HALF_OPEN: usize = 256;

pub struct NetworkConfig {
    pub identity: PeerIdentity,
    /// Where others reach this node.
    pub address: String,
    /// Where arriving snapshots are written; created if need be. Files found there at start are deleted.
    pub incoming: PathBuf,
    /// Asked after cluster and addressee were found right, and again whenever [`Network::reconsider`] is called.
    pub admission: Admission,
    pub clerk: Clerk,
    /// What encrypts connections and says who is at their ends.
    pub keys: Option<Arc<Keys>>,
    /// Called when a peer says that the cluster has removed this node.
    pub dismissed: Box<dyn Fn(String) + Send + Sync>,
}

/// The connections to all peers. Clones share them.
#[derive(Clone)]
pub struct Network {
    inner: Arc<Inner>,
}

struct Inner {
    identity: PeerIdentity,
    address: String,
    incoming: PathBuf,
    admission: Admission,
    clerk: Clerk,
    keys: Option<Arc<Keys>>,
    dismissed: Box<dyn Fn(String) + Send + Sync>,
    half_open: Arc<Semaphore>,
    /// How many peers were refused.
    refused: AtomicU64,
    /// Changes when accepted peers are to be judged again.
    reconsider: watch::Sender<u64>,
    runtime: Handle,
    peers: Mutex<BTreeMap<NodeId, Arc<Peer>>>,
    inbound: OnceLock<Arc<dyn Inbound>>,
    service: OnceLock<Arc<dyn Service>>,
    gone: watch::Sender<BTreeSet<NodeId>>,
    /// When something last came from each node.
    heard: Mutex<BTreeMap<NodeId, Instant>>,
    closed: CancellationToken,
}

struct Peer {
    node: NodeId,
    incarnation: u64,
    address: String,
    control: Arc<Link>,
    bulk: Arc<Link>,
    rpc: Arc<Link>,
    calls: Mutex<HashMap<u64, oneshot::Sender<Result<Bytes, CallError>>>>,
    next_call: AtomicU64,
    closed: CancellationToken,
}

impl Network {
    /// Knows nobody and listens nowhere yet.
    pub fn new(config: NetworkConfig, runtime: Handle) -> io::Result<Network> {
        std::fs::create_dir_all(&config.incoming)?;
        for file in std::fs::read_dir(&config.incoming)? {
            std::fs::remove_file(file?.path())?;
        }
        let inner = Inner {
            identity: config.identity,
            address: config.address,
            incoming: config.incoming,
            admission: config.admission,
            clerk: config.clerk,
            keys: config.keys,
            dismissed: config.dismissed,
            half_open: Arc::new(Semaphore::new(HALF_OPEN)),
            refused: AtomicU64::new(0),
            reconsider: watch::Sender::new(0),
            runtime,
            peers: Mutex::default(),
            inbound: OnceLock::new(),
            service: OnceLock::new(),
            gone: watch::Sender::default(),
            heard: Mutex::default(),
            closed: CancellationToken::new(),
        };
        Ok(Network { inner: Arc::new(inner) })
    }

    /// Begins to accept peers. To be called once.
    pub fn serve(&self, listener: TcpListener, inbound: Arc<dyn Inbound>, service: Arc<dyn Service>) {
        let _ = self.inner.inbound.set(inbound);
        let _ = self.inner.service.set(service);
        let inner = self.inner.clone();
        self.inner.spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        // Too many of them: this one is closed.
                        let Ok(half_open) = inner.half_open.clone().try_acquire_owned() else { continue };
                        let inner = inner.clone();
                        inner.clone().spawn(async move { inner.receive(stream, half_open).await });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "accepting a peer failed");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        });
    }

    /// Connects to a node at `address` (host:port) from now on; replaces an earlier address.
    pub fn set_peer(&self, node: NodeId, incarnation: u64, address: impl Into<String>) {
        let address = address.into();
        let mut peers = self.inner.peers.lock();
        let same = |p: &Arc<Peer>| p.address == address && p.incarnation == incarnation;
        if node == self.inner.identity.node || peers.get(&node).is_some_and(same) {
            return;
        }
        let peer = Arc::new(Peer {
            node,
            incarnation,
            address,
            control: Arc::default(),
            bulk: Arc::default(),
            rpc: Arc::default(),
            calls: Mutex::default(),
            next_call: AtomicU64::new(0),
            closed: self.inner.closed.child_token(),
        });
        for lane in [Lane::Control, Lane::Bulk, Lane::Rpc] {
            let (inner, peer) = (self.inner.clone(), peer.clone());
            self.inner.runtime.spawn(async move {
                let closed = peer.closed.clone();
                closed.run_until_cancelled(inner.dial(peer, lane)).await;
            });
        }
        if let Some(old) = peers.insert(node, peer) {
            old.close();
        }
    }

    pub fn remove_peer(&self, node: NodeId) {
        if let Some(peer) = self.inner.peers.lock().remove(&node) {
            peer.close();
        }
    }

    /// Nodes whose processes are gone, or that have not been reached for [`LOST`].
    pub fn gone(&self) -> watch::Receiver<BTreeSet<NodeId>> {
        self.inner.gone.subscribe()
    }

    /// For how long nothing has come from a node; zero if nothing ever has.
    pub fn silence(&self, node: NodeId) -> Duration {
        self.inner.heard.lock().get(&node).map_or(Duration::ZERO, Instant::elapsed)
    }

    /// Closes what has been accepted of peers that would not be accepted now.
    pub fn reconsider(&self) {
        self.inner.reconsider.send_modify(|n| *n += 1);
    }

    /// Nodes with a live control connection.
    pub fn connected(&self) -> Vec<NodeId> {
        let peers = self.inner.peers.lock();
        peers.values().filter(|p| p.control.is_up()).map(|p| p.node).collect()
    }

    /// Sends a request to a node and waits for the answer.
    pub async fn call(&self, node: NodeId, request: Bytes, deadline: Instant) -> Result<Bytes, CallError> {
        let peer = self.inner.peers.lock().get(&node).cloned();
        let peer = peer.ok_or_else(|| CallError::Refused(format!("unknown node {node}")))?;
        if request.len() > wire::MAX_FRAME - 16 {
            return Err(CallError::Refused(format!("request of {} bytes is too large", request.len())));
        }
        let id = peer.next_call.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        peer.calls.lock().insert(id, reply);
        let _forget = Forget(&peer, id);
        let sent = peer.rpc.send(|out| {
            wire::frame(out, Kind::Request, |out| {
                out.extend_from_slice(&id.to_le_bytes());
                out.extend_from_slice(&request);
            });
        });
        if !sent {
            return Err(CallError::Refused(format!("no connection to {node}")));
        }
        match tokio::time::timeout_at(deadline.into(), answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(CallError::ConnectionLost(node)),
            Err(_) => Err(CallError::TimedOut(node)),
        }
    }

    /// Closes all connections and stops listening.
    pub fn close(&self) {
        self.inner.closed.cancel();
        for peer in std::mem::take(&mut *self.inner.peers.lock()).into_values() {
            peer.close();
        }
    }
}

/// Takes a call off the list when its caller gives up.
struct Forget<'a>(&'a Peer, u64);

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.0.calls.lock().remove(&self.1);
    }
}

impl Peer {
    fn link(&self, lane: Lane) -> &Arc<Link> {
        match lane {
            Lane::Control => &self.control,
            Lane::Bulk => &self.bulk,
            Lane::Rpc | Lane::Snapshot => &self.rpc,
        }
    }

    fn close(&self) {
        self.closed.cancel();
        for link in [&self.control, &self.bulk, &self.rpc] {
            link.down();
        }
        self.calls.lock().clear();
    }
}

impl Transport for Network {
    fn send(&self, to: NodeId, messages: Vec<Envelope>) {
        let Some(peer) = self.inner.peers.lock().get(&to).cloned() else { return };
        let (bulk, control): (Vec<_>, Vec<_>) =
            messages.into_iter().partition(|e| e.message.get_msg_type() == MessageType::MsgAppend);
        // A failure is reported once per call, after all was tried.
        let sent = [(&peer.control, control), (&peer.bulk, bulk)].map(|(link, messages)| send_all(link, &messages));
        if sent.contains(&false) {
            self.inner.tell(|inbound| inbound.unreachable(to));
        }
    }

    fn beat(&self, to: NodeId, beat: &Beat) {
        let peer = self.inner.peers.lock().get(&to).cloned();
        if let Some(peer) = peer {
            // One that waits for the socket would tell of a time that is over.
            peer.control.send_now(|out| wire::frame_value(out, Kind::Beat, beat));
        }
    }

    fn send_snapshot(&self, to: NodeId, envelope: Envelope, file: &Path, meta: &SnapshotMeta, done: SnapshotDone) {
        let peer = self.inner.peers.lock().get(&to).cloned();
        // Opened here: the file may be deleted while it is sent.
        let (Some(peer), Ok(file)) = (peer, File::open(file)) else { return done(false) };
        let hello = self.inner.hello(Lane::Snapshot, &peer);
        let address = peer.address.clone();
        let length = meta.length;
        let keys = self.inner.keys.clone();
        let thread = std::thread::Builder::new().name(format!("send-{to}"));
        let (answer, unsent) = (Arc::new(Mutex::new(Some(done))), envelope.group);
        let late = answer.clone();
        let spawned = thread.spawn(move || {
            let result = stream_snapshot(&address, keys.as_deref(), &hello, &envelope, file, length);
            if let Err(error) = &result {
                tracing::warn!(%to, group = %unsent, %error, "sending a snapshot failed");
            }
            if let Some(done) = answer.lock().take() {
                done(result.is_ok());
            }
        });
        if spawned.is_err()
            && let Some(done) = late.lock().take()
        {
            done(false);
        }
    }
}

/// One frame per few MiB; all of them in one write if the socket takes it.
fn send_all(link: &Link, messages: &[Envelope]) -> bool {
    const FRAME: usize = 4 << 20;
    if messages.is_empty() {
        return true;
    }
    link.send(|out| {
        let mut rest = messages;
        while !rest.is_empty() {
            let mut bytes = 0;
            let more = rest.iter().take_while(|m| {
                bytes += wire::weight(m);
                bytes <= FRAME
            });
            let (now, later) = rest.split_at(more.count().max(1));
            wire::encode_messages(out, now.iter());
            rest = later;
        }
    })
}

// --- a lane's connection --------------------------------------------------------------------------------------------

/// The sending side of a connection that comes and goes.
#[derive(Default)]
struct Link {
    state: Mutex<LinkState>,
    /// Something is left for the lane's task to write.
    wake: Notify,
    /// The peer lives: whoever dials need not wait any longer.
    redial: Notify,
}

#[derive(Default)]
struct LinkState {
    writer: Option<Writer>,
    /// As it goes to the socket.
    backlog: Vec<u8>,
    written: usize,
}

impl LinkState {
    /// Writes as much as the socket takes; true when nothing is left. An error shows on the reading side as well.
    fn flush(&mut self) -> bool {
        let Some(writer) = &self.writer else { return true };
        while self.written < self.backlog.len() {
            match writer.try_write(&self.backlog[self.written..]) {
                Ok(n) if n > 0 => self.written += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return false,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => {
                    self.writer = None;
                    break;
                }
            }
        }
        self.backlog.clear();
        self.written = 0;
        if self.backlog.capacity() > 1 << 20 {
            self.backlog.shrink_to(64 << 10);
        }
        true
    }
}

impl Link {
    /// False when there is no connection, or too much waits for it.
    fn send(&self, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut state = self.state.lock();
        let LinkState { writer: Some(writer), backlog, written } = &mut *state else { return false };
        if backlog.len() - *written > MAX_BACKLOG {
            return false;
        }
        let idle = backlog.is_empty();
        writer.seal(backlog, write);
        if !(idle && state.flush()) {
            drop(state);
            self.wake.notify_one();
        }
        true
    }

    /// Sends if nothing else waits.
    fn send_now(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state.lock();
        if let LinkState { writer: Some(writer), backlog, .. } = &mut *state
            && backlog.is_empty()
        {
            writer.seal(backlog, write);
            if !state.flush() {
                drop(state);
                self.wake.notify_one();
            }
        }
    }

    fn is_up(&self) -> bool {
        self.state.lock().writer.is_some()
    }

    fn up(&self, writer: Writer) {
        *self.state.lock() = LinkState { writer: Some(writer), ..LinkState::default() };
    }

    fn down(&self) {
        *self.state.lock() = LinkState::default();
    }

    /// Writes what senders left, until the connection ends.
    async fn drain(&self, writer: &Writer) -> io::Result<()> {
        loop {
            self.wake.notified().await;
            while !self.state.lock().flush() {
                writer.writable().await?;
            }
        }
    }
}

// --- dialling -------------------------------------------------------------------------------------------------------

impl Inner {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let closed = self.closed.clone();
        self.runtime.spawn(async move {
            closed.run_until_cancelled(task).await;
        });
    }

    fn tell(&self, f: impl FnOnce(&dyn Inbound)) {
        if let Some(inbound) = self.inbound.get() {
            f(inbound.as_ref());
        }
    }

    fn hello(&self, lane: Lane, to: &Peer) -> Hello {
        let from = self.identity.clone();
        let (to, to_incarnation, address) = (to.node, to.incarnation, self.address.clone());
        let (version, oldest) = (PEERS.latest, PEERS.oldest);
        Hello { magic: MAGIC, version, oldest, lane, from, to, to_incarnation, address }
    }

    fn note_gone(&self, node: NodeId, gone: bool) {
        self.gone.send_if_modified(|nodes| if gone { nodes.insert(node) } else { nodes.remove(&node) });
    }

    /// Keeps one lane to one peer connected.
    async fn dial(self: Arc<Self>, peer: Arc<Peer>, lane: Lane) {
        let link = peer.link(lane).clone();
        let (mut was_up, mut hasty, mut backoff, mut complained) = (false, 0, FIRST_BACKOFF, false);
        let mut since = Instant::now();
        loop {
            match self.connect(&peer, lane).await {
                Ok((reader, input, writer)) => {
                    (was_up, hasty, backoff, complained) = (true, 3, FIRST_BACKOFF, false);
                    let began = Instant::now();
                    if lane == Lane::Control {
                        self.note_gone(peer.node, false);
                    }
                    link.up(writer.clone());
                    let error = tokio::select! {
                        e = read_answers(reader, input, &peer) => e,
                        e = link.drain(&writer) => e.err(),
                    };
                    link.down();
                    since = Instant::now();
                    drop(writer);
                    if lane == Lane::Rpc {
                        peer.calls.lock().clear();
                    }
                    tracing::debug!(peer = %peer.node, ?lane, ?error, "connection lost");
                    self.tell(|inbound| inbound.unreachable(peer.node));
                    if began.elapsed() < Duration::from_millis(100) {
                        // A peer that accepts and closes again must not keep us busy.
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    continue;
                }
                Err(error) => {
                    let refused = error.kind() == ErrorKind::ConnectionRefused;
                    if lane == Lane::Control && (refused || since.elapsed() > LOST) {
                        self.note_gone(peer.node, true);
                    }
                    if refused && was_up {
                        was_up = false;
                        hasty = 0;
                        if lane == Lane::Control {
                            tracing::info!(peer = %peer.node, "the peer's process is gone");
                            self.tell(|inbound| inbound.peer_down(peer.node));
                        }
                    }
                    if lane == Lane::Control && !std::mem::replace(&mut complained, true) {
                        tracing::info!(peer = %peer.node, address = peer.address, %error, "cannot connect");
                    }
                }
            }
            // Right after a loss: a process that is dying may still have accepted.
            if hasty > 0 {
                hasty -= 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            }
            let pause = backoff.mul_f64(rand::random_range(0.5..1.0));
            backoff = match tokio::time::timeout(pause, link.redial.notified()).await {
                Ok(()) => FIRST_BACKOFF,
                Err(_) => (backoff * 2).min(MAX_BACKOFF),
            };
        }
    }

    async fn connect(&self, peer: &Peer, lane: Lane) -> io::Result<(Reader, BytesMut, Writer)> {
        let steps = async {
            let stream = TcpStream::connect(&peer.address).await?;
            prepare(&stream)?;
            let (mut reader, writer, name) = dialled(stream, self.keys.as_deref()).await?;
            let mut bytes = Vec::new();
            let hello = self.hello(lane, peer);
            wire::frame_value(&mut bytes, Kind::Hello, &hello);
            writer.write_whole(&bytes).await?;
            let mut input = BytesMut::new();
            let (kind, payload) = read_frame(&mut reader, &mut input).await?.ok_or(ErrorKind::UnexpectedEof)?;
            let who = match check_welcome(kind, &payload, &hello)? {
                Verdict::Welcome(who) => who,
                Verdict::Removed(who, why) => {
                    // Only a member's word counts.
                    if (self.admission)(&who, false, name.as_ref()).is_ok() {
                        (self.dismissed)(why.clone());
                    }
                    return Err(io::Error::new(ErrorKind::PermissionDenied, why));
                }
            };
            // Who answers at a member's address need not be that member.
            (self.admission)(&who, false, name.as_ref()).map_err(|refusal| match refusal {
                Refusal::Stranger(why) | Refusal::Removed(why) => io::Error::new(ErrorKind::PermissionDenied, why),
            })?;
            Ok((reader, input, writer))
        };
        tokio::time::timeout(PATIENCE, steps).await.map_err(|_| io::Error::from(ErrorKind::TimedOut))?
    }
}

fn invalid(text: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, text.into())
}

enum Verdict {
    Welcome(PeerIdentity),
    Removed(PeerIdentity, String),
}

fn check_welcome(kind: Kind, payload: &[u8], hello: &Hello) -> io::Result<Verdict> {
    let welcome = (kind == Kind::Welcome).then(|| wire::value_and_more::<Welcome>(payload));
    let right = |who: &PeerIdentity| who.node == hello.to && who.cluster == hello.from.cluster;
    match welcome {
        Some(Ok(Welcome::Accepted(who, version))) if right(&who) => match PEERS.check(version) {
            Ok(()) => Ok(Verdict::Welcome(who)),
            Err(unknown) => Err(io::Error::new(ErrorKind::PermissionDenied, unknown.to_string())),
        },
        Some(Ok(Welcome::Removed(who, why))) if right(&who) => Ok(Verdict::Removed(who, why)),
        Some(Ok(Welcome::Accepted(who, _) | Welcome::Removed(who, _))) => {
            Err(invalid(format!("this is {}, not {}", who.node, hello.to)))
        }
        Some(Ok(Welcome::Refused(reason))) => Err(io::Error::new(ErrorKind::PermissionDenied, reason)),
        _ => Err(invalid("not a Quorate peer")),
    }
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    set_stalled(stream.as_raw_fd())
}

/// TCP_USER_TIMEOUT, in ms.
fn set_stalled(socket: i32) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let millis = STALLED.as_millis() as libc::c_uint;
        let size = std::mem::size_of_val(&millis) as libc::socklen_t;
        // SAFETY: an open socket, and a pointer to `size` bytes that live over the call.
        let result = unsafe {
            libc::setsockopt(socket, libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, (&raw const millis).cast(), size)
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    let _ = socket;
    Ok(())
}

/// The next frame; `None` at the end of the stream.
async fn read_frame(reader: &mut Reader, input: &mut BytesMut) -> io::Result<Option<(Kind, Bytes)>> {
    loop {
        if let Some(frame) = wire::next_frame(input).map_err(|e| invalid(e.to_string()))? {
            return Ok(Some(frame));
        }
        input.reserve(16 << 10);
        if reader.read_buf(input).await? == 0 {
            return Ok(None);
        }
    }
}

/// The first frame of somebody who has yet to say who he is: soon, and short.
async fn first_frame(reader: &mut Reader, input: &mut BytesMut) -> io::Result<(Kind, Bytes)> {
    let steps = async {
        loop {
            if let Some(frame) =
                wire::next_frame_within(input, wire::MAX_FIRST_FRAME).map_err(|e| invalid(e.to_string()))?
            {
                return Ok(frame);
            }
            if reader.read_buf(input).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    };
    tokio::time::timeout(PATIENCE, steps).await?
}

async fn reply(writer: &Writer, clerk: &Clerk, question: &[u8]) -> io::Result<()> {
    let mut bytes = Vec::new();
    wire::frame(&mut bytes, Kind::Answer, |out| out.extend_from_slice(&clerk(question)));
    tokio::time::timeout(PATIENCE, writer.write_whole(&bytes)).await?
}

/// Asks the node at `address`, which may belong to a cluster or not, a question.
pub async fn ask(address: &str, question: &[u8], keys: Option<&Keys>) -> io::Result<Bytes> {
    let steps = async {
        let stream = TcpStream::connect(address).await?;
        prepare(&stream)?;
        let (mut reader, writer, _) = dialled(stream, keys).await?;
        let mut bytes = Vec::new();
        wire::frame(&mut bytes, Kind::Question, |out| out.extend_from_slice(question));
        writer.write_whole(&bytes).await?;
        match first_frame(&mut reader, &mut BytesMut::new()).await? {
            (Kind::Answer, answer) => Ok(answer),
            _ => Err(invalid("not an answer")),
        }
    };
    tokio::time::timeout(PATIENCE, steps).await?
}

/// The peer port of a node that belongs to no cluster yet: answers questions and nothing else, for ever.
pub async fn lobby(listener: &TcpListener, clerk: Clerk, keys: Option<Arc<Keys>>) {
    let half_open = Arc::new(Semaphore::new(HALF_OPEN));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(permit) = half_open.clone().try_acquire_owned() else { continue };
        let (clerk, keys) = (clerk.clone(), keys.clone());
        tokio::spawn(async move {
            let _permit = permit;
            let shaken = tokio::time::timeout(PATIENCE, accepted(stream, keys.as_deref())).await;
            let Ok(Ok((mut reader, writer, _))) = shaken else { return };
            if let Ok((Kind::Question, question)) = first_frame(&mut reader, &mut BytesMut::new()).await {
                let _ = reply(&writer, &clerk, &question).await;
            }
        });
    }
}

/// Reads what a peer sends on a connection that we dialled: answers to our calls. Returns how it ended.
async fn read_answers(mut reader: Reader, mut input: BytesMut, peer: &Peer) -> Option<io::Error> {
    loop {
        match read_frame(&mut reader, &mut input).await {
            Ok(Some((Kind::Response, mut payload))) if payload.len() >= 9 => {
                let id = payload.get_u64_le();
                let status = payload.get_u8();
                let result = match status {
                    0 => Ok(payload),
                    // Executed, but the answer was too large to be sent.
                    _ => Err(CallError::ConnectionLost(peer.node)),
                };
                if let Some(reply) = peer.calls.lock().remove(&id) {
                    let _ = reply.send(result);
                }
            }
            Ok(Some((kind, _))) => return Some(invalid(format!("unexpected frame {kind:?}"))),
            Ok(None) => return None,
            Err(error) => return Some(error),
        }
    }
}

// --- accepting ------------------------------------------------------------------------------------------------------

impl Inner {
    async fn receive(self: Arc<Self>, stream: TcpStream, half_open: OwnedSemaphorePermit) {
        if let Err(error) = self.clone().converse(stream, half_open).await {
            tracing::debug!(%error, "a peer's connection ended");
        }
    }

    fn judge(&self, hello: &Hello, name: Option<&NodeName>) -> Result<(), Refusal> {
        let me = &self.identity;
        let stranger = |why: String| Err(Refusal::Stranger(why));
        if hello.magic != MAGIC {
            return stranger("not a Quorate peer".to_owned());
        }
        if PEERS.common(hello.oldest, hello.version).is_none() {
            let theirs = if hello.version < PEERS.oldest { hello.version } else { hello.oldest };
            let why = PEERS.check(theirs).expect_err("nothing is common");
            return stranger(why.to_string());
        }
        if hello.from.cluster != me.cluster {
            return stranger("this node belongs to another cluster".to_owned());
        }
        if hello.to != me.node {
            return stranger(format!("this is {}, not {}", me.node, hello.to));
        }
        if hello.from.node == me.node {
            return stranger("this node does not talk to itself".to_owned());
        }
        (self.admission)(&hello.from, hello.to_incarnation == me.incarnation, name)
    }

    async fn converse(self: Arc<Self>, stream: TcpStream, half_open: OwnedSemaphorePermit) -> io::Result<()> {
        prepare(&stream)?;
        let shaken = tokio::time::timeout(PATIENCE, accepted(stream, self.keys.as_deref())).await?;
        let (mut reader, writer, name) = shaken.inspect_err(|error| self.complain("a stranger", &error.to_string()))?;
        let mut input = BytesMut::new();
        let hello = match first_frame(&mut reader, &mut input).await? {
            (Kind::Question, question) => return reply(&writer, &self.clerk, &question).await,
            (Kind::Hello, payload) => wire::value_and_more::<Hello>(&payload).map_err(|e| invalid(e.to_string()))?,
            _ => return Err(invalid("no hello")),
        };
        let mut reconsider = self.reconsider.subscribe();
        let verdict = self.judge(&hello, name.as_ref());
        let welcome = match &verdict {
            Ok(()) => {
                let common = PEERS.common(hello.oldest, hello.version).expect("judged");
                Welcome::Accepted(self.identity.clone(), common)
            }
            Err(Refusal::Stranger(why)) => Welcome::Refused(why.clone()),
            Err(Refusal::Removed(why)) => Welcome::Removed(self.identity.clone(), why.clone()),
        };
        let mut bytes = Vec::new();
        wire::frame_value(&mut bytes, Kind::Welcome, &welcome);
        writer.write_whole(&bytes).await?;
        if let Err(Refusal::Stranger(why) | Refusal::Removed(why)) = verdict {
            self.complain(&hello.from.node.to_string(), &why);
            return Ok(());
        }
        drop(half_open);
        let from = hello.from.node;
        if !self.peers.lock().contains_key(&from) {
            // Vouched for by the cluster, which has changed while this node was away.
            Network { inner: self.clone() }.set_peer(from, hello.from.incarnation, hello.address.clone());
        }
        self.expect(from, hello.lane);
        let judge = self.clone();
        let unwanted = async {
            while reconsider.changed().await.is_ok() && judge.judge(&hello, name.as_ref()).is_ok() {}
            tracing::info!(%from, "this peer is not accepted any longer");
        };
        match hello.lane {
            Lane::Control | Lane::Bulk => tokio::select! {
                ended = self.read_messages(from, reader, input) => ended,
                () = unwanted => Ok(()),
            },
            Lane::Rpc => tokio::select! {
                ended = self.read_requests(from, reader, input, writer) => ended,
                () = unwanted => Ok(()),
            },
            Lane::Snapshot => {
                let stream = reader.into_blocking(writer)?;
                let received = tokio::task::spawn_blocking(move || self.read_snapshot(from, stream, input));
                received.await.map_err(|e| invalid(e.to_string()))?
            }
        }
    }

    /// Says that a peer was refused, but not each time: it tries again and again.
    fn complain(&self, from: &str, why: &str) {
        let count = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
        match count.is_power_of_two() {
            true => tracing::warn!(from, why, count, "refused a peer"),
            false => tracing::debug!(from, why, count, "refused a peer"),
        }
    }

    /// The peer has just dialled, so it can be dialled.
    fn expect(&self, node: NodeId, lane: Lane) {
        let peer = self.peers.lock().get(&node).cloned();
        if let Some(link) = peer.filter(|_| lane != Lane::Snapshot).map(|peer| peer.link(lane).clone())
            && !link.is_up()
        {
            link.redial.notify_one();
        }
    }

    async fn read_messages(&self, from: NodeId, mut reader: Reader, mut input: BytesMut) -> io::Result<()> {
        while let Some(frame) = read_frame(&mut reader, &mut input).await? {
            self.heard.lock().insert(from, Instant::now());
            let (mut messages, mut next) = (Vec::new(), Some(frame));
            // All that has arrived goes to the driver as one.
            while let Some((kind, payload)) = next {
                match kind {
                    Kind::Messages => {
                        messages.extend(wire::decode_messages(&payload).map_err(|e| invalid(e.to_string()))?);
                    }
                    Kind::Beat => {
                        let beat = wire::value(&payload).map_err(|e| invalid(e.to_string()))?;
                        self.tell(|inbound| inbound.beat(from, beat));
                    }
                    kind => return Err(invalid(format!("unexpected frame {kind:?}"))),
                }
                next = wire::next_frame(&mut input).map_err(|e| invalid(e.to_string()))?;
            }
            if !messages.is_empty() {
                self.tell(|inbound| inbound.messages(from, messages));
            }
        }
        Ok(())
    }

    async fn read_requests(
        &self,
        from: NodeId,
        mut reader: Reader,
        mut input: BytesMut,
        writer: Writer,
    ) -> io::Result<()> {
        let link = Arc::new(Link::default());
        link.up(writer.clone());
        let requests = async {
            while let Some((kind, mut payload)) = read_frame(&mut reader, &mut input).await? {
                if kind != Kind::Request || payload.len() < 8 {
                    return Err(invalid(format!("unexpected frame {kind:?}")));
                }
                let id = payload.get_u64_le();
                let Some(service) = self.service.get() else { continue };
                let (answer, link) = (service.handle(from, payload), link.clone());
                self.spawn(async move { send_answer(&link, id, &answer.await) });
            }
            Ok(())
        };
        let result = tokio::select! {
            r = requests => r,
            r = link.drain(&writer) => r,
        };
        link.down();
        result
    }

    fn read_snapshot(&self, from: NodeId, mut stream: Waiting, mut input: BytesMut) -> io::Result<()> {
        stream.socket().set_read_timeout(Some(SNAPSHOT_PATIENCE))?;
        stream.socket().set_write_timeout(Some(SNAPSHOT_PATIENCE))?;
        let file = self.incoming.join(format!("{from}-{:016x}.snapshot", rand::random::<u64>()));
        let result = take_snapshot(&mut stream, &mut input, &file);
        let mut bytes = Vec::new();
        wire::frame_value(&mut bytes, Kind::SnapshotEnd, &result.is_ok());
        match result {
            Ok(envelope) => {
                // The file is the driver's now.
                self.tell(|inbound| inbound.snapshot(from, envelope, file));
                stream.write_all(&bytes)?;
                stream.flush()
            }
            Err(error) => {
                let _ = std::fs::remove_file(&file);
                let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
                tracing::warn!(%from, %error, "receiving a snapshot failed");
                Err(error)
            }
        }
    }
}

fn send_answer(link: &Link, id: u64, answer: &[u8]) {
    let fits = answer.len() <= wire::MAX_FRAME - 16;
    if !fits {
        tracing::error!(bytes = answer.len(), "an answer is too large to be sent");
    }
    link.send(|out| {
        wire::frame(out, Kind::Response, |out| {
            out.extend_from_slice(&id.to_le_bytes());
            out.push(u8::from(!fits));
            if fits {
                out.extend_from_slice(answer);
            }
        });
    });
}

// --- snapshots, on threads of their own -----------------------------------------------------------------------------

fn next_frame_blocking(stream: &mut Waiting, input: &mut BytesMut) -> io::Result<(Kind, Bytes)> {
    let mut chunk = [0; 64 << 10];
    loop {
        if let Some(frame) = wire::next_frame(input).map_err(|e| invalid(e.to_string()))? {
            return Ok(frame);
        }
        match stream.read(&mut chunk)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            n => input.extend_from_slice(&chunk[..n]),
        }
    }
}

fn stream_snapshot(
    address: &str,
    keys: Option<&Keys>,
    hello: &Hello,
    envelope: &Envelope,
    mut file: File,
    length: u64,
) -> io::Result<()> {
    let address = address.to_socket_addrs()?.next().ok_or_else(|| invalid("no address"))?;
    let stream = BlockingStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    set_stalled(stream.as_raw_fd())?;
    stream.set_read_timeout(Some(SNAPSHOT_PATIENCE))?;
    stream.set_write_timeout(Some(SNAPSHOT_PATIENCE))?;
    let mut stream = Waiting::dialled(stream, keys)?;
    let mut bytes = Vec::new();
    wire::frame_value(&mut bytes, Kind::Hello, hello);
    stream.write_all(&bytes)?;
    let mut input = BytesMut::new();
    let (kind, payload) = next_frame_blocking(&mut stream, &mut input)?;
    if let Verdict::Removed(_, why) = check_welcome(kind, &payload, hello)? {
        return Err(io::Error::new(ErrorKind::PermissionDenied, why));
    }

    bytes.clear();
    wire::frame(&mut bytes, Kind::SnapshotHead, |out| wire::encode_messages(out, std::iter::once(envelope)));
    stream.write_all(&bytes)?;
    let (mut part, mut sent) = (vec![0; SNAPSHOT_PART], 0);
    while sent < length {
        let want = SNAPSHOT_PART.min(usize::try_from(length - sent).unwrap_or(usize::MAX));
        file.read_exact(&mut part[..want])?;
        bytes.clear();
        wire::frame(&mut bytes, Kind::SnapshotPart, |out| out.extend_from_slice(&part[..want]));
        stream.write_all(&bytes)?;
        sent += want as u64;
    }
    stream.flush()?;
    let (kind, payload) = next_frame_blocking(&mut stream, &mut input)?;
    match kind == Kind::SnapshotEnd && wire::value::<bool>(&payload) == Ok(true) {
        true => Ok(()),
        false => Err(invalid("the receiver rejected it")),
    }
}

/// Writes an arriving snapshot into `file` and verifies it.
fn take_snapshot(stream: &mut Waiting, input: &mut BytesMut, file: &Path) -> io::Result<Envelope> {
    let (kind, payload) = next_frame_blocking(stream, input)?;
    if kind != Kind::SnapshotHead {
        return Err(invalid(format!("unexpected frame {kind:?}")));
    }
    let mut head = BytesMut::from(&payload[..]);
    let Ok(Some((Kind::Messages, messages))) = wire::next_frame(&mut head) else { return Err(invalid("no message")) };
    let mut messages = wire::decode_messages(&messages).map_err(|e| invalid(e.to_string()))?;
    let envelope = messages.pop().ok_or_else(|| invalid("no message"))?;
    let meta = snapshot_meta(&envelope.message).ok_or_else(|| invalid("no snapshot in the message"))?;
    let mut out = File::create_new(file)?;
    let (mut hash, mut length) = (Xxh3::new(), 0);
    while length < meta.length {
        let (kind, part) = next_frame_blocking(stream, input)?;
        length += part.len() as u64;
        if kind != Kind::SnapshotPart || part.is_empty() || length > meta.length {
            return Err(invalid("snapshot has a wrong length"));
        }
        hash.update(&part);
        out.write_all(&part)?;
    }
    if hash.digest() != meta.checksum {
        return Err(invalid("snapshot has a wrong checksum"));
    }
    out.sync_all()?;
    Ok(envelope)
}
