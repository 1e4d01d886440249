//! A Suricata rule, as far as it says which names a DNS question must have.
//! <https://docs.suricata.io/en/latest/rules/dns-keywords.html>

use crate::indicator::IndicatorKind;

/// What a rule lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub kind: IndicatorKind,
    pub name: String,
    /// What it says when it holds (`msg`).
    pub message: String,
    /// What the rule means that cannot be listed, if anything.
    pub doubt: Option<&'static str>,
}

/// What a rule asks of the name.
#[derive(Default)]
struct Query<'a> {
    contents: Vec<&'a str>,
    dot_prefixed: bool,
    at_start: bool,
    at_end: bool,
    len: Option<usize>,
    other: Option<&'static str>,
}

/// Reads a rule, which begins with its action and ends with a parenthesis.
pub(super) fn read(rule: &str) -> Result<Rule, &'static str> {
    let inner = rule.split_once('(').and_then(|(_, rest)| rest.trim_end().strip_suffix(')'));
    let options = options_of(inner.ok_or("its options are not in parentheses")?)?;
    let mut message = "";
    let mut query: Option<Query<'_>> = None;
    let mut in_query = false;
    for option in options {
        let (key, value) = option.split_once(':').unwrap_or((option, ""));
        let (key, value) = (key.trim(), value.trim());
        match key {
            "msg" => message = value.trim_matches('"'),
            "dns.query" | "dns_query" | "dns.queries.rrname" => {
                in_query = true;
                query.get_or_insert_default();
            }
            _ if is_buffer(key) => in_query = false,
            _ if in_query => {
                if let Some(query) = &mut query {
                    query.take(key, value);
                }
            }
            _ => {}
        }
    }
    let query = query.ok_or("it does not match the name in a DNS query (dns.query)")?;
    query.rule(message)
}

/// Splits options at semicolons, those in quotes or behind a backslash aside.
fn options_of(text: &str) -> Result<Vec<&str>, &'static str> {
    let (mut quoted, mut escaped, mut start) = (false, false, 0);
    let mut options = Vec::new();
    for (at, octet) in text.bytes().enumerate() {
        match octet {
            _ if escaped => {
                escaped = false;
                continue;
            }
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => {
                options.push(text.get(start..at).unwrap_or_default().trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if quoted { Err("a quote in it is not closed") } else { Ok(options) }
}

/// Whether a keyword says what the contents behind it are looked for in.
fn is_buffer(key: &str) -> bool {
    let is_other_protocol =
        ["http", "tls", "file", "ssh", "smtp", "ja3", "ja4", "quic", "smb", "krb5"].iter().any(
            |protocol| key.strip_prefix(protocol).is_some_and(|rest| rest.starts_with(['.', '_'])),
        );
    is_other_protocol || key == "pkt_data" || key.starts_with("dns.") || key == "file_data"
}

impl<'a> Query<'a> {
    fn take(&mut self, key: &str, value: &'a str) {
        match key {
            "content" if value.starts_with('!') => {
                self.other = Some("it matches what the name is not");
            }
            "content" => self.contents.push(value.trim_matches('"')),
            "dotprefix" => self.dot_prefixed = true,
            "endswith" => self.at_end = true,
            "startswith" => self.at_start = true,
            // How it was written before there was `endswith`.
            "isdataat" if value.starts_with("!1") => self.at_end = true,
            "bsize" => match value.parse() {
                Ok(len) => self.len = Some(len),
                Err(_) => self.other = Some("it matches names of several lengths (bsize)"),
            },
            "depth" => {
                let len = self.contents.last().map(|content| content.len());
                self.at_start |= len.is_some() && len == value.parse().ok();
            }
            "pcre" => self.other = Some("it matches a pattern (pcre), which cannot be listed"),
            "dataset" | "datarep" => {
                self.other = Some("its names are in a dataset; load the dataset's file");
            }
            "distance" | "within" | "offset" | "byte_test" | "byte_jump" | "entropy"
            | "luaxform" | "to_sha1" | "to_sha256" | "to_md5" => {
                self.other = Some("it matches parts of the name at certain positions");
            }
            _ => {}
        }
    }

    /// What is listed, in this order:
    ///
    /// 1. `dotprefix` and `endswith` with a dot first: the name and all below it.
    /// 2. A whole name, by its length or by both its ends: that name alone.
    /// 3. The end of a name that begins with a dot: all below it.
    /// 4. Any other end, or a part anywhere, that is a name of several labels: it and all below it,
    ///    with a doubt.
    fn rule(&self, message: &str) -> Result<Rule, &'static str> {
        if let Some(why) = self.other {
            return Err(why);
        }
        let &[content] = self.contents.as_slice() else {
            return Err(match self.contents.is_empty() {
                true => "it matches no part of the name",
                false => "it matches several parts of the name",
            });
        };
        if content.contains(['|', '\\', '"']) {
            return Err("it matches bytes that no listed name has");
        }
        let is_whole = self.at_start && self.at_end || self.len == Some(content.len());
        let bare = content.strip_prefix('.').unwrap_or(content);
        if !bare.contains('.') && !is_whole && bare.len() == content.len() {
            return Err("it matches part of a label");
        }
        let has_dot = bare.len() < content.len();
        let ends_in_name = "names that end in it within a label are not flagged";
        let holds_name = "names that contain it elsewhere are not flagged";
        let (kind, doubt) = match (self.at_end, has_dot) {
            (true, true) if self.dot_prefixed => (IndicatorKind::Domain, None),
            (_, false) if is_whole => (IndicatorKind::Exact, None),
            (true, true) => (IndicatorKind::Below, None),
            (true, false) => (IndicatorKind::Domain, Some(ends_in_name)),
            (false, _) => (IndicatorKind::Domain, Some(holds_name)),
        };
        Ok(Rule { kind, name: bare.to_owned(), message: message.to_owned(), doubt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::IndicatorKind::{Below, Domain, Exact};
    use proptest::prelude::*;

    fn rule(options: &str) -> Result<(IndicatorKind, String, bool), &'static str> {
        let rule = format!(
            "alert dns $HOME_NET any -> any any (msg:\"C2; a \\\"test\\\"\"; {options} sid:1;)"
        );
        let rule = read(&rule)?;
        assert_eq!(rule.message, "C2; a \\\"test\\");
        Ok((rule.kind, rule.name, rule.doubt.is_some()))
    }

    #[test]
    fn a_rule_lists_what_its_keywords_mean() {
        for (options, kind, doubt) in [
            ("dns.query; dotprefix; content:\".evil.com\"; nocase; endswith;", Domain, false),
            ("dns.query; content:\".evil.com\"; nocase; endswith;", Below, false),
            ("dns.query; bsize:8; content:\"evil.com\"; nocase;", Exact, false),
            ("dns.query; content:\"evil.com\"; startswith; endswith;", Exact, false),
            ("dns_query; content:\"evil.com\"; depth:8; isdataat:!1,relative;", Exact, false),
            ("dns.query; content:\"evil.com\"; endswith; fast_pattern;", Domain, true),
            ("dns.query; content:\"evil.com\"; nocase;", Domain, true),
            (
                "tls.sni; content:\"x.com\"; dns.query; content:\"evil.com\"; bsize:8; http.host; content:\"y\";",
                Exact,
                false,
            ),
        ] {
            assert_eq!(rule(options), Ok((kind, "evil.com".to_owned(), doubt)), "{options}");
        }
    }

    #[test]
    fn what_cannot_be_listed_is_refused_with_the_reason() {
        for (options, why) in [
            ("tls.sni; content:\"evil.com\";", "dns.query"),
            ("dns.query; content:!\"evil.com\";", "is not"),
            ("dns.query; content:\"evil\"; nocase;", "part of a label"),
            ("dns.query; content:\".com\"; pcre:\"/^x/\";", "pcre"),
            ("dns.query; content:\"a.b\"; content:\"c.d\";", "several parts"),
            ("dns.query; dataset:isset,bad,type string,load bad.lst;", "dataset"),
            ("dns.query; content:\"|04|evil\";", "bytes"),
            ("dns.query; content:\"evil.com; bsize:8;", "not closed"),
        ] {
            assert!(rule(options).unwrap_err().contains(why), "{options}");
        }
        assert!(read("alert dns any any -> any any").is_err());
    }

    proptest! {
        #[test]
        fn any_rule_is_read(rule in "alert[(a-z:;\"\\\\ .!|)]{0,80}\\)?") {
            let _ = read(&rule);
        }
    }
}
