//! Keys to test with, and how to put them into CBOR.

#![expect(clippy::expect_used, reason = "a wrong fixture should fail its tests at once")]

use swarmauri_cbor::cose::{Error, key_from_slice};
use swarmauri_cbor::{Value, value_to_vec};
use swarmauri_keys::{Jwk, P256Point, PublicKey, RsaPublicKey};

use crate::common::unhex;

/// The entries of a COSE_Key.
pub(crate) type Entries = Vec<(i64, Value)>;

/// An EC2 key of RFC 9052 appendix C.7: kid, crv, x, y, d.
pub(crate) struct Ec2(
    pub(crate) &'static str,
    pub(crate) i64,
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) &'static str,
);

pub(crate) const MERIADOC: Ec2 = Ec2(
    "meriadoc.brandybuck@buckland.example",
    1,
    "65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d",
    "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c",
    "aff907c99f9ad3aae6c4cdf21122bce2bd68b5283e6907154ad911840fa208cf",
);
pub(crate) const ELEVEN: Ec2 = Ec2(
    "11",
    1,
    "bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff",
    "20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e",
    "57c92077664146e876760c9520d054aa93c3afb04e306705db6090308507b4d3",
);
pub(crate) const BILBO: Ec2 = Ec2(
    "bilbo.baggins@hobbiton.example",
    3,
    "0072992cb3ac08ecf3e5c63dedec0d51a8c1f79ef2f82f94f3c737bf5de7986671eac625fe8257bbd0394644caaa3aaf8f27a4585fb
     bcad0f2457620085e5c8f42ad",
    "01dca6947bce88bc5790485ac97427342bc35f887d86d65a089377e247e60baa55e4e8501e2ada5724ac51d6909008033ebc10ac999
     b9d7f5cc2519f3fe1ea1d9475",
    "00085138ddabf5ca975f5860f91a08e91d6d5f9a76ad4018766a476680b55cd339e8ab6c72b5facdb2a2a50ac25bd086647dd3e2e6e
     99e84ca2c3609fdf177feb26d",
);
pub(crate) const PEREGRIN: Ec2 = Ec2(
    "peregrin.took@tuckborough.example",
    1,
    "98f50a4ff6c05861c8860d13a638ea56c3f5ad7590bbfbf054e1c7b4d91d6280",
    "f01400b089867804b8e9fc96c3932161f1934f4223069170d924b7e03bf822bb",
    "02d1f7e6f26c43d4868d87ceb2353161740aacf1f7163647984b522a848df1c3",
);

/// The symmetric keys of appendix C.7.2: kid, k.
pub(crate) const SYMMETRIC: [(&str, &str); 3] = [
    ("our-secret", "849b57219dae48de646d07dbb533566e976686457c1491be3a76dcea6c427188"),
    ("our-secret2", "849b5786457c1491be3a76dcea6c4271"),
    (
        "018c0ae5-4d9b-471b-bfd6-eef314bc7037",
        "849b57219dae48de646d07dbb533566e976686457c1491be3a76dcea6c427188",
    ),
];

impl Ec2 {
    pub(crate) fn public(&self) -> Entries {
        let Self(kid, crv, x, y, _) = self;
        vec![
            (1, 2.into()),
            (2, kid.as_bytes().into()),
            (-1, (*crv).into()),
            (-2, unhex(x).into()),
            (-3, unhex(y).into()),
        ]
    }

    pub(crate) fn private(&self) -> Entries {
        [self.public(), vec![(-4, unhex(self.4).into())]].concat()
    }

    pub(crate) fn jwk(&self) -> Jwk {
        let point = P256Point { x: octets_32(self.2), y: octets_32(self.3) };
        Jwk { kid: Some(self.0.to_owned()), ..bare(point.into()) }
    }
}

pub(crate) fn symmetric((kid, k): (&str, &str)) -> Entries {
    vec![(1, 4.into()), (2, kid.as_bytes().into()), (-1, unhex(k).into())]
}

pub(crate) fn octets_32(hex: &str) -> [u8; 32] {
    unhex(hex).try_into().expect("32 bytes")
}

pub(crate) fn bare(key: PublicKey) -> Jwk {
    Jwk { key, kid: None, alg: None, use_: None, key_ops: None }
}

pub(crate) fn map(entries: Entries) -> Value {
    Value::Map(entries.into_iter().map(|(label, value)| (label.into(), value)).collect())
}

pub(crate) fn encode(value: &Value) -> Vec<u8> {
    value_to_vec(value).expect("CBOR")
}

pub(crate) fn read(entries: Entries) -> Result<Jwk, Error> {
    key_from_slice(&encode(&map(entries)))
}

pub(crate) fn set(keys: Vec<Entries>) -> Vec<u8> {
    encode(&Value::Array(keys.into_iter().map(map).collect()))
}

/// RFC 8032 section 7.1, test 1.
pub(crate) const ED25519: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
/// RFC 7748 section 6.1, Alice.
pub(crate) const X25519: &str = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";

pub(crate) fn rsa() -> RsaPublicKey {
    RsaPublicKey::new(&[0xfb; 256], &[1, 0, 1]).expect("a modulus of 2048 bits")
}
