//! The initial byte of an item, with its argument (RFC 8949 section 3).

/// Writes it in the shortest form (RFC 8949 section 4.1).
#[inline]
pub(crate) fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let [.., b3, b2, b1, b0] = argument.to_be_bytes();
    let major = major << 5;
    match argument {
        0..=23 => out.push(major | b0),
        24..=0xff => out.extend_from_slice(&[major | 0x18, b0]),
        0x100..=0xffff => out.extend_from_slice(&[major | 0x19, b1, b0]),
        0x1_0000..=0xffff_ffff => out.extend_from_slice(&[major | 0x1a, b3, b2, b1, b0]),
        _ => {
            out.push(major | 0x1b);
            out.extend_from_slice(&argument.to_be_bytes());
        }
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
