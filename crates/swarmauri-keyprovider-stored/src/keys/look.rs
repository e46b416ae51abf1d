//! The look at the store that every read and every write begins with.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use swarmauri_keys::{KeyError, KeyId};
use swarmauri_softkeys::KeyTable;

use super::{Keys, Known, store_key};
use crate::error::store_failed;

/// What is in memory of a key.
enum Seen {
    /// What the store has, as far as that is known.
    Current,
    /// Perhaps something else: the number of the mark, and which record it is of.
    Stale(u64, Option<Known>),
    /// Nothing, since its record is not what was written.
    Broken(KeyError),
}

/// A read of what is in memory of a key, after a look: by hand, since most reads of keys are this and nothing else.
pub(crate) struct Read<'a, F> {
    keys: &'a Keys,
    kid: &'a KeyId,
    what: F,
    look: Option<Look<'a>>,
}

impl<T, F> Future for Read<'_, F>
where
    F: Fn(&KeyTable) -> Result<T, KeyError> + Unpin,
{
    type Output = Result<T, KeyError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { keys, kid, .. } = *self;
        if self.look.is_some() || !keys.is_settled() {
            let look = self.look.get_or_insert_with(|| keys.look(kid));
            ready!(Pin::new(look).poll(context))?;
        }
        Poll::Ready((self.what)(&keys.table))
    }
}

/// A look under way. Boxed, so that the future of a read is small: seldom is there anything to look at.
pub(crate) struct Look<'a>(Option<Pin<Box<Looking<'a>>>>);

type Looking<'a> = dyn Future<Output = Result<(), KeyError>> + Send + 'a;

impl Future for Look<'_> {
    type Output = Result<(), KeyError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            None => Poll::Ready(Ok(())),
            Some(look) => look.as_mut().poll(context),
        }
    }
}

impl Keys {
    /// Reads a key after a [look](Self::look) at it.
    pub(crate) fn read<'a, T, F>(&'a self, kid: &'a KeyId, what: F) -> Read<'a, F>
    where
        F: Fn(&KeyTable) -> Result<T, KeyError> + Unpin,
    {
        Read { keys: self, kid, what, look: None }
    }

    /// Makes sure that what is in memory of a key is what the store has, before it is read.
    pub(crate) fn look<'a>(&'a self, kid: &'a KeyId) -> Look<'a> {
        if self.is_settled() { Look(None) } else { Look(Some(Box::pin(self.look_closely(kid)))) }
    }

    /// Whether what is in memory is what the store has, as far as is known here: nothing to take in, and nothing in doubt.
    /// No lock, for it is what every read begins with.
    pub(super) fn is_settled(&self) -> bool {
        // In this order: what is counted after that comes too late for this look.
        let arrived = self.arrivals.count();
        self.settled.load(Ordering::Acquire) >= arrived
    }

    async fn look_closely(&self, kid: &KeyId) -> Result<(), KeyError> {
        let mut seen = self.seen(kid);
        if self.is_behind() {
            // Reads go on with what is known.
            let _ = self.catch_up().await;
            seen = self.seen(kid);
        }
        self.agree(kid, seen).await
    }

    /// The same before it is written: whoever is out of touch with the store does not write.
    pub(crate) async fn look_to_write(&self, kid: &KeyId) -> Result<(), KeyError> {
        let mut seen = self.seen(kid);
        if self.is_behind() {
            self.catch_up().await?;
            seen = self.seen(kid);
        }
        self.agree(kid, seen).await
    }

    /// The same for all keys. Those whose records are broken are not among them.
    pub(crate) async fn look_at_all(&self) -> Result<(), KeyError> {
        if self.is_settled() {
            return Ok(());
        }
        drop(self.take_in());
        if self.is_behind() {
            let _ = self.catch_up().await;
        }
        let stale: Vec<_> = self.take_in().stale.keys().cloned().collect();
        for kid in stale {
            match self.agree(&kid, self.seen(&kid)).await {
                Err(error) if error.is_outage() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn seen(&self, kid: &KeyId) -> Seen {
        let followed = self.take_in();
        match (followed.stale.get(kid), followed.broken.get(kid)) {
            (Some(mark), _) => Seen::Stale(*mark, followed.known.get(kid).copied()),
            (None, Some(error)) => Seen::Broken(error.clone()),
            (None, None) => Seen::Current,
        }
    }

    async fn agree(&self, kid: &KeyId, seen: Seen) -> Result<(), KeyError> {
        let (mark, before) = match seen {
            Seen::Current => return Ok(()),
            Seen::Broken(error) => return Err(error),
            Seen::Stale(mark, before) => (mark, before),
        };
        let entry = self.store.get(&store_key(kid)?).await.map_err(store_failed)?;
        let mut followed = self.followed.lock();
        match (&entry, before) {
            (Some(entry), _) => self.take(&mut followed, kid, entry.revision, &entry.value),
            (None, Some(before)) => self.note_missing(&mut followed, kid, before.revision),
            (None, None) => {}
        }
        // Whoever marked it meanwhile knows of another write.
        if followed.stale.get(kid) == Some(&mark) {
            followed.stale.remove(kid);
        }
        followed.broken.get(kid).map_or(Ok(()), |error| Err(error.clone()))
    }
}
