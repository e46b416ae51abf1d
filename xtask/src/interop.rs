//! The other implementations that the interop tests talk to: OpenSSL from the system, PyCA `cryptography` and PyJWT in
//! a virtual environment, `jose` in a `node_modules`, both under `target/interop` and at the versions pinned in
//! `tests/interop`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Outcome, Report, Workspace};

/// A folder is only as good as this file in it, written last: the manifest it was made from.
const STAMP: &str = "complete";

/// Sets up what can be set up, and returns where it is as environment variables for the tests.
pub(crate) fn prepare(workspace: &Workspace, report: &mut Report) -> Vec<(&'static str, PathBuf)> {
    let openssl = Path::new("openssl").to_path_buf();
    let found = [
        ("SWARMAURI_INTEROP_OPENSSL", "OpenSSL", answers(&openssl, "version").map(|()| openssl)),
        ("SWARMAURI_INTEROP_PYTHON", "Python: cryptography, PyJWT", python(workspace)),
        ("SWARMAURI_INTEROP_NODE_DIR", "Node: jose", node(workspace)),
    ];
    let mut variables = Vec::new();
    for (variable, name, place) in found {
        match place {
            Ok(place) => {
                report.push(format!("interop tool {name}"), Outcome::Passed);
                variables.push((variable, place));
            }
            Err(reason) => report.push(format!("interop tool {name}"), workspace.missing(reason)),
        }
    }
    variables
}

fn python(workspace: &Workspace) -> Result<PathBuf, String> {
    virtual_environment(workspace, "tests/interop/requirements.txt", "interop/venv")
}

/// The interpreter of a virtual environment, in this folder of the target, that has the packages pinned in this file.
pub(crate) fn virtual_environment(
    workspace: &Workspace,
    manifest: &str,
    folder: &str,
) -> Result<PathBuf, String> {
    let (manifest, folder) = (workspace.root.join(manifest), workspace.target.join(folder));
    let inside = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
    let interpreter = folder.join(inside);
    if fresh(&folder, &manifest) && answers(&interpreter, "--version").is_ok() {
        return Ok(interpreter);
    }
    let base = Path::new(if cfg!(windows) { "python" } else { "python3" });
    answers(base, "--version")?;
    clear(&folder)?;
    quietly(workspace.command(base).args(["-m", "venv"]).arg(&folder))?;
    let mut pip = workspace.command(&interpreter);
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
    // A wheel or nothing: building `cryptography` from source needs more than a newcomer has.
    quietly(pip.args(["--only-binary", ":all:", "--retries", "2", "--requirement"]).arg(&manifest))?;
    stamp(&folder, &manifest)?;
    Ok(interpreter)
}

/// A folder whose `node_modules` has the pinned packages.
fn node(workspace: &Workspace) -> Result<PathBuf, String> {
    let manifest = workspace.root.join("tests/interop/package.json");
    let folder = workspace.target.join("interop/node");
    answers(Path::new("node"), "--version")?;
    if fresh(&folder, &manifest) {
        return Ok(folder);
    }
    let npm = Path::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    answers(npm, "--version")?;
    clear(&folder)?;
    let copied = fs::create_dir_all(&folder).and_then(|()| fs::copy(&manifest, folder.join("package.json")));
    copied.map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut install = workspace.command(npm);
    install.current_dir(&folder).args(["install", "--no-audit", "--no-fund", "--ignore-scripts"]);
    quietly(install.args(["--no-package-lock", "--fetch-retries=2"]))?;
    stamp(&folder, &manifest)?;
    Ok(folder)
}

fn fresh(folder: &Path, manifest: &Path) -> bool {
    match (fs::read(folder.join(STAMP)), fs::read(manifest)) {
        (Ok(made_from), Ok(wanted)) => made_from == wanted,
        _ => false,
    }
}

fn clear(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if folder.exists() => Err(format!("cannot clear {}: {error}", folder.display())),
        _ => Ok(()),
    }
}

fn stamp(folder: &Path, manifest: &Path) -> Result<(), String> {
    fs::copy(manifest, folder.join(STAMP)).map(drop).map_err(|error| format!("{}: {error}", folder.display()))
}

/// Whether a program is there and runs.
pub(crate) fn answers(program: &Path, question: &str) -> Result<(), String> {
    let output = Command::new(program).arg(question).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{} {question}: {}", program.display(), output.status)),
        Err(error) => Err(format!("{}: {error}", program.display())),
    }
}

/// Runs a command; its output is of interest only when it fails, and then the last line of it.
pub(crate) fn quietly(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    eprintln!("{said}");
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(format!("{program}: {}: {}", output.status, last.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_fresh_only_while_its_manifest_stays_the_same() {
        let folder = std::env::temp_dir().join(format!("xtask-interop-{}", std::process::id()));
        let manifest = folder.join("requirements.txt");
        fs::create_dir_all(&folder).unwrap();
        fs::write(&manifest, "a==1").unwrap();
        assert!(!fresh(&folder, &manifest));
        stamp(&folder, &manifest).unwrap();
        assert!(fresh(&folder, &manifest));
        fs::write(&manifest, "a==2").unwrap();
        assert!(!fresh(&folder, &manifest));
        clear(&folder).unwrap();
        clear(&folder).unwrap();
        assert!(!fresh(&folder, &manifest));
    }

    #[test]
    fn a_missing_program_is_named() {
        let reason = answers(Path::new("no-such-program-anywhere"), "--version").unwrap_err();
        assert!(reason.contains("no-such-program-anywhere"), "{reason}");
    }
}
