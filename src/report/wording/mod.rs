//! What pages for people say, be they text or HTML: their words and sentences, and what of that is folded together.

pub(super) mod alerts;
pub(super) mod alike;
pub(super) mod capture;
pub(super) mod caveats;
pub(super) mod connections;
pub(super) mod fold;
pub(super) mod headline;
pub(crate) mod ink;
pub(super) mod machines;
pub(super) mod moments;
pub(super) mod senders;
pub(super) mod timed;
pub(super) mod unnamed;
pub(crate) mod words;
