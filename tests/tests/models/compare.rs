//! Holds everything that a provider shows against the model.

use std::collections::BTreeMap;

use swarmauri_keyprovider::{JwksQuery, Secrets};
use swarmauri_keys::{Jwk, KeyErrorKind, KeyId, KeyState, KeyVersion, PageRequest};

use crate::houses::House;
use crate::model::{Model, Version};
use crate::outcome::Slot;
use crate::system::{System, number};

type Live = BTreeMap<(KeyId, u32), (Slot, Version)>;

impl<H: House> System<H> {
    /// Everything that a provider shows is what the model has.
    pub(crate) async fn check_all(&self, model: &Model) -> Result<(), String> {
        let mut live = BTreeMap::new();
        for (slot, version, expected) in model.live() {
            live.insert((self.kid(slot), version), (slot, expected));
        }
        self.check_versions(model, &live).await?;
        self.check_listing(&live).await?;
        for (query, prefix) in [
            (JwksQuery::LATEST, ""),
            (JwksQuery::ALL_LIVE, ""),
            (JwksQuery::LATEST.with_prefix("a"), "a"),
            (JwksQuery::ALL_LIVE.with_prefix("a.1"), "a.1"),
        ] {
            let all = query.versions == JwksQuery::ALL_LIVE.versions;
            let jwks = self.house.provider().jwks(&query).await.map_err(|error| error.to_string())?;
            let seen: Vec<_> = jwks.keys.iter().filter_map(Jwk::version_id).collect();
            let expected = live.iter().filter(|((kid, version), (_, one))| {
                let latest =
                    live.range((kid.clone(), *version + 1)..=(kid.clone(), u32::MAX)).next().is_none();
                one.is_published() && (all || latest) && kid.as_str().starts_with(prefix)
            });
            let expected: Vec<_> = expected.map(|((kid, version), _)| kid.at(number(*version))).collect();
            same(&format!("{query:?}"), &expected, &seen)?;
        }
        Ok(())
    }

    async fn check_versions(&self, model: &Model, live: &Live) -> Result<(), String> {
        let provider = self.house.provider();
        for (slot, key) in &model.keys {
            let expected: Vec<_> = key.versions.keys().copied().collect();
            let listed = match provider.list_versions(&self.kid(*slot)).await {
                Ok(versions) => versions.into_iter().map(KeyVersion::get).collect(),
                Err(error) if error.kind() == KeyErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(error.to_string()),
            };
            same(&format!("the versions of {}", self.kid(*slot)), &expected, &listed)?;
        }
        for ((kid, version), (slot, expected)) in live {
            let read = provider.get_key(kid, Some(number(*version)), Secrets::Omit).await;
            let read = read.map_err(|error| format!("{kid}.{version}: {error}"))?;
            let state = if expected.disabled { KeyState::Disabled } else { KeyState::Enabled };
            let made = self.made[&(*slot, *version)].with_state(state);
            same(&format!("{kid}.{version}"), made.parts(), read.parts())?;
            same(
                "its algorithm and policy",
                &(expected.alg, expected.policy),
                &(read.alg(), read.export_policy()),
            )?;
        }
        Ok(())
    }

    /// Pages of one, two or three keys, in turn.
    async fn check_listing(&self, live: &Live) -> Result<(), String> {
        let mut request = PageRequest { limit: 1 + self.steps % 3, ..PageRequest::default() };
        let mut seen = Vec::new();
        loop {
            let page = self.house.provider().list_keys(&request).await.map_err(|error| error.to_string())?;
            seen.extend(page.items.into_iter().map(|one| (one.kid, one.version.get(), one.state)));
            match page.next {
                Some(cursor) => request.cursor = Some(cursor),
                None => break,
            }
        }
        let mut latest = BTreeMap::new();
        for ((kid, version), (_, one)) in live {
            let state = if one.disabled { KeyState::Disabled } else { KeyState::Enabled };
            latest.insert(kid.clone(), (*version, state));
        }
        let expected: Vec<_> =
            latest.into_iter().map(|(kid, (version, state))| (kid, version, state)).collect();
        same("the listing", &expected, &seen)
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, seen: &T) -> Result<(), String> {
    if expected == seen {
        return Ok(());
    }
    Err(format!("{what}: the model says {expected:?}, and the provider {seen:?}"))
}
