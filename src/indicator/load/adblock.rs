//! Adblock lists as DNS filters use them: `||evil.com^` lists a name and all below it, `@@||good.com^`
//! takes it back. What is about parts of a page, and not about a whole name, is left out.

use super::lines::Lines;
use super::loader::{Loader, Stop};
use super::plain::hosts_line;
use crate::indicator::IndicatorKind;
use crate::indicator::building::Remark;
use crate::text::without_comment;

/// Options that do not change which names a rule is about.
const HARMLESS: [&str; 12] = [
    "important",
    "all",
    "third-party",
    "3p",
    "document",
    "doc",
    "popup",
    "script",
    "image",
    "subdocument",
    "xmlhttprequest",
    "network",
];

/// Whether a line is of this form and of no other.
pub(super) fn is_rule(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("||")
        || line.starts_with("@@")
        || line.starts_with("[Adblock")
        || line.starts_with('!')
}

/// Reads an adblock list.
pub(super) fn load(loader: &mut Loader, lines: &mut Lines<'_>) -> Result<(), Stop> {
    loader.each_line(lines, |loader, line| {
        let is_header = line.starts_with('[') && line.ends_with(']');
        if line.starts_with('!') || is_header {
            return Ok(());
        }
        let is_cosmetic = ["##", "#@#", "#?#", "#$#", "#%#"].iter().any(|mark| line.contains(mark));
        if is_cosmetic && !line.starts_with("# ") {
            loader.skip(line, "it hides parts of a page and names no domain");
            return Ok(());
        }
        let allows = loader.allows;
        let (exception, pattern) = match line.strip_prefix("@@") {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let Some(pattern) = pattern.strip_prefix("||") else {
            let content = std::str::from_utf8(without_comment(line.as_bytes())).unwrap_or_default();
            return match content {
                "" => Ok(()),
                _ if exception || content.starts_with(['|', '/']) => {
                    loader.skip(line, "only rules that begin with || apply to a whole name");
                    Ok(())
                }
                // Filter lists for DNS hold plain names and hosts lines, too.
                _ => hosts_line(loader, content),
            };
        };
        loader.allows = allows || exception;
        let read = rule(loader, line, pattern);
        loader.allows = allows;
        read
    })
}

/// Reads what stands behind `||`.
fn rule(loader: &mut Loader, line: &str, pattern: &str) -> Result<(), Stop> {
    let (pattern, options) = pattern.split_once('$').unwrap_or((pattern, ""));
    let harmful =
        options.split(',').find(|&option| !option.is_empty() && !HARMLESS.contains(&option));
    if harmful.is_some() {
        loader.skip(line, "its options restrict when it applies");
        return Ok(());
    }
    let name = pattern.strip_suffix('|').unwrap_or(pattern);
    let name = name.strip_suffix('^').unwrap_or(name);
    if name.contains(['/', '^', '?', ':']) {
        loader.skip(line, "it applies to part of a site, not to a whole name");
        return Ok(());
    }
    match name.strip_prefix("*.") {
        Some(parent) => loader.name(IndicatorKind::Below, parent, Remark::default()),
        None if name.contains('*') => {
            loader.skip(line, "a `*` can only mean all names below one");
            Ok(())
        }
        None => loader.word(name, Remark::default()),
    }
}
