//! Deterministic CBOR (RFC 8949, section 4.2) and COSE keys (RFC 9052).
