//! `cargo xtask fuzz`: runs the fuzz targets one after the other, counts what they executed, and keeps what they found.
//!
//! The fuzzer grows a corpus of its own under `target/fuzz`; the one that is checked in is read and left alone. Into the
//! checkout come findings alone, as inputs that the ordinary tests run from then on.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::run::{Outcome, Report, Workspace};

/// What is run, and for how long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    minutes: u32,
    /// Empty: all.
    targets: Vec<String>,
}

/// Longer inputs find nothing that these do not.
const MAX_LEN: u32 = 4096;

impl Plan {
    /// From `[--minutes M] [target…]`.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut plan = Self { minutes: 10, targets: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "--minutes" {
                let minutes = arguments.next().and_then(|minutes| minutes.parse().ok());
                plan.minutes =
                    minutes.filter(|minutes| *minutes > 0).ok_or("--minutes takes a number from 1")?;
            } else if argument.starts_with('-') {
                return Err(format!(
                    "unknown option {argument}; fuzz takes --minutes M and the names of targets"
                ));
            } else {
                plan.targets.push(argument.clone());
            }
        }
        Ok(plan)
    }
}

/// Every target for ten minutes.
pub(crate) fn all(workspace: &Workspace) -> Report {
    run(workspace, Plan { minutes: 10, targets: Vec::new() })
}

pub(crate) fn run(workspace: &Workspace, plan: Plan) -> Report {
    let mut report = Report::default();
    let targets = match chosen(workspace, plan.targets) {
        Ok(targets) => targets,
        Err(reason) => {
            report.push("fuzz targets", Outcome::Failed(reason));
            return report;
        }
    };
    let there = workspace.cargo(&["fuzz", "--version"]).output().is_ok_and(|output| output.status.success());
    if !there {
        let how = "not installed; run: cargo install --locked cargo-fuzz (it needs a C++ compiler, too)";
        report.push("cargo-fuzz", Outcome::Failed(how.to_owned()));
        return report;
    }
    for target in targets {
        let (line, outcome) = fuzz(workspace, &target, plan.minutes);
        report.push(line, outcome);
    }
    report
}

/// The targets that were named, or else all.
fn chosen(workspace: &Workspace, named: Vec<String>) -> Result<Vec<String>, String> {
    let folder = workspace.root.join("fuzz/fuzz_targets");
    let files = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let found = files.filter_map(|file| Some(file.ok()?.path().file_stem()?.to_string_lossy().into_owned()));
    let mut all: Vec<_> = found.collect();
    all.sort();
    match named.iter().find(|name| !all.contains(name)) {
        Some(unknown) => Err(format!("there is no target {unknown}; there are {}", all.join(", "))),
        None if named.is_empty() => Ok(all),
        None => Ok(named),
    }
}

/// Where the inputs of a target are.
struct Places {
    /// What the fuzzer adds to, and keeps from run to run.
    grown: PathBuf,
    corpus: PathBuf,
    regressions: PathBuf,
    log: PathBuf,
}

impl Places {
    fn of(workspace: &Workspace, target: &str) -> std::io::Result<Self> {
        let (work, fuzz) = (workspace.target.join("fuzz"), workspace.root.join("fuzz"));
        let places = Self {
            grown: work.join("corpus").join(target),
            corpus: fuzz.join("corpus").join(target),
            regressions: fuzz.join("regressions").join(target),
            log: work.join(format!("{target}.log")),
        };
        fs::create_dir_all(&places.grown)?;
        // libFuzzer does not make it, and it stays only if there is something in it.
        fs::create_dir_all(&places.regressions)?;
        Ok(places)
    }

    fn found(&self) -> Vec<String> {
        let files = fs::read_dir(&self.regressions).into_iter().flatten().flatten();
        let mut names: Vec<_> = files.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn fuzz(workspace: &Workspace, target: &str, minutes: u32) -> (String, Outcome) {
    let failed = |reason: String| (format!("fuzz {target}"), Outcome::Failed(reason));
    let places = match Places::of(workspace, target) {
        Ok(places) => places,
        Err(error) => return failed(format!("no folder for it: {error}")),
    };
    let before = places.found();
    println!("\n── fuzz {target}, {minutes} min; the log is {}", places.log.display());
    let mut command = command(workspace, target, minutes, &places);
    let ended =
        fs::File::create(&places.log).and_then(|log| command.stdout(log.try_clone()?).stderr(log).status());
    let log = fs::read_to_string(&places.log).unwrap_or_default();
    let new: Vec<_> = places.found().into_iter().filter(|name| !before.contains(name)).collect();
    // Empty folders go; cargo-fuzz makes its own, which are not used.
    let artifacts = workspace.root.join("fuzz/artifacts");
    for folder in [&places.regressions, &artifacts.join(target), &artifacts] {
        let _ = fs::remove_dir(folder);
    }
    let line = format!("fuzz {target}: {}", Stats::of(&log));
    println!("   {line}");
    match ended {
        Ok(status) if status.success() && new.is_empty() => (line, Outcome::Passed),
        Ok(_) if !new.is_empty() => {
            let found = new.join(", ");
            (
                line,
                Outcome::Failed(format!("found, and in fuzz/regressions/{target}: {found}\n{}", tail(&log))),
            )
        }
        Ok(status) => (line, Outcome::Failed(format!("{status}\n{}", tail(&log)))),
        Err(error) => failed(format!("did not start: {error}")),
    }
}

/// `cargo fuzz run`, on the stable toolchain: the instrumentation is not stable, and only tests are built with it.
fn command(workspace: &Workspace, target: &str, minutes: u32, places: &Places) -> Command {
    let build = workspace.target.join("fuzz").join("build");
    let mut command = workspace.cargo(&["fuzz", "run", "--fuzz-dir", "fuzz", "--target-dir"]);
    command.arg(build).arg(target);
    // The first folder is the one that is written to.
    for folder in [&places.grown, &places.corpus, &places.regressions] {
        command.arg(folder);
    }
    let mut findings = places.regressions.clone().into_os_string();
    findings.push("/");
    let mut prefix = std::ffi::OsString::from("-artifact_prefix=");
    prefix.push(findings);
    command.arg("--").arg(prefix).arg(format!("-max_total_time={}", u64::from(minutes) * 60));
    command.arg(format!("-max_len={MAX_LEN}")).args(["-timeout=20", "-print_final_stats=1"]);
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}

/// What libFuzzer says at the end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Stats {
    executions: Option<u64>,
    seconds: Option<u64>,
    edges: Option<u64>,
}

impl Stats {
    fn of(log: &str) -> Self {
        let mut stats = Self::default();
        for line in log.lines() {
            if let Some(number) = line.strip_prefix("stat::number_of_executed_units:") {
                stats.executions = number.trim().parse().ok();
            } else if let Some((_, rest)) = line.split_once(" runs in ") {
                stats.seconds = rest.split(' ').next().and_then(|seconds| seconds.parse().ok());
            } else if let Some((_, rest)) = line.split_once(" cov: ").filter(|_| line.starts_with('#')) {
                stats.edges = rest.split(' ').next().and_then(|edges| edges.parse().ok());
            }
        }
        stats
    }
}

impl std::fmt::Display for Stats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { executions: Some(executions), seconds, edges } = self else {
            return write!(f, "not counted");
        };
        write!(f, "{executions} executions")?;
        if let Some(seconds) = seconds {
            write!(f, " in {seconds} s")?;
        }
        edges.map_or(Ok(()), |edges| write!(f, ", {edges} edges"))
    }
}

/// The line that says what is wrong, if there is one, and where the rest is.
fn tail(log: &str) -> String {
    let mut lines = log.lines();
    let panicked = lines.by_ref().find(|line| line.contains(" panicked at "));
    let lines: Vec<_> = match panicked {
        Some(line) => [line].into_iter().chain(lines.take(2)).collect(),
        None => log.lines().rev().take(5).collect::<Vec<_>>().into_iter().rev().collect(),
    };
    lines.iter().map(|line| line.chars().take(300).collect::<String>()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Plan, String> {
        Plan::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn minutes_and_targets_are_read() {
        assert_eq!(parsed(""), Ok(Plan { minutes: 10, targets: Vec::new() }));
        let plan = Plan { minutes: 3, targets: vec!["cbor".to_owned(), "jwk".to_owned()] };
        assert_eq!(parsed("cbor --minutes 3 jwk"), Ok(plan));
        for bad in ["--minutes", "--minutes 0", "--minutes x", "--hours 1"] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn closing_lines_are_read() {
        let log = "#2\tINITED cov: 100 ft: 3518 corp: 10/911b exec/s: 0 rss: 50Mb\n\
                   #11\tDONE   cov: 1736 ft: 3518 corp: 10/911b lim: 202 exec/s: 0 rss: 59Mb\n\
                   Done 316799 runs in 31 second(s)\n\
                   stat::number_of_executed_units: 316799\n";
        let stats = Stats::of(log);
        assert_eq!(stats, Stats { executions: Some(316_799), seconds: Some(31), edges: Some(1736) });
        assert_eq!(stats.to_string(), "316799 executions in 31 s, 1736 edges");
        assert_eq!(Stats::of("error: no such target").to_string(), "not counted");
    }

    #[test]
    fn a_finding_is_shown_by_its_first_lines() {
        let log = "#1\tNEW\n\nthread '<unnamed>' (9) panicked at src/check.rs:18:5:\nit is wrong\nstack backtrace:\n   0: a\n";
        assert_eq!(
            tail(log),
            "thread '<unnamed>' (9) panicked at src/check.rs:18:5:\nit is wrong\nstack backtrace:"
        );
        assert_eq!(tail("a\nb"), "a\nb");
    }
}
