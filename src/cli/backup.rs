//! `quorate backup` and `quorate restore`: between a cluster and a directory of backups.

use super::{AskError, Target, post};
use crate::admin::backup::{Arrival, BackupOrder, Progress, RestoreOrder};
use crate::admin::client::{Way, get_json, wait_for};
use crate::backup::keeper::Keeper;
use crate::backup::manifest::{Database, Manifest};
use crate::backup::piece::{Key, Sum};
use crate::backup::segment::Until;
use crate::backup::{plan, proof, replay};
use crate::clock::{POSTGRES_EPOCH_MICROS, now_micros};
use crate::depot;
use crate::engine;
use crate::pki::{private_dir, write_private};
use crate::status::ClusterStatus;
use clap::{Args, Subcommand};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long one question to a node may take.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);
/// The group whose database has the cluster's roles, and the one that is no database.
const HOME: u64 = 2;
const SYSTEM: u64 = 1;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct BackupArgs {
    #[command(subcommand)]
    command: Option<BackupCommand>,
    /// A directory for backups, or s3://BUCKET/PREFIX; what is there already is not written again
    #[arg(long, value_name = "PLACE", required = true)]
    to: Option<String>,
    /// Only this database; can be said several times
    #[arg(long, value_name = "NAME")]
    database: Vec<String>,
    #[command(flatten)]
    seal: Seal,
    #[command(flatten)]
    target: Target,
}

#[derive(Subcommand)]
enum BackupCommand {
    /// Show which backups there are
    List(From),
    /// Put a backup together, and compare it with what the cluster's replicas had
    Verify {
        #[command(flatten)]
        from: From,
        /// Which one; the newest if not given
        #[arg(long, value_name = "ID", conflicts_with = "all")]
        backup: Option<String>,
        /// All of them
        #[arg(long)]
        all: bool,
        /// Where there is room for one database
        #[arg(long, value_name = "DIR")]
        scratch: Option<PathBuf>,
    },
    /// Remove old backups, and what no other one needs
    Prune {
        #[command(flatten)]
        from: From,
        /// How many of the newest stay
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        keep: u32,
    },
    /// Make a key that seals backups
    Key {
        /// A new file for it
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

#[derive(Args)]
struct From {
    /// Where the backups are: a directory, or s3://BUCKET/PREFIX
    #[arg(long = "from", value_name = "PLACE")]
    place: String,
    #[command(flatten)]
    seal: Seal,
}

#[derive(Args)]
struct Seal {
    /// A file with the key that the backups are sealed with; `quorate backup key` makes one
    #[arg(long, value_name = "FILE", env = "QUORATE_BACKUP_KEY_FILE")]
    key_file: Option<PathBuf>,
}

#[derive(Args)]
pub struct RestoreArgs {
    #[command(flatten)]
    from: From,
    /// Which backup; the newest if not given
    #[arg(long, value_name = "ID")]
    backup: Option<String>,
    /// Only this database, without roles; can be said several times
    #[arg(long, value_name = "NAME")]
    database: Vec<String>,
    /// What the database is to be called
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// With the transactions before this time that are in the kept log: 2026-01-31T12:30:00Z, or latest
    #[arg(long, value_name = "TIME", conflicts_with = "index")]
    at: Option<String>,
    /// With the entries up to this one that are in the kept log
    #[arg(long, value_name = "N")]
    index: Option<u64>,
    /// Where there is room for one database, to bring it to that moment
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

impl RestoreArgs {
    /// The moment that is wanted; without, that of the backup.
    fn until(&self) -> Result<Option<Until>, String> {
        match (self.at.as_deref(), self.index) {
            (None, None) => Ok(None),
            (Some("latest"), _) => Ok(Some(Until::End)),
            (Some(text), _) => moment(text).map(|time| Some(Until::Time(time))),
            (None, Some(index)) if self.database.len() == 1 => Ok(Some(Until::Index(index))),
            (None, Some(_)) => Err("each database has entries of its own\n  say one with --database".into()),
        }
    }
}

/// µs since 2000-01-01 00:00 UTC.
fn moment(text: &str) -> Result<i64, String> {
    let time: jiff::Timestamp = text.trim().parse().map_err(|_| {
        format!(
            "\"{text}\" is no time\n  write it with its zone, as in 2026-01-31T12:30:00.5Z or 2026-01-31 13:30:00.5+01"
        )
    })?;
    Ok(time.as_microsecond() - POSTGRES_EPOCH_MICROS)
}

pub fn run(args: BackupArgs) -> Result<(), String> {
    match args.command {
        None => take(&args),
        Some(BackupCommand::List(from)) => list(&from),
        Some(BackupCommand::Verify { from, backup, all, scratch }) => verify(&from, backup.as_deref(), all, scratch),
        Some(BackupCommand::Prune { from, keep }) => prune(&from, keep as usize),
        Some(BackupCommand::Key { out }) => key(&out),
    }
}

impl From {
    fn open(&self) -> Result<Keeper, String> {
        depot::open(&self.place, self.seal.key_file.as_deref(), false)
    }
}

fn key(out: &Path) -> Result<(), String> {
    if out.exists() {
        return Err(format!("{} is there already", out.display()));
    }
    write_private(out, &format!("{}\n", Key::text(rand::random()))).map_err(|e| format!("{}: {e}", out.display()))?;
    println!("{}\nWithout it no backup that is sealed with it can be read: keep a copy elsewhere.", out.display());
    Ok(())
}

// --- a line that shows how far something is -------------------------------------------------------------------------

/// A bar in the terminal; nothing, if nobody looks.
struct Bar {
    shown: bool,
    what: String,
}

impl Bar {
    fn new(what: impl Into<String>) -> Bar {
        Bar { shown: std::io::stderr().is_terminal(), what: what.into() }
    }

    fn show(&self, doing: &str, done: u64, of: u64) {
        if self.shown {
            let share = |n: u64| (u128::from(done) * u128::from(n)).checked_div(of.into()).unwrap_or(0) as usize;
            let bar = "#".repeat(share(30).min(30));
            eprint!("\r\x1b[K[{bar:<30}] {:>3} % {}: {doing}", share(100).min(100), self.what);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}

// --- asking nodes ---------------------------------------------------------------------------------------------------

/// The status of the first node that answers, and its address.
fn status(target: &Target, way: &Way) -> Result<(String, ClusterStatus), String> {
    let mut last = String::new();
    for addr in target.addresses()? {
        match get_json::<ClusterStatus>(&addr, "/status", way) {
            Ok(status) => return Ok((addr, status)),
            Err(why) => last = format!("{addr}: {why}"),
        }
    }
    Err(format!("no node answers ({last})\n  is one running?"))
}

fn order<T: serde::Serialize>(addr: &str, path: &str, order: &T, way: &Way) -> Result<Progress, AskError> {
    let said = post(addr, path, order, way)?;
    serde_json::from_slice(&said.body).map_err(|e| AskError::Unanswered(e.to_string()))
}

fn why(error: AskError) -> String {
    match error {
        AskError::Unanswered(why) | AskError::Refused(why) => why,
    }
}

/// Asks after something until it has come to an end.
fn await_end(addr: &str, path: &str, id: u64, way: &Way, bar: &Bar) -> Result<Progress, String> {
    let path = format!("{path}?id={id}");
    let mut silent = 0;
    loop {
        match get_json::<Progress>(addr, &path, way) {
            Ok(Progress { failed: Some(why), .. }) => return Err(why),
            Ok(progress) if progress.made.is_some() || progress.restored.is_some() => return Ok(progress),
            Ok(progress) => {
                silent = 0;
                bar.show(&progress.doing, progress.done, progress.of);
            }
            Err(why) if silent >= 20 => return Err(why),
            Err(_) => silent += 1,
        }
        std::thread::sleep(LOOK);
    }
}

// --- backup ---------------------------------------------------------------------------------------------------------

fn take(args: &BackupArgs) -> Result<(), String> {
    let place = args.to.as_deref().unwrap_or_default();
    let way = args.target.way()?;
    let (_, status) = status(&args.target, &way)?;
    let keeper = depot::open(place, args.seal.key_file.as_deref(), true)?;
    let begun = now_micros();
    let id = plan::id(begun, rand::random());
    keeper.begin(&id)?;
    let taken = take_all(args, &keeper, &way, &status);
    let (cluster_id, databases, written) = match taken {
        Ok(taken) => taken,
        Err(why) => {
            // What was written stays, for the next one.
            let _ = keeper.abandon(&id);
            return Err(why);
        }
    };
    let manifest = Manifest {
        id: id.clone(),
        cluster: status.cluster,
        cluster_id,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        begun,
        completed: now_micros(),
        whole: args.database.is_empty(),
        databases,
    };
    keeper.complete(&manifest)?;
    let all: u64 = manifest.databases.iter().map(|database| database.length).sum();
    println!("backup {id} in {place}: {}, of which {} were not there yet", size(all), size(written));
    Ok(())
}

/// The cluster's number, its databases, and how many bytes were written for them.
fn take_all(
    args: &BackupArgs,
    keeper: &Keeper,
    way: &Way,
    status: &ClusterStatus,
) -> Result<(String, Vec<Database>, u64), String> {
    let mut groups: Vec<_> = status.groups.iter().filter(|group| group.id != SYSTEM).collect();
    if let Some(unknown) = args.database.iter().find(|name| !groups.iter().any(|group| group.database == **name)) {
        return Err(format!("there is no database \"{unknown}\", or nobody has used it yet"));
    }
    groups.retain(|group| args.database.is_empty() || args.database.contains(&group.database));
    // At the end: whoever owns something in another one is there then.
    groups.sort_by_key(|group| (group.id == HOME, group.id));
    let (mut databases, mut written) = (Vec::new(), 0);
    for group in groups {
        let name = &group.database;
        match take_one(keeper, way, status, name) {
            Ok((database, new)) => {
                let Database { index, digest, votes, voters, node, length, .. } = &database;
                let size = size(*length);
                println!(
                    "{name}: {size} as of entry {index}, digest {digest} by {votes} of {voters} replicas, from {node}"
                );
                written += new;
                databases.push(database);
            }
            Err(why) if args.database.is_empty() && is_gone(args, way, name) => {
                println!("{name}: dropped meanwhile ({why})");
            }
            Err(why) => return Err(format!("{name}: {why}")),
        }
    }
    Ok((status.cluster_id.clone(), databases, written))
}

fn is_gone(args: &BackupArgs, way: &Way, name: &str) -> bool {
    status(&args.target, way).is_ok_and(|(_, now)| !now.groups.iter().any(|group| group.database == name))
}

/// Has a node copy a database, a follower if there is one, and takes what is not there yet.
fn take_one(keeper: &Keeper, way: &Way, status: &ClusterStatus, name: &str) -> Result<(Database, u64), String> {
    let mut replicas: Vec<_> =
        status.replicas.iter().filter(|replica| replica.database == name && replica.state == "ok").collect();
    replicas.sort_by_key(|replica| (replica.role != "follower", replica.role == "leader", replica.lag));
    let mut failed = "it has no replica that is well".to_owned();
    for replica in replicas {
        let node = status.nodes.iter().find(|node| node.node == replica.node);
        let Some(addr) = node.map(|node| node.http_addr.as_str()) else { continue };
        let bar = Bar::new(name);
        match order(addr, "/backup", &BackupOrder::Begin { database: name.to_owned() }, way) {
            Ok(progress) => {
                let taken = take_pieces(keeper, way, addr, progress.id, &bar);
                let _ = order(addr, "/backup", &BackupOrder::End { id: progress.id }, way);
                match taken {
                    Ok(taken) => return Ok(taken),
                    Err(Trouble::Here(why)) => return Err(why),
                    Err(Trouble::There(why)) => failed = format!("{}: {why}", replica.node),
                }
            }
            Err(AskError::Unanswered(why)) => failed = format!("{}: {why}", replica.node),
            Err(AskError::Refused(why)) => return Err(why),
        }
    }
    Err(failed)
}

/// Whether another node may do better.
enum Trouble {
    Here(String),
    There(String),
}

fn take_pieces(keeper: &Keeper, way: &Way, addr: &str, id: u64, bar: &Bar) -> Result<(Database, u64), Trouble> {
    let made = await_end(addr, "/backup", id, way, bar).map_err(Trouble::There)?;
    let database = made.made.ok_or_else(|| Trouble::There("it says of no database that it is copied".to_owned()))?;
    let (mut done, mut written) = (0, 0);
    for (number, (sum, length)) in database.parts().enumerate() {
        bar.show("taking what is new", done, database.length);
        if !keeper.has(sum, length).map_err(Trouble::Here)? {
            let path = format!("/backup/piece?id={id}&piece={number}");
            let said = wait_for(way.ask(addr, &path, None, PATIENCE)).map_err(Trouble::There)?;
            if !said.is_success() {
                return Err(Trouble::There(said.text()));
            }
            if Sum::of(&said.body) != sum {
                return Err(Trouble::There(format!("piece {number} is not what was announced")));
            }
            keeper.put(sum, said.body.to_vec()).map_err(Trouble::Here)?;
            written += length;
        }
        done += length;
    }
    Ok((database, written))
}

// --- what is there --------------------------------------------------------------------------------------------------

fn list(from: &From) -> Result<(), String> {
    let content = from.open()?.list()?;
    for (id, manifest) in &content.backups {
        match manifest {
            Ok(manifest) => {
                println!("{id}  {}  cluster {}", time(manifest.completed), manifest.cluster);
                for d in &manifest.databases {
                    println!("    {}: {} as of entry {}, {}", d.name, size(d.length), d.index, time(d.time));
                }
            }
            Err(why) => println!("{id}  cannot be used: {why}"),
        }
    }
    content.unfinished.iter().for_each(|id| println!("{id}  begun, and not completed"));
    if content.backups.is_empty() && content.unfinished.is_empty() {
        println!("there is no backup");
    }
    Ok(())
}

fn prune(from: &From, keep: usize) -> Result<(), String> {
    let pruned = from.open()?.prune(keep)?;
    pruned.backups.iter().for_each(|id| println!("{id} is removed"));
    println!("{} pieces and {} parts of logs that no backup needs are removed", pruned.pieces, pruned.segments);
    Ok(())
}

/// A directory that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(below: Option<PathBuf>) -> Result<Scratch, String> {
        let dir = below.unwrap_or_else(std::env::temp_dir).join(format!("quorate-{:016x}", rand::random::<u64>()));
        private_dir(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        Ok(Scratch(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn verify(from: &From, backup: Option<&str>, all: bool, scratch: Option<PathBuf>) -> Result<(), String> {
    let keeper = from.open()?;
    let listed = keeper.list()?.backups;
    let chosen: Vec<_> = match all {
        true => listed,
        false => plan::choose(listed, backup).map(|manifest| vec![(manifest.id.clone(), Ok(manifest))])?,
    };
    let scratch = Scratch::new(scratch)?;
    let mut sound = true;
    for (id, manifest) in chosen {
        match manifest {
            Ok(manifest) => sound &= verify_one(&keeper, &manifest, &scratch),
            Err(why) => {
                println!("{id}: cannot be used: {why}");
                sound = false;
            }
        }
    }
    if sound { Ok(()) } else { Err("not everything is as it was written".into()) }
}

fn verify_one(keeper: &Keeper, manifest: &Manifest, scratch: &Scratch) -> bool {
    let mut sound = true;
    for database in &manifest.databases {
        let (id, name) = (&manifest.id, &database.name);
        match prove(keeper, database, scratch) {
            Ok(()) => println!(
                "{id}: {name}: restored, and equal to what {} of {} replicas had after entry {} (digest {})",
                database.votes, database.voters, database.index, database.digest
            ),
            Err(problems) => {
                sound = false;
                problems.iter().for_each(|problem| println!("{id}: {name}: {problem}"));
            }
        }
    }
    sound
}

fn prove(keeper: &Keeper, database: &Database, scratch: &Scratch) -> Result<(), Vec<String>> {
    let (file, bar, mut done) = (scratch.0.join("database.sqlite"), Bar::new(&database.name), 0);
    proof::put_together(keeper, database, &file, &mut |length| {
        done += length;
        bar.show("reading", done, database.length);
    })?;
    bar.show("comparing", 1, 1);
    let proven = proof::compare(database, &file, &crate::node::database_dialect());
    let _ = std::fs::remove_file(&file);
    proven.map_err(|why| vec![why])
}

// --- restore --------------------------------------------------------------------------------------------------------

pub fn restore(args: &RestoreArgs) -> Result<(), String> {
    let keeper = args.from.open()?;
    let (until, listed) = (args.until()?, keeper.list()?.backups);
    let manifest = match until {
        None => plan::choose(listed, args.backup.as_deref())?,
        Some(until) => plan::base(listed, args.backup.as_deref(), &args.database, until)?,
    };
    let way = args.target.way()?;
    let (_, status) = status(&args.target, &way)?;
    let existing: Vec<String> = status.groups.iter().map(|group| group.database.clone()).collect();
    let home = status.groups.iter().find(|group| group.id == HOME).map_or("", |group| &group.database);
    let cluster_id = manifest.cluster_id.clone();
    for step in plan::steps(manifest, &args.database, args.name.as_deref(), &existing, home)? {
        let plan::Step { database, name, roles, displaces } = step;
        let named = |why| format!("{name}: {why}");
        let scratch;
        let (database, file) = match until {
            None => (database, None),
            Some(until) => {
                scratch = Scratch::new(args.scratch.clone())?;
                let moved = move_on(&keeper, &cluster_id, database, until, &scratch).map_err(named)?;
                (moved.0, Some(moved.1))
            }
        };
        let (index, time) = (database.index, time(database.time));
        let arrival = Arrival { database, cluster_id: cluster_id.clone(), name: name.clone(), roles, displaces };
        let content = |number, (sum, length)| match &file {
            None => keeper.get(sum, length),
            Some(file) => proof::read(file, number).map_err(|e| format!("{}: {e}", file.display())),
        };
        let notes = bring(&content, &args.target, &way, arrival).map_err(named)?;
        println!("{name}: restored as of entry {index}, {time}");
        notes.iter().for_each(|note| println!("    {note}"));
    }
    Ok(())
}

/// Brings a database to a later moment, in a file: what it is then.
fn move_on(
    keeper: &Keeper,
    cluster_id: &str,
    database: Database,
    until: Until,
    scratch: &Scratch,
) -> Result<(Database, PathBuf), String> {
    let (file, home) = (scratch.0.join("database.sqlite"), scratch.0.join("replay"));
    let (bar, mut done, dialect) = (Bar::new(&database.name), 0, crate::node::database_dialect());
    let read = proof::put_together(keeper, &database, &file, &mut |length| {
        done += length;
        bar.show("reading", done, database.length);
    });
    read.map_err(|problems| problems.join("\n"))?;
    bar.show("comparing", 1, 1);
    proof::compare(&database, &file, &dialect)?;
    let owner = engine::look_into(&file, &dialect)?.owner;
    engine::lodge(&file, &home)?;
    let first = database.index;
    replay::replay(
        keeper,
        (cluster_id, database.group),
        crate::node::offline(&home, owner),
        until,
        &mut |at, last| {
            bar.show("applying the log", at.saturating_sub(first), last.saturating_sub(first));
        },
    )?;
    let file = engine::lodged(&home, &dialect)?;
    let (contents, digest) = (engine::look_into(&file, &dialect)?, engine::digest_of(&file, &dialect)?);
    let (length, pieces) = proof::sums(&file, &mut |_, _| ()).map_err(|e| format!("{}: {e}", file.display()))?;
    let (index, term, version) = (contents.at.index, contents.at.term, contents.version.0);
    let mut moved = Database { index, term, version, time: contents.time, length, pieces, ..database };
    moved.set_digest(digest);
    Ok((moved, file))
}

/// A piece's content, by its number and what it is known by.
type Content<'c> = dyn Fn(u64, (Sum, u64)) -> Result<Vec<u8>, String> + 'c;

/// Gives a database to the first node that takes it.
fn bring(content: &Content<'_>, target: &Target, way: &Way, arrival: Arrival) -> Result<Vec<String>, String> {
    let mut last = String::new();
    for addr in target.addresses()? {
        match order(&addr, "/restore", &RestoreOrder::Begin(Box::new(arrival.clone())), way) {
            Ok(progress) => {
                let brought = bring_pieces(content, &addr, way, &arrival, progress.id);
                let _ = order(&addr, "/restore", &RestoreOrder::End { id: progress.id }, way);
                return brought;
            }
            Err(AskError::Unanswered(why)) => last = format!("{addr}: {why}"),
            Err(AskError::Refused(why)) => return Err(why),
        }
    }
    Err(format!("no node could take it ({last})"))
}

fn bring_pieces(
    content: &Content<'_>,
    addr: &str,
    way: &Way,
    arrival: &Arrival,
    id: u64,
) -> Result<Vec<String>, String> {
    let (bar, mut done) = (Bar::new(&arrival.name), 0);
    for (number, (sum, length)) in (0..).zip(arrival.database.parts()) {
        bar.show("bringing", done, arrival.database.length);
        let content = content(number, (sum, length))?;
        let path = format!("/restore/piece?id={id}&piece={number}");
        let said = wait_for(way.ask(addr, &path, Some(content), PATIENCE))?;
        if !said.is_success() {
            return Err(said.text());
        }
        done += length;
    }
    order(addr, "/restore", &RestoreOrder::Finish { id }, way).map_err(why)?;
    Ok(await_end(addr, "/restore", id, way, &bar)?.restored.unwrap_or_default())
}

// --- words ----------------------------------------------------------------------------------------------------------

fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

fn time(micros: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(micros.saturating_add(POSTGRES_EPOCH_MICROS)).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
