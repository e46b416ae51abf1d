//! The vocabulary of key providers.
//!
//! What a key is called ([`KeyId`], [`KeyVersion`]), what it is for ([`KeyAlg`], [`KeyUse`],
//! [`ExportPolicy`]), what it is to be ([`KeySpec`]), what a provider hands out ([`KeyRef`], [`PublicKey`],
//! [`Jwk`], [`JwkSet`], [`SecretBytes`]), and what goes wrong ([`KeyError`]).
//!
//! ```
//! use swarmauri_keys::{Jwk, KeyAlg, KeyId, KeyVersion, PublicKey};
//!
//! // RFC 8037 appendix A.2
//! let jwk: Jwk = serde_json::from_str(
//!     r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
//! )?;
//! // appendix A.3
//! assert_eq!(jwk.key.thumbprint().as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
//!
//! let id = KeyId::new("signing")?.at(KeyVersion::FIRST);
//! let published = Jwk::published(&id, KeyAlg::Ed25519, jwk.key);
//! assert_eq!(published.kid.as_deref(), Some("signing.1"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Values parse once: whoever holds one of these types holds a checked value. The crate does no I/O, knows
//! no async, and has no crypto engine: that a private key belongs to its public half, or that a point lies
//! on its curve, is checked by whoever imports it (`swarmauri-softkeys` for software keys).

mod alg;
mod asn1;
mod b64;
mod error;
mod fingerprint;
mod id;
mod jwk;
mod jwk_members;
mod jwk_private;
mod jwk_write;
mod key_ref;
mod material;
mod operation;
mod pem;
mod private_key;
mod public_key;
mod quoted;
mod rsa;
mod secret;
mod spec;
mod summary;
mod tags;

pub use alg::{ExportPolicy, KeyAlg, KeyClass, KeyState, KeyType, KeyUse, KeyUses};
pub use error::{KeyError, KeyErrorKind};
pub use fingerprint::Fingerprint;
pub use id::{KeyId, KeyVersion, KeyVersionId};
pub use jwk::{Jwk, JwkSet};
pub use key_ref::{KeyRef, KeyRefParts};
pub use material::{KeyMaterial, SecretMaterial};
pub use operation::{Acceptance, Ciphertext, KeyOperation, Signature, VerifyWith};
pub use private_key::PrivateKey;
pub use public_key::{P256Point, PublicKey, RsaPublicKey};
pub use quoted::quoted;
pub use secret::SecretBytes;
pub use spec::{KeySpec, KeySpecBuilder, MAX_LABEL_LEN, RSA_SIZES, SpecOverrides};
pub use summary::{Cursor, KeySummary, Page, PageRequest};
pub use tags::Tags;
