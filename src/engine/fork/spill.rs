//! Bytes that a fork keeps beside the database: in memory while they are few, then in a file without a name.
//!
//! The file lies in the database's directory and is unlinked as soon as it is open, so that it ends with the process
//! at the latest. It is never flushed: nothing in it outlives the fork.

use super::super::files;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// Space that is left to the database itself; below that nothing more is spilled.
const RESERVE: u64 = 256 << 20;
/// How many bytes are written between two looks at the free space.
const STRIDE: u64 = 32 << 20;

pub(super) struct Spill {
    directory: Arc<Path>,
    /// The first bytes, up to `room`.
    head: Vec<u8>,
    room: usize,
    file: Option<File>,
    length: u64,
    /// Up to this length there was space.
    checked: u64,
}

impl Spill {
    pub fn new(directory: Arc<Path>, room: usize) -> Spill {
        Spill { directory, head: Vec::new(), room, file: None, length: 0, checked: 0 }
    }

    pub fn length(&self) -> u64 {
        self.length
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.head.clear();
        self.head.shrink_to(64 << 10);
        (self.file, self.length, self.checked) = (None, 0, 0);
    }

    /// Fills `out` from `offset` on, with zeros beyond the end; returns how many bytes there were.
    pub fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let there = self.length.saturating_sub(offset).min(out.len() as u64) as usize;
        let (wanted, beyond) = out.split_at_mut(there);
        beyond.fill(0);
        let (near, far) = wanted.split_at_mut(self.near(offset, there));
        if !near.is_empty() {
            // A gap that was never written.
            let known = self.head.get(offset as usize..).unwrap_or_default();
            let known = &known[..known.len().min(near.len())];
            near[..known.len()].copy_from_slice(known);
            near[known.len()..].fill(0);
        }
        if !far.is_empty() {
            match &self.file {
                Some(file) => read_at(file, far, offset + near.len() as u64 - self.room as u64)?,
                None => far.fill(0),
            }
        }
        Ok(there)
    }

    /// Error `StorageFull`: there is no space for it, or too little would be left.
    pub fn write(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        let (near, far) = data.split_at(self.near(offset, data.len()));
        if !near.is_empty() {
            let start = offset as usize;
            if self.head.len() < start {
                self.head.resize(start, 0);
            }
            let (over, beyond) = near.split_at(near.len().min(self.head.len() - start));
            self.head[start..start + over.len()].copy_from_slice(over);
            self.head.extend_from_slice(beyond);
        }
        if !far.is_empty() {
            let at = offset + near.len() as u64 - self.room as u64;
            self.make_space(at + far.len() as u64)?;
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(nameless(home(&self.directory))?),
            };
            file.write_all_at(far, at)?;
        }
        self.length = self.length.max(offset + data.len() as u64);
        Ok(())
    }

    pub fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.length = self.length.min(length);
        self.head.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        match &self.file {
            Some(file) => file.set_len(self.length.saturating_sub(self.room as u64)),
            None => Ok(()),
        }
    }

    /// How many of the `amount` bytes at `offset` belong into memory.
    fn near(&self, offset: u64, amount: usize) -> usize {
        (self.room as u64).saturating_sub(offset).min(amount as u64) as usize
    }

    fn make_space(&mut self, end: u64) -> io::Result<()> {
        if end <= self.checked {
            return Ok(());
        }
        if files::free_space(home(&self.directory))? < RESERVE + STRIDE {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.checked = end + STRIDE;
        Ok(())
    }
}

/// Bytes that were never written are zeros, also where the file ends before them.
fn read_at(file: &File, mut out: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !out.is_empty() {
        match file.read_at(out, offset) {
            Ok(0) => {
                out.fill(0);
                return Ok(());
            }
            Ok(n) => {
                out = &mut out[n..];
                offset += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The directory may be another database's (see [`super::vfs`]), and gone with it.
fn home(directory: &Path) -> &Path {
    if directory.is_dir() { directory } else { Path::new("/tmp") }
}

fn nameless(directory: &Path) -> io::Result<File> {
    // What a crash leaves between the two steps has a name that is cleaned up at the next start.
    let path = directory.join(format!("db-spill-{:016x}", rand::random::<u64>()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{Rng, RngCore, SeedableRng};

    #[test]
    fn behaves_like_a_file_in_memory() {
        let directory = tempfile::tempdir().unwrap();
        for seed in 0..20 {
            let mut random = StdRng::seed_from_u64(seed);
            let mut spill = Spill::new(directory.path().into(), 1000);
            let mut model: Vec<u8> = Vec::new();
            for _ in 0..200 {
                let (offset, amount) = (random.random_range(0..3000usize), random.random_range(0..700));
                match random.random_range(0..10) {
                    0 => {
                        spill.truncate(offset as u64).unwrap();
                        model.truncate(offset);
                    }
                    1 if random.random_bool(0.1) => {
                        spill.clear();
                        model.clear();
                    }
                    2..6 => {
                        let mut data = vec![0; amount];
                        random.fill_bytes(&mut data);
                        spill.write(offset as u64, &data).unwrap();
                        if amount > 0 && model.len() < offset + amount {
                            model.resize(offset + amount, 0);
                        }
                        let at = offset.min(model.len());
                        model[at..][..amount].copy_from_slice(&data);
                    }
                    _ => {
                        let mut out = vec![7; amount];
                        let there = spill.read(offset as u64, &mut out).unwrap();
                        let mut expected: Vec<u8> = model.iter().copied().skip(offset).take(amount).collect();
                        assert_eq!(there, expected.len(), "seed {seed}");
                        expected.resize(amount, 0);
                        assert_eq!(out, expected, "seed {seed}");
                    }
                }
                assert_eq!(spill.length() as usize, model.len(), "seed {seed}");
            }
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "the files have no names");
    }
}
