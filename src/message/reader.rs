//! The one-pass reader: question, aliases, services, addresses and delegations of a message, nothing else.
//!
//! It stops where it knows enough: a query is read up to its question, a response up to the end of its
//! authority section. What is broken behind that does not matter to anybody; what is broken before it
//! is said in [`Malformed`], and all that can be read around the damage is kept: a record whose data
//! makes no sense is left out, as its length says where the next one stands.

use super::names::Names;
use super::record::{
    Fact, Malformed, Message, NameRef, Question, RecordType, Unwatched, Watchlist,
};
use crate::flow::Address;
use crate::name::{Ancestors, LABELS_MAX, NAME_LEN_MAX, Name, NameHasher};

/// How many names of a message are remembered by where they stand. Answers mostly point back at the
/// question or at the alias before them, so a handful suffices; a name beyond them is read again.
const REMEMBERED_MAX: usize = 8;
/// How many steps of a chain are gone through for what DNAME records imply: as many as resolvers follow.
const IMPLIED_MAX: usize = 17;

/// A resource record (RFC 1035 section 4.1.3): where its parts stand in the message.
#[derive(Clone, Copy)]
struct Record {
    owner: usize,
    rtype: RecordType,
    class: u16,
    ttl: u32,
    data: usize,
    end: usize,
}

/// What a DNAME record makes of a name (RFC 6672 section 2.2), all names uncompressed.
struct Redirected {
    made: Vec<u8>,
    owner: Vec<u8>,
    target: Vec<u8>,
    ttl: u32,
}

/// What a walk needs for a while, kept from one message to the next so that it need not be made anew.
#[derive(Debug)]
pub(super) struct Scratch {
    /// Where in the message names stand that were read already, and which they are.
    remembered: [(u16, NameRef); REMEMBERED_MAX],
    count: u8,
    /// Where in the name at hand its labels' length octets stand.
    starts: [u8; LABELS_MAX],
}

/// Labels that were copied, and where they stood.
#[derive(Clone, Copy)]
struct Copied {
    labels: usize,
    /// Where the name ends in the message.
    end: usize,
    /// Where its first label stands there.
    first: usize,
    /// Whether all of them stand behind that, without a pointer in between.
    in_one_piece: bool,
}

impl Default for Scratch {
    fn default() -> Scratch {
        let remembered = [(0, NameRef::default()); REMEMBERED_MAX];
        Scratch { remembered, count: 0, starts: [0; LABELS_MAX] }
    }
}

impl Scratch {
    /// The name that was read at `offset`. The one read last is what most pointers point at.
    #[inline]
    fn get(&self, offset: usize) -> Option<&NameRef> {
        let remembered = self.remembered.get(..usize::from(self.count)).unwrap_or_default();
        let seen = remembered.iter().rev().find(|(at, _)| usize::from(*at) == offset);
        seen.map(|(_, name)| name)
    }

    #[inline]
    fn put(&mut self, offset: usize, name: NameRef) {
        if let (Some(slot), Ok(offset)) =
            (self.remembered.get_mut(usize::from(self.count)), u16::try_from(offset))
        {
            *slot = (offset, name);
            self.count += 1;
        }
    }
}

/// A walk over one message.
struct Walk<'m, 'a, W> {
    payload: &'m [u8],
    names: &'a mut Names,
    hasher: &'a NameHasher,
    watchlist: &'a mut W,
    scratch: &'a mut Scratch,
    place: usize,
    keeps_addresses: bool,
    found: Findings,
}

/// What was found on a walk.
#[derive(Clone, Copy, Default)]
pub(super) struct Findings {
    /// An address is on the watch list.
    pub flagged: bool,
    /// An address in the answer section may be internal.
    pub internal_address: bool,
    /// There were addresses in it that were looked at and not kept.
    pub left_addresses: bool,
    /// There is a DNAME record in the answer section.
    redirects: bool,
}

/// Where what is read of messages goes.
pub(super) struct Arena<'a> {
    pub names: &'a mut Names,
    pub facts: &'a mut Vec<Fact>,
    pub scratch: &'a mut Scratch,
    /// The place of the message among those that were read.
    pub place: usize,
}

impl Arena<'_> {
    /// Reads a message's sections into its record, and adds its names and facts, addresses among them only if they are
    /// to be kept.
    #[inline(always)]
    pub fn read<W: Watchlist>(
        &mut self,
        payload: &[u8],
        message: &mut Message,
        keeps_addresses: bool,
        hasher: &NameHasher,
        watchlist: &mut W,
    ) -> Findings {
        let Arena { names, facts, scratch, place } = self;
        scratch.count = 0;
        let found = Findings::default();
        let (place, facts_start) = (*place, facts.len());
        let mut walk =
            Walk { payload, names, hasher, watchlist, scratch, place, keeps_addresses, found };
        if let Err(malformed) = walk.sections(message, facts) {
            message.malformed.get_or_insert(malformed);
        }
        if walk.found.redirects {
            walk.add_implied(message, facts_start, facts);
        }
        walk.found
    }

    /// The same once more, with addresses. Apart, for it is done of few.
    #[inline(never)]
    pub fn read_with_addresses(
        &mut self,
        payload: &[u8],
        message: &mut Message,
        hasher: &NameHasher,
    ) {
        self.read(payload, message, true, hasher, &mut Unwatched);
    }
}

/// Whether an address may be a host's of a private network (RFC 1918, RFC 6598, RFC 4193), by the octets of a
/// record: looser and quicker than [`Address::is_internal`], which is asked again of those few.
#[inline(always)]
fn may_be_private(octets: &[u8]) -> bool {
    match *octets {
        [first, _, _, _] => matches!(first, 10 | 100 | 172 | 192),
        // Of IPv4-mapped ones too.
        [first, ..] => matches!(first, 0 | 0xfc | 0xfd),
        [] => false,
    }
}

/// The octets of the IPv4 and of the IPv6 addresses that SvcParams hint at (RFC 9460 section 7.3). None if the
/// parameters are malformed (section 2.2): clients have to reject them, then.
fn hints(mut params: &[u8]) -> Option<[&[u8]; 2]> {
    const IPV4HINT: u16 = 4;
    const IPV6HINT: u16 = 6;
    let ([mut v4, mut v6], mut last) = ([&[][..]; 2], None);
    while let Some((&[k0, k1, l0, l1], rest)) = params.split_first_chunk() {
        let (key, len) = (u16::from_be_bytes([k0, k1]), u16::from_be_bytes([l0, l1]));
        let (value, rest) = rest.split_at_checked(usize::from(len))?;
        // They stand in order, each once.
        if last >= Some(key) {
            return None;
        }
        match key {
            IPV4HINT if len % 4 == 0 => v4 = value,
            IPV6HINT if len % 16 == 0 => v6 = value,
            IPV4HINT | IPV6HINT => return None,
            _ => {}
        }
        (params, last) = (rest, Some(key));
    }
    params.is_empty().then_some([v4, v6])
}

/// Adds a name that stands by itself.
fn made_name<W: Watchlist>(
    wire: &[u8],
    names: &mut Names,
    hasher: &NameHasher,
    watchlist: &mut W,
    place: usize,
) -> Option<NameRef> {
    let (scratch, found) = (&mut Scratch::default(), Findings::default());
    let payload = wire;
    let mut walk =
        Walk { payload, names, hasher, watchlist, scratch, place, keeps_addresses: false, found };
    walk.read_name(0).ok().map(|(name, _)| name)
}

/// The big-endian 16 bits at `at`.
#[inline]
fn word(octets: &[u8], at: usize) -> Option<u16> {
    octets.get(at..)?.first_chunk().map(|word| u16::from_be_bytes(*word))
}

impl<W: Watchlist> Walk<'_, '_, W> {
    /// Reads up to the end of the authority section. What ends the reading early is the error; the first
    /// record that had to be left out is noted in `out`.
    #[inline(always)]
    fn sections(&mut self, out: &mut Message, facts: &mut Vec<Fact>) -> Result<(), Malformed> {
        let [questions, answers, authority, additional] = out.counts;
        let mut at = 12;
        if questions > 0 {
            let (name, end) = self.read_name(at)?;
            let rtype = RecordType(self.word(end)?);
            out.question = Some(Question { name, rtype, class: self.word(end + 2)? });
            at = end + 4;
        }
        // Nobody asks two things at once; if somebody does, the first is what counts.
        for _ in 1..questions {
            let end = self.skip_name(at)?;
            self.word(end + 2)?;
            at = end + 4;
        }
        // Of a query nothing further links it to anything; of an update (RFC 2136) the records are
        // what is to be changed, not answers.
        if !out.flags.is_response() || out.flags.opcode() != 0 {
            out.has_names_unread = out.flags.opcode() == 5 && !out.flags.is_response();
            return Ok(());
        }
        out.has_names_unread =
            answers > 0 && out.question.is_some_and(|asked| asked.rtype == RecordType::PTR);
        at = self.section(at, answers, true, out, facts)?;
        at = self.section(at, authority, false, out, facts)?;
        // Who answers has no need of a further code; most answer.
        if answers == 0 && additional > 0 {
            out.extended_rcode = self.extended_rcode(at, additional).unwrap_or_default();
        }
        Ok(())
    }

    /// What the OPT record of the additional section adds to the response code. What is broken there matters to nobody.
    ///
    /// ```text
    /// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
    /// |    EXTENDED-RCODE     |        VERSION        |   RFC 6891 section 6.1.3: in the place of the TTL
    /// | DO|                    Z                      |
    /// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
    /// ```
    #[inline(never)]
    fn extended_rcode(&self, mut at: usize, additional: u16) -> Option<u8> {
        for _ in 0..additional {
            let record = self.record(at).ok()?;
            if record.rtype == RecordType::OPT {
                return Some((record.ttl >> 24) as u8);
            }
            at = record.end;
        }
        None
    }

    /// Reads the records of a section, and returns where it ends.
    #[inline]
    fn section(
        &mut self,
        mut at: usize,
        count: u16,
        in_answer: bool,
        out: &mut Message,
        facts: &mut Vec<Fact>,
    ) -> Result<usize, Malformed> {
        for _ in 0..count {
            let record = self.record(at)?;
            at = record.end;
            if let Err(malformed) = self.take_record(record, in_answer, facts) {
                out.malformed.get_or_insert(malformed);
            }
        }
        Ok(at)
    }

    /// Finds the parts of the record at `at`.
    #[inline]
    fn record(&self, at: usize) -> Result<Record, Malformed> {
        // Nearly always its owner is a pointer.
        let body = match self.payload.get(at) {
            Some(0xc0..) => at + 2,
            _ => self.skip_name(at)?,
        };
        let rest = self.payload.get(body..).unwrap_or_default();
        let [t0, t1, c0, c1, l0, l1, l2, l3, n0, n1] =
            *rest.first_chunk::<10>().ok_or(Malformed::CutShort)?;
        let data = body + 10;
        let end = data + usize::from(u16::from_be_bytes([n0, n1]));
        if end > self.payload.len() {
            return Err(Malformed::CutShort);
        }
        Ok(Record {
            owner: at,
            rtype: RecordType(u16::from_be_bytes([t0, t1])),
            class: u16::from_be_bytes([c0, c1]),
            ttl: u32::from_be_bytes([l0, l1, l2, l3]),
            data,
            end,
        })
    }

    /// Adds what a record says that links questions to one another, if anything.
    #[inline]
    fn take_record(
        &mut self,
        record: Record,
        in_answer: bool,
        facts: &mut Vec<Fact>,
    ) -> Result<(), Malformed> {
        let Record { owner, rtype, class, ttl, data, end } = record;
        if class != 1 {
            return Ok(());
        }
        match rtype {
            RecordType::A | RecordType::AAAA if in_answer => {
                self.take_address(record, facts)?;
            }
            RecordType::CNAME if in_answer => {
                let (owner, _) = self.name(owner)?;
                let target = self.name_in_data(data, end)?;
                facts.push(Fact::Alias { owner, target, ttl });
            }
            RecordType::NS => {
                let (zone, _) = self.name(owner)?;
                let server = self.name_in_data(data, end)?;
                facts.push(Fact::Delegation { zone, server, ttl });
            }
            _ if in_answer => self.take_other(record, facts)?,
            _ => {}
        }
        Ok(())
    }

    /// Adds what a record says that few answers hold. Apart, for types told apart above cost every record: these two 8
    /// instructions a packet (`make budget`).
    #[cold]
    #[inline(never)]
    fn take_other(&mut self, record: Record, facts: &mut Vec<Fact>) -> Result<(), Malformed> {
        match record.rtype {
            RecordType::SVCB | RecordType::HTTPS => self.take_service(record, facts),
            RecordType::DNAME => {
                self.found.redirects = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Adds the DNAME records that lead on from the question, and the aliases that they say where no CNAME record does.
    /// Servers put one beside it (RFC 6672 section 3.1), but not all that pass an answer on do so (systemd-resolved). What
    /// makes no sense implies nothing.
    #[cold]
    #[inline(never)]
    fn add_implied(&mut self, message: &Message, facts_start: usize, facts: &mut Vec<Fact>) {
        let Some(question) = message.question else { return };
        let mut last = question.name;
        for _ in 0..IMPLIED_MAX {
            let own = facts.get(facts_start..).unwrap_or_default();
            let said = own.iter().find_map(|fact| match fact {
                Fact::Alias { owner, target, .. } if owner.hash == last.hash => Some(*target),
                _ => None,
            });
            let redirected = self.redirected(last, message);
            let next = match (said, &redirected) {
                (Some(said), _) => Some(said),
                (None, Some(redirected)) => self.made(&redirected.made),
                (None, None) => None,
            };
            let Some(next) = next else { return };
            if let Some(Redirected { made, owner, target, ttl }) = redirected {
                if said.is_none() {
                    facts.push(Fact::Alias { owner: last, target: next, ttl });
                }
                if Name::from_wire(&made) == next.of(self.names)
                    && let Some(owner) = self.made_unwatched(&owner)
                    && let Some(target) = self.made_unwatched(&target)
                {
                    facts.push(Fact::Redirection { owner, target, ttl });
                }
            }
            last = next;
        }
    }

    /// What the first DNAME record of the answer section above a name makes of it: the labels in front of the record's
    /// owner, before its target (RFC 6672 section 2.2).
    fn redirected(&mut self, from: NameRef, message: &Message) -> Option<Redirected> {
        let [questions, answers, ..] = message.counts;
        let mut at = 12;
        for _ in 0..questions {
            at = self.skip_name(at).ok()? + 4;
        }
        for _ in 0..answers {
            let record = self.record(at).ok()?;
            at = record.end;
            if (record.rtype, record.class) != (RecordType::DNAME, 1) {
                continue;
            }
            let start = self.names.begin();
            let whole = self.whole_name(record.owner).zip(self.whole_name(record.data));
            self.names.take_back(start);
            let Some(((owner, _), (target, end))) = whole else { continue };
            let name = from.of(self.names).wire();
            let is_above = Name::from_wire(name).is_at_or_below(Name::from_wire(&owner));
            let prefix = name.len() - owner.len().min(name.len());
            if !is_above || prefix == 0 || end != record.end {
                continue;
            }
            let made = [name.get(..prefix).unwrap_or_default(), &target].concat();
            return Some(Redirected { made, owner, target, ttl: record.ttl });
        }
        None
    }

    /// A name that stands nowhere in the message in one piece, and may be on the watch list. One that is too long is none.
    fn made(&mut self, wire: &[u8]) -> Option<NameRef> {
        made_name(wire, &mut *self.names, self.hasher, &mut *self.watchlist, self.place)
    }

    /// The same of one to which nothing leads.
    fn made_unwatched(&mut self, wire: &[u8]) -> Option<NameRef> {
        made_name(wire, &mut *self.names, self.hasher, &mut Unwatched, self.place)
    }

    /// The octets of the name at `at`, uncompressed, and where it ends in the message.
    fn whole_name(&mut self, at: usize) -> Option<(Vec<u8>, usize)> {
        let start = self.names.begin();
        let copied = self.copy_labels(at).ok();
        let len = self.names.len_since(start);
        self.names.finish();
        let name = self.names.get(start, len + 1).wire().to_vec();
        copied.map(|copied| (name, copied.end))
    }

    /// Looks at where a service is to be reached, and adds it.
    ///
    /// ```text
    /// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
    /// |                  SvcPriority                  |   RFC 9460 section 2.2
    /// /                   TargetName                  /
    /// /        SvcParams: (key, length, value)*       /
    /// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
    /// ```
    fn take_service(&mut self, record: Record, facts: &mut Vec<Fact>) -> Result<(), Malformed> {
        let Record { data, end, ttl, .. } = record;
        if end < data + 3 {
            return Err(Malformed::BadData);
        }
        let (owner, _) = self.name(record.owner)?;
        let priority = self.word(data)?;
        let (target, params) = self.name(data + 2)?;
        let params = self.payload.get(params..end).ok_or(Malformed::BadData)?;
        // AliasMode: whatever parameters there are must be ignored (section 2.4.2).
        let params = if priority == 0 { &[] } else { params };
        let [v4, v6] = hints(params).ok_or(Malformed::BadData)?;
        // The root stands for the owner, or for no service at all (section 2.5).
        let mut host = owner;
        if target.labels > 0 {
            facts.push(Fact::Service { owner, target });
            host = target;
        }
        let v4 = v4.as_chunks().0.iter().map(|v4| Address::v4(*v4));
        let v6 = v6.as_chunks().0.iter().map(|v6| Address::v6(*v6));
        // They are a service's and give no host its name: A and AAAA records do.
        for address in v4.chain(v6) {
            self.found.flagged |= self.watchlist.address(address);
            match self.keeps_addresses {
                true => facts.push(Fact::Address { owner: host, address, ttl }),
                false => self.found.left_addresses = true,
            }
        }
        Ok(())
    }

    /// Looks at an address, and adds it if addresses are kept.
    #[inline]
    fn take_address(&mut self, record: Record, facts: &mut Vec<Fact>) -> Result<(), Malformed> {
        let octets = self.payload.get(record.data..record.end).unwrap_or_default();
        let address = match (record.rtype, octets.len()) {
            (RecordType::A, 4) => octets.first_chunk().map(|v4| Address::v4(*v4)),
            (RecordType::AAAA, 16) => octets.first_chunk().map(|v6| Address::v6(*v6)),
            _ => None,
        };
        let Some(address) = address else { return Err(Malformed::BadData) };
        self.found.flagged |= self.watchlist.address(address);
        self.found.internal_address |= may_be_private(octets);
        if self.keeps_addresses {
            let (owner, _) = self.name(record.owner)?;
            facts.push(Fact::Address { owner, address, ttl: record.ttl });
        } else {
            self.found.left_addresses = true;
            if self.known_name(record.owner).is_none() {
                self.new_name(record.owner)?;
            }
        }
        Ok(())
    }

    /// Reads the name that is all of a record's data.
    fn name_in_data(&mut self, data: usize, end: usize) -> Result<NameRef, Malformed> {
        match self.name(data)? {
            (name, name_end) if name_end == end => Ok(name),
            _ => Err(Malformed::BadData),
        }
    }

    fn word(&self, at: usize) -> Result<u16, Malformed> {
        word(self.payload, at).ok_or(Malformed::CutShort)
    }

    /// Where a name ends, without reading it.
    #[inline]
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
    #[inline(always)]
    fn name(&mut self, at: usize) -> Result<(NameRef, usize), Malformed> {
        match self.known_name(at) {
            Some(name) => Ok((*name, at + 2)),
            None => self.new_name(at),
        }
    }

    /// The name at `at` if it is a pointer at one that was read.
    #[inline(always)]
    fn known_name(&self, at: usize) -> Option<&NameRef> {
        self.scratch.get(self.pointer(at)?)
    }

    // Most names are pointers at one that was read: what is done of the others is kept out of their way.
    #[inline(never)]
    fn new_name(&mut self, at: usize) -> Result<(NameRef, usize), Malformed> {
        self.read_name(at)
    }

    #[inline(always)]
    fn read_name(&mut self, at: usize) -> Result<(NameRef, usize), Malformed> {
        let start = self.names.begin();
        let copied = self.copy_labels(at).inspect_err(|_| self.names.take_back(start))?;
        let len = self.names.len_since(start);
        self.names.finish();
        // What was written just now can be read in pieces of another size only when it has got to the cache. So a
        // name that stands in one piece is hashed where it stands.
        let octets = match copied.in_one_piece {
            true => self.payload.get(copied.first..).unwrap_or_default(),
            false => self.names.from(start),
        };
        let starts = self.scratch.starts.get(..copied.labels).unwrap_or_default();
        let name = Ancestors::new(self.hasher, octets, starts, len);
        self.watchlist.name(&name, self.place);
        let name = NameRef::new(start, len + 1, copied.labels, name.hash, name.domain);
        self.scratch.put(copied.first, name);
        Ok((name, copied.end))
    }

    /// The target of the pointer at `at`, if there is one.
    #[inline]
    fn pointer(&self, at: usize) -> Option<usize> {
        let word = word(self.payload, at)?;
        (word >= 0xc000).then_some(usize::from(word & 0x3fff))
    }

    /// Copies labels to the arena. On an error it leaves there what was copied.
    #[inline(always)]
    fn copy_labels(&mut self, at: usize) -> Result<Copied, Malformed> {
        let (mut here, mut run, mut end, mut first) = (at, at, None, at);
        let (mut copied, mut labels) = (0, 0);
        loop {
            // Labels end before this, or the name is too long.
            let limit = run + NAME_LEN_MAX - copied;
            let len = loop {
                let len = *self.payload.get(here).ok_or(Malformed::CutShort)?;
                if !matches!(len, 1..=63) {
                    break len;
                }
                if let Some(slot) = self.scratch.starts.get_mut(labels) {
                    *slot = (copied + here - run) as u8;
                    labels += 1;
                }
                here += 1 + usize::from(len);
                if here >= limit {
                    return Err(Malformed::BadName);
                }
            };
            if matches!(len, 64..0xc0) {
                return Err(Malformed::BadName);
            }
            // The end of a run of labels: they are copied in one piece.
            self.names.append(self.payload, run..here);
            copied += here - run;
            if len == 0 {
                let end = end.unwrap_or(here + 1);
                return Ok(Copied { labels, end, first, in_one_piece: run == first });
            }
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
    }
}
