//! Fuzzes `swarmauri_keyproviders_fuzzing::config`.

#![no_main]

use swarmauri_keyproviders_fuzzing::config;

libfuzzer_sys::fuzz_target!(|input: &[u8]| config::run(input));
