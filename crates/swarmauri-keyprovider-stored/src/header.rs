//! The header of a store: the root key, sealed, and how the key is made that it is sealed with.

use ring::digest::{SHA256, digest};
use swarmauri_cbor::Value;
use swarmauri_keys::{KeyError, SecretBytes};
use swarmauri_softkeys::random_bytes;
use zeroize::Zeroizing;

use crate::aead::{self, KEY_LEN, Sealed, TAG_LEN};
use crate::cost::Argon2Cost;
use crate::form::{self, damaged};
use crate::sealing::{Held, SealingKey};

/// Where it lies.
pub(crate) const PLACE: &str = "keys/header";

const KEY: &str = "key";
const ARGON2ID: &str = "argon2id";
const SALT_LEN: usize = 16;

/// How the key is made that seals the root key.
#[derive(Debug, Clone, PartialEq, Eq)]
enum How {
    /// It is given.
    Key,
    /// From a passphrase.
    Passphrase { salt: Vec<u8>, cost: Argon2Cost },
}

/// A header: an array of format, how, nonce, sealed root key, and a digest of all this, which tells damage from a wrong key.
#[derive(Debug)]
pub(crate) struct Header {
    how: How,
    sealed: Sealed,
}

impl Header {
    /// Seals a root key. Blocks, if it is with a passphrase.
    pub(crate) fn seal(root: &SecretBytes, with: &SealingKey) -> Result<Self, KeyError> {
        let how = match &with.0 {
            Held::Key(_) => How::Key,
            Held::Passphrase(_, cost) => {
                let salt = random_bytes(SALT_LEN)?.expose_secret().to_vec();
                How::Passphrase { salt, cost: *cost }
            }
        };
        let mut text = Zeroizing::new(Vec::with_capacity(root.len() + TAG_LEN));
        text.extend_from_slice(root.expose_secret());
        let sealed = aead::seal(&how.key(with)?, &how.aad()?, text)?;
        Ok(Self { how, sealed })
    }

    /// The root key. Blocks, if it is sealed with a passphrase.
    pub(crate) fn open(&self, with: &SealingKey) -> Result<SecretBytes, KeyError> {
        let root = aead::open(&self.how.key(with)?, &self.how.aad()?, &self.sealed)?;
        let root = root.ok_or_else(|| {
            KeyError::permission_denied("the sealing key is not the one that this store was sealed with")
        })?;
        if root.len() != KEY_LEN {
            return Err(damaged(PLACE, "the root key has another length"));
        }
        Ok(root.into())
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, KeyError> {
        let digest = self.digest()?;
        form::write(self.items().into_iter().chain([Value::Bytes(digest)]))
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let [how, nonce, text, digest] = form::read(PLACE, bytes)?;
        let parts =
            || Some((How::from_value(how)?, form::bytes(nonce)?, form::bytes(text)?, form::bytes(digest)?));
        let (how, nonce, text, digest) = parts().ok_or_else(|| damaged(PLACE, "its parts make no header"))?;
        let header = Self { how, sealed: Sealed { nonce, text } };
        if header.digest()? != digest {
            return Err(damaged(PLACE, "its digest is another"));
        }
        header.how.check()?;
        Ok(header)
    }

    fn items(&self) -> [Value; 3] {
        let Sealed { nonce, text } = &self.sealed;
        [self.how.to_value(), Value::Bytes(nonce.clone()), Value::Bytes(text.clone())]
    }

    fn digest(&self) -> Result<Vec<u8>, KeyError> {
        Ok(digest(&SHA256, &form::write(self.items())?).as_ref().to_vec())
    }
}

impl How {
    /// The key that a sealing key makes.
    fn key(&self, with: &SealingKey) -> Result<SecretBytes, KeyError> {
        match (self, &with.0) {
            (Self::Key, Held::Key(key)) => Ok(key.clone()),
            (Self::Passphrase { salt, cost }, Held::Passphrase(passphrase, _)) => {
                cost.derive(passphrase, salt)
            }
            (Self::Key, Held::Passphrase(..)) => Err(KeyError::permission_denied(
                "the sealing key is not the one that this store was sealed with: that was a key, and this is a passphrase",
            )),
            (Self::Passphrase { .. }, Held::Key(_)) => Err(KeyError::permission_denied(
                "the sealing key is not the one that this store was sealed with: that was a passphrase, and this is a key",
            )),
        }
    }

    /// What is sealed is bound to its place, and to how its key is made.
    fn aad(&self) -> Result<Vec<u8>, KeyError> {
        form::write([Value::from(PLACE), self.to_value()])
    }

    fn to_value(&self) -> Value {
        Value::Array(match self {
            Self::Key => vec![Value::from(KEY)],
            Self::Passphrase { salt, cost } => vec![
                Value::from(ARGON2ID),
                Value::Bytes(salt.clone()),
                Value::from(cost.memory_kib),
                Value::from(cost.passes),
                Value::from(cost.lanes),
            ],
        })
    }

    /// The bounds of the costs are not looked at yet.
    fn from_value(value: Value) -> Option<Self> {
        let mut items = value.into_array().ok()?.into_iter();
        let method = items.next()?.into_text().ok()?;
        let how = match method.as_str() {
            KEY => Self::Key,
            ARGON2ID => {
                let salt = form::bytes(items.next()?)?;
                let mut cost = || items.next().and_then(|item| u32::try_from(form::number(&item)?).ok());
                let cost = Argon2Cost { memory_kib: cost()?, passes: cost()?, lanes: cost()? };
                Self::Passphrase { salt, cost }
            }
            _ => return None,
        };
        items.next().is_none().then_some(how)
    }

    /// Nobody's memory or time is spent on what no header of ours asks for.
    fn check(&self) -> Result<(), KeyError> {
        let Self::Passphrase { salt, cost } = self else { return Ok(()) };
        Argon2Cost::new(cost.memory_kib, cost.passes, cost.lanes).map_err(|error| damaged(PLACE, error))?;
        if salt.len() == SALT_LEN { Ok(()) } else { Err(damaged(PLACE, "its salt has another length")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap(memory_kib: u32) -> Argon2Cost {
        Argon2Cost { memory_kib, passes: 1, lanes: 1 }
    }

    fn passphrase(text: &str) -> SealingKey {
        SealingKey::passphrase(text.as_bytes().into()).unwrap().at_cost(cheap(8))
    }

    #[test]
    fn a_header_says_how_its_key_is_made() {
        let root = random_bytes(KEY_LEN).unwrap();
        let header = Header::seal(&root, &passphrase("a").at_cost(cheap(16))).unwrap();
        let read = Header::from_bytes(&header.to_bytes().unwrap()).unwrap();
        assert_eq!(read.how, header.how);
        assert!(matches!(&read.how, How::Passphrase { cost, .. } if *cost == cheap(16)));
        // The cost is that of the header, whatever is asked for.
        assert_eq!(read.open(&passphrase("a")).unwrap(), root);
        assert!(read.open(&passphrase("b")).is_err());
    }

    #[test]
    fn a_header_that_asks_for_too_much_is_refused_before_it_is_given() {
        let root = random_bytes(KEY_LEN).unwrap();
        let mut header = Header::seal(&root, &passphrase("a")).unwrap();
        for (memory_kib, passes, lanes) in [(u32::MAX, 1, 1), (8, u32::MAX, 1), (8, 1, u32::MAX), (0, 0, 0)] {
            let How::Passphrase { cost, .. } = &mut header.how else { unreachable!() };
            *cost = Argon2Cost { memory_kib, passes, lanes };
            let error = Header::from_bytes(&header.to_bytes().unwrap()).unwrap_err();
            assert!(matches!(error, KeyError::Integrity { .. }), "{error}");
        }
    }

    #[test]
    fn cheaper_parameters_do_not_open_it() {
        let root = random_bytes(KEY_LEN).unwrap();
        let mut header = Header::seal(&root, &passphrase("a").at_cost(cheap(16))).unwrap();
        let How::Passphrase { cost, .. } = &mut header.how else { unreachable!() };
        *cost = cheap(8);
        let read = Header::from_bytes(&header.to_bytes().unwrap()).unwrap();
        assert!(matches!(read.open(&passphrase("a")), Err(KeyError::PermissionDenied { .. })));
    }

    #[test]
    fn another_format_is_told() {
        let newer = swarmauri_cbor::value_to_vec(&Value::Array(vec![Value::from(2), Value::Null])).unwrap();
        let error = Header::from_bytes(&newer).unwrap_err().to_string();
        assert!(error.contains("keys/header") && error.contains("format 2"), "{error}");
    }
}
