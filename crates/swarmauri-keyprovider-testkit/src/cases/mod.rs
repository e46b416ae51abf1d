//! The cases, by topic. Each bears the name of a line of the contract, and panics if the provider breaks it.

pub(crate) mod agreement;
pub(crate) mod cancellation;
pub(crate) mod capabilities;
pub(crate) mod concurrency;
pub(crate) mod create;
pub(crate) mod derive;
pub(crate) mod destroy;
pub(crate) mod disabled;
pub(crate) mod encryption;
pub(crate) mod import;
pub(crate) mod import_version;
pub(crate) mod jwks;
pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod references;
pub(crate) mod rotate;
pub(crate) mod secrets;
pub(crate) mod signing;
pub(crate) mod states;
pub(crate) mod uses;
