//! Which of the hosts that alerts blame are clients here.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;

use super::Attributor;
use crate::flow::Address;
use crate::identity::first_label;
use crate::transaction::{Host, HostId};

/// How many names with the same first label are told apart.
const ALIKE_MAX: usize = 16;

/// A host as an alert calls it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Called {
    /// By its address.
    Address(Address),
    /// By its name.
    Name(String),
}

impl Attributor {
    /// Those of some hosts that are clients here, and their addresses. A name that a server has, too, is nobody's.
    pub fn clients_among(&self, hosts: &BTreeSet<Called>) -> BTreeMap<Called, Address> {
        let known = self.resolution().transactions().hosts();
        let mut clients = BTreeMap::new();
        let mut names: HashMap<String, Vec<&Called>> = HashMap::default();
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
                        clients.insert(called.clone(), *address);
                    }
                }
            }
        }
        if names.is_empty() {
            return clients;
        }
        let mut of_servers = BTreeSet::new();
        for (id, host) in known.iter().filter(|(_, host)| host.address.is_internal()) {
            let Some(hostname) = self.hostname_of(host) else { continue };
            for called in names.get(&first_label(&hostname.name)).into_iter().flatten() {
                match called {
                    Called::Name(name) if hostname.is_called(name) => {}
                    _ => continue,
                }
                if self.is_client(id, host) {
                    clients.entry((*called).clone()).or_insert(host.address);
                } else {
                    of_servers.insert(*called);
                }
            }
        }
        clients.retain(|called, _| !of_servers.contains(called));
        clients
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
