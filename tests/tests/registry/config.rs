//! Providers are built from configuration, nested ones too; what is wrong with it is named.

use crate::{PROBE, ask, assert_says};

const LOCAL: &str = r#"{"type": "LocalKeyProvider"}"#;

fn built(json: &str) -> String {
    ask(PROBE, &["build", json]).unwrap()
}

fn refused(json: &str) -> String {
    ask(PROBE, &["build", json]).unwrap_err()
}

/// A mirror over two local providers, with these settings beside them.
fn mirror(settings: &str) -> String {
    format!(r#"{{"type": "MirroredKeyProvider", "primary": {LOCAL}, "secondary": {LOCAL}{settings}}}"#)
}

#[test]
fn a_provider_that_is_built_by_name_works() {
    assert_says(&built(LOCAL), &["LocalKeyProvider created and read a key"]);
    assert_says(&built(r#"{"type": "local"}"#), &["LocalKeyProvider created"]);
    let answer = built(&mirror(""));
    assert_says(&answer, &["MirroredKeyProvider created and read a key", "mirror:public_only", "failover"]);
    assert_says(&built(&mirror("").replace("MirroredKeyProvider", "mirrored")), &["MirroredKeyProvider"]);
}

#[test]
fn a_mirror_may_have_a_mirror_on_either_side() {
    let nested = mirror(r#", "mode": "full""#);
    let outer = format!(r#"{{"type": "MirroredKeyProvider", "primary": {nested}, "secondary": {nested}}}"#);
    assert_says(&built(&outer), &["MirroredKeyProvider created and read a key"]);
}

#[test]
fn every_setting_is_understood() {
    for (settings, effect) in [
        (r#", "mode": "public_only""#, "mirror:public_only"),
        (r#", "mode": "full""#, "mirror:full"),
        (r#", "mirror_mode": "full""#, "mirror:full"),
        (r#", "mode": "none""#, "mirror:none"),
        (r#", "fail_open_reads": true"#, "failover"),
        (r#", "jwks_merge": "all""#, "failover"),
        (r#", "jwks_merge": "replicas_only""#, "failover"),
        (r#", "on_primary_loss": "serve_replica""#, "failover"),
        (r#", "on_primary_loss": "refuse""#, "failover"),
    ] {
        assert_says(&built(&mirror(settings)), &[effect]);
    }
    assert!(!built(&mirror(r#", "fail_open_reads": false"#)).contains("failover"));
}

#[test]
fn unknown_fields_are_named_with_the_path_to_them() {
    assert_says(
        &refused(r#"{"type": "LocalKeyProvider", "path": "keys"}"#),
        &["configuration of LocalKeyProvider", "`path`"],
    );
    assert_says(
        &refused(&mirror(r#", "fail_open": true"#)),
        &["configuration of MirroredKeyProvider", "`fail_open`", "`fail_open_reads`"],
    );
    for side in ["primary", "secondary"] {
        let wrong = r#"{"type": "LocalKeyProvider", "path": "keys"}"#;
        let json = mirror("").replace(&format!(r#""{side}": {LOCAL}"#), &format!(r#""{side}": {wrong}"#));
        let path = format!("configuration of {side}: LocalKeyProvider");
        assert_says(&refused(&json), &[&path, "`path`"]);

        let outer = format!(r#"{{"type": "MirroredKeyProvider", "primary": {json}, "secondary": {LOCAL}}}"#);
        let path = format!("configuration of primary: {side}: LocalKeyProvider");
        assert_says(&refused(&outer), &[&path, "`path`"]);
    }
}

#[test]
fn an_unknown_mode_lists_the_modes() {
    for wrong in ["both", "PublicOnly", ""] {
        let error = refused(&mirror(&format!(r#", "mode": "{wrong}""#)));
        assert_says(
            &error,
            &["MirroredKeyProvider", &format!("`{wrong}`"), "`public_only`", "`full`", "`none`"],
        );
    }
    for (setting, values) in
        [("jwks_merge", ["`all`", "`replicas_only`"]), ("on_primary_loss", ["`serve_replica`", "`refuse`"])]
    {
        assert_says(&refused(&mirror(&format!(r#", "{setting}": "sometimes""#))), &values);
    }
}

#[test]
fn missing_and_unknown_providers_are_named() {
    let half = format!(r#"{{"type": "MirroredKeyProvider", "primary": {LOCAL}}}"#);
    assert_says(&refused(&half), &["MirroredKeyProvider", "`secondary`"]);
    assert_says(&refused("{}"), &["`type`"]);
    let unknown = mirror("")
        .replace(r#""secondary": {"type": "LocalKeyProvider"}"#, r#""secondary": {"type": "Vault"}"#);
    let known = "known are: FileKeyProvider, LocalKeyProvider, MirroredKeyProvider";
    assert_says(&refused(&unknown), &["\"Vault\"", known]);
    let twice = r#"{"type": "LocalKeyProvider", "type": "MirroredKeyProvider"}"#;
    assert_says(&refused(twice), &["\"type\"", "twice"]);
}
