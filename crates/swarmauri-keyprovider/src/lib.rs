//! The KeyProvider trait, its capabilities, and the registry that finds providers by name.
