//! `cargo xtask test`: every test there is, and an honest count of those that found their tool missing.

use std::fs;
use std::path::Path;

use crate::interop;
use crate::run::{Outcome, Report, Workspace};

/// Libraries whose tests must also pass with no feature on.
const WITHOUT_FEATURES: &[&str] = &[
    "swarmauri-softkeys",
    "swarmauri-keyprovider-local",
    "swarmauri-keyprovider-stored",
    "swarmauri-keystore",
];

pub(crate) fn test(workspace: &Workspace) -> Report {
    let mut report = Report::default();
    let tools = interop::prepare(workspace, &mut report);
    let skip_log = workspace.target.join("interop").join("skipped.log");
    // Absent is as good as empty.
    let _ = fs::remove_file(&skip_log);

    let runner = Runner::choose(workspace, &mut report);
    let mut all = workspace.cargo(&runner.args(&["--workspace", "--all-features"]));
    all.envs(tools).env("SWARMAURI_SKIP_LOG", &skip_log);
    if workspace.strict {
        all.env("SWARMAURI_INTEROP", "required");
    }
    report.run_tests("tests", &mut all);

    let mut documentation =
        workspace.cargo(&["test", "--doc", "--workspace", "--all-features", "--no-fail-fast"]);
    report.run_tests("documentation tests", &mut documentation);
    for name in WITHOUT_FEATURES {
        let mut bare = workspace.cargo(&runner.args(&["-p", name, "--no-default-features"]));
        report.run_tests(&format!("{name} without features"), &mut bare);
    }
    count_skips(workspace, &skip_log, &mut report);
    report
}

#[derive(Clone, Copy)]
enum Runner {
    Nextest,
    CargoTest,
}

impl Runner {
    fn choose(workspace: &Workspace, report: &mut Report) -> Self {
        let nextest = workspace.cargo(&["nextest", "--version"]).output();
        if nextest.is_ok_and(|output| output.status.success()) {
            return Self::Nextest;
        }
        let reason = "not installed; cargo test serves".to_owned();
        report.push("cargo-nextest", Outcome::Skipped(reason));
        Self::CargoTest
    }

    fn args<'a>(self, selection: &[&'a str]) -> Vec<&'a str> {
        let (command, targets): (&[&str], &[&str]) = match self {
            Self::Nextest => (&["nextest", "run", "--no-fail-fast"], &[]),
            Self::CargoTest => (&["test", "--no-fail-fast"], &["--lib", "--bins", "--tests", "--examples"]),
        };
        [command, selection, targets].concat()
    }
}

/// The runners count a test without its tool as passed; each such test left a line in the log.
fn count_skips(workspace: &Workspace, skip_log: &Path, report: &mut Report) {
    let log = fs::read_to_string(skip_log).unwrap_or_default();
    for line in log.lines() {
        let (name, reason) = line.split_once('\t').unwrap_or((line, "no reason given"));
        report.push(name, workspace.missing(reason.to_owned()));
    }
    // Where skips are forbidden these tests failed, and are counted so already.
    if !workspace.strict {
        let skips = log.lines().count().try_into().unwrap_or(u64::MAX);
        report.tests = report.tests.map(|tests| tests.less_skips(skips));
    }
}
