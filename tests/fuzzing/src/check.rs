//! Assertions that several targets make.

use std::fmt::{Debug, Display};
use std::pin::pin;

use futures_util::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest run of bytes that an error may repeat from what it refuses. A secret of 32 bytes is longer in any encoding.
const LONGEST_QUOTE: usize = 32;

/// Asserts that an error says something, and repeats no long run of the input: what was refused may have been a secret.
pub(crate) fn quotes_little(error: &impl Display, input: &[u8]) {
    let text = error.to_string();
    assert!(!text.is_empty(), "an error says what was wrong");
    // What is quoted is escaped: what that adds is left out of both.
    let plain = |bytes: &[u8]| bytes.iter().copied().filter(|byte| *byte != b'\\').collect::<Vec<_>>();
    let run = longest_common_run(&plain(text.as_bytes()), &plain(input));
    assert!(run <= LONGEST_QUOTE, "an error repeats {run} bytes of the input in a row: {text}");
}

/// The length of the longest run that both have; found for sure if it is longer than [`LONGEST_QUOTE`].
fn longest_common_run(text: &[u8], input: &[u8]) -> usize {
    // Every run of that length covers one block of half the length, wherever it starts.
    const BLOCK: usize = LONGEST_QUOTE / 2;
    let mut longest = 0;
    for (number, block) in input.chunks_exact(BLOCK).enumerate() {
        for (at, window) in text.windows(BLOCK).enumerate() {
            if window == block {
                let from = number * BLOCK;
                let before = common(text[..at].iter().rev(), input[..from].iter().rev());
                let after = common(text[at..].iter(), input[from..].iter());
                longest = longest.max(before + after);
            }
        }
    }
    longest
}

fn common<'a>(one: impl Iterator<Item = &'a u8>, other: impl Iterator<Item = &'a u8>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).count()
}

/// Asserts that a value survives JSON, and that its text is stable.
pub(crate) fn survives_json<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Vec<u8> {
    let written = serde_json::to_vec(value).expect("what was read can be written");
    let read: T = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(&read, value, "JSON changes a value");
    assert_eq!(serde_json::to_vec(&read).expect("it was written before"), written, "JSON is not stable");
    written
}

/// Asserts that bytes are refused.
#[track_caller]
pub(crate) fn refuses<T, E: Display>(outcome: Result<T, E>, what: &str) -> E {
    match outcome {
        Err(error) => error,
        Ok(_) => panic!("{what} is accepted"),
    }
}

/// What a future gives that has nothing to wait for: all stores and providers of the targets are in memory.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    pin!(future).now_or_never().expect("nothing here has to wait")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_quotes_are_found_wherever_they_are() {
        let secret: Vec<u8> = (b' '..b'~').collect();
        for from in 0..40 {
            let quote = std::str::from_utf8(&secret[from..from + 33]).unwrap();
            let text = format!("it is\n{quote}\nand no more");
            assert_eq!(longest_common_run(text.as_bytes(), &secret), 33, "{from}");
            assert!(longest_common_run(&secret[from..from + 32], &secret) <= 32);
        }
        quotes_little(&"it is \"short\"", b"short and something longer behind it, which is not repeated");
        assert!(std::panic::catch_unwind(|| quotes_little(&"x", b"")).is_ok());
        assert!(std::panic::catch_unwind(|| quotes_little(&"", b"")).is_err());
        quotes_little(&format!("{:?}", "\\".repeat(24)), "\\".repeat(99).as_bytes());
        let long = "a".repeat(33);
        assert!(std::panic::catch_unwind(|| quotes_little(&long, long.as_bytes())).is_err());
    }
}
