//! Fuzzes `swarmauri_keyproviders_fuzzing::jwks`.

#![no_main]

use swarmauri_keyproviders_fuzzing::jwks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| jwks::run(input));
