//! All records of a message, for the few whose content names a host: updates, PTR answers, and the
//! messages of the protocols that borrow the DNS format (NetBIOS names, LLMNR, multicast DNS).
//!
//! Slower than the fast reader and broader: it hands on every record with its data. It stops at the first
//! thing that is broken, so what it says of a message is what stands before the damage.

use super::RecordType;
use super::record::Flags;
use crate::name::NAME_LEN_MAX;

/// The length of a header (RFC 1035 section 4.1.1).
const HEADER_LEN: usize = 12;

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Of an update: the zone.
    Question,
    /// Of an update: what must hold.
    Answer,
    /// Of an update: what is to be changed.
    Authority,
    /// What goes with it.
    Additional,
}

/// A question or record, with its names written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'m> {
    /// Where it stands.
    pub section: Section,
    /// Whose it is, in uncompressed wire form.
    pub owner: Vec<u8>,
    /// Its type.
    pub rtype: RecordType,
    /// Its class; multicast DNS uses the first bit for itself.
    pub class: u16,
    /// How long it may be kept, in seconds; 0 of a question.
    pub ttl: u32,
    /// Its data as they stand; empty of a question.
    pub data: &'m [u8],
    data_at: usize,
}

/// A message whose records are asked for one by one.
#[derive(Clone, Copy, Debug)]
pub struct Records<'m> {
    message: &'m [u8],
    /// How many questions and records of each section there are to come.
    counts: [u16; 4],
    at: usize,
}

impl<'m> Records<'m> {
    /// The flags and the records of a message; `None` without a whole header.
    pub fn of(message: &'m [u8]) -> Option<(Flags, Records<'m>)> {
        let &[_, _, f0, f1, q0, q1, a0, a1, n0, n1, r0, r1] =
            message.first_chunk::<HEADER_LEN>()?;
        let word = |high, low| u16::from_be_bytes([high, low]);
        let counts = [word(q0, q1), word(a0, a1), word(n0, n1), word(r0, r1)];
        Some((Flags(word(f0, f1)), Records { message, counts, at: HEADER_LEN }))
    }

    /// The name that a record's data begins with, in uncompressed wire form.
    pub fn name_in(&self, record: &Record<'_>) -> Option<Vec<u8>> {
        self.name(record.data_at).map(|(name, _)| name)
    }

    /// The name at a place, and where it ends. Pointers must point back (RFC 1035 section 4.1.4), so that
    /// the walk ends.
    fn name(&self, at: usize) -> Option<(Vec<u8>, usize)> {
        let (mut name, mut here, mut run, mut end) = (Vec::with_capacity(64), at, at, None);
        loop {
            let &len = self.message.get(here)?;
            match len {
                0 => {
                    name.push(0);
                    return Some((name, end.unwrap_or(here + 1)));
                }
                1..=63 => {
                    let next = here + 1 + usize::from(len);
                    name.extend_from_slice(self.message.get(here..next)?);
                    if name.len() >= NAME_LEN_MAX {
                        return None;
                    }
                    here = next;
                }
                0xc0.. => {
                    let &low = self.message.get(here + 1)?;
                    let target = usize::from(len & 0x3f) << 8 | usize::from(low);
                    end.get_or_insert(here + 2);
                    if target >= run {
                        return None;
                    }
                    (here, run) = (target, target);
                }
                _ => return None,
            }
        }
    }

    fn word(&self, at: usize) -> Option<u16> {
        self.message.get(at..)?.first_chunk().map(|word| u16::from_be_bytes(*word))
    }

    fn read(&mut self, section: Section) -> Option<Record<'m>> {
        let (owner, at) = self.name(self.at)?;
        let (rtype, class) = (RecordType(self.word(at)?), self.word(at + 2)?);
        if section == Section::Question {
            self.at = at + 4;
            return Some(Record { section, owner, rtype, class, ttl: 0, data: &[], data_at: at });
        }
        let ttl = u32::from(self.word(at + 4)?) << 16 | u32::from(self.word(at + 6)?);
        let data_at = at + 10;
        let end = data_at + usize::from(self.word(at + 8)?);
        let data = self.message.get(data_at..end)?;
        self.at = end;
        Some(Record { section, owner, rtype, class, ttl, data, data_at })
    }
}

impl<'m> Iterator for Records<'m> {
    type Item = Record<'m>;

    fn next(&mut self) -> Option<Record<'m>> {
        const SECTIONS: [Section; 4] =
            [Section::Question, Section::Answer, Section::Authority, Section::Additional];
        let (count, section) =
            self.counts.iter_mut().zip(SECTIONS).find(|(count, _)| **count > 0)?;
        *count -= 1;
        let record = self.read(section);
        if record.is_none() {
            self.counts = [0; 4];
        }
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;
    use proptest::prelude::*;

    /// A response with a question for `h.test` and two A records, the second owner a pointer.
    const RESPONSE: &[u8] = b"\0\x01\x85\0\0\x01\0\x02\0\0\0\0\x01h\x04test\0\0\x01\0\x01\
        \xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x01\
        \xc0\x0c\0\x0c\0\x01\0\0\0\x3c\0\x04\x01x\xc0\x0e";

    #[test]
    fn every_record_is_handed_on_with_its_names_written_out() {
        let (flags, records) = Records::of(RESPONSE).unwrap();
        assert!(flags.is_response() && flags.is_authoritative());
        let all: Vec<Record<'_>> = records.collect();
        let owners: Vec<String> =
            all.iter().map(|record| Name::from_wire(&record.owner).to_string()).collect();
        assert_eq!(owners, ["h.test", "h.test", "h.test"]);
        assert_eq!(all[0].section, Section::Question);
        assert_eq!((all[1].data, all[1].ttl), (&[10, 0, 0, 1][..], 60));
        let target = records.name_in(&all[2]).unwrap();
        assert_eq!(Name::from_wire(&target).to_string(), "x.test");
    }

    #[test]
    fn what_is_cut_ends_the_records() {
        for len in 0..RESPONSE.len() {
            let read = Records::of(&RESPONSE[..len]).map_or(0, |(_, records)| records.count());
            assert!(read < 3, "{len} octets");
        }
        let mut loops = RESPONSE.to_vec();
        loops[25] = 24;
        assert_eq!(Records::of(&loops).unwrap().1.count(), 1, "a pointer at itself");
    }

    proptest! {
        #[test]
        fn any_octets_can_be_walked(bytes: Vec<u8>, flips in prop::collection::vec((0usize..60, any::<u8>()), 0..6)) {
            let mut damaged = RESPONSE.to_vec();
            for (at, octet) in flips {
                if let Some(slot) = damaged.get_mut(at) {
                    *slot = octet;
                }
            }
            for message in [&bytes, &damaged] {
                if let Some((_, records)) = Records::of(message) {
                    // Each record takes eleven octets at least, each question five.
                    let names: Vec<_> = records.map(|r| records.name_in(&r)).collect();
                    prop_assert!(names.len() <= message.len() / 5);
                }
            }
        }
    }
}
