//! Free ports, from below the range that the kernel gives to outgoing connections: a port stays free while its node is
//! down, however many connections the tests open meanwhile.

use parking_lot::Mutex;
use std::net::TcpListener;
use std::ops::Range;

const RANGE: Range<u16> = 12_000..31_000;

/// The port to try next. Processes begin at different places, so that two test runs seldom meet.
static NEXT: Mutex<Option<u16>> = Mutex::new(None);

/// A port on loopback that nobody uses now and that this process has not handed out lately.
pub fn free_port() -> u16 {
    let mut next = NEXT.lock();
    let span = RANGE.end - RANGE.start;
    let mut port = next.unwrap_or_else(|| RANGE.start + rand::random::<u16>() % span);
    for _ in 0..span {
        let candidate = port;
        port = if port + 1 < RANGE.end { port + 1 } else { RANGE.start };
        if TcpListener::bind(("127.0.0.1", candidate)).is_ok() {
            *next = Some(port);
            return candidate;
        }
    }
    panic!("no free port in {RANGE:?}");
}
