//! What the figures were measured on.

use std::fs;
use std::path::Path;
use std::thread;

use super::sides::Sides;
use crate::run::Workspace;

/// Lines of a table.
pub(crate) fn describe(workspace: &Workspace, sides: &Sides) -> String {
    let cores = thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get);
    let python = sides.python.as_deref().and_then(|python| said(workspace, python, &["--version"]));
    let load =
        fs::read_to_string("/proc/loadavg").ok().and_then(|text| text.split(' ').next().map(str::to_owned));
    let lines = [
        ("processor", Some(format!("{}, {cores} cores", processor(workspace)))),
        ("system", said(workspace, Path::new("uname"), &["-sr"])),
        ("load average at the start", load),
        ("Rust", said(workspace, Path::new("rustc"), &["--version"])),
        ("Python", python),
    ];
    let lines = lines.map(|(what, is)| format!("| {what} | {} |\n", is.as_deref().unwrap_or("not known")));
    lines.concat()
}

fn processor(workspace: &Workspace) -> String {
    let linux = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = linux.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
    let model = model.map(|model| model.trim().to_owned());
    let elsewhere = || said(workspace, Path::new("sysctl"), &["-n", "machdep.cpu.brand_string"]);
    model.or_else(elsewhere).unwrap_or_else(|| "not known".to_owned())
}

/// The first line of what a program says.
fn said(workspace: &Workspace, program: &Path, arguments: &[&str]) -> Option<String> {
    let output = workspace.command(program).args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    said.lines().next().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned)
}
