//! Promise 8: what the secondary lacks, or has too much, is in the backlog.

use std::collections::{BTreeMap, BTreeSet};

use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keys::{KeyId, KeyVersionId};

use crate::behind::replicas;
use crate::model::Life;
use crate::pass::Pass;
use crate::world::World;

pub(crate) fn check(world: &World) {
    for process in 0..world.processes.len() {
        if world.processes.len() == 1 || world.processes[process].blind.is_none() {
            check_process(world, process, None);
        }
    }
}

/// For one key, or all.
pub(super) fn check_process(world: &World, process: usize, kid: Option<&KeyId>) {
    let mode = world.config.mode;
    if mode == MirrorMode::None {
        return;
    }
    let backlog = world.processes[process].mirror.status().backlog;
    let owed: BTreeSet<_> = backlog.into_iter().map(|debt| debt.key).collect();
    let there: BTreeMap<KeyVersionId, KeyVersionId> =
        replicas(world).into_iter().map(|(at, source)| (source, at)).collect();
    let mut ground = world.ground.lock();
    let alone = world.processes.len() == 1;
    // It catches up with its next call, and until then knows of nothing that came to be known since.
    let ended = world.processes[process].ended.filter(|_| !alone);
    let mut wrong = Vec::new();
    for (of, version, key, life) in ground.model.lives() {
        let id = of.at(version);
        if kid.is_some_and(|kid| kid != of) || owed.contains(of.as_str()) || owed.contains(&id.to_string()) {
            continue;
        }
        let at = there.get(&id);
        let wanted = life.on_primary && key.begun(life).is_none() && life.known.is_some();
        if at.is_none() && wanted && wants_copy(mode, life) {
            let what = format!("{id} has no replica, and nothing says that one is owed");
            let unheard = life.known.zip(ended).is_some_and(|(known, ended)| known >= ended);
            wrong.push((excuse_of_lack(life).or(unheard.then_some(Pass::Behind)), what));
        }
        if let Some(at) = at
            && key.over(life).is_some()
            && alone
        {
            let what = format!("{id} is destroyed, its replica is there, and nothing says that this is owed");
            wrong.push((excuse_of_rest(life, &id, at), what));
        }
    }
    ground.tally.count("backlogs compared", "with the sides");
    for (excuse, what) in wrong {
        ground.violate_unless(excuse, 8, || what);
    }
}

/// Why nothing says that a replica is owed.
fn excuse_of_lack(life: &Life) -> Option<Pass> {
    let reasons = [
        (life.is_orphan, Pass::Orphan),
        (!life.is_enabled() || life.switched_behind, Pass::CopyWaits),
        (life.replica_gone, Pass::ReplicaDestroyed),
        (life.kept, Pass::SecretRefused),
    ];
    reasons.into_iter().find(|(holds, _)| *holds).map(|(_, pass)| pass)
}

/// Why nothing says that the replica of what is destroyed is owed.
fn excuse_of_rest(life: &Life, id: &KeyVersionId, at: &KeyVersionId) -> Option<Pass> {
    let reasons = [
        (life.is_orphan, Pass::Orphan),
        // Such a replica is a conflict, which people settle.
        (life.kept, Pass::SecretRefused),
        (life.lied_about, Pass::LiedAbout),
        // The name that tells of what it is was used up; it is found when everything is compared.
        (life.name_used && at.kid.as_str() != id.to_string(), Pass::ReplicaDestroyed),
    ];
    reasons.into_iter().find(|(holds, _)| *holds).map(|(_, pass)| pass)
}

/// Whether the mode copies anything of it.
pub(crate) fn wants_copy(mode: MirrorMode, life: &Life) -> bool {
    match mode {
        MirrorMode::None => false,
        MirrorMode::PublicOnly => life.is_public(),
        MirrorMode::Full => life.is_public() || life.may_leave(),
    }
}
