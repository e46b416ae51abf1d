//! The state machine, transition by transition, and under random orders of them.

use swarmauri_keys::{Fingerprint, KeyAlg, KeyId, SecretBytes};

use super::*;
use crate::mode::Fidelity;

const ONE: KeyVersion = KeyVersion::FIRST;

fn facts(n: u8) -> Facts {
    let fingerprint = Fingerprint::of_symmetric(KeyAlg::Ed25519, &SecretBytes::from(vec![n]));
    Facts { fingerprint, alg: KeyAlg::Ed25519 }
}

fn replica(n: u8) -> Replica {
    let at = KeyId::new(format!("replica-{n}")).unwrap().at(ONE);
    Replica::new(at, Fidelity::PublicOnly, facts(n))
}

fn version(n: u32) -> KeyVersion {
    KeyVersion::new(n).unwrap()
}

/// A record whose version 1 is mirrored.
fn mirrored() -> KidRecord {
    let mut record = KidRecord::default();
    record.accept(ONE, facts(1), None).unwrap();
    assert!(record.begin_copy(ONE));
    record.copied(ONE, replica(1));
    assert_eq!(record.servable(None), Some((ONE, &replica(1))));
    record
}

#[test]
fn a_destroy_hides_the_replica_from_its_start_and_a_refusal_brings_it_back() {
    for which in [Some(ONE), None] {
        let mut record = mirrored();
        record.begin_destroy(which);
        assert_eq!(record.servable(Some(ONE)), None);
        assert!(!record.is_destroyed(Some(ONE)), "the primary may still serve it");
        record.destroy_refused(which, true);
        assert_eq!(record, mirrored());
    }
}

#[test]
fn a_refusal_does_not_end_another_destroy_that_is_under_way() {
    for which in [Some(ONE), None] {
        let mut record = mirrored();
        record.begin_destroy(which);
        record.begin_destroy(which);
        record.destroy_refused(which, true);
        assert_eq!(record.servable(Some(ONE)), None);
        record.destroy_refused(which, true);
        assert_eq!(record, mirrored());
    }
}

#[test]
fn a_refusal_ends_destroys_of_unknown_outcome_that_nobody_is_about_to_ask_for() {
    for which in [Some(ONE), None] {
        let mut record = mirrored();
        record.begin_destroy(which);
        record.begin_destroy(which);
        assert!(record.is_marked(which));
        record.destroy_refused(which, false);
        assert_eq!(record, mirrored());
        assert!(!record.is_marked(which));
    }
}

#[test]
fn a_destroyed_key_takes_no_more_marks() {
    let mut record = mirrored();
    record.primary_gone(None);
    let before = record.clone();
    record.begin_destroy(Some(version(7)));
    record.begin_destroy(None);
    assert_eq!(record, before);
}

#[test]
fn a_refused_destroy_of_something_unknown_leaves_nothing() {
    for which in [Some(ONE), None] {
        let mut record = KidRecord::default();
        record.begin_destroy(which);
        assert!(!record.is_blank());
        record.destroy_refused(which, true);
        assert!(record.is_blank());
    }
}

#[test]
fn once_the_primary_has_let_go_nothing_brings_a_version_back() {
    for which in [Some(ONE), None] {
        let mut record = mirrored();
        record.begin_destroy(which);
        record.primary_gone(which);
        assert_eq!(record.doomed(), [ONE], "the replica is owed");
        record.destroy_refused(which, true);
        record.copied(ONE, replica(1));
        assert_eq!(record.accept(ONE, facts(1), None), Err(NameReused));
        assert!(record.is_destroyed(Some(ONE)) && record.servable(None).is_none());
        record.replica_gone(ONE);
        record.begin_destroy(which);
        record.destroy_refused(which, true);
        let tombstone = VersionState::Destroyed { fingerprint: Some(facts(1).fingerprint) };
        assert_eq!(record.state(ONE), Some(&tombstone));
    }
}

#[test]
fn a_destroyed_key_takes_versions_of_a_racing_rotation_along() {
    let mut record = mirrored();
    record.begin_destroy(None);
    record.accept(version(2), facts(2), None).unwrap();
    assert!(!record.begin_copy(version(2)), "nothing is copied any more");
    record.primary_gone(None);
    assert!(record.is_destroyed(Some(version(2))) && record.is_destroyed(Some(version(3))));
    assert_eq!(record.accept(version(3), facts(3), None), Err(NameReused));
}

#[test]
fn a_copy_that_ends_after_the_destroy_began_is_destroyed_too() {
    let mut record = KidRecord::default();
    record.accept(ONE, facts(1), None).unwrap();
    assert!(record.begin_copy(ONE));
    record.begin_destroy(Some(ONE));
    assert!(record.state(ONE).unwrap().may_have_stray_replica());
    record.copied(ONE, replica(1));
    assert_eq!(record.servable(Some(ONE)), None);
    record.primary_gone(Some(ONE));
    assert_eq!(record.state(ONE).unwrap().replica(), Some(&replica(1)));
}

#[test]
fn a_version_without_a_replica_is_gone_at_once() {
    let mut record = KidRecord::default();
    record.accept(ONE, facts(1), None).unwrap();
    record.accept(version(2), facts(2), Some(KeptReason::NoPublicPart)).unwrap();
    record.begin_destroy(None);
    record.primary_gone(None);
    assert!(record.doomed().is_empty());
}

#[test]
fn a_version_that_may_have_a_replica_is_not_gone_before_that_was_looked_for() {
    for which in [Some(ONE), None] {
        let mut record = KidRecord::default();
        record.accept(ONE, facts(1), None).unwrap();
        record.begin_destroy(which);
        record.may_have_replica(ONE);
        record.primary_gone(which);
        assert_eq!(record.doomed(), [ONE]);
        assert!(record.state(ONE).is_some_and(VersionState::may_have_stray_replica));
    }
}

#[test]
fn the_latest_that_is_mirrored_answers() {
    let mut record = mirrored();
    record.accept(version(2), facts(2), None).unwrap();
    assert_eq!(record.servable(None), Some((ONE, &replica(1))));
    assert_eq!(record.servable(Some(version(2))), None);
    record.begin_copy(version(2));
    record.copied(version(2), replica(2));
    assert_eq!(record.servable(None), Some((version(2), &replica(2))));
    assert_eq!(record.live_versions().collect::<Vec<_>>(), [ONE, version(2)]);
}

#[test]
fn an_older_version_does_not_stand_in_for_a_latest_that_is_kept() {
    let mut record = mirrored();
    record.accept(version(2), facts(2), Some(KeptReason::Policy)).unwrap();
    assert_eq!(record.servable(None), None);
    assert_eq!(record.servable(Some(ONE)), Some((ONE, &replica(1))));
    record.primary_gone(Some(version(2)));
    assert_eq!(record.servable(None), Some((ONE, &replica(1))));
}

#[test]
fn versions_on_their_way_out_are_not_listed() {
    for (which, left) in [(Some(ONE), vec![version(2)]), (None, vec![])] {
        let mut record = mirrored();
        record.accept(version(2), facts(2), None).unwrap();
        record.begin_destroy(which);
        assert_eq!(record.live_versions().collect::<Vec<_>>(), left);
    }
}

#[test]
fn only_the_recorded_replica_can_be_lost() {
    let mut record = mirrored();
    record.replica_lost(ONE, &replica(2).at);
    assert_eq!(record, mirrored());
    record.replica_lost(ONE, &replica(1).at);
    assert!(matches!(record.state(ONE), Some(VersionState::Pending { attempted: true, .. })));
}

#[test]
fn a_name_that_comes_back_with_another_key_is_refused() {
    let mut record = mirrored();
    assert_eq!(record.accept(ONE, facts(1), None), Ok(()), "the same key twice is no news");
    assert_eq!(record.accept(ONE, facts(2), None), Err(NameReused));
}

#[test]
fn a_version_that_comes_after_its_destroy_was_asked_for_is_taken_along() {
    let mut record = KidRecord::default();
    record.begin_destroy(Some(ONE));
    record.accept(ONE, facts(1), None).unwrap();
    assert!(!record.begin_copy(ONE));
    let mut refused = record.clone();
    refused.destroy_refused(Some(ONE), true);
    assert!(matches!(refused.state(ONE), Some(VersionState::Pending { .. })));
    record.primary_gone(Some(ONE));
    assert!(record.is_destroyed(Some(ONE)));
}

#[test]
fn adoption_fills_gaps_and_overrides_nothing() {
    let mut record = KidRecord::default();
    record.adopt(ONE, &replica(1), KeyState::Enabled);
    let found = KidRecord { found: true, ..mirrored() };
    assert_eq!(record, found);
    record.adopt(ONE, &replica(2), KeyState::Enabled); // one too many
    assert_eq!(record, found);

    let mut pending = KidRecord::default();
    pending.accept(ONE, facts(1), None).unwrap();
    let before = pending.clone();
    pending.adopt(ONE, &replica(2), KeyState::Enabled); // of another key
    assert_eq!(pending, before);
    pending.adopt(ONE, &replica(1), KeyState::Enabled);
    assert_eq!(pending, mirrored());

    for which in [Some(ONE), None] {
        let mut destroyed = KidRecord::default();
        destroyed.begin_destroy(which);
        destroyed.primary_gone(which);
        destroyed.adopt(ONE, &replica(1), KeyState::Enabled);
        assert_eq!((destroyed.servable(Some(ONE)), destroyed.doomed()), (None, vec![ONE]));
    }
}

#[test]
fn a_switch_is_recorded_for_as_long_as_a_side_is_not_enabled() {
    let at = replica(1).at;
    let mut record = mirrored();
    assert_eq!(record.begin_switch(ONE), None);
    assert!(record.is_disabled(ONE), "from the moment the primary is asked");
    record.switched(ONE, KeyState::Disabled);
    assert_eq!(record.to_be_told(ONE), Some((&at, Position::Disabled)));
    record.replica_seen(ONE, &replica(2).at, KeyState::Disabled); // another one
    assert!(record.to_be_told(ONE).is_some());
    record.replica_seen(ONE, &at, KeyState::Disabled);
    assert!(record.is_disabled(ONE) && record.to_be_told(ONE).is_none());

    let before = record.begin_switch(ONE);
    record.switch_refused(ONE, before);
    assert!(record.is_disabled(ONE) && record.to_be_told(ONE).is_none());
    record.begin_switch(ONE);
    record.switched(ONE, KeyState::Enabled);
    assert!(!record.is_disabled(ONE));
    assert_eq!(record.to_be_told(ONE), Some((&at, Position::Enabled)));
    assert_eq!(record.shown_state(ONE, KeyState::Disabled), KeyState::Enabled, "the replica is behind");
    record.replica_seen(ONE, &at, KeyState::Enabled);
    assert_eq!(record, mirrored());
    assert_eq!(record.shown_state(ONE, KeyState::Disabled), KeyState::Disabled, "the replica by itself");
}

#[test]
fn a_switch_outlives_the_replica_and_not_the_key() {
    let mut record = mirrored();
    record.switched(ONE, KeyState::Disabled);
    record.replica_lost(ONE, &replica(1).at);
    assert!(record.is_disabled(ONE) && record.to_be_told(ONE).is_none(), "there is none to tell");
    assert!(record.begin_copy(ONE));
    record.copied(ONE, replica(2));
    assert_eq!(record.to_be_told(ONE), Some((&replica(2).at, Position::Disabled)));
    for which in [Some(ONE), None] {
        let mut destroyed = record.clone();
        destroyed.begin_destroy(which);
        destroyed.primary_gone(which);
        assert!(!destroyed.is_disabled(ONE) && destroyed.switches.is_empty());
        destroyed.switched(ONE, KeyState::Disabled);
        assert!(destroyed.switches.is_empty(), "an answer that comes late");
    }
}

#[test]
fn what_waited_to_be_enabled_is_owed_then() {
    let mut record = KidRecord::default();
    record.accept(ONE, facts(1), None).unwrap();
    record.switched(ONE, KeyState::Disabled);
    record.keep(ONE, KeptReason::Disabled);
    record.switched(ONE, KeyState::Disabled);
    assert!(matches!(record.state(ONE), Some(VersionState::Kept { .. })));
    record.switched(ONE, KeyState::Enabled);
    assert!(matches!(record.state(ONE), Some(VersionState::Pending { attempted: false, .. })));
    assert!(record.switches.is_empty());
    // What is kept for another reason stays so.
    let mut kept = KidRecord::default();
    kept.accept(ONE, facts(1), Some(KeptReason::Policy)).unwrap();
    let before = kept.clone();
    kept.switched(ONE, KeyState::Disabled);
    kept.switched(ONE, KeyState::Enabled);
    assert_eq!(kept, before);
}

#[test]
fn a_replica_that_is_found_disabled_is_of_a_key_that_was() {
    let mut found = KidRecord::default();
    found.adopt(ONE, &replica(1), KeyState::Disabled);
    assert!(found.is_disabled(ONE) && found.to_be_told(ONE).is_none());
    // What is known of the primary outranks it.
    let mut pending = KidRecord::default();
    pending.accept(ONE, facts(1), None).unwrap();
    pending.adopt(ONE, &replica(1), KeyState::Disabled);
    assert!(!pending.is_disabled(ONE));
    assert_eq!(pending.to_be_told(ONE), Some((&replica(1).at, Position::Enabled)));
}

/// Random orders of all transitions. Whatever the order: what the primary has let go stays gone, and what is
/// served is served from where it was copied to.
#[test]
fn random_orders_keep_the_invariants() {
    for seed in 1..=2_000_u64 {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut record = KidRecord::default();
        let mut gone = BTreeSet::new();
        for _ in 0..40 {
            // SplitMix64
            random = random.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut drawn = (random ^ (random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            drawn ^= drawn >> 27;
            let n = u8::try_from((drawn >> 8) % 3 + 1).unwrap();
            let one = version(n.into());
            let which = if drawn & 0x80 == 0 { Some(one) } else { None };
            let state = if drawn & 0x20 == 0 { KeyState::Enabled } else { KeyState::Disabled };
            match drawn % 14 {
                0 => drop(record.accept(one, facts(n), None)),
                1 => drop(record.begin_copy(one)),
                2 => drop(record.copied(one, replica(n))),
                3 => record.begin_destroy(which),
                4 => record.destroy_refused(which, drawn & 0x40 == 0),
                5 => {
                    record.primary_gone(which);
                    gone.extend(which.map_or(1..=3, |one| one.get()..=one.get()).map(version));
                }
                6 => record.replica_gone(one),
                7 => record.replica_lost(one, &replica(n).at),
                8 => record.adopt(one, &replica(n), state),
                9 => {
                    let before = record.clone();
                    let was = record.begin_switch(one);
                    assert!(record.is_disabled(one), "seed {seed}: asked, and not answered");
                    if drawn & 0x40 == 0 {
                        record.switch_refused(one, was);
                        assert_eq!(record, before, "seed {seed}: refused");
                    }
                }
                10 => {
                    record.switched(one, state);
                    let disabled = state == KeyState::Disabled && !record.is_destroyed(Some(one));
                    assert_eq!(record.is_disabled(one), disabled, "seed {seed}");
                }
                11 => record.replica_seen(one, &replica(n).at, state),
                12 => record.switch_trouble(one, "no answer"),
                _ => record.trouble(one, "no answer"),
            }
            let written = serde_json::to_string(&record).unwrap();
            assert_eq!(
                serde_json::from_str::<KidRecord>(&written).unwrap(),
                record,
                "seed {seed}: {written}"
            );
            for n in 1..=3_u8 {
                let one = version(n.into());
                let served = record.servable(Some(one));
                if gone.contains(&one) {
                    assert!(record.is_destroyed(Some(one)), "seed {seed}: {record:?}");
                }
                let told = record.to_be_told(one);
                assert!(told.is_none() || served.is_some() || record.whole != Whole::Live, "seed {seed}");
                if let Some((_, replica)) = served {
                    assert!(!record.is_destroyed(Some(one)), "seed {seed}: {record:?}");
                    assert_eq!(*replica, self::replica(n), "seed {seed}");
                }
            }
        }
    }
}
