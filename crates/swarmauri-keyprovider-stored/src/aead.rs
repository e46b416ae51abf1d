//! AES-256-GCM (NIST SP 800-38D), as headers and records are sealed with it.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use swarmauri_keys::{KeyError, SecretBytes};
use swarmauri_softkeys::random_bytes;
use zeroize::Zeroizing;

/// The length of a key, in bytes.
pub(crate) const KEY_LEN: usize = 32;

/// How many bytes are added to what is sealed.
pub(crate) const TAG_LEN: usize = 16;

/// What [`seal`] makes.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) nonce: Vec<u8>,
    /// With the tag at its end.
    pub(crate) text: Vec<u8>,
}

/// Seals under a nonce of random bits. There should be room for [`TAG_LEN`] bytes more in the text.
pub(crate) fn seal(key: &SecretBytes, aad: &[u8], mut text: Zeroizing<Vec<u8>>) -> Result<Sealed, KeyError> {
    let nonce = random_bytes(12)?.expose_secret().to_vec();
    let failed = |_| KeyError::invalid_input("AES-GCM seals at most 64 GiB at once");
    let number = Nonce::try_assume_unique_for_key(&nonce).map_err(failed)?;
    self::key(key)?.seal_in_place_append_tag(number, Aad::from(aad), &mut *text).map_err(failed)?;
    Ok(Sealed { nonce, text: std::mem::take(&mut *text) })
}

/// Opens what was sealed; `None` if it was not, with this key and these data.
pub(crate) fn open(
    key: &SecretBytes,
    aad: &[u8],
    sealed: &Sealed,
) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    let Sealed { nonce, text } = sealed;
    let key = self::key(key)?;
    let mut text = Zeroizing::new(text.clone());
    let opened = Nonce::try_assume_unique_for_key(nonce)
        .and_then(|nonce| key.open_in_place(nonce, Aad::from(aad), &mut text).map(|opened| opened.len()));
    let Ok(len) = opened else { return Ok(None) };
    text.truncate(len);
    Ok(Some(text))
}

fn key(secret: &SecretBytes) -> Result<LessSafeKey, KeyError> {
    let key = UnboundKey::new(&AES_256_GCM, secret.expose_secret());
    key.map(LessSafeKey::new).map_err(|_| KeyError::invalid_input("an AES-256 key has 32 bytes"))
}
