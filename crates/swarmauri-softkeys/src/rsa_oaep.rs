//! RSAES-OAEP with SHA-256 (RFC 8017 section 7.1), as RSA-OAEP-256 has it (RFC 7518 section 4.3): MGF1 with SHA-256.
//!
//! ring does not encrypt with RSA, hence the feature `rsa`.

#[cfg(feature = "rsa")]
pub(crate) use with_aws_lc::{Engine, decrypt, encrypt, engine};
#[cfg(not(feature = "rsa"))]
pub(crate) use without::{Engine, decrypt, encrypt, engine};

#[cfg(feature = "rsa")]
mod with_aws_lc {
    use aws_lc_rs::rsa::{
        OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
        PublicEncryptingKey,
    };
    use swarmauri_keys::{KeyError, PrivateKey, PublicKey, SecretBytes};
    use zeroize::Zeroizing;

    pub(crate) type Engine = OaepPrivateDecryptingKey;

    pub(crate) fn engine(key: &PrivateKey) -> Result<Engine, KeyError> {
        let refused = || KeyError::invalid_input("this is no RSA private key that can decrypt");
        let key = PrivateDecryptingKey::from_pkcs8(key.to_pkcs8_der().expose_secret());
        key.map_err(|_| refused()).and_then(|key| Engine::new(key).map_err(|_| refused()))
    }

    pub(crate) fn encrypt(public: &PublicKey, plaintext: &[u8], label: &[u8]) -> Result<Vec<u8>, KeyError> {
        let refused = || KeyError::invalid_input("this is no RSA public key that can encrypt");
        let key = PublicEncryptingKey::from_der(&public.to_spki_der()).map_err(|_| refused())?;
        let key = OaepPublicEncryptingKey::new(key).map_err(|_| refused())?;
        let most = key.max_plaintext_size(&OAEP_SHA256_MGF1SHA256);
        if plaintext.len() > most {
            return Err(KeyError::invalid_input(format!(
                "RSA-OAEP with this key encrypts at most {most} bytes, not {}; encrypt a content key with it",
                plaintext.len()
            )));
        }
        let mut ciphertext = vec![0; key.ciphertext_size()];
        let len = key
            .encrypt(&OAEP_SHA256_MGF1SHA256, plaintext, &mut ciphertext, some(label))
            .map_err(|_| KeyError::unavailable("the RSA engine did not encrypt"))?
            .len();
        ciphertext.truncate(len);
        Ok(ciphertext)
    }

    pub(crate) fn decrypt(key: &Engine, ciphertext: &[u8], label: &[u8]) -> Result<SecretBytes, KeyError> {
        let mut plaintext = Zeroizing::new(vec![0; key.min_output_size()]);
        let len = key
            .decrypt(&OAEP_SHA256_MGF1SHA256, ciphertext, &mut plaintext, some(label))
            .map_err(|_| KeyError::NotAuthentic)?
            .len();
        plaintext.truncate(len);
        Ok(plaintext.into())
    }

    /// The label that is not given is the empty one (RFC 8017 section 7.1.1).
    fn some(label: &[u8]) -> Option<&[u8]> {
        (!label.is_empty()).then_some(label)
    }
}

#[cfg(not(feature = "rsa"))]
mod without {
    use swarmauri_keys::{KeyAlg, KeyError, PrivateKey, PublicKey, SecretBytes};

    /// There is none without the feature.
    pub(crate) enum Engine {}

    pub(crate) fn engine(_: &PrivateKey) -> Result<Engine, KeyError> {
        Err(feature_is_off())
    }

    pub(crate) fn encrypt(_: &PublicKey, _: &[u8], _: &[u8]) -> Result<Vec<u8>, KeyError> {
        Err(feature_is_off())
    }

    pub(crate) fn decrypt(key: &Engine, _: &[u8], _: &[u8]) -> Result<SecretBytes, KeyError> {
        match *key {}
    }

    fn feature_is_off() -> KeyError {
        KeyError::unsupported_algorithm(
            KeyAlg::RsaOaepSha256,
            "to encrypt with RSA enable the feature `rsa` of swarmauri-softkeys",
        )
    }
}
