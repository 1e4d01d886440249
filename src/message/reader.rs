//! The one-pass reader: question, aliases, addresses and delegations of a message, nothing else.
//!
//! It stops where it knows enough: a query is read up to its question, a response up to the end of its
//! authority section. What is broken behind that does not matter to anybody; what is broken before it
//! is said in [`Malformed`], and all that stood before the damage is kept.

use super::record::{Fact, Flags, Malformed, Messages, NameRef, Question, RecordType, Watchlist};
use crate::flow::Address;
use crate::name::{LABELS_MAX, NAME_LEN_MAX, NameHash, NameHasher};

/// How many names of a message are remembered by where they stand. Answers mostly point back at the
/// question or at the alias before them, so a handful suffices; a name beyond them is read again.
const REMEMBERED_MAX: usize = 8;

/// What the sections of a message held.
pub(super) struct Sections {
    pub id: u16,
    pub flags: Flags,
    pub counts: [u16; 4],
    pub question: Option<Question>,
    pub malformed: Option<Malformed>,
    pub flagged: bool,
}

/// Where in the message names stand that were read already.
struct Remembered {
    entries: [(u16, Option<NameRef>); REMEMBERED_MAX],
    len: usize,
}

impl Remembered {
    fn get(&self, offset: usize) -> Option<NameRef> {
        let seen = self.entries.get(..self.len)?;
        seen.iter().find(|(at, _)| usize::from(*at) == offset).and_then(|(_, name)| *name)
    }

    fn put(&mut self, offset: usize, name: NameRef) {
        if let (Some(slot), Ok(offset)) = (self.entries.get_mut(self.len), u16::try_from(offset)) {
            *slot = (offset, Some(name));
            self.len += 1;
        }
    }
}

/// A walk over one message.
struct Walk<'m, 'a, W> {
    payload: &'m [u8],
    names: &'a mut Vec<u8>,
    hasher: &'a NameHasher,
    watchlist: &'a W,
    remembered: Remembered,
    flagged: bool,
}

impl Messages {
    /// Reads a payload's sections, adding names and facts to the arena. `None` without a whole header.
    pub(super) fn read_sections(
        &mut self,
        payload: &[u8],
        hasher: &NameHasher,
        watchlist: &impl Watchlist,
    ) -> Option<Sections> {
        let word = |at: usize| -> Option<u16> {
            payload.get(at..at + 2).map(|o| u16::from_be_bytes([o[0], o[1]]))
        };
        let counts = [word(4)?, word(6)?, word(8)?, word(10)?];
        let mut sections = Sections {
            id: word(0)?,
            flags: Flags(word(2)?),
            counts,
            question: None,
            malformed: None,
            flagged: false,
        };
        let mut walk = Walk {
            payload,
            names: &mut self.names,
            hasher,
            watchlist,
            remembered: Remembered { entries: [(0, None); REMEMBERED_MAX], len: 0 },
            flagged: false,
        };
        sections.malformed = walk.sections(&mut sections, &mut self.facts).err();
        sections.flagged = walk.flagged;
        Some(sections)
    }
}

impl<W: Watchlist> Walk<'_, '_, W> {
    fn sections(&mut self, out: &mut Sections, facts: &mut Vec<Fact>) -> Result<(), Malformed> {
        let [questions, answers, authority, _] = out.counts;
        let mut at = 12;
        for place in 0..questions {
            let (name, end) = self.name(at)?;
            let (rtype, class) = (self.word(end)?, self.word(end + 2)?);
            at = end + 4;
            if place == 0 {
                out.question = Some(Question { name, rtype: RecordType(rtype), class });
            }
        }
        // Of a query nothing further links it to anything; of an update (RFC 2136) the records are
        // what is to be changed, not answers.
        if !out.flags.is_response() || out.flags.opcode() != 0 {
            return Ok(());
        }
        for _ in 0..answers {
            at = self.record(at, true, facts)?;
        }
        for _ in 0..authority {
            at = self.record(at, false, facts)?;
        }
        Ok(())
    }

    /// Reads the record at `at`, adds what it says, and returns where the next one stands.
    fn record(
        &mut self,
        at: usize,
        in_answer: bool,
        facts: &mut Vec<Fact>,
    ) -> Result<usize, Malformed> {
        let body = self.skip_name(at)?;
        let rtype = RecordType(self.word(body)?);
        let class = self.word(body + 2)?;
        let ttl = u32::from(self.word(body + 4)?) << 16 | u32::from(self.word(body + 6)?);
        let data = body + 10;
        let end = data + usize::from(self.word(body + 8)?);
        if end > self.payload.len() {
            return Err(Malformed::CutShort);
        }
        if class != 1 {
            return Ok(end);
        }
        match rtype {
            RecordType::CNAME if in_answer => {
                let (owner, _) = self.name(at)?;
                let (target, _) = self.name(data)?;
                facts.push(Fact::Alias { owner, target, ttl });
            }
            RecordType::A | RecordType::AAAA if in_answer => {
                let (owner, _) = self.name(at)?;
                let octets = self.payload.get(data..end).unwrap_or_default();
                let address = match (<[u8; 4]>::try_from(octets), <[u8; 16]>::try_from(octets)) {
                    (Ok(v4), _) if rtype == RecordType::A => Address::v4(v4),
                    (_, Ok(v6)) if rtype == RecordType::AAAA => Address::v6(v6),
                    _ => return Err(Malformed::CutShort),
                };
                self.flagged |= self.watchlist.address(address);
                facts.push(Fact::Address { owner, address });
            }
            RecordType::NS => {
                let (zone, _) = self.name(at)?;
                let (server, _) = self.name(data)?;
                facts.push(Fact::Delegation { zone, server, ttl });
            }
            _ => {}
        }
        Ok(end)
    }

    fn word(&self, at: usize) -> Result<u16, Malformed> {
        let octets = self.payload.get(at..at + 2).ok_or(Malformed::CutShort)?;
        Ok(u16::from_be_bytes([octets[0], octets[1]]))
    }

    /// Where a name ends, without reading it.
    fn skip_name(&self, mut at: usize) -> Result<usize, Malformed> {
        loop {
            let len = *self.payload.get(at).ok_or(Malformed::CutShort)?;
            match len {
                0 => return Ok(at + 1),
                1..=63 => at += 1 + usize::from(len),
                0xc0.. => return Ok(at + 2),
                _ => return Err(Malformed::BadName),
            }
        }
    }

    /// Reads the name at `at`: its place in the arena, and where it ends in the message.
    ///
    /// Compression pointers (RFC 1035 section 4.1.4) must point before the run of labels they end, so
    /// each jump goes further back and the walk ends.
    fn name(&mut self, at: usize) -> Result<(NameRef, usize), Malformed> {
        if let Some(target) = self.pointer(at)
            && let Some(name) = self.remembered.get(target)
        {
            return Ok((name, at + 2));
        }
        if let Some(name) = self.remembered.get(at) {
            return Ok((name, self.skip_name(at)?));
        }
        let start = self.names.len();
        let read = self.copy_labels(at, start);
        match read {
            Ok((name, end, first)) => {
                self.remembered.put(first, name);
                Ok((name, end))
            }
            Err(error) => {
                self.names.truncate(start);
                Err(error)
            }
        }
    }

    fn pointer(&self, at: usize) -> Option<usize> {
        let octets = self.payload.get(at..at + 2)?;
        (octets[0] >= 0xc0).then(|| usize::from(u16::from_be_bytes([octets[0] & 0x3f, octets[1]])))
    }

    /// Copies labels to the arena; returns the name, its end in the message, and where its labels begin.
    fn copy_labels(
        &mut self,
        at: usize,
        start: usize,
    ) -> Result<(NameRef, usize, usize), Malformed> {
        let mut starts = [0u8; LABELS_MAX + 1];
        let mut labels = 0;
        let (mut here, mut run, mut end, mut first) = (at, at, None, at);
        loop {
            let len = *self.payload.get(here).ok_or(Malformed::CutShort)?;
            match len {
                0 => break,
                1..=63 => {
                    let next = here + 1 + usize::from(len);
                    let label = self.payload.get(here..next).ok_or(Malformed::CutShort)?;
                    let offset = self.names.len() - start;
                    if offset + label.len() >= NAME_LEN_MAX {
                        return Err(Malformed::BadName);
                    }
                    if let Some(slot) = starts.get_mut(labels) {
                        *slot = offset as u8;
                    }
                    labels += 1;
                    self.names.extend_from_slice(label);
                    here = next;
                }
                0xc0.. => {
                    let target = self.pointer(here).ok_or(Malformed::CutShort)?;
                    end.get_or_insert(here + 2);
                    if target >= run {
                        return Err(Malformed::BadName);
                    }
                    if here == at {
                        first = target;
                    }
                    (here, run) = (target, target);
                }
                _ => return Err(Malformed::BadName),
            }
        }
        self.names.push(0);
        let wire = self.names.get(start..).unwrap_or_default();
        let starts = starts.get(..labels).unwrap_or_default();
        let mut group = self.hasher.root();
        let (watchlist, mut flagged) = (self.watchlist, false);
        let hash = self.hasher.fold_labels(wire, starts, |done, hash: NameHash| {
            if done <= 2 {
                group = hash;
            }
            flagged |= watchlist.name(done, hash, done == labels);
        });
        self.flagged |= flagged;
        let name = NameRef::new(start, wire.len(), labels, hash, group);
        Ok((name, end.unwrap_or(here + 1), first))
    }
}
