//! Builds an index in slices, between which others write.
//!
//! The index is there from the beginning, as one of SQLite's partial indexes: its condition says `rowid > n` beside what the
//! definition says. So SQLite keeps it current for the rows above `n`, whoever changes them, and uses it for no query, because none
//! implies that condition. A slice takes the next rows from above: it puts their entries into the index's B-tree and lowers
//! `n` in the schema, in one savepoint. Rows that are inserted meanwhile are mostly above `n`, so the work has an end. With the last
//! row the condition becomes the definition's own.
//!
//! Entries are put into the B-tree through an *imposter*: a table in the memory of this connection, WITHOUT ROWID, whose root page
//! is the index's. Its rows are stored as the index's entries are: the keys, then the rowid. SQLite has it for its own RBU, which
//! builds indexes in the same manner (`sqlite3rbu.c`; `SQLITE_TESTCTRL_IMPOSTER`).
//!
//! What a slice does follows from the file and from the slice: the same on every replica. Its rows are no changes of rows, as those
//! of CREATE INDEX are none.

use super::connection::Connection;
use super::statement::{Fault, Statement};
use super::step::{Cut, guarded};
use crate::command::Slice;
use crate::sql::catalog::quote;
use crate::value::{Value, ValueRef};
use rusqlite::config::DbConfig;
use rusqlite::ffi;

/// Where the index is made, before it is the table's.
const NURSERY: &str = "_quorate_nursery";
/// The table in the index's place.
const IMPOSTER: &str = "_quorate_imposter";

/// Does a slice of the index that `definition` makes. The row that it yields: what became of it, and where to go on.
pub fn run(connection: &mut Connection, slice: &Slice, definition: &str) -> Result<Vec<Value>, Cut> {
    let recording = connection.changes().is_recording();
    connection.changes().record(false);
    let result = match slice.from {
        None => begin(connection, slice, definition).map_err(Cut::Fault),
        Some(from) => fill(connection, slice, definition, from),
    };
    connection.changes().record(recording);
    let (what, at) = result?;
    Ok(vec![Value::Int(what), Value::Int(at)])
}

/// CREATE INDEX would visit every row to find that none is to be taken. So it is made over an empty table, and given to the other.
fn begin(connection: &mut Connection, slice: &Slice, definition: &str) -> Result<(i64, i64), Fault> {
    let (table, rowid) = (quote(&slice.table), &slice.rowid);
    let last = connection.trusted(|c| {
        let last = format!("SELECT max({rowid}) FROM {table}");
        Ok::<_, Fault>(c.raw().query_row(&last, [], |row| row.get::<_, Option<i64>>(0))?)
    })?;
    let at = last.unwrap_or(i64::MIN);
    let nursery = quote(NURSERY);
    execute(connection, &format!("CREATE TABLE {nursery}(a); CREATE INDEX {} ON {nursery}(a)", quote(&slice.index)))?;
    change_schema(connection, slice, &partial(slice, definition, at))?;
    execute(connection, &format!("DROP TABLE {nursery}"))?;
    Ok((Slice::MORE, at))
}

fn fill(connection: &mut Connection, slice: &Slice, definition: &str, from: i64) -> Result<(i64, i64), Cut> {
    let Some((root, known)) = schema_of(connection, &slice.index)? else { return Ok((Slice::LOST, from)) };
    if known != partial(slice, definition, from) {
        return Ok((Slice::LOST, from));
    }
    let (table, rowid) = (quote(&slice.table), &slice.rowid);
    let next =
        format!("SELECT {rowid} FROM {table} NOT INDEXED WHERE {rowid} <= ?1 ORDER BY {rowid} DESC LIMIT 1 OFFSET ?2");
    let rows = i64::try_from(slice.rows).unwrap_or(i64::MAX);
    let next = first(connection, &next, &[ValueRef::Int(from), ValueRef::Int(rows)])?;
    let mut within = vec![format!("{rowid} <= {from}")];
    within.extend(next.map(|next| format!("{rowid} > {next}")));
    within.extend(slice.predicate.as_ref().map(|predicate| format!("({predicate})")));
    let within = within.join(" AND ");
    let put = put(connection, slice, root, &table, &within);
    // The imposter goes.
    // SAFETY: as in `put`.
    unsafe { imposters(connection, 0, 1) };
    put?;
    let changed = match next {
        Some(next) => partial(slice, definition, next),
        None => definition.to_owned(),
    };
    change_schema(connection, slice, &changed)?;
    Ok(next.map_or((Slice::DONE, from), |next| (Slice::MORE, next)))
}

/// Puts the entries of some rows into the index.
fn put(connection: &mut Connection, slice: &Slice, root: i64, table: &str, within: &str) -> Result<(), Cut> {
    let columns = columns(connection, slice)?;
    let (rowid, imposter) = (&slice.rowid, quote(IMPOSTER));
    let names: Vec<String> = (0..slice.terms.len()).map(|i| quote(&format!("{IMPOSTER} {i}"))).collect();
    let last = quote(&format!("{IMPOSTER} row"));
    let declared = names.iter().zip(&columns).map(|(name, column)| format!("{name} {}", column.declared));
    let key = names.iter().zip(&columns).map(|(name, column)| format!("{name}{}", column.direction));
    let create = format!(
        "CREATE TABLE {imposter}({}, {last} INTEGER, PRIMARY KEY({}, {last})) WITHOUT ROWID",
        declared.collect::<Vec<_>>().join(", "),
        key.collect::<Vec<_>>().join(", "),
    );
    // SAFETY: the connection is open and nothing runs on it; what is created until the second call is the imposter alone.
    unsafe { imposters(connection, 1, root) };
    let created = execute(connection, &create);
    // SAFETY: as above.
    unsafe { imposters(connection, 0, 0) };
    created?;
    // What clients' expressions take is counted, as it is when one of their statements runs.
    let meter = connection.meter().clone();
    let _metered = meter.enter();
    // In the order of the index, so that each of its pages is visited once.
    let terms = slice.terms.join(", ");
    let order: Vec<String> = (1..=slice.terms.len()).map(|n| n.to_string()).collect();
    let insert = format!(
        "INSERT INTO {imposter} SELECT {terms}, {rowid} FROM {table} NOT INDEXED WHERE {within} ORDER BY {}",
        order.join(", ")
    );
    // SAFETY: dropped before the connection.
    let mut insert = unsafe { connection.prepare(&insert)? };
    while insert.step()? {}
    drop(insert);
    let Some(repeated) = &slice.repeated else { return Ok(()) };
    let same = names.iter().zip(&slice.terms).map(|(name, term)| format!("i.{name} = ({term})"));
    let twice = format!(
        "SELECT {repeated} FROM {table} AS t NOT INDEXED WHERE {within} AND EXISTS \
         (SELECT 1 FROM {imposter} AS i WHERE {} AND i.{last} <> t.{rowid}) LIMIT 1",
        same.collect::<Vec<_>>().join(" AND "),
    );
    // SAFETY: as above.
    let mut twice: Statement = unsafe { connection.prepare(&twice)? };
    match twice.step()? {
        true => Err(Cut::Sql(guarded(&twice)?)),
        false => Ok(()),
    }
}

/// A column of the imposter.
struct Column {
    /// Its type and collation, so that it stores and compares as the index does.
    declared: String,
    direction: &'static str,
}

fn columns(connection: &mut Connection, slice: &Slice) -> Result<Vec<Column>, Fault> {
    let ask = "SELECT x.coll, x.desc, t.type FROM pragma_index_xinfo(?1) x LEFT JOIN pragma_table_xinfo(?2) t \
               ON t.cid = x.cid WHERE x.key ORDER BY x.seqno";
    let rows = connection.query(ask, &[ValueRef::Text(&slice.index), ValueRef::Text(&slice.table)])?;
    let column = |row: Vec<Value>| {
        let text = |value: &Value| if let Value::Text(text) = value { text.to_string() } else { String::new() };
        let (collation, affinity) = (text(&row[0]), text(&row[2]));
        Column {
            declared: format!("{affinity} COLLATE {}", quote(&collation)),
            direction: if row[1] == Value::Int(1) { " DESC" } else { "" },
        }
    };
    Ok(rows.into_iter().map(column).collect())
}

/// The definition with the condition that only rows above `at` are in the index.
fn partial(slice: &Slice, definition: &str, at: i64) -> String {
    let rowid = &slice.rowid;
    match &slice.predicate {
        // It is what the definition ends with.
        Some(predicate) => {
            let before = definition.strip_suffix(predicate.as_str()).unwrap_or(definition);
            format!("{before}({predicate}) AND {rowid} > {at}")
        }
        None => format!("{definition} WHERE {rowid} > {at}"),
    }
}

/// The root page of an index, and what makes it.
fn schema_of(connection: &mut Connection, index: &str) -> Result<Option<(i64, String)>, Fault> {
    let ask = "SELECT rootpage, sql FROM sqlite_schema WHERE type = 'index' AND name = ?1";
    let rows = connection.query(ask, &[ValueRef::Text(index)])?;
    Ok(rows.into_iter().find_map(|row| match &row[..] {
        [Value::Int(root), Value::Text(sql)] => Some((*root, sql.to_string())),
        _ => None,
    }))
}

/// The index is the table's, and made by this text; every connection reads the schema anew.
fn change_schema(connection: &mut Connection, slice: &Slice, sql: &str) -> Result<(), Fault> {
    let set = |connection: &Connection, open: bool| {
        connection.raw().set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, !open)?;
        connection.raw().set_db_config(DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, open)
    };
    let change = |c: &mut Connection| -> Result<(), Fault> {
        let update = "UPDATE sqlite_schema SET tbl_name = ?1, sql = ?2 WHERE type = 'index' AND name = ?3";
        c.raw().execute(update, [&slice.table, sql, &slice.index])?;
        let version: i64 = c.raw().query_row("PRAGMA schema_version", [], |row| row.get(0))?;
        // It counts in 32 bits, and wraps.
        Ok(c.raw().execute_batch(&format!("PRAGMA schema_version = {}", (version as u32).wrapping_add(1) as i32))?)
    };
    set(connection, true)?;
    let changed = connection.trusted(change);
    set(connection, false)?;
    changed?;
    // SAFETY: the connection is open and nothing runs on it: it forgets the schema that it has in memory.
    unsafe { imposters(connection, 0, 1) };
    Ok(())
}

/// `SQLITE_TESTCTRL_IMPOSTER`: what is created next has this root page (1), no more (0); with 0 and 1 the schema in memory is
/// forgotten.
///
/// # Safety
/// No statement runs on the connection.
unsafe fn imposters(connection: &Connection, on: i32, root: i64) {
    // SAFETY: the arguments are those that SQLite's source lists for this control; the name is a C string.
    unsafe {
        ffi::sqlite3_test_control(
            ffi::SQLITE_TESTCTRL_IMPOSTER,
            connection.handle(),
            c"main".as_ptr(),
            on,
            root as std::ffi::c_int,
        );
    }
}

fn execute(connection: &mut Connection, sql: &str) -> Result<(), Fault> {
    connection.trusted(|c| Ok(c.raw().execute_batch(sql)?))
}

fn first(connection: &mut Connection, sql: &str, values: &[ValueRef<'_>]) -> Result<Option<i64>, Fault> {
    let rows = connection.query(sql, values)?;
    Ok(rows.first().and_then(|row| if let [Value::Int(n)] = row[..] { Some(n) } else { None }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Register, Role};
    use crate::error::SqlError;
    use rand::rngs::StdRng;
    use rand::{Rng as _, SeedableRng as _};
    use std::sync::Arc;
    use tempfile::TempDir;

    const TABLE: &str = "CREATE TABLE t(k INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE, b REAL, c)";

    struct Built {
        connection: Connection,
        slice: Slice,
        definition: String,
        _directory: TempDir,
    }

    impl Built {
        fn new(keys: &str, terms: &[&str], predicate: Option<&str>, unique: bool) -> Built {
            let directory = tempfile::tempdir().unwrap();
            let register: Register = Arc::new(|_, _| Ok(()));
            let mut connection = Connection::open(&directory.path().join("f"), Role::Writer, true, &register).unwrap();
            execute(&mut connection, TABLE).unwrap();
            let slice = Slice {
                index: "i".to_owned(),
                table: "t".to_owned(),
                rowid: "_rowid_".to_owned(),
                terms: terms.iter().map(|t| (*t).to_owned()).collect(),
                predicate: predicate.map(str::to_owned),
                repeated: unique.then(|| "'23505', 'twice', a".to_owned()),
                from: None,
                rows: 7,
            };
            let condition = predicate.map_or(String::new(), |p| format!(" WHERE {p}"));
            let unique = if unique { "UNIQUE " } else { "" };
            let definition = format!("CREATE {unique}INDEX i ON t({keys}){condition}");
            Built { connection, slice, definition, _directory: directory }
        }

        fn execute(&mut self, sql: &str) {
            execute(&mut self.connection, sql).unwrap_or_else(|fault| panic!("{sql}: {fault}"));
        }

        /// Does the next slice, as a command does; whether there are more.
        fn go_on(&mut self) -> Result<bool, SqlError> {
            self.execute("SAVEPOINT command");
            let row = run(&mut self.connection, &self.slice, &self.definition);
            if row.is_err() {
                self.execute("ROLLBACK TO command");
            }
            self.execute("RELEASE command");
            match row {
                Ok(row) => {
                    let [Value::Int(what), Value::Int(at)] = row[..] else { panic!("two numbers") };
                    assert_ne!(what, Slice::LOST);
                    self.slice.from = Some(at);
                    Ok(what == Slice::MORE)
                }
                Err(Cut::Sql(error)) => Err(error),
                Err(Cut::Fault(fault)) => panic!("{fault}"),
            }
        }

        /// The file is whole, and the index is what CREATE INDEX makes.
        fn check(&mut self) {
            let says =
                self.connection.trusted(|c| c.raw().query_row("PRAGMA integrity_check", [], |r| r.get::<_, String>(0)));
            assert_eq!(says.unwrap(), "ok");
            let (_, sql) = schema_of(&mut self.connection, "i").unwrap().unwrap();
            assert_eq!(sql, self.definition);
            let leftovers = "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%quorate%'";
            assert_eq!(first(&mut self.connection, leftovers, &[]).unwrap(), Some(0));
        }
    }

    /// A change that somebody makes between two slices.
    fn change(dice: &mut StdRng) -> String {
        let key = dice.random_range(-20..80);
        let value = ["NULL", "'a'", "'B'", "'b'", "'c'"][dice.random_range(0..5)];
        let (b, c) = (dice.random_range(-3..4), dice.random_range(0..9));
        match dice.random_range(0..7) {
            0..3 => format!("INSERT OR REPLACE INTO t VALUES ({key}, {value}, {b}, {c})"),
            3 => format!("INSERT INTO t(a, b, c) VALUES ({value}, {b} + 0.5, x'00')"),
            4 => format!("UPDATE t SET a = {value}, c = {c} WHERE k >= {key} AND k < {key} + 5"),
            5 => format!("UPDATE OR REPLACE t SET k = k + {c} WHERE k = {key}"),
            _ => format!("DELETE FROM t WHERE k % 7 = {c}"),
        }
    }

    #[test]
    fn an_index_is_what_create_index_makes_whatever_is_written_between_its_slices() {
        let kinds: [(&str, &[&str], Option<&str>); 5] = [
            ("a", &["a"], None),
            ("b DESC, a, c", &["b", "a", "c"], None),
            ("a COLLATE BINARY, k DESC", &["a COLLATE BINARY", "k"], Some("b > 0 OR c IS NULL")),
            ("upper(a), b + 1", &["upper(a)", "b + 1"], None),
            ("c", &["c"], Some("a IS NOT NULL")),
        ];
        for seed in 0..200 {
            let mut dice = StdRng::seed_from_u64(seed);
            let (keys, terms, predicate) = kinds[seed as usize % kinds.len()];
            let mut built = Built::new(keys, terms, predicate, false);
            for _ in 0..dice.random_range(0..60) {
                built.execute(&change(&mut dice));
            }
            loop {
                if dice.random_range(0..4) == 0 {
                    // One that fails takes what it did with it.
                    built.execute("BEGIN; SAVEPOINT command");
                    run(&mut built.connection, &built.slice, &built.definition).ok().unwrap();
                    built.execute("ROLLBACK");
                }
                if !built.go_on().unwrap() {
                    break;
                }
                for _ in 0..dice.random_range(0..6) {
                    built.execute(&change(&mut dice));
                }
            }
            built.check();
            for _ in 0..10 {
                built.execute(&change(&mut dice));
            }
            built.check();
        }
    }

    #[test]
    fn a_key_that_is_there_twice_is_found_wherever_the_two_rows_are() {
        for (one, other) in [(1, 2), (1, 30), (30, 31), (3, 9)] {
            let mut built = Built::new("a, c", &["a", "c"], None, true);
            for k in 0..35 {
                built.execute(&format!("INSERT INTO t VALUES ({k}, NULL, 0, 1), ({k} + 100, 'v{k}', 0, 1)"));
            }
            built.execute(&format!(
                "UPDATE t SET a = 'Same' WHERE k = {one}; UPDATE t SET a = 'sAME' WHERE k = {other}"
            ));
            let error = loop {
                match built.go_on() {
                    Ok(more) => assert!(more, "{one} and {other} have one key"),
                    Err(error) => break error,
                }
            };
            assert_eq!((error.code.as_str(), &*error.message), ("23505", "twice"));
            built.execute("DELETE FROM t WHERE a = 'same'");
            while built.go_on().unwrap() {}
            built.check();
        }
    }

    #[test]
    fn an_index_that_somebody_else_has_made_is_left_alone() {
        let mut built = Built::new("a", &["a"], None, false);
        built.execute("INSERT INTO t(a) VALUES ('x'), ('y')");
        assert!(built.go_on().unwrap());
        built.execute("DROP INDEX i; CREATE INDEX i ON t(a)");
        let row = run(&mut built.connection, &built.slice, &built.definition).ok().unwrap();
        assert_eq!(row[0], Value::Int(Slice::LOST));
        built.check();
    }
}
