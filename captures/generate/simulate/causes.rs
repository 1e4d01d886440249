//! Which asks are behind a fetch.

use super::{Origin, Simulation, Waiter};

/// An ask that is behind a fetch.
#[derive(Clone, Copy, Debug)]
pub struct Root {
    /// The ask: a client's, or a resolver's own.
    pub ask: usize,
    /// Since when it waited.
    pub since_ns: i64,
}

impl Simulation<'_> {
    /// The asks behind a fetch, over name-server lookups and other resolvers; the one that began it first.
    pub fn roots(&self, fetch: usize) -> Vec<Root> {
        let mut roots: Vec<Root> = Vec::new();
        self.collect(fetch, i64::MIN, &mut roots);
        let mut seen = Vec::new();
        roots.retain(|root| {
            let new = !seen.contains(&root.ask);
            seen.push(root.ask);
            new
        });
        roots
    }

    fn collect(&self, fetch: usize, since_ns: i64, roots: &mut Vec<Root>) {
        for (waiter, from_ns) in &self.fetches[fetch].waiters {
            let since_ns = since_ns.max(*from_ns);
            match waiter {
                Waiter::Fetch(parent) => self.collect(*parent, since_ns, roots),
                Waiter::Job(job) => {
                    let job = &self.jobs[*job];
                    match self.asks[job.ask].origin {
                        Origin::Hop(query) => {
                            self.collect(self.queries[query].fetch, since_ns, roots);
                        }
                        Origin::Client | Origin::Own => {
                            roots.push(Root { ask: job.ask, since_ns });
                        }
                    }
                }
            }
        }
    }
}
