//! What the steps of a script are about: by that they are left out together.

use crate::script::{Behind, Op, Step};

impl Step {
    /// The process that it happens to, if it is about one.
    pub(crate) fn process(self) -> Option<u8> {
        match self {
            Self::Call { process, .. } | Self::Maintain { process } | Self::Crash { process } => {
                Some(process)
            }
            _ => None,
        }
    }

    /// The one of the few keys that it is about, if it is about one.
    pub(crate) fn slot(self) -> Option<u8> {
        match self {
            Self::Call { op, .. } => op.slot(),
            Self::Behind(behind) => behind.slot(),
            _ => None,
        }
    }
}

impl Behind {
    fn slot(self) -> Option<u8> {
        match self {
            Self::PrimaryCreate { slot, .. }
            | Self::PrimaryRotate { slot }
            | Self::PrimaryDestroy { slot, .. }
            | Self::PrimaryDisable { slot, .. }
            | Self::PrimaryEnable { slot, .. }
            | Self::PrimaryForgets { slot }
            | Self::SecondaryDestroy { slot } => Some(slot),
            Self::Provision => None,
        }
    }
}

impl Op {
    fn slot(self) -> Option<u8> {
        match self {
            Self::Create { slot, .. }
            | Self::Import { slot, .. }
            | Self::Rotate { slot, .. }
            | Self::Destroy { slot, .. }
            | Self::Disable { slot, .. }
            | Self::Enable { slot, .. }
            | Self::Get { slot, .. }
            | Self::PublicJwk { slot, .. }
            | Self::Versions { slot }
            | Self::Make { slot, .. }
            | Self::Check { slot, .. }
            | Self::Encrypt { slot, .. }
            | Self::Decrypt { slot, .. } => Some(slot),
            Self::Jwks { of_slot, .. } => of_slot,
            _ => None,
        }
    }
}
