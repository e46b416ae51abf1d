//! Fuzzes `swarmauri_keyproviders_fuzzing::public_key`.

#![no_main]

use swarmauri_keyproviders_fuzzing::public_key;

libfuzzer_sys::fuzz_target!(|input: &[u8]| public_key::run(input));
