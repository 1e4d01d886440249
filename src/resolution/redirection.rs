//! What is redirected: all names below one lead to the same below another (DNAME, RFC 6672).
//!
//! A resolver that has such a record in its cache asks for the target of a name below it at once, though nobody asked for
//! that name before and no response says of what it is an alias: it makes the CNAME itself (RFC 6672 section 3.2). So the
//! alias is learned here when the name is asked for, or is the target of another alias, as if a response had said it; and
//! is found from then on as any other. There are few such records, and while none is known nothing is looked up.

use foldhash::HashSet;

use super::Limits;
use super::deferred::DeferredEdge;
use super::edge::{Edge, key, learn_one};
use super::edge_store::EdgeStore;
use crate::bounded::TextRing;
use crate::name::{NAME_LEN_MAX, Name, NameHash, NameHasher};
use crate::time::Timestamp;
use crate::transaction::HostId;

/// Chain by resolver and the owner's domain.
const BY_DOMAIN: usize = 2;
/// So many are kept, and their names in so many octets. Beyond it the oldest are forgotten.
const KEPT: usize = 1 << 10;
const NAMES: usize = 1 << 16;
/// How many of one domain are looked at for one name.
const STEPS_MAX: usize = 32;
/// How many steps are followed from one name: as many as resolvers do.
pub(super) const STEPS_ON_MAX: usize = 17;

/// The redirections kept: edges from what they stand at to where they lead.
#[derive(Debug)]
pub(super) struct Redirections {
    kept: EdgeStore,
    refuted: HashSet<EdgeKey>,
    are_none: bool,
    names: TextRing,
    hasher: NameHasher,
}

/// Whose redirection it is, from where to where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct EdgeKey {
    resolver: HostId,
    owner: NameHash,
    target: NameHash,
}

impl EdgeKey {
    fn of(edge: &Edge) -> EdgeKey {
        let Edge { resolver, owner, target, .. } = *edge;
        EdgeKey { resolver, owner, target }
    }
}

/// A name made of another by a redirection.
#[derive(Clone, Copy, Debug)]
pub(super) struct MadeName {
    octets: [u8; NAME_LEN_MAX],
    len: usize,
}

impl MadeName {
    /// The labels of a name before its last ones, so many octets, and then a target (RFC 6672 section 2.2). None if that is
    /// no name of its own, or too long.
    fn new(name: Name<'_>, behind: usize, target: Name<'_>) -> Option<MadeName> {
        let prefix = name.wire().len().checked_sub(behind).filter(|prefix| *prefix > 0)?;
        let (prefix, target) = (name.wire().get(..prefix)?, target.wire());
        let mut octets = [0; NAME_LEN_MAX];
        octets.get_mut(..prefix.len())?.copy_from_slice(prefix);
        octets.get_mut(prefix.len()..)?.get_mut(..target.len())?.copy_from_slice(target);
        Some(MadeName { octets, len: prefix.len() + target.len() })
    }

    /// A copy of a name.
    pub fn of(name: Name<'_>) -> MadeName {
        let mut made = MadeName { octets: [0; NAME_LEN_MAX], len: name.wire().len() };
        match made.octets.get_mut(..made.len) {
            Some(octets) => octets.copy_from_slice(name.wire()),
            None => made.len = 0,
        }
        made
    }

    pub fn name(&self) -> Name<'_> {
        Name::from_wire(self.octets.get(..self.len).unwrap_or_default())
    }
}

impl Redirections {
    /// None.
    pub fn new(limits: Limits, hasher: NameHasher) -> Redirections {
        let (kept, names) = (limits.edges.min(KEPT), limits.edge_names.min(NAMES));
        let refuted = HashSet::default();
        let (kept, names) = (EdgeStore::new(kept), TextRing::new(names));
        Redirections { kept, refuted, are_none: true, names, hasher }
    }

    /// Takes all the memory that they can come to need.
    pub fn take_room(&mut self) {
        self.kept.take_room();
        self.names.take_room();
    }

    /// Whether none was ever learned.
    #[inline]
    pub fn are_none(&self) -> bool {
        self.are_none
    }

    /// How many were forgotten for lack of room.
    pub fn forgotten(&self) -> u64 {
        self.kept.forgotten().max(self.names.whole_since().0)
    }

    /// Learns one: an edge from its owner to its target. One that was refuted is not learned again.
    pub fn learn(&mut self, edge: Edge, domain: NameHash, names: [Name<'_>; 2]) {
        if self.refuted.contains(&EdgeKey::of(&edge)) {
            return;
        }
        self.are_none = false;
        let keys = [edge.owner, edge.target, domain].map(|name| key(edge.resolver, name));
        let lesson = DeferredEdge { edge, keys, answer_of: None };
        learn_one(&mut self.kept, &mut self.names, &lesson, names);
    }

    /// The alias that a resolver makes of a name below one that is redirected, by what it was told last and knows at a time.
    /// What stands at the redirection itself is not redirected (RFC 6672 section 2.3).
    pub fn alias(
        &self,
        known: (HostId, Timestamp),
        (name, hash, domain): (Name<'_>, NameHash, NameHash),
    ) -> Option<(DeferredEdge, MadeName)> {
        let (edge, made) = self.above(known, name, domain)?;
        let target = self.hasher.hash(made.name());
        let domain = self.hasher.hash(made.name().last_two_labels());
        let keys = [hash, target, domain].map(|name| key(edge.resolver, name));
        let edge = Edge { owner: hash, target, ..edge };
        Some((DeferredEdge { edge, keys, answer_of: None }, made))
    }

    /// Takes back a redirection by which a resolver would have gone on from a name, for it did not: it never believed it. Whoever
    /// serves one name can say in its answer that all about it is redirected; a resolver knows from whom to believe that
    /// (RFC 5452 section 6), and who watches does not.
    pub fn refute(&mut self, known: (HostId, Timestamp), name: Name<'_>, domain: NameHash) {
        while let Some((edge, _)) = self.above(known, name, domain)
            && self.refuted.len() < KEPT
            && self.refuted.insert(EdgeKey::of(&edge))
        {}
    }

    /// The redirection above a name that a resolver was told of last, of those that it knows at a time, and what it makes of
    /// the name.
    fn above(
        &self,
        (resolver, time): (HostId, Timestamp),
        name: Name<'_>,
        domain: NameHash,
    ) -> Option<(Edge, MadeName)> {
        let about = self.kept.chain(BY_DOMAIN, key(resolver, domain)).take(STEPS_MAX);
        let own = about.filter(|(_, record)| record.resolver() == resolver);
        let known = own.filter_map(|(sequence, record)| self.kept.edge(sequence, record));
        let above = known
            .filter(|edge| edge.is_known(time, time) && !self.refuted.contains(&EdgeKey::of(edge)));
        let above = above.filter_map(|edge| {
            let owner = Name::from_wire(self.names.get(edge.owner_text)?);
            let target = Name::from_wire(self.names.get(edge.target_text)?);
            let behind = owner.wire().len();
            let made =
                MadeName::new(name, behind, target).filter(|_| name.is_at_or_below(owner))?;
            Some((edge, made))
        });
        above.max_by_key(|(edge, _)| edge.told_by(time))
    }

    /// What tells a name and the domain it is in.
    pub fn hashes(&self, name: Name<'_>) -> [NameHash; 2] {
        [name, name.last_two_labels()].map(|name| self.hasher.hash(name))
    }
}
