//! What the kernel knows of an interface, in the network namespace that whoasked is in: what is mounted on `/sys` may
//! show another one.

use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;

/// All interfaces together have no number of their own.
const ANY: u32 = 0;

/// The number of an interface, while it is there.
pub(super) fn index_of(name: &str) -> Option<u32> {
    let of_name = |(index, interface): (u32, InterfaceAddress)| {
        (interface.interface_name == name).then_some(index)
    };
    if name == "any" { Some(ANY) } else { interfaces().find_map(of_name) }
}

/// Whether an interface is called so.
pub fn is_interface(name: &str) -> bool {
    index_of(name).is_some()
}

/// Whether the interface with this number is up (IFF_UP).
pub(super) fn is_up(index: u32) -> bool {
    has(index, InterfaceFlags::IFF_UP)
}

/// Whether something is at the other end of the interface with this number (IFF_RUNNING, RFC 2863).
pub(super) fn has_carrier(index: u32) -> bool {
    has(index, InterfaceFlags::IFF_RUNNING)
}

fn has(index: u32, flag: InterfaceFlags) -> bool {
    let flags = interfaces().find(|(number, _)| *number == index).map(|(_, found)| found.flags);
    index == ANY || flags.is_some_and(|flags| flags.contains(flag))
}

/// The interfaces and their numbers. They are asked for by netlink, for confined there is no other socket to ask by.
fn interfaces() -> impl Iterator<Item = (u32, InterfaceAddress)> {
    getifaddrs().into_iter().flatten().filter_map(|interface| {
        let index = interface.address?.as_link_addr()?.ifindex();
        Some((u32::try_from(index).ok()?, interface))
    })
}

#[cfg(test)]
mod tests {
    use nix::sched::{CloneFlags, setns, unshare};

    use super::*;

    #[test]
    fn it_is_that_of_the_own_namespace() {
        assert_eq!(index_of("lo"), Some(1));
        assert!(is_up(1) && is_up(ANY) && has_carrier(1) && has_carrier(ANY));
        assert!(!is_up(u32::MAX));
        assert_eq!(index_of("no-such-one"), None);
        assert!(is_interface("lo") && !is_interface("no-such-one"));
        let here = std::fs::File::open("/proc/thread-self/ns/net").unwrap();
        if unshare(CloneFlags::CLONE_NEWNET).is_err() {
            println!("skipped: no namespace can be made here (not root?)");
            return;
        }
        // The loopback of a new namespace is down, whatever /sys says.
        let apart = (index_of("lo"), is_up(1));
        setns(here, CloneFlags::CLONE_NEWNET).unwrap();
        assert_eq!(apart, (Some(1), false));
    }
}
