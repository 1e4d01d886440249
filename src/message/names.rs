//! The names of a batch of messages, one behind the other.

use std::ops::Range;

use crate::name::{HASH_SLACK, NAME_LEN_MAX, Name};

/// So many octets are copied at once, and may be written behind a name.
const CHUNK: usize = 32;
/// What there must be room for when a name begins.
const ROOM: usize = NAME_LEN_MAX + 1 + if HASH_SLACK > CHUNK { HASH_SLACK } else { CHUNK };

/// The names of a batch have so much lasting room. Pointers make a few octets a name of 255, so that they can take forty
/// times what the messages do.
const KEPT: usize = 1 << 22;

/// Names in uncompressed wire form. What is behind the last one stays there from earlier use, so that a name
/// can be copied and hashed in chunks, without a look at where exactly it ends.
#[derive(Debug, Default)]
pub(super) struct Names {
    octets: Vec<u8>,
    end: usize,
}

impl Names {
    /// Forgets the names and keeps the memory, but for what unusual ones took.
    pub fn clear(&mut self) {
        self.end = 0;
        if self.octets.len() > KEPT {
            self.octets = Vec::new();
        }
    }

    /// How many octets of memory it has.
    #[cfg(test)]
    pub fn octets_held(&self) -> usize {
        self.octets.capacity()
    }

    /// Begins a name, and returns its place.
    #[inline]
    pub fn begin(&mut self) -> usize {
        if self.octets.len() < self.end + ROOM {
            self.octets.resize((self.end + ROOM).next_power_of_two(), 0);
        }
        self.end
    }

    /// Adds labels, each behind its length octet, that stand in a message. A name has no more than
    /// [`NAME_LEN_MAX`] octets.
    #[inline]
    pub fn append(&mut self, message: &[u8], run: Range<usize>) {
        let (mut from, mut to) = (run.start, self.end);
        self.end += run.len();
        while from < run.end {
            let source = message.get(from..).unwrap_or_default();
            let target = self.octets.get_mut(to..).unwrap_or_default();
            match (source.first_chunk::<CHUNK>(), target.first_chunk_mut::<CHUNK>()) {
                (Some(source), Some(target)) => *target = *source,
                _ => copy_end(source, target),
            }
            from += CHUNK;
            to += CHUNK;
        }
    }

    /// Ends a name with the octet of the root.
    #[inline]
    pub fn finish(&mut self) {
        if let Some(octet) = self.octets.get_mut(self.end) {
            *octet = 0;
        }
        self.end += 1;
    }

    /// Takes back what was added since a place.
    pub fn take_back(&mut self, place: usize) {
        self.end = place;
    }

    /// How many octets were added since a place.
    #[inline]
    pub fn len_since(&self, place: usize) -> usize {
        self.end - place
    }

    /// What stands at a place, and whatever is behind it.
    #[inline]
    pub fn from(&self, place: usize) -> &[u8] {
        self.octets.get(place..).unwrap_or_default()
    }

    /// A finished name.
    #[inline]
    pub fn get(&self, place: usize, len: usize) -> Name<'_> {
        Name::from_wire(self.octets.get(place..place + len).unwrap_or_default())
    }
}

/// Copies what there is and there is room for: the end of a message.
#[inline(never)]
fn copy_end(source: &[u8], target: &mut [u8]) {
    let len = source.len().min(target.len());
    if let (Some(source), Some(target)) = (source.get(..len), target.get_mut(..len)) {
        target.copy_from_slice(source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_of_several_runs_come_back(
            messages in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 1..80), any::<prop::sample::Index>()), 1..40,
            ),
        ) {
            let mut names = Names::default();
            for _ in 0..2 {
                names.clear();
                let mut kept = Vec::new();
                for (octets, middle) in &messages {
                    let middle = middle.index(octets.len());
                    let place = names.begin();
                    names.append(octets, middle..octets.len());
                    names.append(octets, 0..middle);
                    prop_assert_eq!(names.len_since(place), octets.len());
                    names.finish();
                    kept.push((place, [&octets[middle..], &octets[..middle], &[0]].concat()));
                }
                for (place, octets) in kept {
                    prop_assert_eq!(names.get(place, octets.len()).wire(), &octets[..]);
                }
            }
        }
    }

    #[test]
    fn what_is_taken_back_is_written_over() {
        let mut names = Names::default();
        let place = names.begin();
        names.append(b"\x03bad", 0..4);
        names.take_back(place);
        assert_eq!(names.begin(), place);
        names.append(b"\x01a", 0..2);
        names.finish();
        assert_eq!(names.get(place, 3).wire(), b"\x01a\0");
    }
}
