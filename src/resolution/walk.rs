//! The walk back from a name to the names that need it.
//!
//! Somebody who asks a resolver for `x` makes it ask for
//! 1. `x` itself;
//! 2. what `x` is an alias of, and so on along the chain;
//! 3. the ancestors of these: minimised questions, NS, DS and DNSKEY (RFC 9156, RFC 4035);
//! 4. the addresses of the servers of the zones on the way.
//!
//! From the name in an upstream query the walk goes the other way and yields every name whose asking
//! can have led to it, the strongest relation first.

use foldhash::HashMap;

use super::History;
use super::candidate::checks_answers;
use super::edge::{Edge, EdgeKind};
use super::retry::FAIL_OVER_MAX;
use crate::bounded::Sequence;
use crate::frame::FrameId;
use crate::name::{Name, NameHash};
use crate::time::{Span, Timestamp};
use crate::transaction::{HostId, Transaction};

/// How many names a walk visits.
const NAMES_MAX: usize = 512;
/// How many edges it looks at that lead to a name itself, and how many into a domain.
const STEPS_TO_MAX: usize = 1 << 13;
const STEPS_BELOW_MAX: usize = 1 << 12;
/// How many steps lead from an ask to a name: resolvers give up on chains of 8 to 17 aliases.
const DEPTH_MAX: u8 = 20;
/// For so long after its time ran out an alias is taken to lead on still, if nothing else was told since. Content delivery
/// networks give their last aliases a minute or less, and seldom another target.
const OUTDATED_MAX: Span = Span::from_secs(600);

/// How a question needs a name, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// It is the very name asked for.
    Itself,
    /// It is on the chain of aliases.
    Alias,
    /// It is an ancestor of a name on the chain.
    Ancestor,
    /// It is a name server, or an ancestor of one, of a zone on the way.
    Server,
    /// It is a name on the chain, but asked with another type, as a resolver may that minimises its
    /// questions.
    OtherType,
}

/// How a step leads on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// The client's question.
    Asked,
    /// An alias led on to this name.
    Alias,
    /// The resolver asked for an ancestor.
    Ancestor,
    /// This name serves the zone before it.
    Server,
}

impl Relation {
    /// All of them, the strongest first.
    const ALL: [Relation; 5] = [
        Relation::Itself,
        Relation::Alias,
        Relation::Ancestor,
        Relation::Server,
        Relation::OtherType,
    ];
}

/// One step from an ask to a name, in wire form, with the frame that it was learned from.
#[derive(Clone, Debug)]
pub struct Step {
    /// The name reached, in wire form.
    pub name: Vec<u8>,
    /// How.
    pub kind: StepKind,
    /// The frame that shows it; none where it follows from the names alone.
    pub frame: FrameId,
}

/// What was not looked at, for there was too much: the strongest relation of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lacks(pub Option<Relation>);

impl Lacks {
    /// Notes that some of a relation are missing.
    pub fn note(&mut self, relation: Relation) {
        self.0 = Some(self.0.map_or(relation, |strongest| strongest.min(relation)));
    }
}

/// A name that was found on the walk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach<'r> {
    pub name: Name<'r>,
    pub hash: NameHash,
    pub domain: NameHash,
    pub relation: Relation,
    /// The edge that leads from here, and the place of the reach it leads to.
    pub via: Option<(usize, Sequence, Edge)>,
    depth: u8,
}

/// All names from which a name is reached, in one resolver's knowledge.
#[derive(Debug)]
pub(super) struct Walk<'r> {
    pub reaches: Vec<Reach<'r>>,
    /// Whether the resolver asks on its own, so that delegations matter to it.
    pub iterates: bool,
    /// Whether it asks for names above those that it needs: on its way down, or for what it checks answers with.
    pub goes_above: bool,
    /// Where in `reaches` a name stands that is reached so, by an edge to that target. A name can lead there by several.
    places: HashMap<(NameHash, NameHash, Relation), usize>,
    /// Of the domains of which names were found, the edges of each resolver that lead below a name.
    below: HashMap<(HostId, NameHash), Below>,
    steps_to: usize,
    steps_below: usize,
    /// The names that it does not visit, if there are more than it can.
    pub lacks: Lacks,
}

impl History<'_> {
    /// Walks back from the name of a query. Edges that were out of date when it was sent are not followed; edges
    /// first learned after it are, and it is for the caller to see whether an answer bears them out.
    pub(super) fn walk_back<'r>(
        &'r self,
        resolvers: &[HostId],
        name: Name<'r>,
        sent: &Transaction,
    ) -> Walk<'r> {
        let (hash, domain) = (sent.name, sent.domain);
        let mut start =
            Reach { name, hash, domain, relation: Relation::Itself, via: None, depth: 0 };
        // `_.example.com` is a minimised question about `example.com` (RFC 9156 section 2.3).
        if name.labels().next() == Some(b"_")
            && let Some(parent) = name.parent()
        {
            let (hash, domain) = (self.hasher.hash(parent), self.domain_of_name(parent));
            start = Reach { name: parent, hash, domain, relation: Relation::Ancestor, ..start };
        }
        // Only a resolver that walks down from the root looks up the servers of zones.
        let hosts = self.transactions.hosts();
        let iterates =
            resolvers.iter().filter_map(|id| hosts.get(*id)).any(|h| h.asks_iterating > 0);
        let goes_above = iterates || checks_answers(sent.qtype);
        let places = HashMap::default();
        let mut walk = Walk {
            reaches: vec![start],
            iterates,
            goes_above,
            places,
            below: HashMap::default(),
            steps_to: STEPS_TO_MAX,
            steps_below: STEPS_BELOW_MAX,
            lacks: Lacks::default(),
        };
        // Of the two ways, the one that says more is gone to its end first.
        let (mut to, mut below) = (0, 0);
        loop {
            if let Some(&here) = walk.reaches.get(to) {
                self.step_back(resolvers, (to, here), Way::To, sent.asked, &mut walk);
                to += 1;
            } else if let Some(&here) = walk.reaches.get(below).filter(|_| goes_above) {
                self.step_back(resolvers, (below, here), Way::Below, sent.asked, &mut walk);
                below += 1;
            } else {
                return walk;
            }
        }
    }

    /// Adds the names that lead to a name, or below it: a resolver that asks for what is above the names it needs may
    /// have needed any name below.
    fn step_back<'r>(
        &'r self,
        resolvers: &[HostId],
        (place, here): (usize, Reach<'r>),
        way: Way,
        time: Timestamp,
        walk: &mut Walk<'r>,
    ) {
        if here.depth >= DEPTH_MAX || here.name.is_root() {
            return;
        }
        for &resolver in resolvers {
            let mut steps = if way == Way::To { walk.steps_to } else { walk.steps_below };
            if way == Way::To {
                for edge in self.edges.to_name(resolver, here.hash, &mut steps) {
                    self.reach_by(edge, (place, here), way, time, walk);
                    if walk.is_full() {
                        break;
                    }
                }
                walk.steps_to = steps.min(walk.steps_to);
            } else {
                let key = (resolver, here.domain);
                let mut is_forgotten = false;
                let below = || self.edges_below(key, time, &mut steps, &mut is_forgotten);
                let below = walk.below.entry(key).or_insert_with(below);
                let edges = below.get(&here.hash).cloned().unwrap_or_default();
                walk.steps_below = steps;
                if is_forgotten {
                    walk.lacks.note(here.relation.max(way.relation()));
                }
                for edge in edges {
                    self.reach_by(edge, (place, here), way, time, walk);
                    if walk.is_full() {
                        break;
                    }
                }
            }
            if steps == 0 {
                walk.lacks.note(here.relation.max(way.relation()));
            }
        }
    }

    /// The edges that lead into a domain, by each name of it that their target stands below.
    /// Sets `is_forgotten` where the names of one are that was known at a time.
    fn edges_below(
        &self,
        (resolver, domain): (HostId, NameHash),
        time: Timestamp,
        steps: &mut usize,
        is_forgotten: &mut bool,
    ) -> Below {
        let mut below = Below::default();
        for (sequence, edge) in self.edges.to_domain(resolver, domain, steps) {
            if !self.edges.has_names(&edge) {
                *is_forgotten |= edge.is_known(time - FAIL_OVER_MAX, time);
                continue;
            }
            let target = self.edges.target_name(&edge);
            let within = target.label_count().saturating_sub(2);
            for above in target.suffixes().skip(1).take(within) {
                below.entry(self.hasher.hash(above)).or_default().push((sequence, edge));
            }
        }
        below
    }

    /// Adds the name that an edge leads from to a walk.
    fn reach_by<'r>(
        &'r self,
        (sequence, edge): (Sequence, Edge),
        (place, here): (usize, Reach<'r>),
        way: Way,
        time: Timestamp,
        walk: &mut Walk<'r>,
    ) {
        // Whoever asks for it may have been told of it before its time ran out.
        // What was learned long after it tells of what is above many names nothing.
        let is_learned = || match way {
            Way::To => edge.is_learned_after(time),
            Way::Below => edge.told_after(time).is_some_and(|told| told - time <= FAIL_OVER_MAX),
        };
        let is_back = walk.reaches.first().is_some_and(|start| start.hash == edge.owner);
        if is_back
            || !(edge.is_known(time - FAIL_OVER_MAX, time) || is_learned())
            || (edge.kind == EdgeKind::Delegation && !walk.iterates)
        {
            return;
        }
        let relation = match edge.kind {
            EdgeKind::Alias => here.relation.max(way.relation()),
            EdgeKind::Delegation => Relation::Server,
        };
        if !self.edges.has_names(&edge) {
            // There is a way, but what it leads from is forgotten.
            return walk.lacks.note(relation);
        }
        let Walk { reaches, places, .. } = walk;
        let stronger = Relation::ALL.iter().take_while(|known| **known <= relation);
        let key = |relation: Relation| (edge.owner, edge.target, relation);
        let mut known = stronger.filter_map(|known| places.get(&key(*known)));
        if let Some(known) = known.next() {
            // Two addresses of one resolver learn the same at different times: the earlier counts.
            if let Some(known) = reaches.get_mut(*known)
                && let Some((next, _, other)) = known.via
                && other.kind == edge.kind
                && edge.first.time < other.first.time
            {
                known.via = Some((next, sequence, edge));
            }
            return;
        }
        if reaches.len() >= NAMES_MAX {
            (walk.steps_to, walk.steps_below) = (0, 0);
            return walk.lacks.note(relation);
        }
        places.insert(key(relation), reaches.len());
        let name = self.edges.owner_name(&edge);
        reaches.push(Reach {
            name,
            hash: edge.owner,
            domain: self.domain_of_name(name),
            relation,
            via: Some((place, sequence, edge)),
            depth: here.depth + 1,
        });
    }

    /// The hash of a name's last two labels.
    pub(super) fn domain_of_name(&self, name: Name<'_>) -> NameHash {
        self.hasher.hash(name.last_two_labels())
    }
}

impl<'r> History<'r> {
    /// The names that a question leads to by aliases known at a time, with the edges that lead there:
    /// what an answer would have held, had there been one. Where none was known then, by the first told until some time;
    /// or else by the only one ever told, if its time had run out a while before.
    pub fn walk_forward(
        self,
        resolvers: &[HostId],
        name: NameHash,
        (time, until): (Timestamp, Timestamp),
    ) -> KnownChain {
        let (mut edges, mut outdated): (Vec<Edge>, Vec<usize>) = Default::default();
        let mut at = name;
        while edges.len() < usize::from(DEPTH_MAX) {
            // Of several, where the owner led by what was told last. What had just run out the resolver asked for anew,
            // unless it rounds or serves it all the same.
            let aliases = || {
                let all = resolvers.iter().flat_map(|r| self.0.edges.of_owner(*r, at));
                all.map(|(_, edge)| edge).filter(|edge| edge.kind == EdgeKind::Alias)
            };
            let known = aliases().filter(|edge| edge.is_known(time, time));
            let known = known.max_by_key(|edge| (edge.is_fresh(time), edge.told_by(time)));
            let fresh = || known.filter(|edge| edge.is_fresh(time));
            let told = |edge: &Edge| edge.told_after(time).filter(|told| *told <= until);
            let first_told = || aliases().filter(|edge| told(edge).is_some()).min_by_key(told);
            // The answers that would have told it anew are those that a firewall drops.
            let outdated_one = || {
                let last = aliases().find(|edge| edge.is_known(time - OUTDATED_MAX, time))?;
                outdated.push(edges.len());
                aliases().all(|edge| edge.target == last.target).then_some(last)
            };
            let known = fresh().or_else(first_told).or(known);
            let Some(edge) = known.or_else(outdated_one) else { break };
            if edges.iter().any(|seen| seen.owner == edge.owner) {
                break;
            }
            at = edge.target;
            edges.push(edge);
        }
        outdated.retain(|place| *place < edges.len());
        KnownChain { edges, outdated }
    }
}

/// Where a question was known to lead by aliases.
#[derive(Debug, Default)]
pub struct KnownChain {
    /// Each from the target of the one before.
    pub edges: Vec<Edge>,
    /// Which of them had run out.
    outdated: Vec<usize>,
}

impl KnownChain {
    /// Whether the time of one of the aliases had run out.
    pub fn is_outdated(&self) -> bool {
        !self.outdated.is_empty()
    }

    /// Those whose time had run out.
    pub(super) fn outdated(&self) -> impl Iterator<Item = &Edge> {
        self.outdated.iter().filter_map(|place| self.edges.get(*place))
    }
}

/// The edges into a domain, newest first, by the hash of each name that their target stands below.
type Below = HashMap<NameHash, Vec<(Sequence, Edge)>>;

/// How an edge leads to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// To the name itself.
    To,
    /// To one below it.
    Below,
}

impl Way {
    /// How the owner of an alias needs the name.
    fn relation(self) -> Relation {
        match self {
            Way::To => Relation::Alias,
            Way::Below => Relation::Ancestor,
        }
    }
}

impl<'r> Walk<'r> {
    /// Whether there was a name for which there was no room.
    fn is_full(&self) -> bool {
        self.steps_to == 0 && self.reaches.len() >= NAMES_MAX
    }

    /// The edges from a reach down to the name the walk began at.
    pub fn path(&self, place: usize) -> Vec<Edge> {
        let mut path = Vec::new();
        let mut at = self.reaches.get(place);
        while let Some((next, _, edge)) = at.and_then(|reach| reach.via) {
            path.push(edge);
            at = self.reaches.get(next);
        }
        path
    }
}
