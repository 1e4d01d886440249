//! Which form a list has, by its beginning.

use std::fmt;

use super::{adblock, hosts, rpz, suricata, table, zeek};
use crate::flow::Address;
use crate::indicator::network::{Network, parse_address};
use crate::text::without_comment;

/// How many words of a line are looked at for a row of an alert table.
const ALERT_WORDS_MAX: usize = 8;

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One name, address or network a line.
    Plain,
    /// An address and names a line, hosts(5).
    Hosts,
    /// Adblock rules, `||evil.com^`.
    Adblock,
    /// A response policy zone (draft-vixie-dnsop-dns-rpz).
    Rpz,
    /// A table with commas, semicolons or tabs between its columns (RFC 4180).
    Csv,
    /// A STIX 2.1 bundle.
    Stix,
    /// An export of events or attributes of MISP.
    Misp,
    /// A file of Zeek's intelligence framework.
    Zeek,
    /// A dataset of Suricata: strings in base64, a line each.
    SuricataDataset,
    /// A reputation list of Suricata: address, category, score.
    SuricataReputation,
    /// Rules of Suricata.
    SuricataRules,
}

impl Form {
    /// All of them.
    pub const ALL: [Form; 11] = [
        Form::Plain,
        Form::Hosts,
        Form::Adblock,
        Form::Rpz,
        Form::Csv,
        Form::Stix,
        Form::Misp,
        Form::Zeek,
        Form::SuricataDataset,
        Form::SuricataReputation,
        Form::SuricataRules,
    ];
}

/// As it is said to people: `a plain list`.
impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Form::Plain => "a plain list",
            Form::Hosts => "a hosts file",
            Form::Adblock => "an adblock list",
            Form::Rpz => "a response policy zone",
            Form::Csv => "a table (CSV)",
            Form::Stix => "a STIX bundle",
            Form::Misp => "a MISP export",
            Form::Zeek => "a Zeek intelligence file",
            Form::SuricataDataset => "a Suricata dataset",
            Form::SuricataReputation => "a Suricata reputation list",
            Form::SuricataRules => "a file of Suricata rules",
        })
    }
}

/// What a text seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    /// A list.
    Form(Form),
    /// A firewall's table of alerts.
    Alerts,
    /// JSON, but neither STIX nor MISP.
    OtherJson,
    /// A web page: what a server sends in the place of a list.
    Page,
}

/// How many lines are looked at.
const LINES_MAX: usize = 500;

/// What a text is by its beginning, in this order:
///
/// 1. JSON by its first characters, and a web page;
/// 2. Zeek's `#fields`, a table whose header names a column that is known;
/// 3. what most lines look like.
pub(super) fn guess(head: &[u8]) -> Guess {
    let text = String::from_utf8_lossy(head);
    let start = text.trim_start();
    if let Some(guess) = guess_json(start) {
        return guess;
    }
    let is_page =
        |mark: &str| start.get(..mark.len()).is_some_and(|s| s.eq_ignore_ascii_case(mark));
    if ["<!doctype", "<html", "<?xml"].into_iter().any(is_page) {
        return Guess::Page;
    }
    if text.lines().take(LINES_MAX).any(|line| line.starts_with(zeek::FIELDS)) {
        return Guess::Form(Form::Zeek);
    }
    if table::has_header(&text) {
        return Guess::Form(Form::Csv);
    }
    guess_by_lines(&text)
}

fn guess_json(start: &str) -> Option<Guess> {
    // `[2001:db8::1]:53` and `[Adblock Plus]` begin with a bracket too.
    let is_json = match start.strip_prefix('[') {
        Some(rest) => rest.trim_start().starts_with(['{', ']']),
        None => start.starts_with('{'),
    };
    if !is_json {
        return None;
    }
    let has = |key: &str| start.contains(key);
    let is_misp = has("\"Event\"") || has("\"Attribute\"") || has("\"to_ids\"");
    let is_stix = has("\"objects\"") || has("\"pattern\"") || has("\"spec_version\"");
    Some(match (is_misp, is_stix) {
        (true, _) => Guess::Form(Form::Misp),
        (_, true) => Guess::Form(Form::Stix),
        // An empty bundle or export gives nothing in either form.
        _ if start.len() < 64 && !has(":") => Guess::Form(Form::Misp),
        _ => Guess::OtherJson,
    })
}

/// What most lines look like; of two that are as frequent the first.
fn guess_by_lines(text: &str) -> Guess {
    const OF_A_LINE: [Guess; 9] = [
        Guess::Form(Form::Plain),
        Guess::Form(Form::Hosts),
        Guess::Form(Form::Adblock),
        Guess::Form(Form::Rpz),
        Guess::Form(Form::SuricataRules),
        Guess::Form(Form::SuricataReputation),
        Guess::Form(Form::SuricataDataset),
        Guess::Form(Form::Csv),
        Guess::Alerts,
    ];
    let mut counts = [0u32; OF_A_LINE.len()];
    // The last line may be cut.
    let whole = text.rfind('\n').and_then(|end| text.get(..end)).unwrap_or(text);
    let mut has_zone_start = false;
    for line in whole.lines().take(LINES_MAX).filter(|line| !line.trim().is_empty()) {
        has_zone_start |= rpz::begins_zone(line);
        let found = of_a_line(line);
        let place = OF_A_LINE.iter().position(|guess| found == Some(*guess));
        if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
            *count += 1;
        }
    }
    if has_zone_start {
        return Guess::Form(Form::Rpz);
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let place = counts.iter().position(|&count| count == most).unwrap_or(0);
    OF_A_LINE.get(place).copied().unwrap_or(Guess::Form(Form::Plain))
}

fn of_a_line(line: &str) -> Option<Guess> {
    if adblock::is_rule(line) {
        return Some(Guess::Form(Form::Adblock));
    }
    if suricata::is_rule(line) {
        return Some(Guess::Form(Form::SuricataRules));
    }
    let content = String::from_utf8_lossy(without_comment(line.as_bytes())).into_owned();
    if content.is_empty() {
        return None;
    }
    if is_alert(&content) || is_alert_of_columns(&content) {
        return Some(Guess::Alerts);
    }
    Some(Guess::Form(if rpz::is_record(&content) {
        Form::Rpz
    } else if hosts::split(&content).is_some() {
        Form::Hosts
    } else if suricata::is_reputation(&content) {
        Form::SuricataReputation
    } else if suricata::is_dataset(&content) {
        Form::SuricataDataset
    } else if table::is_row(&content) {
        Form::Csv
    } else {
        Form::Plain
    }))
}

/// Whether a line looks like a row of an alert table: who is accused, by address or name, behind it a
/// threat, which no host name looks like (`C2/Generic-A`), and what was talked to.
fn is_alert(content: &str) -> bool {
    let words: Vec<&str> = content.split_whitespace().take(ALERT_WORDS_MAX).collect();
    words.windows(3).any(|three| match three {
        [who, threat, _] => is_threat(threat, parse_address(who).is_some()),
        _ => false,
    })
}

/// Whether a line is a row of an exported table of alerts: it tells of a host of one's own, of something outside, and of when
/// or of a threat.
fn is_alert_of_columns(content: &str) -> bool {
    let is_own = |field: &&str| {
        parse_address(field).is_some_and(|address| Address::from(address).is_internal())
    };
    let is_time =
        |field: &str| field.contains(':') && field.starts_with(|c: char| c.is_ascii_digit());
    let mut delimiters = b",;\t|".iter().filter(|delimiter| content.as_bytes().contains(delimiter));
    delimiters.any(|&delimiter| {
        let fields = table::fields_of(content, delimiter);
        let (own, others): (Vec<&str>, Vec<&str>) = fields.into_iter().partition(is_own);
        let tells =
            |field: &&str| is_threat(field, true) || is_time(field) && !table::is_listable(field);
        !own.is_empty()
            && others.len() > 1
            && others.iter().any(|field| table::is_listable(field))
            && others.iter().any(tells)
    })
}

/// Whether a word names a threat. Behind an address much does; behind other words, which may be those of
/// a sentence, only what is written as scanners do.
fn is_threat(word: &str, behind_address: bool) -> bool {
    let Some((family, name)) = word.split_once('/') else { return false };
    let is_network = matches!(Network::parse(word), Ok(Some(_)) | Err(_));
    let is_written_so = family.starts_with(|c: char| c.is_ascii_uppercase())
        && family.bytes().all(|octet| octet.is_ascii_alphanumeric())
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.contains('-');
    !word.contains("//") && !is_network && (behind_address || is_written_so)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_known_by_its_beginning() {
        for (head, form) in [
            ("evil.com\n", Form::Plain),
            ("", Form::Plain),
            ("# only, a, comment\n", Form::Plain),
            ("[2001:db8::1]:53\nevil.com\n", Form::Plain),
            ("[evil.com]\n", Form::Plain),
            ("192.0.2.1 # c2, old\n198.51.100.0/24\n", Form::Plain),
            ("0.0.0.0 evil.com\n", Form::Hosts),
            ("[Adblock Plus 2.0]\n! Title: x\n||evil.com^\n", Form::Adblock),
            ("$TTL 60\n@ SOA a. b. 1 2 3 4 5\n", Form::Rpz),
            ("evil.com CNAME .\n*.evil.com 60 IN CNAME .\n", Form::Rpz),
            ("a,domain,b\n1,evil.com,x\n", Form::Csv),
            ("evil.com;c2;90\nbad.example;c2;80\n", Form::Csv),
            ("{\"type\": \"bundle\", \"objects\": [", Form::Stix),
            ("  [ {\"Event\": {", Form::Misp),
            ("[]", Form::Misp),
            ("#fields\tindicator\tindicator_type\n", Form::Zeek),
            ("ZXZpbC5jb20=\nYmFkLmV4YW1wbGU=\n", Form::SuricataDataset),
            ("192.0.2.1,5,100\n198.51.100.0/24,5,30\n", Form::SuricataReputation),
            ("alert dns any any -> any any (msg:\"x\"; sid:1;)\n", Form::SuricataRules),
        ] {
            assert_eq!(guess(head.as_bytes()), Guess::Form(form), "{head}");
        }
    }

    #[test]
    fn what_is_no_list_is_told_apart() {
        let table = "192.168.2.194 C2/Generic-A mi.kenal-cn.com 1 AFCd\n";
        assert_eq!(guess(table.as_bytes()), Guess::Alerts);
        assert_eq!(guess(format!("1 {table}2\t{table}").as_bytes()), Guess::Alerts);
        let by_name = "1     DNS_Server     C2/Generic-A     e13678.dspb.akamaiedge.net     142\n";
        assert_eq!(guess(by_name.as_bytes()), Guess::Alerts);
        let row = "02.03.2026;09:17:42;192.168.2.194;mi.kenal-cn.com;C2/Generic-A\n";
        let export = format!("Datum;Uhrzeit;Quelle;Ziel;Bedrohung\n{row}{row}");
        assert_eq!(guess(export.as_bytes()), Guess::Alerts);
        // Feeds have times, and none of one's own hosts.
        let feed = "evil.com;203.0.113.7;2026-03-02 09:17:42\nbad.example;203.0.113.8;2026-03-02 09:17:43\n";
        assert_eq!(guess(feed.as_bytes()), Guess::Form(Form::Csv));
        assert_eq!(guess(b"evil.com and/or other.example\n"), Guess::Form(Form::Plain));
        assert_eq!(guess(b"{\"event_type\":\"alert\"}\n{}"), Guess::OtherJson);
        assert_eq!(guess(b"<!DOCTYPE html><html>"), Guess::Page);
    }
}
