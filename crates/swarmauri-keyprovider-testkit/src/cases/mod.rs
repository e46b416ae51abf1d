//! The cases, by topic. Each panics if the provider breaks the line of the contract that it bears the name of.

pub(crate) mod cancellation;
pub(crate) mod capabilities;
pub(crate) mod concurrency;
pub(crate) mod create;
pub(crate) mod derive;
pub(crate) mod destroy;
pub(crate) mod import;
pub(crate) mod jwks;
pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod references;
pub(crate) mod rotate;
pub(crate) mod secrets;
