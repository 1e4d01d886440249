//! The message reader: any octets can be read, what is said of them does not depend on what was read before, and
//! hickory-proto, where it accepts them, says the same.
#![no_main]

#[path = "../../tests/it/oracle.rs"]
mod oracle;

use libfuzzer_sys::fuzz_target;
use whoasked::flow::{Address, Endpoint, Flow, Mac, Transport};
use whoasked::frame::FrameId;
use whoasked::message::{Messages, Unwatched};
use whoasked::name::NameHasher;
use whoasked::packet::Envelope;
use whoasked::time::Timestamp;

fuzz_target!(|payload: &[u8]| {
    let endpoint = Endpoint { address: Address::v4([192, 0, 2, 1]), port: 53 };
    let envelope = Envelope {
        frame: FrameId::new(0, 1),
        time: Timestamp(0),
        flow: Flow { source: endpoint, destination: endpoint, transport: Transport::Udp },
        source_mac: Mac::default(),
        destination_mac: Mac::default(),
        ip_id: 0,
        hop_limit: 64,
        vlan: None,
    };
    let hasher = NameHasher::new([3, 5]);
    let mut messages = Messages::new();
    for _ in 0..2 {
        messages.read(&envelope, payload, true, &hasher, &mut Unwatched);
    }
    if let (Some(one), Some(other)) = (messages.get(0), messages.get(1)) {
        assert_eq!(messages.facts(one).len(), messages.facts(other).len());
        assert_eq!(one.malformed, other.malformed);
        let name = |message: &whoasked::message::Message| {
            message.question.map(|question| messages.name(question.name).to_string())
        };
        assert_eq!(name(one), name(other));
    }
    if let Err(difference) = oracle::agree(payload) {
        panic!("{difference}");
    }
});
