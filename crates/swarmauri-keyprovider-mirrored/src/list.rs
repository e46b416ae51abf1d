//! Listing keys: the primary's pages, and during an outage the map's, read from the replicas.

use serde::{Deserialize, Serialize};
use swarmauri_keyprovider::Secrets;
use swarmauri_keys::{Cursor, KeyError, KeyId, KeyState, KeySummary, Page, PageRequest};

use crate::events;
use crate::failover::answered_by_secondary;
use crate::provider::MirroredKeyProvider;

/// Where a listing goes on. It remembers the last `kid`, so that a listing which the primary began goes on
/// without it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Position {
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<KeyId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary: Option<Cursor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secondary: Option<Cursor>,
}

impl MirroredKeyProvider {
    pub(crate) async fn read_page(&self, request: &PageRequest) -> Result<Page<KeySummary>, KeyError> {
        self.catch_up().await;
        let limit = request.limit.max(1);
        let position = request.cursor.as_ref().map(Position::read).transpose()?;
        match position {
            None => self.primary_page(Position::default(), limit).await,
            Some(position) if position.primary.is_some() => self.primary_page(position, limit).await,
            Some(Position { secondary: Some(cursor), .. }) => {
                self.secondary_page(&PageRequest::at(cursor, limit)).await
            }
            Some(Position { after, .. }) => self.page_of_replicas(after, limit).await,
        }
    }

    async fn primary_page(&self, position: Position, limit: usize) -> Result<Page<KeySummary>, KeyError> {
        let Position { after, primary, .. } = position;
        let begun = primary.is_some();
        let page = match self.primary.list_keys(&PageRequest { cursor: primary, limit }).await {
            Ok(page) => page,
            Err(error) if !self.fails_over_on(&error) => return Err(error),
            Err(error) => {
                events::failing_over_all(self.primary.breaker(), "list_keys", &error);
                let answer = if self.mirrors() {
                    self.page_of_replicas(after, limit).await
                } else if begun {
                    // Nothing tells where on the secondary a listing of the primary would go on.
                    return Err(error);
                } else {
                    self.secondary_page(&PageRequest::first(limit)).await
                };
                return answered_by_secondary("list_keys", answer, error);
            }
        };
        let last = page.items.last().map(|summary| summary.kid.clone()).or(after);
        let mut items = Vec::with_capacity(page.items.len());
        for summary in page.items {
            items.extend(self.undestroyed(summary).await?);
        }
        let next = page.next.map(|cursor| Position { after: last, primary: Some(cursor), secondary: None });
        Ok(Page { items, next: next.map(|position| position.cursor()).transpose()? })
    }

    /// The summary, unless it shows what is destroyed; then that of the latest version that is not.
    async fn undestroyed(&self, summary: KeySummary) -> Result<Option<KeySummary>, KeyError> {
        if !self.is_destroyed(&summary.kid, Some(summary.version)) {
            return Ok(Some(summary));
        }
        match self.read_undestroyed(&summary.kid, None, Secrets::Omit).await {
            Ok(key) => Ok(Some(KeySummary::from(&key))),
            Err(KeyError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Mode `none`: the secondary's own listing.
    async fn secondary_page(&self, request: &PageRequest) -> Result<Page<KeySummary>, KeyError> {
        let page = self.secondary.list_keys(request).await?;
        self.catch_up_again().await;
        let mut items = Vec::with_capacity(page.items.len());
        for mut summary in page.items {
            if !self.is_going(&summary.kid, summary.version) {
                if self.is_disabled(&summary.kid.at(summary.version)) {
                    summary.state = KeyState::Disabled;
                }
                items.push(summary);
                continue;
            }
            match self.read_same_name(&summary.kid, None, Secrets::Omit).await {
                Ok(key) => items.push(KeySummary::from(&key)),
                Err(KeyError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let next = page.next.map(|cursor| Position { secondary: Some(cursor), ..Position::default() });
        Ok(Page { items, next: next.map(|position| position.cursor()).transpose()? })
    }

    async fn page_of_replicas(
        &self,
        after: Option<KeyId>,
        limit: usize,
    ) -> Result<Page<KeySummary>, KeyError> {
        self.ensure_adopted().await?;
        let records = self.map.page(after.as_ref(), limit);
        let next = records.get(limit - 1).map(|(kid, _)| kid.clone());
        let mut items = Vec::new();
        for (kid, record) in records {
            let Some((version, replica)) = record.servable(None) else {
                continue;
            };
            let outage = KeyError::unavailable(format!("the primary, and the replica of {kid}"));
            match self.read_replica(&kid.at(version), replica, Secrets::Omit, &outage).await {
                Ok(key) => items.push(KeySummary::from(&key)),
                Err(unread) if unread.error.is_outage() => return Err(unread.error),
                // Told as an event; one bad replica does not take the listing away.
                Err(_) => {}
            }
        }
        let next = next.map(|kid| Position { after: Some(kid), ..Position::default() }.cursor());
        Ok(Page { items, next: next.transpose()? })
    }
}

impl Position {
    fn read(cursor: &Cursor) -> Result<Self, KeyError> {
        serde_json::from_str(cursor.as_str()).map_err(|_| {
            KeyError::invalid_input("this cursor is not one that the mirrored provider gave out")
        })
    }

    fn cursor(&self) -> Result<Cursor, KeyError> {
        let text = serde_json::to_string(self);
        text.map(Cursor::new).map_err(|error| KeyError::invalid_state(format!("cursor: {error}")))
    }
}
