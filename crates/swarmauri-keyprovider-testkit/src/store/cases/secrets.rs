//! Values are not printed.

use swarmauri_keystore::{Entry, Precondition};

use crate::store::subject::{Store, key, next};
use crate::suite::CaseResult;

pub(crate) async fn what_is_printed_shows_no_value(on: Store) -> CaseResult {
    let secret = b"zQxJ-4711-kVbW-0815-pYmG-2342";
    let mut printed = Vec::new();
    let mut watch = on.watching(b"").await;
    let a = key("a");
    let _ = on.put(&a, secret, Precondition::Any).await;
    printed.push(format!("{watch:?}"));
    printed.push(format!("{:?}", next(&mut watch).await));
    printed.push(format!("{:?}", &*on));
    printed.push(format!("{:?}", on.read("a").await));
    printed.push(format!("{:?}", on.all(b"", 1).await));
    let too_long = secret.repeat(Entry::MAX_VALUE_LEN / secret.len() + 1);
    for refused in [
        on.put(&a, secret, Precondition::Absent).await.err(),
        on.put(&a, &too_long, Precondition::Any).await.err(),
        on.delete(&a, Precondition::Absent).await.err(),
    ] {
        let error = refused.expect("an error");
        printed.push(format!("{error} {error:?}"));
    }
    for text in printed {
        crate::assert_no_secret(&text, secret);
    }
    Ok(())
}
