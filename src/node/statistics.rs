//! ANALYZE without being asked: whoever leads a database looks whether its tables have become larger or smaller.
//!
//! How large a table is, is taken from its rowids, which takes no time; so rows that are deleted in the midst of a table do
//! not count. It is compared with what it was when the table was last analysed, here or (of an earlier leader) as the
//! statistics have it.

use super::Runtime;
use super::membership::select;
use crate::frontend::inner;
use crate::gateway::router::Router;
use crate::id::{GroupId, SYSTEM_GROUP};
use crate::rights::BOOTSTRAP;
use crate::sql::catalog::{FIRST_USER_OID, quote, sqlite_name};
use crate::sql::lex::quote_identifier;
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// As PostgreSQL's `autovacuum_naptime`.
const PERIOD: Duration = Duration::from_secs(60);
/// Rowids: of a table with fewer, any plan is good.
const LEAST: i64 = 1000;

/// A table when it was last analysed.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Size {
    /// How far its rowids reach.
    span: i64,
    indexes: usize,
}

/// What is known of a database while it is led here.
#[derive(Default)]
struct Known {
    applied: u64,
    /// By OID.
    tables: BTreeMap<u32, Size>,
}

/// Whether a table should be analysed: it has grown or shrunk by half, or has another index.
fn is_due(now: Size, before: Option<Size>) -> bool {
    let Some(before) = before else { return now.span >= LEAST };
    // Rowids may reach as far as numbers do.
    let other = now.span > before.span.saturating_add(before.span / 2) || now.span < before.span / 2;
    now.span.max(before.span) >= LEAST && (other || now.indexes > before.indexes)
}

pub async fn keep(runtime: Arc<Runtime>) {
    let mut databases = BTreeMap::<GroupId, Known>::new();
    loop {
        tokio::time::sleep(PERIOD).await;
        let led: Vec<_> =
            runtime.groups.routers().into_iter().filter(|r| r.id != SYSTEM_GROUP && r.group.is_leader()).collect();
        databases.retain(|group, _| led.iter().any(|router| router.id == *group));
        for router in led {
            let known = databases.entry(router.id).or_default();
            let applied = router.shared.applied();
            if known.applied == applied {
                continue;
            }
            let due = due(&router, known).await;
            for (oid, size, name) in due {
                match analyze(&runtime, &router, &name).await {
                    Ok(()) => _ = known.tables.insert(oid, size),
                    Err(error) => tracing::debug!(%error, table = name, "not analysed"),
                }
            }
            known.applied = applied;
        }
    }
}

/// Tables that should be analysed, with their names as SQL has them. The others are known from now on.
async fn due(router: &Router, known: &mut Known) -> Vec<(u32, Size, String)> {
    let catalog = router.shared.catalog();
    let analysed = analysed(router).await;
    let mut due = Vec::new();
    for table in catalog.relations.values().filter(|r| r.kind.is_stored() && r.oid >= FIRST_USER_OID) {
        let name = sqlite_name(&table.schema, &table.name);
        let rows = quote(&name);
        let sql = format!("SELECT (SELECT max(rowid) FROM {rows}) - (SELECT min(rowid) FROM {rows}) + 1");
        let Ok(found) = select(router, &sql, false).await else { continue };
        let Some(Value::Int(span)) = found.first().and_then(|row| row.first()) else { continue };
        let now = Size { span: *span, indexes: table.indexes.iter().filter(|index| index.valid).count() };
        let earlier = || analysed.get(&name).map(|rows| Size { span: *rows, ..now });
        match is_due(now, known.tables.get(&table.oid).copied().or_else(earlier)) {
            true => {
                let name = format!("{}.{}", quote_identifier(&table.schema), quote_identifier(&table.name));
                due.push((table.oid, now, name));
            }
            false => _ = known.tables.entry(table.oid).or_insert(now),
        }
    }
    due
}

/// Numbers of rows by SQLite's names of tables, as the statistics have them.
async fn analysed(router: &Router) -> BTreeMap<String, i64> {
    // The table of statistics is not there before the first ANALYZE.
    let found = select(router, "SELECT tbl, CAST(stat AS INTEGER) FROM sqlite_stat1 WHERE idx IS NULL", false).await;
    let row = |row: Vec<Value>| match <[Value; 2]>::try_from(row) {
        Ok([Value::Text(name), Value::Int(rows)]) => Some((name, rows)),
        _ => None,
    };
    found.unwrap_or_default().into_iter().filter_map(row).collect()
}

async fn analyze(runtime: &Arc<Runtime>, router: &Router, table: &str) -> crate::error::SqlResult<()> {
    let Some(doors) = runtime.doors.get() else { return Ok(()) };
    let database = runtime.name_of(router.id);
    let catalog = router.shared.catalog();
    let Some(user) = catalog.rights.roles.get(BOOTSTRAP) else { return Ok(()) };
    let text = format!("ANALYZE {table}");
    inner::run(&user.name, &database, &[&text], doors.databases.clone(), doors.options.clone()).await?;
    tracing::debug!(database, table, "analysed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_analysed_when_it_has_become_another() {
        let size = |span, indexes| Size { span, indexes };
        assert!(!is_due(size(999, 1), None));
        assert!(is_due(size(1000, 1), None));
        assert!(!is_due(size(1500, 1), Some(size(1000, 1))));
        assert!(is_due(size(1501, 1), Some(size(1000, 1))));
        assert!(is_due(size(499, 1), Some(size(1000, 1))), "most of it has gone");
        assert!(is_due(size(1000, 2), Some(size(1000, 1))), "a new index");
        assert!(!is_due(size(10, 2), Some(size(10, 1))));
        assert!(!is_due(size(i64::MAX, 1), Some(size(i64::MAX, 1))));
    }
}
