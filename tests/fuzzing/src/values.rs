//! Values that travel as JSON: specs, overrides, tags, signatures, ciphertexts, listings, capabilities.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use swarmauri_keyprovider::Capabilities;
use swarmauri_keys::{Ciphertext, KeySpec, KeySummary, Page, PageRequest, Signature, SpecOverrides, Tags};

use crate::check::survives_json;

/// What is read is written and read back as the same, and a spec that was read is one that can be asked for.
pub fn run(input: &[u8]) {
    if let Some(spec) = value::<KeySpec>(input) {
        let alg = spec.alg();
        assert!(spec.uses().iter().all(|one| alg.uses().contains(&one)) && !spec.uses().is_empty());
        assert_eq!(spec.overridden(&SpecOverrides::NONE).expect("nothing changes"), spec);
        if let Some(overrides) = value::<SpecOverrides>(input) {
            let _ = spec.overridden(&overrides);
        }
    }
    if let Some(overrides) = value::<SpecOverrides>(input)
        && let Some(alg) = overrides.alg
        && let Ok(spec) = KeySpec::new(alg).overridden(&overrides)
    {
        survives_json(&spec);
    }
    value::<Tags>(input);
    value::<Signature>(input);
    value::<Ciphertext>(input);
    value::<PageRequest>(input);
    value::<Page<KeySummary>>(input);
    value::<Capabilities>(input);
}

fn value<T: Serialize + DeserializeOwned + PartialEq + Debug>(input: &[u8]) -> Option<T> {
    let value = serde_json::from_slice::<T>(input).ok()?;
    survives_json(&value);
    Some(value)
}
