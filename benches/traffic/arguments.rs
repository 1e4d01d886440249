//! What traffic is to be made up, as arguments of the programs that make it.

use clap::Args;

use super::traffic::Parameters;

/// The kind of traffic.
#[derive(Clone, Copy, Debug, Args)]
pub struct Kind {
    /// Hosts that ask
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(1..=14_000_000))]
    pub clients: u32,
    /// All of them ask in turn before chance says who does: needs some three frames a client
    #[arg(long)]
    pub every_client: bool,
    /// Resolvers they ask
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub resolvers: u32,
    /// Servers those ask
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=250))]
    pub upstreams: u32,
    /// Names that are asked for again and again
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub domains: u32,
    /// Share of the questions answered from the cache, 0 to 1
    #[arg(long, default_value_t = 0.7)]
    pub cached: f64,
    /// Share of the questions for a name that never occurs again, 0 to 1
    #[arg(long, default_value_t = 0.0)]
    pub random: f64,
    /// A flood: every name is new and random
    #[arg(long)]
    pub flood: bool,
    /// Share of the questions that lead to a listed name, 0 to 1
    #[arg(long, default_value_t = 0.0005)]
    pub flagged: f64,
    /// Frames a second
    #[arg(long, default_value_t = Parameters::default().rate, value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: u64,
    /// Other traffic of the same kind
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

impl Kind {
    /// So many frames of it.
    pub fn parameters(self, packets: u64) -> Parameters {
        Parameters {
            packets,
            clients: self.clients,
            every_client: self.every_client,
            resolvers: self.resolvers,
            upstreams: self.upstreams,
            domains: self.domains,
            cached: self.cached,
            random_names: if self.flood { 1.0 } else { self.random },
            flagged: self.flagged,
            rate: self.rate,
            seed: self.seed,
        }
    }
}
