//! What `quorate init` leaves in a new node's data directory: the cluster's authority, the node's certificate, its
//! configuration, and what the node has to do as soon as the cluster exists.

use crate::cluster::token::{Grant, Token};
use crate::config::{Address, Config, ConfigFile, InitialNode};
use crate::pki::{Authority, Files, NodeName, Subject, own_dir, private_dir, write_private};
use crate::scram;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The configuration in a data directory, for starts that name no other.
pub const CONFIG: &str = "config.toml";
const BOOTSTRAP: &str = "bootstrap";
/// For how many nodes the first token is, and for how long: a cluster has five voters at most.
const USES: u32 = 4;
const VALID: i64 = 86_400_000_000;

/// What the first node tells the cluster when it exists. It holds no secret: a verifier, and a token's hash.
#[derive(Serialize, Deserialize)]
pub struct Bootstrap {
    pub verifier: String,
    pub token: Option<FirstToken>,
}

#[derive(Serialize, Deserialize)]
pub struct FirstToken {
    id: String,
    hash: String,
    uses: u32,
    until: i64,
}

impl FirstToken {
    pub fn grant(&self) -> Grant {
        Grant { id: self.id.clone(), hash: self.hash.clone(), uses: self.uses, until: self.until }
    }
}

impl Bootstrap {
    /// What is still to be done, if anything.
    pub fn load(data_dir: &Path) -> Result<Option<Bootstrap>, String> {
        let path = data_dir.join(BOOTSTRAP);
        match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|e| format!("{}: {e}", path.display())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(format!("{}: {e}", path.display())),
        }
    }

    fn save(&self, data_dir: &Path) -> Result<(), String> {
        let (path, text) = (data_dir.join(BOOTSTRAP), serde_json::to_string(self).map_err(|e| e.to_string())?);
        write_private(&path, &text).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// Whether something is still to be done.
    pub fn waits(data_dir: &Path) -> bool {
        data_dir.join(BOOTSTRAP).exists()
    }

    /// It is done.
    pub fn done(data_dir: &Path) -> Result<(), String> {
        std::fs::remove_file(data_dir.join(BOOTSTRAP)).map_err(|e| e.to_string())
    }
}

/// What the administrator is told, once.
pub struct Made {
    pub token: String,
    pub ca: PathBuf,
}

/// Lays out the data directory of a cluster's first node. `file` is what `config` was made of; `keep`: it is to be found there
/// by later starts. `now`: µs since 2000-01-01 00:00 UTC.
pub fn init(file: &ConfigFile, config: &Config, password: &str, keep: bool, now: i64) -> Result<Made, String> {
    let dir = &config.data_dir;
    let files = Files::below(dir);
    if files.ca.exists() || dir.join(crate::raftlog::identity::FILE).exists() {
        return Err(format!("{} holds a node already", dir.display()));
    }
    let io = |path: &Path| {
        let path = path.display().to_string();
        move |e: std::io::Error| format!("{path}: {e}")
    };
    own_dir(dir).map_err(io(dir))?;
    private_dir(&dir.join("pki")).map_err(io(dir))?;
    let ca = Authority::found(&config.cluster)?;
    write_private(&files.ca_key, &ca.key).map_err(io(&files.ca_key))?;
    write_private(&files.ca, &ca.certificate).map_err(io(&files.ca))?;
    let authority = issue(config, &files, &hosts(config))?;
    let token = Token::new(rand::random(), rand::random(), authority);
    let Grant { id, hash, uses, until } = token.grant(USES, now + VALID);
    let first = FirstToken { id, hash, uses, until };
    let bootstrap = Bootstrap { verifier: scram::verifier(password, rand::random()), token: Some(first) };
    bootstrap.save(dir)?;
    if keep {
        save(file, dir)?;
    }
    Ok(Made { token: token.reveal(), ca: files.ca })
}

/// Gives the superuser of a cluster with certificates of its own a password, as soon as it is founded.
pub fn found(data_dir: &Path, password: &str) -> Result<(), String> {
    own_dir(data_dir).map_err(|e| format!("{}: {e}", data_dir.display()))?;
    Bootstrap { verifier: scram::verifier(password, rand::random()), token: None }.save(data_dir)
}

/// Makes the node's certificate with the authority in its directory; returns the authority's fingerprint.
pub fn issue(config: &Config, files: &Files, hosts: &[String]) -> Result<[u8; 32], String> {
    let authority = files.authority()?;
    let name = NodeName { cluster: config.cluster.clone(), node: config.name.clone() };
    let issued = authority.issue(&Subject::Node { name, hosts: hosts.to_vec() })?;
    for (path, text) in [(&files.key, &*issued.key), (&files.certificate, &issued.certificate)] {
        write_private(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    authority.fingerprint()
}

/// Keeps a configuration for later starts.
pub fn save(file: &ConfigFile, dir: &Path) -> Result<(), String> {
    let text = toml::to_string(file).map_err(|e| e.to_string())?;
    let path = dir.join(CONFIG);
    write_private(&path, &text).map_err(|e| format!("{}: {e}", path.display()))
}

/// All names by which a node is called.
pub fn hosts(config: &Config) -> Vec<String> {
    let mut hosts = std::collections::BTreeSet::from(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    for door in [&config.postgres, &config.peers, &config.http] {
        let named = [&door.advertise, &door.listen].into_iter().filter(|address| !address.is_wildcard());
        hosts.extend(named.map(|Address { host, .. }| host.clone()));
    }
    hosts.into_iter().collect()
}

/// The first node's list of founders: itself.
pub fn alone(name: &str, peers: &Address) -> Vec<InitialNode> {
    vec![InitialNode { id: 1, name: name.to_owned(), peers: peers.to_string() }]
}

/// A password that nobody has thought of.
pub fn password() -> Zeroizing<String> {
    // Without letters that are taken for others; 24 of 55 are more than 138 bits.
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut text = String::new();
    while text.len() < 24 {
        let byte = usize::from(rand::random::<u8>());
        // Each letter is as likely as every other.
        if byte < 256 / LETTERS.len() * LETTERS.len() {
            text.push(LETTERS[byte % LETTERS.len()].into());
        }
    }
    Zeroizing::new(text)
}
