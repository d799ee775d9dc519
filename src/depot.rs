//! Where backups are kept: a directory, or a bucket of an object store.

mod s3;

use crate::backup::keeper::Keeper;
use crate::backup::piece::Key;
use crate::backup::store::{Directory, Store};
use std::path::Path;

/// Opens the backups at a place: `s3://BUCKET/PREFIX`, or a directory. `key_file` has the key that they are sealed with; `begin`:
/// there need not be any yet.
pub fn open(place: &str, key_file: Option<&Path>, begin: bool) -> Result<Keeper, String> {
    let key = key_file.map(|file| {
        let named = |why: String| format!("{}: {why}", file.display());
        let text = std::fs::read_to_string(file).map_err(|e| named(e.to_string()))?;
        Key::parse(&text).map_err(named)
    });
    let store: Box<dyn Store> = match place.strip_prefix("s3://") {
        Some(place) => Box::new(s3::Bucket::open(place)?),
        None => Box::new(Directory::new(Path::new(place))),
    };
    Keeper::open(store, place, key.transpose()?, begin)
}
