//! Providers are found by their names, from programs of their own: what is linked, what is not, and what
//! claims a name twice.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is how a test fails")]

mod by_hand;
mod config;

use std::process::Command;

use swarmauri_keyprovider::registry::{GROUP, PEAGEN_GROUP};

const PROBE: &str = env!("CARGO_BIN_EXE_registry_probe");
const UNLINKED: &str = env!("CARGO_BIN_EXE_registry_unlinked");
const DUPLICATE: &str = env!("CARGO_BIN_EXE_registry_duplicate");

/// What a program answers, or its error.
fn ask(program: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim_end().to_owned();
    if output.status.success() {
        assert!(output.stderr.is_empty(), "{}", text(output.stderr));
        return Ok(text(output.stdout));
    }
    assert_eq!(output.status.code(), Some(1), "a probe fails, and does not crash: {output:?}");
    Err(text(output.stderr))
}

/// The error holds all of these.
#[track_caller]
fn assert_says(error: &str, all: &[&str]) {
    for one in all {
        assert!(error.contains(one), "{one:?} is missing from: {error}");
    }
}

#[test]
fn linked_providers_are_found_by_each_of_their_names() {
    assert_eq!(ask(PROBE, &["names"]).unwrap(), "FileKeyProvider LocalKeyProvider MirroredKeyProvider");
    for (name, crate_name) in [
        ("FileKeyProvider", "swarmauri-keyprovider-stored"),
        ("LocalKeyProvider", "swarmauri-keyprovider-local"),
        ("MirroredKeyProvider", "swarmauri-keyprovider-mirrored"),
    ] {
        assert_eq!(ask(PROBE, &["lookup", name]).unwrap(), crate_name);
        assert_eq!(ask(PROBE, &["lookup-in", GROUP, name]).unwrap(), crate_name);
    }
    for (name, crate_name) in [
        ("file", "swarmauri-keyprovider-stored"),
        ("local", "swarmauri-keyprovider-local"),
        ("mirrored", "swarmauri-keyprovider-mirrored"),
    ] {
        assert_eq!(ask(PROBE, &["lookup-in", PEAGEN_GROUP, name]).unwrap(), crate_name);
    }
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    let known = "known are: FileKeyProvider, LocalKeyProvider, MirroredKeyProvider";
    for name in ["Vault", "localkeyprovider", "mirrored", ""] {
        assert_says(&ask(PROBE, &["lookup", name]).unwrap_err(), &[&format!("{name:?}"), GROUP, known]);
    }
    let error = ask(PROBE, &["lookup-in", PEAGEN_GROUP, "LocalKeyProvider"]).unwrap_err();
    assert_says(&error, &["\"LocalKeyProvider\"", PEAGEN_GROUP, "known are: file, local, mirrored"]);
    let error = ask(PROBE, &["lookup-in", "no.such.group", "LocalKeyProvider"]).unwrap_err();
    assert_says(&error, &["no.such.group", "known are: none"]);
}

#[test]
fn a_crate_that_is_only_in_the_manifest_is_not_linked_and_the_error_says_what_to_write() {
    assert_eq!(ask(UNLINKED, &["names"]).unwrap(), "");
    for args in [
        ["lookup", "MirroredKeyProvider"].as_slice(),
        &["lookup-in", PEAGEN_GROUP, "mirrored"],
        &["build", r#"{"type": "LocalKeyProvider"}"#],
    ] {
        assert_says(&ask(UNLINKED, args).unwrap_err(), &["known are: none", "`use its_crate as _;`"]);
    }
}

#[test]
fn a_name_that_two_crates_claim_is_an_error_that_names_both() {
    for args in [
        ["names"].as_slice(),
        &["lookup", "LocalKeyProvider"],
        &["lookup-in", PEAGEN_GROUP, "local"],
        &["build", r#"{"type": "LocalKeyProvider"}"#],
    ] {
        let error = ask(DUPLICATE, args).unwrap_err();
        assert_says(
            &error,
            &[
                "\"LocalKeyProvider\"",
                "registered twice",
                "swarmauri-keyprovider-local",
                "swarmauri-keyproviders-tests",
            ],
        );
    }
}
