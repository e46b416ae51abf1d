//! The members of a JWK as they stand in the document, each at most once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{KeyError, b64, quoted};

/// The members that concern us. Of secret ones the values are kept only by [`Members::with_secrets`].
pub(crate) struct Members {
    public: BTreeMap<&'static str, Value>,
    secret: BTreeMap<&'static str, Zeroizing<String>>,
}

const PUBLIC: [&str; 10] = ["alg", "crv", "e", "key_ops", "kid", "kty", "n", "use", "x", "y"];
/// RFC 7518 sections 6.2.2, 6.3.2 and 6.4, RFC 8037 section 2.
const SECRET: [&str; 7] = ["d", "dp", "dq", "k", "p", "q", "qi"];
/// Secret and not supported: RFC 7518 section 6.3.2.7, and the key type AKP.
const UNREAD: [&str; 2] = ["oth", "priv"];

/// The methods of a visitor whose defaults would quote what they do not expect, and so perhaps a secret.
macro_rules! refuses_unquoted {
    ($reason:literal) => {
        fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
            Err(E::custom($reason))
        }

        fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Err(E::custom($reason))
        }

        fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
            Err(E::custom($reason))
        }

        fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
            Err(E::custom($reason))
        }
    };
}
pub(crate) use refuses_unquoted;

impl Members {
    /// Reads a JSON text, secrets included.
    pub(crate) fn with_secrets(json: &[u8]) -> Result<Self, KeyError> {
        // Anything but an object would end up in the error text of the JSON parser.
        if json.trim_ascii_start().first() != Some(&b'{') {
            return Err(KeyError::invalid_input("a JWK is a JSON object"));
        }
        let malformed = |error| KeyError::invalid_input(format!("malformed JWK: {error}"));
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let members = MembersVisitor { keep_secrets: true };
        let members = (&mut deserializer).deserialize_map(members).map_err(malformed)?;
        deserializer.end().map_err(malformed)?;
        Ok(members)
    }

    /// The names of the secret members.
    pub(crate) fn secret_names(&self) -> impl Iterator<Item = &'static str> {
        self.secret.keys().copied()
    }

    pub(crate) fn refuse_secrets(&self) -> Result<(), KeyError> {
        match self.secret_names().next() {
            Some(name) => Err(KeyError::invalid_input(format!(
                "a public JWK must not have the private member {name:?}"
            ))),
            None => Ok(()),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, KeyError> {
        match self.public.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(KeyError::invalid_input(format!("the JWK member {name:?} must be a string"))),
        }
    }

    pub(crate) fn required_text(&self, name: &str) -> Result<&str, KeyError> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    /// A list of different strings.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, KeyError> {
        let Some(value) = self.public.get(name) else {
            return Ok(None);
        };
        let texts: Option<Vec<String>> = value
            .as_array()
            .and_then(|values| values.iter().map(|value| value.as_str().map(str::to_owned)).collect());
        match texts {
            Some(texts) if texts.iter().collect::<BTreeSet<_>>().len() == texts.len() => Ok(Some(texts)),
            _ => Err(KeyError::invalid_input(format!(
                "the JWK member {name:?} must be a list of different strings"
            ))),
        }
    }

    /// The 32 octets of a coordinate or key.
    pub(crate) fn octets_32(&self, name: &str) -> Result<[u8; 32], KeyError> {
        let octets = decode(name, self.required_text(name)?)?;
        octets.as_slice().try_into().map_err(|_| wrong_length(name, octets.len()))
    }

    /// A Base64urlUInt (RFC 7518 section 2).
    pub(crate) fn number(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        shortest(name, decode(name, self.required_text(name)?)?)
    }

    pub(crate) fn secret_octets(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        decode(name, self.secret.get(name).ok_or_else(|| missing(name))?)
    }

    pub(crate) fn secret_octets_32(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let octets = self.secret_octets(name)?;
        if octets.len() == 32 { Ok(octets) } else { Err(wrong_length(name, octets.len())) }
    }

    pub(crate) fn secret_number(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        shortest(name, self.secret_octets(name)?)
    }
}

fn decode(name: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    b64::decode(&format!("the JWK member {name:?}"), text)
}

fn shortest(name: &str, digits: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    match digits.first() {
        Some(0) => Err(KeyError::invalid_input(format!(
            "the JWK member {name:?} must have no leading zero octets (RFC 7518 section 2)"
        ))),
        Some(_) => Ok(digits),
        None => Err(KeyError::invalid_input(format!("the JWK member {name:?} is empty"))),
    }
}

fn missing(name: &str) -> KeyError {
    KeyError::invalid_input(format!("the JWK member {name:?} is missing"))
}

fn wrong_length(name: &str, len: usize) -> KeyError {
    KeyError::invalid_input(format!("the JWK member {name:?} must be 32 octets, it is {len}"))
}

/// Without the values of secret members.
impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Asked for a map, the parser itself would quote a string or number that it finds.
        deserializer.deserialize_any(MembersVisitor { keep_secrets: false })
    }
}

struct MembersVisitor {
    keep_secrets: bool,
}

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JWK, which is an object")
    }

    refuses_unquoted!("expected a JWK, which is an object");

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members { public: BTreeMap::new(), secret: BTreeMap::new() };
        let mut seen = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if let Some(known) = find(&PUBLIC, &name) {
                members.public.insert(known, map.next_value()?);
            } else if let Some(known) = find(&SECRET, &name).filter(|_| self.keep_secrets) {
                members.secret.insert(known, map.next_value_seed(SecretText(known))?);
            } else {
                let known = find(&SECRET, &name).or_else(|| find(&UNREAD, &name));
                members.secret.extend(known.map(|known| (known, Zeroizing::default())));
                map.next_value::<IgnoredAny>()?;
            }
            if seen.contains(&name) {
                return Err(A::Error::custom(format_args!(
                    "the JWK member {} is there twice",
                    quoted(&name)
                )));
            }
            seen.insert(name);
        }
        Ok(members)
    }
}

fn find(names: &[&'static str], name: &str) -> Option<&'static str> {
    names.iter().copied().find(|known| *known == name)
}

/// Reads a string straight from the document into memory that is wiped.
struct SecretText(&'static str);

impl SecretText {
    fn wrong_type<E: Error>(&self) -> E {
        E::custom(format_args!("the JWK member {:?} must be a string", self.0))
    }
}

impl<'de> DeserializeSeed<'de> for SecretText {
    type Value = Zeroizing<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        // Asked for a string, the parser itself would quote a number that it finds.
        deserializer.deserialize_any(self)
    }
}

/// The default methods would quote numbers and strings in their errors.
impl<'de> Visitor<'de> for SecretText {
    type Value = Zeroizing<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string as the JWK member {:?}", self.0)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// The parser unescaped it into a buffer that is not wiped; base64url needs no escapes.
    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        Err(E::custom(format_args!("the JWK member {:?} must be written without escapes", self.0)))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Err(self.wrong_type())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Err(self.wrong_type())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Err(self.wrong_type())
    }
}
