//! Signatures and MACs: what holds for one holds for the other.

use swarmauri_keyprovider::{Feature, KeyOperationsExt as _};
use swarmauri_keys::{
    KeyAlg, KeyErrorKind, KeyMaterial, KeyOperation, KeyType, KeyUse, SpecOverrides, VerifyWith,
};

use crate::Subject;
use crate::subject::{built, done, refused, spec};
use crate::suite::{CaseResult, NotApplicable};
use crate::vectors;
use crate::work::{MESSAGE, assert_one_text};

pub(crate) async fn signatures_have_the_form_of_jose(on: Subject) -> CaseResult {
    for alg in on.signing()? {
        let key = on.key(spec(alg)).await;
        let len = match alg.key_type() {
            KeyType::Rsa => key.size_bits().map_or(0, |bits| bits as usize / 8),
            KeyType::Octets => 32,
            _ => 64,
        };
        for version in [None, Some(key.version())] {
            let signature = done(on.sign(&key, version, MESSAGE).await, "signing");
            assert_eq!((signature.id(), signature.alg), (key.id().clone(), alg));
            assert_eq!(signature.bytes.len(), len, "a signature of {alg}");
        }
    }
    Ok(())
}

pub(crate) async fn what_is_signed_verifies(on: Subject) -> CaseResult {
    let long = vec![0x5a; 100_000];
    for alg in on.signing()? {
        let key = on.key(spec(alg)).await;
        for message in [b"", MESSAGE, &long] {
            let signature = done(on.sign(&key, None, message).await, "signing");
            for with in [VerifyWith::Version(key.version()), VerifyWith::AnyLive] {
                let verified = on.verify(&key, with, message, &signature.bytes).await;
                assert_eq!(done(verified, "verifying its own signature"), key.version());
            }
            done(on.work().verify_signature(message, &signature).await, "verifying what a signature says");
        }
    }
    Ok(())
}

pub(crate) async fn signatures_are_those_of_rfc_8032(on: Subject) -> CaseResult {
    let alg = KeyAlg::Ed25519;
    if !on.can.does(KeyOperation::Sign, alg) || !on.can.import.contains(&alg) {
        return Err(NotApplicable("does not sign with Ed25519 keys that were imported".to_owned()));
    }
    let key = on.imported(built(spec(alg)), vectors::secret_material(alg)).await;
    let signature = done(on.sign(&key, None, b"").await, "signing");
    assert_eq!(signature.bytes, vectors::rfc_8032_test_1(), "not that of section 7.1, test 1");
    Ok(())
}

pub(crate) async fn signatures_made_elsewhere_verify(on: Subject) -> CaseResult {
    let known = |alg| on.can.does(KeyOperation::Verify, alg) && on.can.import_public.contains(&alg);
    let vectors: Vec<_> = vectors::signatures().into_iter().filter(|one| known(one.alg)).collect();
    if vectors.is_empty() {
        return Err(NotApplicable("verifies nothing with public keys that were imported".to_owned()));
    }
    for one in vectors {
        let key = on.imported(built(spec(one.alg)), one.material).await;
        let verified = on.verify(&key, VerifyWith::AnyLive, &one.message, &one.bytes).await;
        assert_eq!(done(verified, one.name), key.version());
        let other = on.verify(&key, VerifyWith::AnyLive, b"another message", &one.bytes).await;
        refused(other, KeyErrorKind::NotAuthentic, one.name);
    }
    Ok(())
}

pub(crate) async fn macs_are_those_of_rfc_4231(on: Subject) -> CaseResult {
    let alg = KeyAlg::HmacSha256;
    if !on.can.does(KeyOperation::Mac, alg) || !on.can.import.contains(&alg) {
        return Err(NotApplicable("computes no MACs with keys that were imported".to_owned()));
    }
    for one in vectors::macs() {
        let key = on.imported(built(spec(alg)), one.material).await;
        let mac = done(on.sign(&key, None, &one.message).await, one.name);
        assert_eq!(mac.bytes, one.bytes, "not the MAC of {}", one.name);
    }
    Ok(())
}

pub(crate) async fn signatures_outlive_rotations(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    for alg in on.quick_of(on.signing()?)? {
        let first = on.key(spec(alg)).await;
        let old = done(on.sign(&first, None, MESSAGE).await, "signing with version 1");
        let second = on.rotate(first.kid()).await;
        let new = done(on.sign(&first, None, MESSAGE).await, "signing with the latest version");
        assert_eq!(new.id(), *second.id(), "no version means the latest");
        let again = done(on.sign(&first, Some(first.version()), MESSAGE).await, "signing with version 1");
        assert_eq!(again.id(), *first.id());
        for signature in [&old, &new, &again] {
            for with in [VerifyWith::Version(signature.version), VerifyWith::AnyLive] {
                let verified = on.verify(&first, with, MESSAGE, &signature.bytes).await;
                assert_eq!(done(verified, "verifying"), signature.version, "it tells which version signed");
            }
        }
        for (signature, other) in [(&old, &second), (&new, &first)] {
            let with = VerifyWith::Version(other.version());
            let verified = on.verify(&first, with, MESSAGE, &signature.bytes).await;
            refused(verified, KeyErrorKind::NotAuthentic, "the signature of another version");
        }
    }
    Ok(())
}

pub(crate) async fn a_destroyed_version_verifies_nothing(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    on.needs(Feature::Destroy)?;
    for alg in on.quick_of(on.signing()?)? {
        let first = on.key(spec(alg)).await;
        let signature = done(on.sign(&first, None, MESSAGE).await, "signing");
        on.rotate(first.kid()).await;
        done(on.destroy_key(first.kid(), Some(first.version())).await, "destroying version 1");
        let verified = on.verify(&first, VerifyWith::AnyLive, MESSAGE, &signature.bytes).await;
        refused(verified, KeyErrorKind::NotAuthentic, "a signature of a destroyed version, to the others,");
        let with = VerifyWith::Version(first.version());
        let verified = on.verify(&first, with, MESSAGE, &signature.bytes).await;
        refused(verified, KeyErrorKind::NotFound, "verifying with a destroyed version");
    }
    Ok(())
}

/// Whatever is wrong with them, they are refused with one and the same words.
pub(crate) async fn forged_signatures_are_not_authentic(on: Subject) -> CaseResult {
    let mut errors = Vec::new();
    for alg in on.signing()? {
        let key = on.key(spec(alg)).await;
        let bytes = done(on.sign(&key, None, MESSAGE).await, "signing").bytes;
        for (what, forged) in forgeries(&bytes) {
            for with in [VerifyWith::Version(key.version()), VerifyWith::AnyLive] {
                let verified = on.verify(&key, with, MESSAGE, &forged).await;
                errors.push(refused(verified, KeyErrorKind::NotAuthentic, &format!("{alg}: {what}")));
            }
        }
        for message in [b"", &MESSAGE[1..], &[MESSAGE, b"\0"].concat()] {
            let verified = on.verify(&key, VerifyWith::AnyLive, message, &bytes).await;
            errors.push(refused(verified, KeyErrorKind::NotAuthentic, "the signature of another message"));
        }
    }
    for alg in on.quick_of(on.signing()?)? {
        let (key, other) = (on.key(spec(alg)).await, on.key(spec(alg)).await);
        let foreign = done(on.sign(&other, None, MESSAGE).await, "signing").bytes;
        let verified = on.verify(&key, VerifyWith::AnyLive, MESSAGE, &foreign).await;
        errors.push(refused(verified, KeyErrorKind::NotAuthentic, "the signature of another key"));
    }
    assert_one_text(&errors);
    Ok(())
}

/// Nor is a signature a MAC, or the other way around, though the provider has made both.
pub(crate) async fn a_renamed_signature_is_not_authentic(on: Subject) -> CaseResult {
    let algs = on.quick_of(on.signing()?)?;
    for (alg, other) in algs.iter().zip(algs.iter().cycle().skip(1)) {
        let (key, other) = (on.key(spec(*alg)).await, on.key(spec(*other)).await);
        let signature = done(on.sign(&other, None, MESSAGE).await, "signing");
        let renamed = swarmauri_keys::Signature { kid: key.kid().clone(), alg: *alg, ..signature };
        let verified = on.work().verify_signature(MESSAGE, &renamed).await;
        refused(verified, KeyErrorKind::NotAuthentic, "a signature with the name of another key");
    }
    Ok(())
}

/// With S increased by the order of the group it is another name of the same signature: RFC 8032 section 5.1.7
/// wants it refused.
pub(crate) async fn an_ed25519_signature_has_one_form(on: Subject) -> CaseResult {
    let alg = KeyAlg::Ed25519;
    if !on.can.does(KeyOperation::Verify, alg) || !on.can.import_public.contains(&alg) {
        return Err(NotApplicable("verifies nothing with public Ed25519 keys that were imported".to_owned()));
    }
    let public = vectors::pair(alg).expect("Ed25519 has pairs").public(alg);
    let key = on.imported(built(spec(alg)), KeyMaterial::Public(public)).await;
    let verified = on.verify(&key, VerifyWith::AnyLive, b"", &vectors::rfc_8032_test_1_unreduced()).await;
    refused(verified, KeyErrorKind::NotAuthentic, "a signature whose S is too large");
    Ok(())
}

/// One that is for signing alone, and then one of an algorithm that has no signatures.
pub(crate) async fn any_live_passes_over_versions_that_do_not_verify(on: Subject) -> CaseResult {
    on.needs(Feature::Rotate)?;
    for alg in on.quick_of(on.signing()?)? {
        let first = on.key(spec(alg)).await;
        let old = done(on.sign(&first, None, MESSAGE).await, "signing with version 1").bytes;
        let uses = Some([KeyUse::Sign].into_iter().collect());
        let change = SpecOverrides { uses, ..SpecOverrides::NONE };
        let second = done(on.rotate_key(first.kid(), &change).await, "rotating to a version for signing");
        let new = done(on.sign(&first, None, MESSAGE).await, "signing with version 2").bytes;
        let verified = on.verify(&first, VerifyWith::AnyLive, MESSAGE, &new).await;
        refused(verified, KeyErrorKind::NotAuthentic, "a signature of a version that does not verify");
        let verified = on.verify(&first, VerifyWith::Version(second.version()), MESSAGE, &new).await;
        refused(verified, KeyErrorKind::PermissionDenied, "verifying with a version that is for signing");
        if on.can.create.contains(&KeyAlg::Aes256Gcm) {
            let uses = Some(KeyAlg::Aes256Gcm.uses().iter().copied().collect());
            let change = SpecOverrides { alg: Some(KeyAlg::Aes256Gcm), uses, ..SpecOverrides::NONE };
            done(on.rotate_key(first.kid(), &change).await, "rotating to another algorithm");
        }
        let verified = on.verify(&first, VerifyWith::AnyLive, MESSAGE, &old).await;
        assert_eq!(done(verified, "verifying past those that do not"), first.version());
    }
    Ok(())
}

fn forgeries(right: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let flipped = |at: usize| {
        let mut bytes = right.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    let len = right.len();
    vec![
        ("changed at its start", flipped(0)),
        ("changed in its middle", flipped(len / 2)),
        ("changed at its end", flipped(len - 1)),
        ("of zeros", vec![0; len]),
        ("of ones", vec![0xff; len]),
        ("empty", Vec::new()),
        ("of its first byte", right[..1].to_vec()),
        ("of its first half", right[..len / 2].to_vec()),
        ("without its last byte", right[..len - 1].to_vec()),
        ("with a byte too many", [right, &[0]].concat()),
        ("twice", [right, right].concat()),
    ]
}
