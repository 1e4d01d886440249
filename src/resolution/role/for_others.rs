//! Hosts that only ask, but may do so for others whose questions are not in the capture: they are named less surely.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashMapExt};

use super::super::edge::Edges;
use super::Roles;
use crate::bounded::Sequence;
use crate::name::NameHash;
use crate::transaction::{Host, HostId, Hosts, Transaction};

/// A host asks for what answers are checked with if it does so often, and one in so many times.
const CHECKING_MIN: u16 = 3;
const CHECKING_SHARE: u32 = 64;
/// Among fewer hosts that only ask none stands out.
const ASKERS_MIN: u64 = 5;
/// Nor does one that asked less.
const STANDS_OUT_MIN: u32 = 50;
/// One in so many of them ask with EDNS at most where that says something,
const EDNS_SHARE: u64 = 4;
/// and so many times as much as the others on the average asks who asks far more, and about many domains.
const FAR_MORE: u64 = 16;
/// Or so many times as much, and so many times as much as any other.
const FAR_MORE_ALONE: u64 = 12;
const FAR_MORE_THAN_NEXT: u32 = 4;

/// Who asked so much asks nearly all if the others asked one in so many of that at most.
const NEARLY_ALL_MIN: u64 = 200;
const NEARLY_ALL_SHARE: u64 = 100;

/// Who follows aliases does so to so many names, and by one in so many of what it asks.
const FOLLOWED_MIN: usize = 5;
const FOLLOWED_SHARE: usize = 16;
/// It is one in so many hosts at most, and asks so many times as much as the others on the average: desktops with a cache of
/// their own (systemd-resolved) follow aliases, too.
const FOLLOWING_SHARE: u64 = 8;
const FOLLOWING_MORE: u64 = 4;
/// How many of the latest transactions are looked at for that.
const FOLLOWED_SAMPLE: usize = 1 << 11;

/// Why a host that only asks may ask for others, whose questions are not in the capture: a forwarder, a router that
/// translates addresses, a mail server or proxy that looks up what others wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForOthers {
    /// It asks for what answers are checked with, as validating resolvers do.
    ChecksAnswers,
    /// It asks with EDNS, as servers do, while the other hosts of this network do not.
    AsksAsServers,
    /// It asks far more than the others.
    AsksFarMore,
    /// Hardly anybody else asks anything.
    AsksNearlyAll,
    /// A router sends the queries of others on from there.
    Translates,
    /// A router sends its queries on, or it is the address from which that sends on those of another.
    MayTranslate,
    /// It asks for what aliases lead to that it was told, as resolvers do and few clients.
    FollowsAliases,
}

impl ForOthers {
    /// Whether it is a doubt alone: a client may do so, too.
    pub fn is_little(self) -> bool {
        match self {
            ForOthers::AsksAsServers | ForOthers::AsksFarMore | ForOthers::FollowsAliases => true,
            ForOthers::ChecksAnswers
            | ForOthers::AsksNearlyAll
            | ForOthers::Translates
            | ForOthers::MayTranslate => false,
        }
    }
}

impl Roles {
    /// The clients that stand out among all of them.
    /// `following` are those who ask for what aliases lead to.
    pub(super) fn who_may_ask_for_others(
        &self,
        hosts: &Hosts,
        following: &BTreeSet<HostId>,
        latest: &[(Sequence, Transaction)],
    ) -> HashMap<HostId, ForOthers> {
        let clients = || hosts.iter().filter(|(id, host)| self.is_client(*id, host));
        let (mut count, mut with_edns, mut asks) = (0u64, 0u64, 0u64);
        // What the two ask that ask most.
        let (mut most, mut next) = (0, 0);
        for (_, host) in clients() {
            count += 1;
            next = next.max(host.asks.min(most));
            most = most.max(host.asks);
            with_edns += u64::from(asks_with_edns(host));
            asks += u64::from(host.asks);
        }
        let is_edns_rare = with_edns * EDNS_SHARE <= count;
        // Many desktops that follow aliases are no DNS servers, nor is one that asks no more than the others.
        let is_fleet = following.len() as u64 * FOLLOWING_SHARE > count.max(FOLLOWING_SHARE);
        let latest =
            || latest.iter().map(|(_, ask)| ask).filter(|ask| self.group_of(ask.client).is_none());
        let many_domains = OnceCell::new();
        let why = |id: HostId, host: &Host| {
            let own = u64::from(host.asks);
            let others = asks - own;
            let is_more_by = |own: u64, times: u64| own * (count - 1) >= others * times;
            let is_far_more = |own: u64| {
                let is_alone = own >= u64::from(next) * u64::from(FAR_MORE_THAN_NEXT);
                is_more_by(own, FAR_MORE) || is_alone && is_more_by(own, FAR_MORE_ALONE)
            };
            if checks_answers(host) {
                Some(ForOthers::ChecksAnswers)
            } else if following.contains(&id) && is_more_by(own, FOLLOWING_MORE) && !is_fleet {
                Some(ForOthers::FollowsAliases)
            } else if own >= NEARLY_ALL_MIN && others * NEARLY_ALL_SHARE <= own {
                Some(ForOthers::AsksNearlyAll)
            } else if count < ASKERS_MIN || host.asks < STANDS_OUT_MIN {
                None
            } else if asks_with_edns(host) && is_edns_rare {
                Some(ForOthers::AsksAsServers)
            } else if is_far_more(own) {
                let lately = many_domains.get_or_init(|| about_many_domains(latest()));
                let (asks, about_many) = lately.get(&id).copied().unwrap_or((1, 1));
                is_far_more(own * about_many / asks).then_some(ForOthers::AsksFarMore)
            } else {
                None
            }
        };
        let undecided = self.translated.undecided().map(|id| (id, ForOthers::MayTranslate));
        let translated = self.translated.iter().map(|(id, _)| (id, ForOthers::Translates));
        let clients = clients().filter_map(|(id, host)| Some((id, why(id, host)?)));
        clients.chain(undecided).chain(translated).collect()
    }

    /// The hosts, of those that are not known as resolvers, that ask for what aliases lead to that they were told, in domains
    /// of other owners. A resolver does once the alias outlives what it leads to; most other hosts take an answer as it is,
    /// and ask for the alias again.
    pub(super) fn following_aliases(
        &self,
        latest: &[(Sequence, Transaction)],
        edges: &Edges,
    ) -> Vec<HostId> {
        // How often each name was asked for, and its domain.
        let mut asked: HashMap<(HostId, NameHash), (NameHash, usize)> =
            HashMap::with_capacity(FOLLOWED_SAMPLE);
        let mut asks: HashMap<HostId, usize> = HashMap::new();
        let mut followed: BTreeSet<(HostId, NameHash)> = BTreeSet::new();
        // The latest first: what was asked for behind an answer is at hand when that comes.
        for (number, query) in latest.iter().take(FOLLOWED_SAMPLE) {
            if self.group_of(query.client).is_some() {
                continue;
            }
            if query.answered().is_some() && query.has_answers {
                for alias in edges.of_answer_reversed(*number) {
                    let name = (query.client, alias.target);
                    if asked.get(&name).is_some_and(|(domain, _)| *domain != query.domain) {
                        followed.insert(name);
                    }
                }
            }
            asked.entry((query.client, query.name)).or_insert((query.domain, 0)).1 += 1;
            *asks.entry(query.client).or_default() += 1;
        }
        let mut by_host: BTreeMap<HostId, (usize, usize)> = BTreeMap::new();
        for name in &followed {
            let (names, queries) = by_host.entry(name.0).or_default();
            *names += 1;
            *queries += asked.get(name).map_or(0, |(_, count)| *count);
        }
        let follows = by_host.into_iter().filter(|(id, (names, queries))| {
            let all = asks.get(id).copied().unwrap_or_default();
            *names >= FOLLOWED_MIN && queries * FOLLOWED_SHARE >= all
        });
        follows.map(|(id, _)| id).collect()
    }
}

/// How often each host asked lately, and how many of these questions count if those about one domain count no more than what
/// another asks about all domains on the average. A program that asks its server for orders every second asks far more
/// than a whole office does, but for itself; who asks for others asks about what all of them want.
fn about_many_domains<'q>(
    asks: impl Iterator<Item = &'q Transaction>,
) -> HashMap<HostId, (u64, u64)> {
    let mut about: HashMap<(HostId, NameHash), u64> = HashMap::new();
    let mut by_host: HashMap<HostId, (u64, u64)> = HashMap::new();
    for ask in asks {
        *about.entry((ask.client, ask.domain)).or_default() += 1;
        by_host.entry(ask.client).or_default().0 += 1;
    }
    let (all, hosts) = (about.values().sum::<u64>(), by_host.len() as u64);
    for ((host, _), asks) in about {
        let (own, of_many) = by_host.entry(host).or_default();
        let others_mean = (all - *own).div_ceil(hosts.saturating_sub(1).max(1));
        *of_many += asks.min(others_mean.max(1));
    }
    by_host
}

/// Whether a host mostly asks with additional records, as servers do.
pub(super) fn asks_with_edns(host: &Host) -> bool {
    host.asks_edns * 2 > host.asks
}

/// Whether a host checks the answers it gets, as validating resolvers do.
fn checks_answers(host: &Host) -> bool {
    let checking = u32::from(host.asks_checking);
    host.asks_checking >= CHECKING_MIN && checking * CHECKING_SHARE >= host.asks
}
