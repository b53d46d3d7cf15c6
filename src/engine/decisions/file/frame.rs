//! One entry in the file: its length, a checksum, its bytes.

use super::Entry;

/// A longer frame is damage.
const LONGEST: usize = 64 * 1024;

/// What some bytes begin with.
#[derive(Debug)]
pub(super) enum Read<'a> {
    /// An entry, and what follows its frame.
    Entry(Entry, &'a [u8]),
    /// A frame that is being written, or was cut off; or nothing.
    Cut,
    /// No frame.
    Damage,
}

/// An entry with its length and checksum. One that is too long for a frame is none.
pub(super) fn of(entry: &Entry) -> Vec<u8> {
    let Ok(bytes) = postcard::to_allocvec(entry) else { return Vec::new() };
    let Some(length) = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= LONGEST) else { return Vec::new() };
    [&length.to_le_bytes(), &checksum(&bytes), &*bytes].concat()
}

/// The first entry of some frames.
pub(super) fn read(frames: &[u8]) -> Read<'_> {
    let Some((length, rest)) = frames.split_first_chunk() else { return Read::Cut };
    let Some(length) = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length <= LONGEST) else {
        return Read::Damage;
    };
    let Some((sum, rest)) = rest.split_first_chunk() else { return Read::Cut };
    let Some((bytes, rest)) = rest.split_at_checked(length) else { return Read::Cut };
    match postcard::from_bytes(bytes) {
        Ok(entry) if checksum(bytes) == *sum => Read::Entry(entry, rest),
        _ => Read::Damage,
    }
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = *blake3::hash(bytes).as_bytes();
    [a, b, c, d]
}
