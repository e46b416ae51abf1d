//! What others have signed, computed, encrypted and agreed on.

use swarmauri_keys::{KeyAlg, KeyMaterial, P256Point, PublicKey};

use super::{ED25519, RSA, hex, hex32};

/// A signature or MAC that was made elsewhere.
pub(crate) struct Proof {
    pub(crate) name: &'static str,
    pub(crate) alg: KeyAlg,
    pub(crate) material: KeyMaterial,
    pub(crate) message: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
}

/// Signatures, with the public keys that verify them.
pub(crate) fn signatures() -> Vec<Proof> {
    let p256 = PublicKey::from(P256Point {
        x: hex32("7fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445"),
        y: hex32("c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad"),
    });
    let public = KeyMaterial::Public;
    vec![
        Proof {
            name: "RFC 8032 section 7.1, test 1",
            alg: KeyAlg::Ed25519,
            material: public(ED25519.public(KeyAlg::Ed25519)),
            message: Vec::new(),
            bytes: rfc_8032_test_1(),
        },
        Proof {
            name: "RFC 8037 appendix A.4",
            alg: KeyAlg::Ed25519,
            material: public(ED25519.public(KeyAlg::Ed25519)),
            message: b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".into(),
            bytes: hex(concat!(
                "860c98d2297f3060a33f42739672d61b53cf3adefed3d3c672f320dc021b411e",
                "9d59b8628dc351e248b88b29468e0e41855b0fb7d83bb15be902bfccb8cd0a02"
            )),
        },
        Proof {
            name: "RFC 7515 appendix A.3",
            alg: KeyAlg::EcdsaP256Sha256,
            material: public(p256),
            message: concat!(
                "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9l",
                "eGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
            )
            .into(),
            bytes: hex(concat!(
                "0ed1215379636c483c2f7f155807d402a3b228033af97c7e17819ac3169ea665",
                "c50a07d38c3c70e5d8f12daf084a5480a66590c5f293509a8f3f7f8a83a354d5"
            )),
        },
        Proof {
            name: "a PS256 signature of OpenSSL",
            alg: KeyAlg::RsaPssSha256,
            material: public(RSA.public(KeyAlg::RsaPssSha256)),
            message: b"made elsewhere".into(),
            bytes: hex(concat!(
                "0699e2cbae9ef4cc06f66a851f4ba79ea962285ad1e0d0e22c2975cb5c167821",
                "4451e8b2dbf58ac0819e656afb95ff75cde016c37feba5cd5ee9c0d2492b4174",
                "97b7e7cf1263885fad5a95758e0633bb1c7363271d39d36feab0dffa61be4927",
                "c0609d5a90ceffacf72766dffda5dcb9cd1b0cfea7ab90fc70fa05420a6cdba0",
                "d79c56e0f07f0610c1d74252d87b11a2bc988efa799f02e33ada9ef4d968ea6a",
                "b026c681e3f1877967aa46ab53b11414b1406f8d8384628ed282ec886917cedb",
                "8317b0d67fe05be907e56ae3a070295731103c6898ed79fbf3d2dfd586aa3e81",
                "0466a3b97844eef1942a6d0a2ea7a7f698102b3601092afefdb9b5f8fbfaaeda"
            )),
        },
    ]
}

/// RFC 8032 section 7.1, test 1: what the Ed25519 key makes of the empty message.
pub(crate) fn rfc_8032_test_1() -> Vec<u8> {
    hex(concat!(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155",
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    ))
}

/// The same signature, with the order of the group added to S.
pub(crate) fn rfc_8032_test_1_unreduced() -> Vec<u8> {
    hex(concat!(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155",
        "4c8c7872aa064e049dbb3013fbf29380d25bf5f0595bbe24655141438e7a101b"
    ))
}

/// MACs, with their keys: those that are long enough for HS256.
pub(crate) fn macs() -> Vec<Proof> {
    let mac = |name, key: Vec<u8>, message: &str, bytes| Proof {
        name,
        alg: KeyAlg::HmacSha256,
        material: KeyMaterial::Symmetric(key.into()),
        message: message.into(),
        bytes: hex(bytes),
    };
    vec![
        mac(
            "RFC 4231 section 4.7",
            vec![0xaa; 131],
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        mac(
            "RFC 4231 section 4.8",
            vec![0xaa; 131],
            "This is a test using a larger than block-size key and a larger than block-size data. \
             The key needs to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
        mac(
            "RFC 7515 appendix A.1",
            hex(concat!(
                "0323354b2b0fa5bc837e0665777ba68f5ab328e6f054c928a90f84b2d2502ebf",
                "d3fb5a92d20647ef968ab4c377623d223d2e2172052e4f08c0cd9af567d080a3"
            )),
            concat!(
                "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAs",
                "DQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
            ),
            "7418dfb49799e0254ffa607dd8adbbba16d4254d69d6bff05b58055853848d79",
        ),
    ]
}

/// Something that was encrypted elsewhere.
pub(crate) struct Sealed {
    pub(crate) name: &'static str,
    pub(crate) alg: KeyAlg,
    pub(crate) material: KeyMaterial,
    pub(crate) nonce: Vec<u8>,
    pub(crate) aad: Vec<u8>,
    pub(crate) plaintext: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) tag: Vec<u8>,
}

pub(crate) fn ciphertexts() -> [Sealed; 2] {
    [
        Sealed {
            name: "test case 16 of McGrew and Viega, The Galois/Counter Mode of Operation",
            alg: KeyAlg::Aes256Gcm,
            material: KeyMaterial::Symmetric(hex(&"feffe9928665731c6d6a8f9467308308".repeat(2)).into()),
            nonce: hex("cafebabefacedbaddecaf888"),
            aad: hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
            plaintext: hex(concat!(
                "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72",
                "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
            )),
            ciphertext: hex(concat!(
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa",
                "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
            )),
            tag: hex("76fc6ece0f4e1768cddf8853bb2d551b"),
        },
        Sealed {
            name: "an RSA-OAEP-256 ciphertext of OpenSSL, with a label",
            alg: KeyAlg::RsaOaepSha256,
            material: KeyMaterial::Private(RSA.private(KeyAlg::RsaOaepSha256)),
            nonce: Vec::new(),
            aad: b"a label".into(),
            plaintext: b"made elsewhere".into(),
            ciphertext: hex(concat!(
                "c8c7782e1505e134e5f588dc195ff10c2aa144b86ce91364b9e5134ee2a0c40e",
                "17b543bff38afb82ded504ffead17db4f2da8cf3c872dbd3731cc4056dd4b41a",
                "e55cd0c05ee4113e01c623beffa295c2e189f3983bbc867d9da717356d62b3b6",
                "7dc10b10399b8b9dfcf231f538231ee37454e5fd0412f8100552bdba735fed68",
                "d530710d3afabc611e9333a302d2ec29403f68ff06c922d132a1e40f579f27d3",
                "3fec40d027317464f52455587fba0a12c53766e649992e4d6a405585d720191f",
                "55bb4dadbba1d6cf75df0d3dafae6d3a38c2665158c09e1d623c7f01cba1a1e6",
                "4097b2083d8625678f1321a2d217c69be966cbb9d2e05d7e39d358dfb879670d"
            )),
            tag: Vec::new(),
        },
    ]
}

/// RFC 7748 section 6.1: what the X25519 key agrees on with Alice's, which is its `foreign_public`.
pub(crate) fn agreement() -> [u8; 32] {
    hex32("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
}

/// Points of Curve25519 whose order divides 8, in the encodings that RFC 7748 section 5 decodes.
pub(crate) fn small_order() -> [[u8; 32]; 6] {
    [
        [0; 32],
        hex32("0100000000000000000000000000000000000000000000000000000000000000"),
        hex32("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        hex32("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        hex32("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        hex32("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ]
}
