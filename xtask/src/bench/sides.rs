//! The programs that measure: ours and Python's, each asked a line at a time.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::built;
use super::steps::Step;
use crate::run::Workspace;

/// Who measured a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// A program of this workspace.
    Ours,
    /// The Python packages.
    Python,
}

/// Starts the programs.
pub(crate) struct Sides<'a> {
    workspace: &'a Workspace,
    /// The interpreter with the packages, if there is one.
    pub(crate) python: Option<PathBuf>,
}

impl<'a> Sides<'a> {
    pub(crate) fn new(workspace: &'a Workspace, python: Option<PathBuf>) -> Self {
        Self { workspace, python }
    }

    pub(crate) fn ours(&self, step: &Step) -> Result<Program, String> {
        let mut command = self.workspace.command(&built(self.workspace, step.program));
        // Where writes are durable: the folder for temporary files may be kept in memory.
        command.arg(step.name).env("BENCH_FOLDER", self.workspace.target.join("bench"));
        Program::start(&mut command)
    }

    pub(crate) fn python(&self, step: &Step) -> Result<Option<Program>, String> {
        let Some(python) = &self.python else {
            return Ok(None);
        };
        let mut command = self.workspace.command(python);
        command.arg("tests/benches/rounds.py").arg(step.name);
        Program::start(&mut command).map(Some)
    }

    pub(crate) fn outage_series(&self) -> Result<String, String> {
        let output = self.workspace.command(&built(self.workspace, "outage_series")).output();
        let output = output.map_err(|error| format!("did not start: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        String::from_utf8(output.stdout).map_err(|error| error.to_string())
    }
}

/// A program that has set up some work, and waits to be asked.
pub(crate) struct Program {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Program {
    fn start(command: &mut std::process::Command) -> Result<Self, String> {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| format!("did not start: {error}"))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(questions), Some(answers)) => {
                Ok(Self { child, questions, answers: BufReader::new(answers) })
            }
            _ => Err("started without its streams".to_owned()),
        }
    }

    /// The figures of one round.
    pub(crate) fn measure(&mut self, name: &str) -> Result<Vec<f64>, String> {
        let mut line = String::new();
        let asked = writeln!(self.questions, "{name}").and_then(|()| self.questions.flush());
        let answered = asked.and_then(|()| self.answers.read_line(&mut line));
        answered.map_err(|error| format!("{name}: {error}"))?;
        let figures: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
        match figures {
            Ok(figures) if !figures.is_empty() => Ok(figures),
            _ => Err(format!("{name}: no figures, but {line:?}")),
        }
    }
}

impl Drop for Program {
    /// A program that waits for a question ends when none can come.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
