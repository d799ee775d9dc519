//! Certificates and keys: the cluster's own authority, what it issues, and the TLS configurations that come of them.
//!
//! `name` reads who a certificate is for, `issue` makes authorities and certificates, `keys` holds a node's own and keeps
//! them fresh, `succession` changes the authority. Nodes of one cluster know each other by a URI among the names of their certificates,
//! `quorate://CLUSTER/NODE`: neither a client's certificate nor one of another cluster has it. Private keys are in files of
//! mode 0600, and in no log.

mod issue;
mod keys;
mod name;
mod succession;

pub use issue::{Authority, Issued, Subject};
pub use keys::{Files, Keys, Tls, join_config, operator_config, visitor_config};
pub use name::{NodeName, channel_binding, common_name, day, distinguished_names, fingerprint, node_name};
pub use succession::{Stage, Succession};

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Makes a directory that nobody else can look into.
pub fn private_dir(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    std::fs::set_permissions(dir, Permissions::from_mode(0o700))
}

/// Makes a data directory that nobody else can look into, or makes one so that is ours or empty. What is somebody's is left as
/// it is, and so is what may not be changed: the files in it are private in any case. Whether it is private.
pub fn own_dir(dir: &Path) -> io::Result<bool> {
    let ours = !dir.exists() || dir.join("identity").exists() || std::fs::read_dir(dir)?.next().is_none();
    std::fs::create_dir_all(dir)?;
    if ours {
        let _ = std::fs::set_permissions(dir, Permissions::from_mode(0o700));
    }
    Ok(std::fs::metadata(dir)?.permissions().mode() & 0o077 == 0)
}

/// Replaces a file that nobody else can read; it is on the disk when this returns.
pub fn write_private(path: &Path, content: &str) -> io::Result<()> {
    let draft = path.with_extension("new");
    let _ = std::fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

#[cfg(test)]
mod tests;
