//! The JWKS in deterministic encodings, so that documents can be compared, hashed and signed.

use swarmauri_keyprovider::{JwksQuery, KeyProvider};
use swarmauri_keys::KeyError;

use crate::provider::MirroredKeyProvider;

impl MirroredKeyProvider {
    /// The JWKS as canonical JSON (RFC 8785).
    ///
    /// # Errors
    ///
    /// Those of [`KeyProvider::jwks`].
    #[cfg(feature = "jsoncanon")]
    pub async fn jwks_canonical_json(&self, query: &JwksQuery) -> Result<Vec<u8>, KeyError> {
        let set = self.jwks(query).await?;
        swarmauri_jsoncanon::to_vec(&*set)
            .map_err(|error| KeyError::invalid_state(format!("canonical JSON of the JWKS: {error}")))
    }

    /// The JWKS as a COSE_KeySet (RFC 9052 section 7) in deterministic CBOR (RFC 8949 section 4.2).
    ///
    /// # Errors
    ///
    /// Those of [`KeyProvider::jwks`]; [`KeyError::InvalidState`] if a foreign key of the secondary has a
    /// member that COSE cannot express, or if there is no key: a COSE_KeySet has at least one.
    #[cfg(feature = "cbor")]
    pub async fn jwks_cbor(&self, query: &JwksQuery) -> Result<Vec<u8>, KeyError> {
        let set = self.jwks(query).await?;
        swarmauri_cbor::cose::keyset_to_vec(&set)
            .map_err(|error| KeyError::invalid_state(format!("COSE_KeySet of the JWKS: {error}")))
    }
}
