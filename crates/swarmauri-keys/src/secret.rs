//! Secret bytes that wipe themselves and never print.

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Secret bytes: redacted in `Debug`, compared in constant time, wiped when the last clone is dropped.
///
/// There is no `Display`, no `Serialize`, and one way in: [`SecretBytes::expose_secret`].
///
/// ```
/// use swarmauri_keys::SecretBytes;
///
/// let secret = SecretBytes::from(vec![1, 2, 3]);
/// assert_eq!(format!("{secret:?}"), "SecretBytes([redacted])");
/// assert_eq!(secret.expose_secret(), [1, 2, 3]);
/// ```
#[derive(Clone)]
pub struct SecretBytes(Arc<Zeroizing<Vec<u8>>>);

impl SecretBytes {
    /// The bytes themselves. Every place that reads a secret says so by this name.
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Takes the vector over without copying it. Bytes beyond its length are wiped with it.
impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }
}

impl From<Zeroizing<Vec<u8>>> for SecretBytes {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(Arc::new(bytes))
    }
}

/// Copies the bytes; the caller wipes its own.
impl From<&[u8]> for SecretBytes {
    fn from(bytes: &[u8]) -> Self {
        Self::from(bytes.to_vec())
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        self.expose_secret().ct_eq(other.expose_secret()).into()
    }
}

impl Eq for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_by_content() {
        assert_eq!(SecretBytes::from(vec![1, 2]), SecretBytes::from(&[1, 2][..]));
        assert_ne!(SecretBytes::from(vec![1, 2]), SecretBytes::from(vec![1, 3]));
        assert_ne!(SecretBytes::from(vec![1, 2]), SecretBytes::from(vec![1]));
    }
}
