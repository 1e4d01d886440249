//! What is wrong with what the mirror port shows, in words, and when that is said.
//!
//! The figures of a stretch of time are held against rules. A stretch ends when it has lasted 15 s and held 20
//! messages, that of `packets-lost` 20 packets; in each of the rules below but `asked-by-one` and `clocks-apart`, a count is that of a stretch.
//!
//! | name | is wrong when | is right again when |
//! |---|---|---|
//! | `no-dns` | for 60 s, later for 10 minutes, there was no DNS message | there is one |
//! | `packets-lost` | of at least 20 packets the kernel lost or the analysis left out 1 %; or the network card lost 10 % as many as came | these are 0.2 % and 2 % |
//! | `one-direction` | of at least 20 questions and answers without questions, fewer than 5 % are questions with their answers | 20 % are |
//! | `leg-one-direction` | else, and the same of 20 questions that one resolver was asked, or asks upstream | likewise |
//! | `client-leg-missing` | the resolvers ask at least 20 questions, and get fewer than 1 % as many; or none is recognised, and of at least 20 questions to anybody 95 % go to servers outside | they get 5 %; or one is recognised, or 80 % go outside |
//! | `resolver-unasked` | else, and one of them does so; or one that was declared is not seen at all | likewise |
//! | `upstream-leg-missing` | the resolvers are asked at least 200 questions, and ask fewer than 1 % as many; or none is recognised, and of at least 20 questions to anybody 95 % go to servers of the network | they ask 5 %; or one is recognised, or 80 % go there |
//! | `asked-by-one` | of at least 200 questions that clients asked since the beginning, one host asked all but 1 % | others asked 5 % |
//! | `clocks-apart` | most of at least 8 of a resolver's queries were asked before the only client's question for the same, or answered after its answer, by as much | no longer |
//! | `frames-twice` | of at least 20 copies, so many that they are 25 % of all messages | they are 10 % |
//! | `around-the-resolver` | a host that is no resolver sent DNS around them, encrypted, within 10 minutes | nobody did |
//! | `resolver-encrypts` | a resolver did | none did |
//!
//! 1. What is wrong is said after one stretch, and again in other words only when it was mended in between.
//! 2. It is mended when two stretches in a row find it right, by the milder share.
//! 3. A stretch with too few of what a rule counts decides nothing of it: what was said stands.
//! 4. Where one direction is missing, the rules about legs decide nothing: they would say the same again.
//!
//! So the first word comes 15 s after the first message of a network that is not silent, and none flaps: a share
//! must cross both bounds, the second for half a minute.

mod rules;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use super::coverage::Coverage;
use crate::flow::Address;
use crate::time::{Span, Timestamp};
use rules::{Figures, Finding, RuleInput, found};

/// The shortest stretch.
const STRETCH: Span = Span::from_secs(15);
/// The fewest messages in one.
const MESSAGES_MIN: u64 = 20;
/// So many stretches in a row find right what was wrong until it is mended.
const MENDED_AFTER: u32 = 2;
/// How long there is no message at the beginning, and later, until that is said.
const SILENT_AT_FIRST: Span = Span::from_secs(60);
const SILENT_LATER: Span = Span::from_secs(600);
/// What a host did longer ago does not count.
const RECENT: Span = Span::from_secs(600);

/// Something that makes answers wrong or missing, and that the admin can mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// A short name that stays, one of [`COMPLAINTS`]: `one-direction`, `client-leg-missing`.
    pub name: &'static str,
    /// What is wrong and what to do, a sentence or two.
    pub words: String,
}

impl Complaint {
    /// What holds when it is made no longer.
    pub fn mended(&self) -> &'static str {
        match self.name {
            "no-dns" => "DNS messages arrive",
            "packets-lost" => "hardly any packets are lost",
            "one-direction" | "leg-one-direction" => "questions and answers are both seen",
            "client-leg-missing" => "the DNS server is seen being asked",
            "resolver-unasked" => "each DNS server is seen being asked",
            "upstream-leg-missing" => "the DNS server is seen asking",
            "asked-by-one" => "several hosts ask the DNS server",
            "frames-twice" => "packets arrive once",
            "resolver-encrypts" => "the DNS server sends unencrypted queries again",
            "around-the-resolver" => "for ten minutes, nobody was seen bypassing the DNS server",
            "stands-still" => "packets are analysed again",
            _ => "no longer the case",
        }
    }
}

/// The names of all complaints, the worst first.
pub const COMPLAINTS: [&str; 12] = [
    "no-dns",
    // What is lost may make some of the others.
    "packets-lost",
    "one-direction",
    "leg-one-direction",
    "client-leg-missing",
    "resolver-unasked",
    "upstream-leg-missing",
    "clocks-apart",
    "asked-by-one",
    "frames-twice",
    "resolver-encrypts",
    "around-the-resolver",
];

/// A file that is read, and what is added to its times.
#[derive(Clone, Debug)]
pub struct ReadFile {
    /// As it was given.
    pub path: PathBuf,
    /// What is added to its times.
    pub shift: Span,
}

/// What came of packets between the mirror port and the analysis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packets {
    /// Those that came through the kernel's filter.
    pub received: u64,
    /// Those that the kernel dropped since its buffer was full.
    pub by_kernel: u64,
    /// Those that the interface dropped before the kernel's filter saw them: of all traffic, not of DNS alone.
    pub by_interface: u64,
    /// Those of the received that were left out since the analysis could not keep up.
    pub behind: u64,
}

impl Packets {
    fn since(&self, then: &Packets) -> Packets {
        Packets {
            received: self.received.saturating_sub(then.received),
            by_kernel: self.by_kernel.saturating_sub(then.by_kernel),
            by_interface: self.by_interface.saturating_sub(then.by_interface),
            behind: self.behind.saturating_sub(then.behind),
        }
    }

    /// Those that were lost.
    pub fn lost(&self) -> u64 {
        self.by_kernel + self.by_interface + self.behind
    }

    /// All that are known of.
    pub fn all(&self) -> u64 {
        self.received + self.by_kernel + self.by_interface
    }

    /// What to do so that no more are lost, where that was, and how many; `None` if none was.
    pub fn loss(&self) -> Option<String> {
        rules::loss(self)
    }
}

/// Whether a host may be named.
pub type MayName<'a> = &'a dyn Fn(Address) -> bool;

/// A complaint that was made.
#[derive(Debug)]
struct IssuedComplaint {
    complaint: Complaint,
    /// How many stretches in a row found it right.
    right: u32,
}

/// Holds what is seen, from moment to moment, against the rules.
#[derive(Debug)]
pub struct Health {
    declared: Vec<Address>,
    /// How many messages there were when that was last looked at, and when they were not as many.
    latest: (u64, Timestamp),
    /// When this stretch began, and the figures then.
    stretch: Option<(Timestamp, Figures)>,
    /// The same of packets.
    packets: (Timestamp, Packets),
    made: Vec<IssuedComplaint>,
}

impl Health {
    /// From `began` on; nothing was seen before. `declared`: the addresses of resolvers that the user named.
    pub fn new(declared: Vec<Address>, began: Timestamp) -> Health {
        let packets = (began, Packets::default());
        Health { declared, latest: (0, began), stretch: None, packets, made: Vec::new() }
    }

    /// Looks at what was seen until `now`; `None` before the first message.
    pub fn look(&mut self, coverage: Option<&Coverage>, now: Timestamp, may_name: MayName<'_>) {
        let figures = coverage.map(Figures::of).unwrap_or_default();
        let messages = figures.messages();
        let (before, since) = self.latest;
        if messages != before {
            self.latest = (messages, now);
        }
        let patience = if before == 0 { SILENT_AT_FIRST } else { SILENT_LATER };
        let silent = match messages == before && now - since >= patience {
            true => Finding::Wrong(rules::silent(now - since)),
            false => Finding::Right,
        };
        self.settle("no-dns", silent, 1);
        let Some(coverage) = coverage else { return };
        let (from, then) = self.stretch.get_or_insert_with(|| (now, Figures::default()));
        let of_stretch = figures.since(then);
        if of_stretch.messages() == 0 {
            // It begins with its first message.
            *from = now;
        }
        if now - *from < STRETCH || of_stretch.messages() < MESSAGES_MIN {
            return;
        }
        let is_unseen = |address: &&Address| !coverage.saw_resolver(**address);
        let seen = RuleInput {
            figures: &of_stretch,
            coverage,
            unseen: &self.declared.iter().filter(is_unseen).copied().collect::<Vec<_>>(),
            around_since: now - RECENT,
            may_name,
            files: &[],
        };
        let said: Vec<&'static str> = self.made.iter().map(|made| made.complaint.name).collect();
        for (name, finding) in found(&seen, &|name| said.contains(&name)) {
            self.settle(name, finding, MENDED_AFTER);
        }
        self.stretch = Some((now, figures));
    }

    /// Looks at how many packets came and were lost until `now`, messages or not.
    pub fn look_at_packets(&mut self, packets: Packets, now: Timestamp) {
        let (from, then) = self.packets;
        let of_stretch = packets.since(&then);
        if of_stretch.all() == 0 {
            // It begins with its first packet.
            self.packets.0 = now;
        }
        if now - from < STRETCH || of_stretch.all() < MESSAGES_MIN {
            return;
        }
        let name = "packets-lost";
        let was_wrong = self.made.iter().any(|made| made.complaint.name == name);
        self.settle(name, rules::packets_lost(&of_stretch, was_wrong), MENDED_AFTER);
        self.packets = (now, packets);
    }

    fn settle(&mut self, name: &'static str, finding: Finding, mended_after: u32) {
        let place = self.made.iter().position(|made| made.complaint.name == name);
        match (finding, place) {
            (Finding::Wrong(words), place) => {
                let made = IssuedComplaint { complaint: Complaint { name, words }, right: 0 };
                match place.and_then(|place| self.made.get_mut(place)) {
                    Some(known) => *known = made,
                    None => self.made.push(made),
                }
                let rank = |name: &str| COMPLAINTS.iter().position(|known| *known == name);
                self.made.sort_by_key(|made| rank(made.complaint.name));
            }
            (Finding::Right, Some(place)) => {
                let is_mended = self.made.get_mut(place).is_some_and(|made| {
                    made.right += 1;
                    made.right >= mended_after
                });
                if is_mended {
                    self.made.remove(place);
                }
            }
            (Finding::Right, None) | (Finding::Open, _) => {}
        }
    }

    /// What is wrong now, the worst first.
    pub fn complaints(&self) -> Vec<Complaint> {
        self.made.iter().map(|made| made.complaint.clone()).collect()
    }
}

/// What is wrong with a capture as a whole, by the same rules: it is one stretch. `files` are its files.
pub fn complaints_of(
    coverage: &Coverage,
    may_name: MayName<'_>,
    files: &[ReadFile],
) -> Vec<Complaint> {
    let figures = Figures::of(coverage);
    if figures.messages() < MESSAGES_MIN {
        return Vec::new();
    }
    let around_since = Timestamp(i64::MIN);
    let seen =
        RuleInput { figures: &figures, coverage, unseen: &[], around_since, may_name, files };
    let found = found(&seen, &|_| false).into_iter();
    let mut wrong: Vec<Complaint> = found
        .filter_map(|(name, finding)| match finding {
            Finding::Wrong(words) => Some(Complaint { name, words }),
            Finding::Right | Finding::Open => None,
        })
        .collect();
    wrong.sort_by_key(|complaint| COMPLAINTS.iter().position(|name| *name == complaint.name));
    wrong
}

impl Coverage {
    /// Whether an address of a resolver was seen.
    fn saw_resolver(&self, address: Address) -> bool {
        self.resolvers.iter().any(|resolver| resolver.addresses.contains(&address))
    }
}
