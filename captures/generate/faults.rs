//! What a mirror port does to the packets it should show.

use std::net::IpAddr;

use crate::random::Random;
use crate::scenario::{Capture, Fault, FaultKind, Kind};
use crate::wire::Packet;
use crate::world;

/// The packets that reach the file, in the order of their times.
pub fn apply(
    mut packets: Vec<Packet>,
    capture: &Capture,
    start_ns: i64,
    random: &mut Random,
) -> Vec<Packet> {
    packets.sort_by_key(|packet| packet.time_ns);
    let begins_ns = start_ns + (capture.begins_s * 1e9) as i64;
    let ends_ns = capture.ends_s.map_or(i64::MAX, |ends_s| start_ns + (ends_s * 1e9) as i64);
    packets.retain(|packet| (begins_ns..ends_ns).contains(&packet.time_ns));
    for fault in &capture.fault {
        packets = strike(packets, fault, random);
        packets.sort_by_key(|packet| packet.time_ns);
    }
    packets
}

fn strike(packets: Vec<Packet>, fault: &Fault, random: &mut Random) -> Vec<Packet> {
    let mut struck = 0;
    let mut left = Vec::with_capacity(packets.len());
    for mut packet in packets {
        let hit = fits(&packet, fault)
            && fault.first.is_none_or(|first| struck < first)
            && fault.share.is_none_or(|share| random.share() < share);
        if !hit {
            left.push(packet);
            continue;
        }
        struck += 1;
        match fault.fault {
            FaultKind::Lose => {}
            FaultKind::Copy => {
                let mut copy = packet.clone();
                copy.time_ns += fault.by_us * 1_000;
                left.extend([packet, copy]);
            }
            FaultKind::Late => {
                packet.time_ns += fault.by_us * 1_000;
                left.push(packet);
            }
        }
    }
    left
}

fn fits(packet: &Packet, fault: &Fault) -> bool {
    let about = &packet.about;
    let named = |above: &String| world::name(above).is_ok_and(|above| above.zone_of(&about.name));
    fault.leg.is_none_or(|leg| leg == about.leg)
        && fault.kind.is_none_or(|kind: Kind| kind == about.kind)
        && fault.name.as_ref().is_none_or(named)
        && fault.client.is_none_or(|client: IpAddr| client == about.client)
}
