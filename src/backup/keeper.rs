//! A directory of backups: what is put there, in which order, and what is there.

use super::manifest::{self, Manifest};
use super::piece::{self, Key, Sum};
use super::plan::{self, Listed};
use super::segment::{self, Segment, Through};
use super::store::Store;
use crate::version::BACKUP;

const SIGN: &str = "quorate-backups";
const FOLDER: &str = "backups";
const MANIFEST: &str = ".manifest";
const BEGUN: &str = ".begun";

pub struct Keeper {
    store: Box<dyn Store>,
    key: Option<Key>,
}

/// What a directory of backups has.
pub struct Content {
    /// Oldest first.
    pub backups: Vec<Listed>,
    /// These were begun: they are under way, or were not completed.
    pub unfinished: Vec<String>,
}

/// What pruning has done.
pub struct Pruned {
    pub backups: Vec<String>,
    pub pieces: usize,
    /// Parts of logs that are before the oldest backup that is left.
    pub segments: usize,
}

impl Keeper {
    /// Opens a place that has backups, with the key that they are sealed with, if they are; or one that is to have some.
    pub fn open(store: Box<dyn Store>, place: &str, key: Option<Key>, begin: bool) -> Result<Keeper, String> {
        let keeper = Keeper { store, key };
        let mark = keeper.key.as_ref().map_or("plain".to_owned(), Key::mark);
        let Some(sign) = keeper.store.get(SIGN)? else {
            if !begin {
                return Err(format!("{place} has no backups"));
            }
            if !keeper.store.list("")?.is_empty() {
                return Err(format!("{place} has other files, and no backups\n  give a directory of its own"));
            }
            keeper.store.put(SIGN, format!("{SIGN} {} {mark}\n", BACKUP.latest).as_bytes())?;
            return Ok(keeper);
        };
        let sign = String::from_utf8_lossy(&sign).into_owned();
        let words: Vec<&str> = sign.split_whitespace().collect();
        let [SIGN, version, found] = words[..] else { return Err(format!("{SIGN} in {} is damaged", place)) };
        let version = version.parse().map_err(|_| format!("{SIGN} in {} is damaged", place))?;
        BACKUP.check(version).map_err(|unknown| unknown.to_string())?;
        match (found, &keeper.key) {
            _ if found == mark => Ok(keeper),
            ("plain", Some(_)) => {
                Err("the backups there are not sealed: leave --key-file away, or take another directory".into())
            }
            (_, None) => Err("the backups there are sealed: give their key with --key-file".into()),
            (_, Some(_)) => Err("the backups there are sealed with another key".into()),
        }
    }

    fn object(id: &str, ending: &str) -> String {
        format!("{FOLDER}/{id}{ending}")
    }

    /// From now on pieces are not pruned.
    pub fn begin(&self, id: &str) -> Result<(), String> {
        self.store.put(&Keeper::object(id, BEGUN), b"")
    }

    /// Whether a piece is there, as long as it should be.
    pub fn has(&self, sum: Sum, length: u64) -> Result<bool, String> {
        let kept = self.store.length(&piece::name(sum, self.key.as_ref()))?;
        // Sealed ones are somewhat longer.
        Ok(kept.is_some_and(|kept| if self.key.is_some() { kept > length } else { kept == length }))
    }

    pub fn put(&self, sum: Sum, content: Vec<u8>) -> Result<(), String> {
        let (name, key) = (piece::name(sum, self.key.as_ref()), self.key.as_ref());
        self.store.put(&name, &piece::wrap(sum, content, key))
    }

    /// A piece's content. Errors: what is wrong with it, by name.
    pub fn get(&self, sum: Sum, length: u64) -> Result<Vec<u8>, String> {
        let name = piece::name(sum, self.key.as_ref());
        let kept = self.store.get(&name)?.ok_or_else(|| format!("{name} is missing"))?;
        piece::unwrap(sum, length, kept, self.key.as_ref()).map_err(|why| format!("{name} {why}"))
    }

    /// All of its pieces are there: from now on it is a backup.
    pub fn complete(&self, manifest: &Manifest) -> Result<(), String> {
        let kept = manifest::encode(manifest, self.key.as_ref(), rand::random());
        self.store.put(&Keeper::object(&manifest.id, MANIFEST), &kept)?;
        self.store.remove(&Keeper::object(&manifest.id, BEGUN))
    }

    /// Nothing comes of one that was begun.
    pub fn abandon(&self, id: &str) -> Result<(), String> {
        self.store.remove(&Keeper::object(id, BEGUN))
    }

    /// Keeps a part of a log.
    pub fn put_segment(&self, segment: &Segment) -> Result<(), String> {
        self.store.put(&segment.name(), &segment.encode(self.key.as_ref(), rand::random()))
    }

    /// The names of the parts of a log.
    pub fn segments(&self, cluster_id: &str, group: u64) -> Result<Vec<String>, String> {
        self.store.list(&segment::folder(cluster_id, group))
    }

    pub fn segment(&self, name: &str) -> Result<Segment, String> {
        let kept = self.store.get(name)?.ok_or_else(|| format!("{name} is missing"))?;
        Segment::decode(name, &kept, self.key.as_ref())
    }

    /// Notes how far a log is kept.
    pub fn note_through(&self, cluster_id: &str, group: u64, through: Through) -> Result<(), String> {
        let name = segment::through_name(cluster_id, group);
        self.store.put(&name, &through.encode(&name, self.key.as_ref(), rand::random()))
    }

    pub fn through(&self, cluster_id: &str, group: u64) -> Result<Option<Through>, String> {
        let name = segment::through_name(cluster_id, group);
        let kept = self.store.get(&name)?;
        kept.map(|kept| Through::decode(&name, &kept, self.key.as_ref())).transpose()
    }

    pub fn list(&self) -> Result<Content, String> {
        let mut content = Content { backups: Vec::new(), unfinished: Vec::new() };
        for name in self.store.list(FOLDER)? {
            let file = name.trim_start_matches(FOLDER).trim_start_matches('/');
            if let Some(id) = file.strip_suffix(MANIFEST) {
                let kept = self.store.get(&name)?.ok_or_else(|| "its manifest is missing".to_owned());
                let read = kept.and_then(|kept| manifest::decode(id, &kept, self.key.as_ref()));
                content.backups.push((id.to_owned(), read));
            } else if let Some(id) = file.strip_suffix(BEGUN) {
                content.unfinished.push(id.to_owned());
            }
        }
        let whole = |id: &String| content.backups.iter().any(|(known, _)| known == id);
        content.unfinished.retain(|id| !whole(id));
        Ok(content)
    }

    /// Removes all but the newest backups, and the pieces that none of those needs.
    pub fn prune(&self, keep: usize) -> Result<Pruned, String> {
        let content = self.list()?;
        if let Some(id) = content.unfinished.first() {
            return Err(format!(
                "backup {id} was begun and not completed: it may be under way, and need pieces that are there\n  if it is \
                 not, remove {} first",
                Keeper::object(id, BEGUN)
            ));
        }
        let (backups, needed) = plan::prune(&content.backups, keep)?;
        // In this order: a backup that is there has its pieces.
        for id in &backups {
            self.store.remove(&Keeper::object(id, MANIFEST))?;
        }
        let needed: std::collections::BTreeSet<String> =
            needed.into_iter().map(|sum| piece::name(sum, self.key.as_ref())).collect();
        let (mut pieces, mut segments) = (0, 0);
        for name in self.store.list("pieces")?.into_iter().filter(|name| !needed.contains(name)) {
            self.store.remove(&name)?;
            pieces += 1;
        }
        let left = || {
            let kept = content.backups.iter().filter(|(id, _)| !backups.contains(id));
            kept.filter_map(|(_, manifest)| manifest.as_ref().ok())
        };
        let oldest = plan::oldest(left());
        for name in self.store.list("log")? {
            let Some((cluster_id, group)) = segment::of(&name) else { continue };
            let first = oldest.get(&(cluster_id.to_owned(), group));
            let before = |first: &u64| segment::range(&name).is_some_and(|(_, last)| last <= *first);
            if first.is_some_and(before) || plan::is_forgotten(left(), cluster_id, group) {
                self.store.remove(&name)?;
                segments += 1;
            }
        }
        Ok(Pruned { backups, pieces, segments })
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::Database;
    use super::super::store::Directory;
    use super::*;
    use std::path::Path;

    fn open_at(path: &Path, key: Option<Key>, begin: bool) -> Result<Keeper, String> {
        Keeper::open(Box::new(Directory::new(path)), "there", key, begin)
    }

    fn backup(keeper: &Keeper, id: &str, contents: &[&[u8]]) -> usize {
        keeper.begin(id).unwrap();
        let (mut pieces, mut written) = (Vec::new(), 0);
        for content in contents {
            let sum = Sum::of(content);
            pieces.push(sum);
            if !keeper.has(sum, content.len() as u64).unwrap() {
                keeper.put(sum, content.to_vec()).unwrap();
                written += 1;
            }
        }
        let length = (pieces.len() as u64 - 1) * u64::from(piece::SIZE) + 1;
        let database = Database { length, pieces, digest: "0".into(), ..Database::default() };
        let manifest = Manifest { id: id.into(), databases: vec![database], ..Manifest::default() };
        keeper.complete(&manifest).unwrap();
        written
    }

    #[test]
    fn what_is_there_is_not_written_again_and_what_is_needed_stays() {
        for key in [None, Some([5; 32])] {
            let dir = tempfile::tempdir().unwrap();
            let open = || open_at(dir.path(), key.map(|key| Key::parse(&Key::text(key)).unwrap()), true);
            let keeper = open().unwrap();
            assert_eq!(backup(&keeper, "1", &[b"one", b"two"]), 2);
            assert_eq!(backup(&keeper, "2", &[b"one", b"three"]), 1);
            let keeper = open().unwrap();
            keeper.begin("3").unwrap();
            let content = keeper.list().unwrap();
            assert_eq!((content.backups.len(), content.unfinished), (2, vec!["3".to_owned()]));
            assert!(content.backups.iter().all(|(_, manifest)| manifest.is_ok()));
            assert!(keeper.prune(1).err().unwrap().contains("backup 3"));
            keeper.abandon("3").unwrap();
            let pruned = keeper.prune(1).unwrap();
            assert_eq!((pruned.backups, pruned.pieces), (vec!["1".to_owned()], 1));
            assert_eq!(keeper.get(Sum::of(b"one"), 3).unwrap(), b"one");
            assert!(keeper.get(Sum::of(b"two"), 3).unwrap_err().ends_with("is missing"));
            // Half of a piece is not one.
            let name = piece::name(Sum::of(b"one"), keeper.key.as_ref());
            std::fs::write(dir.path().join(&name), b"on").unwrap();
            assert!(!keeper.has(Sum::of(b"one"), 3).unwrap());
            assert!(keeper.get(Sum::of(b"one"), 3).unwrap_err().starts_with(&name));
            // Nor half of a manifest a backup.
            let path = dir.path().join("backups/2.manifest");
            let kept = std::fs::read(&path).unwrap();
            std::fs::write(&path, &kept[..kept.len() - 9]).unwrap();
            assert!(keeper.list().unwrap().backups[0].1.is_err());
        }
    }

    #[test]
    fn a_directory_says_what_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let key = |n| Some(Key::parse(&Key::text([n; 32])).unwrap());
        let why = |opened: Result<Keeper, String>| opened.err().unwrap();
        assert!(why(open_at(dir.path(), None, false)).contains("no backups"));
        open_at(dir.path(), key(1), true).unwrap();
        assert!(why(open_at(dir.path(), None, true)).contains("give their key"));
        assert!(why(open_at(dir.path(), key(2), false)).contains("another key"));
        assert!(open_at(dir.path(), key(1), false).is_ok());
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("letter.txt"), b"").unwrap();
        assert!(why(open_at(dir.path(), None, true)).contains("other files"));
    }
}
