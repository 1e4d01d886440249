//! STIX 2.1: the patterns of a bundle's indicators.
//! <https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html>, section 9 for patterns
//!
//! Read are names, addresses and URLs, each of which alone makes the pattern hold: comparisons joined
//! by `OR`. What holds only together with something else (`AND`, `FOLLOWEDBY`) is left out.
//!
//! An indicator that has expired is used all the same, as captures are of the past; when it expired
//! stands in its description. One that was revoked is left out.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::Places;
use super::loader::{Loader, Stop};
use crate::indicator::building::Remark;

/// A bundle, or a TAXII envelope.
#[derive(Deserialize)]
struct Bundle<'a> {
    #[serde(borrow)]
    objects: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(rename = "type")]
    kind: String,
    pattern: Option<String>,
    pattern_type: Option<String>,
    name: Option<String>,
    description: Option<String>,
    confidence: Option<u8>,
    revoked: Option<bool>,
    valid_until: Option<String>,
}

/// Reads a bundle, a list of objects, or one object.
pub(super) fn document(
    loader: &mut Loader,
    places: &mut Places<'_>,
    document: &RawValue,
) -> Result<(), Stop> {
    let text = document.get();
    let objects: Vec<&RawValue> = if text.starts_with('[') {
        serde_json::from_str(text).map_err(broken)?
    } else {
        let bundle: Bundle<'_> = serde_json::from_str(text).map_err(broken)?;
        bundle.objects.unwrap_or_else(|| vec![document])
    };
    for piece in objects {
        loader.line = places.line_of(piece);
        match serde_json::from_str::<Object>(piece.get()) {
            Ok(object) => self::object(loader, &object)?,
            Err(error) => {
                let error = error.to_string();
                let what = error.split(" at line ").next().unwrap_or_default();
                loader.skip(piece.get(), &format!("it is not a STIX object: {what}"));
            }
        }
    }
    Ok(())
}

fn broken(error: serde_json::Error) -> Stop {
    Stop::Broken(format!("it is not a STIX bundle: {error}"))
}

fn object(loader: &mut Loader, object: &Object) -> Result<(), Stop> {
    let shown = object.pattern.as_deref().or(object.name.as_deref()).unwrap_or(&object.kind);
    if matches!(object.kind.as_str(), "domain-name" | "ipv4-addr" | "ipv6-addr" | "url") {
        loader.skip(
            shown,
            "an observable alone does not mean that something is bad; only indicators do",
        );
        return Ok(());
    }
    if object.kind != "indicator" {
        return Ok(());
    }
    if object.revoked == Some(true) {
        loader.skip(shown, "it was revoked");
        return Ok(());
    }
    if object.pattern_type.as_deref().is_some_and(|kind| kind != "stix") {
        loader.skip(shown, "its pattern is not in STIX's pattern language");
        return Ok(());
    }
    let Some(pattern) = &object.pattern else {
        loader.skip(shown, "it has no pattern");
        return Ok(());
    };
    let values = match values_of(pattern) {
        Ok(values) => values,
        Err(why) => {
            loader.skip(pattern, why);
            return Ok(());
        }
    };
    let mut description =
        object.name.clone().or_else(|| object.description.clone()).unwrap_or_default();
    if let Some(until) = &object.valid_until {
        let until: String = until.chars().take(10).collect();
        let between = if description.is_empty() { "" } else { "; " };
        description = format!("{description}{between}valid until {until}");
    }
    let confidence = object.confidence.filter(|confidence| *confidence <= 100);
    for value in &values {
        loader.value(value, Remark { description: &description, confidence })?;
    }
    Ok(())
}

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// `'...'`, its escapes undone.
    Text(String),
    /// A path, a key word, a number.
    Word(String),
    /// One of `[ ] ( ) ,` or an operator such as `=`.
    Mark(char),
}

fn tokens_of(pattern: &str) -> Result<Vec<Token>, &'static str> {
    let mut tokens = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(first) = chars.next() {
        match first {
            '\'' => {
                let mut text = String::new();
                loop {
                    match chars.next() {
                        Some('\\') => text.extend(chars.next()),
                        Some('\'') => break,
                        Some(other) => text.push(other),
                        None => return Err("a quote in its pattern is not closed"),
                    }
                }
                tokens.push(Token::Text(text));
            }
            '[' | ']' | '(' | ')' | ',' | '=' | '!' | '<' | '>' => tokens.push(Token::Mark(first)),
            other if other.is_whitespace() => {}
            other => {
                let mut word = String::from(other);
                while let Some(next) =
                    chars.next_if(|next| !next.is_whitespace() && !"[](),=!<>'".contains(*next))
                {
                    word.push(next);
                }
                // `file:hashes.'SHA-256'` and `t'2024-…'`: what is quoted belongs to the word.
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

/// The names, addresses and URLs of a pattern, each of which alone makes it hold.
fn values_of(pattern: &str) -> Result<Vec<String>, &'static str> {
    let tokens = tokens_of(pattern)?;
    let has = |wanted: &str| {
        tokens
            .iter()
            .any(|token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(wanted)))
    };
    if has("AND") || has("FOLLOWEDBY") {
        return Err("it applies only together with something else (AND, FOLLOWEDBY)");
    }
    if has("NOT") || tokens.contains(&Token::Mark('!')) {
        return Err("it says what something is not");
    }
    let mut values = Vec::new();
    let mut path: Option<&str> = None;
    let (mut skips_rest, mut operator) = (false, "");
    for token in &tokens {
        match token {
            Token::Word(word) if word.contains(':') => {
                (path, operator, skips_rest) = (Some(word.as_str()), "", false);
            }
            Token::Mark('=') => operator = "=",
            Token::Word(word) if word.eq_ignore_ascii_case("OR") => path = None,
            Token::Word(word) if path.is_some() => operator = word,
            Token::Mark(']') => path = None,
            Token::Mark('<' | '>') => skips_rest = true,
            Token::Text(text) if !skips_rest => values.extend(value_of(path, operator, text)),
            _ => {}
        }
    }
    if values.is_empty() {
        return Err("its pattern has no name or address");
    }
    Ok(values)
}

/// What a comparison stands for, as a list would write it.
fn value_of(path: Option<&str>, operator: &str, text: &str) -> Option<String> {
    let is_name = path == Some("domain-name:value");
    let is_address = matches!(
        path,
        Some("ipv4-addr:value" | "ipv6-addr:value" | "network-traffic:dst_ref.value")
    );
    let is_url = path == Some("url:value");
    if !(is_name || is_address || is_url) {
        return None;
    }
    match operator.to_ascii_uppercase().as_str() {
        "=" | "IN" => Some(text.to_owned()),
        "ISSUBSET" if is_address => Some(text.to_owned()),
        "LIKE" if is_name => {
            let below = text.strip_prefix("%.")?;
            (!below.contains(['%', '_'])).then(|| format!("*.{below}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pattern_gives_what_alone_makes_it_hold() {
        for (pattern, expected) in [
            ("[domain-name:value = 'evil.com']", vec!["evil.com"]),
            ("[domain-name:value='a.com' OR domain-name:value='b.com']", vec!["a.com", "b.com"]),
            (
                "[ipv4-addr:value = '192.0.2.1'] OR [ipv6-addr:value = '2001:db8::1']",
                vec!["192.0.2.1", "2001:db8::1"],
            ),
            ("[domain-name:value IN ('a.com', 'b.com')]", vec!["a.com", "b.com"]),
            ("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", vec!["198.51.100.0/24"]),
            ("[domain-name:value LIKE '%.evil.com']", vec!["*.evil.com"]),
            (
                "[url:value = 'http://evil.com/it\\'s AND more']",
                vec!["http://evil.com/it's AND more"],
            ),
            ("[file:hashes.'SHA-256' = 'aa' OR domain-name:value = 'a.com']", vec!["a.com"]),
            ("[network-traffic:dst_ref.value = '192.0.2.1']", vec!["192.0.2.1"]),
        ] {
            assert_eq!(values_of(pattern).unwrap(), expected, "{pattern}");
        }
        for pattern in [
            "[domain-name:value = 'a.com' AND url:value = 'x']",
            "[ipv4-addr:value = '1.2.3.4'] FOLLOWEDBY [ipv4-addr:value = '1.2.3.5']",
            "[domain-name:value NOT IN ('a.com')]",
            "[domain-name:value != 'a.com']",
            "[domain-name:value MATCHES '^a']",
            "[domain-name:value LIKE 'a%']",
            "[file:hashes.MD5 = 'aa']",
            "[domain-name:value = 'a.com",
            "",
        ] {
            assert!(values_of(pattern).is_err(), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn any_pattern_is_read(pattern in "[\\[\\]()'= \\\\:a-zA-Z.,!<>%]{0,60}") {
            let _ = values_of(&pattern);
        }
    }
}
