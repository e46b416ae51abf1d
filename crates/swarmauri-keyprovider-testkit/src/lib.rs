//! The conformance suite for key providers, and a provider that fails on command.
