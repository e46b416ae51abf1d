//! RSA keys: the public numbers, and PKCS#1 (RFC 8017 appendix A.1).

use std::fmt;
use std::sync::Arc;

use pkcs1::{RsaPrivateKeyRef, RsaPublicKeyRef};
use zeroize::Zeroizing;

use crate::asn1::{self, Format, SEQUENCE, strip_zeros, tlv, unsigned};
use crate::{KeyError, b64};

/// An RSA public key: 2048 to 8192 bits, an odd exponent from 3 to 2^33 - 1. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RsaPublicKey {
    n: Arc<[u8]>,
    e: Arc<[u8]>,
}

impl RsaPublicKey {
    /// The shortest modulus, in bits.
    pub const MIN_BITS: u32 = 2048;
    /// The longest modulus, in bits.
    pub const MAX_BITS: u32 = 8192;
    /// The largest exponent: beyond it lies only cost for whoever verifies.
    const MAX_EXPONENT: u64 = (1 << 33) - 1;

    /// From modulus and exponent, big-endian, leading zeros allowed.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidInput`] if the modulus is even, or has under 2048 or over 8192 bits, or if the
    /// exponent is even, under 3, or over 2^33 - 1.
    pub fn new(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        let (n, e) = (strip_zeros(n), strip_zeros(e));
        let bits = bit_len(n);
        if !(Self::MIN_BITS..=Self::MAX_BITS).contains(&bits) {
            return Err(KeyError::invalid_input(format!(
                "an RSA modulus has {} to {} bits, this one has {bits}",
                Self::MIN_BITS,
                Self::MAX_BITS
            )));
        }
        if n.last().is_none_or(|last| last % 2 == 0) {
            return Err(KeyError::invalid_input("an RSA modulus is odd, this one is even"));
        }
        let exponent = e.iter().try_fold(0_u64, |sum, digit| Some(sum.checked_mul(256)? | u64::from(*digit)));
        match exponent {
            Some(3..=Self::MAX_EXPONENT) if e.last().is_some_and(|last| last % 2 == 1) => {
                Ok(Self { n: n.into(), e: e.into() })
            }
            _ => Err(KeyError::invalid_input(format!(
                "an RSA public exponent is an odd number from 3 to {}, this one is {}",
                Self::MAX_EXPONENT,
                exponent.map_or("larger".to_owned(), |exponent| exponent.to_string())
            ))),
        }
    }

    /// The modulus, big-endian, without leading zeros.
    pub fn n(&self) -> &[u8] {
        &self.n
    }

    /// The public exponent, big-endian, without leading zeros.
    pub fn e(&self) -> &[u8] {
        &self.e
    }

    /// The length of the modulus in bits.
    pub fn size_bits(&self) -> u32 {
        bit_len(&self.n)
    }

    pub(crate) fn to_pkcs1_der(&self) -> Vec<u8> {
        tlv(SEQUENCE, &[&unsigned(&self.n), &unsigned(&self.e)]).to_vec()
    }

    pub(crate) fn from_pkcs1_der(der: &[u8]) -> Result<Self, KeyError> {
        let key: RsaPublicKeyRef<'_> = Format::Pkcs1Public.decode(der)?;
        Self::new(key.modulus.as_bytes(), key.public_exponent.as_bytes())
    }
}

impl fmt::Debug for RsaPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaPublicKey")
            .field("n", &b64::encode(&self.n))
            .field("e", &b64::encode(&self.e))
            .finish()
    }
}

/// The numbers of a two-prime private key, in the order of RFC 8017 appendix A.1.2, each big-endian.
pub(crate) struct PrivateNumbers<'a> {
    pub(crate) d: &'a [u8],
    pub(crate) p: &'a [u8],
    pub(crate) q: &'a [u8],
    pub(crate) dp: &'a [u8],
    pub(crate) dq: &'a [u8],
    pub(crate) qi: &'a [u8],
}

impl<'a> PrivateNumbers<'a> {
    /// The private numbers and the public key in an RSAPrivateKey.
    pub(crate) fn from_pkcs1_der(der: &'a [u8]) -> Result<(Self, RsaPublicKey), KeyError> {
        let key: RsaPrivateKeyRef<'a> = Format::Pkcs1Private.decode(der)?;
        if key.other_prime_infos.is_some() {
            return Err(multi_prime());
        }
        let public = RsaPublicKey::new(key.modulus.as_bytes(), key.public_exponent.as_bytes())?;
        let numbers = Self {
            d: key.private_exponent.as_bytes(),
            p: key.prime1.as_bytes(),
            q: key.prime2.as_bytes(),
            dp: key.exponent1.as_bytes(),
            dq: key.exponent2.as_bytes(),
            qi: key.coefficient.as_bytes(),
        };
        numbers.check()?;
        Ok((numbers, public))
    }

    /// RSAPrivateKey, version two-prime.
    pub(crate) fn to_pkcs1_der(&self, public: &RsaPublicKey) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.check()?;
        let Self { d, p, q, dp, dq, qi } = self;
        let numbers = [public.n(), public.e(), d, p, q, dp, dq, qi].map(unsigned);
        let mut parts: Vec<&[u8]> = vec![&[asn1::INTEGER, 1, 0]];
        parts.extend(numbers.iter().map(|number| number.as_slice()));
        Ok(tlv(SEQUENCE, &parts))
    }

    /// That they make a key is a matter for whoever can calculate with them.
    fn check(&self) -> Result<(), KeyError> {
        let Self { d, p, q, dp, dq, qi } = *self;
        let named = [("d", d), ("p", p), ("q", q), ("dp", dp), ("dq", dq), ("qi", qi)];
        match named.iter().find(|(_, number)| strip_zeros(number).is_empty()) {
            Some((name, _)) => {
                Err(KeyError::invalid_input(format!("the number {name} of an RSA key is zero")))
            }
            None => Ok(()),
        }
    }
}

pub(crate) fn multi_prime() -> KeyError {
    KeyError::invalid_input("RSA keys of more than two primes are not supported")
}

/// Of big-endian digits without leading zeros.
fn bit_len(digits: &[u8]) -> u32 {
    let all = u32::try_from(digits.len()).unwrap_or(u32::MAX).saturating_mul(8);
    all - digits.first().map_or(0, |first| first.leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modulus(bits: usize) -> Vec<u8> {
        let mut n = vec![0xff; bits.div_ceil(8)];
        n[0] >>= (8 - bits % 8) % 8;
        n
    }

    #[test]
    fn modulus_and_exponent_have_bounds() {
        let n = modulus(2048);
        let mut even = n.clone();
        even[255] = 0xfe;
        let two_pow_33 = [2, 0, 0, 0, 1];
        let cases: [(&[u8], &[u8], &str); 10] = [
            (&modulus(2047), &[3], "this one has 2047"),
            (&modulus(1024), &[3], "this one has 1024"),
            (&modulus(8193), &[3], "this one has 8193"),
            (&[], &[3], "this one has 0"),
            (&even, &[3], "even"),
            (&n, &[1], "this one is 1"),
            (&n, &[1, 0, 0], "this one is 65536"),
            (&n, &[], "this one is 0"),
            (&n, &two_pow_33, "this one is 8589934593"),
            (&n, &[1; 9], "larger"),
        ];
        for (n, e, reason) in cases {
            let error = RsaPublicKey::new(n, e).unwrap_err().to_string();
            assert!(error.contains(reason), "{reason}: {error}");
        }
        for bits in [2048, 3071, 4096, 8192] {
            let key = RsaPublicKey::new(&[&[0], &*modulus(bits)].concat(), &[0, 1, 0, 1]).unwrap();
            assert_eq!(
                (key.size_bits() as usize, key.n().len(), key.e()),
                (bits, bits.div_ceil(8), &[1, 0, 1][..])
            );
        }
        assert!(RsaPublicKey::new(&n, &[1, 255, 255, 255, 255]).is_ok());
    }
}
