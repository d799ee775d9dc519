//! Small objects that say what they are, and whether they are whole: manifests, and parts of the log.
//!
//! The first line says what it is, in which version, whether it is sealed, and the sum of what follows. So an object of which a
//! part is missing, or in which a bit is wrong, is never taken for one.

use super::piece::{Key, Sum};
use crate::version::BACKUP;

/// What is kept of something that is called so. `nonce` seals nothing else, if there is a key.
pub fn wrap(magic: &str, name: &str, body: Vec<u8>, key: Option<&Key>, nonce: [u8; 12]) -> Vec<u8> {
    let (how, body) = match key {
        None => ("plain", body),
        Some(key) => ("sealed", key.seal(name, nonce, &body)),
    };
    let head = format!("{magic} {} {how} {}\n", BACKUP.latest, Sum::of(&body));
    [head.as_bytes(), &body].concat()
}

/// Reads what is kept under a name.
pub fn unwrap(magic: &str, name: &str, kept: &[u8], key: Option<&Key>) -> Result<Vec<u8>, String> {
    let broken = || "is not what was written".to_owned();
    let end = kept.iter().position(|byte| *byte == b'\n').ok_or_else(broken)?;
    let (head, body) = (std::str::from_utf8(&kept[..end]).map_err(|_| broken())?, &kept[end + 1..]);
    let words: Vec<&str> = head.split(' ').collect();
    let [found, version, how, sum] = words[..] else { return Err(broken()) };
    if found != magic {
        return Err(broken());
    }
    let version: u32 = version.parse().map_err(|_| broken())?;
    BACKUP.check(version).map_err(|unknown| unknown.to_string())?;
    if Sum::parse(sum) != Some(Sum::of(body)) {
        return Err(broken());
    }
    match (how, key) {
        ("plain", _) => Ok(body.to_vec()),
        ("sealed", None) => Err("is sealed: give its key with --key-file".to_owned()),
        ("sealed", Some(key)) => {
            key.open(name, body).ok_or_else(|| "is sealed with another key, or under another name".to_owned())
        }
        _ => Err(broken()),
    }
}
