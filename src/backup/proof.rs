//! Whether a backup is what the cluster had: it is put together and computed anew.

use super::keeper::Keeper;
use super::manifest::Database;
use super::piece::{self, Sum};
use crate::engine::{self, Dialect};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// Writes a database's file; `told` hears of each piece. Errors: every piece that is not there as it was written.
pub fn put_together(
    keeper: &Keeper,
    database: &Database,
    file: &Path,
    told: &mut dyn FnMut(u64),
) -> Result<(), Vec<String>> {
    let failed = |error: std::io::Error| vec![format!("{}: {error}", file.display())];
    let mut target = File::create(file).map_err(failed)?;
    let mut problems = Vec::new();
    for (sum, length) in database.parts() {
        match keeper.get(sum, length) {
            Ok(content) => target.write_all(&content).map_err(failed)?,
            Err(problem) => problems.push(problem),
        }
        told(length);
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems),
    }
}

/// The length of a file, and what its pieces are known by.
pub fn sums(file: &Path, told: &mut dyn FnMut(u64, u64)) -> std::io::Result<(u64, Vec<Sum>)> {
    let length = std::fs::metadata(file)?.len();
    let (mut pieces, all) = (Vec::new(), piece::count(length));
    for number in 0..all {
        pieces.push(Sum::of(&read(file, number)?));
        told(number + 1, all);
    }
    Ok((length, pieces))
}

/// The content of one piece of a file.
pub fn read(file: &Path, number: u64) -> std::io::Result<Vec<u8>> {
    let file = File::open(file)?;
    let range = piece::range(file.metadata()?.len(), number).ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let mut content = vec![0; (range.end - range.start) as usize];
    file.read_exact_at(&mut content, range.start)?;
    Ok(content)
}

/// Compares the content of a database's file with what its replicas have voted on.
pub fn compare(database: &Database, file: &Path, dialect: &Dialect) -> Result<(), String> {
    let found = engine::look_into(file, dialect)?;
    if (found.at.index, found.at.term) != (database.index, database.term) {
        let (index, expected) = (found.at.index, database.index);
        return Err(format!("its content is that of entry {index}, not of {expected}"));
    }
    let digest = engine::digest_of(file, dialect)?;
    match database.digest() {
        Some(voted) if voted == digest => Ok(()),
        _ => {
            let voted = &database.digest;
            Err(format!("its content has the digest {digest:016x}, and the replicas have voted on {voted}"))
        }
    }
}
