//! Indicators on the command line: loading them, and saying what is wrong with them.

use super::say;
use crate::indicator::{Indicators, Lists};
use crate::name::NameHasher;

/// Loads lists, and says on stderr what is doubtful about them.
///
/// # Errors
/// When a list cannot be used.
pub fn load(lists: &Lists, hasher: NameHasher) -> anyhow::Result<Indicators> {
    let (indicators, warnings) = lists.load(hasher)?;
    for warning in &warnings {
        say(&format!("whoasked: {warning}"));
    }
    Ok(indicators)
}
