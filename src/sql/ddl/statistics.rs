//! ANALYZE: what SQLite's planner knows of tables and indexes, as rows of `sqlite_stat1`.
//!
//! The rows are counted by statements of the log, at one place in it and on what every replica has there, so all replicas
//! plan alike; SQLite's own ANALYZE may estimate from how pages lie, which is a replica's own affair. The work is bounded
//! whatever a table's size: rows are counted up to [`COUNTED`], of an index the first [`SAMPLE`] entries are looked at (as many
//! as PostgreSQL takes by default), and where its first key has few values these are looked up one by one. Of those an index
//! is asked mostly for the rare ones, so no value is said to have more than a tenth of the rows.
//!
//! Left out: histograms and common values (`sqlite_stat4`, `pg_statistic`): a constant's own frequency plays no part.

use super::work::{Keys, Work};
use crate::error::{SqlError, SqlResult, state};
use crate::sql::access;
use crate::sql::catalog::{Index, Object, Relation, quote, sqlite_name};
use crate::sql::cursor::Name;
use crate::sql::ddl::rows::literal;
use crate::sql::plan::Effort;

/// Beyond it the number of a table's rows is taken from its rowids.
const COUNTED: u32 = 1_000_000;
/// Entries of an index.
const SAMPLE: u32 = 30_000;
/// Values of an index's first key.
const VALUES: u32 = 1000;
/// A table with one row. SQLite's ANALYZE of it makes `sqlite_stat1` where that is missing, and reads all of it anew.
const SMALL: &str = "ANALYZE \"_quorate_schema\"";

pub fn analyze(work: &mut Work<'_>, vacuum: bool, tables: &[(Name, Vec<String>)]) -> SqlResult<&'static str> {
    let (tag, verb) = if vacuum { ("VACUUM", "vacuum") } else { ("ANALYZE", "analyze") };
    work.alone = vacuum.then_some("VACUUM");
    let mut found = Vec::new();
    for (name, columns) in tables {
        let relation = work.relation(name)?;
        if let Some(message) = access::left_out(&work.catalog, work.role(), &relation, verb) {
            work.notice(state::WARNING, message);
            continue;
        }
        if !relation.kind.is_stored() {
            continue;
        }
        if let Some(column) = columns.iter().find(|column| relation.column(column).is_none()) {
            let message = format!("column \"{column}\" of relation \"{}\" does not exist", relation.name);
            return Err(SqlError::new(state::UNDEFINED_COLUMN, message));
        }
        found.push(relation);
    }
    if tables.is_empty() {
        let all = work.catalog.relations.values().filter(|r| r.kind.is_stored());
        let own = all.filter(|r| work.owns(Object::relation(r.oid)));
        found.extend(own.map(|r| Relation::clone(r)));
    }
    work.data(SMALL.to_owned());
    for relation in &found {
        count(work, relation)?;
    }
    // The version of SQLite's schema rises, so that other connections read it anew, the statistics included; and what is
    // undone by a rollback is forgotten by this one.
    work.data("CREATE TABLE \"_quorate_analyzed\" (a)".to_owned());
    work.data("DROP TABLE \"_quorate_analyzed\"".to_owned());
    work.data(SMALL.to_owned());
    work.effort = work.effort.max(Effort::Pass);
    Ok(tag)
}

fn count(work: &mut Work<'_>, relation: &Relation) -> SqlResult<()> {
    let name = sqlite_name(&relation.schema, &relation.name);
    let (table, text) = (quote(&name), literal(&name));
    work.data(format!("DELETE FROM sqlite_stat1 WHERE tbl = {text}"));
    work.data(format!(
        "INSERT INTO sqlite_stat1(tbl, idx, stat) SELECT {text}, NULL, n FROM (SELECT \
         CASE WHEN n < {COUNTED} THEN n ELSE max(n, (SELECT max(rowid) FROM {table}) - (SELECT min(rowid) FROM {table}) + 1) END AS n \
         FROM (SELECT count(*) AS n FROM (SELECT 1 FROM {table} LIMIT {COUNTED}))) WHERE n > 0"
    ));
    for index in relation.indexes.iter().filter(|index| index.valid) {
        let Some(keys) = work.physical_keys(relation, index)? else { continue };
        work.data(selectivity(relation, index, &name, &keys));
    }
    Ok(())
}

/// The row of one index; the table's own is there.
fn selectivity(relation: &Relation, index: &Index, table: &str, keys: &Keys) -> String {
    let from = format!("FROM {}", quote(table));
    let condition = |also: &str| match &keys.predicate {
        Some(predicate) => format!("WHERE ({predicate}) AND {also}"),
        None => format!("WHERE {also}"),
    };
    let all = keys.predicate.as_ref().map_or(String::new(), |predicate| format!("WHERE {predicate}"));
    let terms: Vec<String> = keys.terms.iter().enumerate().map(|(i, key)| format!("{} AS k{i}", key.term)).collect();
    let order: Vec<String> = keys.terms.iter().map(|key| format!("{}{}", key.term, key.direction)).collect();
    let order = order.join(", ");
    let passed: Vec<String> = (0..keys.terms.len()).map(|i| format!("k{i}")).collect();
    let first = &keys.terms[0].term;
    let next = |also: &str| format!("SELECT {first} {from} {} ORDER BY {first} LIMIT 1", condition(also));
    let values = format!(
        "(WITH RECURSIVE d(v, i) AS (SELECT ({}), 1 UNION ALL SELECT ({}), i + 1 FROM d WHERE v IS NOT NULL AND i <= {VALUES}) \
         SELECT CASE WHEN count(v) <= {VALUES} THEN count(v) END FROM d)",
        next(&format!("{first} IS NOT NULL")),
        next(&format!("{first} > d.v")),
    );
    // Of a partial index nobody knows the number of entries beyond the sample.
    let rows = match keys.predicate {
        Some(_) => "0".to_owned(),
        None => format!("(SELECT stat FROM sqlite_stat1 WHERE tbl = {} AND idx IS NULL)", literal(table)),
    };
    format!(
        "INSERT INTO sqlite_stat1(tbl, idx, stat) SELECT {}, {}, q_selectivity({rows}, {values}, {}) \
         FROM (SELECT {} {from} {all} ORDER BY {order} LIMIT {SAMPLE}) HAVING count(*) > 0",
        literal(table),
        literal(&sqlite_name(&relation.schema, &index.name)),
        passed.join(", "),
        terms.join(", "),
    )
}
