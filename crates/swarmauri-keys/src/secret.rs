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
pub struct SecretBytes(Arc<Wiped>);

/// There may be very many keys of 32 bytes: those lie in one place with the count of their clones.
enum Wiped {
    Short(Zeroizing<[u8; 32]>),
    Any(Zeroizing<Vec<u8>>),
}

impl SecretBytes {
    /// The bytes themselves. Every place that reads a secret says so by this name.
    pub fn expose_secret(&self) -> &[u8] {
        match &*self.0 {
            Wiped::Short(bytes) => bytes.as_slice(),
            Wiped::Any(bytes) => bytes,
        }
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        self.expose_secret().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.expose_secret().is_empty()
    }
}

/// Takes the vector over, and wipes it: at once if it holds 32 bytes, which are copied, else with the last clone. Bytes
/// beyond its length are wiped with it.
impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(Zeroizing::new(bytes))
    }
}

impl From<Zeroizing<Vec<u8>>> for SecretBytes {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(Wiped::short(&bytes).unwrap_or_else(|| Arc::new(Wiped::Any(bytes))))
    }
}

/// Copies the bytes; the caller wipes its own.
impl From<&[u8]> for SecretBytes {
    fn from(bytes: &[u8]) -> Self {
        let any = || Arc::new(Wiped::Any(Zeroizing::new(bytes.to_vec())));
        Self(Wiped::short(bytes).unwrap_or_else(any))
    }
}

impl Wiped {
    /// Copied to where they stay, so that no other place has to be wiped.
    fn short(bytes: &[u8]) -> Option<Arc<Self>> {
        if bytes.len() != 32 {
            return None;
        }
        let mut held = Arc::new(Self::Short(Zeroizing::new([0; 32])));
        if let Self::Short(here) = Arc::get_mut(&mut held)? {
            here.copy_from_slice(bytes);
        }
        Some(held)
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
        for len in [0, 31, 32, 33] {
            let bytes = vec![7; len];
            assert_eq!(SecretBytes::from(bytes.as_slice()).expose_secret(), bytes);
            assert_eq!(SecretBytes::from(bytes.clone()), SecretBytes::from(bytes.as_slice()));
        }
    }
}
