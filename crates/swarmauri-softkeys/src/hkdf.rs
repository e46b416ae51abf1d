//! HKDF with SHA-256 (RFC 5869).

use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use swarmauri_keys::{KeyError, SecretBytes};
use zeroize::Zeroizing;

/// The most that [`hkdf_sha256`] derives: 255 blocks of 32 bytes (RFC 5869 section 2.3).
pub const MAX_HKDF_LEN: usize = 255 * 32;

/// Derives `len` bytes from `ikm` with HKDF-SHA256 (RFC 5869). An empty salt is a string of zeros, as the RFC
/// says.
///
/// # Errors
///
/// [`KeyError::InvalidInput`] unless `len` is from 1 to [`MAX_HKDF_LEN`].
pub fn hkdf_sha256(ikm: &SecretBytes, salt: &[u8], info: &[u8], len: usize) -> Result<SecretBytes, KeyError> {
    let out_of_range =
        || KeyError::invalid_input(format!("HKDF-SHA256 derives 1 to {MAX_HKDF_LEN} bytes, not {len}"));
    if len == 0 {
        return Err(out_of_range());
    }
    let mut okm = Zeroizing::new(vec![0; len.min(MAX_HKDF_LEN)]);
    Salt::new(HKDF_SHA256, salt)
        .extract(ikm.expose_secret())
        .expand(&[info], Len(len))
        .and_then(|derived| derived.fill(&mut okm))
        .map_err(|_| out_of_range())?;
    Ok(okm.into())
}

struct Len(usize);

impl KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5869 appendix A.1 to A.3: ikm, salt, info, okm.
    #[test]
    fn rfc_5869_appendix_a() {
        let vectors: [([Vec<u8>; 3], &str); 3] = [
            (
                [vec![0x0b; 22], (0x00..=0x0c).collect(), (0xf0..=0xf9).collect()],
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            ),
            (
                [(0x00..=0x4f).collect(), (0x60..=0xaf).collect(), (0xb0..=0xff).collect()],
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09\
                 da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
            ),
            (
                [vec![0x0b; 22], vec![], vec![]],
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            ),
        ];
        for ([ikm, salt, info], okm) in vectors {
            let derived = hkdf_sha256(&ikm.into(), &salt, &info, okm.len() / 2).unwrap();
            let hex: Vec<_> = derived.expose_secret().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex.concat(), okm);
        }
    }

    #[test]
    fn the_length_has_bounds() {
        let ikm = SecretBytes::from(vec![1; 32]);
        for len in [1, MAX_HKDF_LEN] {
            assert_eq!(hkdf_sha256(&ikm, b"", b"", len).unwrap().len(), len);
        }
        for len in [0, MAX_HKDF_LEN + 1, usize::MAX] {
            let error = hkdf_sha256(&ikm, b"", b"", len).unwrap_err().to_string();
            assert!(error.contains("1 to 8160 bytes"), "{error}");
        }
    }
}
