//! What lies under `fuzz/`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// An input of a target.
pub(crate) struct Input {
    /// Relative to the root.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

/// The inputs of a target in `fuzz/corpus` or `fuzz/regressions`, in the order of their names.
pub(crate) fn inputs(kind: &str, target: &str) -> Vec<Input> {
    let folder = format!("fuzz/{kind}/{target}");
    let read = |name: String| {
        let path = format!("{folder}/{name}");
        let bytes = fs::read(root().join(&path)).unwrap();
        Input { path, bytes }
    };
    names(&root().join(&folder)).into_iter().map(read).collect()
}

/// The names of the targets for which there are inputs.
pub(crate) fn folders(kind: &str) -> BTreeSet<String> {
    names(&root().join("fuzz").join(kind))
}

pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// None, if the folder is not there.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}
