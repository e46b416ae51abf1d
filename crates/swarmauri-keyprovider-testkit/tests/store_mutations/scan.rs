//! Scans that are broken in one way.

use swarmauri_keystore::{Entry, KeyStore, MemoryStore, Revision, ScanPage, ScanRequest, StoreError};
use tokio::task::yield_now;

use crate::broken::Fault;

/// All that is under the prefix.
pub(crate) async fn whole(honest: &MemoryStore, request: &ScanRequest) -> Result<Vec<Entry>, StoreError> {
    Ok(honest.scan(&ScanRequest::all(request.prefix.clone()).limit(usize::MAX)).await?.entries)
}

pub(crate) async fn broken(
    fault: Fault,
    honest: &MemoryStore,
    request: &ScanRequest,
) -> Result<ScanPage, StoreError> {
    let nothing = ScanPage { entries: Vec::new(), more: false };
    let mut request = request.clone();
    match fault {
        Fault::ScansEverything => request.prefix.clear(),
        Fault::IgnoresLimits => request.limit = usize::MAX,
        Fault::NeedsAPrefix if request.prefix.is_empty() => return Ok(nothing),
        Fault::TakesZeroLiterally if request.limit == 0 => return Ok(ScanPage { more: true, ..nothing }),
        Fault::OrdersSignedBytes => {
            let mut entries = whole(honest, &request).await?;
            entries.sort_by_key(|entry| {
                entry.key.as_bytes().iter().map(|byte| byte.cast_signed()).collect::<Vec<_>>()
            });
            return Ok(ScanPage { entries, more: false });
        }
        Fault::AfterMustBeThere => {
            if let Some(after) = &request.after
                && honest.get(after).await?.is_none()
            {
                return Ok(nothing);
            }
        }
        Fault::IncludesAfter => {
            let mut entries = whole(honest, &request).await?;
            entries.retain(|entry| request.after.as_ref().is_none_or(|after| entry.key >= *after));
            let more = entries.len() > request.limit;
            entries.truncate(request.limit);
            return Ok(ScanPage { entries, more });
        }
        _ => {}
    }
    let mut page = honest.scan(&request).await?;
    match fault {
        Fault::AlwaysSaysMore => page.more = true,
        Fault::NeverSaysMore => page.more = false,
        Fault::ScansShowFirstRevision => {
            for entry in &mut page.entries {
                entry.revision = Revision::new(1);
            }
        }
        Fault::ReadsPagesPieceByPiece => {
            let mut entries = Vec::new();
            for entry in page.entries {
                yield_now().await;
                entries.extend(honest.get(&entry.key).await?);
            }
            page.entries = entries;
        }
        _ => {}
    }
    Ok(page)
}
