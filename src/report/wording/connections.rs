//! The connections of a client to what flagged answers gave it.

use super::fold::VARIANTS_MAX;
use crate::contact::Connection;

/// Its first four, in the order of time. Each once, with the most that is known of it: that it was answered, and the
/// name given in TLS, are seen after its first packet.
#[derive(Clone, Debug, Default)]
pub(in crate::report) struct Connections(Vec<Connection>);

impl Connections {
    /// Adds one, or what more is known of it.
    pub fn add(&mut self, connection: &Connection) {
        match self.0.iter_mut().find(|known| known.frame == connection.frame) {
            Some(known) => {
                known.answered |= connection.answered;
                if known.server_name.is_none() {
                    known.server_name.clone_from(&connection.server_name);
                }
            }
            None => self.0.push(connection.clone()),
        }
        self.0.sort_by_key(|known| (known.time, known.frame));
        self.0.truncate(VARIANTS_MAX);
    }

    /// The first.
    pub fn first(&self) -> Option<&Connection> {
        self.0.first()
    }

    /// Each.
    pub fn iter(&self) -> impl Iterator<Item = &Connection> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{Address, Transport};
    use crate::frame::FrameId;
    use crate::time::Timestamp;

    fn connection(second: i64, server_name: Option<&str>) -> Connection {
        Connection {
            address: Address::v4([203, 0, 113, 9]),
            port: 443,
            transport: Transport::Tcp,
            frame: FrameId::new(0, second as u64),
            time: Timestamp(second),
            answered: server_name.is_some(),
            server_name: server_name.map(str::to_owned),
        }
    }

    #[test]
    fn a_connection_of_which_more_became_known_is_one() {
        let mut all = Connections::default();
        for name in [None, Some("evil.com"), None] {
            all.add(&connection(5, name));
        }
        assert!(all.iter().eq([&connection(5, Some("evil.com"))]));
    }

    #[test]
    fn the_first_are_kept_whatever_order_they_come_in() {
        let mut all = Connections::default();
        (1..=9).rev().for_each(|second| all.add(&connection(second, None)));
        assert!(all.iter().map(|known| known.time.0).eq(1..=4));
    }
}
