//! The load of `quorate demo --chaos`: writers at every node, a ledger of what they were told, and the audit that reads it back.
//!
//! Each row is written once, under a number of its own, into a table without a key: what is applied twice would be there
//! twice. A writer that got no answer, or an error, does not know what became of its row and says so; it goes on with the
//! next number. Only what was acknowledged must be there.

use parking_lot::Mutex;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Between two rows of a writer.
const PAUSE: Duration = Duration::from_millis(4);
/// How long a writer waits for an answer before it goes to another node.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long it stays away from its own node.
const AWAY: Duration = Duration::from_secs(5);
/// What [`PATIENCE`] is, of whoever reads everything back.
const LONG: Duration = Duration::from_secs(60);
/// Seconds that the curve shows.
const SECONDS: usize = 240;
const TABLE: &str = "CREATE TABLE IF NOT EXISTS chaos_rows (writer int NOT NULL, n bigint NOT NULL)";

/// What one second was like; times in ms.
#[derive(Clone, Default, Serialize)]
pub struct Second {
    pub at: u64,
    pub acknowledged: usize,
    pub errors: usize,
    pub p50: f64,
    pub p99: f64,
    /// The longest time in which nobody was told of a success.
    pub gap: f64,
    #[serde(skip)]
    times: Vec<f64>,
}

/// What a complete reading found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    pub acknowledged: usize,
    pub found: usize,
    /// Acknowledged and not there.
    pub lost: usize,
    /// There more than once.
    pub doubled: usize,
    /// There although their writers were told of an error, or nothing: they may be.
    pub unsure: usize,
}

/// What writers were told.
pub struct Ledger {
    begun: Instant,
    acknowledged: BTreeSet<(u32, u64)>,
    pub errors: BTreeMap<String, usize>,
    seconds: VecDeque<Second>,
    last: Instant,
    /// The longest gap since somebody looked at it last.
    longest: f64,
}

impl Ledger {
    fn new() -> Ledger {
        let now = Instant::now();
        Ledger {
            begun: now,
            acknowledged: BTreeSet::new(),
            errors: BTreeMap::new(),
            seconds: VecDeque::new(),
            last: now,
            longest: 0.0,
        }
    }

    fn second(&mut self) -> &mut Second {
        let at = self.begun.elapsed().as_secs();
        while self.seconds.back().is_none_or(|last| last.at < at) {
            if let Some(last) = self.seconds.back_mut() {
                last.close();
            }
            let next = self.seconds.back().map_or(at, |last| last.at + 1);
            self.seconds.push_back(Second { at: next, ..Second::default() });
            if self.seconds.len() > SECONDS {
                self.seconds.pop_front();
            }
        }
        self.seconds.back_mut().expect("just pushed")
    }

    fn acknowledge(&mut self, row: (u32, u64), took: Duration) {
        self.acknowledged.insert(row);
        let gap = self.last.elapsed().as_secs_f64() * 1e3;
        self.last = Instant::now();
        self.longest = self.longest.max(gap);
        let second = self.second();
        second.acknowledged += 1;
        second.gap = second.gap.max(gap);
        second.times.push(took.as_secs_f64() * 1e3);
    }

    fn fail(&mut self, why: String) {
        *self.errors.entry(why).or_default() += 1;
        self.second().errors += 1;
    }

    pub fn count(&self) -> usize {
        self.acknowledged.len()
    }

    /// How long nobody was told of a success, at the longest since this was asked last, ms.
    pub fn take_longest_gap(&mut self) -> f64 {
        let open = self.last.elapsed().as_secs_f64() * 1e3;
        std::mem::take(&mut self.longest).max(open)
    }

    /// The seconds that are over.
    pub fn curve(&mut self) -> Vec<Second> {
        self.second();
        self.seconds.iter().rev().skip(1).rev().cloned().collect()
    }

    /// Compares rows that were read with what had been acknowledged before.
    fn audit(acknowledged: &BTreeSet<(u32, u64)>, rows: &BTreeMap<(u32, u64), usize>) -> Audit {
        Audit {
            acknowledged: acknowledged.len(),
            found: rows.len(),
            lost: acknowledged.iter().filter(|row| !rows.contains_key(row)).count(),
            doubled: rows.values().filter(|times| **times > 1).count(),
            unsure: rows.keys().filter(|row| !acknowledged.contains(row)).count(),
        }
    }
}

impl Second {
    fn close(&mut self) {
        let mut times = std::mem::take(&mut self.times);
        times.sort_by(f64::total_cmp);
        let part = |p: f64| times.get(((times.len() as f64 * p) as usize).min(times.len().saturating_sub(1))).copied();
        (self.p50, self.p99) = (part(0.5).unwrap_or(0.0), part(0.99).unwrap_or(0.0));
    }
}

/// Writers and their ledger.
pub struct Load {
    ports: Vec<u16>,
    pub ledger: Arc<Mutex<Ledger>>,
    stop: Arc<AtomicBool>,
    writers: Mutex<Vec<thread::JoinHandle<()>>>,
}

impl Load {
    /// Makes the table, and starts `each` writers at each node.
    pub fn start(ports: Vec<u16>, each: u32) -> Result<Load, String> {
        let load = Load {
            ports: ports.clone(),
            ledger: Arc::new(Mutex::new(Ledger::new())),
            stop: Arc::default(),
            writers: Mutex::default(),
        };
        let mut client = Client::connect(ports[0], LONG).map_err(|error| error.to_string())?;
        client.run(TABLE)?;
        // Numbers of an earlier time are not counted again.
        client.run("DELETE FROM chaos_rows")?;
        for writer in 0..each * ports.len() as u32 {
            let (ports, ledger, stop) = (ports.clone(), load.ledger.clone(), load.stop.clone());
            let thread = thread::Builder::new().name(format!("writer-{writer}"));
            let write = move || write(writer, &ports, &ledger, &stop);
            load.writers.lock().push(thread.spawn(write).map_err(|error| error.to_string())?);
        }
        Ok(load)
    }

    /// Stops the writers; each comes to the end of what it waits for.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        for writer in self.writers.lock().drain(..) {
            let _ = writer.join();
        }
    }

    /// Reads everything back, through the first node that answers.
    pub fn audit(&self) -> Result<Audit, String> {
        let acknowledged = self.ledger.lock().acknowledged.clone();
        let mut why = String::new();
        for port in &self.ports {
            let read = Client::connect(*port, LONG).map_err(|error| error.to_string()).and_then(|mut client| {
                client.run("SET statement_timeout = '30s'")?;
                client.run("SELECT writer, n, count(*) FROM chaos_rows GROUP BY writer, n")
            });
            match read {
                Ok(rows) => {
                    let number = |row: &[String], at: usize| row.get(at).and_then(|text| text.parse::<u64>().ok());
                    let row = |row: &Vec<String>| {
                        let writer = u32::try_from(number(row, 0)?).ok()?;
                        Some(((writer, number(row, 1)?), usize::try_from(number(row, 2)?).ok()?))
                    };
                    let found: Option<BTreeMap<(u32, u64), usize>> = rows.iter().map(row).collect();
                    let found = found.ok_or("a row of the audit cannot be read")?;
                    return Ok(Ledger::audit(&acknowledged, &found));
                }
                Err(error) => why = error,
            }
        }
        Err(why)
    }
}

/// One writer: to its own node, and to the next one when that does not answer; after a while to its own again, so that they do
/// not all end up at the same one.
fn write(writer: u32, ports: &[u16], ledger: &Mutex<Ledger>, stop: &AtomicBool) {
    let home = writer as usize % ports.len();
    let mut at = home;
    let mut moved = Instant::now();
    let mut client: Option<Client> = None;
    for n in 0u64.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        if at != home && moved.elapsed() > AWAY {
            moved = Instant::now();
            if let Ok(new) = Client::connect(ports[home], PATIENCE) {
                (at, client) = (home, Some(new));
            }
        }
        let connected = match client.as_mut() {
            Some(client) => Ok(client),
            None => Client::connect(ports[at], PATIENCE).map(|new| client.insert(new)),
        };
        let begun = Instant::now();
        let told = match connected {
            Ok(client) => client.run(&format!("INSERT INTO chaos_rows VALUES ({writer}, {n})")),
            Err(error) => Err(named(&error)),
        };
        match told {
            Ok(_) => ledger.lock().acknowledge((writer, n), begun.elapsed()),
            Err(why) => {
                ledger.lock().fail(why);
                client = None;
                at = (at + 1) % ports.len();
                moved = Instant::now();
                thread::sleep(PAUSE * 5);
            }
        }
        thread::sleep(PAUSE);
    }
}

fn named(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "no answer in time".into(),
        io::ErrorKind::ConnectionRefused => "nobody listens".into(),
        // What the server said when it refused.
        io::ErrorKind::Other => error.to_string(),
        _ => "connection lost".into(),
    }
}

/// As much of a Postgres client as is needed: plain queries, rows as text.
struct Client(TcpStream);

impl Client {
    fn connect(port: u16, patience: Duration) -> io::Result<Client> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        let mut client = Client(stream);
        let mut startup = 196_608u32.to_be_bytes().to_vec();
        startup.extend(b"user\0quorate\0database\0quorate\0application_name\0chaos\0\0");
        client.0.write_all(&(startup.len() as u32 + 4).to_be_bytes())?;
        client.0.write_all(&startup)?;
        client.answers()?.map_err(io::Error::other)?;
        Ok(client)
    }

    /// The rows, or why not: an SQLSTATE, or what became of the connection.
    fn run(&mut self, sql: &str) -> Result<Vec<Vec<String>>, String> {
        let mut message = vec![b'Q'];
        message.extend((sql.len() as u32 + 5).to_be_bytes());
        message.extend(sql.as_bytes());
        message.push(0);
        let told = self.0.write_all(&message).and_then(|()| self.answers());
        told.unwrap_or_else(|error| Err(named(&error)))
    }

    /// Reads until the server is ready again.
    fn answers(&mut self) -> io::Result<Result<Vec<Vec<String>>, String>> {
        let (mut rows, mut failed) = (Vec::new(), None);
        loop {
            let mut head = [0; 5];
            self.0.read_exact(&mut head)?;
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
            let mut body = vec![0; length.saturating_sub(4)];
            self.0.read_exact(&mut body)?;
            match head[0] {
                b'Z' => return Ok(failed.map_or(Ok(rows), Err)),
                b'D' => rows.push(row(&body).ok_or(io::ErrorKind::InvalidData)?),
                b'E' => {
                    let code = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&b'C'));
                    failed = Some(String::from_utf8_lossy(code.map_or(&b"?"[..], |code| &code[1..])).into_owned());
                }
                _ => {}
            }
        }
    }
}

fn row(body: &[u8]) -> Option<Vec<String>> {
    let (count, mut rest) = body.split_first_chunk::<2>()?;
    let mut values = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
        values.push(String::from_utf8_lossy(after.get(..length)?).into_owned());
        rest = &after[length..];
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_finds_what_is_lost_and_what_is_doubled() {
        let acknowledged = BTreeSet::from([(0, 1), (0, 2), (1, 1)]);
        let all = BTreeMap::from([((0, 1), 1), ((0, 2), 1), ((1, 1), 1)]);
        let fine = Audit { acknowledged: 3, found: 3, ..Audit::default() };
        assert_eq!(Ledger::audit(&acknowledged, &all), fine);
        let wrong = BTreeMap::from([((0, 1), 2), ((1, 1), 1), ((1, 2), 1)]);
        let audit = Ledger::audit(&acknowledged, &wrong);
        assert_eq!((audit.lost, audit.doubled, audit.unsure), (1, 1, 1));
    }

    #[test]
    fn a_row_is_read() {
        assert_eq!(row(b"\0\x02\0\0\0\x011\xff\xff\xff\xff"), Some(vec!["1".to_owned(), String::new()]));
        assert_eq!(row(b"\0\x01\0\0\0\x05ab"), None);
    }
}
