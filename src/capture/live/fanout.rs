//! Several rings on one interface: `PACKET_FANOUT` (packet(7)).

use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use nix::libc;
use nix::sys::socket::{getsockopt, setsockopt};

mod option {
    use nix::{getsockopt_impl, libc, setsockopt_impl, sockopt_impl};

    sockopt_impl!(
        /// The group of a packet socket: its number in the lower 16 bits, and how frames are shared in the upper.
        PacketFanout,
        Both,
        libc::SOL_PACKET,
        libc::PACKET_FANOUT,
        u32
    );
}

/// All frames of a flow go to the same member, fragments put together first.
const MODE: u32 = libc::PACKET_FANOUT_HASH | libc::PACKET_FANOUT_FLAG_DEFRAG;

/// Sockets that share the frames of an interface: each frame goes to one of them.
///
/// The kernel chooses the group's number, for other processes have groups too, on this machine or in containers
/// that share its network; and by another's number they would get a part of its frames.
#[derive(Clone, Debug, Default)]
pub struct Group(Arc<Mutex<Weak<Joined>>>);

/// What the members of a group have joined, as long as there is one.
#[derive(Debug)]
pub(super) struct Joined {
    /// The number of the interface: when it comes back as another one, it takes another group.
    index: Option<u32>,
    id: u16,
}

impl Group {
    /// Joins the socket of a capture handle on the interface with this number.
    ///
    /// # Errors
    /// When the kernel refuses it.
    pub(super) fn join(&self, socket: &impl AsFd, index: Option<u32>) -> io::Result<Arc<Joined>> {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(joined) = latest.upgrade().filter(|joined| joined.index == index) {
            let group = u32::from(joined.id) | MODE << 16;
            setsockopt(socket, option::PacketFanout, &group)?;
            return Ok(joined);
        }
        let anew = (MODE | libc::PACKET_FANOUT_FLAG_UNIQUEID) << 16;
        setsockopt(socket, option::PacketFanout, &anew)?;
        let id = getsockopt(socket, option::PacketFanout)? as u16;
        let joined = Arc::new(Joined { index, id });
        *latest = Arc::downgrade(&joined);
        Ok(joined)
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

    use super::*;

    #[test]
    fn members_share_a_group_that_nobody_else_has() {
        let socket = || {
            let family = AddressFamily::Packet;
            socket(family, SockType::Raw, SockFlag::empty(), nix::sys::socket::SockProtocol::EthAll)
        };
        let sockets: Result<Vec<_>, _> = (0..4).map(|_| socket()).collect();
        let Ok(sockets) = sockets else {
            println!("skipped: no packet sockets can be opened here (not root?)");
            return;
        };
        let (group, other) = (Group::default(), Group::default());
        let first = group.join(&sockets[0], Some(0)).unwrap();
        let second = group.join(&sockets[1], Some(0)).unwrap();
        let alien = other.join(&sockets[2], Some(0)).unwrap();
        assert_eq!(first.id, second.id);
        assert_ne!(first.id, alien.id);
        let back = group.join(&sockets[3], Some(7)).unwrap();
        assert!(![first.id, alien.id].contains(&back.id), "it came back as another interface");
    }
}
