//! References to keys in text: `[<provider>:]<kid>[@<version>]`.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use swarmauri_keys::{KeyError, KeyId, KeyVersion, quoted};

/// A reference to a key in text, as configuration files have them: `[<provider>:]<kid>[@<version>]`.
///
/// In the `kid`, the characters `:`, `@` and `%` are written `%3A`, `%40` and `%25`.
///
/// ```
/// use swarmauri_keyprovider::KeyReference;
///
/// let reference: KeyReference = "LocalKeyProvider:signing@2".parse()?;
/// assert_eq!(reference.provider(), Some("LocalKeyProvider"));
/// assert_eq!(reference.kid().as_str(), "signing");
/// assert_eq!(reference.version().map(|version| version.get()), Some(2));
///
/// let escaped: KeyReference = "alice%40example.com".parse()?;
/// assert_eq!(escaped.kid().as_str(), "alice@example.com");
/// # Ok::<(), swarmauri_keys::KeyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyReference {
    provider: Option<String>,
    kid: KeyId,
    version: Option<KeyVersion>,
}

impl KeyReference {
    /// A reference without a provider's name.
    pub fn new(kid: KeyId, version: Option<KeyVersion>) -> Self {
        Self { provider: None, kid, version }
    }

    /// The name of the provider that has the key, if the reference tells.
    pub fn provider(&self) -> Option<&str> {
        self.provider.as_deref()
    }

    /// The key.
    pub fn kid(&self) -> &KeyId {
        &self.kid
    }

    /// The version; `None` means the latest.
    pub fn version(&self) -> Option<KeyVersion> {
        self.version
    }

    /// Checks that the reference is for the provider of this name, or for any.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if it names another.
    pub fn check_provider(&self, name: &str) -> Result<(), KeyError> {
        match self.provider() {
            Some(other) if other != name => {
                Err(KeyError::invalid_input(format!("{self} is a key of {other}, and this is {name}")))
            }
            _ => Ok(()),
        }
    }
}

impl FromStr for KeyReference {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (provider, rest) = match text.split_once(':') {
            Some(("", _)) => return Err(malformed(text, "the provider's name is empty")),
            Some((provider, rest)) => (Some(provider.to_owned()), rest),
            None => (None, text),
        };
        let (kid, version) = match rest.split_once('@') {
            Some((kid, version)) => (kid, Some(version.parse()?)),
            None => (rest, None),
        };
        if provider.as_ref().is_some_and(|name| name.contains('@')) || kid.contains(':') {
            return Err(malformed(text, "write : and @ of a kid as %3A and %40"));
        }
        Ok(Self { provider, kid: KeyId::new(unescape(kid, text)?)?, version })
    }
}

impl fmt::Display for KeyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(provider) = &self.provider {
            write!(f, "{provider}:")?;
        }
        for c in self.kid.as_str().chars() {
            match c {
                ':' | '@' | '%' => write!(f, "%{:02X}", u32::from(c))?,
                _ => f.write_char(c)?,
            }
        }
        match self.version {
            Some(version) => write!(f, "@{version}"),
            None => Ok(()),
        }
    }
}

fn unescape(kid: &str, whole: &str) -> Result<String, KeyError> {
    let mut parts = kid.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (c, rest) = [("3A", ':'), ("40", '@'), ("25", '%')]
            .iter()
            .find_map(|(code, c)| part.strip_prefix(code).map(|rest| (*c, rest)))
            .ok_or_else(|| malformed(whole, "after % only 3A, 40 and 25 are known"))?;
        plain.push(c);
        plain.push_str(rest);
    }
    Ok(plain)
}

fn malformed(text: &str, why: &str) -> KeyError {
    KeyError::invalid_input(format!(
        "{} is no key reference of the form [<provider>:]<kid>[@<version>]: {why}",
        quoted(text)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_round_trip() {
        for text in ["k", "k@7", "Local:k", "Local:k@7", "a%3Ab%40c%25d@1", "Local:a%3Ab", "..", "a.b"] {
            assert_eq!(text.parse::<KeyReference>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn malformed_ones_say_what_is_wrong() {
        for (text, hint) in [
            ("", "empty"),
            ("@1", "empty"),
            (":k", "name is empty"),
            ("a:b:c", "%3A"),
            ("a@b:c", "%40"),
            ("k@0", "a version is a number"),
            ("k@", "a version is a number"),
            ("k@1@2", "a version is a number"),
            ("k%41", "after %"),
            ("k%", "after %"),
        ] {
            let error = text.parse::<KeyReference>().unwrap_err().to_string();
            assert!(error.contains(hint), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_foreign_provider_is_refused() {
        let reference: KeyReference = "Vault:k".parse().unwrap();
        assert!(reference.check_provider("Vault").is_ok());
        let error = reference.check_provider("LocalKeyProvider").unwrap_err().to_string();
        assert!(error.contains("Vault") && error.contains("LocalKeyProvider"), "{error}");
    }
}
