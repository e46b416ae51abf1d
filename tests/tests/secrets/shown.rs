//! Collects what values show of themselves, and looks for secrets in it.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::{Debug, Display};

use serde::Serialize;
use swarmauri_keyprovider_testkit::assert_no_secrets;
use swarmauri_keys::SecretBytes;

/// Everything that some values were made to show, each text once.
#[derive(Default)]
pub(crate) struct Shown {
    texts: BTreeSet<String>,
    values: usize,
}

impl Shown {
    pub(crate) fn debug(&mut self, value: &dyn Debug) {
        self.texts.extend([format!("{value:?}"), format!("{value:#?}"), format!("{value:x?}")]);
        self.values += 1;
    }

    pub(crate) fn display(&mut self, value: &dyn Display) {
        self.texts.extend([format!("{value}"), format!("{value:#}")]);
        self.values += 1;
    }

    /// An error, and what caused it.
    pub(crate) fn error(&mut self, error: &dyn Error) {
        let mut cause = Some(error);
        while let Some(error) = cause {
            self.debug(&error);
            self.display(&error);
            cause = error.source();
        }
    }

    /// The error, if it is one. What came of a success is dropped unseen.
    pub(crate) fn error_of<T, E: Error>(&mut self, result: Result<T, E>) {
        if let Err(error) = result {
            self.error(&error);
        }
    }

    /// In every format at hand.
    pub(crate) fn serialised(&mut self, value: &impl Serialize) {
        let json = serde_json::to_string(value).unwrap();
        let cbor = swarmauri_cbor::to_vec(value).unwrap();
        let pretty = serde_json::to_string_pretty(value).unwrap();
        let canonical = swarmauri_jsoncanon::to_string(value).unwrap();
        self.texts.extend([json, pretty, canonical, format!("{cbor:02x?}")]);
        self.values += 1;
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.texts.insert(text.to_owned());
        self.values += 1;
    }

    /// How many values showed something.
    pub(crate) fn values(&self) -> usize {
        self.values
    }

    #[track_caller]
    pub(crate) fn assert_free_of<'a>(&self, secrets: impl IntoIterator<Item = &'a SecretBytes>) {
        assert!(self.values > 0);
        let secrets: Vec<_> = secrets.into_iter().collect();
        assert!(!secrets.is_empty());
        let texts: Vec<_> = self.texts.iter().map(String::as_str).collect();
        assert_no_secrets(&texts.join("\n"), secrets);
    }

    /// For secrets that are text.
    #[track_caller]
    pub(crate) fn assert_free_of_text(&self, secret: &str) {
        let found = self.texts.iter().find(|text| text.contains(secret));
        assert_eq!(found, None, "a secret shows");
        self.assert_free_of([&SecretBytes::from(secret.as_bytes())]);
    }
}

#[test]
#[should_panic(expected = "holds secret bytes")]
fn what_shows_a_secret_is_found() {
    let secret: Vec<u8> = (100..132).collect();
    let mut shown = Shown::default();
    shown.debug(&secret);
    shown.assert_free_of([&secret.into()]);
}
