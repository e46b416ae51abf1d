//! `cargo xtask instructions`: how many instructions the hot reads take, under valgrind, against the bounds in
//! `tests/instructions.txt`. Unlike times, they do not depend on what else the machine does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::interop::{answers, quietly};
use crate::run::{Outcome, Report, Workspace};

/// A case and its bound on each line.
const BOUNDS: &str = "tests/instructions.txt";
/// How often a case does its operation while it is counted: `tests/benches/src/bin/instructions.rs`.
const TIMES: u64 = 1000;
/// How far bounds lie above what was counted, in percent: other compilers and C libraries count a little differently.
const HEADROOM: u64 = 10;
/// From how much less than its bound on, in percent, a case is worth a new one.
const WORTH_A_BLESSING: u64 = 25;

const COMMENT: &str = "\
# Instructions for one call, at most: `cargo xtask instructions` counts them, and with --bless writes what it counted
# here, and a tenth more.
";

/// Compares.
pub(crate) fn all(workspace: &Workspace) -> Report {
    run(workspace, false)
}

/// From `[--bless]`.
pub(crate) fn parse(arguments: &[String]) -> Result<bool, String> {
    match arguments {
        [] => Ok(false),
        [flag] if flag == "--bless" => Ok(true),
        [other, ..] => Err(format!("unknown option {other}; instructions takes --bless")),
    }
}

pub(crate) fn run(workspace: &Workspace, bless: bool) -> Report {
    let mut report = Report::default();
    if let Err(reason) = answers(Path::new("valgrind"), "--version") {
        report.push("instructions", workspace.missing(reason));
        return report;
    }
    // Without the features that take long to build, and that none of this uses.
    let package = ["-p", "swarmauri-keyproviders-benches", "--no-default-features", "--bin", "instructions"];
    report.run("build", &mut workspace.cargo(&[&["build", "--profile", "measured"], &package[..]].concat()));
    if report.failed() {
        return report;
    }
    let path = workspace.root.join(BOUNDS);
    let bounds = read(&fs::read_to_string(&path).unwrap_or_default());
    let mut counted = BTreeMap::new();
    let cases = match cases(workspace) {
        Ok(cases) => cases,
        Err(reason) => {
            report.push("cases", Outcome::Failed(reason));
            return report;
        }
    };
    for case in cases {
        let count = match count(workspace, &case) {
            Ok(count) => count,
            Err(reason) => {
                report.push(case, Outcome::Failed(reason));
                continue;
            }
        };
        let (words, outcome) = judge(count, if bless { Some(u64::MAX) } else { bounds.get(&case).copied() });
        println!("   {case}: {words}");
        report.push(format!("{case}: {words}"), outcome);
        counted.insert(case, count);
    }
    if bless && !report.failed() {
        let written = fs::write(&path, write(&counted)).map_err(|error| format!("{BOUNDS}: {error}"));
        report.push(format!("new {BOUNDS}"), written.map_or_else(Outcome::Failed, |()| Outcome::Passed));
    }
    report
}

/// What is said of a count, and what it means.
fn judge(count: u64, bound: Option<u64>) -> (String, Outcome) {
    match bound {
        Some(u64::MAX) => (format!("{count}"), Outcome::Passed),
        None => (format!("{count}"), Outcome::Failed("it has no bound: --bless gives it one".to_owned())),
        Some(bound) if count > bound => {
            (format!("{count} of {bound}"), Outcome::Failed("more than its bound".to_owned()))
        }
        Some(bound) if count * 100 < bound * (100 - WORTH_A_BLESSING) => {
            (format!("{count} of {bound}, far less than its bound: --bless lowers it"), Outcome::Passed)
        }
        Some(bound) => (format!("{count} of {bound}"), Outcome::Passed),
    }
}

fn cases(workspace: &Workspace) -> Result<Vec<String>, String> {
    let output = workspace.command(&program(workspace)).output().map_err(|error| error.to_string())?;
    let cases = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>();
    if cases.is_empty() { Err("the program names none".to_owned()) } else { Ok(cases) }
}

/// Instructions for one call.
fn count(workspace: &Workspace, case: &str) -> Result<u64, String> {
    let folder = workspace.target.join("instructions");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let counts = folder.join(format!("{case}.out"));
    let mut valgrind = workspace.command(Path::new("valgrind"));
    valgrind.args(["--tool=callgrind", "--toggle-collect=*::measured"]);
    valgrind.arg(format!("--callgrind-out-file={}", counts.display()));
    quietly(valgrind.arg(program(workspace)).arg(case))?;
    let text = fs::read_to_string(&counts).map_err(|error| format!("{}: {error}", counts.display()))?;
    match total(&text) {
        Some(total) if total >= TIMES => Ok(total / TIMES),
        _ => Err(format!("{} tells no count", counts.display())),
    }
}

fn program(workspace: &Workspace) -> std::path::PathBuf {
    workspace.target.join("measured").join(format!("instructions{}", std::env::consts::EXE_SUFFIX))
}

/// What a file of callgrind says was counted in all.
fn total(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

fn read(text: &str) -> BTreeMap<String, u64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(case, bound)| Some((case.to_owned(), bound.parse().ok()?)))
        .collect()
}

fn write(counted: &BTreeMap<String, u64>) -> String {
    let lines = counted.iter().map(|(case, count)| format!("{case} {}\n", count * (100 + HEADROOM) / 100));
    lines.fold(COMMENT.to_owned(), |text, line| text + &line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_over_its_bound_fails_and_one_far_below_says_so() {
        assert!(matches!(judge(111, Some(110)).1, Outcome::Failed(_)));
        assert!(matches!(judge(1, None).1, Outcome::Failed(_)));
        assert_eq!(judge(110, Some(110)), ("110 of 110".to_owned(), Outcome::Passed));
        let (words, outcome) = judge(82, Some(110));
        assert!(words.contains("--bless") && outcome == Outcome::Passed, "{words}");
        assert!(!judge(83, Some(110)).0.contains("--bless"));
    }

    #[test]
    fn bounds_are_written_and_read() {
        let counted = BTreeMap::from([("get-key".to_owned(), 1000), ("jwks".to_owned(), 90)]);
        let text = write(&counted);
        assert_eq!(read(&text), BTreeMap::from([("get-key".to_owned(), 1100), ("jwks".to_owned(), 99)]));
    }

    #[test]
    fn the_total_is_found() {
        assert_eq!(total("fn=(1) x\n16 3\n\ntotals: 123456\n"), Some(123_456));
        assert_eq!(total("fn=(1) x\n"), None);
    }
}
