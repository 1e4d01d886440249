//! The name that the text of a rule is about.
//!
//! Rules name it in brackets, with blanks before its dots, lest somebody clicks on it: `C2 Domain (evil .com)`. Of a packet
//! to or from a DNS server a name stands there as it is, too: `ET DNS Query for evil.com`.

use super::row::{is_destination, is_registered};

/// The name that a rule's message is about, as it stands there: `(evil .com)`, `(evil .com in DNS Lookup)`. Products
/// have dots as well, `(Microsoft .NET)`, so the message or the packet must be about names. What stands without brackets
/// counts only if the packet is a DNS server's, and no other name stands there.
pub(super) fn name_in(message: &str, is_dns: bool) -> Option<String> {
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
    marked.or_else(|| if is_dns { only_name_in(message) } else { None })
}

/// The only name among the words of a message.
fn only_name_in(message: &str) -> Option<String> {
    // A blank before a dot may as well be one between words: `Query for .cc TLD`.
    let plain = message.replace("[.]", ".");
    let words = plain.split_whitespace().map(|word| {
        let word = word.trim_matches(|c: char| c != '*' && !c.is_alphanumeric());
        // Any name below it is asked for on the way through it.
        word.strip_prefix("*.").unwrap_or(word)
    });
    let mut names = words.filter(|word| is_name(word));
    let name = names.next()?;
    names.all(|other| other == name).then(|| name.to_owned())
}

/// Products are written large.
fn is_name(word: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    word.chars().all(is_plain)
        && !word.contains(char::is_uppercase)
        && is_registered(word)
        && is_destination(word)
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
        ] {
            assert_eq!(name_in(message, true).as_deref(), name, "{message}");
        }
        assert_eq!(name_in("C2 (evil .com)", true).as_deref(), Some("evil.com"), "a lookup");
    }
}
