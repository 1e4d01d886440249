//! Matching: what a name or an address falls under.

use std::cmp::Reverse;
use std::hash::BuildHasher;

use super::network::{IPV4, Network};
use super::{Entry, Indicator, IndicatorId, IndicatorKind, Indicators, labels_of};
use crate::flow::Address;
use crate::name::{Ancestors, LABELS_MAX, Name, NameHash};

/// A name or an ancestor of it, to be looked up.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    hash: NameHash,
    itself: bool,
}

impl Indicators {
    /// What is to be looked up to learn whether an entry flags the name. The memory for that is asked for.
    #[inline]
    pub fn ask(&self, name: &Ancestors<'_>, mut each: impl FnMut(Wanted)) {
        let all = name.labels();
        // The root itself, bit 0, is of interest only where it is the whole name, or where it flags all.
        let lowest = u128::from(all > 0 && !self.root_flags_below);
        let mut counts = self.label_counts & (u128::MAX >> (LABELS_MAX - all.min(LABELS_MAX)));
        counts &= !lowest;
        while counts != 0 {
            let labels = counts.trailing_zeros() as usize;
            counts &= counts - 1;
            let hash = name.hash_of_last(&self.hasher, labels);
            self.table.ask_for(hash.0);
            each(Wanted { hash, itself: labels == all });
        }
    }

    /// Whether an entry flags the name, going by hashes alone, of which all but a few bits are compared:
    /// at a million entries one unlisted name in some 10^13 is taken for a listed one.
    /// [`Indicators::match_name`] has the last word.
    #[inline]
    pub fn may_flag(&self, wanted: Wanted) -> bool {
        self.table.may_hold(wanted.hash.0) && self.flags(wanted)
    }

    /// Whether an entry under a hash flags what has it. Apart: there is nearly never one.
    #[inline(never)]
    fn flags(&self, Wanted { hash, itself }: Wanted) -> bool {
        let flags = |id| self.chain(id).any(|(_, entry)| entry.kind.flags(itself));
        self.table.find(hash.0, flags).is_some()
    }

    /// Whether an entry lists the name, allowed or not.
    pub fn is_name_flagged(&self, name: Name<'_>) -> bool {
        let mut found = false;
        self.each_listed_suffix(name, |_, _| found = true);
        found
    }

    /// Appends every indicator that the name falls under: of its suffixes the longest first, for each of
    /// them in the order of [`IndicatorKind`], then of the lists. Of a name that is
    /// allowed nothing is appended.
    pub fn match_name(&self, name: Name<'_>, out: &mut Vec<IndicatorId>) {
        let before = out.len();
        self.each_listed_suffix(name, |head, itself| {
            let group = out.len();
            let flagging = self.chain(head).filter(|(_, entry)| entry.kind.flags(itself));
            out.extend(flagging.map(|(id, _)| IndicatorId(id)));
            if let Some(group) = out.get_mut(group..) {
                group.sort_unstable_by_key(|id| {
                    Reverse((self.entry(id.0).map(|entry| entry.kind), *id))
                });
            }
        });
        // The walk goes from the root down.
        if let Some(found) = out.get_mut(before..) {
            found.reverse();
        }
        if out.len() > before && self.allows_name(name) {
            out.truncate(before);
        }
    }

    /// Whether an entry lists the name, and an allow list takes that back.
    pub fn is_name_taken_back(&self, name: Name<'_>) -> bool {
        self.allows_name(name) && self.is_name_flagged(name)
    }

    fn allows_name(&self, name: Name<'_>) -> bool {
        self.allowed.as_ref().is_some_and(|allowed| allowed.is_name_flagged(name))
    }

    /// Whether an entry lists the address, allowed or not.
    pub fn is_address_flagged(&self, address: Address) -> bool {
        self.listed_networks(address).next().is_some()
    }

    /// Appends every indicator that the address falls under: itself first, then the networks around
    /// it, the smallest first, then in the order of the lists. Of an address that is allowed nothing is
    /// appended.
    pub fn match_address(&self, address: Address, out: &mut Vec<IndicatorId>) {
        let before = out.len();
        for head in self.listed_networks(address) {
            out.extend(self.chain(head).map(|(id, _)| IndicatorId(id)));
        }
        if out.len() > before && self.allows_address(address) {
            out.truncate(before);
        }
    }

    /// Whether an entry lists the address, and an allow list takes that back.
    pub fn is_address_taken_back(&self, address: Address) -> bool {
        self.allows_address(address) && self.is_address_flagged(address)
    }

    fn allows_address(&self, address: Address) -> bool {
        self.allowed.as_ref().is_some_and(|allowed| allowed.is_address_flagged(address))
    }

    /// An entry that stands for the same as one of other lists: of several that in the list of that name, or the first.
    pub fn find(&self, other: &Indicator<'_>, list: &str) -> Option<IndicatorId> {
        let bare = other.bare();
        let hash = match other.kind {
            IndicatorKind::Exact | IndicatorKind::Below | IndicatorKind::Domain => {
                self.hash_of_text(bare.as_bytes()).0
            }
            IndicatorKind::Address | IndicatorKind::Network => {
                self.network_hasher.hash_one(Network::parse(bare).ok()??.0)
            }
        };
        let head = self.table.find(hash, |id| {
            self.entry(id).is_some_and(|entry| self.bare(&entry) == bare.as_bytes())
        })?;
        let same = self.chain(head).filter(|(_, entry)| entry.kind == other.kind);
        let same: Vec<IndicatorId> = same.map(|(id, _)| IndicatorId(id)).collect();
        let is_there = |id: &&IndicatorId| {
            self.get(**id).is_some_and(|entry| self.list_name(entry.list) == list)
        };
        same.iter().find(is_there).or(same.first()).copied()
    }

    /// Whether the lists hold no address and no network.
    pub fn are_names_only(&self) -> bool {
        self.prefixes.is_empty()
    }

    /// Calls `each` with the first entry for each listed suffix that flags the name, from the root
    /// down, and with whether that suffix is the name itself.
    fn each_listed_suffix(&self, name: Name<'_>, mut each: impl FnMut(u32, bool)) {
        let wire = name.wire();
        let mut starts = [0u8; LABELS_MAX];
        let mut count = 0;
        let mut at = 0;
        for label in name.labels() {
            let Some(slot) = starts.get_mut(count) else { break };
            *slot = at as u8;
            count += 1;
            at += 1 + label.len();
        }
        let starts = starts.get(..count).unwrap_or_default();
        let ancestors = Ancestors::new(&self.hasher, wire, starts, at);
        for labels in (0..=count).filter(|&labels| self.may_list(labels)) {
            let hash = ancestors.hash_of_last(&self.hasher, labels);
            let start = starts.get(count - labels).map_or(at, |&start| usize::from(start));
            let suffix = Name::from_wire(wire.get(start..).unwrap_or_default());
            let itself = labels == count;
            let head = self.table.find(hash.0, |id| {
                self.entry(id).is_some_and(|entry| spells(self.bare(&entry), suffix))
            });
            let flags = |head: &u32| self.chain(*head).any(|(_, entry)| entry.kind.flags(itself));
            if let Some(head) = head.filter(flags) {
                each(head, itself);
            }
        }
    }

    /// The first entry for each listed network around the address, the smallest first; behind them those around the IPv4
    /// address that DNS64 put into it, which is what a list or a firewall behind the translator knows.
    fn listed_networks(&self, address: Address) -> impl Iterator<Item = u32> {
        let translated = address.translated_v4().into_iter();
        self.networks_around(address).chain(translated.flat_map(|v4| self.networks_around(v4)))
    }

    fn networks_around(&self, address: Address) -> impl Iterator<Item = u32> {
        // `::/0` and its like are IPv6 networks, though IPv4 is kept inside of them.
        let shortest = if address.is_v4() { IPV4 } else { 0 };
        let prefixes = self.prefixes.iter().take_while(move |&&prefix| prefix >= shortest);
        prefixes.filter_map(move |&prefix| {
            let network = Network::around(address, prefix);
            self.table.find(self.network_hasher.hash_one(network), |id| {
                // The text of a name is no network.
                self.entry(id).is_some_and(|entry| is_network(self.bare(&entry), network))
            })
        })
    }

    #[inline]
    fn may_list(&self, labels: usize) -> bool {
        labels <= LABELS_MAX && (self.label_counts >> labels) & 1 == 1
    }

    /// An entry and those chained behind it.
    pub(super) fn chain(&self, head: u32) -> impl Iterator<Item = (u32, Entry)> {
        let with_id = |id: u32| self.entry(id).map(|entry| (id, entry));
        std::iter::successors(with_id(head), move |(id, entry)| {
            with_id(*self.links.get(id).filter(|_| entry.has_next)?)
        })
    }
}

/// Whether the text, in lower case, is the name's.
fn spells(text: &[u8], name: Name<'_>) -> bool {
    let mut labels = name.labels();
    labels_of(text)
        .all(|label| labels.next().is_some_and(|other| other.eq_ignore_ascii_case(label)))
        && labels.next().is_none()
}

fn is_network(text: &[u8], network: Network) -> bool {
    let text = std::str::from_utf8(text).unwrap_or_default();
    matches!(Network::parse(text), Ok(Some((listed, _))) if listed == network)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::{NameHasher, push_from_text};
    use proptest::prelude::*;

    const KEY: [u64; 2] = [0x1234_5678_9abc_def1, 0x9e37_79b9_7f4a_7c15];

    fn listed(list: &str) -> Indicators {
        Indicators::read("flagged.txt", list.into(), NameHasher::new(KEY)).unwrap().0
    }

    fn values<'a>(indicators: &'a Indicators, ids: &[IndicatorId]) -> Vec<&'a str> {
        ids.iter().map(|&id| indicators.get(id).unwrap().value).collect()
    }

    /// What a name falls under; the three ways to ask must agree.
    fn under<'a>(indicators: &'a Indicators, text: &str) -> Vec<&'a str> {
        let mut wire = Vec::new();
        push_from_text(text, &mut wire).unwrap();
        let name = Name::from_wire(&wire);
        let mut ids = Vec::new();
        indicators.match_name(name, &mut ids);
        assert_eq!(indicators.is_name_flagged(name), !ids.is_empty(), "{text}");
        let starts: Vec<u8> = name
            .suffixes()
            .filter(|suffix| !suffix.is_root())
            .map(|suffix| (wire.len() - suffix.wire().len()) as u8)
            .collect();
        let ancestors = Ancestors::new(&NameHasher::new(KEY), &wire, &starts, wire.len() - 1);
        let mut may_flag = false;
        indicators.ask(&ancestors, |wanted| may_flag |= indicators.may_flag(wanted));
        assert_eq!(may_flag, !ids.is_empty(), "{text}");
        values(indicators, &ids)
    }

    fn around<'a>(indicators: &'a Indicators, text: &str) -> Vec<&'a str> {
        let address = text.parse::<Address>().unwrap();
        let mut ids = Vec::new();
        indicators.match_address(address, &mut ids);
        assert_eq!(indicators.is_address_flagged(address), !ids.is_empty(), "{text}");
        values(indicators, &ids)
    }

    #[test]
    fn marks_say_what_a_name_stands_for() {
        let indicators = listed("evil.com\n=one.example\n*.below.example\n");
        for (name, expected) in [
            ("evil.com", vec!["evil.com"]),
            ("c2.EVIL.com", vec!["evil.com"]),
            ("a.b.c.evil.com", vec!["evil.com"]),
            ("notevil.com", vec![]),
            ("evil.com.example", vec![]),
            ("com", vec![]),
            ("one.example", vec!["=one.example"]),
            ("a.one.example", vec![]),
            ("below.example", vec![]),
            ("A.Below.Example", vec!["*.below.example"]),
            ("a\\.evil.com", vec![]),
            (".", vec![]),
        ] {
            assert_eq!(under(&indicators, name), expected, "{name}");
        }
    }

    #[test]
    fn the_most_specific_comes_first_and_lists_keep_their_order() {
        let indicators = listed("com\nevil.com\n*.evil.com\n*.com\nc2.evil.com\n=c2.evil.com\n");
        assert_eq!(
            under(&indicators, "c2.evil.com"),
            ["=c2.evil.com", "c2.evil.com", "*.evil.com", "evil.com", "*.com", "com"]
        );
        assert_eq!(under(&indicators, "evil.com"), ["evil.com", "*.com", "com"]);
        assert_eq!(under(&indicators, "com"), ["com"]);
    }

    #[test]
    fn what_stood_in_the_vector_stays() {
        let indicators = listed("evil.com\ncom\n");
        let mut out = vec![IndicatorId(7), IndicatorId(3)];
        indicators.match_name(Name::from_wire(b"\x04evil\x03com\0"), &mut out);
        assert_eq!(out, [7, 3, 0, 1].map(IndicatorId));
    }

    #[test]
    fn the_root_flags_every_name() {
        let indicators = listed(".\nevil.com\n");
        assert_eq!(under(&indicators, "a.evil.com"), ["evil.com", "."]);
        assert_eq!(under(&indicators, "good.example"), ["."]);
        assert_eq!(under(&indicators, "."), ["."]);
        let alone = listed("=.");
        assert_eq!(under(&alone, "."), ["=."]);
        assert_eq!(under(&alone, "com"), Vec::<&str>::new());
    }

    #[test]
    fn networks_hold_addresses_of_their_family() {
        let indicators = listed(
            "192.0.2.7\n192.0.2.0/24\n192.0.0.0/16\n2001:db8::/32\n2001:db8::1\n::/0\nevil.com\n",
        );
        for (address, expected) in [
            ("192.0.2.7", vec!["192.0.2.7", "192.0.2.0/24", "192.0.0.0/16"]),
            ("192.0.2.8", vec!["192.0.2.0/24", "192.0.0.0/16"]),
            ("64:ff9b::192.0.2.8", vec!["::/0", "192.0.2.0/24", "192.0.0.0/16"]),
            ("192.0.3.8", vec!["192.0.0.0/16"]),
            ("198.51.100.1", vec![]),
            ("2001:db8::1", vec!["2001:db8::1", "2001:db8::/32", "::/0"]),
            ("2001:db9::1", vec!["::/0"]),
        ] {
            assert_eq!(around(&indicators, address), expected, "{address}");
        }
        assert_eq!(around(&listed("0.0.0.0/0"), "192.0.2.1"), ["0.0.0.0/0"]);
        assert_eq!(around(&listed("0.0.0.0/0"), "2001:db8::1"), Vec::<&str>::new());
        assert!(listed("evil.com").are_names_only() && !indicators.are_names_only());
    }

    #[test]
    fn malformed_and_overlong_names_match_nothing_and_do_not_panic() {
        let indicators = listed("evil.com");
        let mut out = Vec::new();
        for wire in [&b""[..], b"\x3f", b"\x04evil\x03co", &[1; 600], &[0xff; 300]] {
            indicators.match_name(Name::from_wire(wire), &mut out);
        }
        assert_eq!(out, []);
    }

    #[test]
    fn a_hundred_thousand_names_are_each_found_as_the_table_grows() {
        let list: String =
            (0..100_000).map(|n| format!("c2-{n}.evil{}.example\n", n % 97)).collect();
        let indicators = listed(&list);
        assert_eq!(indicators.len(), 100_000);
        for n in (0..100_000).step_by(7) {
            let name = format!("c2-{n}.evil{}.example", n % 97);
            assert_eq!(under(&indicators, &format!("x.{name}")), [name.as_str()]);
            assert_eq!(under(&indicators, &format!("c2-{n}.evil.example")), Vec::<&str>::new());
        }
    }

    /// What a name falls under by its text alone.
    fn naive<'a>(indicators: &'a Indicators, name: &str) -> Vec<&'a str> {
        let mut found: Vec<(usize, IndicatorKind, u32, &str)> = Vec::new();
        for id in 0..indicators.len() as u32 {
            let listed = indicators.get(IndicatorId(id)).unwrap();
            let bare = listed.value.trim_start_matches(['=', '*']).trim_start_matches('.');
            let itself = name.eq_ignore_ascii_case(bare);
            let below = name.to_ascii_lowercase().ends_with(&format!(".{bare}"));
            let fits = match listed.kind {
                IndicatorKind::Exact => itself,
                IndicatorKind::Below => below,
                IndicatorKind::Domain => itself || below,
                IndicatorKind::Address | IndicatorKind::Network => false,
            };
            if fits {
                let shorter = usize::MAX - bare.len();
                found.push((shorter, listed.kind, id, listed.value));
            }
        }
        found.sort_unstable();
        found.into_iter().map(|(.., value)| value).collect()
    }

    proptest! {
        #[test]
        fn names_match_as_their_text_says(
            list in prop::collection::vec("(=|\\*\\.)?([ab]{1,2}\\.){0,3}[ab]", 1..30),
            names in prop::collection::vec("([abAB]{1,2}\\.){0,4}[abAB]", 1..30),
        ) {
            let indicators = listed(&list.join("\n"));
            for name in names {
                prop_assert_eq!(under(&indicators, &name), naive(&indicators, &name));
            }
        }

        #[test]
        fn addresses_match_as_their_bits_say(
            list in prop::collection::vec((0u32..8, 24u32..=32), 1..20), last in 0u32..8,
        ) {
            // Few bits, spread over the last octet, so that networks meet addresses.
            let spread = |n: u32| u32::from_be_bytes([192, 0, 2, 0]) | (n & 1) | (n & 2) << 2 | (n & 4) << 5;
            let text = |n: u32| std::net::Ipv4Addr::from(spread(n)).to_string();
            let lines: Vec<_> = list.iter().map(|&(n, prefix)| format!("{}/{prefix}", text(n))).collect();
            let indicators = listed(&lines.join("\n"));
            let mut prefixes: Vec<u32> = list
                .iter()
                .filter(|(n, prefix)| (spread(*n) ^ spread(last)).leading_zeros() >= *prefix)
                .map(|&(_, prefix)| prefix)
                .collect();
            prefixes.sort_unstable_by_key(|&prefix| Reverse(prefix));
            prefixes.dedup();
            let seen: Vec<u32> = around(&indicators, &text(last))
                .iter()
                .map(|value| value.split_once('/').map_or(32, |(_, prefix)| prefix.parse().unwrap()))
                .collect();
            prop_assert_eq!(seen, prefixes);
        }
    }
}
