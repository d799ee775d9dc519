//! The architecture as a test: which top-level module may use which, and what pure code must not mention.
//!
//! A new arrow is added to [`ARROWS`] on purpose, in the commit that needs it, or it is a mistake. `#[cfg(test)]` parts
//! may use what they like.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A module and those that it may use.
const ARROWS: &[(&str, &str)] = &[
    // The base: names and values, known to all.
    ("id", ""),
    ("value", ""),
    ("clock", ""),
    ("error", ""),
];

/// Modules whose behaviour is a function of their input, with what they must not mention.
const PURE: &[(&str, &[&str])] = &[];

struct Source {
    /// Relative to `src`.
    path: String,
    /// The first part of the path: the top-level module.
    module: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    let source = |file: PathBuf| {
        let path = file.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
        let module = path.split(['/', '.']).next().unwrap_or_default().to_owned();
        Source { module, text: std::fs::read_to_string(&file).expect("a source file"), path }
    };
    files.into_iter().map(source).collect()
}
