//! The tags by which a replica says what it is a copy of.

use std::str::FromStr;

use swarmauri_keys::{
    ExportPolicy, Fingerprint, KeyClass, KeyError, KeyRef, KeyRefParts, KeySpec, KeyState, KeyVersionId, Tags,
};

use crate::map::{Facts, Replica};
use crate::mode::Fidelity;

/// `"<kid>.<version>"` of the primary's key.
pub(crate) const SOURCE: &str = "mirror.source";
/// The fingerprint it had when it was copied.
const FINGERPRINT: &str = "mirror.fingerprint";
/// How much was copied, if it is not the public key alone: see [`Fidelity`].
const FIDELITY: &str = "mirror.fidelity";
/// The export policy on the primary, if it is not `public_only`.
const POLICY: &str = "mirror.policy";
/// The class on the primary, if it is not the algorithm's own.
const CLASS: &str = "mirror.class";
/// "true" if the key is a public one alone, so that the replica is all there is of it.
const PUBLIC_ALONE: &str = "mirror.public_alone";
/// On a key of the primary: names the create that made it, where the primary takes no `kid`.
pub(crate) const INTENT: &str = "mirror.intent";

/// What the tags of a replica claim.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) source: KeyVersionId,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) fidelity: Fidelity,
    pub(crate) public_alone: bool,
    policy: ExportPolicy,
    class: Option<KeyClass>,
}

impl Claim {
    /// Reads the claim from tags; `None` if they make none that can be understood.
    pub(crate) fn read(tags: &Tags) -> Option<Self> {
        Some(Self {
            source: tags.get(SOURCE)?.parse().ok()?,
            fingerprint: tags.get(FINGERPRINT)?.parse().ok()?,
            fidelity: or_usual(tags, FIDELITY, Fidelity::PublicOnly)?,
            public_alone: tags.get(PUBLIC_ALONE) == Some("true"),
            policy: or_usual(tags, POLICY, ExportPolicy::PublicOnly)?,
            class: tags.get(CLASS).and_then(|class| class.parse().ok()),
        })
    }

    /// The replica at this place of the secondary, as its claim describes it.
    pub(crate) fn replica(&self, at: KeyVersionId, alg: swarmauri_keys::KeyAlg) -> Replica {
        let key = Facts { fingerprint: self.fingerprint.clone(), alg };
        Replica::new(at, self.fidelity, key)
    }
}

/// What a tag says, or where there is none, what it is left out for; `None` if it cannot be understood.
fn or_usual<T: FromStr>(tags: &Tags, name: &str, usual: T) -> Option<T> {
    tags.get(name).map_or(Some(usual), |text| text.parse().ok())
}

/// The spec of the replica of a key of this fingerprint. `public_alone` if it is known that there is no more of the key than
/// that.
pub(crate) fn replica_spec(
    key: &KeyRef,
    fingerprint: &Fingerprint,
    fidelity: Fidelity,
    public_alone: bool,
) -> Result<KeySpec, KeyError> {
    let policy = match fidelity {
        Fidelity::Full => key.export_policy(),
        Fidelity::PublicOnly | Fidelity::PublicOnlyFallback => ExportPolicy::PublicOnly,
    };
    let source = key.id().to_string();
    let mut tags = vec![(SOURCE, source.as_str()), (FINGERPRINT, fingerprint.as_str())];
    // What most replicas would say is left out: there are as many of them as keys.
    if fidelity != Fidelity::PublicOnly {
        tags.push((FIDELITY, fidelity.as_str()));
    }
    if key.export_policy() != ExportPolicy::PublicOnly {
        tags.push((POLICY, key.export_policy().as_str()));
    }
    if key.class() != key.alg().class() {
        tags.push((CLASS, key.class().as_str()));
    }
    if public_alone {
        tags.push((PUBLIC_ALONE, "true"));
    }
    let tags = key.tags().clone().with_all(&tags)?;
    let mut spec = KeySpec::builder(key.alg()).uses(key.uses().iter()).export_policy(policy);
    if let Some(label) = key.label() {
        spec = spec.label(label);
    }
    Ok(spec.build()?.with_tags(tags))
}

/// The replica as the primary would have answered: its `kid`, version, policy, class and tags, in this state.
///
/// The secret, if the replica's answer holds one, goes along.
pub(crate) fn as_primary(replica: &KeyRef, id: KeyVersionId, state: KeyState) -> Result<KeyRef, KeyError> {
    let claim = Claim::read(replica.tags());
    let KeyRefParts {
        id: _,
        alg,
        class,
        uses,
        state: _,
        export_policy,
        size_bits,
        label,
        tags,
        fingerprint,
        public,
    } = replica.parts().clone();
    let answer = KeyRef::new(KeyRefParts {
        id,
        alg,
        class: claim.as_ref().and_then(|claim| claim.class).unwrap_or(class),
        uses,
        state,
        export_policy: claim.as_ref().map_or(export_policy, |claim| claim.policy),
        size_bits,
        label,
        tags: tags
            .retaining(|name| ![SOURCE, FINGERPRINT, FIDELITY, POLICY, CLASS, PUBLIC_ALONE].contains(&name)),
        fingerprint,
        public,
    });
    match replica.secret() {
        Some(secret) => answer.with_secret(secret.clone()),
        None => Ok(answer),
    }
}
