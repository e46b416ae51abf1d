//! A key provider that keeps keys in the memory of this process.
