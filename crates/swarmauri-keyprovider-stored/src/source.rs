//! Reading secrets from files and environment variables.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use swarmauri_keys::KeyError;
use zeroize::Zeroizing;

/// More than a sealing key or passphrase has, in bytes.
const MAX_LEN: usize = 4096;

/// What is in a file that nobody but its owner may read.
pub(crate) fn file(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => KeyError::invalid_input(format!("there is no file {}", path.display())),
        ErrorKind::PermissionDenied => {
            KeyError::permission_denied(format!("the file {} may not be read", path.display()))
        }
        _ => KeyError::Unavailable {
            reason: format!("the file {} cannot be read", path.display()).into(),
            source: Some(Arc::new(error)),
        },
    };
    let opened = File::open(path).map_err(failed)?;
    // Of the file that is open, so that it cannot be another one by now.
    check_permissions(path, &opened.metadata().map_err(failed)?)?;
    // One allocation, so that no copy is left behind.
    let mut bytes = Zeroizing::new(vec![0; MAX_LEN + 1]);
    let mut len = 0;
    let mut reader = opened.take(MAX_LEN as u64 + 1);
    loop {
        let Some(rest) = bytes.get_mut(len..).filter(|rest| !rest.is_empty()) else {
            return Err(KeyError::invalid_input(format!(
                "the file {} is longer than {MAX_LEN} bytes",
                path.display()
            )));
        };
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    bytes.truncate(len);
    Ok(bytes)
}

#[cfg(unix)]
fn check_permissions(path: &Path, metadata: &std::fs::Metadata) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;

    let mode = metadata.permissions().mode() & 0o777;
    if mode & !0o700 == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(KeyError::permission_denied(format!(
        "others than its owner may use the secret in {path} (its mode is {mode:04o}); run: chmod 600 {path}"
    )))
}

#[cfg(not(unix))]
fn check_permissions(_: &Path, _: &std::fs::Metadata) -> Result<(), KeyError> {
    Ok(())
}

/// What is in an environment variable.
pub(crate) fn variable(name: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let unset = || KeyError::invalid_input(format!("the environment variable {name} is not set"));
    // Else the standard library panics.
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(unset());
    }
    let value = std::env::var_os(name).ok_or_else(unset)?;
    Ok(Zeroizing::new(value.into_encoded_bytes()))
}
