//! What a mirror can do: what its primary can, less what its mode needs the secondary for in vain.

use std::collections::BTreeSet;

use swarmauri_keyprovider::{Capabilities, Feature};
use swarmauri_keys::{KeyAlg, KeyClass};

use crate::mode::MirrorMode;
use crate::settings::Settings;

/// What the mirror can do.
///
/// * Algorithms: those of the primary whose keys the secondary takes, as far as the mode copies them.
/// * What a read needs of both sides, so that it survives an outage (`jwks`, `random`, `hkdf`): what both can.
/// * What writes need: the primary's; destroying and disabling need a secondary that can do so to replicas.
/// * Operations: the primary's. Whether one survives an outage depends on the mode and on the key.
pub(crate) fn of_mirror(
    settings: Settings,
    primary: &Capabilities,
    secondary: &Capabilities,
) -> Capabilities {
    let mirrors = settings.mode != MirrorMode::None;
    let both = |feature| secondary.has(feature);
    let mut features: BTreeSet<Feature> = primary
        .features
        .iter()
        .copied()
        .filter(|feature| match feature {
            Feature::Jwks | Feature::Random | Feature::Hkdf => both(*feature),
            Feature::Destroy | Feature::Disable => !mirrors || both(*feature),
            // Of numbers that others choose the mirror could not say that they are not used again.
            Feature::ImportVersion => false,
            _ => true,
        })
        .collect();
    features.insert(Feature::Mirror);
    features.insert(match settings.mode {
        MirrorMode::PublicOnly => Feature::MirrorPublicOnly,
        MirrorMode::Full => Feature::MirrorFull,
        MirrorMode::None => Feature::MirrorNone,
    });
    if settings.fail_open_reads {
        features.insert(Feature::Failover);
    }
    let copyable = |algs: &BTreeSet<KeyAlg>| {
        algs.iter().copied().filter(|alg| is_copyable(settings.mode, *alg, secondary)).collect()
    };
    let import_public = primary.import_public.iter().copied();
    Capabilities {
        create: copyable(&primary.create),
        import: copyable(&primary.import),
        import_public: import_public
            .filter(|alg| !mirrors || secondary.import_public.contains(alg))
            .collect(),
        operations: primary.operations.clone(),
        features,
    }
}

/// Whether the mode copies anything that the secondary takes.
pub(crate) fn can_mirror(mode: MirrorMode, primary: &Capabilities, secondary: &Capabilities) -> bool {
    let mut algs = primary.create.iter().chain(&primary.import).chain(&primary.import_public);
    match mode {
        MirrorMode::None => true,
        MirrorMode::PublicOnly => algs.any(|alg| secondary.import_public.contains(alg)),
        MirrorMode::Full => algs.any(|alg| secondary.import.contains(alg)),
    }
}

fn is_copyable(mode: MirrorMode, alg: KeyAlg, secondary: &Capabilities) -> bool {
    let public_fits = alg.class() == KeyClass::Symmetric || secondary.import_public.contains(&alg);
    match mode {
        MirrorMode::None => true,
        MirrorMode::PublicOnly => public_fits,
        MirrorMode::Full => public_fits && secondary.import.contains(&alg),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn can(algs: &[KeyAlg], features: &[Feature]) -> Capabilities {
        let algs: BTreeSet<_> = algs.iter().copied().collect();
        Capabilities {
            create: algs.clone(),
            import: algs.clone(),
            import_public: algs.iter().copied().filter(|alg| alg.class() == KeyClass::Asymmetric).collect(),
            operations: std::collections::BTreeMap::new(),
            features: features.iter().copied().collect(),
        }
    }

    #[test]
    fn a_mirror_promises_what_both_sides_can_keep() {
        let primary = can(KeyAlg::ALL, &[Feature::Random, Feature::Hkdf, Feature::ExportSecret]);
        let secondary = can(&[KeyAlg::Ed25519], &[Feature::Random]);
        for (mode, create) in [
            (MirrorMode::PublicOnly, vec![KeyAlg::Aes256Gcm, KeyAlg::Ed25519, KeyAlg::HmacSha256]),
            (MirrorMode::Full, vec![KeyAlg::Ed25519]),
            (MirrorMode::None, KeyAlg::ALL.to_vec()),
        ] {
            let settings = Settings { mode, ..Settings::default() };
            let mirror = of_mirror(settings, &primary, &secondary);
            assert_eq!(mirror.create.into_iter().collect::<Vec<_>>(), create, "{mode}");
            assert!(mirror.features.contains(&Feature::Random) && !mirror.features.contains(&Feature::Hkdf));
            assert!(mirror.features.contains(&Feature::ExportSecret), "secrets are the primary's business");
        }
    }

    #[test]
    fn fail_over_is_named_only_if_there_is_one() {
        let settings = Settings { fail_open_reads: false, ..Settings::default() };
        let all = can(KeyAlg::ALL, &[]);
        let names = of_mirror(settings, &all, &all).features;
        let names: Vec<_> = names.iter().map(|feature| feature.as_str()).collect();
        assert_eq!(names, ["mirror", "mirror:public_only"]);
    }

    #[test]
    fn a_secondary_that_takes_nothing_mirrors_nothing() {
        let (all, nothing) = (can(KeyAlg::ALL, &[]), can(&[], &[]));
        assert!(!can_mirror(MirrorMode::PublicOnly, &all, &nothing));
        assert!(!can_mirror(MirrorMode::Full, &all, &nothing));
        assert!(can_mirror(MirrorMode::None, &all, &nothing));
    }
}
