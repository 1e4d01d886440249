//! Links that a mail gateway put in place of others, to look at whoever follows them: where they lead.
//!
//! ```text
//! https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.com%2Fa&data=05%7C02
//! https://urldefense.com/v3/__https://evil.com/a__;!!abc$
//! https://urldefense.proofpoint.com/v2/url?u=https-3A__evil.com_a&d=DwMF
//! ```
//!
//! The host of such a link is the gateway's, for which nobody in the capture need have asked.

use std::borrow::Cow;

/// Reads what a gateway made of a link.
type Reader = fn(&str) -> Option<String>;
/// What a link of a gateway holds in lower case before the one that it leads to.
const GATEWAYS: [(&str, Reader); 4] = [
    (".safelinks.protection.outlook.com/?url=", of_safe_links),
    ("urldefense.com/v3/__", of_urldefense),
    ("urldefense.proofpoint.com/v3/__", of_urldefense),
    ("urldefense.proofpoint.com/v2/url?u=", of_proofpoint),
];

/// A text with each such link replaced by the one that it leads to.
pub(crate) fn unwrapped(text: &str) -> Cow<'_, str> {
    // Of the same length, so that what stands at a place of one stands there in the other.
    let lower = text.to_ascii_lowercase();
    if !GATEWAYS.iter().any(|(mark, _)| lower.contains(mark)) {
        return text.into();
    }
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '|' | ',');
    let mut plain = String::with_capacity(text.len());
    for word in text.split_inclusive(is_end) {
        let link = word.trim_end_matches(is_end);
        match target(link) {
            Some(target) => {
                plain.push_str(&target);
                plain.push_str(word.get(link.len()..).unwrap_or_default());
            }
            None => plain.push_str(word),
        }
    }
    plain.into()
}

/// Where a link of a gateway leads.
fn target(link: &str) -> Option<String> {
    let lower = link.to_ascii_lowercase();
    let begin = lower.find("http")?;
    let (read, at) = GATEWAYS.iter().find_map(|(mark, read)| {
        let at = lower.get(begin..)?.find(mark)?;
        Some((read, begin + at + mark.len()))
    })?;
    let target = read(link.get(at..)?)?;
    // What stands before the link is of another thing: `url=`.
    Some(format!("{}{target}", link.get(..begin)?))
}

fn of_safe_links(behind: &str) -> Option<String> {
    unescaped(behind.split('&').next()?, '%')
}

fn of_urldefense(behind: &str) -> Option<String> {
    let target = behind.split("__;").next()?;
    // A gateway that found one slash too many leaves it out.
    Some(match target.split_once(":/") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.trim_start_matches('/')),
        None => target.to_owned(),
    })
}

fn of_proofpoint(behind: &str) -> Option<String> {
    unescaped(&behind.split('&').next()?.replace('_', "/"), '-')
}

/// A text in which a mark and two digits of base 16 stand for an octet.
fn unescaped(text: &str, mark: char) -> Option<String> {
    let mut parts = text.split(mark);
    let mut octets = parts.next()?.as_bytes().to_vec();
    for part in parts {
        octets.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        octets.extend_from_slice(part.get(2..)?.as_bytes());
    }
    let plain = String::from_utf8(octets).ok()?;
    // It stays in its line, and in its cell.
    (!plain.contains(char::is_control)).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_of_a_gateway_is_the_one_that_it_leads_to() {
        for (link, target) in [
            (
                "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.com%2Fa&data=05%7C02",
                "https://evil.com/a",
            ),
            ("https://urldefense.com/v3/__https://evil.com/a__;!!abc$", "https://evil.com/a"),
            ("https://urldefense.com/v3/__https:/evil.com/a__;!!abc$", "https://evil.com/a"),
            (
                "https://urldefense.proofpoint.com/v2/url?u=https-3A__my-2Devil.com_a-5Fb&d=Dw",
                "https://my-evil.com/a_b",
            ),
            ("url=https://urldefense.com/v3/__http://evil.com__;x", "url=http://evil.com"),
        ] {
            assert_eq!(
                unwrapped(&format!("Destination: {link}\n")),
                format!("Destination: {target}\n")
            );
            assert_eq!(unwrapped(&format!("a,\"{link}\",b")), format!("a,\"{target}\",b"));
        }
        // Of no form that is known: left as it is.
        for text in [
            "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.com%2&data",
            "https://urldefense.proofpoint.com/v2/url?u=https-3A__evil.com-0A-",
            "see urldefense.com/v3/__ for more",
        ] {
            assert_eq!(unwrapped(text), text);
        }
    }
}
