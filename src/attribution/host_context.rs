//! What the capture shows around the questions: host names, and where clients turned to afterwards.

use super::{Client, Place};
use crate::contact::{Contact, Encrypted, EncryptedQuery, Watch};
use crate::flow::{Address, Mac};
use crate::frame::FrameId;
use crate::identity::{Hostname, Inventory, Registry};
use crate::message::{Message, Messages, NO_VLAN};
use crate::packet::Aside;
use crate::time::Timestamp;
use crate::transaction::Hosts;

/// Host names and contacts, as they become known in capture order.
#[derive(Debug)]
pub(super) struct HostContext {
    names: Registry,
    watch: Watch,
    encrypted: Encrypted,
}

impl HostContext {
    /// With an inventory's names, and nothing seen yet.
    pub fn new(inventory: Inventory) -> HostContext {
        HostContext {
            names: Registry::new(inventory),
            watch: Watch::default(),
            encrypted: Encrypted::default(),
        }
    }

    /// Takes a DNS message. Nearly all of them say nothing here.
    #[inline]
    pub fn message(&mut self, messages: &Messages, message: &Message) {
        if message.flagged {
            self.watch.message(messages, message);
        }
        if message.names_host {
            self.names.message(messages, message);
        }
    }

    /// Takes what is not DNS, or not only that.
    pub fn aside(&mut self, aside: &Aside, payload: &[u8]) {
        self.names.aside(aside, payload);
        self.watch.aside(aside, payload);
        self.encrypted.aside(aside, payload);
    }

    /// Adds what is known by now of a client: whose its link-layer address is, its name, and whether it
    /// connected. What its answer holds is not the flagged server that was asked for it.
    pub fn describe(&self, client: &mut Client, place: Place, hosts: &Hosts) {
        client.is_router_mac = client.mac.is_some_and(|mac| hosts.is_router(mac));
        let host = hosts.find(client.address).and_then(|id| hosts.get(id));
        client.vlan = host.map(|host| host.vlan).filter(|vlan| *vlan != NO_VLAN);
        client.hostname = self.hostname(client.address, client.own_mac(), client.asked_time);
        client.contact = match place.is_server() {
            true => Contact::NotVisible,
            false => self.contact(client.address, client.answer_frame),
        };
    }

    /// What a client was called.
    pub fn hostname(&self, client: Address, mac: Option<Mac>, time: Timestamp) -> Option<Hostname> {
        self.names.hostname(client, mac, time)
    }

    /// What came of an answer to a client.
    pub fn contact(&self, client: Address, answer: FrameId) -> Contact {
        self.watch.contact(client, answer)
    }

    /// Whether a server was asked encrypted.
    pub fn asked(&self, server: Address) -> Option<EncryptedQuery> {
        self.encrypted.asked(server)
    }

    /// Whose DNS goes around the resolver.
    pub fn encrypted(&self) -> &Encrypted {
        &self.encrypted
    }

    /// How many addresses' names and how many flagged answers were let go for lack of room.
    pub fn forgotten(&self) -> (u64, u64) {
        (self.names.forgotten(), self.watch.given_up())
    }
}

impl Client {
    /// The link-layer address of its own frames, as far as it is known not to be a router's.
    pub fn own_mac(&self) -> Option<Mac> {
        self.mac.filter(|_| !self.is_router_mac)
    }
}
