//! Fuzzes `swarmauri_keyproviders_fuzzing::cose`.

#![no_main]

use swarmauri_keyproviders_fuzzing::cose;

libfuzzer_sys::fuzz_target!(|input: &[u8]| cose::run(input));
