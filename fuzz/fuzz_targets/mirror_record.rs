//! Fuzzes `swarmauri_keyproviders_fuzzing::mirror_record`.

#![no_main]

use swarmauri_keyproviders_fuzzing::mirror_record;

libfuzzer_sys::fuzz_target!(|input: &[u8]| mirror_record::run(input));
