//! The message reader: any octets can be read, what is said of them does not depend on what was read before, and
//! hickory-proto, where it accepts them, says the same.
#![no_main]

#[path = "../../tests/it/oracle.rs"]
mod oracle;

use libfuzzer_sys::fuzz_target;
use whoasked::message::{Messages, Unwatched};
use whoasked::name::NameHasher;

fuzz_target!(|payload: &[u8]| {
    let hasher = NameHasher::new([3, 5]);
    let mut messages = Messages::new();
    for _ in 0..2 {
        messages.read(&oracle::envelope(), payload, true, &hasher, &mut Unwatched);
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
