//! Keys that the primary has lost, when the operator says that they are to be gone.

use swarmauri_keyprovider::Secrets;
use swarmauri_keys::{KeyError, KeyVersionId};

use crate::adopt::PAGE;
use crate::plan::{ReconcilePlan, Step};
use crate::provider::MirroredKeyProvider;
use crate::store::update;

impl MirroredKeyProvider {
    /// What it would take to give up the versions that the primary, up and well, says it does not have: their replicas are
    /// destroyed, and nobody serves them any more. Changes nothing; [`apply`](Self::apply) carries it out.
    ///
    /// `reconcile` never does this: a primary that lost its keys is what replicas are for, and
    /// [`plan_restore_primary`](Self::plan_restore_primary) brings them back. It is for keys that somebody
    /// destroyed on the primary itself, behind the mirror's back. Read the plan first: after the loss of a primary's disk it
    /// names every key.
    ///
    /// # Errors
    ///
    /// Those of the primary: what it does not answer for is not given up.
    pub async fn plan_propagate_loss(&self) -> Result<ReconcilePlan, KeyError> {
        self.catch_up().await;
        self.ensure_adopted().await?;
        let (mut plan, mut after) = (ReconcilePlan::default(), None);
        loop {
            let page = self.map.page(after.as_ref(), PAGE);
            for (kid, record) in &page {
                for version in record.live_versions() {
                    let id = kid.at(version);
                    if self.is_lost(&id).await? {
                        plan.steps.push(Step::GiveUp { id });
                    }
                }
            }
            match page.into_iter().last() {
                Some((kid, _)) => after = Some(kid),
                None => return Ok(plan),
            }
        }
    }

    pub(crate) async fn give_up(&self, id: &KeyVersionId) -> Result<(), KeyError> {
        let _right = self.lock(&id.kid).await?;
        let known = self.map.get(&id.kid);
        let live = known.is_some_and(|known| known.record.is_live(id.version));
        if !live || !self.is_lost(id).await? {
            return Ok(());
        }
        update(&*self.map, &id.kid, |record| {
            record.begin_destroy(Some(id.version));
            record.primary_gone(Some(id.version));
        })
        .await?;
        self.destroy_replicas(&id.kid).await.map_or(Ok(()), Err)
    }

    pub(crate) async fn is_lost(&self, id: &KeyVersionId) -> Result<bool, KeyError> {
        match self.primary.get_key(&id.kid, Some(id.version), Secrets::Omit).await {
            Ok(_) => Ok(false),
            Err(KeyError::NotFound { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }
}
