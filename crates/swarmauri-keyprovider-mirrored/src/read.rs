//! One read of a key, by hand: where all is well it takes one allocation, no lock and no timer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use swarmauri_keyprovider::Secrets;
use swarmauri_keys::{KeyError, KeyId, KeyRef, KeyState, KeyVersion};

use crate::provider::MirroredKeyProvider;
use crate::records::Mark;
use crate::side::Asked;

/// A read of a key.
pub(crate) struct ReadKey<'a> {
    mirror: &'a MirroredKeyProvider,
    kid: &'a KeyId,
    version: Option<KeyVersion>,
    secrets: Secrets,
    stage: Stage<'a>,
}

enum Stage<'a> {
    Begin,
    /// The primary is asked, and nothing of the key was destroyed before.
    Asking(Asked<'a, KeyRef>, Mark),
    /// There is more to it.
    Rest(BoxFuture<'a, Result<KeyRef, KeyError>>),
}

impl MirroredKeyProvider {
    pub(crate) fn begin_read<'a>(
        &'a self,
        kid: &'a KeyId,
        version: Option<KeyVersion>,
        secrets: Secrets,
    ) -> BoxFuture<'a, Result<KeyRef, KeyError>> {
        if self.primary.breaker().is_closed() {
            Box::pin(ReadKey { mirror: self, kid, version, secrets, stage: Stage::Begin })
        } else {
            // What the other one would come to, for one allocation more.
            Box::pin(self.read_key(kid, version, secrets))
        }
    }
}

impl<'a> ReadKey<'a> {
    fn begin(&self) -> Stage<'a> {
        let Self { mirror, kid, version, secrets, .. } = *self;
        match mirror.map.unmarked(kid) {
            Some(mark) if mirror.settings.hedge.is_none() => {
                Stage::Asking(mirror.primary.get_key(kid, version, secrets), mark)
            }
            _ => Stage::Rest(Box::pin(mirror.read_key(kid, version, secrets))),
        }
    }
}

impl Future for ReadKey<'_> {
    type Output = Result<KeyRef, KeyError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let next = match &mut self.stage {
                Stage::Begin => self.begin(),
                Stage::Asking(primary, mark) => {
                    let (answer, mark) = (ready!(Pin::new(primary).poll(context)), *mark);
                    let Self { mirror, kid, version, secrets, .. } = *self;
                    match answer {
                        // Asked again: a destroy may have ended while the primary was answering from before it.
                        Ok(key)
                            if key.state() != KeyState::Disabled && !mirror.map.may_be_destroyed(mark) =>
                        {
                            return Poll::Ready(Ok(key));
                        }
                        answer => Stage::Rest(Box::pin(mirror.judge(kid, version, secrets, answer))),
                    }
                }
                Stage::Rest(rest) => return rest.as_mut().poll(context),
            };
            self.stage = next;
        }
    }
}
