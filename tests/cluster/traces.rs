//! Spans of single statements, as a collector gets them.

use crate::support::cluster::{Cluster, Options, run, sqlstate};
use crate::support::{PATIENCE, eventually};
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// As much of a collector as a test needs: it keeps the spans that it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Value>>>);

impl Collector {
    async fn begin(&self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, spans) = (listener.local_addr().unwrap().port(), self.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let spans = spans.clone();
                tokio::spawn(async move { spans.take(stream).await });
            }
        });
        port
    }

    async fn take(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let (mut length, mut first) = (0, String::new());
        stream.read_line(&mut first).await?;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            match line.trim().to_ascii_lowercase().split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        assert!(first.starts_with("POST /v1/traces "), "{first}");
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let told: Value = serde_json::from_slice(&body).unwrap();
        for resource in told["resourceSpans"].as_array().unwrap() {
            for scope in resource["scopeSpans"].as_array().unwrap() {
                self.0.lock().extend(scope["spans"].as_array().unwrap().iter().cloned());
            }
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}").await
    }

    fn of(&self, trace: &str) -> Vec<Value> {
        self.0.lock().iter().filter(|span| span["traceId"] == trace).cloned().collect()
    }
}

/// Name to (span, parent, begin, end).
fn by_name(spans: &[Value]) -> BTreeMap<String, (String, String, u64, u64)> {
    let text = |span: &Value, key: &str| span[key].as_str().unwrap_or_default().to_owned();
    let time = |span: &Value, key: &str| text(span, key).parse::<u64>().unwrap();
    let row = |span: &Value| {
        let (begin, end) = (time(span, "startTimeUnixNano"), time(span, "endTimeUnixNano"));
        (text(span, "name"), (text(span, "spanId"), text(span, "parentSpanId"), begin, end))
    };
    spans.iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_of_a_statement_is_told() {
    let collector = Collector::default();
    let port = collector.begin().await;
    let limits = format!("[trace]\nendpoint = \"http://127.0.0.1:{port}\"\n");
    let cluster = Cluster::start_with(3, Options { limits, ..Options::default() }).await;
    cluster.run(1, "CREATE TABLE t (n int PRIMARY KEY)").await;
    let mark = |trace: &str| format!("/*application='x',traceparent='00-{trace}-00f067aa0ba902b7-01'*/");
    // On each node: one of them leads, two send what they have elsewhere.
    for node in 1..=3 {
        let client = cluster.connect(node).await;
        let trace = format!("4bf92f3577b34da6a3ce929d0e0e473{node}");
        run(&client, &format!("INSERT INTO t VALUES ({node}) {}", mark(&trace))).await;
        let stages = ["queue", "fsync", "quorum", "apply"];
        let spans = eventually("the collector has all spans", PATIENCE, async || {
            let spans = collector.of(&trace);
            let names = by_name(&spans);
            let there = ["query", "compile", "propose"].iter().chain(&stages).all(|name| names.contains_key(*name));
            there.then_some(names).ok_or_else(|| format!("{spans:?}"))
        })
        .await;
        let (root, parent, began, ended) = &spans["query"];
        assert_eq!(parent, "00f067aa0ba902b7");
        let (propose, of, sent, answered) = &spans["propose"];
        assert!(of == root && spans["compile"].1 == *root, "{spans:?}");
        assert!(began <= sent && answered <= ended, "{spans:?}");
        for stage in stages {
            let (_, of, begin, end) = &spans[stage];
            assert!(of == propose && begin <= end, "{stage}: {spans:?}");
        }
        assert!(spans["quorum"].3 <= spans["apply"].3 && spans["queue"].3 <= spans["quorum"].3, "{spans:?}");
    }
    // By the extended protocol, and one that fails; what nobody asks for is not traced.
    let client = cluster.connect(2).await;
    let (asked, unasked) = ("a".repeat(32), "b".repeat(32));
    let text = format!("INSERT INTO t VALUES ($1) {}", mark(&asked));
    let failed = client.execute(&text, &[&1]).await.unwrap_err();
    assert_eq!(sqlstate(&failed), "23505");
    run(&client, &format!("SELECT 1 {}", mark(&unasked).replace("-01'", "-00'"))).await;
    run(&client, "SELECT 2").await;
    let spans = eventually("the failed one is told", PATIENCE, async || {
        let spans = collector.of(&asked);
        let roots = spans.iter().filter(|span| span["kind"] == 2).cloned().collect::<Vec<_>>();
        if roots.len() >= 2 { Ok(roots) } else { Err(format!("{spans:?}")) }
    })
    .await;
    let of = |name: &str| spans.iter().find(|span| span["name"] == name).cloned().unwrap();
    assert_eq!(of("execute")["status"]["message"], "23505", "{spans:?}");
    assert!(of("parse").get("status").is_none());
    assert!(collector.of(&unasked).is_empty());
    let traces: std::collections::BTreeSet<String> =
        collector.0.lock().iter().map(|span| span["traceId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(traces.len(), 4, "{traces:?}");
}
