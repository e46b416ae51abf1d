//! Fuzzes `swarmauri_keyproviders_fuzzing::cbor`.

#![no_main]

use swarmauri_keyproviders_fuzzing::cbor;

libfuzzer_sys::fuzz_target!(|input: &[u8]| cbor::run(input));
