//! Response policy zones: what a resolver is to refuse, as a zone file (RFC 1035 section 5).
//! <https://datatracker.ietf.org/doc/html/draft-vixie-dnsop-dns-rpz>
//!
//! The owner of a record says when it holds: `evil.com` for that name alone, `*.evil.com` below it,
//! `24.0.2.0.192.rpz-ip` for an address in an answer, `rpz-nsip` and `rpz-nsdname` for that of a name
//! server. The data says what is done then, of which only `rpz-passthru.` means "do nothing".
//!
//! hickory-proto reads the records, each by itself: so a broken one costs only itself, each is known by
//! its line, and `$INCLUDE` reads no file.

use hickory_proto::rr::{Name, RData, RecordType};
use hickory_proto::serialize::txt::Parser;

use super::lines::{Line, Lines};
use super::loader::{Loader, Stop};
use crate::indicator::IndicatorKind;
use crate::indicator::building::Remark;

/// How long an entry may be that goes on over several lines, in octets.
const ENTRY_LEN_MAX: usize = 16 * 1024;
/// Where names stand that are relative to an origin which the file does not name: its reader is
/// expected to know it.
const UNNAMED_ZONE: &str = "rpz.invalid.";

/// Whether a line begins a zone file: a control entry, or the record that every zone has.
pub(super) fn begins_zone(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    ["$TTL", "$ORIGIN", "$INCLUDE"].contains(&first)
        || (!first.starts_with([';', '#']) && words.take(3).any(|word| word == "SOA"))
}

/// Whether a line, its comment left out, is a record as a policy zone holds them.
pub(super) fn is_record(content: &str) -> bool {
    let mut words = content.split_whitespace().skip(1);
    let is_lead = |word: &str| word == "IN" || word.bytes().all(|octet| octet.is_ascii_digit());
    let kind = words.by_ref().take(3).find(|word| !is_lead(word));
    kind.is_some_and(|word| word.eq_ignore_ascii_case("CNAME")) && words.next().is_some()
}

/// What is known of the zone while its entries are read.
struct Zone {
    /// Its own name: what policy names stand under.
    apex: Name,
    /// Whether the file said so.
    is_named: bool,
    /// What relative names stand under at the moment.
    origin: Name,
    /// Whether that is the zone's own name.
    at_apex: bool,
    /// The owner of the last record, which an entry that begins with a blank belongs to.
    owner: String,
    /// An entry that goes on: its text, and the line on which it began.
    open: Option<(String, u32)>,
}

/// Reads a policy zone.
pub(super) fn load(loader: &mut Loader, lines: &mut Lines<'_>) -> Result<(), Stop> {
    let apex = Name::from_ascii(UNNAMED_ZONE).map_err(|error| Stop::Broken(error.to_string()))?;
    let origin = apex.clone();
    let mut zone =
        Zone { apex, is_named: false, origin, at_apex: true, owner: String::new(), open: None };
    while let Some(line) = lines.next_line()? {
        loader.line = loader.line.saturating_add(1);
        let line = match line {
            Line::Whole(line) => line,
            Line::TooLong(line) => {
                loader.skip(&String::from_utf8_lossy(line), "it is longer than 64 KiB");
                continue;
            }
        };
        let text = String::from_utf8_lossy(line);
        let text = without_comment(&text).trim_end();
        if text.trim().is_empty() && zone.open.is_none() {
            continue;
        }
        let (mut entry, began) = zone.open.take().unwrap_or_else(|| (String::new(), loader.line));
        entry.push_str(text);
        if is_open(&entry) {
            if entry.len() <= ENTRY_LEN_MAX {
                entry.push(' ');
                zone.open = Some((entry, began));
                continue;
            }
            loader.skip(&entry, "its parenthesis is not closed");
            continue;
        }
        let line = std::mem::replace(&mut loader.line, began);
        zone.entry(loader, &entry)?;
        loader.line = line;
    }
    if let Some((entry, began)) = zone.open {
        loader.line = began;
        loader.skip(&entry, "its parenthesis is not closed");
    }
    Ok(())
}

/// The line without its comment; a semicolon in a quoted string or behind a backslash begins none.
fn without_comment(line: &str) -> &str {
    let (mut quoted, mut escaped) = (false, false);
    let comment = line.bytes().position(|octet| {
        let begins = octet == b';' && !quoted && !escaped;
        quoted ^= octet == b'"' && !escaped;
        escaped = octet == b'\\' && !escaped;
        begins
    });
    line.get(..comment.unwrap_or(line.len())).unwrap_or(line)
}

fn is_open(entry: &str) -> bool {
    let (mut quoted, mut depth) = (false, 0i32);
    for octet in entry.bytes() {
        match octet {
            b'"' => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth -= 1,
            _ => {}
        }
    }
    depth > 0
}

impl Zone {
    fn entry(&mut self, loader: &mut Loader, entry: &str) -> Result<(), Stop> {
        if let Some(owner) = self.plain_refusal(entry) {
            owner.clone_into(&mut self.owner);
            let trigger = owner.to_ascii_lowercase();
            return triggered(loader, entry, &trigger);
        }
        let mut words = entry.split_whitespace();
        match words.next() {
            Some("$ORIGIN") => {
                match words.next().map(|name| Name::parse(name, Some(&self.origin))) {
                    Some(Ok(origin)) => self.set_origin(origin),
                    _ => loader.skip(entry, "its origin is not a name"),
                }
                return Ok(());
            }
            Some("$TTL") | None => return Ok(()),
            Some("$INCLUDE") => {
                loader.skip(entry, "$INCLUDE is not followed; give the file on the command line");
                return Ok(());
            }
            Some("$GENERATE") => {
                loader.skip(entry, "$GENERATE is not read");
                return Ok(());
            }
            Some(owner) if !entry.starts_with(char::is_whitespace) => {
                owner.clone_into(&mut self.owner)
            }
            Some(_) => {}
        }
        let rest = entry.get(entry.find(char::is_whitespace).unwrap_or(0)..).unwrap_or_default();
        let whole = format!("{} 0 {}\n", self.owner, without_ttl(rest));
        let parsed = Parser::new(whole, None, Some(self.origin.clone())).parse();
        let records = match parsed {
            Ok((_, records)) => records,
            Err(error) => {
                let error: String = error.to_string().chars().take(120).collect();
                loader.skip(entry.trim(), &format!("it is not a record: {error}"));
                return Ok(());
            }
        };
        for set in records.into_values() {
            for record in set.records_without_rrsigs() {
                self.record(loader, entry, &record.name, &record.data)?;
            }
        }
        Ok(())
    }

    /// The owner of an entry as nearly all of a long zone are: `evil.com CNAME .`, relative to the zone's
    /// own name, with nothing to interpret. The parser takes 2.5 microseconds for one.
    fn plain_refusal<'e>(&self, entry: &'e str) -> Option<&'e str> {
        let mut words = entry.split_ascii_whitespace();
        let owner = words.next().filter(|owner| entry.starts_with(*owner))?;
        let is_plain =
            |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_' | b'*');
        let is_relative = !owner.ends_with('.') && owner.bytes().all(is_plain);
        let mut next = words.next()?;
        for _ in 0..2 {
            if next == "IN" || next.bytes().all(|octet| octet.is_ascii_digit()) {
                next = words.next()?;
            }
        }
        let refuses = next == "CNAME" && matches!(words.next()?, "." | "*." | "rpz-drop.");
        (is_relative && refuses && words.next().is_none() && self.at_apex).then_some(owner)
    }

    fn set_origin(&mut self, mut origin: Name) {
        origin.set_fqdn(true);
        if !self.is_named {
            (self.apex, self.is_named) = (origin.clone(), true);
        }
        self.at_apex = origin == self.apex;
        self.origin = origin;
    }

    fn record(
        &mut self,
        loader: &mut Loader,
        entry: &str,
        owner: &Name,
        data: &RData,
    ) -> Result<(), Stop> {
        match data.record_type() {
            RecordType::SOA => {
                if !self.is_named || self.apex.zone_of(owner) {
                    (self.apex, self.is_named) = (owner.clone(), true);
                    self.at_apex = self.origin == self.apex;
                }
                return Ok(());
            }
            RecordType::NS => return Ok(()),
            _ => {}
        }
        let Some(trigger) = self.below_apex(owner) else {
            loader.skip(entry.trim(), "it is outside the zone");
            return Ok(());
        };
        let target = match data {
            RData::CNAME(target) => target.0.to_ascii().to_ascii_lowercase(),
            _ => String::new(),
        };
        // In the first drafts a name that led to itself passed through.
        let is_own = !target.is_empty() && target.trim_end_matches('.') == trigger;
        let passes = is_own || target == "rpz-passthru.";
        if target == "rpz-tcp-only." {
            loader.skip(entry.trim(), "rpz-tcp-only. refuses nothing");
            return Ok(());
        }
        let allows = loader.allows;
        loader.allows = allows || passes;
        let read = triggered(loader, entry, &trigger);
        loader.allows = allows;
        read
    }

    /// The name as text, without the zone's own behind it.
    fn below_apex(&self, owner: &Name) -> Option<String> {
        if !self.apex.zone_of(owner) {
            return None;
        }
        let owner = owner.to_ascii().to_ascii_lowercase();
        let apex = self.apex.to_ascii().to_ascii_lowercase();
        let inner = owner.strip_suffix(&apex)?.trim_end_matches('.');
        (!inner.is_empty()).then(|| inner.to_owned())
    }
}

/// What stands behind the owner without the time to live, which may be written as `1h`, and the class.
fn without_ttl(rest: &str) -> &str {
    let mut rest = rest.trim_start();
    for _ in 0..2 {
        let word = rest.split_whitespace().next().unwrap_or_default();
        let is_ttl = word.starts_with(|first: char| first.is_ascii_digit());
        if is_ttl || word.eq_ignore_ascii_case("IN") {
            rest = rest.get(word.len()..).unwrap_or_default().trim_start();
        }
    }
    rest
}

/// Adds what a policy's trigger stands for.
fn triggered(loader: &mut Loader, entry: &str, trigger: &str) -> Result<(), Stop> {
    let (inner, kind) = trigger.rsplit_once('.').unwrap_or(("", trigger));
    let remark = |description| Remark { description, confidence: None };
    match kind {
        "rpz-ip" | "rpz-nsip" => match network_of(inner) {
            Some(network) if kind == "rpz-ip" => loader.word(&network, Remark::default()),
            Some(network) => loader.word(&network, remark("a name server's address (rpz-nsip)")),
            None => {
                loader.skip(
                    entry.trim(),
                    "its address is invalid; expected one such as 24.0.2.0.192",
                );
                Ok(())
            }
        },
        "rpz-nsdname" => name(loader, inner, remark("a name server's name (rpz-nsdname)")),
        "rpz-client-ip" => {
            loader
                .skip(entry.trim(), "it is about who asks (rpz-client-ip), not what is asked for");
            Ok(())
        }
        _ => name(loader, trigger, Remark::default()),
    }
}

fn name(loader: &mut Loader, name: &str, remark: Remark<'_>) -> Result<(), Stop> {
    match name.strip_prefix("*.") {
        Some(parent) => loader.name(IndicatorKind::Below, parent, remark),
        None if name == "*" => loader.name(IndicatorKind::Below, ".", remark),
        None => loader.name(IndicatorKind::Exact, name, remark),
    }
}

/// `24.0.2.0.192` is `192.0.2.0/24`, and `48.zz.2.db8.2001` is `2001:db8:2::/48`.
fn network_of(labels: &str) -> Option<String> {
    let (prefix, rest) = labels.split_once('.')?;
    let parts: Vec<&str> = rest.split('.').rev().collect();
    let is_v4 = parts.len() == 4 && parts.iter().all(|part| part.parse::<u8>().is_ok());
    if is_v4 {
        return Some(format!("{}/{prefix}", parts.join(".")));
    }
    let text = parts.join(":");
    let text = match parts.iter().position(|part| *part == "zz") {
        None => text,
        // `zz` stands for `::`.
        Some(place) => {
            let before = parts.get(..place)?.join(":");
            let after = parts.get(place + 1..)?.join(":");
            format!("{before}::{after}")
        }
    };
    Some(format!("{text}/{prefix}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::Indicators;
    use crate::indicator::load::Form;
    use crate::name::NameHasher;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_written_backwards() {
        for (labels, network) in [
            ("32.1.2.0.192", "192.0.2.1/32"),
            ("24.0.2.0.192", "192.0.2.0/24"),
            ("48.zz.2.db8.2001", "2001:db8:2::/48"),
            ("128.1.zz.db8.2001", "2001:db8::1/128"),
            ("128.57.zz.101.db8.2001", "2001:db8:101::57/128"),
        ] {
            assert_eq!(network_of(labels).as_deref(), Some(network), "{labels}");
        }
        assert_eq!(network_of("24"), None);
    }

    /// What a zone of one entry gives.
    fn given(entry: &str) -> Option<Vec<(String, u32)>> {
        let zone = format!("$ORIGIN rpz.example.\n{entry}\n");
        let read = Indicators::read_as("x", zone.into(), Some(Form::Rpz), NameHasher::random());
        let (indicators, _) = read.ok()?;
        let all = indicators.iter();
        Some(all.map(|(_, indicator)| (indicator.value.to_owned(), indicator.line)).collect())
    }

    proptest! {
        #[test]
        fn what_is_read_quickly_is_what_the_parser_reads(
            // The parser refuses labels that end in a hyphen or hold an underscore, which are asked for all
            // the same.
            owner in "(\\*\\.)?([a-cA-C0-9]{1,3}\\.){0,3}[a-z]{1,3}|24\\.0\\.2\\.0\\.192\\.rpz-ip|a\\.b\\.rpz-nsdname",
            lead in "( [0-9]{1,3})?( IN)?", target in "\\.|\\*\\.|rpz-drop\\.",
        ) {
            let quick = given(&format!("{owner}{lead} CNAME {target}"));

            prop_assert_eq!(quick, given(&format!("{owner}{lead} CNAME ( {target} )")));
        }

        #[test]
        fn any_entry_is_read(entry in "[a-c.@*$()\"; \\\\0-9]{0,12}( IN)?( CNAME)?[a-c.@()\"; \\\\]{0,8}") {
            let _ = given(&entry);
        }
    }

    #[test]
    fn comments_end_outside_of_strings() {
        assert_eq!(without_comment("a TXT \"x;y\" ; z"), "a TXT \"x;y\" ");
        assert_eq!(without_comment("a\\;b CNAME ."), "a\\;b CNAME .");
        assert!(is_open("@ SOA a. b. ( 1 2") && !is_open("a TXT \"(\""));
    }
}
