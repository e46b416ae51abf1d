//! One read of a key, by hand: where all is well it costs one small allocation, no lock and no timer.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use swarmauri_keyprovider::Secrets;
use swarmauri_keys::{KeyError, KeyId, KeyRef, KeyState, KeyVersion};

use crate::events;
use crate::guard::First;
use crate::provider::MirroredKeyProvider;

/// A read of a key while the primary is believed to be well.
struct ReadKey<'a> {
    mirror: &'a MirroredKeyProvider,
    kid: &'a KeyId,
    version: Option<KeyVersion>,
    secrets: Secrets,
    /// What is left to do, if it is not done at once.
    rest: Option<BoxFuture<'a, Result<KeyRef, KeyError>>>,
}

impl MirroredKeyProvider {
    pub(crate) fn begin_read<'a>(
        &'a self,
        kid: &'a KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> BoxFuture<'a, Result<KeyRef, KeyError>> {
        if self.primary.breaker().is_closed() {
            Box::pin(ReadKey { mirror: self, kid, version, secrets, rest: None })
        } else {
            Box::pin(self.read_past_primary(kid, version, secrets))
        }
    }

    /// Reads a key while the primary is left alone.
    async fn read_past_primary(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> Result<KeyRef, KeyError> {
        let generation = self.map.generation();
        let plain = secrets == Secrets::Omit && self.mirrors() && self.settings.fail_open_reads;
        if plain
            && !self.map.is_behind()
            && let Some(record) = self.map.get(kid).map(|known| known.record)
            && let Some((found, replica)) = record.servable(version)
            && let Some(error) = self.primary.refuses("get_key")
        {
            events::failing_over(self.primary.breaker(), "get_key", kid, Some(found), &error);
            let answer = self.secondary.get_key_now(&replica.at.kid, Some(replica.at.version), secrets).await;
            // A record that is as it was before has the same right to answer.
            if let Ok(answer) = &answer
                && let Some(shown) = replica.shown.of(answer)
                && self.map.generation() == generation
            {
                return Ok(shown.clone());
            }
            return Box::pin(self.fail_over_from(kid, version, (found, replica), answer, error)).await;
        }
        Box::pin(self.read_key(kid, version, secrets)).await
    }
}

impl ReadKey<'_> {
    /// Done, or what is left to do, which has been polled.
    fn begin(&mut self, context: &mut Context<'_>) -> Poll<Result<KeyRef, KeyError>> {
        let Self { mirror, kid, version, secrets, .. } = *self;
        let rest = match mirror.map.unmarked(kid) {
            Some(mark) if mirror.settings.hedge.is_none() => {
                match mirror.primary.get_key_first(kid, version, secrets, context) {
                    // Asked again: a destroy may have ended while the primary was answering from before it.
                    First::Answered(Ok(key))
                        if key.state() != KeyState::Disabled && !mirror.map.may_be_destroyed(mark) =>
                    {
                        return Poll::Ready(Ok(key));
                    }
                    First::Answered(answer) => self.rest(mirror.judge(kid, version, secrets, answer)),
                    First::Pending(asked) => {
                        self.rest(async move { mirror.judge(kid, version, secrets, asked.await).await });
                        return Poll::Pending;
                    }
                }
            }
            _ => self.rest(mirror.read_key(kid, version, secrets)),
        };
        rest.as_mut().poll(context)
    }
}

impl<'a> ReadKey<'a> {
    fn rest(
        &mut self,
        rest: impl Future<Output = Result<KeyRef, KeyError>> + Send + 'a,
    ) -> &mut BoxFuture<'a, Result<KeyRef, KeyError>> {
        self.rest.insert(Box::pin(rest))
    }
}

impl Future for ReadKey<'_> {
    type Output = Result<KeyRef, KeyError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.rest {
            None => self.begin(context),
            Some(rest) => rest.as_mut().poll(context),
        }
    }
}
