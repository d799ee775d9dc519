//! Diesel, over libpq: embedded migrations, the query builder, relations, errors told apart, savepoints, COPY.

use diesel::{connection::{DefaultLoadingMode, SimpleConnection}, pg::{CopyFormat, CopyHeader, PgRowByRowLoadingMode}, prelude::*, result::{DatabaseErrorKind, Error}, sql_types as st};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use std::{fmt::Display, io::Read};

diesel::table! { author (id) { id -> BigInt, name -> Text, age -> Nullable<Integer>, born -> Nullable<Date>, tags -> Array<Text>, details -> Jsonb, uid -> Uuid, money -> Numeric, at -> Timestamptz, ok -> Bool, raw -> Nullable<Bytea> } }
diesel::table! { book (id) { id -> Integer, author_id -> BigInt, title -> Varchar } }
diesel::joinable!(book -> author (author_id));
diesel::allow_tables_to_appear_in_same_query!(author, book);

#[derive(Debug, Queryable, Selectable, Identifiable, PartialEq)]
#[diesel(table_name = author)]
struct Author { id: i64, name: String, age: Option<i32>, born: Option<chrono::NaiveDate>, tags: Vec<String>, details: serde_json::Value, uid: uuid::Uuid, money: bigdecimal::BigDecimal, ok: bool, raw: Option<Vec<u8>> }
#[derive(Debug, Queryable, Selectable, Identifiable, Associations)]
#[diesel(table_name = book, belongs_to(Author, foreign_key = author_id))]
#[allow(dead_code)]
struct Book { id: i32, author_id: i64, title: String }
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = author)]
struct NewAuthor<'a> { name: &'a str, age: Option<i32>, tags: Vec<&'a str>, details: serde_json::Value }

fn step<T: Display>(name: &str, body: impl FnOnce() -> Result<T, Box<dyn std::error::Error + Send + Sync>>) { crate::told(name, body()) }

fn kind(error: &Error) -> String {
    match error {
        Error::DatabaseError(kind, info) => {
            let kind = match kind { DatabaseErrorKind::UniqueViolation => "unique", DatabaseErrorKind::ForeignKeyViolation => "foreign key", DatabaseErrorKind::CheckViolation => "check", DatabaseErrorKind::NotNullViolation => "not null", DatabaseErrorKind::SerializationFailure => "serialization", DatabaseErrorKind::ReadOnlyTransaction => "read only", _ => "other" };
            format!("{kind} {:?} {:?} {}", info.constraint_name(), info.table_name(), info.message())
        }
        other => other.to_string(),
    }
}

pub fn run(url: &str) {
    let mut c = PgConnection::establish(&format!("{url}?options=-c%20search_path%3Ddi")).unwrap();
    c.batch_execute("DROP SCHEMA IF EXISTS di CASCADE; CREATE SCHEMA di").unwrap();
    let c = &mut c;
    let directory = std::env::temp_dir().join(format!("diesel-{}", std::process::id()));
    for (name, up, down) in [
        ("2020-01-01-000000_start", "CREATE TABLE author (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL CONSTRAINT author_once UNIQUE, age INT CONSTRAINT grown CHECK (age > 0), born DATE, tags TEXT[] NOT NULL DEFAULT '{}', details JSONB NOT NULL DEFAULT '{}', uid UUID NOT NULL DEFAULT gen_random_uuid(), money NUMERIC NOT NULL DEFAULT 1.50, at TIMESTAMPTZ NOT NULL DEFAULT now(), ok BOOL NOT NULL DEFAULT true, raw BYTEA);\nCREATE TABLE book (id SERIAL PRIMARY KEY, author_id BIGINT NOT NULL REFERENCES author ON DELETE CASCADE, title VARCHAR NOT NULL);", "DROP TABLE book; DROP TABLE author;"),
        ("2020-01-02-000000_index", "CREATE INDEX book_title ON book (title, lower(title));", "DROP INDEX book_title;"),
    ] {
        std::fs::create_dir_all(directory.join(name)).unwrap();
        std::fs::write(directory.join(name).join("up.sql"), up).unwrap();
        std::fs::write(directory.join(name).join("down.sql"), down).unwrap();
    }
    let migrations = FileBasedMigrations::from_path(&directory).unwrap();
    step("migrate", || Ok(c.run_pending_migrations(migrations.clone())?.len()));
    step("migrate again", || Ok(c.run_pending_migrations(migrations.clone())?.len()));
    step("revert and redo", || { c.revert_last_migration(migrations.clone())?; Ok(c.run_pending_migrations(migrations.clone())?.len()) });
    step("history", || Ok(c.applied_migrations()?.len()));
    step("insert", || Ok(format!("{:?}", diesel::insert_into(author::table).values(NewAuthor { name: "Le Guin", age: Some(88), tags: vec!["a", "b,c"], details: serde_json::json!({"k": [1]}) }).returning((author::id, author::name, author::tags)).get_result::<(i64, String, Vec<String>)>(c)?)));
    step("insert many", || {
        let many: Vec<_> = (0..50).map(|n| (author::name.eq(format!("n{n}")), author::age.eq(Some(n + 1)))).collect();
        Ok(diesel::insert_into(author::table).values(&many).execute(c)?)
    });
    step("books", || { let many: Vec<_> = (0..9).map(|n| (book::author_id.eq(i64::from(n % 3 + 1)), book::title.eq(format!("t{n}")))).collect(); Ok(diesel::insert_into(book::table).values(many).execute(c)?) });
    step("find", || { let a = author::table.find(1).select(Author::as_select()).first(c)?; Ok(format!("{} {:?} {:?} {} {} {:?}", a.name, a.age, a.tags, a.details, a.money, a.raw)) });
    step("unique", || Ok(kind(&diesel::insert_into(author::table).values(author::name.eq("Le Guin")).execute(c).unwrap_err())));
    step("check", || Ok(kind(&diesel::update(author::table.find(1)).set(author::age.eq(-1)).execute(c).unwrap_err())));
    step("foreign key", || Ok(kind(&diesel::insert_into(book::table).values((book::author_id.eq(999), book::title.eq("x"))).execute(c).unwrap_err())));
    step("not null", || Ok(kind(&diesel::sql_query("INSERT INTO author (name) VALUES (NULL)").execute(c).unwrap_err())));
    step("belonging to", || { let authors = author::table.limit(3).order(author::id).select(Author::as_select()).load(c)?; let books = Book::belonging_to(&authors).select(Book::as_select()).load(c)?.grouped_by(&authors); Ok(format!("{:?}", books.iter().map(Vec::len).collect::<Vec<_>>())) });
    step("joins", || Ok(format!("{:?}", author::table.left_join(book::table).group_by(author::id).select((author::name, diesel::dsl::count(book::id.nullable()))).having(diesel::dsl::count(book::id.nullable()).gt(0)).order(author::name).load::<(String, i64)>(c)?)));
    step("filters", || Ok(author::table.filter(author::name.like("n1%").or(author::name.eq_any(["n20", "n30"]))).filter(author::age.is_not_null()).filter(author::tags.is_contained_by(vec!["a"])).filter(author::details.retrieve_as_text("k").is_null()).filter(diesel::dsl::exists(book::table.filter(book::id.gt(0)))).count().get_result::<i64>(c)?));
    step("distinct on", || Ok(book::table.distinct_on(book::author_id).order((book::author_id, book::title.desc())).select(book::title).load::<String>(c)?.join(",")));
    step("update returning", || Ok(diesel::update(author::table.filter(author::name.eq("n1"))).set((author::age.eq(author::age + 5), author::tags.eq(vec!["new"]))).returning(author::age).get_result::<Option<i32>>(c)?.unwrap_or(0)));
    step("upsert", || Ok(diesel::insert_into(author::table).values((author::name.eq("n2"), author::age.eq(40))).on_conflict(author::name).do_update().set(author::age.eq(diesel::upsert::excluded(author::age))).execute(c)?));
    step("upsert on a constraint", || Ok(diesel::insert_into(author::table).values(author::name.eq("n2")).on_conflict(diesel::upsert::on_constraint("author_once")).do_nothing().execute(c)?));
    step("transaction", || {
        c.build_transaction().serializable().run::<_, Error, _>(|c| {
            diesel::insert_into(author::table).values(author::name.eq("t1")).execute(c)?;
            let inner = c.transaction::<usize, Error, _>(|c| diesel::insert_into(author::table).values(author::name.eq("t1")).execute(c));
            println!("  inner: {}", kind(&inner.unwrap_err()));
            diesel::insert_into(author::table).values(author::name.eq("t2")).execute(c)
        })?;
        Ok(author::table.filter(author::name.eq_any(["t1", "t2"])).count().get_result::<i64>(c)?)
    });
    step("read only", || Ok(kind(&c.build_transaction().read_only().run::<usize, Error, _>(|c| diesel::delete(author::table).execute(c)).unwrap_err())));
    step("for update", || Ok(c.transaction::<_, Error, _>(|c| author::table.for_update().skip_locked().select(author::id).filter(author::id.lt(3)).load::<i64>(c))?.len()));
    step("row by row", || Ok(book::table.select(book::title).load_iter::<String, PgRowByRowLoadingMode>(c)?.filter_map(Result::ok).count()));
    step("whole", || Ok(book::table.select(book::title).load_iter::<String, DefaultLoadingMode>(c)?.filter_map(Result::ok).count()));
    step("copy in", || Ok(diesel::copy_from(book::table).from_raw_data((book::author_id, book::title), |w| { w.write_all(b"1,\"a,b\"\n2,c\n").map_err(|e| Error::SerializationError(Box::new(e)))?; diesel::QueryResult::Ok(()) }).with_format(CopyFormat::Csv).with_header(CopyHeader::Set(false)).execute(c)?));
    step("copied as rows", || Ok(diesel::copy_to(book::table).load::<Book, _>(c)?.collect::<Result<Vec<_>, _>>()?.len()));
    step("raw", || {
        #[derive(QueryableByName)]
        struct Row { #[diesel(sql_type = st::BigInt)] n: i64 }
        Ok(diesel::sql_query("SELECT count(*) AS n FROM author WHERE age > $1 AND $2 = ANY(tags)").bind::<st::Integer, _>(1).bind::<st::Text, _>("new").get_result::<Row>(c)?.n)
    });
    step("functions", || Ok(format!("{:?}", diesel::select((diesel::dsl::now.is_not_null(), diesel::dsl::sql::<st::Text>("lower('X')"))).get_result::<(bool, String)>(c)?)));
    step("delete", || Ok(diesel::delete(author::table.filter(author::id.lt(3))).execute(c)?));
    step("revert all, and again", || { let n = c.revert_all_migrations(migrations.clone())?.len(); Ok(n + c.run_pending_migrations(migrations.clone())?.len()) });
    // The reader of a COPY keeps its connection: this comes last.
    step("copy out", || { let mut text = String::new(); diesel::copy_to(book::table).with_format(CopyFormat::Csv).load_raw(c)?.read_to_string(&mut text)?; Ok(text.lines().count()) });
    let _ = std::fs::remove_dir_all(directory);
}
