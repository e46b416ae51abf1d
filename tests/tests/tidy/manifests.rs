//! Rules for `Cargo.toml`: names, lints, versions, and which crate may use which.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::assert_none;
use crate::tree::{self, File};

/// Which of our crates a crate may use, beside its dev-dependencies. The mirrored crate knows no concrete
/// provider, and the vocabulary knows nobody.
const ARROWS: &[(&str, &[&str])] = &[
    ("swarmauri-keys", &[]),
    ("swarmauri-jsoncanon", &[]),
    ("swarmauri-cbor", &["swarmauri-keys"]),
    ("swarmauri-keyprovider", &["swarmauri-keys"]),
    ("swarmauri-softkeys", &["swarmauri-keys"]),
    ("swarmauri-keyprovider-local", &["swarmauri-keys", "swarmauri-keyprovider", "swarmauri-softkeys"]),
    (
        "swarmauri-keyprovider-mirrored",
        &[
            "swarmauri-keys",
            "swarmauri-keyprovider",
            "swarmauri-keystore",
            "swarmauri-jsoncanon",
            "swarmauri-cbor",
        ],
    ),
    ("swarmauri-keystore", &[]),
    (
        "swarmauri-keyprovider-stored",
        &[
            "swarmauri-keys",
            "swarmauri-keyprovider",
            "swarmauri-softkeys",
            "swarmauri-keystore",
            "swarmauri-cbor",
        ],
    ),
    ("swarmauri-keyprovider-testkit", &["swarmauri-keys", "swarmauri-keyprovider", "swarmauri-keystore"]),
    ("xtask", &[]),
];

/// Members that may use all others.
const TESTS: [&str; 3] =
    ["swarmauri-keyproviders-tests", "swarmauri-keyproviders-benches", "swarmauri-keyproviders-fuzzing"];

struct Manifest {
    path: String,
    table: Table,
}

impl Manifest {
    fn name(&self) -> &str {
        self.table["package"]["name"].as_str().unwrap()
    }

    /// Every dependency table under one of these keys, those under `[target.…]` included.
    fn dependencies<'a>(&'a self, kinds: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let targets = self.table.get("target").and_then(Value::as_table);
        let targets = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table);
        let tables = std::iter::once(&self.table).chain(targets);
        let tables =
            tables.flat_map(move |table| kinds.iter().filter_map(|kind| table.get(*kind)?.as_table()));
        tables.flatten().map(|(name, value)| (name.as_str(), value))
    }
}

const RUNTIME: &[&str] = &["dependencies", "build-dependencies"];
const DEV: &[&str] = &["dev-dependencies"];
const EVERY: &[&str] = &["dependencies", "build-dependencies", "dev-dependencies"];

fn parse(file: &File) -> Table {
    file.text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.path))
}

fn members() -> Vec<Manifest> {
    let manifests = tree::files_with("toml").into_iter().filter(|file| file.path.ends_with("/Cargo.toml"));
    let manifests = manifests.filter(|file| !file.path.starts_with("fuzz/"));
    manifests.map(|file| Manifest { table: parse(&file), path: file.path }).collect()
}

fn workspace_dependencies() -> Table {
    let table = parse(&tree::file("Cargo.toml"));
    table["workspace"]["dependencies"].as_table().unwrap().clone()
}

#[test]
fn a_folder_bears_its_crates_name() {
    let mut offences = Vec::new();
    for member in members().iter().filter(|member| member.path.starts_with("crates/")) {
        let expected = format!("crates/{}/Cargo.toml", member.name());
        if member.path != expected {
            offences.push(format!("{} should be {expected}", member.path));
        }
    }
    assert_none("crates are named like their folders, and lie flat", &offences);
}

#[test]
fn every_crate_opts_into_the_workspace_lints() {
    let opted = |member: &Manifest| {
        member.table.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool)
            == Some(true)
    };
    let offences: Vec<_> =
        members().into_iter().filter(|member| !opted(member)).map(|member| member.path).collect();
    assert_none("[lints] workspace = true is missing", &offences);
}

#[test]
fn versions_live_in_the_workspace() {
    let members = members();
    let ours: BTreeSet<_> = members.iter().map(Manifest::name).collect();
    let mut offences = Vec::new();
    for member in &members {
        let dev =
            member.dependencies(DEV).filter(|(name, value)| !(ours.contains(name) && by_path_alone(value)));
        for (name, value) in member.dependencies(RUNTIME).chain(dev) {
            let inherited = value.get("workspace").and_then(Value::as_bool) == Some(true);
            let extra = ["version", "path", "git", "registry"].iter().any(|key| value.get(key).is_some());
            if !inherited || extra {
                offences.push(format!("{}: {name}", member.path));
            }
        }
    }
    assert_none("dependencies are inherited from [workspace.dependencies]", &offences);
}

/// How crates that test each other name each other: a version would make a cycle on publishing.
fn by_path_alone(value: &Value) -> bool {
    value.get("path").is_some() && ["version", "git", "registry"].iter().all(|key| value.get(key).is_none())
}

#[test]
fn crates_use_each_other_only_along_the_arrows() {
    let arrows: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let members = members();
    let names: BTreeSet<_> = members.iter().map(Manifest::name).collect();
    let mut offences = Vec::new();
    for member in members.iter().filter(|member| !TESTS.contains(&member.name())) {
        let Some(allowed) = arrows.get(member.name()) else {
            offences.push(format!("{} has no line in the table of arrows", member.name()));
            continue;
        };
        for (used, _) in member.dependencies(RUNTIME) {
            if names.contains(used) && !allowed.contains(&used) {
                offences.push(format!("{} may not use {used}", member.name()));
            }
        }
    }
    let gone = ARROWS.iter().filter(|(name, _)| !names.contains(name));
    offences.extend(gone.map(|(name, _)| format!("{name} is in the table of arrows, and nowhere else")));
    assert_none("dependencies between our crates follow the arrows", &offences);
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let table = tree::file("docs/dependencies.md");
    let explained: BTreeSet<_> = table.text.lines().filter_map(explained_dependency).collect();
    let dependencies = workspace_dependencies();
    let foreign = dependencies.iter().filter(|(_, value)| value.get("path").is_none());
    let foreign: BTreeSet<_> = foreign.map(|(name, _)| name.as_str()).collect();
    let mut offences = Vec::new();
    offences.extend(foreign.difference(&explained).map(|name| format!("{name} has no line")));
    offences.extend(explained.difference(&foreign).map(|name| format!("{name} is no longer a dependency")));
    assert_none("docs/dependencies.md explains [workspace.dependencies]", &offences);
}

/// The name in a table row that begins with one in backticks, and whose other cells are filled.
fn explained_dependency(line: &str) -> Option<&str> {
    let cells: Vec<_> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
    let (name, rest) = cells.split_first()?;
    let name = name.strip_prefix('`')?.strip_suffix('`')?;
    (rest.len() == 2 && rest.iter().all(|cell| !cell.is_empty())).then_some(name)
}

#[test]
fn no_dependency_outlives_its_users() {
    let members = members();
    let used: BTreeSet<_> =
        members.iter().flat_map(|member| member.dependencies(EVERY)).map(|(name, _)| name).collect();
    let dependencies = workspace_dependencies();
    let unused = dependencies.keys().filter(|name| !used.contains(name.as_str()));
    assert_none("[workspace.dependencies] that no crate uses", &unused.cloned().collect::<Vec<_>>());
}
