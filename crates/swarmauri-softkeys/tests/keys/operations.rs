//! What keys compute is what the RFCs print.

use base64ct::{Base64UrlUnpadded, Encoding};
use swarmauri_keys::{
    Ciphertext, KeyAlg, KeyError, KeyErrorKind, KeyMaterial, KeyOperation, KeyType, PrivateKey, PublicKey,
};
use swarmauri_softkeys::{SoftKey, UsableKey, operates};

use crate::support::{RSA_2048, hex, usable};

fn private(key_type: KeyType, raw: &str) -> KeyMaterial {
    KeyMaterial::Private(PrivateKey::from_raw(key_type, &hex(raw)).unwrap())
}

fn public(key_type: KeyType, raw: &str) -> KeyMaterial {
    KeyMaterial::Public(PublicKey::from_raw(key_type, &hex(raw)).unwrap())
}

fn imported(alg: KeyAlg, material: KeyMaterial, operation: KeyOperation) -> UsableKey {
    usable(SoftKey::import(alg, material).unwrap(), operation)
}

/// RFC 8032 section 7.1 tests 1 to 3: private key, public key, message, signature.
const ED25519: [[&str; 4]; 3] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555\
         fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da0\
         85ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac1\
         8ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
];

#[test]
fn ed25519_signatures_are_those_of_rfc_8032() {
    for [secret, public_half, message, signature] in ED25519 {
        let key = imported(KeyAlg::Ed25519, private(KeyType::Ed25519, secret), KeyOperation::Sign);
        let made = key.sign(&hex(message)).unwrap();
        assert_eq!(made.bytes, hex(signature));
        assert_eq!((made.id(), made.alg), (key.id().clone(), KeyAlg::Ed25519));
        let verifier = public(KeyType::Ed25519, public_half);
        let verifier = imported(KeyAlg::Ed25519, verifier, KeyOperation::Verify);
        verifier.verify(&hex(message), &hex(signature)).unwrap();
    }
}

/// RFC 7515 appendices A.1 and A.3, RFC 8037 appendices A.1 and A.4: the key as a JWK, and a compact JWS.
const JWS: [(KeyAlg, &str, &str); 3] = [
    (
        KeyAlg::HmacSha256,
        r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#,
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
         eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
         dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    ),
    (
        KeyAlg::EcdsaP256Sha256,
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#,
        "eyJhbGciOiJFUzI1NiJ9.\
         eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
         DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    ),
    (
        KeyAlg::Ed25519,
        r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
         hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    ),
];

#[test]
fn jose_signatures_are_those_of_the_rfcs() {
    for (alg, jwk, jws) in JWS {
        let (input, signature) = jws.rsplit_once('.').unwrap();
        let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
        let operation = if alg == KeyAlg::HmacSha256 { KeyOperation::Mac } else { KeyOperation::Sign };
        let key = imported(alg, KeyMaterial::from_jwk(alg, jwk.as_bytes()).unwrap(), operation);
        let made = if operation == KeyOperation::Mac {
            key.verify_mac(input.as_bytes(), &signature).unwrap();
            key.mac(input.as_bytes())
        } else {
            key.verify(input.as_bytes(), &signature).unwrap();
            key.sign(input.as_bytes())
        };
        let made = made.unwrap();
        assert_eq!(made.bytes.len(), signature.len(), "{alg}");
        // ECDSA draws a number, so that no two signatures are the same.
        assert_eq!(made.bytes == signature, alg != KeyAlg::EcdsaP256Sha256, "{alg}");
    }
}

/// RFC 4231 section 4.7 and 4.8; the keys of the other test cases are shorter than RFC 7518 section 3.2 wants.
#[test]
fn macs_are_those_of_rfc_4231() {
    for (message, mac) in [
        (
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            "This is a test using a larger than block-size key and a larger than block-size data. The key needs to \
             be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ] {
        let material = KeyMaterial::Symmetric(vec![0xaa; 131].into());
        let key = imported(KeyAlg::HmacSha256, material, KeyOperation::Mac);
        assert_eq!(key.mac(message.as_bytes()).unwrap().bytes, hex(mac));
        key.verify_mac(message.as_bytes(), &hex(mac)).unwrap();
    }
}

/// McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test case 16.
#[test]
fn aes_256_gcm_opens_the_vector_of_its_inventors() {
    let material = KeyMaterial::Symmetric(hex(&"feffe9928665731c6d6a8f9467308308".repeat(2)).into());
    let key = imported(KeyAlg::Aes256Gcm, material, KeyOperation::Decrypt);
    let sealed = Ciphertext {
        kid: key.id().kid.clone(),
        version: key.id().version,
        alg: KeyAlg::Aes256Gcm,
        nonce: hex("cafebabefacedbaddecaf888"),
        ciphertext: hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
             8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"),
        tag: hex("76fc6ece0f4e1768cddf8853bb2d551b"),
    };
    let opened = key.decrypt(&sealed, &hex("feedfacedeadbeeffeedfacedeadbeefabaddad2")).unwrap();
    let plaintext = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                     1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
    assert_eq!(opened.expose_secret(), hex(plaintext));
}

/// RFC 7748 section 6.1, from either side.
#[test]
fn x25519_agrees_on_the_secret_of_rfc_7748() {
    let alice = (
        "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    );
    let bob = (
        "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    );
    if !operates(KeyOperation::Agree, KeyAlg::X25519) {
        return;
    }
    for ((secret, _), (_, peer)) in [(alice, bob), (bob, alice)] {
        let key = imported(KeyAlg::X25519, private(KeyType::X25519, secret), KeyOperation::Agree);
        let peer = PublicKey::from_raw(KeyType::X25519, &hex(peer)).unwrap();
        assert_eq!(
            key.agree(&peer).unwrap().expose_secret(),
            hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
        );
    }
}

/// RFC 7748 section 6.1: what makes everybody agree on zeros; and a key of another type.
#[test]
fn an_agreement_that_is_none_is_refused() {
    if !operates(KeyOperation::Agree, KeyAlg::X25519) {
        return;
    }
    let key = usable(SoftKey::generate(KeyAlg::X25519, None).unwrap(), KeyOperation::Agree);
    let ed25519 = SoftKey::generate(KeyAlg::Ed25519, None).unwrap();
    for (peer, reason) in [
        (PublicKey::from_raw(KeyType::X25519, &[0; 32]).unwrap(), "small order"),
        (ed25519.public_key().unwrap().clone(), "not with one of type"),
    ] {
        let error = key.agree(&peer).unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::InvalidInput);
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn rsa_signs_with_either_set_of_features_and_encrypts_with_its_own() {
    let key = |alg, operation| imported(alg, KeyMaterial::from_pem(RSA_2048).unwrap(), operation);
    let pss = key(KeyAlg::RsaPssSha256, KeyOperation::Sign);
    let made = pss.sign(b"message").unwrap();
    assert!(made.bytes.len() == 256 && pss.is_slow());
    pss.verify(b"message", &made.bytes).unwrap();

    let oaep = key(KeyAlg::RsaOaepSha256, KeyOperation::Decrypt);
    let sealed = oaep.encrypt(b"text", b"label");
    if !operates(KeyOperation::Encrypt, KeyAlg::RsaOaepSha256) {
        let made_up = Ciphertext {
            kid: made.kid,
            version: made.version,
            alg: KeyAlg::RsaOaepSha256,
            nonce: Vec::new(),
            ciphertext: vec![1; 256],
            tag: Vec::new(),
        };
        for error in [sealed.unwrap_err(), oaep.decrypt(&made_up, b"").unwrap_err()] {
            assert_eq!(error.kind(), KeyErrorKind::UnsupportedAlgorithm);
            assert!(error.to_string().contains("feature `rsa`"), "{error}");
        }
        return;
    }
    let sealed = sealed.unwrap();
    assert_eq!((sealed.ciphertext.len(), sealed.nonce.len(), sealed.tag.len()), (256, 0, 0));
    assert_eq!(oaep.decrypt(&sealed, b"label").unwrap().expose_secret(), b"text");

    // RFC 8017 section 7.1.1: two hashes and two bytes are not the text's.
    let most = 256 - 66;
    let sealed = oaep.encrypt(&vec![7; most], b"").unwrap();
    assert_eq!(oaep.decrypt(&sealed, b"").unwrap().len(), most);
    let error = oaep.encrypt(&vec![7; most + 1], b"").unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::InvalidInput);
    assert!(error.to_string().contains("at most 190 bytes, not 191"), "{error}");
}

#[test]
fn the_empty_text_is_a_text_and_an_empty_key_is_none() {
    let aes = usable(SoftKey::generate(KeyAlg::Aes256Gcm, None).unwrap(), KeyOperation::Encrypt);
    let sealed = aes.encrypt(b"", b"").unwrap();
    assert!(sealed.ciphertext.is_empty() && aes.decrypt(&sealed, b"").unwrap().is_empty());
    let error = aes.wrap_key(&Vec::new().into()).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::InvalidInput);

    let rsa =
        imported(KeyAlg::RsaOaepSha256, KeyMaterial::from_pem(RSA_2048).unwrap(), KeyOperation::Encrypt);
    if operates(KeyOperation::Encrypt, KeyAlg::RsaOaepSha256) {
        let sealed = rsa.encrypt(b"", b"").unwrap();
        assert!(rsa.decrypt(&sealed, b"").unwrap().is_empty());
    }
}

/// A key asked for what its algorithm does not do says so, and does nothing else.
#[test]
fn misuse_is_the_callers_mistake() {
    let aes = usable(SoftKey::generate(KeyAlg::Aes256Gcm, None).unwrap(), KeyOperation::Encrypt);
    let ed25519 = usable(SoftKey::generate(KeyAlg::Ed25519, None).unwrap(), KeyOperation::Sign);
    let sealed = aes.encrypt(b"text", b"").unwrap();
    let peer = PublicKey::from_raw(KeyType::X25519, &[9; 32]).unwrap();
    let errors: Vec<(KeyError, &str)> = vec![
        (aes.sign(b"").unwrap_err(), "sign"),
        (aes.mac(b"").unwrap_err(), "mac"),
        (aes.verify(b"", b"").unwrap_err(), "verify"),
        (aes.verify_mac(b"", b"").unwrap_err(), "verify_mac"),
        (aes.agree(&peer).unwrap_err(), "agree"),
        (ed25519.encrypt(b"", b"").unwrap_err(), "encrypt"),
        (ed25519.decrypt(&sealed, b"").unwrap_err(), "decrypt"),
    ];
    for (error, operation) in errors {
        assert_eq!(error.kind(), KeyErrorKind::InvalidInput);
        assert!(error.to_string().ends_with(&format!("has no {operation}")), "{error}");
    }
}
