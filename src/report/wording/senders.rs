//! The link-layer addresses that a client's questions came from: several, if its address changed hands.

use super::fold::VARIANTS_MAX;
use super::words::{self, Times};
use crate::attribution::Client;
use crate::flow::Mac;
use crate::time::Timestamp;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) struct Sender {
    pub mac: Mac,
    /// Whether that is known to be a router's: the client is behind it.
    pub is_router: bool,
    /// When the first and the last of its questions came from there.
    pub first: Timestamp,
    pub last: Timestamp,
}

/// All of them, the one seen first first. Of more than four, four.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::report) struct Senders(Vec<Sender>);

impl Senders {
    /// Adds that of one question.
    pub fn add(&mut self, client: &Client) {
        if let Some(mac) = client.mac {
            let (first, last) = (client.asked_time, client.asked_time);
            self.put(Sender { mac, is_router: client.is_router_mac, first, last });
        }
    }

    fn put(&mut self, sender: Sender) {
        if let Some(known) = self.0.iter_mut().find(|known| known.mac == sender.mac) {
            known.is_router |= sender.is_router;
            known.first = known.first.min(sender.first);
            known.last = known.last.max(sender.last);
        } else if self.0.len() < VARIANTS_MAX {
            self.0.push(sender);
        }
        self.0.sort_unstable_by_key(|sender| (sender.first, sender.mac));
    }

    /// Each.
    pub fn iter(&self) -> impl Iterator<Item = &Sender> {
        self.0.iter()
    }

    /// Those that are not known as routers': a machine's own.
    pub fn own(&self) -> impl Iterator<Item = Mac> {
        self.0.iter().filter(|sender| !sender.is_router).map(|sender| sender.mac)
    }

    /// Whether there may be several machines: a router's is nobody's own, and two of them are two ways to one client.
    pub fn are_several(&self) -> bool {
        self.own().nth(1).is_some()
    }

    /// Whether the client is behind a router.
    pub fn is_behind_router(&self) -> bool {
        self.0.iter().any(|sender| sender.is_router)
    }

    /// Which, and when questions came from each: `00:1b:21:3c:00:1c at 08:25:01 and 00:1b:21:3c:00:2e from ... to ...`.
    pub fn when(&self, times: &Times) -> String {
        let said = self.0.iter().map(|Sender { mac, is_router, first, last }| {
            let of = if *is_router { " (a router's)" } else { "" };
            times.often(&format!("{mac}{of}"), *first, *last)
        });
        words::list(&said.collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribution::Coverage;
    use crate::time::UTC;

    fn sender(last_octet: u8, is_router: bool, first: i64, last: i64) -> Sender {
        let at = |second: i64| Timestamp((1_575_015_900 + second) * 1_000_000_000);
        Sender {
            mac: Mac([2, 0, 0, 0, 0, last_octet]),
            is_router,
            first: at(first),
            last: at(last),
        }
    }

    #[test]
    fn an_address_that_changed_hands_has_each_machine_with_its_time() {
        let one = Senders(vec![sender(2, false, 50, 60)]);
        let other = Senders(vec![sender(1, false, 5, 5), sender(2, false, 70, 70)]);
        let mut all = one.clone();
        other.iter().for_each(|sender| all.put(*sender));
        assert!(all.are_several());
        assert!(!one.are_several());
        let day = |second: i64| Timestamp((1_575_015_900 + second) * 1_000_000_000);
        let coverage = Coverage { span: Some((day(0), day(99))), ..Coverage::default() };
        assert_eq!(
            all.when(&Times::of(&coverage, &UTC)),
            "02:00:00:00:00:01 at 08:25:05 and 02:00:00:00:00:02 from 08:25:50 to 08:26:10"
        );
    }

    #[test]
    fn two_routers_are_two_ways_to_one_client() {
        let both = Senders(vec![sender(1, true, 1, 1), sender(2, true, 2, 2)]);
        assert!(both.is_behind_router() && !both.are_several());
        let router_and_own = Senders(vec![sender(1, true, 1, 1), sender(2, false, 2, 2)]);
        assert!(!router_and_own.are_several());
    }

    #[test]
    fn no_more_are_kept_than_are_shown() {
        let mut many = Senders::default();
        (0..100).for_each(|place| many.put(sender(place, false, 1, 1)));
        assert_eq!(many.iter().count(), VARIANTS_MAX);
    }
}
