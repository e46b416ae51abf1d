//! The order of member names (RFC 8785 section 3.2.3), which is that of their UTF-16 code units.

use std::cmp::Ordering;

/// Compares two names as they are written, escapes and all, without their quotation marks.
pub(crate) fn compare(one: &[u8], other: &[u8]) -> Ordering {
    unescaped(one).map(rank).cmp(unescaped(other).map(rank))
}

/// The name itself.
pub(crate) fn name(written: &[u8]) -> String {
    String::from_utf8_lossy(&unescaped(written).collect::<Vec<_>>()).into_owned()
}

/// The bytes of UTF-8 sort as UTF-16 does, but for characters beyond U+FFFF: their surrogates come before
/// U+E000 to U+FFFF, which begin with these two bytes.
fn rank(byte: u8) -> u8 {
    match byte {
        0xee | 0xef => byte + 0x10,
        _ => byte,
    }
}

/// Canonical text escapes nothing beyond ASCII, so that each escape is one byte.
fn unescaped(written: &[u8]) -> impl Iterator<Item = u8> {
    let mut bytes = written.iter().copied();
    std::iter::from_fn(move || match bytes.next()? {
        b'\\' => unescape(&mut bytes),
        byte => Some(byte),
    })
}

/// What stands behind the backslash.
fn unescape(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    match bytes.next()? {
        b'b' => Some(0x08),
        b't' => Some(b'\t'),
        b'n' => Some(b'\n'),
        b'f' => Some(0x0c),
        b'r' => Some(b'\r'),
        b'u' => bytes.by_ref().take(4).try_fold(0, |code, digit| Some(code << 4 | hex(digit)?)),
        byte => Some(byte),
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair of names of up to two characters, of those at which the order or the escaping changes.
    #[test]
    fn names_sort_by_utf16_code_units() {
        let characters = [
            "\0\u{8}\t\u{1f} \"/\\bu\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}",
            "\u{e000}\u{efff}\u{f000}\u{ffff}\u{10000}\u{3ffff}\u{10ffff}",
        ]
        .concat();
        let mut names = vec![String::new()];
        for first in characters.chars() {
            names.push(first.to_string());
            names.extend(characters.chars().map(|second| format!("{first}{second}")));
        }
        let names: Vec<_> = names.into_iter().map(|name| (written(&name), name)).collect();
        for (one, one_name) in &names {
            assert_eq!(name(one), *one_name);
            for (other, other_name) in &names {
                let expected = one_name.encode_utf16().cmp(other_name.encode_utf16());
                assert_eq!(compare(one, other), expected, "{one_name:?} {other_name:?}");
            }
        }
    }

    fn written(name: &str) -> Vec<u8> {
        let text = serde_json::to_string(name).unwrap();
        text.as_bytes()[1..text.len() - 1].to_vec()
    }
}
