//! Whose sightings answer an alert, by the host that it blames.

use std::net::{IpAddr, SocketAddr};

use super::sightings::DestinationSightings;
use crate::attribution::{Called, Coverage, NatCoverage};
use crate::flow::Address;

/// At which host to look.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    /// At all of them.
    All,
    /// At one DNS server, by its addresses.
    Resolver(Vec<Address>),
    /// At one client, by its addresses: the alert blames it itself.
    Client(Vec<Address>),
}

impl Scope {
    /// By the host as the alert has it, and what is to be said of that:
    /// 1. the address of a DNS server in the capture, or of a host that answers DNS there: that server;
    /// 2. the address of a client: that client;
    /// 3. any other address: all, for it may stand for a server behind address translation, as is seen of some;
    /// 4. a name that a client has: that client;
    /// 5. any other name: all, for it is one of the firewall's own.
    pub(super) fn of(
        host: Option<&str>,
        coverage: &Coverage,
        seen: Option<&DestinationSightings>,
    ) -> (Scope, Option<String>) {
        let Some(host) = host else { return (Scope::All, None) };
        let blamed = coverage.blamed.get(&called(host)).cloned().unwrap_or_default();
        let Some(address) = address_in(host) else {
            let asked = seen.map(|seen| seen.clients_called(host.trim())).unwrap_or_default();
            let asked: Vec<Address> = asked.into_iter().collect();
            let clients = if asked.is_empty() { blamed } else { asked };
            if let Some(client) = clients.first() {
                let note = format!(
                    "the alert blames {host}, which is the name of the client {client} here"
                );
                return (Scope::Client(clients), Some(note));
            }
            let note = match coverage.resolvers.as_slice() {
                [only] if coverage.servers.is_empty() => only.addresses.first().map(|address| {
                    format!("{host} is taken to be {address}, the only DNS server in this capture")
                }),
                [] => None,
                resolvers => Some(format!(
                    "{host} is a name that the firewall uses, so all {} DNS servers in this capture were \
                     considered",
                    resolvers.len() + coverage.servers.len()
                )),
            };
            return (Scope::All, note);
        };
        let group = coverage.resolvers.iter().find(|server| server.addresses.contains(&address));
        if let Some(group) = group {
            return (Scope::Resolver(group.addresses.clone()), None);
        }
        if coverage.servers.iter().any(|server| server.address == address) {
            return (Scope::Resolver(vec![address]), None);
        }
        let Some(seen) = seen else { return (Scope::All, None) };
        if seen.sightings.iter().any(|record| record.resolver == address) {
            return (Scope::Resolver(vec![address]), None);
        }
        if seen.has_client(address) || !blamed.is_empty() {
            // By which other address it may have asked matters only if it did not by this one.
            let clients = if seen.has_client(address) { vec![address] } else { blamed };
            let asks_else = match clients.iter().any(|client| seen.has_client(*client)) {
                true => "; if it is a DNS server, name it with --resolver",
                false => {
                    "; if it also asks servers that are not in this capture, as a DNS server or a firewall does, \
                     mirror that as well"
                }
            };
            let note =
                format!("the alert blames {address}, which is itself a client here{asks_else}");
            return (Scope::Client(clients), Some(note));
        }
        let is_sent_on = |seen: &&NatCoverage| seen.address == address;
        if let Some(translation) = coverage.translations.iter().find(is_sent_on) {
            let router = translation.words(|_| true);
            let note = format!("{router}, so every lookup of the destination counts");
            return (Scope::All, Some(note));
        }
        let note = format!(
            "{host} is not a DNS server in this capture (address translation, or its port is not mirrored), so \
             every lookup of the destination counts"
        );
        (Scope::All, Some(note))
    }

    /// Why nobody can say that it was not asked for there: what the DNS server asks upstream is not in the capture, and
    /// a name behind an alias, or the address of a server, is seen nowhere else.
    pub(super) fn blindness(&self, coverage: &Coverage) -> Option<String> {
        let resolvers = || coverage.resolvers.iter();
        let silent = resolvers().filter(|resolver| resolver.asks == 0);
        let silent = silent.filter_map(|resolver| resolver.addresses.first());
        let mut silent: Vec<Address> =
            silent.copied().chain(coverage.servers.iter().map(|server| server.address)).collect();
        silent.retain(Address::is_internal);
        match self {
            Scope::Resolver(addresses) => silent.retain(|server| addresses.contains(server)),
            // One that was seen asking may be who it is about.
            _ if resolvers().any(|resolver| resolver.asks > 0) => return None,
            Scope::All | Scope::Client(_) => {}
        }
        let server = silent.first()?;
        Some(format!(
            "{server} is asked here, but this capture does not show what it asks upstream, the only place to see \
             this: also mirror its uplink"
        ))
    }
}

/// A host as an alert has it.
pub(super) fn called(host: &str) -> Called {
    address_in(host).map_or_else(|| Called::Name(host.trim().to_owned()), Called::Address)
}

/// The address in a host as a firewall writes it: alone, with a port, or behind its name: `DC1 (10.0.0.5)`.
pub fn address_in(host: &str) -> Option<Address> {
    let mut words = host.split([' ', '(', ')', '[', ']', '"']).filter(|word| !word.is_empty());
    words.find_map(|word| {
        let with_port = || word.parse::<SocketAddr>().map(|end| end.ip());
        word.parse::<IpAddr>().or_else(|_| with_port()).ok().map(Address::from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_what_firewalls_write() {
        let found = |host: &str| address_in(host).map(|address| address.to_string());
        for host in ["192.168.2.194", "192.168.2.194:53", "DC1 (192.168.2.194)", "[192.168.2.194]"]
        {
            assert_eq!(found(host).as_deref(), Some("192.168.2.194"), "{host}");
        }
        assert_eq!(found("fd20::5").as_deref(), Some("fd20::5"));
        assert_eq!(found("DNS_Server"), None);
        assert_eq!(found("dc1.office.lan"), None);
    }
}
