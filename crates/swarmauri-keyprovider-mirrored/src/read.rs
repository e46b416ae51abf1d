//! One read of a key or of its JWK, by hand: where all is well it costs one small allocation, no lock and no timer.

use std::future::ready;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use swarmauri_keyprovider::Secrets;
use swarmauri_keys::{Jwk, KeyError, KeyId, KeyRef, KeyState, KeyVersion};

use crate::events;
use crate::guard::First;
use crate::hedge::hedged;
use crate::provider::MirroredKeyProvider;

/// A read of a key while the primary is believed to be well.
struct Read<'a, W: Wanted> {
    of: Of<'a>,
    wanted: W,
    /// What is left to do, if it is not done at once.
    rest: Option<Answering<'a, W>>,
}

/// Which key is read, through which mirror.
#[derive(Clone, Copy)]
struct Of<'a> {
    mirror: &'a MirroredKeyProvider,
    kid: &'a KeyId,
    version: Option<KeyVersion>,
}

type Answer<W> = Result<<W as Wanted>::Answer, KeyError>;

type Answering<'a, W> = BoxFuture<'a, Answer<W>>;

/// What is read of a key.
trait Wanted: Copy + Send + Sync + Unpin + 'static {
    type Answer: Send + Unpin + 'static;

    /// Asks the primary.
    fn ask<'a>(self, of: Of<'a>, context: &mut Context<'_>) -> First<'a, Answering<'a, Self>>;

    /// Whether there is nothing to be learned from an answer.
    fn is_plain(answer: &Self::Answer) -> bool;

    /// What a caller gets for the primary's answer, or where that is yet to come.
    fn judge<'a>(
        self,
        of: Of<'a>,
        answer: impl Future<Output = Answer<Self>> + Send + 'a,
    ) -> Answering<'a, Self>;

    /// The whole read, with all that may come before and after.
    fn read(self, of: Of<'_>) -> Answering<'_, Self>;
}

impl Wanted for Secrets {
    type Answer = KeyRef;

    #[inline]
    fn ask<'a>(self, of: Of<'a>, context: &mut Context<'_>) -> First<'a, Answering<'a, Self>> {
        of.mirror.primary.get_key_first(of.kid, of.version, self, context)
    }

    #[inline]
    fn is_plain(answer: &KeyRef) -> bool {
        answer.state() != KeyState::Disabled
    }

    fn judge<'a>(
        self,
        of: Of<'a>,
        answer: impl Future<Output = Answer<Self>> + Send + 'a,
    ) -> Answering<'a, Self> {
        Box::pin(async move { of.mirror.judge(of.kid, of.version, self, answer.await).await })
    }

    fn read(self, of: Of<'_>) -> Answering<'_, Self> {
        Box::pin(of.mirror.read_key(of.kid, of.version, self))
    }
}

/// The public JWK.
#[derive(Clone, Copy)]
struct PublicJwk;

impl Wanted for PublicJwk {
    type Answer = Jwk;

    #[inline]
    fn ask<'a>(self, of: Of<'a>, context: &mut Context<'_>) -> First<'a, Answering<'a, Self>> {
        of.mirror.primary.get_public_jwk_first(of.kid, of.version, context)
    }

    fn is_plain(_: &Jwk) -> bool {
        true
    }

    fn judge<'a>(
        self,
        of: Of<'a>,
        answer: impl Future<Output = Answer<Self>> + Send + 'a,
    ) -> Answering<'a, Self> {
        Box::pin(async move { of.mirror.judge_jwk(of.kid, of.version, answer.await).await })
    }

    fn read(self, of: Of<'_>) -> Answering<'_, Self> {
        Box::pin(of.mirror.read_public_jwk(of.kid, of.version))
    }
}

impl MirroredKeyProvider {
    pub(crate) fn begin_read<'a>(
        &'a self,
        kid: &'a KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> BoxFuture<'a, Result<KeyRef, KeyError>> {
        if self.primary.breaker().is_closed() {
            Box::pin(Read { of: Of { mirror: self, kid, version }, wanted: secrets, rest: None })
        } else {
            Box::pin(self.read_past_primary(kid, version, secrets))
        }
    }

    pub(crate) fn begin_read_of_jwk<'a>(
        &'a self,
        kid: &'a KeyId,
        version: Option<KeyVersion>,
    ) -> BoxFuture<'a, Result<Jwk, KeyError>> {
        Box::pin(Read { of: Of { mirror: self, kid, version }, wanted: PublicJwk, rest: None })
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
                && !self.map.is_behind()
                && self.map.generation() == generation
            {
                return Ok(shown.clone());
            }
            return Box::pin(self.fail_over_from(kid, version, (found, replica), answer, error)).await;
        }
        Box::pin(self.read_key(kid, version, secrets)).await
    }
}

impl<W: Wanted> Read<'_, W> {
    /// Done, or what is left to do, which has been polled.
    #[inline]
    fn begin(&mut self, context: &mut Context<'_>) -> Poll<Answer<W>> {
        let Self { of, wanted, .. } = *self;
        let mirror = of.mirror;
        let rest = match mirror.map.unmarked(of.kid) {
            Some(mark) if mirror.settings.hedge.is_none() => {
                match wanted.ask(of, context) {
                    // Asked again: a destroy may have ended while the primary was answering from before it.
                    First::Answered(Ok(answer))
                        if W::is_plain(&answer) && !mirror.map.may_be_destroyed(mark) =>
                    {
                        return Poll::Ready(Ok(answer));
                    }
                    First::Answered(answer) => wanted.judge(of, ready(answer)),
                    First::Pending(asked) => {
                        self.rest = Some(wanted.judge(of, asked));
                        return Poll::Pending;
                    }
                }
            }
            _ => wanted.read(of),
        };
        self.rest.insert(rest).as_mut().poll(context)
    }
}

impl<W: Wanted> Future for Read<'_, W> {
    type Output = Answer<W>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.rest {
            None => self.begin(context),
            Some(rest) => rest.as_mut().poll(context),
        }
    }
}

impl MirroredKeyProvider {
    pub(crate) async fn read_public_jwk(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
    ) -> Result<Jwk, KeyError> {
        self.catch_up().await;
        self.check_not_destroyed(kid, version)?;
        match self.hedge_of(kid, version, Secrets::Omit) {
            None => self.read_jwk_from_primary(kid, version).await,
            Some((hedge, id, replica)) => {
                let primary = self.read_jwk_from_primary(kid, version);
                let replica = async { self.read_hedged(&id, &replica).await?.public_jwk() };
                Box::pin(hedged(hedge, &self.hedges, primary, replica)).await
            }
        }
    }

    async fn read_jwk_from_primary(&self, kid: &KeyId, version: Option<KeyVersion>) -> Result<Jwk, KeyError> {
        let answer = self.primary.get_public_jwk(kid, version).await;
        self.judge_jwk(kid, version, answer).await
    }

    /// What a caller gets for the primary's answer.
    pub(crate) async fn judge_jwk(
        &self,
        kid: &KeyId,
        version: Option<KeyVersion>,
        answer: Result<Jwk, KeyError>,
    ) -> Result<Jwk, KeyError> {
        match answer {
            Ok(jwk) if jwk.version_id().is_none_or(|id| !self.is_destroyed(kid, Some(id.version))) => Ok(jwk),
            Ok(_) => Box::pin(self.read_undestroyed(kid, version, Secrets::Omit)).await?.public_jwk(),
            Err(error) => {
                let key = self.fail_over_key("get_public_jwk", kid, version, Secrets::Omit, error).await?;
                key.public_jwk()
            }
        }
    }
}
