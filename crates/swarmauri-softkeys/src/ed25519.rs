//! Ed25519 keys (RFC 8032).

use crypto_bigint::{JacobiSymbol, NonZero, Odd, U256};
use parking_lot::Mutex;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use swarmauri_keys::{KeyError, KeyType, PrivateKey, PublicKey};

use crate::random_bytes;

/// Any 32 bytes are a private key (RFC 8032 section 5.1.5).
pub(crate) fn generate() -> Result<PrivateKey, KeyError> {
    let key = PrivateKey::from_raw(KeyType::Ed25519, random_bytes(32)?.expose_secret())?;
    let public = derive(&key)?;
    Ok(key.with_public_key(public))
}

pub(crate) fn derive(key: &PrivateKey) -> Result<PublicKey, KeyError> {
    let public = PublicKey::from_raw(KeyType::Ed25519, engine(key)?.public_key().as_ref())?;
    if let PublicKey::Ed25519(raw) = &public {
        remember(raw);
    }
    Ok(public)
}

pub(crate) fn engine(key: &PrivateKey) -> Result<Ed25519KeyPair, KeyError> {
    Ed25519KeyPair::from_seed_unchecked(key.expose_secret())
        .map_err(|_| KeyError::invalid_input("this is no Ed25519 private key"))
}

/// EdDSA (RFC 8032 section 5.1.6; RFC 8037 section 3.1).
pub(crate) fn sign(pair: &Ed25519KeyPair, message: &[u8]) -> Vec<u8> {
    pair.sign(message).as_ref().to_vec()
}

pub(crate) fn verify(public: &[u8; 32], message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).map_err(|_| KeyError::NotAuthentic)
}

/// Refuses what RFC 8032 section 5.1.3 cannot decode, and the points of small order: under them one signature
/// fits many messages.
pub(crate) fn check_public(raw: &[u8; 32]) -> Result<(), KeyError> {
    if was_derived(raw) {
        return Ok(());
    }
    let mut digits = *raw;
    // The topmost bit is the sign of x.
    digits[31] &= 0x7f;
    let y = U256::from_le_slice(&digits);
    if SMALL_ORDER.contains(&y) {
        return Err(KeyError::invalid_input("this Ed25519 public key is a point of small order"));
    }
    if y < PRIME && is_on_curve(&y) {
        return Ok(());
    }
    Err(KeyError::invalid_input("this Ed25519 public key is not a point on the curve"))
}

/// Public keys that were derived here of late, each in the place of its first byte; all zeros is none. What was derived is
/// a point, and none of small order: a mirror that puts a new key on its secondary need not have it proved again, which
/// takes a third of the time of generating it.
static DERIVED: [Mutex<[u8; 32]>; 256] = [const { Mutex::new([0; 32]) }; 256];

fn remember(raw: &[u8; 32]) {
    if let Some(place) = DERIVED.get(usize::from(raw[0])) {
        *place.lock() = *raw;
    }
}

fn was_derived(raw: &[u8; 32]) -> bool {
    DERIVED.get(usize::from(raw[0])).is_some_and(|place| *place.lock() == *raw && *raw != [0; 32])
}

/// Whether some x makes -x² + y² = 1 + d·x²·y², that is, whether (y² - 1) / (d·y² + 1) is a square.
fn is_on_curve(y: &U256) -> bool {
    let Some(prime) = NonZero::new(PRIME).into_option() else {
        return false;
    };
    let Some(odd_prime) = Odd::new(PRIME).into_option() else {
        return false;
    };
    let y_squared = y.square_mod_vartime(&prime);
    let numerator = y_squared.sub_mod(&U256::ONE, &prime);
    let denominator = D.mul_mod_vartime(&y_squared, &prime).add_mod(&U256::ONE, &prime);
    // u/v is a square just when u·v is; and v is never zero, for -1/d is no square.
    numerator.mul_mod_vartime(&denominator, &prime).jacobi_symbol_vartime(&odd_prime)
        != JacobiSymbol::MinusOne
}

/// 2^255 - 19
const PRIME: U256 = U256::from_be_hex("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
/// RFC 8032 section 5.1
const D: U256 = U256::from_be_hex("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3");
/// The y of the eight points whose order divides 8.
const SMALL_ORDER: [U256; 5] = [
    U256::ZERO,
    U256::ONE,
    U256::from_le_hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    U256::from_le_hex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    U256::from_le_hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_derived_is_known_and_nothing_else() {
        let PublicKey::Ed25519(raw) = generate().unwrap().public_key().unwrap().clone() else {
            panic!("of another type")
        };
        assert!(was_derived(&raw));
        for byte in 0..32 {
            let mut other = raw;
            other[byte] ^= 1;
            assert!(!was_derived(&other));
        }
        assert!(!was_derived(&[0; 32]), "a point of small order");
        assert!(check_public(&[0; 32]).is_err());
    }
}
