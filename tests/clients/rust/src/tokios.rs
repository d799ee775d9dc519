//! tokio-postgres: types, transactions, portals, COPY both ways, notifications, cancelling.

use crate::step;
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use futures_util::{SinkExt, StreamExt, TryStreamExt};
use std::{net::IpAddr, pin::pin, time::Duration};
use tokio_postgres::{AsyncMessage, Client, NoTls, SimpleQueryMessage, binary_copy::{BinaryCopyInWriter, BinaryCopyOutStream}, types::{FromSql, ToSql, Type}};
use uuid::Uuid;

async fn connect(url: &str) -> (Client, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let (client, mut connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(message) = std::future::poll_fn(|context| connection.poll_message(context)).await {
            if let Ok(AsyncMessage::Notification(n)) = message {
                let _ = sender.send(format!("{} {}", n.channel(), n.payload()));
            }
        }
    });
    (client, receiver)
}

fn code(error: &tokio_postgres::Error) -> String {
    let Some(e) = error.as_db_error() else { return error.to_string() };
    format!("{} {} {}", e.code().code(), e.constraint().unwrap_or_default(), e.message())
}

async fn there_and_back<T>(client: &Client, ty: &str, value: T)
where
    T: ToSql + Sync + for<'a> FromSql<'a> + std::fmt::Debug,
{
    step!(ty, {
        let row = client.query_one(&format!("SELECT $1::{ty} AS v, ARRAY[$1::{ty}] IS NOT NULL"), &[&value]).await.map_err(|e| code(&e))?;
        Ok(format!("{:?} {}", row.try_get::<_, T>(0)?, row.get::<_, bool>(1)))
    });
}

pub async fn run(url: &str) {
    let (mut c, mut heard) = connect(url).await;
    step!("schema", {
        c.batch_execute("DROP SCHEMA IF EXISTS tp CASCADE; CREATE SCHEMA tp; SET search_path = tp; CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN small AS int CHECK (VALUE < 10);
            CREATE TABLE author (id serial PRIMARY KEY, name text CONSTRAINT once UNIQUE, mood mood, n small); CREATE TABLE book (id serial PRIMARY KEY, author int REFERENCES author, title text, price numeric, tags text[], at timestamptz)").await?;
        Ok("done")
    });
    there_and_back(&c, "bool", true).await;
    there_and_back(&c, "int2", 7_i16).await;
    there_and_back(&c, "int4", -7_i32).await;
    there_and_back(&c, "int8", i64::MIN).await;
    there_and_back(&c, "float4", 1.5_f32).await;
    there_and_back(&c, "float8", f64::NEG_INFINITY).await;
    there_and_back(&c, "text", "ž🐎".to_owned()).await;
    there_and_back(&c, "varchar", "v".to_owned()).await;
    there_and_back(&c, "bytea", vec![0_u8, 255]).await;
    there_and_back(&c, "uuid", Uuid::from_u128(7)).await;
    there_and_back(&c, "date", NaiveDate::from_ymd_opt(-43, 3, 15)).await;
    there_and_back(&c, "time", NaiveTime::from_hms_micro_opt(1, 2, 3, 4)).await;
    there_and_back(&c, "timestamp", DateTime::from_timestamp_micros(1_234_567_890_123_456).map(|t| t.naive_utc())).await;
    there_and_back::<Option<NaiveDateTime>>(&c, "timestamp", None).await;
    there_and_back(&c, "timestamptz", DateTime::<Utc>::from_timestamp_micros(-1)).await;
    there_and_back(&c, "json", serde_json::json!({"a": [1, null]})).await;
    there_and_back(&c, "jsonb", serde_json::json!([{"b": 1.5}])).await;
    there_and_back(&c, "inet", "10.0.0.1".parse::<IpAddr>().unwrap()).await;
    there_and_back(&c, "oid", 4_000_000_000_u32).await;
    there_and_back(&c, "\"char\"", 120_i8).await;
    there_and_back(&c, "int4[]", vec![Some(1), None]).await;
    there_and_back(&c, "text[]", vec!["a,b".to_owned(), String::new()]).await;
    there_and_back(&c, "uuid[]", vec![Uuid::nil()]).await;
    there_and_back(&c, "bytea[]", vec![vec![1_u8]]).await;
    step!("enum and domain are told", {
        let s = c.prepare("SELECT mood, n, ARRAY[mood] FROM author WHERE mood = $1 AND n = $2").await.map_err(|e| code(&e))?;
        let kind = |t: &Type| format!("{} {:?}", t.name(), t.kind());
        Ok(format!("{:?} {:?}", s.params().iter().map(kind).collect::<Vec<_>>(), s.columns().iter().map(|c| kind(c.type_())).collect::<Vec<_>>()).chars().take_while(|c| *c != '\0').collect::<String>().replace("Other", "").split("oid: ").map(|p| p.trim_start_matches(|c: char| c.is_ascii_digit())).collect::<String>())
    });
    step!("insert", Ok(format!("{:?}", c.query_one("INSERT INTO author (name, n) VALUES ($1, 3) RETURNING id, name", &[&"Le Guin"]).await?.get::<_, i32>(0))));
    step!("unique", Ok(c.execute("INSERT INTO author (name) VALUES ($1)", &[&"Le Guin"]).await.map_err(|e| code(&e))?));
    step!("domain", Ok(c.execute("INSERT INTO author (name, n) VALUES ('x', 99)", &[]).await.map_err(|e| code(&e))?));
    step!("foreign key", Ok(c.execute("INSERT INTO book (author) VALUES ($1)", &[&99]).await.map_err(|e| code(&e))?));
    step!("transaction with a savepoint", {
        let mut t = c.build_transaction().isolation_level(tokio_postgres::IsolationLevel::Serializable).start().await?;
        t.execute("INSERT INTO author (name) VALUES ('t1')", &[]).await?;
        let inner = t.savepoint("a b").await?;
        let failed = inner.execute("INSERT INTO author (name) VALUES ('t1')", &[]).await.map_err(|e| code(&e));
        inner.rollback().await?;
        t.execute("INSERT INTO author (name) VALUES ('t2')", &[]).await?;
        t.commit().await?;
        Ok(format!("{failed:?} {}", c.query_one("SELECT count(*) FROM author", &[]).await?.get::<_, i64>(0)))
    });
    step!("portal", {
        let t = c.transaction().await?;
        let portal = t.bind("SELECT generate_series(1, $1)", &[&10]).await?;
        let mut sizes = Vec::new();
        loop {
            let rows = t.query_portal(&portal, 4).await?;
            if rows.is_empty() { break }
            sizes.push(rows.len());
        }
        Ok(format!("{sizes:?}"))
    });
    step!("pipelined", {
        let (a, b, d) = tokio::join!(c.query_one("SELECT 1", &[]), c.execute("INSERT INTO author (name) VALUES ('t1')", &[]), c.query_one("SELECT 2", &[]));
        Ok(format!("{} {:?} {}", a?.get::<_, i32>(0), b.map_err(|e| code(&e)), d?.get::<_, i32>(0)))
    });
    step!("stream", {
        let stream = c.query_raw("SELECT g FROM generate_series(1, $1) g", [5000_i32]).await?;
        let mut stream = pin!(stream);
        let mut sum = 0_i64;
        while let Some(row) = stream.try_next().await? { sum += i64::from(row.get::<_, i32>(0)) }
        Ok(sum)
    });
    step!("copy in", {
        let sink = c.copy_in("COPY book (title, tags) FROM STDIN").await?;
        let mut sink = pin!(sink);
        sink.send(Bytes::from_static(b"one\t{a,b}\ntwo\t\\N\n")).await?;
        Ok(sink.finish().await?)
    });
    step!("copy in, binary", {
        let sink = c.copy_in("COPY book (author, title, at) FROM STDIN BINARY").await?;
        let writer = BinaryCopyInWriter::new(sink, &[Type::INT4, Type::TEXT, Type::TIMESTAMPTZ]);
        let mut writer = pin!(writer);
        for n in 0..3000 { writer.as_mut().write(&[&1_i32, &format!("book {n}"), &DateTime::<Utc>::from_timestamp(n, 0)]).await? }
        Ok(writer.finish().await?)
    });
    step!("copy out, binary", {
        let stream = c.copy_out("COPY (SELECT id, title FROM book ORDER BY id) TO STDOUT BINARY").await?;
        let rows = BinaryCopyOutStream::new(stream, &[Type::INT4, Type::TEXT]);
        let rows: Vec<_> = pin!(rows).try_collect().await?;
        Ok(format!("{} {}", rows.len(), rows[5].get::<String>(1)))
    });
    step!("copy out", {
        let stream = c.copy_out("COPY (SELECT id, tags FROM book WHERE id < 3 ORDER BY id) TO STDOUT CSV").await?;
        let parts: Vec<_> = pin!(stream).try_collect().await?;
        Ok(parts.iter().map(|p| String::from_utf8_lossy(p).replace('\n', "/")).collect::<String>())
    });
    step!("copy given up", {
        {
            let sink = c.copy_in("COPY book (title) FROM STDIN").await?;
            pin!(sink).send(Bytes::from_static(b"lost\n")).await?;
        }
        Ok(c.query_one("SELECT count(*) FROM book WHERE title = 'lost'", &[]).await?.get::<_, i64>(0))
    });
    step!("simple query", {
        let messages = c.simple_query("SELECT 1 AS a; UPDATE author SET n = 2 WHERE id = 1; SELECT 'x' AS b, NULL AS c").await?;
        Ok(messages.iter().map(|m| match m { SimpleQueryMessage::Row(r) => format!("{:?}", r.get(0)), SimpleQueryMessage::CommandComplete(n) => format!("#{n}"), _ => String::new() }).collect::<Vec<_>>().join(" "))
    });
    step!("listen", {
        c.batch_execute("LISTEN news").await?;
        connect(url).await.0.execute("SELECT pg_notify('news', $1)", &[&"hello"]).await?;
        Ok(tokio::time::timeout(Duration::from_secs(5), heard.recv()).await?.unwrap_or_default())
    });
    step!("cancel", {
        let token = c.cancel_token();
        let (slept, ()) = tokio::join!(c.execute("SELECT pg_sleep(20)", &[]), async { tokio::time::sleep(Duration::from_millis(200)).await; token.cancel_query(NoTls).await.unwrap() });
        Ok(slept.map_err(|e| code(&e))?)
    });
    step!("typed query", Ok(c.query_typed("SELECT $1 + 1, $2", &[(&1_i32, Type::INT4), (&"x", Type::TEXT)]).await?[0].get::<_, i32>(0)));
    step!("old plan", {
        c.batch_execute("CREATE TABLE grown (a int)").await?;
        let s = c.prepare("SELECT * FROM grown").await?;
        c.batch_execute("ALTER TABLE grown ADD b int").await?;
        Ok(c.query(&s, &[]).await.map_err(|e| code(&e))?.len())
    });
    step!("stream of statements", {
        let many = futures_util::stream::iter(0..200).map(|n| { let c = &c; async move { c.query_one("SELECT $1::int + 1", &[&n]).await.map(|r| r.get::<_, i32>(0)) } }).buffered(50);
        Ok(many.try_fold(0, |sum, n| async move { Ok(sum + n) }).await?)
    });
}

