//! Rules for source files.

use std::path::Path;

use crate::assert_none;
use crate::tree::{self, File};

const LONGEST_FILE: usize = 450;

/// Text that only makes sense on the machine it was written on.
const MACHINE_PATHS: &[&str] = &["/home/", "/root/", "/Users/", "/work/", "C:\\Users"];

#[test]
fn every_module_says_what_it_is_for() {
    let silent = |file: &File| !file.text.trim_start().starts_with("//!");
    let offences = tree::files_with("rs").into_iter().filter(silent).map(|file| file.path);
    assert_none("a source file opens with a //! line", &offences.collect::<Vec<_>>());
}

#[test]
fn files_stay_readable_in_one_sitting() {
    let code = ["rs", "py", "mjs"];
    let mut offences = Vec::new();
    for file in tree::files().iter().filter(|file| code.iter().any(|extension| file.has_extension(extension)))
    {
        let lines = file.text.lines().count();
        if lines > LONGEST_FILE {
            offences.push(format!("{}: {lines} lines", file.path));
        }
    }
    assert_none("source files have at most 450 lines", &offences);
}

#[test]
fn an_ignored_test_says_why() {
    let bare = concat!("#[", "ignore]");
    let mut offences = Vec::new();
    for file in tree::files_with("rs") {
        let found = file.lines().filter(|(_, line)| line.contains(bare));
        offences.extend(found.map(|(number, _)| format!("{}:{number}", file.path)));
    }
    assert_none("#[ignore = \"why\"]", &offences);
}

#[test]
fn no_text_names_a_path_of_one_machine() {
    let this = Path::new(file!()).file_name().unwrap();
    let mut offences = Vec::new();
    for file in tree::files() {
        if Path::new(&file.path).file_name() == Some(this) && file.path.contains("/tidy/") {
            continue;
        }
        for (number, line) in file.lines() {
            let found = MACHINE_PATHS.iter().filter(|path| mentions(line, path));
            offences.extend(found.map(|path| format!("{}:{number}: {path}", file.path)));
        }
    }
    assert_none("paths of one machine", &offences);
}

/// Whether the path begins here: `/work/` in `/work/x`, and not in `docs/work/x`.
fn mentions(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|before| !(before.is_alphanumeric() || "._-/".contains(before)))
    })
}

#[test]
fn machine_paths_are_told_from_others() {
    assert!(mentions("see /home/me/x", "/home/"));
    assert!(mentions("`/root/.cargo`", "/root/"));
    assert!(!mentions("docs/home/x", "/home/"));
    assert!(!mentions("https://example.com/home/x", "/home/"));
}
