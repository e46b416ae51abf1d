//! What the killed processes acknowledged, and what therefore must be so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use swarmauri_keyprovider::{JwksQuery, KeyProvider, KeyProviderExt, Secrets};
use swarmauri_keys::{Fingerprint, Jwk, KeyErrorKind, KeyId, KeyState, KeyVersion, KeyVersionId};

use crate::house::House;

/// What a process says of itself, a line each.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Begin { what: &'static str, kid: KeyId, version: Option<KeyVersion> },
    Made { id: KeyVersionId, fingerprint: Fingerprint },
    Destroyed { kid: KeyId, version: Option<KeyVersion> },
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |version: &Option<KeyVersion>| version.map_or(0, KeyVersion::get);
        match self {
            Self::Begin { what, kid, version } => write!(f, "begin {what} {kid} {}", number(version)),
            Self::Made { id, fingerprint } => write!(f, "made {} {} {fingerprint}", id.kid, id.version),
            Self::Destroyed { kid, version } => write!(f, "destroyed {kid} {}", number(version)),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    made: BTreeMap<KeyVersionId, Fingerprint>,
    destroyed: BTreeSet<(KeyId, Option<KeyVersion>)>,
    /// Destroys that began: what they name may be there, and may be gone.
    doomed: BTreeSet<(KeyId, Option<KeyVersion>)>,
    acknowledged: u64,
    settled: u64,
}

type Check = Result<(), String>;

impl Ledger {
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Takes in a line; one that was cut off says nothing.
    pub(crate) fn read(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        let kid = |text: &str| KeyId::new(text).unwrap();
        let version = |text: &str| text.parse::<KeyVersion>().ok();
        match words[..] {
            ["begin", "destroy", name, number] => {
                self.doomed.insert((kid(name), version(number)));
            }
            ["made", name, number, fingerprint] => {
                let Ok(fingerprint) = fingerprint.parse() else { return };
                self.made.insert(kid(name).at(version(number).unwrap()), fingerprint);
                self.acknowledged += 1;
            }
            ["destroyed", name, number] => {
                self.destroyed.insert((kid(name), version(number)));
                self.acknowledged += 1;
            }
            _ => {}
        }
    }

    fn is_in(set: &BTreeSet<(KeyId, Option<KeyVersion>)>, id: &KeyVersionId) -> bool {
        set.contains(&(id.kid.clone(), None)) || set.contains(&(id.kid.clone(), Some(id.version)))
    }

    /// That the next process finds what was acknowledged, and repairs the rest.
    pub(crate) async fn check(&mut self, house: &House) -> Check {
        self.check_acknowledged(house).await?;
        let owed = house.mirror.status().backlog.len();
        self.settled += u64::try_from(owed).unwrap();
        let report = house.mirror.reconcile().await;
        if !report.is_clean() {
            return Err(format!("reconcile: {report:?}"));
        }
        let plan = house.mirror.plan_reconcile().await;
        if !plan.is_empty() || !house.mirror.status().backlog.is_empty() {
            return Err(format!("still to do after a reconcile: {plan} {:?}", house.mirror.status().backlog));
        }
        self.check_acknowledged(house).await?;
        self.check_sides(house).await
    }

    async fn check_acknowledged(&self, house: &House) -> Check {
        let published = house.mirror.jwks(&JwksQuery::ALL_LIVE).await.map_err(|error| error.to_string())?;
        let published: BTreeSet<_> = published.keys.iter().filter_map(Jwk::version_id).collect();
        let owed: BTreeSet<_> = house.mirror.status().backlog.into_iter().map(|debt| debt.key).collect();
        for (id, fingerprint) in &self.made {
            let read = house.mirror.get_key(&id.kid, Some(id.version), Secrets::Omit).await;
            if Self::is_in(&self.destroyed, id) {
                if published.contains(id) || !read.is_err_and(|error| error.kind() == KeyErrorKind::NotFound)
                {
                    return Err(format!("{id} is served, and its destroy was acknowledged"));
                }
                continue;
            }
            let key = match read {
                Ok(key) => key,
                Err(_) if Self::is_in(&self.doomed, id) => continue,
                Err(error) => return Err(format!("{id} was acknowledged: {error}")),
            };
            if key.fingerprint() != fingerprint {
                return Err(format!("{id} is another key"));
            }
            // Its replica, or its debt.
            house.primary.faults().outage();
            let replica = house.mirror.get_key(&id.kid, Some(id.version), Secrets::Omit).await;
            house.primary.faults().recover();
            match replica {
                Ok(replica) if replica.parts() == key.parts() => {}
                // It was being disabled or enabled, and counts as disabled until that is settled.
                Ok(replica) if replica.state() == KeyState::Disabled && owed.contains(&id.to_string()) => {}
                Ok(_) => return Err(format!("{id} looks different from the secondary")),
                Err(_) if owed.contains(&id.to_string()) || owed.contains(id.kid.as_str()) => {}
                Err(_) if Self::is_in(&self.doomed, id) || key.state() == KeyState::Disabled => {}
                Err(error) => return Err(format!("{id} has neither replica nor debt: {error}")),
            }
        }
        Ok(())
    }

    /// After a reconcile: one replica for each version of the primary, and nothing else.
    async fn check_sides(&self, house: &House) -> Check {
        let secondary = house.secondary.list_all_keys().await.map_err(|error| error.to_string())?;
        let mut sources = BTreeSet::new();
        for replica in &secondary {
            let source = replica.tags.get("mirror.source").ok_or("a key that is no replica")?;
            if !sources.insert(source.to_owned()) {
                return Err(format!("{source} has two replicas"));
            }
        }
        let primary = house.primary.list_all_keys().await.map_err(|error| error.to_string())?;
        for summary in primary {
            for version in
                house.primary.list_versions(&summary.kid).await.map_err(|error| error.to_string())?
            {
                let id = summary.kid.at(version);
                let has_replica = sources.remove(&id.to_string());
                let key = house.primary.get_key(&id.kid, Some(version), Secrets::Omit).await;
                let state = key.map_err(|error| error.to_string())?.state();
                // In mode full the copy of what is disabled may wait.
                if !has_replica && state == KeyState::Enabled {
                    return Err(format!("{id} has no replica"));
                }
                if Self::is_in(&self.destroyed, &id) {
                    return Err(format!("{id} is on the primary, and its destroy was acknowledged"));
                }
            }
        }
        match sources.first() {
            Some(surplus) => Err(format!("a replica of {surplus}, which the primary does not have")),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { made, destroyed, acknowledged, settled, .. } = self;
        write!(
            f,
            "{acknowledged} acknowledged writes, {} versions made, {} destroys, {settled} debts found and paid",
            made.len(),
            destroyed.len()
        )
    }
}
