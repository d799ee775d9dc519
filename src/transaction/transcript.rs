//! The transcript of an open transaction: what it has done, in the form in which it will be replayed.
//!
//! Savepoints follow PostgreSQL: a name may be used again and then hides the older savepoint of that name; RELEASE
//! forgets a savepoint and all later ones; ROLLBACK TO forgets the later ones and keeps its own.
//!
//! What ROLLBACK TO undoes is cut off. Above READ COMMITTED the undone part stays, to be replayed and undone again: the
//! client has seen its results and may have acted upon them, so they have to be true at the transaction's place in
//! the log as well (or, under REPEATABLE READ, on its snapshot: then this does not go into the log). An error that the
//! client saw before it rolled back is not compared.

use super::expect::{Kind, is_promise};
use crate::command::{Isolation, Statement, Step, Write, Yields};
use crate::error::{SqlError, SqlResult, state};
use crate::types::Env;
use serde::{Deserialize, Serialize};

/// The SQLite savepoint around an undone part. Parts nest properly, so one name serves all.
pub const UNDO: &str = "quorate_undone";

/// How large a transaction may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Encoded size of all steps.
    pub bytes: usize,
    pub steps: usize,
}

/// How many savepoints are established below one: names a savepoint of the fork and its lock mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(pub usize);

/// The steps of an open transaction and its savepoints.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transcript {
    isolation: Isolation,
    limits: Limits,
    entries: Vec<Entry>,
    savepoints: Vec<Savepoint>,
    bytes: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    step: Step,
    writes: bool,
    /// Belongs into the log. Otherwise it only tells a refresh what the client has seen.
    logged: bool,
    bytes: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Savepoint {
    name: String,
    /// Number of entries before it.
    at: usize,
}

impl Transcript {
    pub fn new(isolation: Isolation, limits: Limits) -> Transcript {
        Transcript { isolation, limits, entries: Vec::new(), savepoints: Vec::new(), bytes: 0 }
    }

    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// Adds a step that ran. What promises nothing and was seen on no lasting snapshot (a plain read under READ COMMITTED)
    /// is not kept; a plain read under REPEATABLE READ is, so that a newer snapshot can be compared with the one it
    /// ran on, but it does not go into the log. Error: 54000 when the transaction becomes too large; the step is then
    /// not part of it.
    pub fn push(&mut self, step: Step, kind: Kind) -> SqlResult<()> {
        let logged = is_promise(self.isolation, kind);
        if !logged && self.isolation == Isolation::ReadCommitted || step.expect.is_none() && kind != Kind::Write {
            return Ok(());
        }
        let writes = kind == Kind::Write;
        if step.frozen.is_none() {
            return Err(SqlError::internal("a step of a transaction came back without its frozen values"));
        }
        let entry = Entry::new(step, writes, logged)?;
        if self.entries.len() >= self.limits.steps {
            return Err(too_large(format!("A transaction may have {} statements.", self.limits.steps)));
        }
        if self.bytes.saturating_add(entry.bytes) > self.limits.bytes {
            return Err(too_large(format!("The statements of a transaction may have {} bytes.", self.limits.bytes)));
        }
        self.append(entry);
        Ok(())
    }

    fn append(&mut self, entry: Entry) {
        self.bytes += entry.bytes;
        self.entries.push(entry);
    }

    /// SAVEPOINT.
    pub fn savepoint(&mut self, name: &str) -> Level {
        self.savepoints.push(Savepoint { name: name.to_owned(), at: self.entries.len() });
        Level(self.savepoints.len() - 1)
    }

    /// RELEASE SAVEPOINT: the level and all above it are gone, their work stays. Error: 3B001.
    pub fn release(&mut self, name: &str) -> SqlResult<Level> {
        let level = self.find(name)?;
        self.savepoints.truncate(level);
        Ok(Level(level))
    }

    /// ROLLBACK TO SAVEPOINT: the levels above are gone and the work since the savepoint is undone. Error: 3B001.
    pub fn rollback_to(&mut self, name: &str) -> SqlResult<Level> {
        let level = self.find(name)?;
        self.savepoints.truncate(level + 1);
        let at = self.savepoints[level].at;
        if self.isolation != Isolation::ReadCommitted {
            self.undo_from(at)?;
            self.savepoints[level].at = self.entries.len();
        } else {
            self.bytes -= self.entries.drain(at..).map(|entry| entry.bytes).sum::<usize>();
        }
        Ok(Level(level))
    }

    /// Keeps the entries from `at` on as something to do and to undo.
    fn undo_from(&mut self, at: usize) -> SqlResult<()> {
        if !self.entries[at..].iter().any(|entry| entry.writes) {
            // Nothing to undo: the reads simply stay.
            return Ok(());
        }
        let in_log = self.isolation == Isolation::Serializable;
        let before = control(&[&format!("SAVEPOINT {UNDO}")], in_log)?;
        let after = control(&[&format!("ROLLBACK TO {UNDO}"), &format!("RELEASE {UNDO}")], in_log)?;
        self.bytes += before.bytes;
        self.entries.insert(at, before);
        for entry in &mut self.entries[at..] {
            // What is undone does not make the transaction one that writes.
            entry.writes = false;
            entry.logged &= in_log;
        }
        self.append(after);
        Ok(())
    }

    fn find(&self, name: &str) -> SqlResult<usize> {
        self.savepoints
            .iter()
            .rposition(|savepoint| savepoint.name == name)
            .ok_or_else(|| SqlError::new(state::SAVEPOINT_EXCEPTION, format!("savepoint \"{name}\" does not exist")))
    }

    /// Whether COMMIT needs the log at all.
    pub fn writes(&self) -> bool {
        self.entries.iter().any(|entry| entry.writes)
    }

    /// What a refresh replays, in order, each with its expectation.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = &Step> {
        self.entries.iter().map(|entry| &entry.step)
    }

    /// What COMMIT would do, in order.
    pub fn logged_steps(&self) -> impl Iterator<Item = &Step> {
        self.entries.iter().filter(|entry| entry.logged).map(|entry| &entry.step)
    }

    /// After which number of steps each open savepoint was made, outermost first: a replay makes them again there.
    pub fn savepoints(&self) -> impl ExactSizeIterator<Item = (Level, usize)> + '_ {
        self.savepoints.iter().enumerate().map(|(level, savepoint)| (Level(level), savepoint.at))
    }

    /// Whether there is any open savepoint.
    pub fn has_savepoints(&self) -> bool {
        !self.savepoints.is_empty()
    }

    /// Whether the transaction changes the schema.
    pub fn has_ddl(&self) -> bool {
        self.entries.iter().any(|entry| entry.writes && entry.step.ddl.any())
    }

    /// Encoded size of the steps.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// COMMIT: the command for the log, or none when nothing was written.
    pub fn into_write(self, schema_version: u64, born: u64, env: Env) -> Option<Write> {
        if !self.writes() {
            return None;
        }
        let steps = self.entries.into_iter().filter(|entry| entry.logged).map(|entry| entry.step).collect();
        Some(Write { schema_version, born, env, steps, transaction: Some(self.isolation) })
    }
}

impl Entry {
    fn new(step: Step, writes: bool, logged: bool) -> SqlResult<Entry> {
        let bytes = postcard::serialize_with_flavor(&step, postcard::ser_flavors::Size::default())
            .map_err(|error| SqlError::internal(format!("cannot measure a step: {error}")))?;
        Ok(Entry { step, writes, logged, bytes })
    }
}

/// A step of SQLite statements that say nothing to anybody.
fn control(statements: &[&str], logged: bool) -> SqlResult<Entry> {
    let statement = |sql: &&str| Statement::new(*sql, Yields::Nothing);
    let statements = statements.iter().map(statement).collect();
    Entry::new(
        Step { statements, params: vec![Vec::new()], frozen: Some(Default::default()), ..Step::default() },
        false,
        logged,
    )
}

fn too_large(detail: String) -> SqlError {
    SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, "transaction is too large").detail(detail).hint(
        "Commit in between, or raise limits.transaction_mib and limits.transaction_statements in the configuration of \
         the node.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Frozen;

    fn step(sql: &str, expect: Option<u64>) -> Step {
        Step {
            statements: vec![Statement::new(sql, Yields::Count)],
            params: vec![vec![]],
            ddl: Default::default(),
            frozen: Some(Frozen::default()),
            expect,
            seen: None,
        }
    }

    const ROOMY: Limits = Limits { bytes: 1 << 20, steps: 100 };

    /// Runs a script: `+a` a write, `?a` a read with an expectation, `.a` a read without, `s:x` `release:x` `to:x`.
    fn play(isolation: Isolation, script: &str) -> (Transcript, String) {
        let mut transcript = Transcript::new(isolation, ROOMY);
        for word in script.split_whitespace() {
            match word.split_once(':') {
                Some(("s", name)) => drop(transcript.savepoint(name)),
                Some(("release", name)) => drop(transcript.release(name).unwrap()),
                Some(("to", name)) => drop(transcript.rollback_to(name).unwrap()),
                _ => {
                    let expect = (!word.starts_with('.')).then_some(1);
                    let kind = match word.as_bytes()[0] {
                        b'+' => Kind::Write,
                        b'?' if isolation == Isolation::ReadCommitted => Kind::LockingRead,
                        _ => Kind::Read,
                    };
                    transcript.push(step(word, expect), kind).unwrap();
                }
            }
            let measured: usize = transcript.entries.iter().map(|e| e.bytes).sum();
            assert_eq!(transcript.bytes(), measured);
        }
        let texts: Vec<&str> = transcript.steps().map(|step| step.statements[0].sql.as_str()).collect();
        let text =
            texts.join(" ").replace(&format!("SAVEPOINT {UNDO}"), "(").replace(&format!("ROLLBACK TO {UNDO}"), ")");
        (transcript, text)
    }

    fn left(isolation: Isolation, script: &str) -> String {
        play(isolation, script).1
    }

    #[test]
    fn savepoints_cut_as_in_postgres() {
        let level = Isolation::ReadCommitted;
        assert_eq!(left(level, "+a s:x +b s:y +c to:x +d"), "+a +d");
        assert_eq!(left(level, "+a s:x +b to:x +c to:x +d"), "+a +d");
        assert_eq!(left(level, "+a s:x +b release:x +c"), "+a +b +c");
        // The younger of the same name hides the older until it is released.
        assert_eq!(left(level, "+a s:x +b s:x +c to:x to:x +d"), "+a +b +d");
        assert_eq!(left(level, "+a s:x +b s:x +c release:x to:x +d"), "+a +d");
        assert_eq!(left(level, "+a s:x +b s:y +c release:y +d to:x"), "+a");
        assert_eq!(left(level, ".a +b .c ?d"), "+b ?d");
    }

    #[test]
    fn unknown_savepoints() {
        let (mut transcript, _) = play(Isolation::ReadCommitted, "s:x s:y to:x");
        let error = transcript.rollback_to("y").unwrap_err();
        assert_eq!((error.code.as_str(), error.message.as_str()), ("3B001", "savepoint \"y\" does not exist"));
        assert_eq!(transcript.release("x"), Ok(Level(0)));
        assert!(transcript.release("x").is_err());
    }

    #[test]
    fn serializable_keeps_what_the_client_saw() {
        let level = Isolation::Serializable;
        assert_eq!(left(level, "?a s:x ?b to:x +c"), "?a ?b +c");
        assert_eq!(left(level, "?a s:x +b ?c to:x +d"), "?a ( +b ?c ) +d");
        assert_eq!(left(level, "s:x +a to:x +b to:x +c"), "( +a ) ( +b ) +c");
        assert_eq!(left(level, "s:x +a s:y +b to:y +c to:x +d"), "( +a ( +b ) +c ) +d");
        assert_eq!(left(level, "s:x s:y +b to:y to:x to:x +c"), "( +b ) +c");
        let (undone, _) = play(level, "?a s:x +b to:x");
        assert!(!undone.writes() && undone.into_write(1, 1, Env::default()).is_none());
    }

    #[test]
    fn replaying_knows_where_the_savepoints_were() {
        let (transcript, _) = play(Isolation::ReadCommitted, "+a s:x +b +c s:y s:z to:y +d");
        assert_eq!(transcript.savepoints().collect::<Vec<_>>(), [(Level(0), 1), (Level(1), 3)]);
    }

    #[test]
    fn commit_is_one_command_or_none() {
        let (read_only, _) = play(Isolation::Serializable, "?a ?b");
        assert!(read_only.into_write(3, 4, Env::default()).is_none());
        let (transcript, _) = play(Isolation::RepeatableRead, "+a +b");
        let write = transcript.into_write(3, 4, Env::default()).unwrap();
        assert_eq!((write.schema_version, write.born, write.steps.len()), (3, 4, 2));
        assert_eq!(write.transaction, Some(Isolation::RepeatableRead));
    }

    #[test]
    fn limits() {
        let mut transcript = Transcript::new(Isolation::ReadCommitted, Limits { bytes: 1 << 20, steps: 2 });
        transcript.savepoint("x");
        transcript.push(step("a", Some(1)), Kind::Write).unwrap();
        transcript.push(step("b", Some(1)), Kind::Write).unwrap();
        let error = transcript.push(step("c", Some(1)), Kind::Write).unwrap_err();
        assert_eq!(error.code.as_str(), "54000");
        transcript.rollback_to("x").unwrap();
        assert_eq!(transcript.push(step("c", Some(1)), Kind::Write), Ok(()));

        let mut transcript = Transcript::new(Isolation::ReadCommitted, Limits { bytes: 100, steps: 100 });
        transcript.push(step(&"x".repeat(60), Some(1)), Kind::Write).unwrap();
        let error = transcript.push(step(&"x".repeat(60), Some(1)), Kind::Write).unwrap_err();
        assert_eq!(error.fields.detail.as_deref(), Some("The statements of a transaction may have 100 bytes."));
        assert_eq!(transcript.steps().len(), 1);
    }

    #[test]
    fn a_step_needs_its_frozen_values() {
        let mut transcript = Transcript::new(Isolation::ReadCommitted, ROOMY);
        let bare = Step { frozen: None, ..step("a", Some(1)) };
        assert_eq!(transcript.push(bare, Kind::Write).unwrap_err().code.as_str(), "XX000");
    }
}
