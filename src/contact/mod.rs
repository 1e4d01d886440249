//! Whether a client then connected to the address it was given, and which hosts bypass the resolver.
//!
//! [`Watch`] receives flagged answers and the surrounding packets, in capture order, and reports for each
//! answer whether a connection followed. [`Encrypted`] receives the same packets, and reports hosts whose DNS
//! bypasses the resolver.

mod encrypted;
mod tls;
mod watch;

use crate::flow::{Address, Transport};
use crate::frame::FrameId;
use crate::time::Timestamp;

pub use encrypted::{Carrier, Encrypted, EncryptedQuery, LastActivity};
pub use watch::Watch;

/// Whether the capture shows that a client connected to an address in its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Contact {
    /// It sent a packet there, within the answer's time to live.
    Yes(Connection),
    /// It did, but gave the server name of another site than the answer is about: many share one address. A program that
    /// hides where it goes does so, too (domain fronting).
    Elsewhere(Connection),
    /// It did not, in a capture that shows such traffic of this client.
    No,
    /// The capture does not show this client's other traffic, or the answer held no address.
    #[default]
    NotVisible,
}

impl Contact {
    /// Takes in what another answer's contact says, if that is more: a connection is more than one to another site, and that
    /// more than none, the earlier more than the later, and none more than that it cannot be told.
    pub fn learn(&mut self, other: &Contact) {
        let is_more = match (&*self, other) {
            (Contact::Yes(known), Contact::Yes(new))
            | (Contact::Elsewhere(known), Contact::Elsewhere(new)) => {
                (new.time, new.frame) < (known.time, known.frame)
            }
            (_, Contact::Yes(_)) | (Contact::NotVisible, Contact::No) => true,
            (Contact::No | Contact::NotVisible, Contact::Elsewhere(_)) => true,
            _ => false,
        };
        if is_more {
            self.clone_from(other);
        }
    }

    /// As the output names it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Contact::Yes(_) => "yes",
            Contact::Elsewhere(_) => "elsewhere",
            Contact::No => "no",
            Contact::NotVisible => "not visible",
        }
    }
}

/// The first packet of a client to such an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Where to.
    pub address: Address,
    /// The port there.
    pub port: u16,
    /// By UDP or TCP.
    pub transport: Transport,
    /// Its frame: a TCP SYN, or the first datagram.
    pub frame: FrameId,
    /// When.
    pub time: Timestamp,
    /// Whether the other side answered (SYN+ACK, or a datagram back).
    pub answered: bool,
    /// The server name that the client gave in TLS (RFC 6066 section 3), as it wrote it.
    pub server_name: Option<String>,
}
