//! Commands too large for one entry: cut into chunks, each a command of its own, run by a last one as a whole.

use crate::command::{self, Command, Proposal};
use crate::id::RequestId;
use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

/// The largest command that goes into the log in one piece, in bytes.
pub const WHOLE: usize = 512 << 10;

/// What to propose, in order; only the last one's outcome is the client's answer. The next attempt may have another body
/// (compiled again, or with other values fixed): the chunks of each have names of their own, the same at each retry.
pub fn proposals(request: RequestId, body: Bytes) -> Vec<Proposal> {
    if body.len() <= WHOLE {
        return vec![Proposal { request, body }];
    }
    let checksum = xxh3_64(&body);
    let upload = RequestId { origin: request.origin ^ checksum, seq: request.seq };
    let mut out = Vec::new();
    for (part, start) in (0u32..).zip((0..body.len()).step_by(WHOLE)) {
        let bytes = body.slice(start..body.len().min(start + WHOLE));
        let chunk = Command::Chunk { upload, part, bytes };
        out.push(Proposal { request: part_id(upload, part), body: command::encode(&chunk) });
    }
    let whole = Command::Assembled { upload, parts: out.len() as u32, length: body.len() as u64, checksum };
    out.push(Proposal { request, body: command::encode(&whole) });
    out
}

/// A request id for a part, as good as drawn at random, and the same at each retry.
fn part_id(request: RequestId, part: u32) -> RequestId {
    let mut seed = [0u8; 20];
    seed[..8].copy_from_slice(&request.origin.to_le_bytes());
    seed[8..16].copy_from_slice(&request.seq.to_le_bytes());
    seed[16..].copy_from_slice(&part.to_le_bytes());
    RequestId { origin: xxh3_64(&seed), seq: request.seq.wrapping_mul(1 << 20).wrapping_add(u64::from(part)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_command_is_put_together_again() {
        let request = RequestId { origin: 1, seq: 2 };
        let body = Bytes::from((0..WHOLE * 2 + 5).map(|i| i as u8).collect::<Vec<_>>());
        let parts = proposals(request, body.clone());
        assert_eq!(parts.len(), 4);
        let mut ids: Vec<_> = parts.iter().map(|p| p.request).collect();
        ids.dedup();
        assert_eq!(ids.len(), 4);
        assert_eq!(parts[3].request, request);
        let mut whole = Vec::new();
        for p in &parts[..3] {
            match command::decode::<Command>(&p.body).unwrap() {
                Command::Chunk { bytes, .. } => whole.extend_from_slice(&bytes),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(whole, body);
        assert_eq!(proposals(request, body.clone()), parts, "retries are the same");
        let other = proposals(request, body.slice(1..));
        assert!(
            parts[..3].iter().all(|part| other[..3].iter().all(|o| o.request != part.request)),
            "bodies do not mix"
        );
        assert_eq!(proposals(request, Bytes::from_static(b"x")).len(), 1);
    }
}
