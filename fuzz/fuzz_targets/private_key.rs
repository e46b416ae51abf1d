//! Fuzzes `swarmauri_keyproviders_fuzzing::private_key`.

#![no_main]

use swarmauri_keyproviders_fuzzing::private_key;

libfuzzer_sys::fuzz_target!(|input: &[u8]| private_key::run(input));
