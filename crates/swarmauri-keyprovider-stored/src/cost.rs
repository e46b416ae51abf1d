//! What guessing a passphrase costs: Argon2id (RFC 9106).

use argon2::{Algorithm, Argon2, Params, Version};
use swarmauri_keys::{KeyError, SecretBytes};
use zeroize::Zeroizing;

use crate::aead::KEY_LEN;

/// What making a key from a passphrase costs with Argon2id (RFC 9106), and so each guess of somebody who tries.
///
/// It is stored with the sealed keys: opening a store takes what sealing took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

impl Argon2Cost {
    /// The most memory, in KiB: 256 MiB. A header that asks for more is damaged, or meant to do damage.
    pub const MAX_MEMORY_KIB: u32 = 256 << 10;

    /// The most passes.
    pub const MAX_PASSES: u32 = 32;

    /// The most lanes.
    pub const MAX_LANES: u32 = 16;

    /// 64 MiB and three passes, more than what OWASP asks for at the least (19 MiB and two).
    pub const DEFAULT: Self = Self { memory_kib: 64 << 10, passes: 3, lanes: 1 };

    /// So much memory in KiB, at least 8 for each lane; so many passes over it; so many lanes, which are computed one after
    /// the other.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] for less than Argon2 takes, or for more than the bounds above.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, KeyError> {
        let fits = (1..=Self::MAX_LANES).contains(&lanes)
            && (1..=Self::MAX_PASSES).contains(&passes)
            && (8 * lanes..=Self::MAX_MEMORY_KIB).contains(&memory_kib);
        if fits {
            return Ok(Self { memory_kib, passes, lanes });
        }
        Err(KeyError::invalid_input(format!(
            "Argon2id takes 1 to {} lanes, 1 to {} passes, and from 8 KiB for each lane to {} KiB of memory; not {lanes}, \
             {passes} and {memory_kib}",
            Self::MAX_LANES,
            Self::MAX_PASSES,
            Self::MAX_MEMORY_KIB
        )))
    }

    /// The memory, in KiB.
    pub fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// The passes over it.
    pub fn passes(self) -> u32 {
        self.passes
    }

    /// The lanes.
    pub fn lanes(self) -> u32 {
        self.lanes
    }

    /// The key that a passphrase makes. Blocks, for tenths of a second.
    pub(crate) fn derive(self, passphrase: &SecretBytes, salt: &[u8]) -> Result<SecretBytes, KeyError> {
        let failed = |error| KeyError::invalid_input(format!("Argon2id refuses: {error}"));
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY_LEN)).map_err(failed)?;
        let mut key = Zeroizing::new(vec![0; KEY_LEN]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose_secret(), salt, &mut key)
            .map_err(failed)?;
        Ok(key.into())
    }
}

impl Default for Argon2Cost {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_have_bounds() {
        assert!(Argon2Cost::new(8, 1, 1).is_ok());
        let Argon2Cost { memory_kib, passes, lanes } = Argon2Cost::DEFAULT;
        assert_eq!(Argon2Cost::new(memory_kib, passes, lanes).unwrap(), Argon2Cost::DEFAULT);
        for (memory, passes, lanes) in [
            (7, 1, 1),
            (15, 1, 2),
            ((256 << 10) + 1, 1, 1),
            (8, 0, 1),
            (8, 33, 1),
            (8, 1, 0),
            (1 << 20, 1, 17),
        ] {
            assert!(Argon2Cost::new(memory, passes, lanes).is_err(), "{memory} {passes} {lanes}");
        }
    }

    #[test]
    fn equal_input_makes_equal_keys() {
        let cost = Argon2Cost::new(8, 1, 1).unwrap();
        let derive = |cost: Argon2Cost, phrase: &[u8], salt| cost.derive(&phrase.into(), salt).unwrap();
        let key = derive(cost, b"phrase", b"salt of 16 bytes");
        assert_eq!(key, derive(cost, b"phrase", b"salt of 16 bytes"));
        assert_ne!(key, derive(cost, b"phrase!", b"salt of 16 bytes"));
        assert_ne!(key, derive(cost, b"phrase", b"salt of 16 other"));
        assert_ne!(key, derive(Argon2Cost::new(8, 2, 1).unwrap(), b"phrase", b"salt of 16 bytes"));
    }
}
