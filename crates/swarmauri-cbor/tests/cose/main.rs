//! COSE keys: the vectors of RFC 9052 appendix C.7, and every rule of the mapping.

#[path = "../common/mod.rs"]
mod common;
mod fixtures;
mod mapping;
mod refusals;
mod vectors;
