//! Documentation that names files, commands or tests names ones that exist.

use std::collections::BTreeSet;

use crate::assert_none;
use crate::tree::{self, File};

/// Packages that do not lie in a folder of their name.
const TESTS: [&str; 3] =
    ["swarmauri-keyproviders-tests", "swarmauri-keyproviders-benches", "swarmauri-keyproviders-fuzzing"];

fn documents() -> Vec<File> {
    let mut documents = tree::files_with("md");
    documents.retain(|file| !file.path.contains('/') || file.path.starts_with("docs/"));
    documents
}

#[test]
fn paths_in_documents_exist() {
    let paths: Vec<_> = tree::files().into_iter().map(|file| file.path).collect();
    let mut offences = Vec::new();
    for document in documents() {
        for (number, line) in document.lines() {
            let named = in_backticks(line).into_iter().filter(|word| looks_like_path(word));
            let missing = named.filter(|word| !exists(word, &paths));
            offences.extend(missing.map(|word| format!("{}:{number}: {word}", document.path)));
        }
    }
    assert_none("documents name files that are there", &offences);
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut offences = Vec::new();
    for document in documents() {
        let folder = tree::root().join(&document.path).parent().unwrap().to_path_buf();
        for (number, line) in document.lines() {
            for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let local = target.split('#').next().unwrap_or_default();
                if !local.is_empty() && !target.contains("://") && !folder.join(local).exists() {
                    offences.push(format!("{}:{number}: {target}", document.path));
                }
            }
        }
    }
    assert_none("links lead to files that are there", &offences);
}

#[test]
fn commands_in_documents_exist() {
    let xtask = tree::file("xtask/src/main.rs").text;
    let paths: Vec<_> = tree::files().into_iter().map(|file| file.path).collect();
    let mut offences = Vec::new();
    let mut texts = documents();
    texts.push(tree::file(".ci/run"));
    for document in texts {
        for (number, line) in document.lines() {
            for missing in missing_commands(line, &xtask, &paths) {
                offences.push(format!("{}:{number}: {missing}", document.path));
            }
        }
    }
    assert_none("documents name commands that are there", &offences);
}

fn missing_commands(line: &str, xtask: &str, paths: &[String]) -> Vec<String> {
    let words: Vec<_> = line.split(|c: char| c.is_whitespace() || "`,;()".contains(c)).collect();
    let mut missing = Vec::new();
    for pair in words.windows(2) {
        let name = pair[1].trim_end_matches(['.', ':']);
        let there = match pair[0] {
            _ if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) => true,
            "xtask" => xtask.contains(&format!("name: \"{name}\"")),
            "-p" | "--package" if line.contains("cargo ") => {
                ["crates/", ""].iter().any(|folder| paths.contains(&format!("{folder}{name}/Cargo.toml")))
                    || TESTS.contains(&name)
            }
            "--example" => {
                let (file, folder) = (format!("/examples/{name}.rs"), format!("/examples/{name}/main.rs"));
                paths.iter().any(|path| path.ends_with(&file) || path.ends_with(&folder))
            }
            _ => true,
        };
        if !there {
            missing.push(pair.join(" "));
        }
    }
    missing
}

/// A row of the table of promises ends in a cell with the names of the tests that prove it.
#[test]
fn guarantees_name_tests_that_exist() {
    let tests: BTreeSet<_> = tree::files_with("rs").iter().flat_map(functions).collect();
    let guarantees = tree::file("docs/guarantees.md");
    let mut offences = Vec::new();
    let mut rows = 0;
    for (number, line) in guarantees.lines().filter(|(_, line)| is_promise(line)) {
        rows += 1;
        let cell = line.trim().trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let named: Vec<_> = in_backticks(cell).into_iter().filter(|word| is_function_path(word)).collect();
        if named.is_empty() && !cell.contains("not yet") {
            offences.push(format!("line {number} names no test, and does not say \"not yet\""));
        }
        let missing = named.into_iter().filter(|name| !tests.contains(last_segment(name)));
        offences.extend(missing.map(|name| format!("line {number}: {name}")));
    }
    assert!(rows >= 12, "docs/guarantees.md has {rows} rows that begin with a number; there are 12 promises");
    assert_none("docs/guarantees.md names tests that are there", &offences);
}

/// `| 4 | …` or `| 4. …`
fn is_promise(line: &str) -> bool {
    let first = line.trim().strip_prefix('|').map(|rest| rest.trim_start_matches([' ', '*']));
    first.is_some_and(|cell| cell.starts_with(|c: char| c.is_ascii_digit()))
}

/// Names of functions, and of the cases that the conformance suite's macro makes into functions.
fn functions(file: &File) -> Vec<String> {
    let mut names = Vec::new();
    for (_, line) in file.lines() {
        for rest in line.split("fn ").skip(1) {
            let name = rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next();
            names.extend(name.filter(|name| !name.is_empty()).map(str::to_owned));
        }
    }
    names
}

fn last_segment(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

fn is_function_path(word: &str) -> bool {
    let name = last_segment(word);
    name.contains('_') && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn in_backticks(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

/// Starts in a folder of ours, or is the name of a document, manifest or source file.
fn looks_like_path(word: &str) -> bool {
    const FOLDERS: &[&str] = &["crates/", "docs/", "tests/", "xtask/", ".ci/", ".cargo/", "fuzz/"];
    const ENDINGS: &[&str] = &[".md", ".rs", ".py", ".mjs"];
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    let known = FOLDERS.iter().any(|folder| word.starts_with(folder))
        || ENDINGS.iter().any(|ending| word.ends_with(ending));
    plain && known && !ENDINGS.contains(&word)
}

/// As a path from the root, or as the end of one.
fn exists(word: &str, paths: &[String]) -> bool {
    let word = word.trim_end_matches('/');
    let (end, folder) = (format!("/{word}"), format!("{word}/"));
    paths.iter().any(|path| path == word || path.ends_with(&end) || path.starts_with(&folder))
}

#[test]
fn words_in_documents_are_told_apart() {
    assert_eq!(in_backticks("a `b` c `d/e`."), ["b", "d/e"]);
    for path in ["crates/a/", "docs/architecture.md", "src/mode.rs", "README.md", ".ci/run"] {
        assert!(looks_like_path(path), "{path}");
    }
    for other in ["KeyError::NotFound", "target/interop", "application/json", ".rs", "crates/*"] {
        assert!(!looks_like_path(other), "{other}");
    }
    assert!(is_function_path("tests::a_destroyed_key_stays_gone") && is_function_path("a_b"));
    assert!(!is_function_path("KeyError") && !is_function_path("status()") && !is_function_path("jwks"));
    assert!(is_promise("| 4 | No resurrection | `a_b` |") && !is_promise("| # | Promise | Tests |"));
    let missing =
        missing_commands("run `cargo xtask nonsense`, or `cargo xtask help`.", "name: \"help\"", &[]);
    assert_eq!(missing, ["xtask nonsense"]);
}
