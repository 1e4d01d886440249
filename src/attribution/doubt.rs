//! What makes a single attribution doubtful.

/// Why one attribution may be a false alarm, or less sure than it would be. The output calls them hints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// No client asked for the flagged name itself: it is the end of an alias chain, or an HTTPS or SVCB target.
    AliasTail,
    /// The time of an alias that leads there had run out, and no answer shows that it still does.
    OutdatedAlias,
    /// The flagged address is a name server that was asked on the way.
    NameServerAddress,
    /// Packets were lost about then, or there was no room for a host they came from.
    PacketsLostNear,
    /// The two sides of the DNS server are stamped by clocks that differ.
    ClocksApart,
    /// At a limit of memory, it was judged before all answers can have come.
    JudgedEarly,
    /// What was flagged was taken from the lists meanwhile, and it was judged before all answers can have come.
    NoLongerListed,
}

impl Doubt {
    /// All of them.
    pub const ALL: [Doubt; 7] = [
        Doubt::AliasTail,
        Doubt::OutdatedAlias,
        Doubt::NameServerAddress,
        Doubt::PacketsLostNear,
        Doubt::ClocksApart,
        Doubt::JudgedEarly,
        Doubt::NoLongerListed,
    ];

    /// As the output names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Doubt::AliasTail => "alias-tail",
            Doubt::OutdatedAlias => "outdated-alias",
            Doubt::NameServerAddress => "name-server-address",
            Doubt::PacketsLostNear => "packets-lost-near",
            Doubt::ClocksApart => "clocks-apart",
            Doubt::JudgedEarly => "judged-early",
            Doubt::NoLongerListed => "no-longer-listed",
        }
    }
}
