//! Who this node is: the file that keeps a wiped or foreign data directory from voting under an old name.
//!
//! A replica that lost its log and came back under its old Raft id could vote twice in one term. So the ids live in a
//! file beside the data; a node whose file is missing, damaged or another node's does not start, and the error names
//! what to do. The file is text, so that an operator can read it, with a checksum line at its end.
//!
//! [`DataLock`] keeps a second process off the same directory.

use crate::id::{GroupId, NodeId, ReplicaId};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// The name of the file in the data directory.
pub const FILE: &str = "identity";
const HEADER: &str = "quorate identity 1";

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Drawn at random when the cluster was created.
    pub cluster: u128,
    pub node: NodeId,
    /// Drawn at random when the data directory was created: two directories that claim to be the same node differ.
    pub incarnation: u64,
    /// The replicas that live here.
    pub groups: BTreeMap<GroupId, ReplicaId>,
}

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error(
        "{0}: no identity file. If this is a new node, create or join a cluster with it; if its disk was lost, \
         replace the node under a new id: it must not return under the old one"
    )]
    Missing(PathBuf),
    #[error(
        "{path}: the identity file is damaged ({what}); restore it from a backup or replace the node under a new id"
    )]
    Damaged { path: PathBuf, what: String },
    #[error("{path}: this directory belongs to {found}, not to {expected}; point the node at its own data directory")]
    Foreign { path: PathBuf, found: String, expected: String },
    #[error("{path}: there is already an identity file of {found}")]
    Exists { path: PathBuf, found: String },
    #[error("{path}: another process uses this data directory")]
    Locked { path: PathBuf },
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: std::io::Error },
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> IdentityError + '_ {
    move |error| IdentityError::Io { path: path.to_owned(), error }
}

impl Identity {
    /// Reads the identity of data directory `dir`.
    pub fn load(dir: &Path) -> Result<Identity, IdentityError> {
        let path = dir.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => parse(&text).map_err(|what| IdentityError::Damaged { path, what }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(IdentityError::Missing(path)),
            Err(e) if e.kind() == std::io::ErrorKind::InvalidData => {
                Err(IdentityError::Damaged { path, what: "not text".to_owned() })
            }
            Err(error) => Err(IdentityError::Io { path, error }),
        }
    }

    /// Reads the identity and refuses one of another cluster or node.
    pub fn load_expecting(dir: &Path, cluster: Option<u128>, node: Option<NodeId>) -> Result<Identity, IdentityError> {
        let found = Identity::load(dir)?;
        let foreign =
            |found: String, expected: String| Err(IdentityError::Foreign { path: dir.join(FILE), found, expected });
        match (cluster, node) {
            (Some(c), _) if c != found.cluster => {
                foreign(format!("cluster {:032x}", found.cluster), format!("cluster {c:032x}"))
            }
            (_, Some(n)) if n != found.node => foreign(format!("node {}", found.node), format!("node {n}")),
            _ => Ok(found),
        }
    }

    /// Writes the identity of a new data directory; refuses to replace one that exists.
    pub fn create(&self, dir: &Path) -> Result<(), IdentityError> {
        let path = dir.join(FILE);
        if path.exists() {
            let found = Identity::load(dir)?;
            let found = format!("node {} of cluster {:032x}", found.node, found.cluster);
            return Err(IdentityError::Exists { path, found });
        }
        self.save(dir)
    }

    /// Replaces the file atomically: after a crash it is the old one or the new one.
    pub fn save(&self, dir: &Path) -> Result<(), IdentityError> {
        let path = dir.join(FILE);
        let draft = dir.join("identity.new");
        let mut file = File::create(&draft).map_err(io(&draft))?;
        file.write_all(self.text().as_bytes()).map_err(io(&draft))?;
        file.sync_all().map_err(io(&draft))?;
        std::fs::rename(&draft, &path).map_err(io(&path))?;
        File::open(dir).and_then(|d| d.sync_all()).map_err(io(dir))
    }

    fn text(&self) -> String {
        let mut out = format!(
            "{HEADER}\ncluster {:032x}\nnode {}\nincarnation {:016x}\n",
            self.cluster, self.node.0, self.incarnation
        );
        for (group, replica) in &self.groups {
            let _ = writeln!(out, "group {} replica {}", group.0, replica.0);
        }
        let sum = crc32fast::hash(out.as_bytes());
        let _ = writeln!(out, "crc32 {sum:08x}");
        out
    }
}

fn parse(text: &str) -> Result<Identity, String> {
    let at = text.rfind("crc32 ").ok_or("no checksum")?;
    let (body, sum) = text.split_at(at);
    let sum = sum.strip_prefix("crc32 ").and_then(|s| s.strip_suffix('\n')).ok_or("no checksum")?;
    if u32::from_str_radix(sum, 16) != Ok(crc32fast::hash(body.as_bytes())) {
        return Err("wrong checksum".to_owned());
    }
    let mut lines = body.lines();
    if lines.next() != Some(HEADER) {
        return Err("unknown version".to_owned());
    }
    let mut identity = Identity { cluster: 0, node: NodeId(0), incarnation: 0, groups: BTreeMap::new() };
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let decimal = |s: &str| s.parse::<u64>().map_err(|_| format!("bad number in \"{line}\""));
        match words[..] {
            ["cluster", id] => identity.cluster = u128::from_str_radix(id, 16).map_err(|_| "bad cluster id")?,
            ["node", id] => identity.node = NodeId(decimal(id)?),
            ["incarnation", n] => identity.incarnation = u64::from_str_radix(n, 16).map_err(|_| "bad incarnation")?,
            ["group", g, "replica", r] => {
                identity.groups.insert(GroupId(decimal(g)?), ReplicaId(decimal(r)?));
            }
            _ => return Err(format!("unknown line \"{line}\"")),
        }
    }
    match identity.cluster == 0 || identity.node.0 == 0 {
        true => Err("cluster or node is missing".to_owned()),
        false => Ok(identity),
    }
}

/// Held while a process uses a data directory; released when dropped or when the process ends.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    pub fn acquire(dir: &Path) -> Result<DataLock, IdentityError> {
        let path = dir.join("LOCK");
        let file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).map_err(io(&path))?;
        // SAFETY: flock on a descriptor that `file` keeps open.
        match unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } {
            0 => Ok(DataLock { _file: file }),
            _ => match std::io::Error::last_os_error() {
                e if e.kind() == std::io::ErrorKind::WouldBlock => Err(IdentityError::Locked { path }),
                error => Err(IdentityError::Io { path, error }),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Identity {
        Identity {
            cluster: 0xabc,
            node: NodeId(2),
            incarnation: 77,
            groups: [(GroupId(1), ReplicaId(2)), (GroupId(2), ReplicaId(5))].into(),
        }
    }

    #[test]
    fn reads_what_it_wrote_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        assert!(matches!(Identity::load(dir), Err(IdentityError::Missing(_))));
        sample().create(dir).unwrap();
        assert_eq!(Identity::load(dir).unwrap(), sample());
        assert!(matches!(sample().create(dir), Err(IdentityError::Exists { .. })));
        assert!(matches!(Identity::load_expecting(dir, Some(1), None), Err(IdentityError::Foreign { .. })));
        assert!(matches!(
            Identity::load_expecting(dir, Some(0xabc), Some(NodeId(3))),
            Err(IdentityError::Foreign { .. })
        ));
        assert!(Identity::load_expecting(dir, Some(0xabc), Some(NodeId(2))).is_ok());

        let path = dir.join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        for damage in [text.replace("replica 5", "replica 6"), text[..text.len() - 3].to_owned(), String::new()] {
            std::fs::write(&path, damage).unwrap();
            assert!(matches!(Identity::load(dir), Err(IdentityError::Damaged { .. })));
        }
    }

    #[test]
    fn one_process_per_directory() {
        let dir = tempfile::tempdir().unwrap();
        let held = DataLock::acquire(dir.path()).unwrap();
        assert!(matches!(DataLock::acquire(dir.path()), Err(IdentityError::Locked { .. })));
        drop(held);
        DataLock::acquire(dir.path()).unwrap();
    }
}
