//! Promise 8: what the secondary lacks, or has too much, is in the backlog.

use std::collections::BTreeSet;

use swarmauri_keyprovider_mirrored::MirrorMode;
use swarmauri_keys::{KeyId, KeyVersionId};

use crate::behind::replicas;
use crate::model::Life;
use crate::world::World;

pub(crate) fn check(world: &World) {
    for process in 0..world.processes.len() {
        if world.processes.len() == 1 || !world.processes[process].blind {
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
    let there: BTreeSet<KeyVersionId> = replicas(world).into_iter().map(|(_, source)| source).collect();
    let mut ground = world.ground.lock();
    let alone = world.processes.len() == 1;
    let mut wrong = Vec::new();
    for (of, version, key, life) in ground.model.lives() {
        let id = of.at(version);
        if kid.is_some_and(|kid| kid != of) || owed.contains(of.as_str()) || owed.contains(&id.to_string()) {
            continue;
        }
        if life.is_orphan {
            continue;
        }
        let has = there.contains(&id);
        let lacks = !has && life.on_primary && key.begun(life).is_none() && life.known.is_some();
        if lacks && wants_copy(mode, life) && !life.switched && !life.replica_gone && !life.kept {
            wrong.push(format!("{id} has no replica, and nothing says that one is owed"));
        }
        // Kept ones that have a replica all the same are a conflict, which people settle.
        // So is one whose name there was used up is found when everything is compared.
        let forgotten = life.known.is_none() || life.kept || life.replica_gone;
        if has && key.over(life).is_some() && !forgotten && alone && !ground.model.lied_to {
            wrong
                .push(format!("{id} is destroyed, its replica is there, and nothing says that this is owed"));
        }
    }
    ground.tally.count("backlogs compared", "with the sides");
    for what in wrong {
        ground.violate(8, what);
    }
}

/// Whether the mode copies anything of it.
pub(crate) fn wants_copy(mode: MirrorMode, life: &Life) -> bool {
    match mode {
        MirrorMode::None => false,
        MirrorMode::PublicOnly => life.is_public(),
        MirrorMode::Full => life.is_public() || life.may_leave(),
    }
}
