//! A simulated machine: its disk, and the process on it while it runs.

use super::below::Trouble;
use super::gateway::{Gateway, Inbox, Peers, ProposeReply, ReadReply, Replica};
use super::oracle::TABLES;
use super::plan::{Bug, Plan};
use super::random::Random;
use super::schema;
use super::state::State;
use super::tasks::Process;
use quorate::clock::TOLERANCE;
use quorate::engine::checkpoint::Pace;
use quorate::engine::{Dialect, Engine, Options, Shared, Window};
use quorate::error::{SqlError, state};
use quorate::executor::Limits;
use quorate::gateway::router::{Router, TransactionLimits};
use quorate::gateway::{Control, Fetched, ReadRequest, Rows as _};
use quorate::host::Host as _;
use quorate::id::{GroupId, NodeId, ReplicaId};
use quorate::raftlog::memory::MemoryLog;
use quorate::raftlog::{LogReader as _, LogWrite, RaftLog as _, finish_install};
use quorate::replica::apply::{Applier, Building};
use quorate::replica::conductor::contract::{Action, ApplyJob, Askers, Input, LogJob, Member, Now, Time};
use quorate::replica::conductor::{Conductor, Settings};
use quorate::replica::core::{Core, CoreConfig, Start, StartError, bootstrap};
use quorate::replica::fitness::Syncs;
use quorate::replica::handle::GroupLeadership;
use quorate::replica::waiting::{Outcomes, Readers};
use quorate::replica::{Position, StateMachine as _};
use quorate::sql::catalog::Catalog;
use quorate::value::{Value, ValueRef};
use quorate::version::Migration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub const GROUP: GroupId = GroupId(2);
/// Between campaigns of successors, µs.
const CAMPAIGN_STEP: i64 = 10_000;
/// No clock is further off, µs.
const BOUNDLESS: i64 = 10_000_000_000_000_000;
/// Units that a command may take: more than any definition, and little enough to be spent in a run.
const WORK: u64 = 400_000;

/// The Raft log of a machine, and what of it would survive a loss of power.
pub struct Disk {
    pub log: MemoryLog,
    unsynced: Vec<LogWrite>,
    terms: BTreeMap<u64, u64>,
    cut: u64,
}

impl Disk {
    fn new() -> Disk {
        Disk { log: MemoryLog::new(), unsynced: Vec::new(), terms: BTreeMap::new(), cut: 0 }
    }

    pub fn write(&mut self, batch: &[LogWrite], sync: bool) {
        self.log.write(batch, sync).expect("memory");
        self.unsynced.extend_from_slice(batch);
        if !sync {
            return;
        }
        for write in self.unsynced.drain(..) {
            match write {
                LogWrite::Append(_, entries) => {
                    let Some(first) = entries.first() else { continue };
                    self.terms.split_off(&first.index);
                    self.terms.extend(entries.iter().map(|e| (e.index, e.term)));
                }
                LogWrite::Compact(_, to) => {
                    self.cut = self.cut.max(to.index);
                    self.terms = self.terms.split_off(&(to.index + 1));
                }
                LogWrite::Reset(_, to, _) => {
                    self.cut = to.index;
                    self.terms.clear();
                }
                _ => {}
            }
        }
    }

    pub fn lose_power(&mut self) {
        self.log.lose_power();
        self.unsynced.clear();
    }

    /// Loses the last entries although they were synced.
    pub fn lose_tail(&mut self, entries: u64) {
        let found = self.log.load(GROUP).expect("memory");
        let first = found.record.truncated.index + 1;
        let keep = found.last.index.saturating_sub(entries).max(first);
        if keep < found.last.index {
            let last = self.log.entries(GROUP, keep, keep + 1, u64::MAX).expect("there");
            self.write(&[LogWrite::Append(GROUP, last)], true);
        }
    }

    /// The entries from here on are others, of an earlier term.
    pub fn bring_back(&mut self, from: u64) {
        let found = self.log.load(GROUP).expect("memory");
        let first = (found.record.truncated.index + 1).max(from);
        if first > found.last.index {
            return;
        }
        let mut old = self.log.entries(GROUP, first, found.last.index + 1, u64::MAX).expect("there");
        let before = if first == found.record.truncated.index + 1 {
            found.record.truncated.term
        } else {
            self.log.term(GROUP, first - 1).expect("memory").unwrap_or(0)
        };
        old.retain(|entry| entry.term > before.max(1));
        old.iter_mut().for_each(|entry| {
            entry.term = before.max(1);
            entry.data = bytes::Bytes::new();
        });
        if !old.is_empty() {
            self.write(&[LogWrite::Append(GROUP, old)], true);
        }
    }

    /// The entry would survive a loss of power, or the state that contains it.
    pub fn has(&self, at: Position) -> bool {
        at.index <= self.cut || self.terms.get(&at.index) == Some(&at.term)
    }
}

/// Somebody who waits for an outcome or for an index.
pub enum Who {
    Client { client: usize, operation: i64 },
    Proposer(ProposeReply),
    Reader(ReadReply),
}

/// Those who ask a simulated node.
pub struct Crowd;

impl Askers for Crowd {
    type Proposer = Who;
    type Reader = Who;
    type Changer = ();

    fn has_left(reader: &Who) -> bool {
        matches!(reader, Who::Reader(reply) if reply.is_closed())
    }
}

/// The gateway of a process, and what it stands on.
pub struct Served {
    pub process: Arc<Process>,
    pub replica: Replica,
    pub peers: Peers,
    pub router: Arc<Gateway>,
}

/// A process.
pub struct Live {
    pub conductor: Conductor<Crowd>,
    pub applier: Applier,
    pub state: State,
    pub shared: Arc<Shared>,
    /// What the log thread has to do, and whether it is at it.
    pub jobs: VecDeque<LogJob<Crowd>>,
    pub writing: bool,
    pub syncs: Syncs,
    /// What the applier has to do, and whether it has a turn to come.
    pub applies: VecDeque<ApplyJob>,
    pub applying: bool,
    pub building: VecDeque<(PathBuf, Building)>,
    pub outcomes: Outcomes<Who>,
    pub readers: Readers<Who>,
    /// The conductor has taken something, and is to decide soon.
    pub draining: bool,
    /// When it is to be given time next.
    pub alarm: Option<u64>,
    /// What it has said of itself.
    pub leadership: GroupLeadership,
    pub time: Time,
    /// Where it was told that replicas live, and which nodes are to go.
    pub told: (BTreeMap<ReplicaId, NodeId>, BTreeSet<NodeId>),
    pub gateway: Option<Served>,
}

impl Live {
    pub fn core(&self) -> &Core {
        self.conductor.core(GROUP).expect("its only group")
    }

    pub fn applied(&self) -> u64 {
        self.shared.applied()
    }

    /// All who wait for something. Nobody does any more.
    pub fn everybody(&mut self) -> Vec<Who> {
        let mut all: Vec<Who> = self.outcomes.take().chain(self.readers.take()).collect();
        self.conductor.take(Input::Stop, Now::default(), &mut || 0);
        all.extend(
            self.conductor
                .actions()
                .filter_map(|action| match action {
                    Action::Appended { replies, .. } => Some(replies.into_iter().flatten().collect()),
                    Action::Refuse { reply, .. } | Action::ReadAt { reply, .. } | Action::RefuseRead { reply, .. } => {
                        Some(vec![reply])
                    }
                    _ => None,
                })
                .flatten(),
        );
        all
    }
}

/// What becomes of the next write to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskState {
    Good,
    FailsOnce,
    Fails,
}

/// A machine.
pub struct Node {
    pub id: u64,
    pub disk: Disk,
    directory: PathBuf,
    pub live: Option<Live>,
    /// Counts the processes: what was meant for an earlier one is void.
    pub epoch: u64,
    pub paused_until: u64,
    pub skew: i64,
    pub tick: u64,
    pub full: bool,
    pub down_since: u64,
    /// Syncs of the log are slow until then.
    pub slow_until: u64,
    pub disk_state: DiskState,
    /// What the disk below the state machine does.
    pub below: Option<Trouble>,
    /// A bit of the database file has turned over.
    pub rotten: bool,
    /// What the last process had promised to keep.
    promised: u64,
    /// Number of the WAL's run when the process ended, and how long it was known to be synced.
    synced_wal: (u32, u64),
}

fn dialect() -> Dialect {
    Dialect {
        register: Arc::new(|_, _| Ok(())),
        load_catalog: Arc::new(|_, _| Ok(Catalog::default())),
        decode_error: |_| None,
        explain_error: Arc::new(|_, failure, _| SqlError::new(state::UNIQUE_VIOLATION, failure.message)),
        show_view: |_, _, _, _| None,
    }
}

/// What a server tells its state machine of SQL.
pub fn real_dialect() -> Dialect {
    Dialect {
        register: Arc::new(quorate::functions::sqlite::register),
        load_catalog: Arc::new(|known, rows| Catalog::load(known, rows)),
        decode_error: quorate::functions::sqlite::decode_error,
        explain_error: Arc::new(quorate::sql::violation::explain),
        show_view: quorate::sql::view::shown,
    }
}

impl Node {
    pub fn new(id: u64, root: &Path, plan: &Plan) -> Node {
        let voters = (1..=plan.nodes).map(|n| (ReplicaId(n), NodeId(n))).collect();
        let mut node = Node::empty(id, root);
        node.disk.write(&bootstrap(GROUP, &voters), true);
        node
    }

    /// A machine that knows nothing.
    pub fn empty(id: u64, root: &Path) -> Node {
        let disk = Disk::new();
        let directory = root.join(format!("n{id}"));
        let (skew, tick) = (0, super::plan::TICK);
        let (live, epoch, paused_until, full, promised) = (None, 0, 0, false, 0);
        let (down_since, synced_wal) = (0, (0, 0));
        let (slow_until, disk_state, below, rotten) = (0, DiskState::Good, None, false);
        Node {
            id,
            disk,
            directory,
            live,
            epoch,
            paused_until,
            skew,
            tick,
            full,
            promised,
            down_since,
            synced_wal,
            slow_until,
            disk_state,
            below,
            rotten,
        }
    }

    fn options(&self, plan: &Plan) -> Options {
        self.options_at(&self.directory, plan)
    }

    fn options_at(&self, directory: &Path, plan: &Plan) -> Options {
        let (dialect, mut migrations) = match plan.sessions {
            0 => (dialect(), Vec::new()),
            _ => (real_dialect(), schema::migrations()),
        };
        migrations.push(Migration::first(migrations.len() as u32 + 1, TABLES));
        Options {
            migrations,
            window: Window { commands: plan.window, ..Window::default() },
            // All checkpoints by the one thread there is.
            pace: Pace { background: 1 << 24, inline: plan.checkpoint_frames, wait: u32::MAX },
            work: if plan.bug == Some(Bug::OwnBudget) && self.id == 2 { WORK / 100 } else { WORK },
            ..Options::new(directory, dialect)
        }
    }

    fn config(&self, plan: &Plan, boot: u64) -> CoreConfig {
        CoreConfig {
            max_append: plan.max_append,
            max_inflight: plan.max_inflight,
            max_unapplied: plan.max_unapplied,
            max_waiting: plan.max_waiting,
            max_batch_commands: plan.max_batch_commands,
            cache: plan.cache,
            read_retry_ticks: plan.read_retry,
            rest_ticks: plan.rest,
            compact_step: plan.compact_step,
            compact_keep: plan.compact_keep,
            compact_max_lag: plan.compact_max_lag,
            believes_everything: plan.bug == Some(Bug::BelievesEverything),
            ..CoreConfig::new(GROUP, ReplicaId(self.id), boot)
        }
    }

    /// Starts a process as the driver does.
    pub fn start(
        &mut self,
        plan: &Plan,
        boot: u64,
        began: i64,
        nodes: BTreeMap<ReplicaId, NodeId>,
    ) -> Result<(), StartFailure> {
        let failed = |e: String| StartFailure::Engine(e);
        self.found(plan);
        let (engine, shared) = Engine::open(self.options(plan)).map_err(|e| failed(e.to_string()))?;
        let mut applied = engine.applied();
        if applied.index < self.promised {
            return Err(failed(format!("{} was durable, {} is there", self.promised, applied.index)));
        }
        if plan.bug != Some(Bug::TrustUnsyncedLog) {
            self.disk.write(&[], true);
        }
        finish_install(&self.disk.log, GROUP, applied).map_err(|e| failed(e.to_string()))?;
        let mut log = self.disk.log.load(GROUP).map_err(|e| failed(e.to_string()))?;
        if plan.bug == Some(Bug::LostTailUnnoticed) {
            let hard = &mut log.record.hard_state;
            hard.commit = hard.commit.min(log.last.index);
            applied = if applied.index > log.last.index { log.last } else { applied };
        }
        if plan.bug == Some(Bug::OldTailUnnoticed)
            && let Ok(Some(term)) = self.disk.log.term(GROUP, applied.index)
        {
            applied.term = term;
        }
        let unnoticed = matches!(plan.bug, Some(Bug::LostTailUnnoticed | Bug::OldTailUnnoticed));
        let reached = if unnoticed { applied } else { engine.reached() };
        let floor = if plan.bug == Some(Bug::ForgetTime) { i64::MIN } else { engine.clock_floor() };
        let doubt = engine.brake().start(applied.index);
        let start = Start { log, applied, membership: engine.membership(), reached, floor, doubt };
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let config = self.config(plan, boot);
        let core = Core::new(config, Arc::new(self.disk.log.clone()), start, &logger).map_err(StartFailure::Refused)?;
        let state = State::new(engine, self.id, plan.bug);
        // Noting each entry that is found in the log takes time, and seldom matters.
        let risky = if plan.seed.is_multiple_of(4) { core.last_index() } else { 0 };
        let applier = Applier::new(GROUP, Box::new(state.clone()), risky, plan.trouble as i64, false);
        let settings = Settings {
            node: NodeId(self.id),
            tick: self.tick as i64,
            campaign_step: CAMPAIGN_STEP,
            clock_tolerance: if plan.bug == Some(Bug::UnboundedClock) { BOUNDLESS } else { TOLERANCE },
        };
        let mut conductor = Conductor::new(settings, began);
        let told = (nodes.clone(), BTreeSet::new());
        let member = Member { group: GROUP, core, nodes, lost: None };
        conductor.take(Input::AddGroup(Box::new(member)), Now::default(), &mut || 0);
        self.live = Some(Live {
            conductor,
            applier,
            state,
            shared,
            jobs: VecDeque::new(),
            writing: false,
            syncs: Syncs::default(),
            applies: VecDeque::new(),
            applying: false,
            building: VecDeque::new(),
            outcomes: Outcomes::default(),
            readers: Readers::default(),
            draining: false,
            alarm: None,
            leadership: GroupLeadership::default(),
            time: Time::default(),
            told,
            gateway: None,
        });
        Ok(())
    }

    /// Every new database is the same: it is made once, and copied.
    fn found(&self, plan: &Plan) {
        static PLAIN: OnceLock<Founded> = OnceLock::new();
        static SQL: OnceLock<Founded> = OnceLock::new();
        if self.directory.join("current").exists() {
            return;
        }
        let founded = if plan.sessions == 0 { &PLAIN } else { &SQL };
        founded.get_or_init(|| Founded::new(|directory| self.options_at(directory, plan))).copy(&self.directory);
    }

    /// Gives the process a gateway.
    pub fn serve(&mut self, plan: &Plan, process: Arc<Process>, inbox: &Inbox) {
        let Some(live) = &mut self.live else { return };
        let replica = Replica::new(process.clone(), inbox.clone(), plan.nodes);
        let peers = Peers::new(process.clone(), inbox.clone());
        let executor = Limits {
            lease: Duration::from_micros(plan.lease),
            idle: Duration::from_micros(plan.idle.0),
            idle_strict: Duration::from_micros(plan.idle.1),
            ..Limits::default()
        };
        let transcript = quorate::transaction::Limits { bytes: 16 << 20, steps: 10_000 };
        let limits = TransactionLimits { transcript, executor };
        let shared = live.shared.clone();
        let way = peers.clone();
        let router = Router::new(NodeId(self.id), GROUP, replica.clone(), shared, way, process.clone(), limits);
        process.spawn(Box::pin(router.attend()));
        let router = Arc::new(router);
        process.spawn(Box::pin(router.tend()));
        live.gateway = Some(Served { process, replica, peers, router });
    }

    fn wal(&self) -> Option<PathBuf> {
        let number = std::fs::read_to_string(self.directory.join("current")).ok()?;
        Some(self.directory.join(format!("db-{}.sqlite-wal", number.trim())))
    }

    /// Which run of the WAL this is, and its length.
    fn wal_state(&self) -> (u32, u64) {
        let Some(Ok(mut file)) = self.wal().map(std::fs::File::open) else { return (0, 0) };
        let mut header = [0; 16];
        let length = file.metadata().map_or(0, |m| m.len());
        match file.read_exact(&mut header) {
            Ok(()) => (u32::from_be_bytes([header[12], header[13], header[14], header[15]]), length),
            Err(_) => (0, length),
        }
    }

    /// Up to where SQLite has begun to copy the WAL into the database file. It syncs the WAL before, and a
    /// checkpoint that an open view has kept from completing has done so too.
    fn copied(&self) -> u64 {
        let shm = self.wal().map(|wal| wal.with_extension("sqlite-shm"));
        let Some(Ok(mut file)) = shm.map(std::fs::File::open) else { return 0 };
        let mut index = [0; 136];
        if file.read_exact(&mut index).is_err() {
            return 0;
        }
        // A new run has begun in the index, and its header could not be written: the file is of the run before, of which
        // everything was copied.
        let header = self.wal().and_then(|wal| std::fs::read(wal).ok()).filter(|bytes| bytes.len() >= 32);
        if header.is_some_and(|bytes| bytes[16..24] != index[32..40]) {
            return u64::MAX;
        }
        // The index of the WAL, in the machine's order: the page size, and the frames of the last attempt.
        let page = u64::from(u16::from_ne_bytes([index[14], index[15]]));
        let page = if page == 1 { 65536 } else { page };
        let frames = u64::from(u32::from_ne_bytes([index[128], index[129], index[130], index[131]]));
        32 + frames * (24 + page)
    }

    /// What of the WAL a loss of power would leave for certain. SQLite's index of the WAL says it, as long as the process lives:
    /// SQLite syncs the WAL before it copies, and copies nothing else.
    fn note_sync(&mut self) {
        let (run, length) = self.wal_state();
        self.synced_wal = (run, self.copied().min(length));
    }

    /// Ends the process. What it was writing may have reached the operating system.
    pub fn crash(&mut self, power: bool, random: &mut Random, plan: &Plan) -> Option<Live> {
        if power && self.live.is_some() {
            self.note_sync();
        }
        let mut live = self.live.take()?;
        self.epoch += 1;
        self.promised = live.state.look().engine.durable();
        if live.writing && random.one_in(2) {
            let writes = live.jobs.pop_front().map(|job| job.writes).unwrap_or_default();
            self.disk.write(&writes, false);
        }
        Some(live).inspect(|_| {
            if power {
                self.disk.lose_power();
                match plan.bug {
                    Some(Bug::LostTail | Bug::LostTailUnnoticed) => self.disk.lose_tail(random.range(1, 6)),
                    Some(Bug::OldTail | Bug::OldTailUnnoticed) => {
                        self.disk.bring_back(self.promised.saturating_sub(random.range(0, 6)))
                    }
                    _ => {}
                }
            }
        })
    }

    /// Turns a bit of the database file over; the process must be gone. With `hidden` it is one of a list of the first table,
    /// and the checksum of its page is made good. True if it was done.
    pub fn rot(&mut self, random: &mut Random, hidden: Option<&str>) -> bool {
        const PAGE: usize = 4096;
        const SUM: usize = PAGE - 8;
        let Some(path) = self.wal().map(|wal| wal.with_extension("sqlite")) else { return false };
        let Ok(mut bytes) = std::fs::read(&path) else { return false };
        let at = match hidden {
            None => random.range(0, bytes.len() as u64) as usize,
            Some(text) => match bytes.windows(text.len().max(1)).position(|window| window == text.as_bytes()) {
                Some(at) => at,
                None => return false,
            },
        };
        bytes[at] ^= if hidden.is_some() { 1 } else { 1 << random.range(0, 8) };
        if hidden.is_some() {
            let page = at / PAGE;
            let sum = xxh3_64_with_seed(&bytes[page * PAGE..][..SUM], page as u64 + 1);
            bytes[page * PAGE + SUM..][..8].copy_from_slice(&sum.to_le_bytes());
        }
        std::fs::write(&path, bytes).expect("the simulation's directory is writable");
        true
    }

    /// Cuts the database's WAL as a loss of power would: anywhere behind what was synced, with a torn end. The process
    /// must be gone.
    pub fn tear_wal(&mut self, random: &mut Random) {
        let Some(path) = self.wal() else { return };
        let Ok(mut bytes) = std::fs::read(&path) else { return };
        let (run, synced) = self.synced_wal;
        // A new run begins with a synced header; nothing that it overwrites is needed any more.
        let kept = if self.wal_state().0 == run { synced } else { 32 };
        let length = bytes.len() as u64;
        if kept >= length {
            return;
        }
        let at = random.pick(&[kept, random.clone().range(kept, length), length - 1]);
        match random.one_in(2) {
            true => bytes.truncate(at as usize),
            false => bytes[at as usize] ^= 0x5a,
        }
        std::fs::write(&path, bytes).expect("the simulation's directory is writable");
        let shm = path.with_extension("sqlite-shm");
        let _ = std::fs::remove_file(shm);
    }
}

/// The files of a database that nobody has used yet.
struct Founded(Vec<(OsString, Vec<u8>)>);

impl Founded {
    fn new(options: impl Fn(&Path) -> Options) -> Founded {
        let directory = tempfile::tempdir().expect("a temporary directory");
        drop(Engine::open(options(directory.path())).expect("a new database"));
        let files = std::fs::read_dir(directory.path()).expect("the database's directory");
        let files = files.map(|file| file.expect("a file of the database"));
        // The index of the WAL is made anew by whoever opens it.
        let kept = files.filter(|file| !file.file_name().to_string_lossy().ends_with("-shm"));
        Founded(kept.map(|file| (file.file_name(), std::fs::read(file.path()).expect("a file"))).collect())
    }

    fn copy(&self, directory: &Path) {
        std::fs::create_dir_all(directory).expect("the simulation's directory is writable");
        for (name, bytes) in &self.0 {
            std::fs::write(directory.join(name), bytes).expect("the simulation's directory is writable");
        }
    }
}

pub enum StartFailure {
    Engine(String),
    Refused(StartError),
}

/// Runs a query on what is applied.
pub fn query(shared: &Arc<Shared>, sql: &str) -> Result<Vec<Vec<Value>>, String> {
    let request = ReadRequest {
        sql: Arc::from(sql),
        params: Vec::new(),
        context: Default::default(),
        signals: false,
        schema_version: shared.schema_version(),
        linearizable: false,
        control: Control::until(Instant::now() + Duration::from_secs(3600)),
    };
    let mut cursor = futures::executor::block_on(shared.read(request)).map_err(|e| format!("{e:?}"))?;
    let mut rows: Vec<Vec<Value>> = Vec::new();
    loop {
        let sink = &mut |row: &[ValueRef<'_>]| {
            rows.push(row.iter().map(|&value| ValueRef::to_owned(value)).collect());
            Ok(())
        };
        match cursor.fetch(1000, false, sink) {
            Ok(Fetched::Done) => return Ok(rows),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}
