//! Names of keys: `kid`, version, and both together.

use std::borrow::Borrow;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use arcstr::ArcStr;
use serde::{Deserialize, Serialize};

use crate::{KeyError, quoted};

/// The name of a key: 1 to 256 bytes of UTF-8, printable, no control characters. Cheap to clone.
///
/// Names that providers generate are 128 random bits in lower-case hexadecimal
/// ([`KeyId::from_random`]); they contain no dot.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(ArcStr);

impl KeyId {
    /// The longest `kid`, in bytes.
    pub const MAX_LEN: usize = 256;

    /// Parses a `kid`.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if it is empty, longer than [`KeyId::MAX_LEN`] bytes, or holds a
    /// character that does not print or that reorders those which do.
    pub fn new(kid: impl AsRef<str>) -> Result<Self, KeyError> {
        let kid = kid.as_ref();
        if kid.is_empty() {
            return Err(KeyError::invalid_input("a kid must not be empty"));
        }
        if kid.len() > Self::MAX_LEN {
            return Err(KeyError::invalid_input(format!(
                "a kid has at most {} bytes, this one has {}",
                Self::MAX_LEN,
                kid.len()
            )));
        }
        if let Some(bad) = first_unprintable(kid) {
            return Err(KeyError::invalid_input(format!(
                "a kid consists of printable characters; this one holds U+{:04X}",
                u32::from(bad)
            )));
        }
        Ok(Self(kid.into()))
    }

    /// The `kid` made of these 128 bits, which the caller drew at random: 32 lower-case hex digits.
    pub fn from_random(bits: [u8; 16]) -> Self {
        let mut text = [0; 32];
        let halves = bits.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        for (digit, half) in text.iter_mut().zip(halves) {
            *digit = if half < 10 { b'0' + half } else { b'a' + half - 10 };
        }
        Self(str::from_utf8(&text).unwrap_or_default().into())
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This key at one version.
    pub fn at(&self, version: KeyVersion) -> KeyVersionId {
        KeyVersionId { kid: self.clone(), version }
    }
}

/// The first character that does not print, if there is one.
pub(crate) fn first_unprintable(text: &str) -> Option<char> {
    // Of most texts one look at all bytes says that there is none.
    if text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~')) {
        return None;
    }
    text.chars().find(|c| !is_printable(*c))
}

/// Neither a control character, nor one of those that break or reorder a line of text.
fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// The version of a key: 1 and up. A version that was used once never comes back.
///
/// "The latest" is not a version: interfaces take `Option<KeyVersion>`, and `None` means the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct KeyVersion(NonZeroU32);

impl KeyVersion {
    /// The version that a new key has.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// Parses a version number.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if it is zero.
    pub fn new(version: u32) -> Result<Self, KeyError> {
        NonZeroU32::new(version).map(Self).ok_or_else(|| {
            KeyError::invalid_input("versions start at 1; omit the version to mean the latest")
        })
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0.get()
    }

    /// The version after this one; `None` after the last of all.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

/// One version of one key. Its text form, `"<kid>.<version>"`, is the `kid` member of a JWK; it is
/// read by splitting at the last dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyVersionId {
    /// The key.
    pub kid: KeyId,
    /// Its version.
    pub version: KeyVersion,
}

impl KeyVersionId {
    /// As [`ToString::to_string`], in a fraction of the time.
    pub(crate) fn to_text(&self) -> String {
        let kid = self.kid.as_str();
        let mut text = String::with_capacity(kid.len() + ".4294967295".len());
        text.push_str(kid);
        text.push('.');
        text.push_str(itoa::Buffer::new().format(self.version.get()));
        text
    }
}

impl FromStr for KeyVersion {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let canonical = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        match text.parse() {
            Ok(number) if canonical => Self::new(number),
            _ => Err(KeyError::invalid_input(format!(
                "a version is a number from 1 to {}, without sign or leading zeros, not {}",
                u32::MAX,
                quoted(text)
            ))),
        }
    }
}

impl FromStr for KeyVersionId {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (kid, version) = text.rsplit_once('.').ok_or_else(|| {
            KeyError::invalid_input(format!("{} has no version; the form is <kid>.<version>", quoted(text)))
        })?;
        Ok(Self { kid: KeyId::new(kid)?, version: version.parse()? })
    }
}

impl fmt::Display for KeyVersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kid, self.version)
    }
}

impl fmt::Display for KeyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl FromStr for KeyId {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::new(text)
    }
}

impl TryFrom<String> for KeyId {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        Self::new(text)
    }
}

impl From<KeyId> for String {
    fn from(kid: KeyId) -> Self {
        kid.as_str().to_owned()
    }
}

impl AsRef<str> for KeyId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for KeyId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl TryFrom<u32> for KeyVersion {
    type Error = KeyError;

    fn try_from(version: u32) -> Result<Self, KeyError> {
        Self::new(version)
    }
}

impl From<KeyVersion> for u32 {
    fn from(version: KeyVersion) -> Self {
        version.get()
    }
}

impl TryFrom<String> for KeyVersionId {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<KeyVersionId> for String {
    fn from(id: KeyVersionId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kid_is_short_and_printable() {
        let longest = "k".repeat(256);
        for good in ["a", "..", "default", "clé de signature", "arn:aws:kms:1:key/2", &longest] {
            assert_eq!(KeyId::new(good).unwrap().as_str(), good);
        }
        let too_long = "k".repeat(257);
        for bad in ["", "a\nb", "a\0", "\u{7f}", "a\u{85}", "a\u{202e}b", "a\u{feff}", &too_long] {
            assert!(matches!(KeyId::new(bad), Err(KeyError::InvalidInput { .. })), "{bad:?}");
        }
    }

    #[test]
    fn a_random_kid_is_32_hex_digits() {
        let bits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff];
        assert_eq!(KeyId::from_random(bits).as_str(), "000102030405060708090a0b0c0d0eff");
    }

    #[test]
    fn version_zero_is_refused_and_does_not_mean_latest() {
        assert!(KeyVersion::new(0).unwrap_err().to_string().contains("omit the version"));
        for bad in ["", "0", "01", "+1", "-1", "1.0", "4294967296", "x"] {
            assert!(bad.parse::<KeyVersion>().is_err(), "{bad:?}");
        }
        assert_eq!("4294967295".parse::<KeyVersion>().unwrap().next(), None);
        assert!(serde_json::from_str::<KeyVersion>("0").is_err());
    }

    #[test]
    fn the_version_stands_after_the_last_dot() {
        let id: KeyVersionId = "a.b.12".parse().unwrap();
        assert_eq!((id.kid.as_str(), id.version.get()), ("a.b", 12));
        assert_eq!(id.to_string(), "a.b.12");
        for bad in ["a", "a.", ".1", "a.0", "a.x"] {
            assert!(bad.parse::<KeyVersionId>().is_err(), "{bad:?}");
        }
    }
}
