//! Random bytes and HKDF.

use swarmauri_keyprovider::Feature;
use swarmauri_keys::{KeyErrorKind, SecretBytes};

use crate::Subject;
use crate::subject::{done, refused};
use crate::suite::CaseResult;
use crate::vectors;

const MIB: usize = 1 << 20;

pub(crate) async fn random_bytes_are_as_many_as_asked_for(on: Subject) -> CaseResult {
    on.needs(Feature::Random)?;
    for len in [1, 16, 32, 1000, MIB] {
        assert_eq!(done(on.random_bytes(len).await, "drawing random bytes").len(), len);
    }
    Ok(())
}

/// Neither constant nor repeated: of 64 random bytes at least 16 differ, but for one in 10^40 draws.
pub(crate) async fn random_bytes_differ(on: Subject) -> CaseResult {
    on.needs(Feature::Random)?;
    let draws = [on.random_bytes(64).await, on.random_bytes(64).await];
    let [one, two] = draws.map(|draw| done(draw, "drawing random bytes"));
    assert_ne!(one, two, "two draws are the same");
    for draw in [one, two] {
        let different: std::collections::BTreeSet<_> = draw.expose_secret().iter().collect();
        assert!(different.len() >= 16, "64 random bytes have {} values", different.len());
    }
    Ok(())
}

pub(crate) async fn too_many_random_bytes_are_refused(on: Subject) -> CaseResult {
    on.needs(Feature::Random)?;
    for len in [MIB + 1, usize::MAX] {
        refused(
            on.random_bytes(len).await,
            KeyErrorKind::InvalidInput,
            &format!("drawing {len} random bytes"),
        );
    }
    Ok(())
}

pub(crate) async fn hkdf_gives_the_bytes_of_rfc_5869(on: Subject) -> CaseResult {
    on.needs(Feature::Hkdf)?;
    for vector in vectors::hkdf() {
        let ikm = SecretBytes::from(vector.ikm);
        let derived = on.hkdf(&ikm, &vector.salt, &vector.info, vector.okm.len()).await;
        let okm = done(derived, &format!("appendix {}", vector.name));
        assert!(okm.expose_secret() == vector.okm, "the answer is not that of appendix {}", vector.name);
    }
    Ok(())
}

/// RFC 5869 section 2.3: at most 255 blocks.
pub(crate) async fn hkdf_of_a_wrong_length_is_refused(on: Subject) -> CaseResult {
    on.needs(Feature::Hkdf)?;
    let ikm = SecretBytes::from(&[7; 32][..]);
    let longest = done(on.hkdf(&ikm, b"", b"", 8160).await, "deriving 8160 bytes");
    assert_eq!(longest.len(), 8160);
    for len in [0, 8161, usize::MAX] {
        let derived = on.hkdf(&ikm, b"", b"", len).await;
        refused(derived, KeyErrorKind::InvalidInput, &format!("deriving {len} bytes"));
    }
    Ok(())
}
