//! Fuzzes `swarmauri_keyproviders_fuzzing::jwk`.

#![no_main]

use swarmauri_keyproviders_fuzzing::jwk;

libfuzzer_sys::fuzz_target!(|input: &[u8]| jwk::run(input));
