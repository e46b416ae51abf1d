//! Fuzzes `swarmauri_keyproviders_fuzzing::values`.

#![no_main]

use swarmauri_keyproviders_fuzzing::values;

libfuzzer_sys::fuzz_target!(|input: &[u8]| values::run(input));
