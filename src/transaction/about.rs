//! What was asked about the names of one domain, as the chains of the history have it.

use super::HostId;
use super::chain_index::{About, Look, Scans, Segment};
use super::table::{Transaction, Transactions};
use crate::bounded::Sequence;
use crate::name::NameHash;
use crate::time::Timestamp;

impl Transactions {
    /// The transactions with a server about names of one domain, newest first.
    pub fn with_server(
        &self,
        server: HostId,
        domain: NameHash,
    ) -> impl Iterator<Item = (Sequence, Transaction)> {
        About::new(About::BY_SERVER, server, domain).all(&self.history)
    }

    /// The same, if no more than so many steps lead to all of them.
    pub fn if_few_with_server(
        &self,
        server: HostId,
        domain: NameHash,
        steps: usize,
    ) -> Option<impl Iterator<Item = (Sequence, Transaction)>> {
        let about = About::new(About::BY_SERVER, server, domain);
        about.is_within(&self.history, steps).then(|| about.all(&self.history))
    }

    /// The transactions that a host asked about names of one domain, newest first: of hosts
    /// that are asked themselves or iterate, or that ask whom nobody saw asking.
    pub fn of_client(
        &self,
        client: HostId,
        domain: NameHash,
    ) -> impl Iterator<Item = (Sequence, Transaction)> {
        About::new(About::BY_CLIENT, client, domain).all(&self.history)
    }

    /// At most so many of the transactions [`Transactions::with_server`], from the newest that was asked by
    /// a time. `look` may leave out stretches of them, each of which counts as one.
    pub fn with_server_by(
        &self,
        server: HostId,
        domain: NameHash,
        within: (Timestamp, usize),
        look: impl FnMut(&Segment) -> Look,
    ) -> Scans<'_> {
        self.asked_by(About::new(About::BY_SERVER, server, domain), within, look)
    }

    /// At most so many of the transactions [`Transactions::of_client`], from the newest that was asked by a
    /// time. `look` may leave out stretches of them, each of which counts as one.
    pub fn of_client_by(
        &self,
        client: HostId,
        domain: NameHash,
        within: (Timestamp, usize),
        look: impl FnMut(&Segment) -> Look,
    ) -> Scans<'_> {
        self.asked_by(About::new(About::BY_CLIENT, client, domain), within, look)
    }

    fn asked_by(
        &self,
        about: About,
        (latest, limit): (Timestamp, usize),
        look: impl FnMut(&Segment) -> Look,
    ) -> Scans<'_> {
        match self.cuts.try_borrow_mut() {
            Ok(mut cuts) => {
                cuts.asked_by(about, (&self.history, self.order), (latest, limit), look)
            }
            // Nothing looks at one chain from within looking at another; the chain as it is would do.
            Err(_) => Scans::plain(&self.history, about, latest, limit),
        }
    }

    /// The number that the next transaction had when a chain was cut last.
    #[cfg(test)]
    pub(super) fn cut_until(&self) -> Option<Sequence> {
        self.cuts.borrow().latest()
    }

    /// How many chains that were cut are remembered.
    #[cfg(test)]
    pub(super) fn cut_chains(&self) -> usize {
        self.cuts.borrow().chains()
    }
}
