//! Finding the other implementations, and talking to them over pipes.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

/// A program that is there.
pub(crate) struct Tool {
    program: PathBuf,
    script: Option<PathBuf>,
    folder: PathBuf,
}

impl Tool {
    /// OpenSSL 3; others that answer to the name lack some of what is asked here.
    pub(crate) fn openssl() -> Option<Self> {
        let program = env::var_os("SWARMAURI_INTEROP_OPENSSL").unwrap_or_else(|| "openssl".into());
        let tool = Self { program: program.into(), script: None, folder: env::temp_dir() };
        match tool.pipe(&["version"], b"") {
            Ok(version) if version.starts_with(b"OpenSSL 3") || version.starts_with(b"OpenSSL 4") => {
                Some(tool)
            }
            Ok(version) => skip(&format!("not OpenSSL 3: {}", String::from_utf8_lossy(&version).trim())),
            Err(reason) => skip(&format!("no OpenSSL: {reason}")),
        }
    }

    /// Python with `cryptography` and PyJWT.
    pub(crate) fn python() -> Option<Self> {
        let inside = if cfg!(windows) { "venv/Scripts/python.exe" } else { "venv/bin/python" };
        let program = place("SWARMAURI_INTEROP_PYTHON", "venv", inside)?;
        Some(Self { program, script: Some(scripts().join("peer.py")), folder: scripts() })
    }

    /// Node with `jose`.
    pub(crate) fn node() -> Option<Self> {
        let folder = place("SWARMAURI_INTEROP_NODE_DIR", "node", "node")?;
        Some(Self { program: "node".into(), script: Some(scripts().join("peer.mjs")), folder })
    }

    /// One JSON request, one JSON answer.
    pub(crate) fn ask(&self, request: &Value) -> Result<Value, String> {
        let script = self.script.as_ref().expect("a program that answers requests");
        let answer = self.pipe(&[script.to_str().unwrap()], request.to_string().as_bytes())?;
        let mut answer: Value = serde_json::from_slice(&answer).expect("a JSON answer");
        match answer.get("error") {
            Some(error) => Err(error.to_string()),
            None => Ok(answer["ok"].take()),
        }
    }

    /// Standard output of the program fed with this input, or how it failed.
    pub(crate) fn pipe(&self, args: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(&self.folder);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = piped.map_err(|error| format!("{}: {error}", self.program.display()))?;
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // A program that refuses its arguments does not read its input; that is for its status to say.
        let feeder = thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        feeder.join().unwrap();
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()))
        }
    }
}

/// What `cargo xtask test` names in this variable, or has left under `target/interop` before.
fn place(variable: &str, folder: &str, inside: &str) -> Option<PathBuf> {
    if let Some(named) = env::var_os(variable) {
        return Some(named.into());
    }
    let interop = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("interop");
    if interop.join(folder).join("complete").exists() {
        return Some(interop.join(inside));
    }
    skip(&format!(
        "{variable} is not set, and no earlier `cargo xtask test` has left target/interop/{folder}"
    ))
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop")
}

/// Says that a test had nothing to do; fails where that is forbidden.
fn skip<T>(reason: &str) -> Option<T> {
    println!("SKIPPED: {reason}");
    if let Some(log) = env::var_os("SWARMAURI_SKIP_LOG") {
        let mut log = OpenOptions::new().create(true).append(true).open(log).unwrap();
        let thread = thread::current();
        // One write, so that lines of tests that run at once do not mix.
        let line = format!("interop::{}\t{reason}\n", thread.name().unwrap_or("?"));
        log.write_all(line.as_bytes()).unwrap();
    }
    let required = env::var("SWARMAURI_INTEROP").is_ok_and(|value| value == "required");
    assert!(!required, "a skip where none is allowed: {reason}");
    None
}
