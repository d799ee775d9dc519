//! Which versions of everything stored and spoken this program knows. Nothing else in the tree decides that.
//!
//! **The cluster's version.** Each group has one, in its replicated state. It rises by an entry of its log
//! ([`crate::command::Command::Raise`]), when every member can: then all replicas run the migrations of their own tables at
//! the same index, and what the new version brings may be used. Until then a program that knows more does as one that
//! does not, and can be exchanged for it again. A file or an entry of a version that a program does not know stops it.
//!
//! **Formats.** Within a format, fields and variants are only ever appended, and are not written before the group's version
//! allows it. What cannot be said that way gets a new number here, and the old decoder stays as long as [`Format::oldest`]
//! says. `tests/formats` keeps the bytes of each.
//!
//! **What replicas compute.** A change of what an SQL function answers, or of SQLite's build, is a change like those: the
//! functions' is made dependent on the group's version. The build cannot be, so [`SQLITE`] is named here: another one needs a
//! new [`LATEST`], and a look at what it computes differently.

use crate::error::{SqlError, SqlResult, state};
use serde::{Deserialize, Serialize};

/// A version of a cluster, from 1; see the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version(pub u32);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The one that every database begins with.
pub const FIRST: Version = Version(1);
/// The newest that this program knows.
pub const LATEST: Version = Version(3);

/// What a version later than the first brings, by the name that a refusal tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// An entry of the log that cannot be applied is recorded as failed.
    SkipEntry,
    /// Replicas are compared by all that they contain.
    CompareContents,
    /// An index is built in slices, between which others write.
    OnlineIndex,
}

impl Feature {
    pub const fn since(self) -> Version {
        match self {
            Feature::SkipEntry | Feature::CompareContents => Version(2),
            Feature::OnlineIndex => Version(3),
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Feature::SkipEntry => "skipping an entry",
            Feature::CompareContents => "comparing what replicas contain",
            Feature::OnlineIndex => "building an index while others write",
        }
    }

    /// Whether a group of this version can do it.
    pub fn is_in(self, version: Version) -> bool {
        version >= self.since()
    }

    /// Refuses what a group of this version cannot do yet.
    pub fn require(self, version: Version) -> SqlResult<()> {
        if self.is_in(version) {
            return Ok(());
        }
        let message = format!("{} needs version {} of the cluster, which is at {version}", self.name(), self.since());
        let hint = "The version is raised when every node runs a program that knows it; see docs/upgrading.md.";
        Err(SqlError::new(state::OBJECT_NOT_IN_PREREQUISITE_STATE, message).hint(hint))
    }
}

/// A step in the life of a group's own tables. Once released it is never changed: a later one follows it.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// From 1, without gaps.
    pub number: u32,
    /// [`FIRST`]: it runs when the file is made. A later one runs on all replicas at the entry that raises the version.
    pub since: Version,
    pub script: &'static str,
    /// It changes what statements are compiled under: they are compiled anew.
    pub catalog: bool,
}

impl Migration {
    /// One that is there from the beginning.
    pub const fn first(number: u32, script: &'static str) -> Migration {
        Migration { number, since: FIRST, script, catalog: true }
    }
}

/// What a program can read of one format, and what it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    pub name: &'static str,
    pub oldest: u32,
    pub latest: u32,
}

impl Format {
    const fn new(name: &'static str, oldest: u32, latest: u32) -> Format {
        Format { name, oldest, latest }
    }

    /// Whether this program reads `version` of the format; if not, says what to do.
    pub fn check(&self, version: u32) -> Result<(), Unknown> {
        match version {
            v if v > self.latest => Err(Unknown::Newer { format: self.name, found: v, latest: self.latest }),
            v if v < self.oldest => Err(Unknown::Older { format: self.name, found: v, oldest: self.oldest }),
            _ => Ok(()),
        }
    }

    /// The highest version that both speak.
    pub fn common(&self, oldest: u32, latest: u32) -> Option<u32> {
        let highest = self.latest.min(latest);
        (highest >= self.oldest.max(oldest)).then_some(highest)
    }
}

/// A version that this program does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    #[error("{format} has version {found}, and this program knows up to {latest}: run the newer program")]
    Newer { format: &'static str, found: u32, latest: u32 },
    #[error(
        "{format} has version {found}, and this program knows none before {oldest}: run a program in between first, see \
         docs/upgrading.md"
    )]
    Older { format: &'static str, found: u32, oldest: u32 },
}

/// The payload of an entry of the log, of what is remembered of it, and of requests between nodes.
pub const PAYLOAD: Format = Format::new("the payload of the log", 1, 1);
/// Frames between nodes.
pub const PEERS: Format = Format::new("the protocol between nodes", 3, 3);
/// The layout of a database file, apart from the tables that migrations make, and the settings of its connections.
pub const FILE: Format = Format::new("the database file", 3, 3);
/// Backups: their manifests, and how pieces are kept.
pub const BACKUP: Format = Format::new("the backup", 1, 1);
/// The version of a group: what its state may contain.
pub const GROUP: Format = Format::new("the database", FIRST.0, LATEST.0);

/// The build of SQLite that this version's replicas compute with, as `sqlite3_libversion_number` says it.
pub const SQLITE: i32 = 3_054_001;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_refused_with_what_to_do() {
        let format = Format::new("f", 2, 4);
        assert_eq!(format.check(2), Ok(()));
        assert_eq!(format.check(4), Ok(()));
        assert!(format.check(5).unwrap_err().to_string().contains("run the newer program"));
        assert!(format.check(1).unwrap_err().to_string().contains("a program in between"));
        assert_eq!(format.common(1, 9), Some(4));
        assert_eq!(format.common(1, 3), Some(3));
        assert_eq!((format.common(5, 9), format.common(0, 1)), (None, None));
    }

    #[test]
    fn a_feature_waits_for_its_version() {
        let feature = Feature::SkipEntry;
        assert!(feature.require(feature.since()).is_ok());
        let refused = feature.require(FIRST).unwrap_err();
        assert!(refused.message.contains(feature.name()), "{refused:?}");
    }

    /// Another build may compute differently: see the module.
    #[test]
    fn the_build_of_sqlite_is_the_one_that_this_version_names() {
        assert_eq!(rusqlite::version_number(), SQLITE);
    }
}
