//! Lists of Suricata: datasets of strings, reputation lists, and rules.
//! <https://docs.suricata.io/en/latest/rules/datasets.html>,
//! <https://docs.suricata.io/en/latest/reputation/ipreputation/ip-reputation-format.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::lines::Lines;
use super::loader::{Loader, Stop};
use super::rule;
use crate::indicator::building::Remark;
use crate::indicator::network::Network;
use crate::text::without_comment;

/// What a rule does, its first word.
const ACTIONS: [&str; 7] =
    ["alert", "drop", "reject", "pass", "rejectsrc", "rejectdst", "rejectboth"];

/// Whether a line is a rule.
pub(super) fn is_rule(line: &str) -> bool {
    let line = line.trim_start();
    let action = line.split_whitespace().next().unwrap_or_default();
    ACTIONS.contains(&action) && line.contains('(') && line.contains("->")
}

/// Whether a line's content is an address, a category and a score.
pub(super) fn is_reputation(content: &str) -> bool {
    reputation_of(content).is_some()
}

/// Whether a line's content is the base64 of a name.
pub(super) fn is_dataset(content: &str) -> bool {
    // What has a dot is no base64, and a name in base64 has more than eight octets.
    content.len() >= 8
        && !content.contains('.')
        && decoded(content).is_some_and(|name| {
            name.contains('.') && name.bytes().all(|octet| octet.is_ascii_graphic())
        })
}

/// The address, the category, and the score of a line.
fn reputation_of(content: &str) -> Option<(&str, u32, u32)> {
    let mut fields = content.split(',').map(str::trim);
    let (address, category, score) = (fields.next()?, fields.next()?, fields.next()?);
    let is_address = matches!(Network::parse(address), Ok(Some(_)));
    let numbers = (category.parse().ok()?, score.parse().ok()?);
    (is_address && fields.next().is_none()).then_some((address, numbers.0, numbers.1))
}

/// What a line of a dataset holds: the score of a `datarep` left out, and the line's end that gets in
/// when the list is made with `echo | base64`.
fn decoded(content: &str) -> Option<String> {
    let text = content.split(',').next().unwrap_or(content).trim();
    let octets = STANDARD.decode(text).ok()?;
    let text = String::from_utf8(octets).ok()?;
    Some(text.trim_matches(['\n', '\r', '\0', ' ']).to_owned())
}

/// Reads a dataset.
pub(super) fn load_dataset(loader: &mut Loader, lines: &mut Lines<'_>) -> Result<(), Stop> {
    loader.each_line(lines, |loader, line| {
        if line.starts_with('#') {
            return Ok(());
        }
        match decoded(line) {
            Some(name) => loader.value(&name, Remark::default()),
            None => {
                loader.skip(line, "it is not base64 text");
                Ok(())
            }
        }
    })
}

/// Reads a reputation list.
pub(super) fn load_reputation(loader: &mut Loader, lines: &mut Lines<'_>) -> Result<(), Stop> {
    loader.each_line(lines, |loader, line| {
        let content = std::str::from_utf8(without_comment(line.as_bytes())).unwrap_or_default();
        match reputation_of(content) {
            _ if content.is_empty() => Ok(()),
            Some((address, category, score)) => {
                let description = format!("category {category}, score {score}");
                loader.value(address, Remark { description: &description, confidence: None })
            }
            None => {
                loader
                    .skip(line, "expected an address, a category and a score, separated by commas");
                Ok(())
            }
        }
    })
}

/// Reads rules.
pub(super) fn load_rules(loader: &mut Loader, lines: &mut Lines<'_>) -> Result<(), Stop> {
    let mut rule = String::new();
    let mut begun = 0;
    loader.each_line(lines, |loader, line| {
        // A backslash at its end joins a line to the next.
        if rule.is_empty() {
            begun = loader.line;
            if line.starts_with('#') {
                return Ok(());
            }
        }
        if let Some(part) = line.strip_suffix('\\')
            && rule.len() < super::lines::LINE_LEN_MAX
        {
            rule.push_str(part);
            return Ok(());
        }
        rule.push_str(line);
        let whole = std::mem::take(&mut rule);
        let line = std::mem::replace(&mut loader.line, begun);
        let read = load_rule(loader, &whole);
        loader.line = line;
        read
    })
}

fn load_rule(loader: &mut Loader, text: &str) -> Result<(), Stop> {
    match rule::read(text) {
        _ if text.starts_with("pass ") => {
            loader.skip(text, "it allows what other rules would flag (use --allow)");
            Ok(())
        }
        Ok(rule) => {
            if let Some(doubt) = rule.doubt {
                loader.warn(&rule.name, doubt, "read as the name and everything below it");
            }
            let remark = Remark { description: &rule.message, confidence: None };
            loader.name(rule.kind, &rule.name, remark)
        }
        Err(why) => {
            loader.skip(text, why);
            Ok(())
        }
    }
}
