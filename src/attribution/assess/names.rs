//! What a name tells of who is behind it: its registered domain, and whether a person made it up.

/// The domain that somebody registered and that a name is in, by the Public Suffix List; the name
/// itself, in lower case, if it is in none.
pub(super) fn registered_domain(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let registered = addr::parse_dns_name(&name).ok().and_then(|name| name.root());
    registered.unwrap_or(&name).to_owned()
}

/// Whether a name is another or below it, in any case of letters.
pub(super) fn is_at_or_below(name: &str, other: &str) -> bool {
    let Some(start) = name.len().checked_sub(other.len()) else { return false };
    let (Some(above), Some(end)) = (name.get(..start), name.get(start..)) else { return false };
    end.eq_ignore_ascii_case(other)
        && !other.is_empty()
        && (above.is_empty() || above.ends_with('.') && !above.ends_with("\\."))
}

/// Whether the first label of a name looks made up by a program: long, and either as long as only
/// encoded data is, or with digits and letters mixed, or without a word's vowels.
pub(super) fn looks_random(name: &str) -> bool {
    const LONG: usize = 10;
    const DATA: usize = 32;
    let label = name.split('.').next().unwrap_or_default();
    let letters = label.chars().filter(char::is_ascii_alphabetic).count();
    let vowels = label.chars().filter(|c| "aeiouyAEIOUY".contains(*c)).count();
    let kinds: Vec<bool> =
        label.chars().filter(char::is_ascii_alphanumeric).map(|c| c.is_ascii_digit()).collect();
    let changes = kinds.iter().zip(kinds.iter().skip(1)).filter(|(one, next)| one != next).count();
    let looks_so = label.len() >= DATA || changes >= 4 || letters >= LONG && vowels * 6 < letters;
    // People put words together with hyphens, and so do the names of some large networks.
    label.len() >= LONG && looks_so && !label.contains('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registered_domain_is_what_somebody_registered() {
        assert_eq!(registered_domain("WWW.Example.co.uk"), "example.co.uk");
        assert_eq!(registered_domain("a.b.example.com"), "example.com");
        assert_eq!(registered_domain("com"), "com");
        assert_eq!(registered_domain("dc1"), "dc1");
    }

    #[test]
    fn below_is_told_by_labels_not_letters() {
        assert!(is_at_or_below("x.EVIL.com", "evil.com") && is_at_or_below("evil.com", "evil.com"));
        assert!(!is_at_or_below("notevil.com", "evil.com"));
        assert!(!is_at_or_below("not\\.evil.com", "evil.com"), "the dot is within a label");
        assert!(!is_at_or_below("com", "evil.com") && !is_at_or_below("x", ""));
    }

    #[test]
    fn names_by_programs_look_random_and_those_by_people_do_not() {
        for name in [
            "x7k2p9q4m1zz.evil.com",
            "qwrtzpsdfghk.evil.com",
            "3f2a9c0d4b7e8812aa03.evil.com",
            "mzxw6ytboi2gs3tfmzxw6ytboi2gs3tf.evil.com",
        ] {
            assert!(looks_random(name), "{name}");
        }
        for name in [
            "www.evil.com",
            "newsletter.shopclick.de",
            "e13678.dspb.akamaiedge.net",
            "autodiscover.example.com",
            "r3---sn-4g5e6nsz.googlevideo.com",
            "static-assets-production.example.com",
            "a-very-long-name-that-somebody-thought-of-one-day.example.com",
            "",
        ] {
            assert!(!looks_random(name), "{name}");
        }
    }
}
