//! Fuzzes `swarmauri_keyproviders_fuzzing::canonical_json`.

#![no_main]

use swarmauri_keyproviders_fuzzing::canonical_json;

libfuzzer_sys::fuzz_target!(|input: &[u8]| canonical_json::run(input));
