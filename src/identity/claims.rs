//! Names of addresses with the times for which they hold, one bounded table a source.

use std::collections::VecDeque;

use foldhash::{HashMap, HashMapExt};

use crate::flow::{Address, Mac};
use crate::frame::FrameId;
use crate::time::Timestamp;

/// How many names of one address are kept, the latest.
const CLAIMS_MAX: usize = 8;

/// That an address belonged to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// The host's name; none where only its link-layer address is known.
    pub name: Option<String>,
    /// Its link-layer address, where the source has it.
    pub holder: Option<Mac>,
    /// From when on it is known to hold.
    pub from: Timestamp,
    /// Until when, this instant excluded.
    pub until: Timestamp,
    /// How far before `from` it may have held already; `from` itself if it began there.
    pub since: Timestamp,
    /// The frame that says so.
    pub frame: FrameId,
}

impl Claim {
    fn is_same_host(&self, other: &Claim) -> bool {
        let same_name = match (&self.name, &other.name) {
            (Some(one), Some(two)) => one.eq_ignore_ascii_case(two),
            (None, None) => true,
            _ => false,
        };
        same_name && self.holder == other.holder
    }
}

/// The claims of one source.
///
/// At the limit, the address whose first claim is the oldest is forgotten, and [`Claims::forgotten`]
/// counts it. Each source has a table of its own, so whoever floods one of them does no harm to another.
#[derive(Debug)]
pub(super) struct Claims {
    of: HashMap<Address, VecDeque<Claim>>,
    order: VecDeque<Address>,
    limit: usize,
    forgotten: u64,
}

impl Claims {
    /// Room for the claims on `limit` addresses.
    pub fn new(limit: usize) -> Claims {
        Claims { of: HashMap::new(), order: VecDeque::new(), limit: limit.max(1), forgotten: 0 }
    }

    /// Adds a claim. It ends those before it on the same address, unless it repeats the last one: then
    /// that one goes on.
    pub fn add(&mut self, address: Address, mut claim: Claim) {
        if !self.of.contains_key(&address) {
            if self.of.len() >= self.limit
                && let Some(oldest) = self.order.pop_front()
            {
                self.of.remove(&oldest);
                self.forgotten += 1;
            }
            self.order.push_back(address);
        }
        let claims = self.of.entry(address).or_default();
        if let Some(last) = claims.back_mut() {
            // Packets may be out of order by a little: claims are not.
            claim.from = claim.from.max(last.from);
            claim.until = claim.until.max(claim.from);
            if last.is_same_host(&claim) && last.until >= claim.from {
                last.until = last.until.max(claim.until);
                if last.since < last.from {
                    last.since = last.since.min(claim.since);
                }
                return;
            }
            last.until = last.until.min(claim.from);
        }
        if claims.len() >= CLAIMS_MAX {
            claims.pop_front();
        }
        claims.push_back(claim);
    }

    /// Ends what holds at `time`; with a holder, only if it is that one's.
    pub fn end(&mut self, address: Address, time: Timestamp, holder: Option<Mac>) {
        let last = self.of.get_mut(&address).and_then(VecDeque::back_mut);
        if let Some(last) = last
            && (holder.is_none() || last.holder == holder)
            && last.from <= time
        {
            last.until = last.until.min(time);
        }
    }

    /// What held at `time`.
    pub fn at(&self, address: Address, time: Timestamp) -> Option<&Claim> {
        let mut claims = self.of.get(&address)?.iter().rev();
        claims.find(|claim| claim.from <= time && time < claim.until)
    }

    /// What was first said after `time`, and may have held then already.
    pub fn after(&self, address: Address, time: Timestamp) -> Option<&Claim> {
        let mut claims = self.of.get(&address)?.iter();
        claims.find(|claim| claim.from > time).filter(|claim| claim.since <= time)
    }

    /// The last claim on an address.
    pub fn last(&self, address: Address) -> Option<&Claim> {
        self.of.get(&address)?.back()
    }

    /// Whether the address is known to have changed hands in between: a claim ended, or began where it
    /// had not been before.
    pub fn changed_hands(&self, address: Address, after: Timestamp, by: Timestamp) -> bool {
        let within = |time: Timestamp| after < time && time <= by;
        let claims = self.of.get(&address).into_iter().flatten();
        claims
            .into_iter()
            .any(|claim| within(claim.until) || (within(claim.from) && claim.since == claim.from))
    }

    /// How many addresses were forgotten for lack of room.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(host: u8) -> Address {
        Address::v4([10, 0, 0, host])
    }

    fn claim(name: &str, from: i64, until: i64) -> Claim {
        Claim {
            name: Some(name.to_owned()),
            holder: None,
            from: Timestamp(from),
            until: Timestamp(until),
            since: Timestamp(from),
            frame: FrameId::NONE,
        }
    }

    fn name(claims: &Claims, time: i64) -> Option<&str> {
        claims.at(at(1), Timestamp(time)).and_then(|claim| claim.name.as_deref())
    }

    #[test]
    fn a_name_holds_from_when_it_was_said_until_another_is() {
        let mut claims = Claims::new(4);
        claims.add(at(1), claim("a", 10, 100));
        claims.add(at(1), claim("A", 20, 120));
        claims.add(at(1), claim("b", 50, 90));
        assert_eq!(name(&claims, 9), None);
        assert_eq!(name(&claims, 10), Some("a"));
        assert_eq!(name(&claims, 49), Some("a"));
        assert_eq!(name(&claims, 50), Some("b"));
        assert_eq!(name(&claims, 90), None, "it ran out");
        claims.end(at(1), Timestamp(70), None);
        assert_eq!(name(&claims, 70), None);
        assert!(claims.changed_hands(at(1), Timestamp(40), Timestamp(60)));
        assert!(!claims.changed_hands(at(1), Timestamp(20), Timestamp(40)));
    }

    #[test]
    fn what_is_said_later_holds_before_only_if_it_may() {
        let mut claims = Claims::new(4);
        claims.add(at(1), Claim { since: Timestamp(20), ..claim("a", 50, 100) });
        let after = |time| claims.after(at(1), Timestamp(time)).map(|claim| claim.from.0);
        assert_eq!(after(19), None);
        assert_eq!(after(20), Some(50));
        assert_eq!(after(50), None);
    }

    #[test]
    fn at_the_limit_the_oldest_address_is_forgotten() {
        let mut claims = Claims::new(2);
        for host in 1..=3 {
            claims.add(at(host), claim("x", 1, 9));
        }
        assert_eq!(claims.at(at(1), Timestamp(5)), None);
        assert!(claims.at(at(3), Timestamp(5)).is_some());
        assert_eq!(claims.forgotten(), 1);
    }

    proptest! {
        #[test]
        fn at_most_one_name_holds_at_a_time(said in prop::collection::vec((0u8..3, 0i64..50, 1i64..40), 1..20)) {
            let mut claims = Claims::new(4);
            for (name, from, len) in &said {
                claims.add(at(1), claim(&name.to_string(), *from, from + len));
            }
            for time in 0..100 {
                let holding = claims.of[&at(1)].iter().filter(|c| c.from.0 <= time && time < c.until.0);
                prop_assert!(holding.count() <= 1);
            }
        }
    }
}
