//! Names in text: references to keys, `kid`s, versions, fingerprints, and the words of the vocabulary.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use swarmauri_keyprovider::{Feature, KeyReference};
use swarmauri_keyprovider_mirrored::{Fidelity, MirrorMode};
use swarmauri_keys::{
    ExportPolicy, Fingerprint, KeyAlg, KeyClass, KeyError, KeyId, KeyOperation, KeyState, KeyType, KeyUse,
    KeyVersion, KeyVersionId,
};

use crate::check::{quotes_little, survives_json};

/// What is read is written in a form that is read as the same; of all but references there is one form only.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    reference(text);
    if let Some(kid) = name::<KeyId>(text) {
        let id = kid.at(KeyVersion::FIRST);
        assert_eq!(id.to_string().parse::<KeyVersionId>().expect("it has a version"), id);
        let plain = KeyReference::new(kid.clone(), None).to_string();
        assert_eq!(plain.parse::<KeyReference>().expect("it was written").kid(), &kid);
    }
    name::<KeyVersionId>(text);
    if let Ok(version) = read::<KeyVersion>(text) {
        assert_eq!(version.to_string(), text);
    }
    name::<Fingerprint>(text);
    name::<KeyAlg>(text);
    name::<KeyClass>(text);
    name::<KeyUse>(text);
    name::<ExportPolicy>(text);
    name::<KeyState>(text);
    name::<KeyType>(text);
    name::<KeyOperation>(text);
    name::<Feature>(text);
    // Errors of these two quote all that they refuse, which is never a secret: nobody writes one there.
    word(text, text.parse::<MirrorMode>().ok());
    word(text, text.parse::<Fidelity>().ok());
}

fn reference(text: &str) {
    let Ok(reference) = read::<KeyReference>(text) else { return };
    let written = reference.to_string();
    assert_eq!(written.parse::<KeyReference>().expect("what was written can be read"), reference);
    assert_eq!(KeyId::new(reference.kid().as_str()).expect("it is a kid"), *reference.kid());
    if let Some(name) = reference.provider() {
        reference.check_provider(name).expect("it is for the one that it names");
        assert!(reference.check_provider(&format!("{name}x")).is_err());
    } else {
        reference.check_provider("any").expect("it is for any");
        let same = KeyReference::new(reference.kid().clone(), reference.version());
        assert_eq!((&same, same.to_string()), (&reference, written));
    }
}

/// A word that is written as it was read, alone and in JSON.
fn name<T>(text: &str) -> Option<T>
where
    T: FromStr<Err = KeyError> + Display + Debug + PartialEq + Serialize + DeserializeOwned,
{
    word(text, read::<T>(text).ok())
}

fn word<T>(text: &str, value: Option<T>) -> Option<T>
where
    T: Display + Debug + PartialEq + Serialize + DeserializeOwned,
{
    if let Some(value) = &value {
        assert_eq!(value.to_string(), text);
        assert_eq!(survives_json(value), serde_json::to_vec(text).expect("it is a text"));
    }
    let json = serde_json::from_value::<T>(Value::String(text.to_owned())).ok();
    assert_eq!(json, value, "JSON takes the same names");
    value
}

fn read<T: FromStr<Err = KeyError>>(text: &str) -> Result<T, KeyError> {
    text.parse().inspect_err(|error| quotes_little(error, text.as_bytes()))
}
