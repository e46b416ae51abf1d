//! The record of a key: what is written of it, sealed under a key of its own.

use serde::{Deserialize, Serialize};
use swarmauri_cbor::{Value, from_slice_deterministic, to_vec};
use swarmauri_keys::{
    Fingerprint, KeyError, KeyId, KeyMaterial, KeySpec, KeyState, KeyVersion, PrivateKey, PublicKey,
    SecretBytes, SecretMaterial,
};
use swarmauri_softkeys::{KeyHistory, SoftKey, VersionRecord, hkdf_sha256, random_bytes};
use zeroize::Zeroizing;

use crate::aead::{self, KEY_LEN, Sealed, TAG_LEN};
use crate::form::{self, FORMAT, damaged};

/// What the places of all records start with; the `kid` follows.
pub(crate) const PREFIX: &str = "keys/key/";

/// Binds the keys of records to this use of the root key.
const INFO: &[u8] = b"swarmauri-keyprovider-stored record 1: ";

const SALT_LEN: usize = 32;

/// Seals and opens records.
#[derive(Debug, Clone)]
pub(crate) struct Sealer {
    root: SecretBytes,
}

/// What is sealed, but for the material, which stands behind it: encoders wipe nothing.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    format: u64,
    kid: KeyId,
    sequence: u64,
    last: KeyVersion,
    /// None: it is destroyed.
    versions: Vec<BodyVersion>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BodyVersion {
    version: KeyVersion,
    spec: KeySpec,
    state: KeyState,
    fingerprint: Fingerprint,
    /// How many encryptions are reserved.
    encryptions: u64,
    form: Form,
    /// The length of the material, in bytes.
    len: u64,
}

/// How material is written.
#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Form {
    /// The octets of a symmetric key.
    Octets,
    /// A private key.
    Pkcs8,
    /// A public key alone.
    Spki,
}

/// Where the record of a key lies.
pub(crate) fn place(kid: &KeyId) -> String {
    format!("{PREFIX}{kid}")
}

impl Sealer {
    pub(crate) fn new(root: SecretBytes) -> Self {
        Self { root }
    }

    pub(crate) fn root(&self) -> &SecretBytes {
        &self.root
    }

    /// The bytes of a record: an array of format, sequence number, salt, nonce, and what is sealed.
    pub(crate) fn seal(&self, history: &KeyHistory, sequence: u64) -> Result<Vec<u8>, KeyError> {
        let place = place(history.kid());
        // A salt, and so a key, for each time that it is written: no key seals twice.
        let salt = random_bytes(SALT_LEN)?.expose_secret().to_vec();
        let key = self.key(&place, &salt)?;
        let Sealed { nonce, text } =
            aead::seal(&key, &aad(&place, sequence)?, plaintext(history, sequence)?)?;
        form::write([Value::from(sequence), Value::Bytes(salt), Value::Bytes(nonce), Value::Bytes(text)])
    }

    /// Reads a record, and its sequence number. Material that is known already is not taken over anew.
    ///
    /// # Errors
    ///
    /// [`KeyError::Integrity`] that names the place; [`KeyError::UnsupportedAlgorithm`] for a key that this program is
    /// built without.
    pub(crate) fn open(
        &self,
        kid: &KeyId,
        value: &[u8],
        known: Option<&KeyHistory>,
    ) -> Result<(u64, KeyHistory), KeyError> {
        let place = place(kid);
        let [sequence, salt, nonce, text] = form::read(&place, value)?;
        let parts =
            || Some((form::number(&sequence)?, form::bytes(salt)?, form::bytes(nonce)?, form::bytes(text)?));
        let (sequence, salt, nonce, text) =
            parts().ok_or_else(|| damaged(&place, "its parts make no record"))?;
        let key = self.key(&place, &salt)?;
        let opened = aead::open(&key, &aad(&place, sequence)?, &Sealed { nonce, text })?
            .ok_or_else(|| damaged(&place, "it is not what was sealed there"))?;
        let history = read(kid, sequence, &opened, known).map_err(|error| match error {
            KeyError::UnsupportedAlgorithm { .. } => error,
            other => damaged(&place, other),
        })?;
        Ok((sequence, history))
    }

    fn key(&self, place: &str, salt: &[u8]) -> Result<SecretBytes, KeyError> {
        hkdf_sha256(&self.root, salt, &[INFO, place.as_bytes()].concat(), KEY_LEN)
    }
}

/// A record is bound to its place, and to its number in the sequence of those that were there.
fn aad(place: &str, sequence: u64) -> Result<Vec<u8>, KeyError> {
    form::write([Value::from(place), Value::from(sequence)])
}

/// The length of the body, the body, and the material of each version one after the other.
fn plaintext(history: &KeyHistory, sequence: u64) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let (mut versions, mut material) = (Vec::new(), Vec::new());
    for version in history.versions() {
        let VersionRecord { version, spec, state, key, reserved } = version?;
        let (form, bytes) = written(&key)?;
        versions.push(BodyVersion {
            version,
            spec,
            state,
            fingerprint: key.fingerprint().clone(),
            encryptions: reserved,
            form,
            len: bytes.len() as u64,
        });
        material.push(bytes);
    }
    let (kid, last) = (history.kid().clone(), history.last());
    let body = to_vec(&Body { format: FORMAT, kid, sequence, last, versions });
    let body = body.map_err(|error| KeyError::invalid_state(format!("a key has no encoding: {error}")))?;
    let header = u32::try_from(body.len()).map_err(|_| KeyError::invalid_state("a key is too large"))?;
    let len = size_of::<u32>() + body.len() + material.iter().map(SecretBytes::len).sum::<usize>() + TAG_LEN;
    // All at once, so that no part is left behind where it was before.
    let mut text = Zeroizing::new(Vec::with_capacity(len));
    text.extend_from_slice(&header.to_be_bytes());
    text.extend_from_slice(&body);
    for bytes in &material {
        text.extend_from_slice(bytes.expose_secret());
    }
    Ok(text)
}

fn written(key: &SoftKey) -> Result<(Form, SecretBytes), KeyError> {
    match (key.secret(), key.public_key()) {
        (Some(SecretMaterial::Symmetric(octets)), _) => Ok((Form::Octets, octets)),
        (Some(SecretMaterial::Private(private)), _) => Ok((Form::Pkcs8, private.to_pkcs8_der())),
        (None, Some(public)) => Ok((Form::Spki, public.to_spki_der().into())),
        (None, None) => Err(KeyError::invalid_state("a key without any material")),
    }
}

fn read(kid: &KeyId, sequence: u64, text: &[u8], known: Option<&KeyHistory>) -> Result<KeyHistory, KeyError> {
    let malformed = || KeyError::integrity("its parts have other lengths than it says");
    let (len, rest) = text.split_first_chunk().ok_or_else(malformed)?;
    let len = usize::try_from(u32::from_be_bytes(*len)).map_err(|_| malformed())?;
    let (body, mut material) = rest.split_at_checked(len).ok_or_else(malformed)?;
    let body: Body =
        from_slice_deterministic(body).map_err(|error| KeyError::integrity(error.to_string()))?;
    if body.format != FORMAT || body.kid != *kid || body.sequence != sequence {
        return Err(KeyError::integrity("it was sealed for another place"));
    }
    let mut versions = Vec::with_capacity(body.versions.len());
    for version in body.versions {
        let len = usize::try_from(version.len).map_err(|_| malformed())?;
        let (bytes, rest) = material.split_at_checked(len).ok_or_else(malformed)?;
        material = rest;
        versions.push(version.restored(bytes, known)?);
    }
    if !material.is_empty() {
        return Err(malformed());
    }
    KeyHistory::restored(kid.clone(), body.last, versions)
}

impl BodyVersion {
    fn restored(self, material: &[u8], known: Option<&KeyHistory>) -> Result<VersionRecord, KeyError> {
        let Self { version, spec, state, fingerprint, encryptions, form, len: _ } = self;
        let same = known.and_then(|known| known.key(version));
        let same = same.filter(|key| *key.fingerprint() == fingerprint && key.alg() == spec.alg());
        let key = match same {
            Some(key) => key,
            None => SoftKey::import(spec.alg(), form.read(material)?)?,
        };
        if *key.fingerprint() != fingerprint {
            return Err(KeyError::integrity(format!("version {version} has another fingerprint")));
        }
        Ok(VersionRecord { version, spec, state, key, reserved: encryptions })
    }
}

impl Form {
    fn read(self, material: &[u8]) -> Result<KeyMaterial, KeyError> {
        match self {
            Self::Octets => Ok(KeyMaterial::Symmetric(material.into())),
            Self::Pkcs8 => PrivateKey::from_pkcs8_der(material).map(KeyMaterial::Private),
            Self::Spki => PublicKey::from_spki_der(material).map(KeyMaterial::Public),
        }
    }
}
