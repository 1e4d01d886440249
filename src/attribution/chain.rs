//! The way from a client's question to what was flagged.

use crate::frame::FrameId;
use crate::resolution::StepKind;

/// One step of a chain from a client's question to what was flagged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainStep {
    /// The name or address reached.
    pub name: String,
    /// How.
    pub step: Step,
    /// The frame that shows it; none where it follows from the names alone.
    pub frame: FrameId,
}

/// How a chain comes to a name or address from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The client asked for it.
    Asked,
    /// The name before is an alias of it.
    Alias,
    /// The name before has it as the TargetName of an HTTPS or SVCB record (RFC 9460).
    Service,
    /// It is an ancestor of the name before, asked for on the way down to that.
    Ancestor,
    /// It is a name server of the name before, or of a zone above that.
    Nameserver,
    /// It is an address of the name before.
    Address,
    /// It is the server that was asked about the name before.
    Server,
    /// It stands for steps that are not shown.
    LeftOut,
}

impl Step {
    /// As the output names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Asked => "asked",
            Step::Alias => "cname",
            Step::Service => "svcb",
            Step::Ancestor => "ancestor",
            Step::Nameserver => "ns",
            Step::Address => "address",
            Step::Server => "server",
            Step::LeftOut => "more",
        }
    }

    /// Whether who owns the name before has that lead here: as an alias, or by an HTTPS or SVCB record.
    pub fn is_pointed_at(self) -> bool {
        matches!(self, Step::Alias | Step::Service)
    }
}

impl From<StepKind> for Step {
    fn from(kind: StepKind) -> Step {
        match kind {
            StepKind::Asked => Step::Asked,
            StepKind::Alias => Step::Alias,
            StepKind::Ancestor => Step::Ancestor,
            StepKind::Server => Step::Nameserver,
        }
    }
}
