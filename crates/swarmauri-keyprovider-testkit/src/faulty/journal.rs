//! What a provider was asked and handed.

use std::sync::Arc;

use parking_lot::Mutex;
use swarmauri_keyprovider::{JwksQuery, Secrets};
use swarmauri_keys::{
    Acceptance, KeyError, KeyErrorKind, KeyId, KeySpec, KeyVersion, PageRequest, SecretBytes, SpecOverrides,
};

use super::{Answer, Method};
use crate::leaks::{assert_no_secrets, bytes_hold};

/// One call, without its secrets. What the method has no argument for is `None`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The key that was asked for. In a create or import it is in the spec.
    pub kid: Option<KeyId>,
    /// The version that was asked for; `None` also for the latest, or all.
    pub version: Option<KeyVersion>,
    /// Whether the secret was asked for.
    pub secrets: Option<Secrets>,
    /// What the key was to be.
    pub spec: Option<KeySpec>,
    /// Of an import: whether the material was a public key alone.
    pub public_only: Option<bool>,
    /// What a rotation was to change.
    pub overrides: Option<SpecOverrides>,
    /// Which JWKS was asked for.
    pub query: Option<JwksQuery>,
    /// Which page of a listing was asked for.
    pub page: Option<PageRequest>,
    /// How many bytes were asked for, or handed in to be encrypted.
    pub len: Option<usize>,
    /// Whether a disabled version was to be used.
    pub acceptance: Option<Acceptance>,
    /// Whether the wrapped provider was asked.
    pub reached: bool,
    /// How it ended.
    pub end: CallEnd,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallEnd {
    /// It has not ended: it hangs, is held, or is being served.
    InFlight,
    /// It was answered.
    Answered,
    /// It was refused or failed.
    Failed(KeyErrorKind),
    /// Whoever waited for it has dropped it.
    Cancelled,
}

impl Call {
    pub(super) fn new(method: Method) -> Self {
        Self {
            method,
            kid: None,
            version: None,
            secrets: None,
            spec: None,
            public_only: None,
            overrides: None,
            query: None,
            page: None,
            len: None,
            acceptance: None,
            reached: false,
            end: CallEnd::InFlight,
        }
    }

    pub(super) fn of_key(method: Method, kid: &KeyId, version: Option<KeyVersion>) -> Self {
        Self { kid: Some(kid.clone()), version, ..Self::new(method) }
    }
}

/// What a [`FaultyProvider`](super::FaultyProvider) was asked and handed, faults or not. Cheap to clone; all
/// clones are of one provider.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Records>>);

#[derive(Debug, Default)]
struct Records {
    calls: Vec<Call>,
    handed: Vec<SecretBytes>,
    /// How many calls were cleared away: what is in flight knows its place by counting all.
    cleared: usize,
}

impl Journal {
    /// All calls, in the order of their arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.0.lock().calls.clone()
    }

    /// The calls of one method, in the order of their arrival.
    pub fn calls_of(&self, method: Method) -> Vec<Call> {
        self.0.lock().calls.iter().filter(|call| call.method == method).cloned().collect()
    }

    /// The calls that asked for a secret.
    pub fn secret_reads(&self) -> Vec<Call> {
        let asked = |call: &&Call| call.secrets == Some(Secrets::Include);
        self.0.lock().calls.iter().filter(asked).cloned().collect()
    }

    /// Everything secret that was handed in, by import, as HKDF input or to be wrapped, whatever became of the
    /// call: octets, or [`PrivateKey::expose_secret`](swarmauri_keys::PrivateKey::expose_secret).
    pub fn secret_bytes_handed(&self) -> Vec<SecretBytes> {
        self.0.lock().handed.clone()
    }

    /// Asserts that no part of these secrets was handed in: neither as secret material, nor in a spec, a tag
    /// or any other argument. [`secret_parts`](crate::secret_parts) takes keys apart for this.
    ///
    /// # Panics
    ///
    /// If some part was.
    #[track_caller]
    pub fn assert_never_handed<'a>(&self, secrets: impl IntoIterator<Item = &'a SecretBytes>) {
        let secrets: Vec<_> = secrets.into_iter().collect();
        for handed in self.secret_bytes_handed() {
            let found =
                secrets.iter().any(|secret| bytes_hold(handed.expose_secret(), secret.expose_secret()));
            assert!(!found, "a secret of {} bytes was handed in", handed.len());
        }
        assert_no_secrets(&format!("{:?}", self.calls()), secrets);
    }

    /// Forgets everything so far.
    pub fn clear(&self) {
        let mut records = self.0.lock();
        records.cleared += records.calls.len();
        records.calls.clear();
        records.handed.clear();
    }

    pub(super) fn enter(&self, call: Call, handed: Option<SecretBytes>) -> Entry {
        let mut records = self.0.lock();
        let place = records.cleared + records.calls.len();
        records.calls.push(call);
        records.handed.extend(handed);
        Entry { journal: self.clone(), place }
    }
}

/// The entry of a call that is being served. Dropped before its end, it is noted as cancelled.
#[derive(Debug)]
pub(super) struct Entry {
    journal: Journal,
    place: usize,
}

impl Entry {
    pub(super) fn reached(&self) {
        self.note(|call| call.reached = true);
    }

    pub(super) fn ended(&self, result: &Result<Answer, KeyError>) {
        self.note(|call| {
            call.end = match result {
                Ok(_) => CallEnd::Answered,
                Err(error) => CallEnd::Failed(error.kind()),
            };
        });
    }

    fn note(&self, change: impl FnOnce(&mut Call)) {
        let mut records = self.journal.0.lock();
        let place = self.place.checked_sub(records.cleared); // none: cleared away meanwhile
        if let Some(call) = place.and_then(|place| records.calls.get_mut(place)) {
            change(call);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.note(|call| {
            if call.end == CallEnd::InFlight {
                call.end = CallEnd::Cancelled;
            }
        });
    }
}
