//! The accept loop, and what happens to a connection before it has a session.

use super::cancel::{CancelRegistry, CancelRouter};
use super::connection::{Connection, Presence, StatementClock, shutting_down};
use super::encode;
use super::frame::violation;
use super::login::{Account, Everybody, Guard};
use super::socket::Socket;
use super::startup::{First, Hello, next_packet};
use super::workshop::Workshop;
use crate::access::Rules;
use crate::antechamber::{Antechamber, Guest};
use crate::clock::now_micros;
use crate::error::{SqlError, SqlResult, state};
use crate::gateway::{Control, Database};
use crate::rights;
use crate::session::language::{Language, PlanCache};
use crate::session::{Identity, Limits, Message, Session, Status};
use crate::sql::catalog::Object;
use crate::status::SessionRow;
use crate::telemetry;
use crate::types::encoding::Encoding;
use bytes::BytesMut;
use futures::future::BoxFuture;
use pgwire::messages::startup::{Authentication, BackendKeyData, NegotiateProtocolVersion, SecretKey};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How long a newcomer waits for a replica that is behind what clients of its node know.
const CATCH_UP: Duration = Duration::from_secs(10);

/// The databases that this node serves.
pub trait Lookup<D>: Send + Sync {
    /// Why nobody is served now.
    fn closed(&self) -> SqlResult<()>;
    /// The database of a name, or why it cannot be connected to. `inner`: it is the node itself.
    fn find<'a>(&'a self, name: &'a str, inner: bool) -> BoxFuture<'a, SqlResult<Arc<D>>>;
    /// Whether what was found by this name under this OID is still there, and lets sessions in, as far as this node knows.
    fn is_open(&self, name: &str, oid: u32) -> bool;
}

pub type Databases<D> = Arc<dyn Lookup<D>>;

/// What a client is told that asks for a database that is not there.
pub fn no_such_database(name: &str) -> SqlError {
    SqlError::new(state::INVALID_CATALOG_NAME, format!("database \"{name}\" does not exist")).fatal()
}

/// Counts sessions on other nodes.
pub trait Census: Send + Sync + 'static {
    /// Those of a role, and those in the database of an OID.
    fn count(&self, role: &str, database: u32) -> BoxFuture<'static, (usize, usize)>;
}

/// How the front behaves.
pub struct Options {
    pub language: Arc<dyn Language>,
    /// Shared by all sessions of the process.
    pub plans: Arc<PlanCache>,
    /// Where long statements are compiled.
    pub workshop: Workshop,
    pub cancel: Arc<CancelRegistry>,
    /// For cancel keys of other nodes.
    pub cancel_elsewhere: Option<Arc<dyn CancelRouter>>,
    /// Who counts the sessions of other nodes.
    pub elsewhere: Option<Arc<dyn Census>>,
    pub max_connections: usize,
    /// Of these, how many are kept for superusers.
    pub reserved: usize,
    pub guard: Arc<Guard>,
    pub limits: Limits,
    /// From accept to the end of the login.
    pub startup_timeout: Duration,
    /// How long a client may leave what it was sent unread.
    pub write_timeout: Duration,
    /// How long a statement without `statement_timeout` waits for a leader.
    pub patience: Duration,
    /// How long running statements may go on after a shutdown was asked for.
    pub drain: Duration,
    /// When this node was, as the log tells time.
    pub started: i64,
}

impl Options {
    pub fn new(language: Arc<dyn Language>, cancel: Arc<CancelRegistry>) -> Options {
        Options {
            language,
            plans: Arc::default(),
            workshop: Workshop::default(),
            cancel,
            cancel_elsewhere: None,
            elsewhere: None,
            max_connections: 1000,
            reserved: 0,
            guard: Arc::new(Guard::new(None, Rules::open(), Arc::new(Everybody))),
            limits: Limits::default(),
            startup_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(300),
            patience: Duration::from_secs(60),
            drain: Duration::from_secs(10),
            started: now_micros(),
        }
    }
}

/// Connections that have not said yet who they are (or only come to cancel); see [`Antechamber`].
const HALF_OPEN: usize = 256;

/// Serves clients until `shutdown` becomes true (or its sender is gone), then ends idle sessions, lets running
/// statements finish for [`Options::drain`], and returns.
pub async fn serve<D: Database>(
    listener: TcpListener,
    databases: Databases<D>,
    options: Arc<Options>,
    mut shutdown: watch::Receiver<bool>,
) {
    let sessions = Arc::new(Semaphore::new(options.max_connections));
    let newcomers = Antechamber::new(HALF_OPEN);
    let mut tasks = JoinSet::new();
    while !*shutdown.borrow() {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let newcomer = Newcomer {
                        stream: Socket::Plain(stream),
                        input: BytesMut::new(),
                        guest: newcomers.enter(),
                        databases: Arc::clone(&databases),
                        options: Arc::clone(&options),
                        sessions: Arc::clone(&sessions),
                        shutdown: shutdown.clone(),
                    };
                    tasks.spawn(newcomer.run());
                }
                // Out of descriptors, mostly: it passes when others close.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            changed = shutdown.changed() => {
                if changed.is_err() {
                    break;
                }
            }
        }
    }
    drop(listener);
    let drained = timeout(options.drain, async { while tasks.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!(connections = tasks.len(), "closing connections whose statements did not finish in time");
        tasks.shutdown().await;
    }
}

/// A connection before its session.
pub(super) struct Newcomer<D: Database> {
    pub stream: Socket,
    pub input: BytesMut,
    /// Its place as long as it has not proven who it is.
    pub guest: Guest,
    pub databases: Databases<D>,
    pub options: Arc<Options>,
    pub sessions: Arc<Semaphore>,
    pub shutdown: watch::Receiver<bool>,
}

impl<D: Database> Newcomer<D> {
    pub async fn run(mut self) {
        self.stream.tcp().inspect(|stream| prepare_socket(stream));
        let mut shutdown = self.shutdown.clone();
        let limit = self.options.startup_timeout;
        let stopped = async { drop(shutdown.wait_for(|stop| *stop).await) };
        let Newcomer { stream, input, guest, options, databases, .. } = &mut self;
        let (options, databases) = (Arc::clone(options), Arc::clone(databases));
        let login = guest.until(async { log_in(stream, input, &options, &databases).await });
        let login = tokio::select! {
            login = timeout(limit, login) => login,
            () = stopped => return self.refuse(&shutting_down()).await,
        };
        match login {
            Ok(Some(Ok(Some(Ok(who))))) => self.start(who).await,
            Ok(Some(Ok(Some(Err(error))))) => self.refuse(&error).await,
            // A cancel request, a client that left, one that never spoke, or one that others came after.
            Ok(Some(Ok(None)) | None) | Err(_) => {}
            Ok(Some(Err(error))) => tracing::debug!(%error, "a client left before it was let in"),
        }
    }

    /// The database that is asked for, if the role may be in it: by what clients of this node were told, and nobody is refused
    /// by what is no longer so. A superuser may anyway, and is to get in where a node lags behind.
    async fn enter(&self, hello: &Hello, account: &Account, inner: bool) -> SqlResult<Arc<D>> {
        let db = self.databases.find(&hello.database, inner).await?;
        if !account.superuser {
            let deadline = Instant::now() + CATCH_UP.min(self.options.startup_timeout);
            let control = Control::until(deadline);
            db.catch_up(&control).await?;
            if self.may_enter(hello, &db).is_err() {
                db.barrier(&control).await?;
                self.may_enter(hello, &db)?;
            }
        }
        Ok(db)
    }

    /// Whether a role may be in a database.
    fn may_enter(&self, hello: &Hello, db: &D) -> SqlResult<()> {
        let catalog = db.catalog();
        let role = catalog.rights.roles.named(&hello.user).map_or(0, |role| role.oid);
        if catalog.rights.held(role, rights::Kind::Database, Object::DATABASE, rights::CONNECT) != 0 {
            return Ok(());
        }
        let message = format!("permission denied for database \"{}\"", hello.database);
        let error = SqlError::new(state::INSUFFICIENT_PRIVILEGE, message);
        Err(error.detail("User does not have CONNECT privilege.").fatal())
    }

    async fn start(self, (hello, account): (Hello, Account)) {
        if !account.superuser && self.sessions.available_permits() <= self.options.reserved {
            let reserved = "remaining connection slots are reserved for non-replication superuser connections";
            return self.refuse(&full(reserved)).await;
        }
        let Ok(_permit) = Arc::clone(&self.sessions).try_acquire_owned() else {
            return self.refuse(&full("sorry, too many clients already")).await;
        };
        let _counted = telemetry::Counted::session();
        let inner = matches!(self.stream, Socket::Inner(_, None));
        let db = match self.enter(&hello, &account, inner).await {
            Ok(db) => db,
            Err(error) => return self.refuse(&error.fatal()).await,
        };
        let (catalog, oid) = (db.catalog(), db.databases().own);
        let settings = match hello.settings((oid, inner), &catalog.settings_of(&hello.user, oid), account.superuser) {
            Ok(settings) => settings,
            Err(error) => return self.refuse(&error).await,
        };
        let origin = rand::random();
        let peer = self.stream.tcp().and_then(|stream| stream.peer_addr().ok());
        let mut row = SessionRow {
            datname: hello.database.clone(),
            datid: oid,
            usename: hello.user.clone(),
            application_name: settings.get("application_name").unwrap_or_default().to_owned(),
            client_addr: peer.map_or_else(String::new, |addr| addr.ip().to_canonical().to_string()),
            client_port: peer.map_or(-1, |addr| addr.port().into()),
            backend_start: now_micros(),
            state: "idle".into(),
            state_change: now_micros(),
            origin,
            inner,
            ..SessionRow::default()
        };
        self.stream.describe(&mut row);
        // Of those that come at a time on several nodes, each counts the others.
        let registration = self.options.cancel.register(rand::random(), row);
        if let Err(error) = within_limits(&self.options, &hello, &account, (oid, db.connection_limit())).await {
            drop(registration);
            return self.refuse(&error).await;
        }
        // Whoever drops a database counts its sessions after this node has heard that it is closed. Either this session was
        // counted, then, or it sees the closed door here.
        if !self.databases.is_open(&hello.database, oid) {
            drop(registration);
            let gone = no_such_database(&hello.database).detail("It seems to have just been dropped or renamed.");
            return self.refuse(&gone).await;
        }
        drop(self.guest);
        let options = self.options;
        let mut out = Vec::with_capacity(1024);
        let mut settings = settings;
        if options.guard.keys.is_some() {
            settings.tell("ssl", "on");
        }
        let end = |addr: SocketAddr| format!("{} {}", addr.ip().to_canonical(), addr.port());
        let ends = self.stream.tcp().and_then(|tcp| Some((tcp.peer_addr().ok()?, tcp.local_addr().ok()?)));
        let ends = ends.map_or_else(|| "   ".to_owned(), |(client, server)| format!("{} {}", end(client), end(server)));
        settings.connected(format!("{ends} {}", options.started));
        if let Some(unknown) = hello.negotiate {
            encode::put(&mut out, &NegotiateProtocolVersion::new(196_608, unknown));
        }
        encode::put(&mut out, &Authentication::Ok);
        for (name, value) in settings.changed_reports() {
            encode::message(&mut out, &Message::Setting { name, value }, Encoding::UTF8);
        }
        let key = registration.key;
        encode::put(&mut out, &BackendKeyData::new(key.pid, SecretKey::I32(key.secret)));
        encode::message(&mut out, &Message::Ready(Status::Idle), Encoding::UTF8);
        let identity = Identity { user: hello.user, database: hello.database.into(), pid: key.pid, origin, inner };
        let (language, plans) = (Arc::clone(&options.language), Arc::clone(&options.plans));
        let session = Session::new(identity, options.limits, settings, language, plans);
        let presence = Presence::new(Arc::clone(&db), origin);
        let connection = Connection {
            stream: self.stream,
            input: self.input,
            out,
            db,
            session: Some(Box::new(session)),
            place: None,
            registration,
            options,
            shutdown: self.shutdown,
            cursors: Vec::new(),
            transaction: None,
            clock: StatementClock::default(),
            presence,
            known: None,
            effects: Vec::new(),
            journey: None,
        };
        connection.run().await;
    }

    async fn refuse(mut self, error: &SqlError) {
        let mut out = Vec::new();
        encode::put_error(&mut out, error, Encoding::UTF8);
        let farewell = async {
            self.stream.write_all(&out).await?;
            self.stream.shutdown().await
        };
        let _ = timeout(Duration::from_secs(5), farewell).await;
    }
}

fn full(message: impl Into<String>) -> SqlError {
    SqlError::new(state::TOO_MANY_CONNECTIONS, message).fatal()
}

/// Whether the role and the database have a place for this session, which is counted already. They are the cluster's, and so are
/// their sessions on all nodes.
async fn within_limits(
    options: &Options,
    hello: &Hello,
    account: &Account,
    (database, limit): (u32, i32),
) -> SqlResult<()> {
    // No limit is a negative number.
    let limits = [account.connection_limit, limit].map(|limit| usize::try_from(limit).ok());
    if account.superuser || limits == [None, None] {
        return Ok(());
    }
    let elsewhere = match &options.elsewhere {
        Some(census) => census.count(&hello.user, database).await,
        None => (0, 0),
    };
    let of_role = elsewhere.0 + options.cancel.count(|row| row.usename == hello.user);
    let in_database = elsewhere.1 + options.cancel.count(|row| row.datid == database);
    if limits[0].is_some_and(|limit| of_role > limit) {
        return Err(full(format!("too many connections for role \"{}\"", hello.user)));
    }
    if limits[1].is_some_and(|limit| in_database > limit) {
        return Err(full(format!("too many connections for database \"{}\"", hello.database)));
    }
    Ok(())
}

/// Finds out who the client is, and whether that is true. `None`: it wanted something else.
async fn log_in<D: Database>(
    stream: &mut Socket,
    input: &mut BytesMut,
    options: &Options,
    databases: &Databases<D>,
) -> io::Result<Option<SqlResult<(Hello, Account)>>> {
    let hello = match greet(stream, input, options).await? {
        None => return Ok(None),
        Some(Err(error)) => return Ok(Some(Err(error))),
        Some(Ok(hello)) => hello,
    };
    // A node that serves nobody says so at once: what it knows of roles may be nothing.
    if let Err(error) = databases.closed() {
        return Ok(Some(Err(error)));
    }
    let admitted = options.guard.admit(stream, input, &hello).await?;
    Ok(Some(admitted.map(|account| (hello, account))))
}

/// Reads packets until the client says who it is. `None`: it wanted something else.
async fn greet(stream: &mut Socket, input: &mut BytesMut, options: &Options) -> io::Result<Option<SqlResult<Hello>>> {
    loop {
        match next_packet(input) {
            Err(error) => return Ok(Some(Err(error))),
            Ok(Some(First::Gssapi)) => stream.write_all(b"N").await?,
            Ok(Some(First::Tls)) => match options.guard.tls().filter(|_| !stream.is_encrypted()) {
                None => stream.write_all(b"N").await?,
                // What came before the encryption could be taken for what came in it (CVE-2021-23214).
                Some(_) if !input.is_empty() => {
                    return Ok(Some(Err(violation("received unencrypted data after SSL request"))));
                }
                Some(tls) => {
                    stream.write_all(b"S").await?;
                    stream.encrypt(&tls).await?;
                }
            },
            Ok(Some(First::Cancel(key))) => {
                let here = options.cancel.cancel(key);
                match &options.cancel_elsewhere {
                    Some(router) if !here && !key.belongs_to(options.cancel.node()) => router.route(key),
                    _ => {}
                }
                return Ok(None);
            }
            Ok(Some(First::Start(hello))) => return Ok(Some(Ok(hello))),
            Ok(Some(First::Alien)) => return Ok(None),
            Ok(None) => {
                if stream.read_some(input).await? == 0 {
                    return Ok(None);
                }
            }
        }
    }
}

/// Replies leave at once, and a peer that has vanished is noticed some day.
fn prepare_socket(stream: &TcpStream) {
    use std::os::fd::AsRawFd;
    let _ = stream.set_nodelay(true);
    let on: libc::c_int = 1;
    // SAFETY: the descriptor is open as long as `stream` is borrowed, and the option's value is an int.
    let set = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_KEEPALIVE,
            std::ptr::from_ref(&on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if set != 0 {
        tracing::debug!(error = %io::Error::last_os_error(), "no keep-alive on this connection");
    }
}
