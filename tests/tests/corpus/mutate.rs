//! Inputs that are like others: what a fuzzer does blindly, without a fuzzer.

use swarmauri_keyproviders_tests::random::Seeded;

use crate::inputs::Input;

/// Bytes that parsers treat in their own ways: ends of ranges, brackets, quotes, separators, tags and lengths.
const TELLING: &[u8] = b"\0\x01\x02\x04\x1f\x20\x30\x7f\x80\x81\xff\"\\{}[]:,@%.-=\n0_aA";

/// One of the inputs with a few changes.
pub(crate) fn mutated(random: &mut Seeded, all: &[Input]) -> Vec<u8> {
    let mut bytes = pick(random, all).bytes.clone();
    for _ in 0..=random.below(4) {
        change(random, &mut bytes, all);
    }
    bytes
}

fn change(random: &mut Seeded, bytes: &mut Vec<u8>, all: &[Input]) {
    let at = place(random, bytes.len());
    let end = at + place(random, (bytes.len() - at).min(32));
    match random.below(8) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = *pick(random, TELLING);
            }
        }
        3 => bytes.insert(at, *pick(random, TELLING)),
        4 => drop(bytes.drain(at..end)),
        5 => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
        6 => bytes.truncate(at),
        _ => {
            let other = &pick(random, all).bytes;
            let from = place(random, other.len());
            let part = &other[from..from + place(random, other.len() - from)];
            bytes.splice(at..end, part.iter().copied());
        }
    }
}

/// From zero up to a length, both included.
fn place(random: &mut Seeded, len: usize) -> usize {
    random.below(u32::try_from(len).unwrap() + 1) as usize
}

fn pick<'a, T>(random: &mut Seeded, from: &'a [T]) -> &'a T {
    &from[random.below(u32::try_from(from.len()).unwrap()) as usize]
}
