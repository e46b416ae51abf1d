//! Random bytes from the operating system.

use ring::rand::{SecureRandom, SystemRandom};
use swarmauri_keys::{KeyError, KeyId, SecretBytes};
use zeroize::Zeroizing;

/// The most that [`random_bytes`] gives at once: 1 MiB.
pub const MAX_RANDOM_BYTES: usize = 1 << 20;

/// Random bytes, fit for keys.
///
/// # Errors
///
/// [`KeyError::InvalidInput`] for more than [`MAX_RANDOM_BYTES`]; [`KeyError::Unavailable`] if the operating
/// system gives none.
pub fn random_bytes(n: usize) -> Result<SecretBytes, KeyError> {
    if n > MAX_RANDOM_BYTES {
        return Err(KeyError::invalid_input(format!(
            "at most {MAX_RANDOM_BYTES} random bytes are to be had at once, not {n}"
        )));
    }
    let mut bytes = Zeroizing::new(vec![0; n]);
    fill(&mut bytes)?;
    Ok(bytes.into())
}

/// A new `kid`: 128 random bits as 32 lower-case hex digits.
///
/// # Errors
///
/// [`KeyError::Unavailable`] if the operating system gives no random bytes.
pub fn random_kid() -> Result<KeyId, KeyError> {
    let mut bits = [0; 16];
    fill(&mut bits)?;
    Ok(KeyId::from_random(bits))
}

pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), KeyError> {
    SystemRandom::new().fill(bytes).map_err(|_| no_random())
}

pub(crate) fn no_random() -> KeyError {
    KeyError::unavailable("the operating system gives no random bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_as_many_as_asked_for_and_never_the_same() {
        for n in [0, 1, 32, MAX_RANDOM_BYTES] {
            assert_eq!(random_bytes(n).unwrap().len(), n);
        }
        assert_ne!(random_bytes(32).unwrap(), random_bytes(32).unwrap());
        let error = random_bytes(MAX_RANDOM_BYTES + 1).unwrap_err();
        assert!(
            matches!(error, KeyError::InvalidInput { .. }) && error.to_string().contains("1048577"),
            "{error}"
        );
    }

    #[test]
    fn a_kid_is_32_hex_digits_and_new() {
        let kid = random_kid().unwrap();
        assert!(kid.as_str().len() == 32 && kid.as_str().bytes().all(|b| b"0123456789abcdef".contains(&b)));
        assert_ne!(kid, random_kid().unwrap());
    }
}
