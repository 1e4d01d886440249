//! IEEE 802.11 data frames, and the radiotap and PPI headers that monitor-mode captures put before them.

use super::link::split;
use super::walk::{Layer, Step};
use super::{Envelope, Other};
use crate::flow::Mac;
use crate::frame::LinkType;

/// Radiotap (<https://www.radiotap.org>): version, padding, length, a chain of presence words, fields.
///
/// One flag matters: whether the 802.11 header is padded to four octets before its payload.
pub(super) fn radiotap(bytes: &[u8]) -> Step<'_> {
    let ([_, _, l0, l1, p0, p1, p2, p3], mut words) = split(bytes)?;
    let length = usize::from(u16::from_le_bytes([*l0, *l1]));
    let frame = bytes.get(length..).ok_or(Other::Truncated)?;
    let present = u32::from_le_bytes([*p0, *p1, *p2, *p3]);
    let mut word = present;
    let mut at: usize = 8;
    while word >> 31 == 1 && at < length {
        let ([w0, w1, w2, w3], rest) = split(words)?;
        word = u32::from_le_bytes([*w0, *w1, *w2, *w3]);
        words = rest;
        at += 4;
    }
    if present & 1 == 1 {
        // The timer stands first and is aligned to its eight octets.
        at = at.next_multiple_of(8) + 8;
    }
    let has_flags = present & 2 == 2 && at < length;
    let padded = has_flags && bytes.get(at).is_some_and(|flags| flags & 0x20 != 0);
    Ok((if padded { Layer::Ieee80211Padded } else { Layer::Ieee80211 }, frame))
}

/// PPI: version, flags, length, link type; then fields, then a frame of that link type.
pub(super) fn ppi(bytes: &[u8]) -> Step<'_> {
    let ([_, _, l0, l1, t0, t1, t2, t3], _) = split(bytes)?;
    let length = usize::from(u16::from_le_bytes([*l0, *l1]));
    let link = u32::from_le_bytes([*t0, *t1, *t2, *t3]);
    let link = LinkType(u16::try_from(link).map_err(|_| Other::Malformed)?);
    Ok((Layer::Link(link), bytes.get(length.max(8)..).ok_or(Other::Truncated)?))
}

/// An IEEE 802.11 frame (section 9.2): frame control, duration, three or four addresses, sequence
/// control, QoS control, HT control, LLC. `padded` tells of padding before the payload.
///
/// Only data frames in the clear are read, and only the first subframe of an aggregate (A-MSDU).
pub(super) fn ieee80211<'a>(bytes: &'a [u8], padded: bool, envelope: &mut Envelope) -> Step<'a> {
    let (header, _) = split::<24>(bytes)?;
    let [kind, flags, _, _, addresses @ .., sequence, _] = header;
    let (_, second) = addresses.split_first_chunk::<6>().ok_or(Other::Truncated)?;
    let (second, third) = second.split_first_chunk::<6>().ok_or(Other::Truncated)?;
    let third = third.first_chunk::<6>().ok_or(Other::Truncated)?;
    // Version 0, type data, subtype with data (bit 6 is set in those without).
    let is_data = kind & 0x4f == 0x08;
    let is_protected = flags & 0x40 != 0;
    if !is_data || is_protected || sequence & 0x0f != 0 {
        return Err(Other::NotIp);
    }
    let (to_ds, from_ds) = (flags & 1 == 1, flags & 2 == 2);
    let mut length = 24;
    let source = match (to_ds, from_ds) {
        (_, false) => second,
        (false, true) => third,
        (true, true) => {
            length += 6;
            let fourth = bytes.get(24..).and_then(|rest| rest.first_chunk::<6>());
            fourth.ok_or(Other::Truncated)?
        }
    };
    envelope.source_mac = Mac(*source);
    let mut is_aggregate = false;
    if kind & 0x80 != 0 {
        is_aggregate = bytes.get(length).is_some_and(|control| control & 0x80 != 0);
        length += 2;
        if flags & 0x80 != 0 {
            length += 4;
        }
    }
    if padded {
        length = length.next_multiple_of(4);
    }
    let payload = bytes.get(length..).ok_or(Other::Truncated)?;
    // A subframe begins as an IEEE 802.3 frame does.
    Ok((if is_aggregate { Layer::Ethernet } else { Layer::Llc }, payload))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_query, ipv4_query, other};
    use super::*;

    const SNAP: &[u8] = &[0xaa, 0xaa, 0x03, 0, 0, 0, 8, 0];
    const ONE: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const TWO: [u8; 6] = [2, 0, 0, 0, 0, 2];
    const THREE: [u8; 6] = [2, 0, 0, 0, 0, 3];

    fn data_frame(kind: u8, flags: u8, behind: &[u8]) -> Vec<u8> {
        let head = [&[kind, flags, 0, 0][..], &ONE, &TWO, &THREE, &[0x10, 0]].concat();
        [&head, behind, SNAP, &ipv4_query()].concat()
    }

    #[test]
    fn the_ds_bits_tell_which_address_is_whose() {
        for (flags, behind, source) in [
            (0, &[][..], TWO),
            (1, &[], TWO),
            (2, &[], THREE),
            (3, &[2, 0, 0, 0, 0, 4][..], [2, 0, 0, 0, 0, 4]),
        ] {
            let envelope = assert_query(105, &data_frame(0x08, flags, behind));
            assert_eq!(envelope.source_mac, Mac(source));
        }
    }

    #[test]
    fn qos_and_ht_control_are_passed() {
        assert_query(105, &data_frame(0x88, 0x02, &[0, 0]));
        assert_query(105, &data_frame(0x88, 0x82, &[0, 0, 9, 9, 9, 9]));
        let aggregate = [&[0x80, 0][..], &ONE, &TWO, &[0, 99]].concat();
        let envelope = assert_query(105, &data_frame(0x88, 0x02, &aggregate));
        assert_eq!(envelope.source_mac, Mac(TWO));
    }

    #[test]
    fn radiotap_and_ppi_stand_before_it() {
        let frame = data_frame(0x88, 0x02, &[0, 0]);
        assert_query(127, &[&[0, 0, 8, 0, 0, 0, 0, 0], &frame[..]].concat());
        // Two presence words, then the timer, aligned to 16, then flags without padding.
        let long = [0, 0, 26, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0];
        let long = [&long[..], &[9; 8], &[0, 0]].concat();
        assert_query(127, &[&long[..], &frame].concat());
        // Flags that tell of padding: 26 octets of header become 28.
        let padded = data_frame(0x88, 0x02, &[0, 0, 0xee, 0xee]);
        assert_query(127, &[&[0, 0, 9, 0, 2, 0, 0, 0, 0x20], &padded[..]].concat());
        assert_query(192, &[&[0, 0, 8, 0, 105, 0, 0, 0], &frame[..]].concat());
        assert_eq!(other(127, &[0, 0, 200, 0, 0, 0, 0, 0]), Other::Truncated);
    }

    #[test]
    fn what_is_encrypted_or_carries_no_data_is_left() {
        for (kind, flags) in [(0x08, 0x40), (0x80, 0), (0x48, 0), (0xc8, 0), (0x09, 0)] {
            assert_eq!(other(105, &data_frame(kind, flags, &[])), Other::NotIp, "{kind:#x}");
        }
    }
}
