//! The wire, from outside: a real socket, tokio-postgres and raw bytes, and a database made of one SQLite connection.
//!
//! Besides SQL that SQLite runs, the database knows: a read of `series(n)` makes n rows on the way, each with the
//! text of the parameter or of 1,000 letters; `slow()` never ends by itself; a write with `hang` waits for ever.

use super::cancel::{CancelKey, CancelRegistry};
use super::{Lookup, Options, no_such_database, serve};
use crate::command::{StepOutcome, Write, Yields};
use crate::error::{SqlError, SqlResult, state};
use crate::gateway::{Control, Database, Failure, Fetched, ReadRequest, Rows};
use crate::id::{NodeId, RequestId};
use crate::session::testing::Toy;
use crate::sql::catalog::{Catalog, Relation, RelationKind, Source};
use crate::sql::plan::Effort;
use crate::value::{Value, ValueRef};
use futures::StreamExt;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_postgres::{NoTls, SimpleQueryMessage};

struct Lite {
    sqlite: Mutex<rusqlite::Connection>,
    catalog: Arc<Catalog>,
    writes: AtomicU64,
    /// Rows that `series` has made.
    made: Arc<AtomicU64>,
}

enum LiteRows {
    Ready(std::vec::IntoIter<Vec<Value>>),
    Series { at: u64, end: u64, text: String, made: Arc<AtomicU64> },
    Slow(Arc<AtomicBool>),
}

impl Rows for LiteRows {
    fn fetch(
        &mut self,
        max_rows: usize,
        brief: bool,
        sink: &mut dyn FnMut(&[ValueRef<'_>]) -> SqlResult<()>,
    ) -> SqlResult<Fetched> {
        for _ in 0..max_rows {
            match self {
                LiteRows::Ready(rows) => match rows.next() {
                    Some(row) => sink(&row.iter().map(Value::as_ref).collect::<Vec<_>>())?,
                    None => return Ok(Fetched::Done),
                },
                LiteRows::Series { at, end, text, made } => {
                    if at == end {
                        return Ok(Fetched::Done);
                    }
                    *at += 1;
                    made.fetch_add(1, Ordering::SeqCst);
                    sink(&[ValueRef::Int(*at as i64), ValueRef::Text(text)])?;
                }
                LiteRows::Slow(_) if brief => return Ok(Fetched::TooLong),
                LiteRows::Slow(cancelled) => {
                    while !cancelled.load(Ordering::SeqCst) {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                    return Err(SqlError::new(state::QUERY_CANCELED, "canceling statement due to user request"));
                }
            }
        }
        Ok(Fetched::More)
    }
}

fn bound(params: &[Value]) -> Vec<rusqlite::types::Value> {
    use rusqlite::types::Value as V;
    let one = |v: &Value| match v {
        Value::Null => V::Null,
        Value::Int(i) => V::Integer(*i),
        Value::Real(x) => V::Real(*x),
        Value::Text(s) => V::Text(s.clone()),
        Value::Blob(b) => V::Blob(b.clone()),
    };
    params.iter().map(one).collect()
}

fn failed(error: rusqlite::Error) -> SqlError {
    SqlError::new(state::UNIQUE_VIOLATION, error.to_string())
}

impl Lite {
    fn new() -> Lite {
        let sqlite = rusqlite::Connection::open_in_memory().unwrap();
        sqlite.execute_batch("create table t (a integer primary key, b integer)").unwrap();
        let relation = Relation {
            oid: 20000,
            schema: "public".into(),
            name: "t".into(),
            kind: RelationKind::Table,
            source: Source::Table("t".into()),
            columns: Vec::new(),
            constraints: Vec::new(),
            indexes: Vec::new(),
            unlogged: false,
            options: vec![],
        };
        let mut catalog = Catalog { version: 1, ..Catalog::of_superuser("ann") };
        catalog.relations.insert(("public".into(), "t".into()), Arc::new(relation));
        let (writes, made) = (AtomicU64::new(0), Arc::default());
        Lite { sqlite: Mutex::new(sqlite), catalog: Arc::new(catalog), writes, made }
    }

    fn rows(&self, sql: &str, params: &[Value]) -> SqlResult<Vec<Vec<Value>>> {
        let sqlite = self.sqlite.lock();
        let mut statement = sqlite.prepare_cached(sql).map_err(failed)?;
        let columns = statement.column_count();
        let mut rows = statement.query(rusqlite::params_from_iter(bound(params))).map_err(failed)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let value = |i| match row.get_ref_unwrap(i) {
                rusqlite::types::ValueRef::Null => Value::Null,
                rusqlite::types::ValueRef::Integer(i) => Value::Int(i),
                rusqlite::types::ValueRef::Real(x) => Value::Real(x),
                rusqlite::types::ValueRef::Text(t) => Value::Text(String::from_utf8_lossy(t).into_owned()),
                rusqlite::types::ValueRef::Blob(b) => Value::Blob(b.to_vec()),
            };
            all.push((0..columns).map(value).collect());
        }
        Ok(all)
    }

    fn step(&self, step: &crate::command::Step) -> SqlResult<StepOutcome> {
        let mut outcome = StepOutcome::default();
        for params in &step.params {
            for statement in &step.statements {
                let rows = self.rows(&statement.sql, params)?;
                outcome.count += self.sqlite.lock().changes();
                if statement.yields == Yields::Rows {
                    outcome.rows.extend(rows);
                }
            }
        }
        Ok(outcome)
    }
}

/// Under one name.
struct OneDatabase(Arc<Lite>);

impl Lookup<Lite> for OneDatabase {
    fn closed(&self) -> SqlResult<()> {
        Ok(())
    }

    fn find<'a>(&'a self, name: &'a str, _: bool) -> futures::future::BoxFuture<'a, SqlResult<Arc<Lite>>> {
        let found = (name == "quorate").then(|| Arc::clone(&self.0)).ok_or_else(|| no_such_database(name));
        Box::pin(std::future::ready(found))
    }

    fn is_open(&self, name: &str, _: u32) -> bool {
        name == "quorate"
    }
}

impl Database for Lite {
    type Rows = LiteRows;
    type Transaction = ();

    fn begin(&self, _: RequestId, _: crate::command::Isolation, _: crate::types::Env) {}

    async fn step(&self, (): &mut (), _: crate::transaction::Statement, _: &Control) -> Result<StepOutcome, Failure> {
        Err(SqlError::unsupported("a transaction").into())
    }

    async fn mark(&self, (): &mut (), _: crate::gateway::Mark, _: &Control) -> SqlResult<()> {
        Ok(())
    }

    async fn lock_tables(
        &self,
        (): &mut (),
        _: Vec<u32>,
        _: crate::sql::plan::LockMode,
        _: bool,
        _: &Control,
    ) -> SqlResult<()> {
        Ok(())
    }

    async fn commit(&self, (): (), _: &Control) -> SqlResult<()> {
        Ok(())
    }

    fn now(&self) -> i64 {
        crate::clock::now_micros()
    }

    async fn advisory(
        &self,
        _: RequestId,
        _: crate::command::AdvisoryOrder,
        _: &Control,
    ) -> SqlResult<crate::gateway::Told> {
        Ok(crate::gateway::Told::No)
    }

    fn mailbox(&self, _: u64) -> Arc<crate::gateway::mailbox::Mailbox> {
        Arc::default()
    }

    fn leave(&self, _: u64) {}

    fn catalog_of(&self, (): &()) -> Option<Arc<Catalog>> {
        None
    }

    fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog)
    }

    fn applied(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    fn defined(&self) -> u64 {
        0
    }

    fn version(&self) -> crate::version::Version {
        crate::version::LATEST
    }

    async fn catch_up(&self, _control: &Control) -> SqlResult<()> {
        Ok(())
    }

    async fn barrier(&self, _control: &Control) -> SqlResult<()> {
        Ok(())
    }

    async fn read(&self, request: ReadRequest) -> Result<LiteRows, Failure> {
        let series = request.sql.split_once("series(").and_then(|(_, rest)| rest.split_once(')'));
        if let Some((count, _)) = series {
            let text = match request.params.first() {
                Some(Value::Text(text)) => text.clone(),
                _ => "x".repeat(1000),
            };
            let end = count.parse().unwrap();
            return Ok(LiteRows::Series { at: 0, end, text, made: Arc::clone(&self.made) });
        }
        if request.sql.contains("slow()") {
            return Ok(LiteRows::Slow(request.control.cancelled));
        }
        Ok(LiteRows::Ready(self.rows(&request.sql, &request.params)?.into_iter()))
    }

    async fn try_write(
        &self,
        _: RequestId,
        _: crate::transaction::Trial,
        _: &Control,
    ) -> Result<Vec<StepOutcome>, Failure> {
        Err(SqlError::unsupported("a trial").into())
    }

    async fn write(&self, _: RequestId, write: Write, _: Effort, _: &Control) -> Result<Vec<StepOutcome>, Failure> {
        if write.steps.iter().any(|s| s.statements[0].sql.contains("hang")) {
            std::future::pending::<()>().await;
        }
        self.writes.fetch_add(1, Ordering::SeqCst);
        self.rows("savepoint w", &[])?;
        let mut outcomes = Vec::new();
        for step in &write.steps {
            match self.step(step) {
                Ok(outcome) => outcomes.push(outcome),
                Err(error) => {
                    self.sqlite.lock().execute_batch("rollback to w; release w").unwrap();
                    return Err(Failure::Sql { done: outcomes, error });
                }
            }
        }
        self.sqlite.lock().execute_batch("release w").unwrap();
        Ok(outcomes)
    }
}

struct Server {
    address: std::net::SocketAddr,
    db: Arc<Lite>,
    stop: watch::Sender<bool>,
    done: tokio::task::JoinHandle<()>,
}

async fn start(adjust: impl FnOnce(&mut Options)) -> Server {
    let mut options = Options::new(Arc::new(Toy), CancelRegistry::new(NodeId(2)));
    adjust(&mut options);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let db = Arc::new(Lite::new());
    let (stop, stopped) = watch::channel(false);
    let served = Arc::clone(&db);
    let databases = Arc::new(OneDatabase(served));
    let done = tokio::spawn(serve(listener, databases, Arc::new(options), stopped));
    Server { address, db, stop, done }
}

async fn server() -> Server {
    start(|_| {}).await
}

impl Server {
    async fn client(&self) -> tokio_postgres::Client {
        let config = format!("host=127.0.0.1 port={} user=ann dbname=quorate", self.address.port());
        let (client, connection) = tokio_postgres::connect(&config, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    async fn raw(&self) -> Raw {
        let mut raw = Raw { stream: TcpStream::connect(self.address).await.unwrap() };
        raw.stream.write_all(&startup(196_608, b"user\0ann\0database\0quorate\0\0")).await.unwrap();
        raw.until(b'Z').await;
        raw
    }
}

/// A client that sends what it likes.
struct Raw {
    stream: TcpStream,
}

fn startup(code: u32, body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes()[..], &code.to_be_bytes()[..], body].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32 + 4).to_be_bytes()[..], body].concat()
}

impl Raw {
    async fn send(&mut self, messages: &[Vec<u8>]) {
        self.stream.write_all(&messages.concat()).await.unwrap();
    }

    /// The next message; `None` at the end of the connection.
    async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let read = async {
            let kind = self.stream.read_u8().await.ok()?;
            let length = self.stream.read_u32().await.ok()? as usize - 4;
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body).await.ok()?;
            Some((kind, body))
        };
        timeout(Duration::from_secs(10), read).await.expect("an answer in time")
    }

    /// The types of all messages up to the first of type `last`.
    async fn until(&mut self, last: u8) -> String {
        let mut seen = String::new();
        while let Some((kind, _)) = self.next().await {
            seen.push(char::from(kind));
            if kind == last {
                return seen;
            }
        }
        panic!("the connection ended after {seen}");
    }

    /// All that comes until the server closes, as the types and the last SQLSTATE.
    async fn rest(&mut self) -> (String, String) {
        let (mut seen, mut code) = (String::new(), String::new());
        while let Some((kind, body)) = self.next().await {
            seen.push(char::from(kind));
            if kind == b'E' {
                code = sqlstate(&body);
            }
        }
        (seen, code)
    }
}

fn sqlstate(body: &[u8]) -> String {
    let fields = body.split(|b| *b == 0).map(String::from_utf8_lossy);
    fields.filter_map(|f| f.strip_prefix('C').map(str::to_owned)).next().unwrap_or_default()
}

fn code(error: &tokio_postgres::Error) -> &str {
    error.code().map_or("none", |c| c.code())
}

#[tokio::test]
async fn a_driver_reads_and_writes() {
    let server = server().await;
    let mut client = server.client().await;
    let insert = client.prepare("insert into t values ($1, $2)").await.unwrap();
    for i in 1..=3i64 {
        assert_eq!(client.execute(&insert, &[&i, &(i * 10)]).await.unwrap(), 1);
    }
    let rows = client.query("select a as a, b as b from t where a >= $1", &[&2i64]).await.unwrap();
    let values: Vec<(i64, i64)> = rows.iter().map(|r| (r.get("a"), r.get("b"))).collect();
    assert_eq!(values, [(2, 20), (3, 30)]);
    let error = client.execute(&insert, &[&1i64, &0i64]).await.unwrap_err();
    assert_eq!(code(&error), "23505");
    let messages = client.simple_query("select 7 as a; delete from t where a = 1").await.unwrap();
    let rows = messages.iter().filter(|m| matches!(m, SimpleQueryMessage::Row(r) if r.get(0) == Some("7"))).count();
    assert_eq!(rows, 1);
    let transaction = client.transaction().await.unwrap();
    let one = transaction.query_one("select count(*) as n from t", &[]).await.unwrap();
    assert_eq!(one.get::<_, i64>(0), 2);
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn portals_are_suspended_and_resumed() {
    let server = server().await;
    let mut client = server.client().await;
    let transaction = client.transaction().await.unwrap();
    let portal = transaction.bind("select 1 as a, 2 as t from series(5)", &[]).await.unwrap();
    let mut sizes = Vec::new();
    for _ in 0..4 {
        sizes.push(transaction.query_portal(&portal, 2).await.unwrap().len());
    }
    assert_eq!(sizes, [2, 2, 1, 0]);
}

#[tokio::test]
async fn pipelined_statements_each_get_their_answer() {
    let server = server().await;
    let client = server.client().await;
    let wait = (0..50i64).map(|i| {
        let client = &client;
        async move { client.query_one("select $1 as a", &[&i]).await.unwrap().get::<_, i64>(0) }
    });
    assert_eq!(futures::future::join_all(wait).await, (0..50).collect::<Vec<i64>>());
}

#[tokio::test]
async fn a_pipeline_without_sync_is_one_write() {
    let server = server().await;
    let mut raw = server.raw().await;
    let mut batch = vec![message(b'P', b"\0insert into t values ($1, 0)\0\0\0")];
    for i in ["1", "2", "3"] {
        let bind = [&b"\0\0\0\0\0\x01\0\0\0\x01"[..], i.as_bytes(), b"\0\0"].concat();
        batch.extend([message(b'B', &bind), message(b'E', b"\0\0\0\0\0")]);
    }
    batch.push(message(b'S', b""));
    raw.send(&batch).await;
    assert_eq!(raw.until(b'Z').await, "12C2C2CZ");
    assert_eq!(server.db.writes.load(Ordering::SeqCst), 1);
    // The second one fails: nothing of it is kept.
    let bad = |i: &str| [&b"\0\0\0\0\0\x01\0\0\0\x01"[..], i.as_bytes(), b"\0\0"].concat();
    let again = [
        batch[0].clone(),
        message(b'B', &bad("8")),
        message(b'E', b"\0\0\0\0\0"),
        message(b'B', &bad("1")),
        message(b'E', b"\0\0\0\0\0"),
        message(b'S', b""),
    ];
    raw.send(&again).await;
    assert_eq!(raw.until(b'Z').await, "12C2EZ");
    assert_eq!(server.db.rows("select count(*) from t", &[]).unwrap(), [[Value::Int(3)]]);
}

#[tokio::test]
async fn flush_answers_without_sync() {
    let server = server().await;
    let mut raw = server.raw().await;
    let parse = message(b'P', b"s\0select $1 as a\0\0\0");
    raw.send(&[parse, message(b'D', b"Ss\0"), message(b'H', b"")]).await;
    assert_eq!(raw.until(b'T').await, "1tT");
    raw.send(&[message(b'B', b"\0s\0\0\x01\0\x01\0\x01\0\0\0\x08\0\0\0\0\0\0\0\x05\0\x01\0\x01")]).await;
    raw.send(&[message(b'E', b"\0\0\0\0\0"), message(b'S', b"")]).await;
    assert_eq!(raw.next().await.unwrap().0, b'2');
    let (kind, row) = raw.next().await.unwrap();
    assert_eq!((kind, &row[..]), (b'D', &b"\0\x01\0\0\0\x08\0\0\0\0\0\0\0\x05"[..]));
    assert_eq!(raw.until(b'Z').await, "CZ");
}

#[tokio::test]
async fn messages_cut_anywhere_are_put_together() {
    let server = server().await;
    let mut raw = server.raw().await;
    let bytes = [message(b'Q', b"select 1 as a\0"), message(b'Q', b"select 2 as a\0")].concat();
    for byte in bytes {
        raw.stream.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(raw.until(b'Z').await, "TDCZ");
    assert_eq!(raw.until(b'Z').await, "TDCZ");
}

#[tokio::test]
async fn malformed_frames_end_the_connection_and_only_that() {
    let server = server().await;
    let bad = [
        b"!\0\0\0\x04".to_vec(),
        b"Q\0\0\0\x02".to_vec(),
        b"Q\xff\xff\xff\xff".to_vec(),
        message(b'B', b"\0\0\0\x05"),
        message(b'B', b"\0\0\0\0\0\x01\x7f\xff\xff\xff"),
        message(b'P', b"no end"),
        message(b'S', b"more"),
        message(b'p', b"password\0"),
    ];
    for bytes in bad {
        let mut raw = server.raw().await;
        raw.send(std::slice::from_ref(&bytes)).await;
        assert_eq!(raw.rest().await, ("E".into(), "08P01".into()), "{bytes:?}");
    }
    let mut raw = server.raw().await;
    raw.send(&[message(b'Q', b"select '\xff\xfe'\0"), message(b'Q', b"select 1 as a\0")]).await;
    assert_eq!(raw.until(b'Z').await, "EZ");
    assert_eq!(raw.until(b'Z').await, "TDCZ");
}

#[tokio::test]
async fn startup_is_answered_as_postgres_does() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    for code in [80_877_103u32, 80_877_104] {
        stream.write_all(&startup(code, b"")).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'N');
    }
    stream.write_all(&startup(196_610, b"user\0ann\0database\0quorate\0\0")).await.unwrap();
    let mut raw = Raw { stream };
    assert_eq!(raw.until(b'Z').await, "vRSSSSSSSSSSSSSKZ");
    let refused = [
        (&b"user\0ann\0database\0other\0\0"[..], "3D000"),
        (b"database\0quorate\0\0", "28000"),
        (b"user\0ann\0database\0quorate\0nonsense\x001\0\0", "42704"),
        (b"user\0ann\0database\0quorate\0client_encoding\0EUC_TW\0\0", "0A000"),
    ];
    for (parameters, code) in refused {
        let mut raw = Raw { stream: TcpStream::connect(server.address).await.unwrap() };
        raw.send(&[startup(196_608, parameters)]).await;
        assert_eq!(raw.rest().await, ("E".into(), code.into()));
    }
}

#[tokio::test]
async fn half_open_connections_and_too_many_are_turned_away() {
    let server = start(|o| {
        o.max_connections = 1;
        o.startup_timeout = Duration::from_millis(50);
    })
    .await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(timeout(Duration::from_secs(5), silent.read(&mut [0; 8])).await.unwrap().unwrap(), 0);
    let first = server.raw().await;
    let mut second = Raw { stream: TcpStream::connect(server.address).await.unwrap() };
    second.send(&[startup(196_608, b"user\0ann\0database\0quorate\0\0")]).await;
    assert_eq!(second.rest().await, ("E".into(), "53300".into()));
    drop(first);
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.raw().await;
}

#[tokio::test]
async fn statements_can_be_cancelled_from_another_connection() {
    let server = server().await;
    let client = server.client().await;
    let token = client.cancel_token();
    for sql in ["select 1 as a from slow()", "insert into t values (1, 2) hang"] {
        let begun = Instant::now();
        let cancel = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            token.cancel_query(NoTls).await.unwrap();
        };
        let (result, ()) = tokio::join!(client.simple_query(sql), cancel);
        assert_eq!(code(&result.unwrap_err()), "57014", "{sql}");
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
    // A cancel between statements does not hit the next one.
    token.cancel_query(NoTls).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.simple_query("select 1 as a").await.unwrap();
    let wrong = CancelKey { pid: 1, secret: 2 };
    assert!(!wrong.belongs_to(NodeId(2)));
}

#[tokio::test]
async fn statement_timeout_ends_reads_and_writes() {
    let server = server().await;
    let client = server.client().await;
    client.simple_query("set statement_timeout = 50").await.unwrap();
    let error = client.simple_query("insert into t values (1, 2) hang").await.unwrap_err();
    assert_eq!(code(&error), "57014");
    client.simple_query("select 1 as a").await.unwrap();
}

#[tokio::test]
async fn a_slow_reader_holds_the_read_back() {
    let server = start(|o| o.write_timeout = Duration::from_millis(300)).await;
    let mut raw = server.raw().await;
    // 200 MB, if it were made at once.
    raw.send(&[message(b'Q', b"select 1 as a, 2 as t from series(200000)\0")]).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    let made = server.db.made.load(Ordering::SeqCst);
    assert!(made > 0 && made < 50_000, "{made} rows were made for a client that does not read");
    // It never reads: the connection is given up, and nothing more is made.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let made = server.db.made.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(server.db.made.load(Ordering::SeqCst), made);
}

#[tokio::test]
async fn a_large_result_arrives_whole() {
    let server = server().await;
    let client = server.client().await;
    let rows = client.query_raw("select 1 as a, 2 as t from series(20000)", &[] as &[i64]).await.unwrap();
    let sum = rows.map(|r| r.unwrap().get::<_, i64>(0)).fold(0, |a, b| async move { a + b }).await;
    assert_eq!(sum, 20_000 * 20_001 / 2);
}

#[tokio::test]
async fn copy_in_and_out() {
    let server = server().await;
    let mut raw = server.raw().await;
    raw.send(&[message(b'Q', b"copy t from stdin\0")]).await;
    raw.until(b'G').await;
    raw.send(&[message(b'd', b"1\t2\n3"), message(b'd', b"\t4\n"), message(b'c', b"")]).await;
    assert_eq!(raw.until(b'Z').await, "CZ");
    raw.send(&[message(b'Q', b"copy (select a as a, b as b from t) to stdout\0")]).await;
    assert_eq!(raw.until(b'Z').await, "HddcCZ");
    // What is still sent after an error is dropped.
    raw.send(&[message(b'Q', b"copy t from stdin\0"), message(b'd', b"x\ty\n"), message(b'd', b"5\t6\n")]).await;
    raw.send(&[message(b'c', b""), message(b'Q', b"select 1 as a\0")]).await;
    assert_eq!(raw.until(b'Z').await, "GEZ");
    assert_eq!(raw.until(b'Z').await, "TDCZ");
    raw.send(&[message(b'Q', b"copy t from stdin\0"), message(b'f', b"enough\0")]).await;
    assert_eq!(raw.until(b'Z').await, "GEZ");
    assert_eq!(server.db.rows("select count(*) from t", &[]).unwrap(), [[Value::Int(2)]]);
}

#[tokio::test]
async fn large_statements_pass() {
    let server = server().await;
    let mut raw = server.raw().await;
    let mut sql = b"select 1 as a ".to_vec();
    sql.resize(20 << 20, b' ');
    sql.push(0);
    raw.send(&[message(b'Q', &sql)]).await;
    assert_eq!(raw.until(b'Z').await, "TDCZ");
}

#[tokio::test]
async fn shutdown_ends_idle_sessions_and_lets_running_ones_finish() {
    let server = start(|o| o.drain = Duration::from_secs(5)).await;
    let mut idle = server.raw().await;
    let busy = server.client().await;
    let token = busy.cancel_token();
    let running = tokio::spawn(async move { busy.simple_query("select 1 as a from slow()").await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (address, stop, done) = (server.address, server.stop, server.done);
    stop.send(true).unwrap();
    assert_eq!(idle.rest().await, ("E".into(), "57P01".into()));
    assert!(!running.is_finished());
    assert!(TcpStream::connect(address).await.is_err());
    drop(token);
    running.abort();
    drop(done);
}

#[tokio::test]
async fn idle_sessions_can_be_limited() {
    let server = server().await;
    let mut raw = server.raw().await;
    raw.send(&[message(b'Q', b"set idle_session_timeout = 50\0")]).await;
    raw.until(b'Z').await;
    assert_eq!(raw.rest().await, ("E".into(), "57P05".into()));
}

#[tokio::test]
async fn earlier_replies_do_not_wait_for_a_slow_statement() {
    let server = server().await;
    let mut raw = server.raw().await;
    raw.send(&[message(b'Q', b"select 1 as a\0"), message(b'Q', b"insert into t values (1, 2) hang\0")]).await;
    assert_eq!(raw.until(b'Z').await, "TDCZ");
}
