//! The key that a store is sealed with, and where it comes from.

use std::fmt;
use std::path::Path;

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};
use swarmauri_keys::{KeyError, SecretBytes};
use zeroize::Zeroizing;

use crate::aead::KEY_LEN;
use crate::cost::Argon2Cost;
use crate::source;

/// What a store is sealed with: 32 random bytes, or a passphrase. There is no default. `Debug` is redacted.
///
/// ```
/// use swarmauri_keyprovider_stored::SealingKey;
/// use swarmauri_keys::SecretBytes;
///
/// let random = swarmauri_softkeys::random_bytes(32)?;
/// let sealing = SealingKey::new(random)?;
/// let sealing = SealingKey::passphrase(SecretBytes::from(&b"correct horse battery staple"[..]))?;
/// assert_eq!(format!("{sealing:?}"), "SealingKey(passphrase [redacted])");
/// # Ok::<(), swarmauri_keys::KeyError>(())
/// ```
#[derive(Clone)]
pub struct SealingKey(pub(crate) Held);

#[derive(Clone)]
pub(crate) enum Held {
    Key(SecretBytes),
    Passphrase(SecretBytes, Argon2Cost),
}

impl SealingKey {
    /// A key of 32 bytes.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if it has another length.
    pub fn new(key: SecretBytes) -> Result<Self, KeyError> {
        if key.len() == KEY_LEN {
            return Ok(Self(Held::Key(key)));
        }
        Err(KeyError::invalid_input(format!("a sealing key has {KEY_LEN} bytes, this one has {}", key.len())))
    }

    /// The key in a file that nobody but its owner may read: 32 random bytes, or their text, which is 64 hexadecimal
    /// digits or 43 characters of base64url; a line end after it is passed over. Blocks.
    ///
    /// On systems without permissions of that kind they are not looked at.
    ///
    /// # Errors
    ///
    /// [`KeyError::PermissionDenied`] if others may read or write it, with the command that changes this;
    /// [`KeyError::InvalidInput`] if it is not there, or holds something else; [`KeyError::Unavailable`] if it cannot be
    /// read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        parse(&format!("the file {}", path.display()), &source::file(path)?)
    }

    /// The key in an environment variable, in the same forms.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if it is not set, or holds something else.
    pub fn from_env(name: &str) -> Result<Self, KeyError> {
        parse(&format!("the environment variable {name}"), &source::variable(name)?)
    }

    /// A passphrase, from which a key is made with Argon2id, at [`Argon2Cost::DEFAULT`].
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if it is empty.
    pub fn passphrase(passphrase: SecretBytes) -> Result<Self, KeyError> {
        if passphrase.is_empty() {
            return Err(KeyError::invalid_input("a passphrase has at least one character"));
        }
        Ok(Self(Held::Passphrase(passphrase, Argon2Cost::DEFAULT)))
    }

    /// The passphrase in a file that nobody but its owner may read; a line end after it is passed over. Blocks.
    ///
    /// # Errors
    ///
    /// Those of [`SealingKey::from_file`].
    pub fn passphrase_from_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        Self::passphrase(without_line_end(&source::file(path.as_ref())?).into())
    }

    /// The passphrase in an environment variable.
    ///
    /// # Errors
    ///
    /// Those of [`SealingKey::from_env`].
    pub fn passphrase_from_env(name: &str) -> Result<Self, KeyError> {
        Self::passphrase(without_line_end(&source::variable(name)?).into())
    }

    /// The same passphrase at another cost, where a store is sealed anew; one that is opened has its own. It is of no
    /// effect on a key.
    #[must_use]
    pub fn at_cost(self, cost: Argon2Cost) -> Self {
        match self.0 {
            Held::Passphrase(passphrase, _) => Self(Held::Passphrase(passphrase, cost)),
            key @ Held::Key(_) => Self(key),
        }
    }
}

fn parse(place: &str, bytes: &[u8]) -> Result<SealingKey, KeyError> {
    // Of random bytes, one in 10^13 has printable ones alone.
    if bytes.len() == KEY_LEN && !bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
        return SealingKey::new(bytes.into());
    }
    let key = std::str::from_utf8(bytes).ok().and_then(|text| decode(text.trim()));
    let key = key.filter(|key| key.len() == KEY_LEN).ok_or_else(|| {
        KeyError::invalid_input(format!(
            "{place} holds no sealing key: that is {KEY_LEN} random bytes, or 64 hexadecimal digits, or 43 characters of \
             base64url; a passphrase is configured as one"
        ))
    })?;
    SealingKey::new(key.into())
}

fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    if text.len() == 2 * KEY_LEN {
        return hexadecimal(text);
    }
    let text = text.strip_suffix('=').unwrap_or(text);
    let mut key = Zeroizing::new(vec![0; KEY_LEN]);
    let url = Base64UrlUnpadded::decode(text, &mut key).map(<[u8]>::len);
    let len = url.or_else(|_| Base64Unpadded::decode(text, &mut key).map(<[u8]>::len)).ok()?;
    (len == KEY_LEN).then_some(key)
}

fn hexadecimal(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut key = Zeroizing::new(Vec::with_capacity(KEY_LEN));
    let mut digits = text.chars().map(|digit| digit.to_digit(16));
    while let Some(high) = digits.next() {
        let byte = high? << 4 | digits.next()??;
        key.push(u8::try_from(byte).ok()?);
    }
    Some(key)
}

fn without_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Held::Key(_) => "SealingKey(key [redacted])",
            Held::Passphrase(..) => "SealingKey(passphrase [redacted])",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(bytes: &[u8]) -> Option<Vec<u8>> {
        match parse("here", bytes).ok()?.0 {
            Held::Key(key) => Some(key.expose_secret().to_vec()),
            Held::Passphrase(..) => None,
        }
    }

    #[test]
    fn a_key_is_bytes_or_their_text() {
        let key: Vec<u8> = (0xe0..=0xff).collect();
        let hex = key.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let url = Base64UrlUnpadded::encode_string(&key);
        let standard = Base64Unpadded::encode_string(&key);
        assert_ne!(url, standard);
        for text in [
            hex.clone(),
            hex.to_uppercase(),
            format!("{hex}\r\n"),
            url.clone(),
            format!("{url}=\n"),
            standard,
        ] {
            assert_eq!(key_of(text.as_bytes()), Some(key.clone()), "{text}");
        }
        assert_eq!(key_of(&key), Some(key));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_quoted() {
        let hex = "0123456789abcdef0123456789abcdef"; // 16 bytes, in 32 digits
        let long = "0".repeat(63);
        for bad in
            ["", hex, "hunter2 hunter2 hunter2 hunter2!", &long, "hunter2", &"g".repeat(64), &"é".repeat(32)]
        {
            let error = parse("here", bad.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("here holds no sealing key") && !error.contains("hunter2"), "{error}");
        }
        assert!(key_of(&[0xff; 31]).is_none() && key_of(&[0xff; 33]).is_none());
    }

    #[test]
    fn a_line_end_is_no_part_of_a_passphrase() {
        assert_eq!(without_line_end(b"a b \r\n"), b"a b ");
        assert_eq!(without_line_end(b"a\n\n"), b"a\n");
        assert!(SealingKey::passphrase(SecretBytes::from(Vec::new())).is_err());
    }
}
