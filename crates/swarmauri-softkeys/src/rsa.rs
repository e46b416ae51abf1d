//! RSA keys (RFC 8017).

use crypto_bigint::{BoxedUint, NonZero};
use pkcs1::RsaPrivateKeyRef;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PSS_SHA256, RsaKeyPair};
use swarmauri_keys::{KeyAlg, KeyError, PrivateKey, PublicKey, RSA_SIZES};
use zeroize::Zeroizing;

#[cfg(feature = "rsa")]
const DEFAULT_BITS: u32 = 3072;

/// With the exponent 65537.
#[cfg(feature = "rsa")]
pub(crate) fn generate(_: KeyAlg, size_bits: Option<u32>) -> Result<PrivateKey, KeyError> {
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::{KeyPair, KeySize};

    let size = match size_bits.unwrap_or(DEFAULT_BITS) {
        2048 => KeySize::Rsa2048,
        3072 => KeySize::Rsa3072,
        4096 => KeySize::Rsa4096,
        other => return Err(wrong_size(other)),
    };
    let failed = |_| KeyError::unavailable("RSA key generation failed");
    let pkcs8 = KeyPair::generate(size).and_then(|pair| pair.as_der()).map_err(failed)?;
    PrivateKey::from_pkcs8_der(pkcs8.as_ref())
}

#[cfg(not(feature = "rsa"))]
pub(crate) fn generate(alg: KeyAlg, size_bits: Option<u32>) -> Result<PrivateKey, KeyError> {
    if let Some(other) = size_bits.filter(|bits| !RSA_SIZES.contains(bits)) {
        return Err(wrong_size(other));
    }
    Err(KeyError::unsupported_algorithm(
        alg,
        "to generate RSA keys enable the feature `rsa` of swarmauri-softkeys; importing them works",
    ))
}

/// The public half that the private numbers contain, after proof that they make a key.
pub(crate) fn derive(key: &PrivateKey) -> Result<PublicKey, KeyError> {
    let der = key.expose_secret();
    let inside = PrivateKey::from_pkcs1_der(der)?;
    let public = inside.public_key().ok_or_else(|| inconsistent("it has no public half"))?;
    let bits = public.size_bits().unwrap_or_default();
    if !RSA_SIZES.contains(&bits) {
        return Err(wrong_size(bits));
    }
    check_exponent(public)?;
    let pair = RsaKeyPair::from_der(der).map_err(|rejected| inconsistent(&rejected.to_string()))?;
    prove_crt_exponents(&pair)?;
    check_private_exponent(der)?;
    Ok(public.clone())
}

/// FIPS 186-5 section 5.4 wants more than 2^16 where keys are made, and so does ring.
fn check_exponent(public: &PublicKey) -> Result<(), KeyError> {
    // Big-endian without leading zeros: the longer is the larger.
    const LEAST: &[u8] = &[1, 0, 1];
    let enough = |e: &[u8]| e.len() > LEAST.len() || e.len() == LEAST.len() && e >= LEAST;
    match public {
        PublicKey::Rsa(numbers) if enough(numbers.e()) => Ok(()),
        _ => Err(KeyError::invalid_input("a private RSA key has a public exponent of at least 65537")),
    }
}

/// ring checks p·q = n and the inverse of q; that dp and dq fit e shows in its refusal to give out a
/// signature that e does not verify.
fn prove_crt_exponents(pair: &RsaKeyPair) -> Result<(), KeyError> {
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), b"consistency", &mut signature)
        .map_err(|_| inconsistent("dp or dq does not fit the public exponent"))
}

/// ring makes no use of d, others do: it must agree with dp and dq.
fn check_private_exponent(der: &[u8]) -> Result<(), KeyError> {
    let key = RsaPrivateKeyRef::try_from(der).map_err(|_| inconsistent("it is not PKCS#1"))?;
    let fits = |prime: &[u8], exponent: &[u8]| {
        let one_less = Zeroizing::new(number(prime)?.wrapping_sub(BoxedUint::one()));
        let modulus = Zeroizing::new(NonZero::new(BoxedUint::clone(&one_less)).into_option()?);
        let remainder = Zeroizing::new(number(key.private_exponent.as_bytes())?.rem(&*modulus));
        Some(*remainder == *number(exponent)?)
    };
    let p = fits(key.prime1.as_bytes(), key.exponent1.as_bytes());
    let q = fits(key.prime2.as_bytes(), key.exponent2.as_bytes());
    if p == Some(true) && q == Some(true) {
        return Ok(());
    }
    Err(inconsistent("d does not fit dp and dq"))
}

/// All in one width, so that they compare.
fn number(digits: &[u8]) -> Option<Zeroizing<BoxedUint>> {
    BoxedUint::from_be_slice(digits, 4096).ok().map(Zeroizing::new)
}

fn inconsistent(why: &str) -> KeyError {
    KeyError::invalid_input(format!("the numbers of this RSA private key make no usable key: {why}"))
}

fn wrong_size(bits: u32) -> KeyError {
    let sizes = RSA_SIZES.map(|bits| bits.to_string()).join(", ");
    KeyError::invalid_input(format!("an RSA private key has one of {sizes} bits, not {bits}"))
}
