//! indicator.
