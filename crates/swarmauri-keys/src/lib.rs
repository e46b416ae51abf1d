//! The vocabulary of key providers: key identifiers, specs, references, public keys, JWKs and errors.
