//! Bytes that are no protocol, or a wrong one.

use super::assert_serves;
use crate::support::cluster::Cluster;
use crate::support::in_time;
use crate::support::raw::{self, Raw, all_values, first_error, frame, startup, strings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SILENT: [&str; 14] = [
    "nothing",
    "HTTP",
    "TLS",
    "length zero",
    "length three",
    "length -1",
    "length 2 GiB",
    "long parameters",
    "a short cancel request",
    "a cancel request of nobody",
    "a message before the startup",
    "a farewell before the startup",
    "ones",
    "zeros",
];

/// Sends bytes on a new connection and returns everything that comes back until the server closes it, or `None` when it
/// waits for more.
async fn throw(port: u16, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the server accepts");
    // The server may close before it has read everything: that is its right.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = async {
        let mut chunk = [0; 4096];
        while let Ok(n @ 1..) = stream.read(&mut chunk).await {
            answer.extend_from_slice(&chunk[..n]);
        }
    };
    let closed = tokio::time::timeout(std::time::Duration::from_secs(2), read).await.is_ok();
    closed.then_some(answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_before_the_startup() {
    let cluster = Cluster::start(1).await;
    let port = cluster.node(1).postgres;
    let long_parameters = [strings(&["user", "a"]), vec![b'x'; 60_000]].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ("TLS", vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0, 0, 0]),
        ("length zero", vec![0, 0, 0, 0, 0, 3, 0, 0]),
        ("length three", vec![0, 0, 0, 3, 0, 3, 0, 0]),
        ("length -1", vec![255, 255, 255, 255, 0, 3, 0, 0]),
        ("length 2 GiB", vec![127, 255, 255, 255, 0, 3, 0, 0]),
        ("protocol 2", startup(131_072, &strings(&["user", "a"]))),
        ("protocol 9.9", startup(9 << 16 | 9, &[strings(&["user", "a"]), vec![0]].concat())),
        ("parameters without an end", startup(raw::PROTOCOL_3, b"user")),
        ("no user", startup(raw::PROTOCOL_3, &[0])),
        ("parameters not UTF-8", startup(raw::PROTOCOL_3, b"user\0\xff\xfe\0database\0quorate\0\0")),
        ("long parameters", startup(raw::PROTOCOL_3, &long_parameters)),
        (
            "an unknown database",
            startup(raw::PROTOCOL_3, &[strings(&["user", "a", "database", "b"]), vec![0]].concat()),
        ),
        ("a short cancel request", startup(raw::CANCEL_REQUEST, &[0, 0])),
        ("a cancel request of nobody", startup(raw::CANCEL_REQUEST, &[0, 0, 0, 1, 0, 0, 0, 2])),
        ("a message before the startup", raw::query("SELECT 1")),
        ("a farewell before the startup", vec![b'X', 0, 0, 0, 4]),
        ("ones", vec![1; 100_000]),
        ("zeros", vec![0; 100_000]),
    ];
    for (name, bytes) in cases {
        let answer = throw(port, &bytes).await;
        let text = answer.map(|a| String::from_utf8_lossy(&a).into_owned());
        // As in PostgreSQL nothing is said to who does not speak the protocol, and to cancel requests; a user may have any name.
        let silent = SILENT.contains(&name) || name == "parameters not UTF-8";
        let told = text.as_ref().is_some_and(|text| {
            let known = ["C08P01", "C0A000", "C28000", "C3D000"].iter().any(|code| text.contains(code));
            text.starts_with('E') && text.contains("SFATAL") && known
        });
        let closed = text.as_ref().is_some_and(String::is_empty) || name == "nothing";
        assert!(if SILENT.contains(&name) { closed } else { silent || told }, "{name}: {text:?}");
        assert_serves(&cluster, 1).await;
    }

    // Requests for encryption are declined, and the connection goes on in the clear.
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("connect");
    for request in [raw::SSL_REQUEST, raw::SSL_REQUEST + 1] {
        stream.write_all(&startup(request, &[])).await.expect("send");
        assert_eq!(in_time("the answer", stream.read_u8()).await.expect("an answer"), b'N');
    }
    stream
        .write_all(&startup(raw::PROTOCOL_3, &[strings(&["user", "quorate", "database", "quorate"]), vec![0]].concat()))
        .await
        .expect("send");
    assert_eq!(in_time("the answer", stream.read_u8()).await.expect("an answer"), b'R');
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_messages_after_the_startup() {
    let cluster = Cluster::start(1).await;
    let port = cluster.node(1).postgres;
    let header = |tag: u8, length: u32| [vec![tag], length.to_be_bytes().to_vec()].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("an unknown type", frame(b'?', b"what")),
        ("type zero", frame(0, b"")),
        ("a length below four", header(b'Q', 3)),
        ("length zero", header(b'Q', 0)),
        ("a negative length", header(b'Q', u32::MAX)),
        ("2 GiB announced", header(b'Q', i32::MAX as u32)),
        ("2 GiB announced for Bind", header(b'B', i32::MAX as u32)),
        ("a query without its zero", frame(b'Q', b"SELECT 1")),
        ("a query that is not UTF-8", frame(b'Q', b"SELECT '\xff\xfe'\0")),
        ("a zero within a query", frame(b'Q', b"SELECT 1\0; SELECT 2\0")),
        ("Parse without anything", frame(b'P', b"")),
        ("Parse with a count and no types", frame(b'P', &[strings(&["", "SELECT 1"]), vec![0, 9]].concat())),
        ("Parse that is not UTF-8", frame(b'P', b"\0SELECT '\xc3\x28'\0\0\0")),
        ("Bind without anything", frame(b'B', b"")),
        ("Bind with a negative count", frame(b'B', &[strings(&["", ""]), vec![255, 255]].concat())),
        (
            "Bind with a parameter of 2 GiB",
            frame(b'B', &[strings(&["", ""]), vec![0, 0, 0, 1, 127, 255, 255, 255]].concat()),
        ),
        ("Describe of neither", frame(b'D', b"Xname\0")),
        ("Describe without anything", frame(b'D', b"")),
        ("Execute without anything", frame(b'E', b"")),
        ("Execute with half a count", frame(b'E', b"\0\0\0")),
        ("Close of neither", frame(b'C', b"Xname\0")),
        ("Sync with a body", frame(b'S', b"body")),
        ("CopyData outside of COPY", frame(b'd', b"data")),
        ("CopyDone outside of COPY", frame(b'c', b"")),
        ("CopyFail outside of COPY", frame(b'f', b"why\0")),
        ("a password that nobody asked for", frame(b'p', b"secret\0")),
        ("a function call", frame(b'F', &[0; 16])),
        ("the server's own messages", frame(b'Z', b"I")),
    ];
    let mut neighbour = Raw::connect(port).await.expect("connect");
    neighbour.query("CREATE TABLE t (a int)").await.expect("create");
    for (name, bytes) in cases {
        let mut client = Raw::connect(port).await.expect("connect");
        client.send(&bytes).await.expect("send");
        // Either the server closes the connection, or it answers and is in step again after a Sync.
        let _ = client.send(&raw::sync()).await;
        let mut said = Vec::new();
        while let Ok(message) = in_time(name, client.receive()).await {
            let ready = message.tag == b'Z';
            said.push(message);
            if ready {
                break;
            }
        }
        let code = first_error(&said).map_or(String::new(), |e| e.code().to_owned());
        let expected: &[&str] = match name {
            // What of a COPY is still on its way after an error is ignored.
            _ if name.starts_with("Copy") => &[""],
            _ if name.contains("not UTF-8") => &["22021"],
            _ => &["08P01", "0A000"],
        };
        assert!(expected.contains(&code.as_str()), "{name}: {code:?}, {said:?}");
        let answer = in_time("the neighbour", neighbour.query("INSERT INTO t VALUES (1) RETURNING a")).await;
        assert_eq!(all_values(&answer.expect("an answer")), ["1"], "after {name}");
    }
    let mut client = Raw::connect(port).await.expect("connect");
    client.send(&frame(b'Q', b"SELECT '\xff\xfe'\0")).await.expect("send");
    let error = first_error(&in_time("an answer", client.until_ready()).await.expect("an answer")).expect("an error");
    assert_eq!(error.code(), "22021");
    assert!(cluster.memory(1) < 400 << 20, "{} MiB are in use", cluster.memory(1) >> 20);
}

/// Valid messages with random damage. Whatever happens to that connection, the others live.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_conversations() {
    let cluster = Cluster::start(1).await;
    let port = cluster.node(1).postgres;
    let conversation = [
        raw::parse("s", "SELECT $1::int + 1, $2::text"),
        raw::bind("", "s", &[Some("41"), None]),
        raw::describe_portal(""),
        raw::execute("", 0),
        raw::sync(),
        raw::query("SELECT n FROM generate_series(1, 3) AS n"),
    ]
    .concat();
    let mut seed = 0x2545_f491_4f6c_dd1du64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    for round in 0..300 {
        let mut damaged = conversation.clone();
        for _ in 0..=random(3) {
            let at = random(damaged.len());
            match random(3) {
                0 => damaged[at] ^= 1 << random(8),
                1 => damaged.truncate(at.max(1)),
                _ => {
                    let from = random(damaged.len());
                    let piece = damaged[from..(from + 9).min(damaged.len())].to_vec();
                    damaged.splice(at..at, piece);
                }
            }
        }
        let mut client = Raw::connect(port).await.expect("connect");
        let _ = client.send(&damaged).await;
        let _ = client.stream.shutdown().await;
        // Until the server has seen the end as well.
        let mut rest = Vec::new();
        let _ = in_time("the server closes", client.stream.read_to_end(&mut rest)).await;
        if round % 50 == 0 {
            assert_serves(&cluster, 1).await;
        }
    }
    assert_serves(&cluster, 1).await;
}
