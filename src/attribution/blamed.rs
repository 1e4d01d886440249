//! Which of the hosts that alerts blame are clients here.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;

use super::Attributor;
use crate::flow::{Address, Mac};
use crate::identity::first_label;
use crate::transaction::{Host, HostId};

/// How many names with the same first label are told apart.
const ALIKE_MAX: usize = 16;
/// One link-layer address of more addresses is nobody's own.
const ADDRESSES_MAX: usize = 4;

/// A host as an alert calls it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Called {
    /// By its address.
    Address(Address),
    /// By its name.
    Name(String),
}

impl Attributor {
    /// Those of some hosts that are clients here, each with all addresses that it is known to have: of one link-layer address,
    /// or of one name. A name that a server has, too, is nobody's.
    pub fn clients_among(&self, hosts: &BTreeSet<Called>) -> BTreeMap<Called, Vec<Address>> {
        let known = self.resolution().transactions().hosts();
        let mut names: HashMap<String, Vec<&Called>> = HashMap::default();
        let mut clients: BTreeMap<&Called, Vec<Address>> = BTreeMap::new();
        for called in hosts {
            match called {
                Called::Name(name) => {
                    let alike = names.entry(first_label(name)).or_default();
                    if alike.len() < ALIKE_MAX {
                        alike.push(called);
                    }
                }
                Called::Address(address) => {
                    let id = known.find(*address);
                    let host = id.and_then(|id| Some((id, known.get(id)?)));
                    if host.is_some_and(|(id, host)| self.is_client(id, host)) {
                        clients.insert(called, vec![*address]);
                    }
                }
            }
        }
        let internal = || known.iter().filter(|(_, host)| host.address.is_internal());
        if !names.is_empty() {
            let mut of_servers = BTreeSet::new();
            for (id, host) in internal() {
                let Some(own) = self.hostname_of(host) else { continue };
                for called in names.get(&first_label(&own.name)).into_iter().flatten() {
                    match (called, self.is_client(id, host)) {
                        (Called::Name(name), _) if !own.is_called(name) => {}
                        (_, true) => add(clients.entry(*called).or_default(), host.address),
                        (_, false) => _ = of_servers.insert(*called),
                    }
                }
            }
            clients.retain(|called, _| !of_servers.contains(called));
        }
        let by_itself = clients.clone();
        let mac_of = |address: &Address| self.own_mac(known.get(known.find(*address)?)?);
        let mut macs: HashMap<Mac, Vec<&Called>> = HashMap::default();
        for (called, addresses) in &clients {
            for mac in addresses.iter().filter_map(mac_of) {
                macs.entry(mac).or_default().push(called);
            }
        }
        if !macs.is_empty() {
            for (_, host) in internal().filter(|(id, host)| self.is_client(*id, host)) {
                let of_mac = self.own_mac(host).and_then(|mac| macs.get(&mac));
                for called in of_mac.into_iter().flatten() {
                    add(clients.entry(called).or_default(), host.address);
                }
            }
        }
        let own = |(called, addresses): (&Called, Vec<Address>)| {
            let is_own = addresses.len() <= ADDRESSES_MAX;
            let addresses = if is_own { addresses } else { by_itself.get(called).cloned()? };
            Some((called.clone(), addresses))
        };
        clients.into_iter().filter_map(own).collect()
    }

    /// Whether a host of the site asks, and nothing says that it is or may be a resolver.
    fn is_client(&self, id: HostId, host: &Host) -> bool {
        let (roles, hosts) = (self.resolution().roles(), self.resolution().transactions().hosts());
        host.address.is_internal()
            && (host.asks > 0 && host.asked == 0 && host.answers == 0)
            && !roles.seems_resolver(id, hosts)
            && roles.may_ask_for_others(id).is_none()
    }
}

fn add(addresses: &mut Vec<Address>, address: Address) {
    if addresses.len() <= ADDRESSES_MAX && !addresses.contains(&address) {
        addresses.push(address);
    }
}
