//! The table of captures in `captures/README.md`, from what the scenarios say of themselves.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::scenario::Scenario;

const BEGIN: &str = "<!-- generated captures -->\n";
const END: &str = "<!-- end of generated captures -->";

/// Replaces what stands between the two marks.
pub fn write(readme: &Path, scenarios: &[Scenario]) -> Result<()> {
    let text = fs::read_to_string(readme).with_context(|| readme.display().to_string())?;
    let (before, rest) = text.split_once(BEGIN).context("README.md has no begin mark")?;
    let (_, after) = rest.split_once(END).context("README.md has no end mark")?;
    let mut table = String::from(
        "| file | hard case | flagged | what must be said | provenance |\n|---|---|---|---|---|\n",
    );
    for scenario in scenarios {
        let name = &scenario.name;
        let flagged: Vec<_> = scenario.flagged.iter().map(|line| format!("`{line}`")).collect();
        let must_say = scenario.must_say.split_whitespace().collect::<Vec<_>>().join(" ");
        table += &format!(
            "| `{name}.pcap` | {} | {} | {must_say} | generated from [scenarios/{name}.toml](scenarios/{name}.toml) |\n",
            scenario.title,
            flagged.join(", "),
        );
    }
    fs::write(readme, format!("{before}{BEGIN}{table}{END}{after}"))?;
    Ok(())
}
