//! Slicing and reassembly: the first two octets are the link type, then frames follow, each behind its
//! length in one octet, a millisecond apart.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whoasked::frame::{Frame, FrameId, LinkType};
use whoasked::packet::{Ports, Reassembly, ReassemblyLimits, Sliced, slice};
use whoasked::time::Timestamp;

fuzz_target!(|octets: &[u8]| {
    let Some((link, mut rest)) = octets.split_first_chunk() else { return };
    let link = LinkType(u16::from_be_bytes(*link));
    let ports = Ports::default();
    let mut reassembly = Reassembly::new(ReassemblyLimits::default(), ports.clone());
    let mut number = 0;
    while let Some((&len, behind)) = rest.split_first() {
        let (bytes, next) = behind.split_at(usize::from(len).min(behind.len()));
        rest = next;
        number += 1;
        let frame = Frame {
            id: FrameId::new(0, number),
            time: Timestamp(number as i64 * 1_000_000),
            link,
            original_len: bytes.len() as u32,
            bytes,
        };
        match slice(&frame, &ports) {
            Sliced::Datagram { payload, .. } => assert!(!payload.is_empty()),
            Sliced::Held => reassembly.push(&frame, &mut |envelope, _, _| {
                assert!(envelope.frame.number() <= number);
            }),
            Sliced::Elsewhere { .. } | Sliced::Other(_) => {}
        }
    }
    reassembly.finish(&mut |_, _, _| {});
});
