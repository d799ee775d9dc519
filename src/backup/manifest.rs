//! What a backup consists of, as JSON in an envelope.

use super::envelope;
use super::piece::{self, Key, Sum};
use serde::{Deserialize, Serialize};

/// A backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its name in its directory.
    pub id: String,
    /// The cluster's name, and the number that no other cluster has.
    pub cluster: String,
    pub cluster_id: String,
    /// The program that has made it.
    pub program: String,
    /// When it was begun and completed, in µs since 2000-01-01 00:00 UTC.
    pub begun: i64,
    pub completed: i64,
    /// It has all databases that the cluster had.
    pub whole: bool,
    pub databases: Vec<Database>,
}

/// A database as it was after one entry of its log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    pub name: String,
    pub oid: u32,
    /// It has the roles of the cluster.
    pub home: bool,
    pub connections: bool,
    pub is_template: bool,
    pub connection_limit: i32,
    /// Its group, and the entry.
    pub group: u64,
    pub index: u64,
    pub term: u64,
    /// All transactions before this time are in it, and none after: µs since 2000-01-01 00:00 UTC.
    pub time: i64,
    /// The group's version.
    pub version: u32,
    /// What a majority of the replicas has voted on, as 16 hexadecimal digits.
    pub digest: String,
    /// How many have, of how many.
    pub votes: u32,
    pub voters: u32,
    /// The node that it was copied on.
    pub node: String,
    /// Bytes of its file, and the file in pieces.
    pub length: u64,
    pub pieces: Vec<Sum>,
}

const MAGIC: &str = "quorate-backup";

/// What a manifest is kept as. `nonce` seals nothing else, if there is a key.
pub fn encode(manifest: &Manifest, key: Option<&Key>, nonce: [u8; 12]) -> Vec<u8> {
    let json = serde_json::to_vec_pretty(manifest).expect("texts and numbers");
    envelope::wrap(MAGIC, &manifest.id, json, key, nonce)
}

/// Reads a manifest that is kept under the name `id`.
pub fn decode(id: &str, kept: &[u8], key: Option<&Key>) -> Result<Manifest, String> {
    let json = envelope::unwrap(MAGIC, id, kept, key).map_err(|why| format!("its manifest {why}"))?;
    let manifest = serde_json::from_slice(&json).ok();
    let sound = |manifest: &Manifest| manifest.id == id && manifest.databases.iter().all(is_sound);
    manifest.filter(sound).ok_or_else(|| "its manifest is not what was written".to_owned())
}

fn is_sound(database: &Database) -> bool {
    database.pieces.len() as u64 == piece::count(database.length) && database.digest().is_some()
}

impl Database {
    pub fn digest(&self) -> Option<u64> {
        u64::from_str_radix(&self.digest, 16).ok()
    }

    pub fn set_digest(&mut self, digest: u64) {
        self.digest = format!("{digest:016x}");
    }

    /// Each piece with the number of its bytes.
    pub fn parts(&self) -> impl Iterator<Item = (Sum, u64)> {
        let length = |number| piece::range(self.length, number).map_or(0, |range| range.end - range.start);
        (0..).zip(&self.pieces).map(move |(number, sum)| (*sum, length(number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn example() -> Manifest {
        let database = Database {
            name: "shop".into(),
            index: 1234,
            digest: "00000000000000ff".into(),
            length: 5000,
            pieces: vec![Sum::of(b"a")],
            ..Database::default()
        };
        Manifest { id: "20260102T030405Z-ab12".into(), databases: vec![database], ..Manifest::default() }
    }

    #[test]
    fn a_manifest_is_whole_or_none() {
        let (manifest, key) = (example(), Key::parse(&Key::text([1; 32])).unwrap());
        for key in [None, Some(&key)] {
            let kept = encode(&manifest, key, [3; 12]);
            assert_eq!(decode(&manifest.id, &kept, key), Ok(manifest.clone()));
            for cut in 0..kept.len() {
                assert!(decode(&manifest.id, &kept[..cut], key).is_err(), "cut at {cut}");
            }
            for bit in 0..8 * kept.len() {
                let mut damaged = kept.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                assert!(decode(&manifest.id, &damaged, key).is_err(), "bit {bit}");
            }
            assert!(decode("another", &kept, key).is_err());
        }
        let sealed = encode(&manifest, Some(&key), [3; 12]);
        assert!(decode(&manifest.id, &sealed, None).unwrap_err().contains("--key-file"));
        let other = Key::parse(&Key::text([2; 32])).unwrap();
        assert!(decode(&manifest.id, &sealed, Some(&other)).unwrap_err().contains("another key"));
        let newer = String::from_utf8(encode(&manifest, None, [0; 12])).unwrap().replacen(" 1 ", " 2 ", 1);
        assert!(decode(&manifest.id, newer.as_bytes(), None).unwrap_err().contains("run the newer program"));
    }

    #[test]
    fn parts_have_lengths() {
        let mut database = Database { length: u64::from(piece::SIZE) + 5, ..Database::default() };
        database.pieces = vec![Sum::of(b"a"), Sum::of(b"b")];
        let lengths: Vec<u64> = database.parts().map(|(_, length)| length).collect();
        assert_eq!(lengths, [piece::SIZE.into(), 5]);
        database.set_digest(17);
        assert_eq!(database.digest(), Some(17));
        assert!(is_sound(&database));
        database.pieces.pop();
        assert!(!is_sound(&database));
    }
}
