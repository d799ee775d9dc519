//! Frames of the peer protocol, made by hand: what somebody sends who is no member.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A number as postcard writes it.
fn number(mut n: u128) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = (n & 0x7f) as u8;
        n >>= 7;
        if n == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let body = [&[kind], payload].concat();
    let mut out = (body.len() as u32).to_le_bytes().to_vec();
    out.extend(crc32fast::hash(&body).to_le_bytes());
    out.extend(body);
    out
}

/// What a node's `identity` file says.
#[derive(Clone, Debug)]
pub struct Papers {
    pub cluster: u128,
    pub node: u64,
    pub incarnation: u64,
}

impl Papers {
    pub fn of(home: &std::path::Path) -> Papers {
        let text = std::fs::read_to_string(home.join("identity")).expect("an identity");
        let line = |key: &str| {
            let line = text.lines().find_map(|l| l.strip_prefix(key)).expect("a line of the identity");
            line.trim().to_owned()
        };
        Papers {
            cluster: u128::from_str_radix(&line("cluster "), 16).expect("hexadecimal"),
            node: line("node ").parse().expect("a number"),
            incarnation: u64::from_str_radix(&line("incarnation "), 16).expect("hexadecimal"),
        }
    }
}

/// The first frame of a connection for Raft messages.
pub fn hello(from: &Papers, to: u64, to_incarnation: u64) -> Vec<u8> {
    let numbers = [
        0x5155_4f52_4154_4531,
        // It speaks version 3 and none before.
        3,
        3,
        0,
        from.cluster,
        u128::from(from.node),
        u128::from(from.incarnation),
        u128::from(to),
        u128::from(to_incarnation),
        0,
    ];
    frame(1, &numbers.iter().flat_map(|n| number(*n)).collect::<Vec<u8>>())
}

/// One Raft message without entries. `kind` as in raft's protocol: 3 append, 5 vote, 8 heartbeat.
pub fn message(group: u64, kind: u8, to: u64, from: u64, term: u64, commit: u64) -> Vec<u8> {
    let n = |n: u64| number(u128::from(n));
    let parts = [n(1), n(group), vec![kind], n(to), n(from), n(term), n(0), n(0), n(0), n(commit), n(0)];
    // No snapshot, no request for one, not rejected, no hint, no context, priority 0.
    frame(3, &[parts.concat(), vec![0; 6]].concat())
}

/// Sends frames and returns what comes back within a moment.
pub async fn send(port: u16, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the peer port");
    for frame in frames {
        // A peer that has refused us may have closed already.
        let _ = stream.write_all(frame).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_millis(500), stream.read(&mut answer)).await;
    answer.truncate(read.ok().and_then(Result::ok).unwrap_or(0));
    answer
}
