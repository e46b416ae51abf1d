//! Fuzzes `swarmauri_keyproviders_fuzzing::key_reference`.

#![no_main]

use swarmauri_keyproviders_fuzzing::key_reference;

libfuzzer_sys::fuzz_target!(|input: &[u8]| key_reference::run(input));
