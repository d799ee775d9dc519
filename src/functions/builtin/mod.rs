//! The catalog's built-in rows that no statement changes: functions, operators, casts, aggregates, and how access
//! methods use them (`pg_proc`, `pg_operator`, `pg_cast`, `pg_aggregate`, `pg_amop`, `pg_amproc`), as virtual tables.
//!
//! Facts are PostgreSQL 15's, in files beside this one that `scripts/postgres-catalog.sh` writes. A row is shown if what
//! it describes can be used here: a function, operator or cast that the tables of signatures know, whatever those need,
//! and what types are read and written by. So `\df` lists what may be called, and drivers that load their types through
//! `pg_proc` find their functions.
//!
//! They are parsed when first asked for, once in a process, and are the same for all databases: they cost a database
//! nothing. Equality with a key (`oid`, a name) is looked up; everything else reads all rows.

mod describe;
mod rows;

use super::sqlite::Out;
use crate::value::Value;
use rows::{RELATIONS, Relation};
use rusqlite::ffi;
use rusqlite::types::ValueRef as Raw;
use rusqlite::vtab::{
    Context, Filters, IndexConstraintOp, IndexInfo, Module, VTab, VTabConfig, VTabConnection, VTabCursor,
};
use rusqlite::{Connection, Result};
use std::borrow::Cow;
use std::ffi::{CStr, CString, c_int};
use std::marker::PhantomData;

pub use describe::describe;
pub use rows::{Parameters, is_missing, keywords, operators_of, parameters};

/// The SQLite name of the virtual table behind a relation of `pg_catalog`; `None` if it is not one of these.
pub fn table_of(relation: &str) -> Option<String> {
    RELATIONS.iter().any(|r| r.name == relation).then(|| format!("q_{relation}"))
}

/// Makes the relations known to a connection.
pub(super) fn register(conn: &Connection) -> Result<()> {
    const MODULE: Module<'_, Table> = Module::eponymous_only_module();
    RELATIONS.iter().try_for_each(|r| conn.create_module(format!("q_{}", r.name).as_str(), &MODULE, Some(r)))
}

#[repr(C)]
struct Table {
    /// SQLite's part; must be first.
    base: ffi::sqlite3_vtab,
    relation: &'static Relation,
}

// SAFETY: `repr(C)` with `sqlite3_vtab` as the first field.
unsafe impl<'vtab> VTab<'vtab> for Table {
    type Aux = &'static Relation;
    type Cursor = Cursor<'vtab>;

    fn connect(
        db: &mut VTabConnection,
        aux: Option<&Self::Aux>,
        _module: &[u8],
        _database: &[u8],
        _table: &[u8],
        _args: &[&[u8]],
    ) -> Result<(Cow<'static, CStr>, Self)> {
        let relation = *aux.ok_or_else(|| rusqlite::Error::ModuleError("a relation without a definition".into()))?;
        db.config(VTabConfig::Innocuous)?;
        let declaration = format!("CREATE TABLE x({})", relation.columns().collect::<Vec<_>>().join(", "));
        let declaration = CString::new(declaration).map_err(|e| rusqlite::Error::ModuleError(e.to_string()))?;
        Ok((Cow::Owned(declaration), Table { base: ffi::sqlite3_vtab::default(), relation }))
    }

    /// The plan's number is the key that is looked up, from 1; 0 reads everything.
    fn best_index(&self, info: &mut IndexInfo) -> Result<bool> {
        let columns: Vec<&str> = self.relation.columns().collect();
        let found = info.constraints().enumerate().find_map(|(i, constraint)| {
            let equal =
                constraint.is_usable() && constraint.operator() == IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_EQ;
            let column = columns.get(usize::try_from(constraint.column()).ok()?)?;
            let key = self.relation.keys.iter().position(|key| key == column)?;
            equal.then_some((i, key))
        });
        match found {
            // SQLite compares once more: an operand of another type than the key's finds nothing, as it should.
            Some((constraint, key)) => {
                info.constraint_usage(constraint).set_argv_index(1);
                info.set_idx_num(key as c_int + 1);
                info.set_estimated_cost(5.0);
                info.set_estimated_rows(2);
            }
            None => {
                info.set_idx_num(0);
                info.set_estimated_cost(3000.0);
                info.set_estimated_rows(3000);
            }
        }
        Ok(true)
    }

    fn open(&'vtab mut self) -> Result<Cursor<'vtab>> {
        let (relation, table) = (self.relation, PhantomData);
        Ok(Cursor { base: ffi::sqlite3_vtab_cursor::default(), relation, rows: Rows::All(0), table })
    }
}

/// The rows still to come, the current one first.
enum Rows {
    All(usize),
    Some(&'static [usize]),
}

#[repr(C)]
struct Cursor<'vtab> {
    /// SQLite's part; must be first.
    base: ffi::sqlite3_vtab_cursor,
    relation: &'static Relation,
    rows: Rows,
    table: PhantomData<&'vtab Table>,
}

impl Cursor<'_> {
    fn current(&self) -> Option<usize> {
        match self.rows {
            Rows::All(next) => (next < self.relation.rows().len()).then_some(next),
            Rows::Some(rest) => rest.first().copied(),
        }
    }
}

// SAFETY: `repr(C)` with `sqlite3_vtab_cursor` as the first field.
unsafe impl VTabCursor for Cursor<'_> {
    fn filter(&mut self, plan: c_int, _: Option<&str>, args: &Filters<'_>) -> Result<()> {
        let Some(key) = usize::try_from(plan - 1).ok() else {
            self.rows = Rows::All(0);
            return Ok(());
        };
        let value = match args.iter().next() {
            Some(Raw::Integer(n)) => Value::Int(n),
            Some(Raw::Text(text)) => Value::Text(String::from_utf8_lossy(text).into_owned()),
            _ => Value::Null,
        };
        self.rows = Rows::Some(self.relation.find(key, &value));
        Ok(())
    }

    fn next(&mut self) -> Result<()> {
        self.rows = match self.rows {
            Rows::All(at) => Rows::All(at + 1),
            Rows::Some(rest) => Rows::Some(rest.get(1..).unwrap_or_default()),
        };
        Ok(())
    }

    fn eof(&self) -> bool {
        self.current().is_none()
    }

    fn column(&self, c: &mut Context, i: c_int) -> Result<()> {
        let row = self.current().map(|at| &self.relation.rows()[at]);
        let value = row.and_then(|row| row.get(i as usize)).cloned().unwrap_or(Value::Null);
        c.set_result(Out(value))
    }

    fn rowid(&self) -> Result<i64> {
        Ok(self.current().map_or(0, |at| at as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(sql: &str) -> Vec<String> {
        let conn = Connection::open_in_memory().unwrap();
        register(&conn).unwrap();
        let mut statement = conn.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, rusqlite::types::Value>(0)).unwrap();
        rows.map(|v| match v.unwrap() {
            rusqlite::types::Value::Integer(n) => n.to_string(),
            rusqlite::types::Value::Text(text) => text,
            other => format!("{other:?}"),
        })
        .collect()
    }

    #[test]
    fn rows_are_found_by_key_and_by_reading_all() {
        assert_eq!(ask("SELECT proname FROM q_pg_proc WHERE oid = 750"), ["array_in"]);
        assert_eq!(ask("SELECT proname FROM q_pg_proc WHERE oid + 0 = 750"), ["array_in"]);
        assert_eq!(ask("SELECT oid FROM q_pg_proc WHERE proname = 'lower' AND proargtypes = '25'"), ["870"]);
        assert_eq!(ask("SELECT oid FROM q_pg_proc WHERE oid = 'lower'"), [""; 0]);
        assert_eq!(
            ask("SELECT p.proname FROM q_pg_operator o JOIN q_pg_proc p ON p.oid = o.oprcode WHERE o.oid = 96"),
            ["int4eq"]
        );
    }

    #[test]
    fn only_what_can_be_used_is_there() {
        assert_eq!(
            ask(
                "SELECT count(*) FROM q_pg_proc WHERE proname IN ('lo_open', 'pg_read_file', 'brin_summarize_new_values')"
            ),
            ["0"]
        );
        assert_eq!(ask("SELECT count(*) > 800 FROM q_pg_proc"), ["1"]);
        assert_eq!(ask("SELECT count(*) > 300 FROM q_pg_operator"), ["1"]);
        assert_eq!(ask("SELECT count(*) > 80 FROM q_pg_cast"), ["1"]);
        assert_eq!(
            ask(
                "SELECT count(*) FROM q_pg_aggregate a WHERE NOT EXISTS (SELECT 1 FROM q_pg_proc p WHERE p.oid = a.aggfnoid)"
            ),
            ["0"]
        );
        let keywords = keywords();
        assert!(keywords.iter().any(|k| k[..2] == [Value::Text("select".into()), Value::Text("R".into())]));
    }
}
