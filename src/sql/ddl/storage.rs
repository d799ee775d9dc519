//! Storage parameters of tables and indexes, and CLUSTER: checked, kept and shown as PostgreSQL does. They tune its heap and
//! its indexes; there is nothing here that they could change.

use super::work::{Work, no_relation};
use crate::error::{SqlError, SqlResult, state};
use crate::sql::catalog::{Index, Relation, RelationKind, methods};
use crate::sql::cursor::Name;
use crate::types::text::{parse_bool, parse_f64};

/// A parameter and what is given for it; nothing where it is given up.
pub type Given = (String, Option<String>);

enum Values {
    Bool,
    Int(i64, i64),
    Real(f64, f64),
    /// Words, and what may stand for them.
    Words(&'static [&'static str], &'static [&'static str]),
}

use Values::{Bool, Int, Real, Words};

const MOST: i64 = i32::MAX as i64;
const BILLION: i64 = 1_000_000_000;
const CLEANUP: Values = Words(&["on", "off", "auto"], &["true", "false", "yes", "no", "1", "0"]);

/// Of a table, and of what it keeps elsewhere (`toast.…`).
const BOTH: &[(&str, Values)] = &[
    ("autovacuum_enabled", Bool),
    ("autovacuum_vacuum_threshold", Int(0, MOST)),
    ("autovacuum_vacuum_insert_threshold", Int(-1, MOST)),
    ("autovacuum_vacuum_scale_factor", Real(0.0, 100.0)),
    ("autovacuum_vacuum_insert_scale_factor", Real(0.0, 100.0)),
    ("autovacuum_vacuum_cost_delay", Real(0.0, 100.0)),
    ("autovacuum_vacuum_cost_limit", Int(1, 10_000)),
    ("autovacuum_freeze_min_age", Int(0, BILLION)),
    ("autovacuum_freeze_max_age", Int(100_000, 2 * BILLION)),
    ("autovacuum_freeze_table_age", Int(0, 2 * BILLION)),
    ("autovacuum_multixact_freeze_min_age", Int(0, BILLION)),
    ("autovacuum_multixact_freeze_max_age", Int(10_000, 2 * BILLION)),
    ("autovacuum_multixact_freeze_table_age", Int(0, 2 * BILLION)),
    ("log_autovacuum_min_duration", Int(-1, MOST)),
    ("vacuum_index_cleanup", CLEANUP),
    ("vacuum_truncate", Bool),
];

const TABLE: &[(&str, Values)] = &[
    ("fillfactor", Int(10, 100)),
    ("toast_tuple_target", Int(128, 8160)),
    ("parallel_workers", Int(0, 1024)),
    ("user_catalog_table", Bool),
    ("autovacuum_analyze_threshold", Int(0, MOST)),
    ("autovacuum_analyze_scale_factor", Real(0.0, 100.0)),
];

fn of_index(method: u32) -> &'static [(&'static str, Values)] {
    match methods::method_name(method) {
        "btree" => &[
            ("fillfactor", Int(10, 100)),
            ("vacuum_cleanup_index_scale_factor", Real(0.0, 1e10)),
            ("deduplicate_items", Bool),
        ],
        "gist" => &[("fillfactor", Int(10, 100)), ("buffering", Words(&["on", "off", "auto"], &[]))],
        "gin" => &[("fastupdate", Bool), ("gin_pending_list_limit", Int(64, MOST))],
        "brin" => &[("pages_per_range", Int(1, 131_072)), ("autosummarize", Bool)],
        _ => &[("fillfactor", Int(10, 100))],
    }
}

fn wrong(text: String) -> SqlError {
    SqlError::new(state::INVALID_PARAMETER_VALUE, text)
}

impl Values {
    fn check(&self, name: &str, value: &str) -> SqlResult<()> {
        let out_of_bounds = |low: String, high: String| {
            Err(wrong(format!("value {value} out of bounds for option \"{name}\""))
                .detail(format!("Valid values are between \"{low}\" and \"{high}\".")))
        };
        match self {
            Bool if parse_bool(value).is_ok() => Ok(()),
            Bool => Err(wrong(format!("invalid value for boolean option \"{name}\": {value}"))),
            Int(low, high) => {
                let number = match value.trim().parse::<i32>() {
                    Ok(number) => Some(f64::from(number)),
                    Err(_) => parse_f64(value).ok().map(f64::round_ties_even),
                };
                match number.filter(|n| n.abs() <= MOST as f64) {
                    Some(n) if (*low as f64..=*high as f64).contains(&n) => Ok(()),
                    Some(_) => out_of_bounds(low.to_string(), high.to_string()),
                    None => Err(wrong(format!("invalid value for integer option \"{name}\": {value}"))),
                }
            }
            Real(low, high) => match parse_f64(value) {
                Ok(n) if (*low..=*high).contains(&n) => Ok(()),
                Ok(_) => out_of_bounds(format!("{low:.6}"), format!("{high:.6}")),
                Err(_) => Err(wrong(format!("invalid value for floating point option \"{name}\": {value}"))),
            },
            Words(words, others) => {
                if words.iter().chain(*others).any(|word| word.eq_ignore_ascii_case(value)) {
                    return Ok(());
                }
                let [first @ .., last] = words else { return Ok(()) };
                let first: Vec<String> = first.iter().map(|word| format!("\"{word}\"")).collect();
                Err(wrong(format!("invalid value for enum option \"{name}\": {value}"))
                    .detail(format!("Valid values are {}, and \"{last}\".", first.join(", "))))
            }
        }
    }
}

/// What `reloptions` has after a change: what was there and stays, then what is new.
fn changed(
    before: &[String],
    given: &[Given],
    find: impl Fn(&str) -> SqlResult<Option<&'static Values>>,
) -> SqlResult<Vec<String>> {
    let mut own = Vec::new();
    for (name, value) in given {
        if name == "oids" && value.as_ref().is_some_and(|value| parse_bool(value).is_ok()) {
            if value.as_deref().is_some_and(|value| parse_bool(value) == Ok(true)) {
                let text = "tables declared WITH OIDS are not supported";
                return Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
            }
            continue;
        }
        if let Some((namespace, _)) = name.split_once('.').filter(|(namespace, _)| *namespace != "toast") {
            return Err(wrong(format!("unrecognized parameter namespace \"{namespace}\"")));
        }
        own.push((name, value));
    }
    let kept = before.iter().filter(|text| {
        let name = text.split('=').next().unwrap_or_default();
        own.iter().all(|(given, _)| *given != name)
    });
    let mut after: Vec<String> = kept.cloned().collect();
    for (i, (name, value)) in own.iter().enumerate() {
        let Some(value) = value else { continue };
        let values = find(name)?.ok_or_else(|| {
            wrong(format!("unrecognized parameter \"{}\"", name.strip_prefix("toast.").unwrap_or(name)))
        })?;
        if own[..i].iter().any(|(other, _)| other == name) {
            return Err(wrong(format!("parameter \"{name}\" specified more than once")));
        }
        values.check(name.strip_prefix("toast.").unwrap_or(name), value)?;
        // Those of what is kept elsewhere are not its own; here it keeps nothing elsewhere.
        if !name.starts_with("toast.") {
            after.push(format!("{name}={value}"));
        }
    }
    Ok(after)
}

fn find_in(list: &'static [(&'static str, Values)], name: &str) -> Option<&'static Values> {
    list.iter().find(|(known, _)| *known == name).map(|(_, values)| values)
}

/// Errors: 22023 for a parameter that tables do not have, or a value that it does not take.
pub fn of_table(before: &[String], given: &[Given]) -> SqlResult<Vec<String>> {
    changed(before, given, |name| {
        Ok(match name.strip_prefix("toast.") {
            Some(name) => find_in(BOTH, name),
            None => find_in(TABLE, name).or_else(|| find_in(BOTH, name)),
        })
    })
}

/// The same of an index of this access method.
pub fn of_index_by(method: u32, before: &[String], given: &[Given]) -> SqlResult<Vec<String>> {
    changed(before, given, |name| match name.starts_with("toast.") {
        true => Err(wrong("unrecognized parameter namespace \"toast\"".to_owned())),
        false => Ok(find_in(of_index(method), name)),
    })
}

/// An index's parameters, for one that is made like it.
pub fn of_another(index: &Index) -> Vec<Given> {
    let given = |text: &String| text.split_once('=').map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
    index.options.iter().filter_map(given).collect()
}

/// ALTER … SET (…) and RESET (…) of a table, a materialized view or an index.
pub fn alter(work: &mut Work<'_>, relation: &Relation, given: &[Given]) -> SqlResult<()> {
    let RelationKind::Index { table } = relation.kind else {
        let options = of_table(&relation.options, given)?;
        work.update(relation, Relation { options, ..relation.clone() });
        return Ok(());
    };
    change_index(work, table, relation.oid, |index| {
        index.options = of_index_by(index.method, &index.options, given)?;
        Ok(())
    })
}

fn change_index(
    work: &mut Work<'_>,
    table: u32,
    oid: u32,
    change: impl FnOnce(&mut Index) -> SqlResult<()>,
) -> SqlResult<()> {
    let table = work.catalog.by_oid(table).map(|r| Relation::clone(r));
    let table = table.ok_or_else(|| SqlError::internal("an index without its table"))?;
    let mut new = table.clone();
    if let Some(index) = new.indexes.iter_mut().find(|index| index.oid == oid) {
        change(index)?;
    }
    work.update(&table, new);
    Ok(())
}

// ---- CLUSTER

/// `CLUSTER ON` and `SET WITHOUT CLUSTER`.
pub fn cluster_on(work: &mut Work<'_>, table: &Relation, name: Option<&str>) -> SqlResult<()> {
    let chosen = name.map(|name| index_to_cluster_on(work, table, name)).transpose()?;
    let mut new = table.clone();
    new.indexes.iter_mut().for_each(|index| index.clustered = Some(index.oid) == chosen);
    if new != *table {
        work.update(table, new);
    }
    Ok(())
}

/// Errors: 42704, 42809, 0A000 for an index that PostgreSQL would not cluster on.
fn index_to_cluster_on(work: &Work<'_>, table: &Relation, name: &str) -> SqlResult<u32> {
    let Some(index) = table.indexes.iter().find(|index| index.name == name) else {
        let elsewhere = work.catalog.relations.contains_key(&(table.schema.clone(), name.to_owned()));
        return Err(match elsewhere {
            true => {
                let text = format!("\"{name}\" is not an index for table \"{}\"", table.name);
                SqlError::new(state::WRONG_OBJECT_TYPE, text)
            }
            false => {
                let text = format!("index \"{name}\" for table \"{}\" does not exist", table.name);
                SqlError::new(state::UNDEFINED_OBJECT, text)
            }
        });
    };
    let refuse = |text: String| Err(SqlError::new(state::FEATURE_NOT_SUPPORTED, text));
    if !matches!(methods::method_name(index.method), "btree" | "gist") {
        return refuse(format!("cannot cluster on index \"{name}\" because access method does not support clustering"));
    }
    if index.predicate.is_some() {
        return refuse(format!("cannot cluster on partial index \"{name}\""));
    }
    if !index.valid {
        return refuse(format!("cannot cluster on invalid index \"{name}\""));
    }
    Ok(index.oid)
}

/// CLUSTER: notes which index it is about. Rows have no order that it could change.
pub fn cluster(work: &mut Work<'_>, table: Option<&Name>, index: Option<&str>) -> SqlResult<&'static str> {
    let Some(name) = table else {
        work.alone = Some("CLUSTER");
        return Ok("CLUSTER");
    };
    let table = work.find(name).ok_or_else(|| no_relation(name))?;
    if !table.kind.is_stored() {
        let text = format!("\"{}\" is not a table or materialized view", table.name);
        return Err(SqlError::new(state::WRONG_OBJECT_TYPE, text));
    }
    work.check_owner(&table)?;
    match index {
        Some(index) => cluster_on(work, &table, Some(index))?,
        None if table.indexes.iter().any(|index| index.clustered) => {}
        None => {
            let text = format!("there is no previously clustered index for table \"{}\"", table.name);
            return Err(SqlError::new(state::UNDEFINED_OBJECT, text));
        }
    }
    Ok("CLUSTER")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_kept_in_order_and_checked() {
        let given = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
        let before = ["fillfactor=30".to_owned(), "autovacuum_enabled=false".to_owned()];
        let after = of_table(&before, &[given("fillfactor", Some("40")), given("toast.vacuum_truncate", Some("off"))]);
        assert_eq!(after.unwrap(), ["autovacuum_enabled=false", "fillfactor=40"]);
        assert_eq!(of_table(&before, &[given("fillfactor", None)]).unwrap(), ["autovacuum_enabled=false"]);
        for (name, value) in [
            ("fillfactor", "9"),
            ("fillfactor", "x"),
            ("fillfactor", "1e300"),
            ("autovacuum_enabled", "2"),
            ("vacuum_index_cleanup", "maybe"),
            ("nothing", "1"),
            ("elsewhere.fillfactor", "10"),
            ("toast.fillfactor", "10"),
            ("autovacuum_vacuum_scale_factor", "NaN"),
        ] {
            assert_eq!(of_table(&[], &[given(name, Some(value))]).unwrap_err().code, state::INVALID_PARAMETER_VALUE);
        }
        assert!(of_index_by(methods::BTREE, &[], &[given("fastupdate", Some("on"))]).is_err());
    }
}
