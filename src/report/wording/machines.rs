//! Which clients are one machine: one that asks by IPv4 and by IPv6 stands on a page as two addresses.

use std::collections::{BTreeMap, BTreeSet};

use super::words;
use crate::flow::{Address, Mac};

/// A link-layer address that more clients have than this is a router's.
const ADDRESSES_MAX: usize = 4;

/// The clients by the link-layer address of their questions.
#[derive(Debug, Default)]
pub(in crate::report) struct Machines(BTreeMap<Mac, BTreeSet<Address>>);

/// Who else has the link-layer address of a client's questions: their addresses, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::report) enum Sharing {
    /// No other client.
    Alone,
    /// The same machine under other addresses: of IPv4, a machine asks from one.
    Itself(String),
    /// A few other clients.
    Few(String),
    /// So many that it is a router's.
    Router,
}

impl Machines {
    /// Of clients and the link-layer addresses of their questions, those known as routers' left out.
    pub fn of(clients: impl Iterator<Item = (Address, Mac)>) -> Machines {
        let mut machines = Machines::default();
        clients.for_each(|(client, mac)| {
            machines.0.entry(mac).or_default().insert(client);
        });
        machines
    }

    /// Who has a client's link-layer address.
    pub fn sharing(&self, client: Address, mac: Mac) -> Sharing {
        let Some(users) = self.0.get(&mac) else { return Sharing::Alone };
        let others = || {
            let others = users.iter().filter(|user| **user != client);
            words::list(&others.map(Address::to_string).collect::<Vec<_>>())
        };
        match users.len() {
            0 | 1 => Sharing::Alone,
            _ if is_machine(users) => Sharing::Itself(others()),
            ..=ADDRESSES_MAX => Sharing::Few(others()),
            _ => Sharing::Router,
        }
    }

    /// How many clients are left when each machine counts once; `None` if no machine has several addresses.
    pub fn count(&self, clients: usize) -> Option<usize> {
        let several = self.0.values().filter(|users| users.len() > 1 && is_machine(users));
        // One may have several link-layer addresses, too.
        let again: BTreeSet<&Address> = several.flat_map(|users| users.iter().skip(1)).collect();
        clients.checked_sub(again.len()).filter(|_| !again.is_empty())
    }
}

fn is_machine(users: &BTreeSet<Address>) -> bool {
    users.len() <= ADDRESSES_MAX && users.iter().filter(|user| user.is_v4()).count() <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_has_one_ipv4_address_and_a_few_of_ipv6() {
        let address = |text: &str| text.parse::<Address>().unwrap();
        let mac = |last| Mac([2, 0, 0, 0, 0, last]);
        let clients = [
            ("10.0.0.1", 1),
            ("fd00::1", 1),
            ("10.0.0.2", 2),
            ("10.0.0.3", 2),
            ("10.0.0.4", 3),
            ("fd01::1", 4),
            ("fd01::2", 4),
            ("fd01::3", 4),
            ("fd01::4", 4),
            ("fd01::5", 4),
        ];
        let machines = Machines::of(clients.iter().map(|(ip, last)| (address(ip), mac(*last))));
        let sharing = |ip: &str, last| machines.sharing(address(ip), mac(last));
        assert_eq!(sharing("10.0.0.1", 1), Sharing::Itself("fd00::1".into()));
        assert_eq!(sharing("10.0.0.2", 2), Sharing::Few("10.0.0.3".into()));
        assert_eq!(sharing("10.0.0.4", 3), Sharing::Alone);
        assert_eq!(sharing("fd01::1", 4), Sharing::Router);
        assert_eq!(machines.count(10), Some(9));
        let twice = clients.iter().flat_map(|(ip, last)| [(ip, *last), (ip, last + 100)]);
        let machines = Machines::of(twice.map(|(ip, last)| (address(ip), mac(last))));
        assert_eq!(machines.count(10), Some(9), "seen on both sides of a router");
        assert_eq!(Machines::default().count(3), None);
    }
}
