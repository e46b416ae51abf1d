//! `cargo xtask bench`: the same work here and with the released Python packages, in alternating rounds of one run, into
//! `docs/benchmarks.md`. The work is in `tests/benches`.

mod document;
mod figures;
mod machine;
mod pictures;
mod sides;
mod steps;
mod svg;

use std::fs;
use std::path::{Path, PathBuf};

use self::figures::{Figures, Measured};
use self::sides::{Side, Sides};
use self::steps::{STEPS, Step};
use crate::interop;
use crate::run::{Outcome, Report, Workspace};

/// What is run.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Names of steps; none means all.
    steps: Vec<String>,
    quick: bool,
}

impl Plan {
    /// From `[--rows a,b] [--quick]`.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut plan = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => plan.quick = true,
                "--rows" => {
                    let names = arguments.next().ok_or("--rows takes names, with commas between them")?;
                    plan.steps.extend(names.split(',').map(str::to_owned));
                }
                _ => return Err(format!("unknown option {argument}; bench takes --rows and --quick")),
            }
        }
        let unknown = plan.steps.iter().find(|name| !STEPS.iter().any(|step| step.name == **name));
        if let Some(name) = unknown {
            let known: Vec<_> = STEPS.iter().map(|step| step.name).collect();
            return Err(format!("no row {name:?}; there are {}", known.join(", ")));
        }
        Ok(plan)
    }

    fn has(&self, step: &Step) -> bool {
        self.steps.is_empty() || self.steps.iter().any(|name| name == step.name)
    }

    /// Whether all is measured as the document in the repository wants it.
    fn is_whole(&self) -> bool {
        self.steps.is_empty() && !self.quick
    }

    fn rounds(&self, step: &Step) -> usize {
        if self.quick { step.rounds.min(2) } else { step.rounds }
    }
}

/// All of it.
pub(crate) fn all(workspace: &Workspace) -> Report {
    run(workspace, &Plan::default())
}

pub(crate) fn run(workspace: &Workspace, plan: &Plan) -> Report {
    let mut report = Report::default();
    let build = ["build", "--profile", "measured", "-p", "swarmauri-keyproviders-benches", "--bins"];
    report.run("build", &mut workspace.cargo(&build));
    if report.failed() {
        return report;
    }
    let python = interop::virtual_environment(workspace, "tests/benches/requirements.txt", "bench/venv");
    let python = python.map_err(|reason| report.push("the Python packages", workspace.missing(reason))).ok();
    let sides = Sides::new(workspace, python);
    let machine = machine::describe(workspace, &sides);
    let mut figures = Figures::default();
    for step in STEPS.iter().filter(|step| plan.has(step)) {
        let outcome = measure(&sides, step, plan.rounds(step), &mut figures);
        let half = !step.python.is_empty() && sides.python.is_none();
        let done = if half { workspace.missing("ours alone".to_owned()) } else { Outcome::Passed };
        report.push(step.name, outcome.map_or_else(Outcome::Failed, |()| done));
    }
    let series = if plan.steps.is_empty() { series(&sides, &mut report) } else { String::new() };
    let written = write(workspace, plan, &machine, &figures, &series);
    report.push("the document", written.map_or_else(Outcome::Failed, |()| Outcome::Passed));
    report
}

/// Measures each figure of a step once in every round; each second round goes the other way round.
fn measure(sides: &Sides, step: &Step, rounds: usize, figures: &mut Figures) -> Result<(), String> {
    println!("\n── {}", step.name);
    let mut asked: Vec<_> = step.ours.iter().map(|asked| (Side::Ours, *asked)).collect();
    let mut ours = sides.ours(step)?;
    let mut python = if step.python.is_empty() { None } else { sides.python(step)? };
    if python.is_some() {
        asked.extend(step.python.iter().map(|asked| (Side::Python, *asked)));
    }
    for _ in 0..rounds {
        for (side, name) in &asked {
            let program = match (side, &mut python) {
                (Side::Python, Some(python)) => python,
                _ => &mut ours,
            };
            figures.add(step.name, *side, name, program.measure(name)?);
        }
        asked.reverse();
        print!(".");
        let _ = std::io::Write::flush(&mut std::io::stdout());
    }
    println!();
    for row in step.rows {
        if let Some(measured) = Measured::of(step, row, figures) {
            println!("   {}", measured.in_words());
        }
    }
    Ok(())
}

/// How long reads took around an outage.
fn series(sides: &Sides, report: &mut Report) -> String {
    println!("\n── outage");
    match sides.outage_series() {
        Ok(series) => {
            report.push("outage", Outcome::Passed);
            series
        }
        Err(reason) => {
            report.push("outage", Outcome::Failed(reason));
            String::new()
        }
    }
}

/// Into `docs` if it is the whole, and else beside the build output.
fn write(
    workspace: &Workspace,
    plan: &Plan,
    machine: &str,
    figures: &Figures,
    series: &str,
) -> Result<(), String> {
    let folder = if plan.is_whole() { workspace.root.join("docs") } else { workspace.target.join("bench") };
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for (name, picture) in pictures::draw(figures, series) {
        keep(&folder.join(name), &picture)?;
    }
    let page = folder.join("benchmarks.md");
    keep(&page, &document::of(machine, figures, series))?;
    println!("\n{}", page.display());
    Ok(())
}

fn keep(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Where a program of ours lies once it is built.
fn built(workspace: &Workspace, program: &str) -> PathBuf {
    workspace.target.join("measured").join(format!("{program}{}", std::env::consts::EXE_SUFFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Plan, String> {
        Plan::parse(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn rows_are_chosen_by_name() {
        let plan = parsed(&["--rows", "jwks,cbor", "--quick"]).unwrap();
        let chosen: Vec<_> = STEPS.iter().filter(|step| plan.has(step)).map(|step| step.name).collect();
        assert_eq!(chosen, ["jwks", "cbor"]);
        assert!(
            !plan.is_whole() && parsed(&[]).unwrap().is_whole() && !parsed(&["--quick"]).unwrap().is_whole()
        );
    }

    #[test]
    fn wrong_options_are_named() {
        assert!(parsed(&["--row", "jwks"]).unwrap_err().contains("--row"));
        assert!(parsed(&["--rows"]).unwrap_err().contains("takes names"));
        assert!(parsed(&["--rows", "jwsk"]).unwrap_err().contains("there are get-key, "));
    }
}
