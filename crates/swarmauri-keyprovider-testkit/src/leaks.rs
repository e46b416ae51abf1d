//! Finding secrets where they must not be.

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};
use swarmauri_keys::{KeyAlg, KeyError, KeyId, KeyVersion, SecretBytes, SecretMaterial};

/// How many consecutive bytes of a secret count as a leak: few enough to find parts of keys, and enough
/// not to be found by chance.
const WINDOW: usize = 8;

/// Asserts that a text holds no part of a secret: see [`contains_secret`].
///
/// # Panics
///
/// If it does, naming the encoding but showing neither; or if the secret has under 8 bytes.
#[track_caller]
pub fn assert_no_secret(haystack: &str, secret: &[u8]) {
    if let Some(encoding) = Haystack::new(haystack).find(secret) {
        panic!("a text of {} bytes holds secret bytes, {encoding}", haystack.len());
    }
}

/// Asserts that a text holds no part of any of these secrets; quicker than one by one.
///
/// # Panics
///
/// Like [`assert_no_secret`].
#[track_caller]
pub fn assert_no_secrets<'a>(haystack: &str, secrets: impl IntoIterator<Item = &'a SecretBytes>) {
    let prepared = Haystack::new(haystack);
    for secret in secrets {
        if let Some(encoding) = prepared.find(secret.expose_secret()) {
            panic!("a text of {} bytes holds secret bytes, {encoding}", haystack.len());
        }
    }
}

/// Whether a text holds part of a secret: 8 bytes of it on a boundary of 8, or its last 8 bytes. They are
/// found raw, escaped as in `b"\x01"`, in hexadecimal of either case with or without separators, in
/// base64 and base64url at any alignment, also inside longer encoded data or wrapped over lines, and as
/// lists of numbers as `Debug` prints a `Vec<u8>`.
///
/// # Panics
///
/// If the secret has under 8 bytes: it might be found by chance.
pub fn contains_secret(haystack: &str, secret: &[u8]) -> bool {
    Haystack::new(haystack).find(secret).is_some()
}

/// What is secret about some material, piece by piece: a symmetric key, a seed or scalar, and of an RSA
/// key each private number (RFC 7518 section 6.3.2) on its own.
///
/// # Panics
///
/// If the material cannot be written as a JWK, which private keys with a public half and symmetric keys
/// always can.
pub fn secret_parts(alg: KeyAlg, secret: &SecretMaterial) -> Vec<SecretBytes> {
    match secret {
        SecretMaterial::Symmetric(bytes) => vec![bytes.clone()],
        SecretMaterial::Private(key) => match key.to_raw() {
            Some(raw) => vec![raw],
            None => jwk_parts(alg, secret).expect("material of a provider can be written as a JWK"),
        },
    }
}

fn jwk_parts(alg: KeyAlg, secret: &SecretMaterial) -> Result<Vec<SecretBytes>, KeyError> {
    let id = KeyId::new("any")?.at(KeyVersion::FIRST);
    let jwk = secret.to_jwk(&id, alg)?;
    let members: serde_json::Value = serde_json::from_slice(jwk.expose_secret()).expect("a JWK is JSON");
    let private = ["d", "p", "q", "dp", "dq", "qi"].map(|name| {
        let text = members[name].as_str().expect("private members are text");
        SecretBytes::from(Base64UrlUnpadded::decode_vec(text).expect("private members are base64url"))
    });
    Ok(private.into())
}

/// Whether bytes hold part of a secret as they are: see [`contains_secret`].
pub(crate) fn bytes_hold(bytes: &[u8], secret: &[u8]) -> bool {
    windows(secret).any(|window| bytes.windows(WINDOW).any(|there| there == window))
}

fn windows(secret: &[u8]) -> impl Iterator<Item = &[u8]> {
    assert!(secret.len() >= WINDOW, "a secret of {} bytes might be found by chance", secret.len());
    secret.chunks_exact(WINDOW).chain([&secret[secret.len() - WINDOW..]])
}

/// A text in the forms in which it is searched.
struct Haystack<'a> {
    plain: &'a str,
    /// Without white space, escaped or not, and with the alphabet of base64url mapped to that of base64.
    squeezed: String,
    /// Lower case, and without what separates hexadecimal digits.
    hex: String,
}

impl<'a> Haystack<'a> {
    fn new(plain: &'a str) -> Self {
        let unwrapped = plain.replace("\\n", "").replace("\\r", "").replace("\\t", "");
        let squeezed: String = unwrapped.split_whitespace().collect();
        let lower = squeezed.to_ascii_lowercase().replace("0x", "").replace("\\x", "");
        Self {
            plain,
            squeezed: squeezed.replace('-', "+").replace('_', "/"),
            hex: lower.replace([':', ',', '-', '_', '.'], ""),
        }
    }

    /// The encoding in which part of the secret was found.
    fn find(&self, secret: &[u8]) -> Option<&'static str> {
        windows(secret).find_map(|window| self.find_window(window))
    }

    fn find_window(&self, window: &[u8]) -> Option<&'static str> {
        if self.plain.contains(&*String::from_utf8_lossy(window)) {
            return Some("as they are");
        }
        if self.plain.contains(&window.escape_ascii().to_string()) {
            return Some("escaped");
        }
        if self.hex.contains(&join(window, "", |byte| format!("{byte:02x}"))) {
            return Some("in hexadecimal");
        }
        if base64_cores(window).iter().any(|core| self.squeezed.contains(core)) {
            return Some("in base64");
        }
        let lists =
            [join(window, ",", |byte| byte.to_string()), join(window, ",", |byte| format!("{byte:x}"))];
        let lower = self.squeezed.to_ascii_lowercase();
        lists.iter().any(|list| lower.contains(list)).then_some("as a list of numbers")
    }
}

fn join(bytes: &[u8], separator: &str, show: impl Fn(u8) -> String) -> String {
    bytes.iter().map(|byte| show(*byte)).collect::<Vec<_>>().join(separator)
}

/// The base64 characters that these bytes alone decide, at each of the three alignments.
fn base64_cores(window: &[u8]) -> [String; 3] {
    [0, 1, 2].map(|before| {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(window);
        let text = Base64Unpadded::encode_string(&bytes);
        let first = (before * 8).div_ceil(6);
        let after = text.len() - usize::from(bytes.len() % 3 != 0);
        text[first..after].to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"\x01\x9dxyz\xfe\x00\x7f\xfb\xefQ?\x80\xaaZ\x10\xc3\"\x11\x0a\xd4";

    #[test]
    fn every_way_of_printing_bytes_is_found() {
        let upper = join(SECRET, "", |byte| format!("{byte:02X}"));
        let shown = [
            String::from_utf8_lossy(SECRET).into_owned(),
            SECRET.escape_ascii().to_string(),
            upper.to_lowercase(),
            join(SECRET, ":", |byte| format!("{byte:02X}")),
            join(SECRET, ", ", |byte| format!("{byte:#04x}")),
            Base64Unpadded::encode_string(SECRET),
            Base64UrlUnpadded::encode_string(SECRET),
            format!("{SECRET:?}"),
            format!("{SECRET:#?}"),
            format!("{SECRET:x?}"),
            format!("{SECRET:#X?}"),
            upper,
        ];
        for text in shown {
            assert!(contains_secret(&format!("before {text} after"), SECRET), "{text}");
            assert!(!contains_secret("before and after", SECRET));
        }
    }

    #[test]
    fn secrets_inside_encoded_data_are_found_at_any_alignment_and_over_lines() {
        for before in 0..6 {
            let blob = [&vec![7; before], SECRET, &[9; 5]].concat();
            let url = Base64UrlUnpadded::encode_string(&blob);
            assert!(contains_secret(&url, SECRET), "{before} bytes before");
            let (first, second) = url.split_at(url.len() / 2);
            assert!(contains_secret(&format!("{first}\n{second}"), SECRET), "wrapped");
            assert!(contains_secret(&format!("{first}\\n{second}"), SECRET), "wrapped and escaped");
        }
    }

    #[test]
    fn half_a_secret_is_a_leak() {
        let half = join(&SECRET[..SECRET.len() / 2], "", |byte| format!("{byte:02x}"));
        assert!(contains_secret(&half, SECRET));
        let end = join(&SECRET[SECRET.len() - 8..], "", |byte| format!("{byte:02x}"));
        assert!(contains_secret(&end, SECRET));
    }

    #[test]
    #[should_panic(expected = "in hexadecimal")]
    fn the_assertion_names_the_encoding_and_no_byte() {
        assert_no_secret("0102030405060708", &[1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    #[should_panic(expected = "found by chance")]
    fn a_secret_too_short_to_tell_is_refused() {
        contains_secret("", &[1; 7]);
    }
}
