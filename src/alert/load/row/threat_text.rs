//! The name that the text of a rule is about.
//!
//! Rules name it in brackets, with blanks before its dots, lest somebody clicks on it: `C2 Domain (evil .com)`. Of a packet
//! to or from a DNS server a name stands there as it is, too: `ET DNS Query for evil.com`.

use crate::alert::load::row::value::{has_known_suffix, is_destination};

/// The name that a rule's message is about, as it stands there: `(evil .com)`, `(evil .com in DNS Lookup)`. Products
/// have dots as well, `(Microsoft .NET)`, so the message or the packet must be about names. What stands without brackets
/// counts only if the packet is a DNS server's, and no other name stands there.
pub(crate) fn name_in(message: &str, is_dns: bool) -> Option<String> {
    let is_dns = is_dns || is_of_lookup(message);
    let mut words = message.split(|c: char| !c.is_ascii_alphanumeric());
    let is_of_names = |word: &str| {
        ["DNS", "Domain", "SNI", "TLS"].iter().any(|known| word.eq_ignore_ascii_case(known))
    };
    if !is_dns && !words.any(is_of_names) {
        return None;
    }
    let inside = message.split(['(', ')']).skip(1).step_by(2);
    let defanged = inside.filter(|part| part.contains(" .") || part.contains("[.]"));
    let marked = defanged.into_iter().find_map(|part| {
        let plain = part.replace(" .", ".").replace("[.]", ".");
        let first = plain.split_whitespace().next()?;
        let is_marked = !part.trim_start().starts_with(first);
        (is_marked && is_name(first)).then(|| first.to_owned())
    });
    // As Palo Alto has it: `Suspicious DNS Query (generic:evil.com)`.
    let labelled = || {
        let inside = message.split(['(', ')']).skip(1).step_by(2);
        let mut names = inside.filter_map(|part| part.split_once(':')).map(|(_, name)| name.trim());
        names.find(|name| is_name(name)).map(str::to_owned)
    };
    marked.or_else(labelled).or_else(|| if is_dns { only_name_in(message) } else { None })
}

/// Whether a message says itself that it is of a question to a DNS server: `ET MALWARE DNS Query for evil.com`.
fn is_of_lookup(message: &str) -> bool {
    let lower = message.to_ascii_lowercase();
    ["dns query for ", "dns query to ", "dns lookup of ", "dns lookup for ", "dns request for "]
        .iter()
        .any(|words| lower.contains(words))
}

/// Whether a text of several words names anything.
pub(crate) fn names_any(text: &str) -> bool {
    let plain = text.replace("[.]", ".").replace(" .", ".");
    let mut words = plain.split_whitespace();
    text.trim().contains(char::is_whitespace)
        && words.any(|word| is_name(word.trim_matches(|c: char| !c.is_alphanumeric())))
}

/// The first few names among the words of a text, each once.
pub(crate) fn names_within(text: &str, most: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    // `(evil .com)`.
    for name in
        text.lines().filter(|line| line.contains(" .")).filter_map(|line| name_in(line, true))
    {
        if names.len() < most && !names.contains(&name) {
            names.push(name);
        }
    }
    for word in text.split(|c: char| c.is_whitespace() || ",;\"'<>()=|".contains(c)) {
        let word = word.replace("[.]", ".");
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        if is_name(word) && !names.iter().any(|known| known == word) {
            names.push(word.to_owned());
        }
        if names.len() >= most {
            break;
        }
    }
    names
}

/// What a rule names that looks like what it is about, and what it names for who wants to read more.
const OTHERS: &[&str] = &[
    "typo",
    "typos",
    "typosquat",
    "typosquats",
    "typosquatting",
    "lookalike",
    "look-alike",
    "imitating",
    "imitates",
    "impersonating",
    "impersonates",
    "impersonation",
    "spoofing",
    "spoofs",
    "mimicking",
    "mimics",
    "masquerading",
    "resembling",
    "similar",
    "reference",
    "references",
    "ref",
    "refs",
    "see",
    "via",
    "blog",
    "according",
    "per",
    "by",
];
/// Right behind one of these stands who asked.
const ASKERS: &[&str] = &["from", "host", "client", "user", "on"];
/// So many words before a name say what it is.
const BEFORE: usize = 3;

/// The only name among the words of a message that it can be about.
fn only_name_in(message: &str) -> Option<String> {
    let plain = message.replace("[.]", ".");
    let mut words: Vec<String> = Vec::new();
    for word in plain.split_whitespace() {
        match words.last_mut() {
            // A blank before a dot may as well be one between words, `Query for .cc TLD`; not behind a part of a name.
            Some(last) if word.starts_with('.') && last.trim_start_matches('*').contains('.') => {
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    let is_of = |word: &str, known: &[&str]| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        known.contains(&bare.as_str())
    };
    let told = words.iter().enumerate().filter_map(|(place, word)| {
        let word = word.trim_matches(|c: char| c != '*' && !c.is_alphanumeric());
        // Any name below it is asked for on the way through it.
        let all_below = word.strip_prefix("*.");
        let name = all_below.unwrap_or(word);
        let is_named = is_name(name) || all_below.is_some_and(is_shared);
        let before = words.get(place.saturating_sub(BEFORE)..place)?;
        let behind = words.get(place + 1);
        let is_of_another = before.iter().any(|word| is_of(word, OTHERS))
            || before.last().is_some_and(|word| is_of(word, ASKERS))
            || behind.is_some_and(|word| is_imitation(word));
        (is_named && !is_of_another).then(|| name.to_owned())
    });
    let mut names = told;
    let name = names.next()?;
    names.all(|other| other == name).then_some(name)
}

/// `microsoft.com typosquat`.
fn is_imitation(word: &str) -> bool {
    let lower = word.to_lowercase();
    ["typo", "lookalike", "look-alike", "imitat", "impersonat"]
        .iter()
        .any(|start| lower.starts_with(start))
}

fn is_name(word: &str) -> bool {
    is_plain(word) && has_known_suffix(word)
}

/// Whether somebody gives out names below it to whoever wants one: `duckdns.org`.
fn is_shared(word: &str) -> bool {
    let is_suffix = |name: addr::dns::Name<'_>| name.is_private() && name.suffix() == Some(word);
    is_plain(word) && addr::parse_dns_name(word).is_ok_and(is_suffix)
}

/// Products are written large.
fn is_plain(word: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    word.chars().all(is_plain) && !word.contains(char::is_uppercase) && is_destination(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_it_is_about_by_its_blanks() {
        for (message, name) in [
            ("ET INFO Observed Domain (evil .com in TLS SNI)", Some("evil.com")),
            ("ET INFO Domain (Microsoft .NET)", None),
            ("ET INFO Domain (update .php)", None),
            ("ET INFO Domain (evil.com seen by a .net)", None),
            ("ET INFO Download (evil .com)", None),
            ("ET MALWARE C2 Domain (mi .kenal-cn .com)", Some("mi.kenal-cn.com")),
            ("ET MALWARE Domain (evil .com in DNS Lookup)", Some("evil.com")),
            ("ET MALWARE Domain (evil[.]com)", Some("evil.com")),
            ("ET EXPLOIT Prototype Pollution (Node.js)", None),
            ("ET MALWARE DNS Query for mail.badguy.biz", Some("mail.badguy.biz")),
            ("ET MALWARE DNS Query to a .top domain", None),
            ("ET MALWARE Agent Checkin (outbound) mi .kenal-cn .com", None),
            ("C2", None),
        ] {
            assert_eq!(name_in(message, false).as_deref(), name, "{message}");
        }
        for (message, name) in [
            ("ET DNS Query for mail.badguy.biz", Some("mail.badguy.biz")),
            ("ET DNS Query for mail.badguy.biz.", Some("mail.badguy.biz")),
            ("MALWARE-CNC lookup of 'mail[.]badguy[.]biz'", Some("mail.badguy.biz")),
            ("ET DYNAMIC_DNS Query to *.badguy.biz Domain", Some("badguy.biz")),
            ("ET DNS Query to a *.top domain - Likely Hostile", None),
            ("ET DNS Query for .cc TLD", None),
            ("ET DNS ASP.NET or Node.js lookup", None),
            ("ET DNS one.com and two.com", None),
            ("ET DNS see www.badguy.biz/rules", None),
            ("ET DNS Query v1.2 by 192.0.2.1", None),
            ("ET INFO DYNAMIC_DNS Query to a *.duckdns .org Domain", Some("duckdns.org")),
            ("ET INFO DYNAMIC_DNS Query to *.myftp.biz Domain", Some("myftp.biz")),
            ("ET DNS Query for www.badguy .co .uk", Some("www.badguy.co.uk")),
            ("ET DNS Query to suspicious .top domain", None),
            ("ET PHISHING DNS lookup, typo of microsoft.com", None),
            ("ET PHISHING DNS lookup of paypal.com lookalike", None),
            (
                "ET PHISHING Query for rnicrosoft.com, a typo of microsoft.com",
                Some("rnicrosoft.com"),
            ),
            ("DNS C2 lookup from dc1.corp.contoso.com", None),
            ("DNS lookup from dc1.corp.contoso.com for mail.badguy.biz", Some("mail.badguy.biz")),
            ("ET DNS C2 query, reference: blog.example.com", None),
            ("ET DNS C2 query, reference: blog.example.com/c2", None),
            ("ET DNS C2 query (see https://blog.example.com/c2)", None),
            ("ET DNS Query for mail.badguy.biz (see blog.example.com)", Some("mail.badguy.biz")),
        ] {
            assert_eq!(name_in(message, true).as_deref(), name, "{message}");
        }
        assert_eq!(name_in("C2 (evil .com)", true).as_deref(), Some("evil.com"), "a lookup");
        let text = "Signature ET MALWARE CnC (mi .kenal-cn .com). From: 192.168.2.194";
        assert!(names_any(text));
        assert_eq!(names_within(text, 3), ["mi.kenal-cn.com"]);
    }
}
