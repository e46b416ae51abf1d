//! The textual encoding of RFC 7468, strictly: blocks, blank lines between them, and nothing else.

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::{KeyError, quoted};

/// One block of a PEM text.
pub(crate) struct Block<'a> {
    pub(crate) label: &'a str,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// All blocks of this text, at least one.
///
/// Lines may have any length and end in LF or CRLF. Text around the blocks is refused: RFC 7468 lets
/// parsers skip it, and what is skipped is a second key overlooked.
pub(crate) fn blocks(pem: &str) -> Result<Vec<Block<'_>>, KeyError> {
    let mut blocks = Vec::new();
    let mut lines = pem.lines().map(str::trim_ascii_end);
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let label = boundary(line, BEGIN).ok_or_else(|| {
            KeyError::invalid_input(
                "this is not PEM: outside a block from -----BEGIN to -----END there may be nothing but blank lines",
            )
        })?;
        let der = body(label, &mut lines, pem.len())?;
        blocks.push(Block { label, der });
    }
    if blocks.is_empty() {
        return Err(KeyError::invalid_input("this is not PEM: it has no -----BEGIN line"));
    }
    Ok(blocks)
}

/// The only block of this text.
pub(crate) fn only_block(pem: &str) -> Result<Block<'_>, KeyError> {
    let mut blocks = blocks(pem)?;
    match (blocks.pop(), blocks.len()) {
        (Some(block), 0) => Ok(block),
        (_, more) => {
            Err(KeyError::invalid_input(format!("one PEM block is wanted, this text has {}", more + 1)))
        }
    }
}

/// Lines of 64 characters, ended by LF.
pub(crate) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    const BYTES_PER_LINE: usize = 48;
    let lines = der.len().div_ceil(BYTES_PER_LINE);
    let boundaries = BEGIN.len() + END.len() + 2 * (label.len() + DASHES.len() + 1);
    // All of it at once: a string that grows leaves copies behind, which nobody wipes.
    let mut pem = Zeroizing::new(String::with_capacity(boundaries + lines * 65));
    for part in [BEGIN, label, DASHES, "\n"] {
        pem.push_str(part);
    }
    for line in der.chunks(BYTES_PER_LINE) {
        pem.push_str(&Zeroizing::new(Base64::encode_string(line)));
        pem.push('\n');
    }
    for part in [END, label, DASHES, "\n"] {
        pem.push_str(part);
    }
    pem
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

fn body<'a>(
    label: &str,
    lines: &mut impl Iterator<Item = &'a str>,
    longest: usize,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let shown = quoted(label);
    let mut base64 = Zeroizing::new(String::with_capacity(longest));
    for line in lines {
        if let Some(end) = boundary(line, END) {
            if end != label {
                return Err(KeyError::invalid_input(format!(
                    "the PEM block {shown} ends as {}",
                    quoted(end)
                )));
            }
            return decode(label, &base64);
        }
        if line.contains(':') {
            return Err(KeyError::invalid_input(format!(
                "the PEM block {shown} has header lines, as encrypted keys of old have (Proc-Type); \
                 decrypt it first, for instance with `openssl pkey`"
            )));
        }
        base64.push_str(line);
    }
    Err(KeyError::invalid_input(format!("the PEM block {shown} has no -----END line of its own")))
}

fn boundary<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    let label = line.strip_prefix(start)?.strip_suffix(DASHES)?;
    let printable =
        label.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b" .#-".contains(&b));
    printable.then_some(label)
}

fn decode(label: &str, base64: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut der = Zeroizing::new(vec![0; base64.len() / 4 * 3 + 3]);
    let len = Base64::decode(base64, &mut der).map(<[u8]>::len).map_err(|_| {
        KeyError::invalid_input(format!("the body of the PEM block {} is not base64", quoted(label)))
    })?;
    der.truncate(len);
    Ok(der)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_lines_of_64_and_reads_them_back() {
        for len in [0, 1, 47, 48, 49, 96, 1000] {
            let der: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let pem = encode("PUBLIC KEY", &der);
            assert!(pem.lines().all(|line| line.len() <= 64) && pem.capacity() >= pem.len());
            let block = only_block(&pem).unwrap();
            assert_eq!((block.label, block.der.as_slice()), ("PUBLIC KEY", der.as_slice()), "{len}");
        }
    }

    #[test]
    fn reads_other_line_ends_and_lengths() {
        for pem in [
            "-----BEGIN A-----\r\nAQID\r\nBA==\r\n-----END A-----\r\n",
            "\n-----BEGIN A-----\nAQ\nIDB\nA==\n-----END A-----",
            "-----BEGIN A----- \nAQIDBA== \n-----END A----- \n\n",
        ] {
            assert_eq!(only_block(pem).unwrap().der.as_slice(), [1, 2, 3, 4], "{pem:?}");
        }
        let two = "-----BEGIN A-----\nAQ==\n-----END A-----\n\n-----BEGIN B-----\n-----END B-----\n";
        let labels: Vec<_> = blocks(two).unwrap().iter().map(|block| block.label).collect();
        assert_eq!(labels, ["A", "B"]);
    }

    #[test]
    fn says_what_is_wrong() {
        let cases = [
            ("", "no -----BEGIN line"),
            ("hello", "nothing but blank lines"),
            ("Bag Attributes\n-----BEGIN A-----\nAQ==\n-----END A-----\n", "nothing but blank lines"),
            ("-----BEGIN A-----\nAQ==\n-----END A-----\nmore\n", "nothing but blank lines"),
            ("-----BEGIN A-----\nAQ==\n", "no -----END line"),
            ("-----BEGIN A-----\nAQ==\n-----END B-----\n", "ends as \"B\""),
            ("-----BEGIN A-----\nA*==\n-----END A-----\n", "not base64"),
            ("-----BEGIN A-----\nAQ\n-----END A-----\n", "not base64"),
            ("-----BEGIN A-----\nAR==\n-----END A-----\n", "not base64"),
            ("-----BEGIN A-----\nAQ== AQ==\n-----END A-----\n", "not base64"),
            ("-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nAQ==\n-----END A-----\n", "Proc-Type"),
            (
                "-----BEGIN A-----\n-----END A-----\n-----BEGIN A-----\n-----END A-----\n",
                "one PEM block is wanted, this text has 2",
            ),
        ];
        for (pem, reason) in cases {
            let error = only_block(pem).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(reason), "{pem:?}: {error}");
        }
    }
}
