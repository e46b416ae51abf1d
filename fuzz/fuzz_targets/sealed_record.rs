//! Fuzzes `swarmauri_keyproviders_fuzzing::sealed_record`.

#![no_main]

use swarmauri_keyproviders_fuzzing::sealed_record;

libfuzzer_sys::fuzz_target!(|input: &[u8]| sealed_record::run(input));
