//! Where objects are kept: named contents that are written whole, read whole, and not changed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// What a place for objects can do. Errors name the object.
pub trait Store: Send + Sync {
    /// Keeps it, durably; whoever reads the name finds all of it or nothing.
    fn put(&self, name: &str, content: &[u8]) -> Result<(), String>;
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, String>;
    /// How many bytes it has.
    fn length(&self, name: &str) -> Result<Option<u64>, String>;
    /// The names of all objects whose names begin with the folder, ascending.
    fn list(&self, folder: &str) -> Result<Vec<String>, String>;
    fn remove(&self, name: &str) -> Result<(), String>;
}

/// A directory.
pub struct Directory(PathBuf);

/// What an object is called before all of it is there.
const PART: &str = ".part";

impl Directory {
    pub fn new(path: &Path) -> Directory {
        Directory(path.to_owned())
    }

    fn path(&self, name: &str) -> (PathBuf, impl Fn(io::Error) -> String + use<>) {
        let path = self.0.join(name);
        let shown = path.display().to_string();
        (path, move |error| format!("{shown}: {error}"))
    }
}

impl Store for Directory {
    fn put(&self, name: &str, content: &[u8]) -> Result<(), String> {
        let (path, failed) = self.path(name);
        let folder = path.parent().unwrap_or(&self.0);
        let part = PathBuf::from(format!("{}{PART}", path.display()));
        let kept = fs::create_dir_all(folder).and_then(|()| {
            let mut file = File::create(&part)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&part, &path)?;
            File::open(folder)?.sync_all()
        });
        kept.map_err(failed)
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let (path, failed) = self.path(name);
        found(fs::read(path)).map_err(failed)
    }

    fn length(&self, name: &str) -> Result<Option<u64>, String> {
        let (path, failed) = self.path(name);
        found(fs::metadata(path).map(|file| file.len())).map_err(failed)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let (path, failed) = self.path(folder);
        let mut names = Vec::new();
        walk(&path, folder, &mut names).map_err(failed)?;
        names.retain(|name| !name.ends_with(PART));
        names.sort();
        Ok(names)
    }

    fn remove(&self, name: &str) -> Result<(), String> {
        let (path, failed) = self.path(name);
        found(fs::remove_file(path)).map(drop).map_err(failed)
    }
}

fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn walk(path: &Path, name: &str, names: &mut Vec<String>) -> io::Result<()> {
    let Some(entries) = found(fs::read_dir(path))? else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        match entry.file_type()?.is_dir() {
            true => walk(&entry.path(), &name, names)?,
            false => names.push(name),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_keeps_what_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let store = Directory::new(&dir.path().join("new"));
        assert_eq!((store.get("a/b").unwrap(), store.length("a/b").unwrap()), (None, None));
        assert_eq!(store.list("a").unwrap(), Vec::<String>::new());
        store.put("a/b", b"first").unwrap();
        store.put("a/c/d", b"").unwrap();
        store.put("a/b", b"second").unwrap();
        // A crash came between.
        fs::write(dir.path().join("new/a/e.part"), b"ha").unwrap();
        assert_eq!(store.get("a/b").unwrap().unwrap(), b"second");
        assert_eq!(store.length("a/b").unwrap(), Some(6));
        assert_eq!(store.list("a").unwrap(), ["a/b", "a/c/d"]);
        store.remove("a/b").unwrap();
        store.remove("a/b").unwrap();
        assert_eq!(store.list("a").unwrap(), ["a/c/d"]);
        fs::write(dir.path().join("file"), b"").unwrap();
        assert!(Directory::new(&dir.path().join("file")).put("a", b"").unwrap_err().contains("file"));
    }
}
