//! The initial byte of an item, with its argument (RFC 8949 section 3).

/// In the shortest form (RFC 8949 section 4.1).
pub(crate) struct Head {
    bytes: [u8; 9],
    len: usize,
}

impl Head {
    #[inline]
    pub(crate) fn new(major: u8, argument: u64) -> Self {
        let major = major << 5;
        let [b7, b6, b5, b4, b3, b2, b1, b0] = argument.to_be_bytes();
        match argument {
            0..=23 => Self { bytes: [major | b0, 0, 0, 0, 0, 0, 0, 0, 0], len: 1 },
            24..=0xff => Self { bytes: [major | 0x18, b0, 0, 0, 0, 0, 0, 0, 0], len: 2 },
            0x100..=0xffff => Self { bytes: [major | 0x19, b1, b0, 0, 0, 0, 0, 0, 0], len: 3 },
            0x1_0000..=0xffff_ffff => Self { bytes: [major | 0x1a, b3, b2, b1, b0, 0, 0, 0, 0], len: 5 },
            _ => Self { bytes: [major | 0x1b, b7, b6, b5, b4, b3, b2, b1, b0], len: 9 },
        }
    }

    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// What stands behind the head of an item, if it is of this major type.
pub(crate) fn content(major: u8, item: &[u8]) -> Option<&[u8]> {
    let initial = item.first().filter(|&&initial| initial >> 5 == major)?;
    let argument = match initial & 0x1f {
        info @ 24..=27 => 1 << (info - 24),
        _ => 0,
    };
    item.get(1 + argument..)
}
