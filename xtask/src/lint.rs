//! `cargo xtask lint`: format, clippy for each feature set that changes what is compiled, and rustdoc.

use crate::run::{Outcome, Report, Workspace};

/// One clippy run. Each must pass on its own: features add up, so a run with all of them proves nothing about
/// one alone, and dev-dependencies switch on features that users of the library will not have.
const CLIPPY: &[(&str, &[&str])] = &[
    ("all features", &["--workspace", "--all-targets", "--all-features"]),
    ("default features", &["--workspace", "--all-targets"]),
    ("softkeys, no features", &["-p", "swarmauri-softkeys", "--all-targets", "--no-default-features"]),
    ("softkeys, rsa", &["-p", "swarmauri-softkeys", "--all-targets", "--no-default-features", "-F", "rsa"]),
    (
        "softkeys, x25519",
        &["-p", "swarmauri-softkeys", "--all-targets", "--no-default-features", "-F", "x25519"],
    ),
    ("local, no features", &["-p", "swarmauri-keyprovider-local", "--all-targets", "--no-default-features"]),
    (
        "stored, no features",
        &["-p", "swarmauri-keyprovider-stored", "--all-targets", "--no-default-features"],
    ),
    (
        "mirrored, no features",
        &["-p", "swarmauri-keyprovider-mirrored", "--all-targets", "--no-default-features"],
    ),
    ("mirrored, jsoncanon", &["-p", "swarmauri-keyprovider-mirrored", "--all-targets", "-F", "jsoncanon"]),
    ("mirrored, metrics", &["-p", "swarmauri-keyprovider-mirrored", "--all-targets", "-F", "metrics"]),
    ("mirrored, cbor", &["-p", "swarmauri-keyprovider-mirrored", "--all-targets", "-F", "cbor"]),
    ("keystore, no features", &["-p", "swarmauri-keystore", "--all-targets", "--no-default-features"]),
    ("keys, as users build it", &["-p", "swarmauri-keys", "--lib"]),
    ("keyprovider, as users build it", &["-p", "swarmauri-keyprovider", "--lib"]),
    ("softkeys, as users build it", &["-p", "swarmauri-softkeys", "--lib"]),
    ("local, as users build it", &["-p", "swarmauri-keyprovider-local", "--lib"]),
    ("stored, as users build it", &["-p", "swarmauri-keyprovider-stored", "--lib"]),
    ("mirrored, as users build it", &["-p", "swarmauri-keyprovider-mirrored", "--lib"]),
    ("keystore, as users build it", &["-p", "swarmauri-keystore", "--lib"]),
    ("jsoncanon, as users build it", &["-p", "swarmauri-jsoncanon", "--lib"]),
    ("cbor, as users build it", &["-p", "swarmauri-cbor", "--lib"]),
    ("testkit, as users build it", &["-p", "swarmauri-keyprovider-testkit", "--lib"]),
];

pub(crate) fn lint(workspace: &Workspace) -> Report {
    let mut report = Report::default();
    report.run("format", &mut workspace.cargo(&["fmt", "--all", "--check"]));
    for (name, selection) in CLIPPY {
        let args = [&["clippy", "--quiet"], *selection, &["--", "-D", "warnings"]].concat();
        report.run(&format!("clippy: {name}"), &mut workspace.cargo(&args));
    }
    let mut rustdoc = workspace.cargo(&["doc", "--quiet", "--workspace", "--all-features", "--no-deps"]);
    report.run("rustdoc", rustdoc.env("RUSTDOCFLAGS", "-D warnings"));
    fuzz_targets(workspace, &mut report);
    licences(workspace, &mut report);
    report
}

/// They are outside of the workspace, and nobody else would notice that they do not compile.
fn fuzz_targets(workspace: &Workspace, report: &mut Report) {
    let manifest = ["--manifest-path", "fuzz/Cargo.toml"];
    report.run("format: fuzz", &mut workspace.cargo(&[&["fmt"], &manifest[..], &["--check"]].concat()));
    let mut clippy = workspace.cargo(&[&["clippy", "--quiet"], &manifest[..]].concat());
    // Beside the workspace, whose dependencies are theirs.
    clippy.arg("--target-dir").arg(&workspace.target);
    if workspace.strict {
        clippy.arg("--locked");
    }
    // Nothing is linked, so that no C++ compiler has to make the fuzzer.
    clippy.args(["--", "-D", "warnings"]).env("CUSTOM_LIBFUZZER_PATH", "not/linked");
    report.run("clippy: fuzz", &mut clippy);
}

/// cargo-deny is run where it is installed, and required nowhere: it takes longer to build than all of this.
fn licences(workspace: &Workspace, report: &mut Report) {
    let there = workspace.cargo(&["deny", "--version"]).output().is_ok_and(|output| output.status.success());
    if there {
        report.run(
            "licences, bans, sources",
            &mut workspace.cargo(&["deny", "check", "licenses", "bans", "sources"]),
        );
    } else {
        report.push("licences, bans, sources", Outcome::Skipped("cargo-deny is not installed".to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_library_is_linted_as_its_users_build_it() {
        let crates = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates")).unwrap();
        for folder in crates {
            let folder = folder.unwrap().file_name();
            let name = folder.to_str().unwrap();
            assert!(CLIPPY.iter().any(|(_, args)| *args == ["-p", name, "--lib"]), "no such row for {name}");
        }
    }
}
