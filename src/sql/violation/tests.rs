//! What is said of rows that are refused, over all forms of INSERT and UPDATE that the compiler writes.

use super::{TOO_DEEP, beyond_a_limit};
use crate::error::state;
use crate::sql::ddl::tests::Db;

/// The error with its detail.
fn error(db: &Db, sql: &str) -> String {
    let error = db.query(sql).expect_err(sql);
    let detail = error.fields.detail.unwrap_or_default();
    format!("{} {} [{detail}]", error.code.as_str(), error.message)
}

fn db() -> Db {
    let mut db = Db::new();
    db.run(
        "create table t (id int primary key, n numeric unique, s varchar(20) not null default 'none', \
           q int constraint low check (q < 100) constraint high check (q <> 50 and q < 90), \
           twice int generated always as (q * 2) stored);
         create unique index lows on t (lower(s));
         create unique index parts on t (q, (length(s) + 0)) where q > 10",
    )
    .unwrap();
    assert_eq!(db.sql("insert into t values (1, 1.0, 'one', 1), (2, 2, 'two', 2), (3, 3, 'three', 20)"), "");
    db
}

#[test]
fn duplicates_are_shown() {
    let db = db();
    let taken = |sql: &str| {
        let said = error(&db, sql);
        let (_, detail) = said.split_once(" [").unwrap_or_else(|| panic!("{sql}: {said}"));
        detail.trim_end_matches(']').to_owned()
    };
    assert_eq!(taken("insert into t values (2, 9, 'x')"), "Key (id)=(2) already exists.");
    assert_eq!(
        taken("insert into t (s, id) select 'x' || i, i from generate_series(5, 1, -1) i"),
        "Key (id)=(3) already exists."
    );
    // The value as it is given, though 1.00 is the same as the 1.0 that is there.
    assert_eq!(taken("insert into t values (9, 1.00, 'x')"), "Key (n)=(1.00) already exists.");
    assert_eq!(taken("insert into t values (8, 8, 'x'), (9, 8.0, 'y')"), "Key (n)=(8.0) already exists.");
    assert_eq!(taken("insert into t (id, s) values (8, 'ONE')"), "Key (lower(s::text))=(one) already exists.");
    assert_eq!(
        taken("insert into t values (8, 8, 'seven', 20), (9, 9, 'SIXTH', 20)"),
        "Key (q, (length(s::text) + 0))=(20, 5) already exists."
    );
    assert_eq!(taken("update t set id = id + 1"), "Key (id)=(2) already exists.");
    // The first two rows make room for each other.
    assert_eq!(taken("update t set id = case id when 3 then 1 else id - 1 end"), "Key (id)=(1) already exists.");
    assert_eq!(taken("update t set (n, s) = (select 3, 'x') where id = 1"), "Key (n)=(3) already exists.");
    assert_eq!(
        taken("update t set s = v.s from (values (1, 'Two')) v (id, s) where v.id = t.id"),
        "Key (lower(s::text))=(two) already exists."
    );
    assert_eq!(
        taken(
            "with v as (select 2 as id) insert into t (id, s) select v.id, 'y' from v join t on t.id = v.id returning id"
        ),
        "Key (id)=(2) already exists."
    );
    let meet = "insert into t values (1, 8, 'a'), (5, 2, 'b') on conflict (id) do";
    assert_eq!(taken(&format!("{meet} nothing")), "Key (n)=(2) already exists.");
    assert_eq!(taken(&format!("{meet} update set n = excluded.n")), "Key (n)=(2) already exists.");
    assert_eq!(
        taken(
            "insert into t values (9, 9, 'z'), (1, 8, 'a') on conflict (id) do update set n = t.n + 1 where t.id = 1"
        ),
        "Key (n)=(2.0) already exists."
    );
}

#[test]
fn refused_rows_are_shown() {
    let db = db();
    let refused = |sql: &str| {
        let said = error(&db, sql);
        let (error, row) = said.split_once(" [Failing row contains ").unwrap_or_else(|| panic!("{sql}: {said}"));
        format!("{} {}", &error[..5], row.trim_end_matches(".]"))
    };
    assert_eq!(refused("insert into t values (9, 9.50, null)"), "23502 (9, 9.50, null, null, null)");
    assert_eq!(refused("insert into t values (null, 9, 'x', 7)"), "23502 (null, 9, x, 7, 14)");
    assert_eq!(refused("insert into t (q, id) values (60, 8), (120, 9)"), "23514 (9, null, none, 120, 240)");
    assert_eq!(refused("update t set s = null where id > 1"), "23502 (2, 2, null, 2, 4)");
    assert_eq!(refused("update t set id = null, q = 5 where id > 1"), "23502 (null, 2, two, 5, 10)");
    assert_eq!(refused("update t set q = q * 5 where q > 0 returning *"), "23514 (3, 3, three, 100, 200)");
    assert_eq!(
        refused("insert into t values (1) on conflict (id) do update set q = t.q - excluded.id + 50"),
        "23514 (1, 1.0, one, 50, 100)"
    );
    let long = "é".repeat(60);
    let row = refused(&format!("insert into t values (9, 9, '{}', 999) on conflict do nothing", &long[..20]));
    assert_eq!(row, format!("23514 (9, 9, {}, 999, 1998)", &long[..20]));
}

#[test]
fn of_several_conditions_the_first_by_name_is_said_to_be_violated() {
    let db = db();
    let said = error(&db, "insert into t values (9, 9, 'x', 200)");
    assert!(said.starts_with("23514 new row for relation \"t\" violates check constraint \"high\""), "{said}");
    let said = error(&db, "insert into t values (null, 9, null, 200)");
    assert!(said.starts_with("23502 null value in column \"id\""), "{said}");
}

#[test]
fn long_values_are_cut() {
    let mut db = Db::new();
    db.run("create table l (a text, b bytea, c int not null)").unwrap();
    let said =
        error(&db, &format!("insert into l values ('a{}', decode('{}', 'hex'))", "é".repeat(40), "ab".repeat(40)));
    let shown = format!("(a{}..., \\x{}..., null)", "é".repeat(31), "ab".repeat(31));
    assert!(said.contains(&shown), "{said}");
}

/// What SQLite finds too deep is the statement's fault, and no mistake of ours.
#[test]
fn what_is_nested_too_deeply_says_so() {
    for message in TOO_DEEP {
        let error = beyond_a_limit(&format!("{message} (maximum depth 1000)")).expect("a limit");
        assert_eq!(error.code, state::STATEMENT_TOO_COMPLEX, "{message}");
    }
}
