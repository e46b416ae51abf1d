//! `cargo xtask mutants`: breaks the mirrored provider on purpose, in a copy of the workspace, and expects the simulation to
//! notice. One that it does not notice is a hole in its checks.
//!
//! A mutant is a file in `tests/mutants`: what is to be found, just once, in which file, and what it becomes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Outcome, Report, Workspace};

const FOLDER: &str = "tests/mutants";
const FILE: &str = "=== ";
const BECOMES: &str = "--- becomes";

/// How many worlds may pass before a mutant counts as unnoticed; in all of them the mirror itself keeps every promise.
const SEEDS: &str = "2200";
const OPERATIONS: &str = "1000";

/// What is to become what.
#[derive(Debug, PartialEq, Eq)]
struct Edit {
    file: PathBuf,
    find: String,
    replace: String,
}

/// All of them.
pub(crate) fn all(workspace: &Workspace) -> Report {
    run(workspace, &[])
}

/// Those that are named, or all.
pub(crate) fn run(workspace: &Workspace, names: &[String]) -> Report {
    let mut report = Report::default();
    let tree = workspace.target.join("mutants").join("tree");
    let found = match mutants(&workspace.root) {
        Ok(found) => found,
        Err(reason) => {
            report.push(FOLDER, Outcome::Failed(reason));
            return report;
        }
    };
    for name in names.iter().filter(|name| !found.iter().any(|(found, _)| found == *name)) {
        report.push(name, Outcome::Failed(format!("there is no such mutant in {FOLDER}")));
    }
    for (name, edits) in found {
        if names.is_empty() || names.contains(&name) {
            let noticed = copy(workspace, &tree).and_then(|()| try_one(workspace, &tree, &edits));
            report.push(name, noticed.map_or_else(Outcome::Failed, |()| Outcome::Passed));
        }
    }
    report
}

fn mutants(root: &Path) -> Result<Vec<(String, Vec<Edit>)>, String> {
    let files = fs::read_dir(root.join(FOLDER)).map_err(|error| format!("{FOLDER}: {error}"))?;
    let mut found = Vec::new();
    for file in files.filter_map(Result::ok) {
        let name = file.path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(file.path()).map_err(|error| format!("{name}: {error}"))?;
        found.push((name, parse(&text)));
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

fn parse(text: &str) -> Vec<Edit> {
    let (text, begins) = (format!("\n{text}"), format!("\n{FILE}"));
    let edits = text.split(&begins).skip(1).filter_map(|edit| {
        let (file, rest) = edit.split_once('\n')?;
        let (find, replace) = rest.split_once(&format!("\n{BECOMES}"))?;
        let replace = replace.strip_prefix('\n').unwrap_or(replace);
        let replace = replace.strip_suffix('\n').unwrap_or(replace);
        Some(Edit { file: file.trim().into(), find: find.to_owned(), replace: replace.to_owned() })
    });
    edits.collect()
}

/// The files that belong to the project, as they are now.
fn copy(workspace: &Workspace, tree: &Path) -> Result<(), String> {
    let listed = workspace.command(Path::new("git")).args(["ls-files", "-z"]).output();
    let listed = listed.map_err(|error| format!("git ls-files: {error}"))?;
    let listed = String::from_utf8(listed.stdout).map_err(|error| format!("git ls-files: {error}"))?;
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        let (from, to) = (workspace.root.join(path), tree.join(path));
        let text = fs::read(&from).map_err(|error| format!("{path}: {error}"))?;
        // What is as it was keeps its time, and is not compiled again.
        if fs::read(&to).is_ok_and(|there| there == text) {
            continue;
        }
        let made = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&to, text));
        made.map_err(|error| format!("{}: {error}", to.display()))?;
    }
    Ok(())
}

/// Breaks the copy, and sees the simulation fail.
fn try_one(workspace: &Workspace, tree: &Path, edits: &[Edit]) -> Result<(), String> {
    for edit in edits {
        edit.apply(tree)?;
    }
    let test = ["test", "-q", "-p", "swarmauri-keyproviders-tests", "--test", "simulation"];
    let cargo = |last: &[&str]| {
        let mut command = workspace.cargo(&[&test, last].concat());
        command.current_dir(tree).env("CARGO_TARGET_DIR", &workspace.target);
        command.env("SIMULATION_SEEDS", SEEDS).env("SIMULATION_OPERATIONS", OPERATIONS);
        command.env("SIMULATION_SHRINKING", "0").output().map_err(|error| format!("cargo: {error}"))
    };
    let built = cargo(&["--no-run"])?;
    if !built.status.success() {
        let said = String::from_utf8_lossy(&built.stderr).into_owned();
        return Err(format!("it does not compile: {}", said.lines().next().unwrap_or_default()));
    }
    let ran = cargo(&["--", "--nocapture"])?;
    let said = [ran.stdout, ran.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    match said.lines().find(|line| line.contains(" breaks promise ")) {
        Some(line) if !ran.status.success() => {
            println!("  {}", line.trim());
            Ok(())
        }
        _ if ran.status.success() => Err(format!("nobody noticed it in {SEEDS} worlds")),
        _ => Err("the simulation failed, and said of no promise that it was broken".to_owned()),
    }
}

impl Edit {
    fn apply(&self, tree: &Path) -> Result<(), String> {
        let path = tree.join(&self.file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        self.check(&text)?;
        fs::write(&path, text.replacen(&self.find, &self.replace, 1))
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    fn check(&self, text: &str) -> Result<(), String> {
        match text.matches(&self.find).count() {
            1 => Ok(()),
            times => {
                Err(format!("{} has what is to be changed {times} times, not once", self.file.display()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code that changes takes its mutants along.
    #[test]
    fn every_mutant_still_finds_what_it_changes() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mutants = mutants(root).unwrap();
        assert!(mutants.len() >= 15, "{}", mutants.len());
        for (name, edits) in mutants {
            assert!(!edits.is_empty(), "{name} changes nothing");
            for edit in edits {
                let text = fs::read_to_string(root.join(&edit.file)).unwrap();
                assert_eq!(edit.check(&text), Ok(()), "{name}");
                assert_ne!(edit.find, edit.replace, "{name}");
            }
        }
    }

    #[test]
    fn a_mutant_says_where_what_becomes_what() {
        let text = "=== a.rs\n  one\n  two\n--- becomes\n  three\n=== b.rs\nfour\n--- becomes\n\n";
        let edit = |file: &str, find: &str, replace: &str| Edit {
            file: file.into(),
            find: find.into(),
            replace: replace.into(),
        };
        assert_eq!(parse(text), [edit("a.rs", "  one\n  two", "  three"), edit("b.rs", "four", "")]);
    }
}
