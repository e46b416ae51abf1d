//! Refusing what the capabilities deny.

use std::collections::BTreeSet;

use swarmauri_keyprovider::{Capabilities, Feature, Secrets};
use swarmauri_keys::{KeyAlg, KeyError, KeyOperation, KeySpec};

use super::{Call, Method};

/// Refuses a call that a provider of these capabilities cannot serve.
pub(super) fn check(can: &Capabilities, call: &Call) -> Result<(), KeyError> {
    match call.method {
        Method::CreateKey => check_spec(can, &can.create, call.spec.as_ref()),
        Method::ImportKey if call.public_only == Some(true) => {
            check_spec(can, &can.import_public, call.spec.as_ref())
        }
        Method::ImportKey => check_spec(can, &can.import, call.spec.as_ref()),
        Method::ImportVersion => {
            can.require(Feature::ImportVersion)?;
            let algs = if call.public_only == Some(true) { &can.import_public } else { &can.import };
            call.spec.as_ref().map_or(Ok(()), |spec| check_alg(algs, spec.alg()))
        }
        Method::RotateKey => {
            can.require(Feature::Rotate)?;
            match call.overrides.as_ref().and_then(|overrides| overrides.alg) {
                Some(alg) => check_alg(&can.create, alg),
                None => Ok(()),
            }
        }
        Method::DestroyKey => can.require(Feature::Destroy),
        Method::GetKey | Method::GetKeyByRef if call.secrets == Some(Secrets::Include) => {
            can.require(Feature::ExportSecret)
        }
        Method::GetKey | Method::GetKeyByRef | Method::ListVersions => Ok(()),
        Method::ListKeys => can.require(Feature::ListKeys),
        Method::GetPublicJwk | Method::Jwks => can.require(Feature::Jwks),
        Method::RandomBytes => can.require(Feature::Random),
        Method::Hkdf => can.require(Feature::Hkdf),
        Method::DisableKey | Method::EnableKey => can.require(Feature::Disable),
        Method::Sign => can.require_operation(KeyOperation::Sign),
        Method::Verify => can.require_operation(KeyOperation::Verify),
        Method::Mac => can.require_operation(KeyOperation::Mac),
        Method::VerifyMac => can.require_operation(KeyOperation::VerifyMac),
        Method::Encrypt => can.require_operation(KeyOperation::Encrypt),
        Method::Decrypt => can.require_operation(KeyOperation::Decrypt),
        Method::Agree => can.require_operation(KeyOperation::Agree),
        Method::WrapKey => can.require_operation(KeyOperation::WrapKey),
        Method::UnwrapKey => can.require_operation(KeyOperation::UnwrapKey),
    }
}

fn check_spec(can: &Capabilities, algs: &BTreeSet<KeyAlg>, spec: Option<&KeySpec>) -> Result<(), KeyError> {
    let Some(spec) = spec else { return Ok(()) };
    check_alg(algs, spec.alg())?;
    match spec.kid() {
        Some(_) => can.require(Feature::ChosenKid),
        None => Ok(()),
    }
}

fn check_alg(algs: &BTreeSet<KeyAlg>, alg: KeyAlg) -> Result<(), KeyError> {
    if algs.contains(&alg) {
        return Ok(());
    }
    Err(KeyError::unsupported_algorithm(alg, "told not to support it"))
}
