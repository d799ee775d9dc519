//! How one authority follows another without a connection that fails.
//!
//! First all nodes believe both; then all show certificates of the new one, and with them its certificate as the old one has
//! signed it, so that those find a way to it who only know the old one; at last the old one is believed no more. The cluster
//! decides when to take a step (`cluster::authority`), each node takes it by itself in its own files: repeated or interrupted,
//! it comes out the same.

use super::{Authority, Files, Keys, fingerprint, write_private};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;
use zeroize::Zeroizing;

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nobody is to believe the new one any more: it was given up.
    Abandoned,
    /// Both are believed.
    Trust,
    /// Nodes have certificates of the new one.
    Use,
    /// The old one is believed no more.
    Retired,
}

impl Stage {
    pub fn name(self) -> &'static str {
        match self {
            Stage::Abandoned => "abandoned",
            Stage::Trust => "trust",
            Stage::Use => "use",
            Stage::Retired => "retired",
        }
    }

    pub fn parse(name: &str) -> Option<Stage> {
        [Stage::Abandoned, Stage::Trust, Stage::Use, Stage::Retired].into_iter().find(|stage| stage.name() == name)
    }
}

/// What the cluster has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succession {
    /// The new authority's certificate, and the same as the old one has signed it (PEM).
    pub next: String,
    pub cross: String,
    pub stage: Stage,
}

impl Succession {
    /// What tells it from every other one.
    pub fn id(&self) -> String {
        let der = CertificateDer::from_pem_slice(self.next.as_bytes());
        der.map_or_else(|_| String::new(), |der| hex::encode(fingerprint(&der)))
    }

    fn has(&self, key: &str) -> bool {
        Authority::load(&self.next, key).is_ok()
    }
}

impl Keys {
    /// Whether this node still needs the new authority's key from another one.
    pub fn lacks_key(&self, wanted: &Succession) -> bool {
        let has = |path: &Path| read(path).is_ok_and(|key| wanted.has(&key));
        wanted.stage != Stage::Abandoned && !has(&self.files().next_key) && !has(&self.files().ca_key)
    }

    /// The key of the authority that is to follow, for a node that lacks it.
    pub fn next_key(&self) -> Option<Zeroizing<String>> {
        read(&self.files().next_key).or_else(|_| read(&self.files().ca_key)).ok()
    }

    /// Keeps the key of the authority that is to follow, if it is that one's.
    pub fn keep_key(&self, wanted: &Succession, key: &str) -> Result<(), String> {
        if wanted.has(key) { write(&self.files().next_key, key) } else { Err("it is another authority's key".into()) }
    }

    /// Takes the steps that have been decided. [`Keys::lacks_key`] says no.
    pub fn follow(&self, wanted: &Succession) -> Result<(), String> {
        let files = self.files();
        if !files.own {
            return Err("the node's certificates are somebody else's work".into());
        }
        match wanted.stage {
            Stage::Abandoned => {
                remove(&files.next_key)?;
                believe(files, |bundle| bundle.retain(|one| *one != canonical(&wanted.next)))?;
            }
            Stage::Trust => believe(files, |bundle| bundle.push(canonical(&wanted.next)))?,
            Stage::Use | Stage::Retired => {
                believe(files, |bundle| bundle.push(canonical(&wanted.next)))?;
                if !wanted.has(&read(&files.ca_key)?) {
                    // Roles that are not there look as they did.
                    write(&files.nobody, &hex::encode(self.secret()))?;
                    write(&files.cross, &wanted.cross)?;
                    write(&files.ca_key, &read(&files.next_key)?)?;
                }
                remove(&files.next_key)?;
                if wanted.stage == Stage::Retired {
                    believe(files, |bundle| bundle.retain(|one| *one == canonical(&wanted.next)))?;
                    remove(&files.cross)?;
                }
            }
        }
        self.refresh().map(drop)
    }
}

/// Changes which authorities are believed.
fn believe(files: &Files, change: impl FnOnce(&mut Vec<String>)) -> Result<(), String> {
    let before = certificates(&read(&files.ca)?);
    let mut after = before.clone();
    change(&mut after);
    let mut seen = std::collections::BTreeSet::new();
    after.retain(|one| seen.insert(one.clone()));
    if after == before {
        return Ok(());
    }
    write(&files.ca, &after.concat())
}

fn certificates(bundle: &str) -> Vec<String> {
    CertificateDer::pem_slice_iter(bundle.as_bytes()).flatten().map(|der| super::issue::pem(&der)).collect()
}

fn canonical(certificate: &str) -> String {
    certificates(certificate).concat()
}

fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    std::fs::read_to_string(path).map(Zeroizing::new).map_err(|e| format!("{}: {e}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    write_private(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

fn remove(path: &Path) -> Result<(), String> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {e}", path.display())),
        _ => Ok(()),
    }
}
