//! Scripts of DDL run against SQLite as a replica would run them; after each statement the catalog read back from
//! the file must equal the compiler's working copy.

use crate::command::{Statement, Yields};
use crate::error::{SqlError, SqlResult};
use crate::functions::{self, Context};
use crate::sql::catalog::{Catalog, Relation};
use crate::sql::plan::{PlanKind, Tag};
use crate::sql::violation::{self, Failure};
use crate::sql::{Scope, compile, parse};
use crate::types::Env;
use crate::value::Value;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::sync::Arc;

pub struct Db {
    connection: Connection,
    context: Arc<parking_lot::Mutex<Context>>,
    catalog: Catalog,
}

impl Db {
    pub fn new() -> Db {
        let connection = Connection::open_in_memory().unwrap();
        for sql in crate::sql::database_migrations().iter().map(|step| step.script) {
            connection.execute_batch(sql).unwrap();
        }
        connection.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        let context = Arc::new(parking_lot::Mutex::new(Context::default()));
        functions::sqlite::register(&connection, &context).unwrap();
        let catalog = load(&connection);
        Db { connection, context, catalog }
    }

    /// Runs DDL; the tag and the notices.
    pub fn run(&mut self, text: &str) -> SqlResult<String> {
        let mut said = Vec::new();
        for parsed in parse(text)? {
            let (env, path) = (Env::default(), ["$user".to_owned(), "public".to_owned()]);
            let scope = Scope::plain(&self.catalog, &path, &env, "quorate", "quorate");
            let plan = compile(&parsed, &scope)?;
            let crate::sql::Ast::Ddl(ddl) = &parsed.ast else { panic!("not DDL: {text}") };
            let after = super::catalog_after(ddl, &scope)?;
            let PlanKind::Write(write) = plan.kind else { panic!("not DDL: {text}") };
            self.connection.execute_batch("SAVEPOINT command").unwrap();
            for s in &write.statements {
                if let Err(error) = self.step(s) {
                    self.connection.execute_batch("ROLLBACK TO command; RELEASE command").unwrap();
                    return Err(error);
                }
            }
            self.connection.execute_batch("RELEASE command").unwrap();
            said.extend(write.notices.iter().map(|n| {
                let detail = n.fields.detail.as_ref().map(|d| format!(" [{d}]")).unwrap_or_default();
                format!("NOTICE: {}{detail}", n.message)
            }));
            said.push(match write.tag {
                Tag::Plain(t) | Tag::Counted(t) => t.to_owned(),
            });
            self.catalog = load(&self.connection);
            assert_eq!(self.catalog.relations, after.relations, "{text}");
            assert_eq!(self.catalog.rowid_keys, after.rowid_keys, "{text}");
            assert_eq!(self.catalog.rights, after.rights, "{text}");
            assert_eq!((self.catalog.next_oid, &self.catalog.schemas), (after.next_oid, &after.schemas), "{text}");
        }
        Ok(said.join("; "))
    }

    /// The error of a statement that SQLite refused.
    fn explain(&self, statement: &Statement, message: &str, code: i32) -> SqlError {
        let env = Env::default();
        let tables: Vec<u32> = self.catalog.relations.values().map(|r| r.oid).filter(|o| *o >= 16384).collect();
        let failure = Failure {
            message,
            code,
            raised: functions::sqlite::decode_error(message),
            sql: &statement.sql,
            shape: &statement.shape,
            tables: &tables,
            changes: &[],
            complete: true,
            env: &env,
        };
        self.context.lock().lenient = true;
        let error = violation::explain(&self.catalog, &failure, &mut |sql, values| {
            let values = values.unwrap_or_default();
            let mut statement = self.connection.prepare(sql).unwrap_or_else(|e| panic!("{e}: {sql}"));
            let width = statement.column_count();
            let params = rusqlite::params_from_iter(values.iter().map(|value| match value {
                Value::Int(n) => *n,
                other => panic!("{other:?}"),
            }));
            let row = statement.query_row(params, |row| {
                (0..width)
                    .map(|i| {
                        Ok(match row.get_ref(i)? {
                            ValueRef::Null => Value::Null,
                            ValueRef::Integer(n) => Value::Int(n),
                            ValueRef::Real(x) => Value::Real(x),
                            ValueRef::Text(t) => Value::Text(String::from_utf8_lossy(t).into_owned()),
                            ValueRef::Blob(b) => Value::Blob(b.to_owned()),
                        })
                    })
                    .collect()
            });
            Ok(row.ok())
        });
        self.context.lock().lenient = false;
        error
    }

    fn step(&self, order: &Statement) -> SqlResult<()> {
        let (sql, guard) = (&*order.sql, order.yields == Yields::Guard);
        let failed = |e: rusqlite::Error| {
            let (message, code) = match &e {
                rusqlite::Error::SqliteFailure(f, m) => (m.clone().unwrap_or_default(), f.extended_code),
                other => (other.to_string(), 0),
            };
            match code & 0xff {
                19 => self.explain(order, &message, code),
                _ => SqlError::internal(format!("{message} in {sql}")),
            }
        };
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            if guard {
                let text = |i| row.get::<_, Option<String>>(i).unwrap();
                let code = crate::error::SqlState::new(&text(0).unwrap());
                let mut error = SqlError::new(code, text(1).unwrap());
                error.fields.detail = text(2);
                error.fields.constraint = text(8);
                return Err(error);
            }
        }
        Ok(())
    }

    fn fails(&mut self, text: &str) -> String {
        match self.run(text) {
            Ok(said) => format!("no error: {said}"),
            Err(e) => {
                let detail = e.fields.detail.as_ref().map(|d| format!(" [{d}]")).unwrap_or_default();
                format!("{} {}{detail}", e.code.as_str(), e.message)
            }
        }
    }

    /// Runs SQLite SQL; the error it is explained as.
    fn row(&self, sql: &str) -> String {
        match self.step(&Statement::new(sql, Yields::Nothing)) {
            Ok(()) => "ok".into(),
            Err(e) => format!("{} {}", e.code.as_str(), e.message),
        }
    }

    /// Runs a query or a data change as its plan says: rows as text, or the error.
    pub fn sql(&self, text: &str) -> String {
        self.query(text).unwrap_or_else(|e| format!("{} {}", e.code.as_str(), e.message))
    }

    /// As [`Self::sql`], with the error as it is.
    pub fn query(&self, text: &str) -> SqlResult<String> {
        let (env, path) = (Env::default(), ["public".to_owned()]);
        let scope = Scope::plain(&self.catalog, &path, &env, "quorate", "quorate");
        let plan = compile(&parse(text)?[0], &scope)?;
        let order = match &plan.kind {
            PlanKind::Read(read) => Statement::new(&*read.sql, Yields::Rows),
            PlanKind::Write(write) => write.statements[0].clone(),
            _ => panic!("neither a query nor a change: {text}"),
        };
        let failed = |e: rusqlite::Error| {
            let (message, code) = match &e {
                rusqlite::Error::SqliteFailure(f, m) => (m.clone().unwrap_or_default(), f.extended_code),
                other => (other.to_string(), 0),
            };
            self.explain(&order, &message, code)
        };
        let sql = &order.sql;
        let mut statement = self.connection.prepare(sql).unwrap_or_else(|e| panic!("{e}: {sql}"));
        let width = statement.column_count();
        let mut rows = statement.query([]).map_err(failed)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let cell = |i| match row.get_ref(i).unwrap() {
                ValueRef::Null => "NULL".to_owned(),
                ValueRef::Integer(n) => n.to_string(),
                ValueRef::Text(t) => String::from_utf8_lossy(t).into_owned(),
                other => format!("{other:?}"),
            };
            out.push((0..width).map(cell).collect::<Vec<_>>().join(" | "));
        }
        Ok(out.join("\n"))
    }

    fn relation(&self, name: &str) -> &Relation {
        self.catalog.resolve(&["public".into()], None, name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// Columns and constraints as text.
    fn describe(&self, name: &str) -> String {
        let r = self.relation(name);
        let mut out = Vec::new();
        for c in &r.columns {
            let not_null = if c.not_null { " not null" } else { "" };
            let default = c.default.as_ref().map(|d| format!(" default {d}")).unwrap_or_default();
            out.push(format!("{} {}/{}{not_null}{default}", c.name, c.ty.0, c.typmod));
        }
        out.extend(r.constraints.iter().map(|c| format!("{} {:?}", c.name, c.columns)));
        out.extend(r.indexes.iter().map(|i| format!("index {}", i.name)));
        out.join("\n")
    }

    fn count(&self, sql: &str) -> i64 {
        self.connection.query_row(sql, [], |r| r.get(0)).unwrap()
    }
}

fn load(connection: &Connection) -> Catalog {
    let mut rows = |sql: &str| {
        let mut statement = connection.prepare(sql).map_err(|e| SqlError::internal(e.to_string()))?;
        let width = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        let mut out = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            out.push((0..width).map(|i| value(row.get_ref(i).unwrap())).collect());
        }
        Ok(out)
    };
    Catalog::load(None, &mut rows).unwrap()
}

fn value(v: ValueRef<'_>) -> Value {
    match v {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(i) => Value::Int(i),
        ValueRef::Real(r) => Value::Real(r),
        ValueRef::Text(t) => Value::Text(String::from_utf8(t.to_vec()).unwrap()),
        ValueRef::Blob(b) => Value::Blob(b.to_vec()),
    }
}

#[test]
fn tables_and_their_names() {
    let mut db = Db::new();
    db.run("create table p (id serial primary key, n varchar(20) unique not null, d numeric(5,2) default 1.5 check (d > 0))")
        .unwrap();
    assert_eq!(
        db.describe("p"),
        "id 23/-1 not null default nextval('public.p_id_seq'::regclass)\nn 1043/24 not null\nd 1700/327686 default 1.5\n\
         p_pkey [1]\np_n_key [2]\np_d_check [3]\nindex p_pkey\nindex p_n_key"
    );
    db.run(
        "create table c (id int8 generated by default as identity primary key, p int references p on delete cascade, \
            a int, b int, unique (a, b), constraint pos check (a > 0), check (a < b), check (a < 9))",
    )
    .unwrap();
    assert!(
        db.describe("c").contains("c_a_b_key [3, 4]\npos [3]\nc_check [3, 4]\nc_a_check [3]\nc_p_fkey [2]"),
        "{}",
        db.describe("c")
    );
    assert_eq!(db.fails("create table p (a int)"), "42P07 relation \"p\" already exists");
    assert_eq!(
        db.run("create table if not exists p (a int)").unwrap(),
        "NOTICE: relation \"p\" already exists, skipping; CREATE TABLE"
    );
    assert_eq!(db.fails("create table x (a nosuch)"), "42704 type \"nosuch\" does not exist");
    assert_eq!(db.fails("create table x (a int, a int)"), "42701 column \"a\" specified more than once");
    assert_eq!(db.row("insert into \"public.p\"(id, n) values (1, 'a'), (2, 'b')"), "ok");
    assert_eq!(
        db.row("insert into \"public.p\"(id, n) values (1, 'c')"),
        "23505 duplicate key value violates unique constraint \"p_pkey\""
    );
    assert_eq!(
        db.row("insert into \"public.p\"(id, n) values (3, 'a')"),
        "23505 duplicate key value violates unique constraint \"p_n_key\""
    );
    assert_eq!(
        db.row("insert into \"public.p\"(id) values (3)"),
        "23502 null value in column \"n\" of relation \"p\" violates not-null constraint"
    );
    assert_eq!(
        db.row("insert into \"public.c\"(id, a, b) values (3, 9, 10)"),
        "23514 new row for relation \"c\" violates check constraint \"c_a_check\""
    );
    assert!(db.row("insert into \"public.c\"(id, p) values (3, 99)").starts_with("23503"));
}

#[test]
fn altering_tables() {
    let mut db = Db::new();
    db.run("create table p (id int primary key, t text); create table c (id int, p int)").unwrap();
    db.connection
        .execute_batch("insert into \"public.p\" values (1,'a'),(2,'b'); insert into \"public.c\" values (1,1),(2,2)")
        .unwrap();
    db.run("alter table c add primary key (id)").unwrap();
    db.run("alter table c add constraint cp foreign key (p) references p(id) on delete cascade").unwrap();
    assert!(db.row("insert into \"public.c\" values (3, 7)").starts_with("23503"));
    // Copying the parent must not cascade to its children.
    db.run("alter table p alter column t type int8 using length(t)").unwrap();
    assert_eq!(db.count("select count(*) from \"public.c\""), 2);
    assert_eq!(db.count("select sum(t) from \"public.p\""), 2);
    assert!(db.row("insert into \"public.c\" values (3, 7)").starts_with("23503"));
    assert_eq!(
        db.fails("alter table p drop constraint p_pkey"),
        "2BP01 cannot drop constraint p_pkey on table p because other objects depend on it \
         [constraint cp on table c depends on index p_pkey]"
    );
    db.run(
        "alter table c add column x int not null default 5, add column y varchar(3) check (y <> ''), add z int unique",
    )
    .unwrap();
    assert_eq!(db.count("select sum(x) from \"public.c\""), 10);
    assert_eq!(
        db.fails("alter table c add q int not null"),
        "23502 column \"q\" of relation \"c\" contains null values"
    );
    assert_eq!(
        db.fails("alter table c add unique (x)"),
        "23505 could not create unique index \"c_x_key\" [Key (x)=(5) is duplicated.]"
    );
    assert_eq!(
        db.fails("alter table c add check (x > 5)"),
        "23514 check constraint \"c_x_check\" of relation \"c\" is violated by some row"
    );
    db.run("alter table c rename column y to yy; alter table c rename to d; alter table d rename constraint cp to dp")
        .unwrap();
    assert_eq!(
        db.describe("d"),
        "id 23/-1 not null\np 23/-1\nx 23/-1 not null default 5\nyy 1043/7\nz 23/-1\n\
         c_pkey [1]\ndp [2]\nc_y_check [4]\nc_z_key [5]\nindex c_pkey\nindex c_z_key"
    );
    assert!(db.row("insert into \"public.d\"(id, p, x, yy) values (7, 1, 1, '')").contains("c_y_check"));
    db.run(
        "alter table d alter x drop default, alter x drop not null, alter column x set default 7, alter p set not null",
    )
    .unwrap();
    db.run("alter table d drop column yy, drop column z, drop constraint dp, drop constraint c_pkey").unwrap();
    assert_eq!(db.describe("d"), "id 23/-1 not null\np 23/-1 not null\nx 23/-1 default 7");
    assert_eq!(db.fails("alter table d drop nosuch"), "42703 column \"nosuch\" of relation \"d\" does not exist");
    assert_eq!(
        db.fails("alter table d enable row level security"),
        "0A000 ALTER TABLE ENABLE ROW LEVEL SECURITY is not supported"
    );
    db.run("alter table only d alter column id add generated by default as identity (sequence name public.d_seq start with 5 no minvalue cache 1)").unwrap();
    assert_eq!(db.count("select seqstart from \"pg_catalog.pg_sequence\""), 5);
}

#[test]
fn indexes_sequences_schemas_and_drops() {
    let mut db = Db::new();
    db.run("create table t (a int, b text); create index on t (a, lower(b) desc) where a > 0; create index on t (a); create index on t (a)").unwrap();
    let names: Vec<&str> = db.relation("t").indexes.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["t_a_lower_idx", "t_a_idx", "t_a_idx1"]);
    db.run("create unique index concurrently if not exists u on public.t using btree (b varchar_pattern_ops asc nulls first) include (a) with (fillfactor=70)").unwrap();
    db.run("create sequence s as int start 5 increment by 2 minvalue 1 no maxvalue cache 1 cycle; alter sequence s restart with 9 owned by t.a").unwrap();
    assert_eq!(db.count("select last_value from \"pg_catalog.pg_sequence\""), 9);
    assert!(db.fails("create sequence z minvalue 5 maxvalue 4").starts_with("22023 MINVALUE (5) must be less"));
    db.run("drop index t_a_idx, u; alter index t_a_idx1 rename to i2; drop table t").unwrap();
    assert_eq!(db.count("select count(*) from \"pg_catalog.pg_class\" where oid >= 16384"), 0);
    assert_eq!(db.count("select count(*) from \"pg_catalog.pg_depend\""), 0);
    assert_eq!(db.count("select count(*) from sqlite_schema where name like 'public.%'"), 0);
    db.run("create schema s; create table s.p (id int primary key); create table s.c (p int references s.p); create table c2 (p int references s.p)").unwrap();
    assert!(db.fails("drop table s.p").starts_with("2BP01 cannot drop table s.p because other objects depend on it"));
    assert!(db.fails("truncate s.p").starts_with("0A000 cannot truncate a table referenced in a foreign key"));
    db.run(
        "truncate s.p, s.c, c2 restart identity; comment on table s.p is 'it''s'; comment on column s.p.id is 'key'",
    )
    .unwrap();
    assert_eq!(db.count("select count(*) from \"pg_catalog.pg_description\" where description in ('it''s', 'key')"), 2);
    assert!(db.fails("drop schema s").starts_with("2BP01 cannot drop schema s"));
    assert!(db.run("drop schema s cascade").unwrap().contains("drop cascades to constraint c2_p_fkey on table c2"));
    assert_eq!(db.describe("c2"), "p 23/-1");
    assert_eq!(
        db.run("drop table if exists nosuch").unwrap(),
        "NOTICE: table \"nosuch\" does not exist, skipping; DROP TABLE"
    );
    assert_eq!(db.fails("drop table nosuch"), "42P01 table \"nosuch\" does not exist");
    assert!(db.fails("drop table pg_class").starts_with("42501"));
    assert!(db.fails("create trigger x").starts_with("0A000 CREATE TRIGGER"));
    assert!(db.fails("create type m as (a int)").starts_with("0A000 composite types"));
}

#[test]
fn views_and_tables_of_queries() {
    let mut db = Db::new();
    db.run("create table t (a int, b text); create view v as select a, b as c from t where a > 0; create view w(x) as select c from v").unwrap();
    assert_eq!(db.describe("w"), "x 25/-1");
    assert_eq!(db.fails("create view v as select 1"), "42P07 relation \"v\" already exists");
    db.run("create or replace view v as select a, b as c, a as d from t").unwrap();
    assert!(db.fails("drop view v").starts_with("2BP01 cannot drop view v because other objects depend on it"));
    assert!(db.fails("drop table t").starts_with("2BP01"));
    db.connection.execute_batch("insert into \"public.t\" values (1, 'x')").unwrap();
    db.run("create table u as select a, c from v; create table e (n) as select a from t with no data").unwrap();
    assert_eq!(db.describe("u"), "a 23/-1\nc 25/-1");
    assert_eq!(db.count("select count(*) from \"public.u\" where a = 1"), 1);
    assert_eq!(db.count("select count(*) from \"public.e\""), 0);
    db.run("drop table t cascade").unwrap();
    assert_eq!(db.count("select count(*) from \"_quorate_view\""), 0);
    assert_eq!(db.count("select count(*) from \"pg_catalog.pg_depend\" where classid = 2618"), 0);
}

#[test]
fn a_null_in_a_rowid_is_refused() {
    let mut db = Db::new();
    db.run("create table p (id int primary key, a int); create sequence s").unwrap();
    let refused = "23502 null value in column \"id\" of relation \"p\" violates not-null constraint";
    for statement in [
        "insert into p values (null, 1)",
        "insert into p (a) values (1)",
        "insert into p (a) select 1",
        "insert into p select null, 2",
        "insert into p default values",
        "insert into p values (default, 1)",
        "insert into p values (null, 1) on conflict do nothing",
    ] {
        assert_eq!(db.sql(statement), refused, "{statement}");
    }
    assert_eq!(db.sql("insert into p (a) select 1 where false"), "");
    assert_eq!(db.sql("insert into p values (1, 1)"), "");
    for statement in [
        "update p set id = null",
        "update p set id = default",
        "update p set (id, a) = (select null::int, 3)",
        "insert into p values (1, 2) on conflict (id) do update set id = null",
    ] {
        assert_eq!(db.sql(statement), refused, "{statement}");
    }
    assert_eq!(db.sql("select id, a from p"), "1 | 1");
}

#[test]
fn definitions_are_told_as_text() {
    let mut db = Db::new();
    db.run(
        "create table p (a int, b text, primary key (a, b)); \
         create table c (id serial primary key, x int check (x > 0), y text, unique (y), \
           foreign key (x, y) references p on delete cascade deferrable initially deferred); \
         create index i on c (lower(y), (x + 1) desc, y nulls first) include (x) where x is not null; \
         create view v as select x from c; comment on table p is 'parents'",
    )
    .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        db.sql("select pg_get_indexdef('i'::regclass)"),
        "CREATE INDEX i ON public.c USING btree (lower(y), ((x + 1)) DESC, y NULLS FIRST) INCLUDE (x) WHERE (x IS NOT NULL)"
    );
    assert_eq!(db.sql("select pg_get_indexdef('i'::regclass, 2, true)"), "(x + 1)");
    assert_eq!(
        db.sql("select conname, pg_get_constraintdef(oid, true) from pg_constraint order by 1"),
        "c_pkey | PRIMARY KEY (id)\n\
         c_x_check | CHECK (x > 0)\n\
         c_x_y_fkey | FOREIGN KEY (x, y) REFERENCES p(a, b) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED\n\
         c_y_key | UNIQUE (y)\n\
         p_pkey | PRIMARY KEY (a, b)"
    );
    assert_eq!(db.sql("select pg_get_viewdef('v'::regclass)"), " SELECT x FROM \"public\".\"c\";");
    assert_eq!(db.sql("select obj_description('p'::regclass, 'pg_class')"), "parents");
    assert_eq!(db.sql("select c.oid::regclass from pg_class c where relname = 'v'").split(' ').next_back(), Some("v"));
    assert_eq!(db.sql("select tablename from pg_tables where schemaname = 'public' order by 1"), "c\np");
    assert_eq!(
        db.sql("select column_name, data_type, is_nullable from information_schema.columns where table_name = 'p'"),
        "a | integer | NO\nb | text | NO"
    );
}

#[test]
fn every_system_view_has_the_columns_of_its_query() {
    let db = Db::new();
    let views = db.catalog.relations.values().filter(|r| matches!(r.source, crate::sql::catalog::Source::View(_)));
    let mut seen = 0;
    for view in views.filter(|v| v.name != "pg_database") {
        assert!(
            !db.sql(&format!("select * from {}.{} limit 0", view.schema, view.name)).contains(' '),
            "{}",
            view.name
        );
        seen += 1;
    }
    assert!(seen > 20);
}

#[test]
fn roles_their_members_and_their_settings() {
    let mut db = Db::new();
    for text in [
        "CREATE ROLE \"Ann\" WITH LOGIN PASSWORD 'secret' VALID UNTIL '2030-01-01' CONNECTION LIMIT 3",
        "CREATE GROUP team ROLE \"Ann\" ADMIN quorate",
        "ALTER ROLE \"Ann\" CREATEDB NOLOGIN PASSWORD NULL",
        "ALTER ROLE \"Ann\" SET work_mem = '2MB'",
        "ALTER DATABASE quorate SET search_path = a, b",
        "ALTER ROLE \"Ann\" RESET work_mem",
        "ALTER ROLE team RENAME TO crew",
        "REVOKE ADMIN OPTION FOR crew FROM quorate",
        "DROP ROLE crew, \"Ann\"",
    ] {
        db.run(text).unwrap();
    }
    assert_eq!(
        db.fails("CREATE ROLE pg_x"),
        "42939 role name \"pg_x\" is reserved [Role names starting with \"pg_\" are reserved.]"
    );
    assert_eq!(db.fails("DROP ROLE quorate"), "55006 current user cannot be dropped");
    assert_eq!(db.fails("CREATE USER quorate"), "42710 role \"quorate\" already exists");
}

#[test]
fn of_a_password_its_verifier_is_kept() {
    let mut db = Db::new();
    db.run("CREATE USER ann PASSWORD 'secret'").unwrap();
    let login = db.catalog.login("ann").unwrap();
    let verifier = login.verifier.unwrap().0;
    assert!(login.can_login && crate::scram::Verifier::parse(&verifier).unwrap().matches("secret"));
    db.run(&format!("CREATE USER bob PASSWORD '{verifier}'")).unwrap();
    assert_eq!(db.catalog.login("bob").unwrap().verifier.unwrap().0, verifier);
    assert_eq!(
        db.run("ALTER USER bob PASSWORD ''").unwrap(),
        "NOTICE: empty string is not a valid password, clearing password; ALTER ROLE"
    );
    assert!(db.fails("CREATE USER carl PASSWORD 'md50123456789abcdef0123456789abcdef'").starts_with("0A000"));
}
