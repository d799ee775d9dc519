//! Machines with wrong clocks and bad disks: a library (`shim.c`) between a node's process and the C library, and the
//! numbers that tell it what to do.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

/// What is wrong with a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    pub clock_seconds: i64,
    pub sync_micros: i64,
    pub full: bool,
}

/// The library, made at the first call; `None` where there is no C compiler.
pub fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<(TempDir, PathBuf)>> = OnceLock::new();
    let made = LIBRARY.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/shim.c");
        let library = directory.path().join("shim.so");
        let mut compiler = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()));
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source);
        let made = compiler.status().is_ok_and(|status| status.success());
        made.then_some((directory, library))
    });
    made.as_ref().map(|(_, library)| library.as_path())
}

/// Where a node's process looks.
pub struct Knobs {
    path: PathBuf,
    file: File,
}

impl Knobs {
    pub fn new(path: PathBuf) -> Knobs {
        let file =
            File::options().create(true).truncate(true).read(true).write(true).open(&path).expect("our directory");
        let knobs = Knobs { path, file };
        knobs.set(Trouble::default());
        knobs
    }

    pub fn set(&self, trouble: Trouble) {
        let numbers = [trouble.clock_seconds, trouble.sync_micros, i64::from(trouble.full)];
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
        self.file.write_all_at(&bytes, 0).expect("our own file");
    }

    /// The process that is to be started will look here.
    pub fn prepare(&self, command: &mut Command) {
        if let Some(library) = library() {
            command.env("LD_PRELOAD", library).env("QUORATE_SHIM", &self.path);
        }
    }
}
