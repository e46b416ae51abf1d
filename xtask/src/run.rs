//! Running commands one after the other, and telling at the end how each went.

use std::env;
use std::fmt;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use crate::counts::Counts;

/// Where things are, and how strict to be.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The folder with the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// The folder cargo builds into.
    pub(crate) target: PathBuf,
    /// Whether a missing tool is a failure.
    pub(crate) strict: bool,
    cargo: PathBuf,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self, String> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).parent().ok_or("xtask is not in a workspace")?.to_path_buf();
        // This program is <target>/<profile>/xtask, wherever cargo was told to build.
        let executable = env::current_exe().map_err(|error| format!("where am I? {error}"))?;
        let target = executable.ancestors().nth(2).ok_or("no target folder")?.to_path_buf();
        let strict = env::var("CI").is_ok_and(|ci| !ci.is_empty() && ci != "false" && ci != "0");
        let cargo = env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from);
        Ok(Self { root, target, strict, cargo })
    }

    /// A cargo command in the root of the workspace.
    pub(crate) fn cargo(&self, args: &[&str]) -> Command {
        let mut command = self.command(&self.cargo);
        command.args(args);
        command
    }

    /// A command in the root of the workspace, without the marks of the `cargo run` that started this program:
    /// build scripts watch some of them, and would rebuild whenever `cargo xtask` and plain cargo take turns.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null());
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy();
            let mark = name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
            if mark || name == "CARGO" || name == "CARGO_PRIMARY_PACKAGE" {
                command.env_remove(&*name);
            }
        }
        command
    }

    /// What becomes of a step whose tool is not there.
    pub(crate) fn missing(&self, reason: String) -> Outcome {
        if self.strict { Outcome::Failed(reason) } else { Outcome::Skipped(reason) }
    }
}

/// How a step went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

/// Every step of a run, in order, and the tests they counted.
#[derive(Debug, Default)]
pub(crate) struct Report {
    steps: Vec<(String, Outcome)>,
    /// The sum over all test runs, if there were any.
    pub(crate) tests: Option<Counts>,
}

impl Report {
    pub(crate) fn push(&mut self, name: impl Into<String>, outcome: Outcome) {
        self.steps.push((name.into(), outcome));
    }

    pub(crate) fn append(&mut self, later: Self) {
        self.steps.extend(later.steps);
        self.tests = match (self.tests, later.tests) {
            (Some(earlier), Some(later)) => Some(earlier + later),
            (earlier, later) => earlier.or(later),
        };
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    pub(crate) fn failed(&self) -> bool {
        let failed = |(_, outcome): &(_, Outcome)| matches!(outcome, Outcome::Failed(_));
        self.steps.iter().any(failed) || self.tests.is_some_and(|tests| tests.failed > 0)
    }

    /// Runs a command with its output shown as it comes.
    pub(crate) fn run(&mut self, name: &str, command: &mut Command) {
        announce(name, command);
        let outcome = match command.status() {
            Ok(status) if status.success() => Outcome::Passed,
            Ok(status) => Outcome::Failed(status.to_string()),
            Err(error) => Outcome::Failed(format!("did not start: {error}")),
        };
        self.push(name, outcome);
    }

    /// Runs a command with its output shown as it comes, and adds up the tests it says it ran.
    pub(crate) fn run_tests(&mut self, name: &str, command: &mut Command) {
        announce(name, command);
        let (outcome, counts) = match tee(command) {
            Ok((_, counts)) if counts == Counts::default() => {
                (Outcome::Failed("ran no test".to_owned()), counts)
            }
            Ok((true, counts)) => (Outcome::Passed, counts),
            Ok((false, counts)) => (Outcome::Failed("see above".to_owned()), counts),
            Err(error) => (Outcome::Failed(format!("did not start: {error}")), Counts::default()),
        };
        self.push(format!("{name}: {counts}"), outcome);
        self.tests = Some(self.tests.unwrap_or_default() + counts);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, outcome) in &self.steps {
            match outcome {
                Outcome::Passed => writeln!(f, "  passed   {name}")?,
                Outcome::Failed(reason) => writeln!(f, "  FAILED   {name} ({reason})")?,
                Outcome::Skipped(reason) => writeln!(f, "  skipped  {name} ({reason})")?,
            }
        }
        // Alone on its line, so that programs find it.
        self.tests.map_or(Ok(()), |tests| write!(f, "{tests}"))
    }
}

fn announce(name: &str, command: &Command) {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    println!("\n── {name}\n   {} {}", program.to_string_lossy(), words.join(" "));
}

/// Runs a command, copies both streams through, and reads the test runner's closing lines in passing.
fn tee(command: &mut Command) -> io::Result<(bool, Counts)> {
    if io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let errors = child.stderr.take().map(|stream| thread::spawn(move || copy(stream, io::stderr())));
    let mut counts = child.stdout.take().map_or_else(Counts::default, |stream| copy(stream, io::stdout()));
    if let Some(errors) = errors {
        counts = counts + errors.join().unwrap_or_default();
    }
    Ok((child.wait()?.success(), counts))
}

fn copy(from: impl Read, mut to: impl Write) -> Counts {
    let mut counts = Counts::default();
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        counts = counts + Counts::of_line(&String::from_utf8_lossy(&line));
        // A closed terminal is no reason to stop the tests.
        let _ = to.write_all(&line);
        line.clear();
    }
    let _ = to.flush();
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_fails_when_a_step_or_a_test_failed() {
        let mut report = Report::default();
        report.push("a", Outcome::Passed);
        report.push("b", Outcome::Skipped("no b here".to_owned()));
        assert!(!report.failed());
        report.tests = Some(Counts { passed: 1, failed: 0, skipped: 1 });
        assert!(!report.failed());
        assert_eq!(
            report.to_string(),
            "  passed   a\n  skipped  b (no b here)\n1 passed, 0 failed, 1 skipped"
        );
        report.tests = Some(Counts { passed: 1, failed: 1, skipped: 1 });
        assert!(report.failed());

        let mut report = Report::default();
        report.push("c", Outcome::Failed("exit status: 101".to_owned()));
        assert!(report.failed());
    }
}
