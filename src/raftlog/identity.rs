//! Who this node is: the file that keeps a wiped or foreign data directory from voting under an old name.
//!
//! A replica that lost its log and came back under its old Raft id could vote twice in one term. So the ids live in a
//! file beside the data; a node whose file is missing, damaged or another node's does not start, and the error names
//! what to do. The file is text, so that an operator can read it, with a checksum line at its end.
//!
//! [`DataLock`] keeps a second process off the same directory.

use crate::cluster::founding::Draft;
use crate::id::{GroupId, NodeId, ReplicaId};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// The name of the file in the data directory.
pub const FILE: &str = "identity";
const HEADER: &str = "quorate identity 2";
/// Written by the first version: without what is known of the other members.
const HEADER_1: &str = "quorate identity 1";
/// The file of a node that is being founded: see [`crate::cluster::founding`].
const DRAFT: &str = "founding";
const DRAFT_HEADER: &str = "quorate founding 1";

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Drawn at random when the cluster was founded.
    pub cluster: u128,
    pub node: NodeId,
    /// The node's name, as configured when it became a member.
    pub name: String,
    /// Drawn at random when the data directory was created: two directories that claim to be the same node differ.
    pub incarnation: u64,
    /// The replicas that live here.
    pub groups: BTreeMap<GroupId, ReplicaId>,
    /// On founders: all founders with their incarnations.
    pub founders: Vec<(NodeId, u64)>,
    /// The other members as last heard of: who may connect, and where they are.
    pub members: Vec<KnownMember>,
    /// Where the groups' replicas live, as last heard of.
    pub places: Vec<(GroupId, ReplicaId, NodeId)>,
    /// The node has a log. If it is not there, acknowledged entries are lost.
    pub begun: bool,
    /// The cluster has removed the node: it must not start again.
    pub removed: bool,
}

/// Another node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownMember {
    pub node: NodeId,
    pub incarnation: u64,
    /// Host and port for peers.
    pub address: String,
}

/// The draft in data directory `dir`, if there is one.
pub fn load_draft(dir: &Path) -> Result<Option<Draft>, IdentityError> {
    let path = dir.join(DRAFT);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(IdentityError::Io { path, error }),
    };
    let read = || {
        let body = checked(&text)?;
        let mut draft = Draft { incarnation: 0, cluster: None };
        for line in body.lines().skip_while(|line| *line == DRAFT_HEADER) {
            match line.split_once(' ') {
                Some(("incarnation", n)) => draft.incarnation = hex64(n)?,
                Some(("cluster", id)) => draft.cluster = Some(hex128(id)?),
                _ => return Err(format!("unknown line \"{line}\"")),
            }
        }
        Ok(draft)
    };
    read().map(Some).map_err(|what| IdentityError::Damaged { path, what })
}

/// Replaces the draft atomically; it is on the disk when this returns.
pub fn save_draft(draft: Draft, dir: &Path) -> Result<(), IdentityError> {
    let mut out = format!("{DRAFT_HEADER}\nincarnation {:016x}\n", draft.incarnation);
    if let Some(cluster) = draft.cluster {
        let _ = writeln!(out, "cluster {cluster:032x}");
    }
    replace(dir, DRAFT, &sealed(out))
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

    /// Reads the identity and refuses one of a node of another name.
    pub fn load_expecting(dir: &Path, name: &str) -> Result<Identity, IdentityError> {
        let found = Identity::load(dir)?;
        match found.name.is_empty() || found.name == name {
            true => Ok(found),
            false => Err(IdentityError::Foreign {
                path: dir.join(FILE),
                found: format!("node \"{}\"", found.name),
                expected: format!("node \"{name}\""),
            }),
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
        replace(dir, FILE, &self.text())
    }

    fn text(&self) -> String {
        let mut out = format!(
            "{HEADER}\ncluster {:032x}\nnode {}\nincarnation {:016x}\nname {}\n",
            self.cluster, self.node.0, self.incarnation, self.name
        );
        for (group, replica) in &self.groups {
            let _ = writeln!(out, "group {} replica {}", group.0, replica.0);
        }
        for (node, incarnation) in &self.founders {
            let _ = writeln!(out, "founder {} {incarnation:016x}", node.0);
        }
        for member in &self.members {
            let _ = writeln!(out, "member {} {:016x} {}", member.node.0, member.incarnation, member.address);
        }
        for (group, replica, node) in &self.places {
            let _ = writeln!(out, "place {} {} {}", group.0, replica.0, node.0);
        }
        for (mark, set) in [("begun", self.begun), ("removed", self.removed)] {
            if set {
                let _ = writeln!(out, "{mark}");
            }
        }
        sealed(out)
    }
}

/// Replaces a file atomically: after a crash it is the old one or the new one.
fn replace(dir: &Path, name: &str, text: &str) -> Result<(), IdentityError> {
    let (path, draft) = (dir.join(name), dir.join(format!("{name}.new")));
    let mut file = File::create(&draft).map_err(io(&draft))?;
    file.write_all(text.as_bytes()).map_err(io(&draft))?;
    file.sync_all().map_err(io(&draft))?;
    std::fs::rename(&draft, &path).map_err(io(&path))?;
    File::open(dir).and_then(|d| d.sync_all()).map_err(io(dir))
}

fn sealed(mut body: String) -> String {
    let sum = crc32fast::hash(body.as_bytes());
    let _ = writeln!(body, "crc32 {sum:08x}");
    body
}

/// The text without its seal, if that is right.
fn checked(text: &str) -> Result<&str, String> {
    let at = text.rfind("crc32 ").ok_or("no checksum")?;
    let (body, sum) = text.split_at(at);
    let sum = sum.strip_prefix("crc32 ").and_then(|s| s.strip_suffix('\n')).ok_or("no checksum")?;
    match u32::from_str_radix(sum, 16) == Ok(crc32fast::hash(body.as_bytes())) {
        true => Ok(body),
        false => Err("wrong checksum".to_owned()),
    }
}

fn hex64(text: &str) -> Result<u64, String> {
    u64::from_str_radix(text, 16).map_err(|_| format!("bad number \"{text}\""))
}

fn hex128(text: &str) -> Result<u128, String> {
    u128::from_str_radix(text, 16).map_err(|_| format!("bad number \"{text}\""))
}

fn parse(text: &str) -> Result<Identity, String> {
    let mut lines = checked(text)?.lines();
    let version = lines.next();
    if version != Some(HEADER) && version != Some(HEADER_1) {
        return Err("unknown version".to_owned());
    }
    let mut identity = Identity {
        cluster: 0,
        node: NodeId(0),
        name: String::new(),
        incarnation: 0,
        groups: BTreeMap::new(),
        founders: Vec::new(),
        members: Vec::new(),
        places: Vec::new(),
        begun: version == Some(HEADER_1),
        removed: false,
    };
    for line in lines {
        if let Some(name) = line.strip_prefix("name ") {
            name.clone_into(&mut identity.name);
            continue;
        }
        let words: Vec<&str> = line.split(' ').collect();
        let decimal = |s: &str| s.parse::<u64>().map_err(|_| format!("bad number in \"{line}\""));
        match words[..] {
            ["cluster", id] => identity.cluster = hex128(id)?,
            ["node", id] => identity.node = NodeId(decimal(id)?),
            ["incarnation", n] => identity.incarnation = hex64(n)?,
            ["group", g, "replica", r] => {
                identity.groups.insert(GroupId(decimal(g)?), ReplicaId(decimal(r)?));
            }
            ["founder", node, n] => identity.founders.push((NodeId(decimal(node)?), hex64(n)?)),
            ["member", node, n, address] => identity.members.push(KnownMember {
                node: NodeId(decimal(node)?),
                incarnation: hex64(n)?,
                address: address.to_owned(),
            }),
            ["place", g, r, n] => {
                identity.places.push((GroupId(decimal(g)?), ReplicaId(decimal(r)?), NodeId(decimal(n)?)));
            }
            ["begun"] => identity.begun = true,
            ["removed"] => identity.removed = true,
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
            name: "a node".into(),
            incarnation: 77,
            groups: [(GroupId(1), ReplicaId(2)), (GroupId(2), ReplicaId(5))].into(),
            founders: vec![(NodeId(1), 3), (NodeId(2), 77)],
            members: vec![KnownMember { node: NodeId(1), incarnation: 3, address: "127.0.0.1:7001".into() }],
            places: vec![(GroupId(2), ReplicaId(9), NodeId(1))],
            begun: true,
            removed: false,
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
        assert!(matches!(Identity::load_expecting(dir, "another"), Err(IdentityError::Foreign { .. })));
        assert!(Identity::load_expecting(dir, "a node").is_ok());
        assert_eq!(load_draft(dir).unwrap(), None);
        for cluster in [None, Some(5)] {
            let draft = Draft { incarnation: 9, cluster };
            save_draft(draft, dir).unwrap();
            assert_eq!(load_draft(dir).unwrap(), Some(draft));
        }

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
