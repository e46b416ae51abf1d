//! RSASSA-PSS with SHA-256 (RFC 8017 section 8.1), as PS256 has it (RFC 7518 section 3.5): MGF1 with SHA-256, a salt
//! of 32 bytes.

use ring::rand::SystemRandom;
use ring::signature::{RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use swarmauri_keys::{KeyError, PrivateKey, RsaPublicKey};

pub(crate) fn engine(key: &PrivateKey) -> Result<RsaKeyPair, KeyError> {
    RsaKeyPair::from_der(key.expose_secret())
        .map_err(|_| KeyError::invalid_input("this is no RSA private key that can sign"))
}

pub(crate) fn sign(pair: &RsaKeyPair, message: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), message, &mut signature)
        .map_err(|_| KeyError::unavailable("the RSA engine gave no signature"))?;
    Ok(signature)
}

pub(crate) fn verify(public: &RsaPublicKey, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
    RsaPublicKeyComponents { n: public.n(), e: public.e() }
        .verify(&RSA_PSS_2048_8192_SHA256, message, signature)
        .map_err(|_| KeyError::NotAuthentic)
}
