//! Base64url as RFC 7515 section 2 wants it: no padding, no white space, no stray bits at the end.

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use crate::KeyError;

pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Hands over the text of public bytes: that of 32 bytes, which most are, takes no memory but the stack.
pub(crate) fn with_encoded<T>(bytes: &[u8], then: impl FnOnce(&str) -> T) -> T {
    match Base64UrlUnpadded::encode(bytes, &mut [0; 43]) {
        Ok(text) => then(text),
        Err(_) => then(&encode(bytes)),
    }
}

/// Into a buffer that is just long enough.
pub(crate) fn encode_into(bytes: &[u8], text: &mut [u8]) {
    if Base64UrlUnpadded::encode(bytes, text).is_err() {
        unreachable!("the buffer is as long as the text");
    }
}

pub(crate) fn encode_secret(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(encode(bytes))
}

/// Decodes what `what` names. Serves secrets too: the buffer is wiped, the error holds none of it.
pub(crate) fn decode(what: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut bytes = Zeroizing::new(vec![0; text.len() / 4 * 3 + text.len() % 4]);
    let len = Base64UrlUnpadded::decode(text, &mut bytes).map(<[u8]>::len).map_err(|_| {
        KeyError::invalid_input(format!(
            "{what} is not base64url as RFC 7515 section 2 defines it: only A-Z a-z 0-9 - _, no padding, \
             no white space, no stray bits at the end"
        ))
    })?;
    bytes.truncate(len);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_text_is_read() {
        let good: [(&str, &[u8]); 5] =
            [("", &[]), ("AA", &[0]), ("_w", &[0xff]), ("-_8", &[0xfb, 0xff]), ("AQID", &[1, 2, 3])];
        for (text, bytes) in good {
            assert_eq!(decode("x", text).unwrap().as_slice(), bytes, "{text:?}");
            assert_eq!(encode(bytes), text);
            with_encoded(bytes, |encoded| assert_eq!(encoded, text));
        }
        for bad in ["A", "AAAAA", "AA==", "AA=", "AB", "AAB", "+w", "/w", "A A", "AA\n", " AA", "ÄÄ", "AQI\0"]
        {
            let error = decode("x", bad).unwrap_err().to_string();
            assert!(error.contains("x is not base64url"), "{bad:?}: {error}");
        }
    }

    #[test]
    fn any_length_is_handed_over() {
        for len in 0..100 {
            let bytes = vec![0xa5; len];
            with_encoded(&bytes, |text| assert_eq!(text, encode(&bytes), "{len}"));
        }
    }
}
