//! Which of the hosts that alerts blame are clients here.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;

use super::Attributor;
use crate::flow::{Address, Mac};
use crate::identity::first_label;
use crate::resolution::ForOthers;
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

/// Clients by what they are called, with their addresses.
type Clients<'c> = BTreeMap<&'c Called, Vec<Address>>;

impl Attributor {
    /// Those of some hosts that are clients here, each with all addresses that it is known to have: of one link-layer address,
    /// or of one name. A name that a server has, too, is nobody's.
    pub fn clients_among(&self, hosts: &BTreeSet<Called>) -> BTreeMap<Called, Vec<Address>> {
        let known = self.resolution().transactions().hosts();
        let mut names: HashMap<String, Vec<(&Called, &str)>> = HashMap::default();
        let mut clients = Clients::new();
        for called in hosts {
            match called {
                Called::Name(name) => {
                    let alike = names.entry(first_label(name)).or_default();
                    if alike.len() < ALIKE_MAX {
                        alike.push((called, name));
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
        if !names.is_empty() {
            self.add_by_name(&names, &mut clients);
        }
        let clients = self.with_others_of_their_macs(clients);
        clients.into_iter().map(|(called, addresses)| (called.clone(), addresses)).collect()
    }

    /// Adds the clients that are called so; `names` has them by their first labels.
    fn add_by_name<'c>(
        &self,
        names: &HashMap<String, Vec<(&'c Called, &str)>>,
        clients: &mut Clients<'c>,
    ) {
        let mut of_servers = BTreeSet::new();
        for (id, host) in self.hosts_inside() {
            let Some(own) = self.hostname_of(host) else { continue };
            let alike = names.get(&first_label(&own.name)).into_iter().flatten();
            for (called, _) in alike.filter(|(_, name)| own.is_called(name)) {
                match self.is_client(id, host) {
                    true => add(clients.entry(called).or_default(), host.address),
                    false => _ = of_servers.insert(*called),
                }
            }
        }
        clients.retain(|called, _| !of_servers.contains(called));
    }

    /// The same, each with what else asks from its link-layer address; of one that many ask from, it alone.
    fn with_others_of_their_macs<'c>(&self, clients: Clients<'c>) -> Clients<'c> {
        let known = self.resolution().transactions().hosts();
        let mac_of = |address: &Address| self.own_mac(known.get(known.find(*address)?)?);
        let mut macs: HashMap<Mac, Vec<&Called>> = HashMap::default();
        for (called, addresses) in &clients {
            for mac in addresses.iter().filter_map(mac_of) {
                macs.entry(mac).or_default().push(called);
            }
        }
        if macs.is_empty() {
            return clients;
        }
        let mut all = clients.clone();
        for (_, host) in self.hosts_inside().filter(|(id, host)| self.is_client(*id, host)) {
            let of_mac = self.own_mac(host).and_then(|mac| macs.get(&mac));
            for called in of_mac.into_iter().flatten() {
                add(all.entry(called).or_default(), host.address);
            }
        }
        all.retain(|_, addresses| addresses.len() <= ADDRESSES_MAX);
        clients.into_iter().chain(all).collect()
    }

    fn hosts_inside(&self) -> impl Iterator<Item = (HostId, &Host)> {
        let hosts = self.resolution().transactions().hosts();
        hosts.iter().filter(|(_, host)| host.address.is_internal())
    }

    /// Whether a host of the site asks, and nothing says that it is or may be a resolver.
    fn is_client(&self, id: HostId, host: &Host) -> bool {
        let (roles, hosts) = (self.resolution().roles(), self.resolution().transactions().hosts());
        host.address.is_internal()
            && (host.asks > 0 && host.asked == 0 && host.answers == 0)
            && !roles.seems_resolver(id, hosts)
            && roles.may_ask_for_others(id).is_none_or(ForOthers::is_little)
    }
}

fn add(addresses: &mut Vec<Address>, address: Address) {
    if addresses.len() <= ADDRESSES_MAX && !addresses.contains(&address) {
        addresses.push(address);
    }
}
