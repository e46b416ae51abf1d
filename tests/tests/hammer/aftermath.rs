//! When the callers are gone: what is owed is paid, and both sides hold what they should.

use std::collections::BTreeMap;

use swarmauri_keyprovider::{KeyProviderExt, Secrets};
use swarmauri_keyprovider_mirrored::{MirrorMode, ReconcileReport};
use swarmauri_keys::{ExportPolicy, Fingerprint, KeyRef, KeyState};

use crate::arena::Arena;
use crate::ledger::Check;

/// Key versions by their names, and whether they are in use.
type Held = BTreeMap<String, (Fingerprint, KeyState)>;

pub(crate) async fn check(arena: &Arena) -> Check {
    for side in arena.faults.iter().flatten() {
        side.clear();
    }
    let report = arena.mirror.reconcile().await;
    if !report.is_clean() {
        let ReconcileReport { failed, conflicts, not_compared, .. } = report;
        return Err(format!("reconcile: {failed:?} {conflicts:?} {not_compared:?}"));
    }
    let backlog = arena.mirror.status().backlog;
    if !backlog.is_empty() {
        return Err(format!("still owed: {backlog:?}"));
    }
    let plan = arena.mirror.plan_reconcile().await;
    if !plan.is_empty() {
        return Err(format!("after reconcile there is still to do: {plan}"));
    }
    let (live, wanted) = live_versions(arena).await;
    let mut replicas = replicas(arena).await;
    // In mode full the copy of what is disabled may wait until it is enabled.
    if arena.mode == MirrorMode::Full {
        for (id, disabled) in wanted.iter().filter(|(_, (_, state))| *state == KeyState::Disabled) {
            replicas.entry(id.clone()).or_insert_with(|| disabled.clone());
        }
    }
    compare("replicas", &replicas, &wanted)?;
    check_ledger(arena, &live)
}

/// What the primary has, and what of it the secondary should have.
async fn live_versions(arena: &Arena) -> (Held, Held) {
    let (mut live, mut wanted) = (Held::new(), Held::new());
    for summary in arena.primary.list_all_keys().await.unwrap() {
        for version in arena.primary.list_versions(&summary.kid).await.unwrap() {
            let key = arena.primary.get_key(&summary.kid, Some(version), Secrets::Omit).await.unwrap();
            let held = (key.fingerprint().clone(), key.state());
            live.insert(key.id().to_string(), held.clone());
            if is_to_be_copied(arena.mode, &key) {
                wanted.insert(key.id().to_string(), held);
            }
        }
    }
    (live, wanted)
}

fn is_to_be_copied(mode: MirrorMode, key: &KeyRef) -> bool {
    let secret_too = mode == MirrorMode::Full && key.export_policy() == ExportPolicy::SecretWhenAllowed;
    secret_too || key.public_key().is_some()
}

async fn replicas(arena: &Arena) -> Held {
    let replicas = arena.secondary.list_all_keys().await.unwrap();
    replicas
        .into_iter()
        .map(|replica| {
            let held = (replica.fingerprint, replica.state);
            (replica.tags.get("mirror.source").unwrap().to_owned(), held)
        })
        .collect()
}

/// Nothing was lost, nothing came back, and nothing is another key.
fn check_ledger(arena: &Arena, live: &Held) -> Check {
    arena.ledger.visit(|kid, history| {
        for (version, life) in &history.versions {
            let id = kid.at(*version).to_string();
            let begun = history.ending.begun || life.ending.begun;
            let over = history.ending.over.is_some() || life.ending.over.is_some();
            match (&life.fingerprint, live.get(&id)) {
                (Some(_), None) if !begun => return Err(format!("{id} is gone")),
                (_, Some(_)) if over => return Err(format!("{id} is back")),
                (Some(then), Some((now, _))) if then != now => return Err(format!("{id} is another key")),
                _ => {}
            }
        }
        Ok(())
    })
}

fn compare(what: &str, found: &Held, wanted: &Held) -> Check {
    let surplus: Vec<_> = found.iter().filter(|(id, key)| wanted.get(*id) != Some(key)).collect();
    let missing: Vec<_> = wanted.keys().filter(|id| !found.contains_key(*id)).collect();
    if surplus.is_empty() && missing.is_empty() {
        Ok(())
    } else {
        Err(format!("{what}: too many or wrong {surplus:?}, missing {missing:?}"))
    }
}
