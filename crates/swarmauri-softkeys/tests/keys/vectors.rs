//! The public half that is derived is the one the RFCs print.

use swarmauri_keys::{KeyAlg, KeyMaterial, KeyType, PrivateKey};
use swarmauri_softkeys::{SoftKey, imports};

use crate::support::hex;

/// RFC 8032 section 7.1 tests 1 to 3, RFC 7748 section 6.1 (Alice, Bob), RFC 6979 appendix A.2.5: algorithm,
/// private key, public key.
const VECTORS: [(KeyAlg, &str, &str); 6] = [
    (
        KeyAlg::Ed25519,
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    ),
    (
        KeyAlg::Ed25519,
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    ),
    (
        KeyAlg::Ed25519,
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    ),
    (
        KeyAlg::X25519,
        "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    ),
    (
        KeyAlg::X25519,
        "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    ),
    (
        KeyAlg::EcdsaP256Sha256,
        "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
        "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
         7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
    ),
];

#[test]
fn derived_public_halves_are_those_of_the_rfcs() {
    for (alg, secret, public) in VECTORS.into_iter().filter(|(alg, ..)| imports(*alg)) {
        let raw = PrivateKey::from_raw(alg.key_type(), &hex(secret)).unwrap();
        let key = SoftKey::import(alg, KeyMaterial::Private(raw)).unwrap();
        assert_eq!(key.public_key().unwrap().to_raw().unwrap(), hex(public), "{alg}");
        assert_eq!(*key.fingerprint(), key.public_key().unwrap().thumbprint());
    }
}

/// RFC 7748 section 5: clamping happens in use, so that these bits of a private key make no difference.
#[test]
fn any_32_bytes_are_an_x25519_key() {
    if !imports(KeyAlg::X25519) {
        return;
    }
    let mut clamped = hex(VECTORS[3].1);
    clamped[0] &= 0xf8;
    clamped[31] = clamped[31] & 0x7f | 0x40;
    for raw in [hex(VECTORS[3].1), clamped] {
        let key = PrivateKey::from_raw(KeyType::X25519, &raw).unwrap();
        let key = SoftKey::import(KeyAlg::X25519, KeyMaterial::Private(key)).unwrap();
        assert_eq!(key.public_key().unwrap().to_raw().unwrap(), hex(VECTORS[3].2));
    }
}
