//! What must have come up in a counted run. A fault that is never drawn, a check that never runs, or a reason to let something
//! pass that never applies is a hole that nobody would see.

use crate::pass::Pass;
use crate::tally::Tally;

/// Whatever a caller may ask for.
const CALLS: &[&str] = &[
    "create_key",
    "decrypt",
    "destroy_key",
    "destroy_key, whole",
    "disable_key",
    "drill",
    "enable_key",
    "encrypt",
    "get_key",
    "get_key, secret",
    "get_key_by_ref",
    "get_public_jwk",
    "import_key",
    "import_key, public",
    "jwks",
    "list_keys",
    "list_versions",
    "mac",
    "maintain",
    "plan_propagate_loss and apply",
    "plan_reconcile and apply",
    "plan_restore_primary and apply",
    "random_bytes",
    "reconcile",
    "rotate_key",
    "sign",
    "verify",
    "verify_mac",
    "verify_replicas",
];

/// The calls whose answers are of versions.
const OF_VERSIONS: &[&str] = &[
    "decrypt",
    "encrypt",
    "get_key",
    "get_key, secret",
    "get_key_by_ref",
    "get_public_jwk",
    "jwks",
    "list_keys",
    "list_versions",
    "mac",
    "sign",
    "verify",
    "verify_mac",
];

const TURNS: &[&str] = &[
    "fails after its effect",
    "fails before its effect",
    "hangs after its effect",
    "hangs before its effect",
    "is honest",
    "is slow",
];

/// By topic.
const EXPECTED: &[(&str, &[&str])] = &[
    ("calls", CALLS),
    (
        "answers",
        &[
            "ok",
            "none: dropped",
            "conflict",
            "disabled",
            "integrity",
            "invalid input",
            "invalid state",
            "not authentic",
            "not found",
            "permission denied",
            "timeout",
            "unavailable",
            "unsupported",
        ],
    ),
    ("answers searched for secrets", CALLS),
    ("versions checked", OF_VERSIONS),
    ("served by", &["the primary", "the secondary"]),
    ("failed over on", &["an outage", "a loss", "a breaker"]),
    ("left alone", &["get_key", "get_key, secret", "get_public_jwk", "jwks", "sign", "verify"]),
    ("errors that fail closed", &["not found", "disabled", "permission denied", "timeout", "unavailable"]),
    ("documents searched for what they lack", &["up", "in an outage"]),
    (
        "failures in an outage looked into",
        &["get_key", "get_key, secret", "get_key_by_ref", "get_public_jwk"],
    ),
    ("not found, and the primary had answered", &["get_key", "get_public_jwk"]),
    ("said not to be authentic", &["verify"]),
    ("copies", &["public", "with the secret"]),
    ("backlogs compared", &["with the sides"]),
    ("waits compared", &["with the deadlines"]),
    (
        "somebody",
        &[
            "copies to the secondary in mode none",
            "creates on the primary",
            "destroys on the primary",
            "destroys on the secondary",
            "disables on the primary",
            "enables on the primary",
            "compares the JWKS of an outage with the one before it",
            "makes the primary forget",
            "rotates on the primary",
            "sees everything at rest",
            "holds watches back",
            "lets watches go",
            "ends watches",
            "kills a process",
        ],
    ),
    ("turns of the primary", TURNS),
    ("turns of the primary", &["refuses", "answers from the past", "says that there was nothing to destroy"]),
    ("turns of the secondary", TURNS),
    (
        "turns of the secondary",
        &[
            "refuses",
            "answers with another key",
            "answers with another key under a forged fingerprint",
            "says that nothing is there",
            "says that it is done",
        ],
    ),
    ("turns of the store", TURNS),
];

/// What never came up.
pub(crate) fn missing(tally: &Tally) -> Vec<String> {
    let passes = Pass::ALL.map(Pass::name);
    let all = EXPECTED.iter().copied().chain([("let pass", &passes[..])]);
    let each = all.flat_map(|(topic, names)| names.iter().map(move |name| (topic, *name)));
    let never = each.filter(|(topic, name)| tally.named(topic, name) == 0);
    never.map(|(topic, name)| format!("{topic}: {name}")).collect()
}

#[test]
fn what_never_came_up_is_told() {
    let mut tally = Tally::default();
    assert!(missing(&tally).contains(&"turns of the store: is slow".to_owned()));
    for (topic, names) in EXPECTED {
        names.iter().for_each(|name| tally.count(topic, name));
    }
    assert_eq!(missing(&tally).len(), Pass::ALL.len());
    for pass in Pass::ALL {
        tally.count("let pass", pass.name());
    }
    assert!(missing(&tally).is_empty());
}
