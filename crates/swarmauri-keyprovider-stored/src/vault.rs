//! Opening a store: its header is read, or made if the store is new.

use swarmauri_keys::{KeyError, SecretBytes};
use swarmauri_keystore::{Entry, KeyStore, Precondition, ScanRequest, StoreError, StoreKey};
use swarmauri_softkeys::random_bytes;

use crate::aead::KEY_LEN;
use crate::blocking::off_the_executor;
use crate::error::store_failed;
use crate::form::damaged;
use crate::header::{Header, PLACE};
use crate::record::PREFIX;
use crate::sealing::SealingKey;

/// The root key of a store. Of two that open a new one at once, both get the one that was there first.
///
/// # Errors
///
/// [`KeyError::PermissionDenied`] for another sealing key than the store was sealed with; [`KeyError::Integrity`] if the
/// header is damaged, or there are keys and no header; those of the store.
pub(crate) async fn open(store: &dyn KeyStore, sealing: SealingKey) -> Result<SecretBytes, KeyError> {
    if let Some(header) = header(store).await? {
        return unsealed(&header, sealing).await;
    }
    let page = store.scan(&ScanRequest::all(PREFIX).limit(1)).await.map_err(store_failed)?;
    if !page.entries.is_empty() {
        // Somebody else may have begun in between.
        return match header(store).await? {
            Some(header) => unsealed(&header, sealing).await,
            None => Err(lost()),
        };
    }
    let root = random_bytes(KEY_LEN)?;
    let value = sealed(&root, sealing.clone()).await?;
    match store.put(&place()?, &value, Precondition::Absent).await {
        Ok(_) => Ok(root),
        Err(StoreError::Conflict { .. }) => {
            let header = header(store).await?.ok_or_else(lost)?;
            unsealed(&header, sealing).await
        }
        Err(error) => Err(store_failed(error)),
    }
}

/// Seals the root key of a store with another key.
pub(crate) async fn reseal(
    store: &dyn KeyStore,
    root: &SecretBytes,
    sealing: SealingKey,
) -> Result<(), KeyError> {
    let before = header(store).await?.ok_or_else(lost)?;
    let value = sealed(root, sealing).await?;
    match store.put(&place()?, &value, Precondition::At(before.revision)).await {
        Ok(_) => Ok(()),
        Err(StoreError::Conflict { .. }) => {
            Err(KeyError::conflict("somebody else has sealed the store meanwhile; look with which key"))
        }
        Err(error) => Err(store_failed(error)),
    }
}

async fn header(store: &dyn KeyStore) -> Result<Option<Entry>, KeyError> {
    store.get(&place()?).await.map_err(store_failed)
}

async fn sealed(root: &SecretBytes, sealing: SealingKey) -> Result<Vec<u8>, KeyError> {
    let root = root.clone();
    off_the_executor(move || Header::seal(&root, &sealing)?.to_bytes()).await
}

async fn unsealed(entry: &Entry, sealing: SealingKey) -> Result<SecretBytes, KeyError> {
    let header = Header::from_bytes(&entry.value)?;
    off_the_executor(move || header.open(&sealing)).await
}

fn place() -> Result<StoreKey, KeyError> {
    StoreKey::new(PLACE).map_err(store_failed)
}

fn lost() -> KeyError {
    damaged(
        PLACE,
        "it is not there, and without it nobody can read the keys that are; restore it from a copy",
    )
}
