//! Removes what mails, web pages and pastes put into a text, and leaves each line where it is.
//!
//! Pages put invisible characters into long names so that lines can break there. A name with one in it is another name,
//! which nobody asked for.

use std::borrow::Cow;

use crate::alert::load::text::{drawn_table, gateway_links};
use crate::text;

/// What leaves each line where it is.
pub(crate) fn clean_lines(text: &str) -> Cow<'_, str> {
    let plain = without_quote_marks(text);
    let plain = and_then(plain, without_links);
    let plain = and_then(plain, gateway_links::unwrapped);
    let plain = and_then(plain, without_invisible);
    let plain = and_then(plain, without_defanging);
    and_then(plain, drawn_table::plain)
}

/// Does something to a text that may have been made before.
pub(crate) fn and_then<'t>(text: Cow<'t, str>, make: fn(&str) -> Cow<'_, str>) -> Cow<'t, str> {
    match text {
        Cow::Borrowed(text) => make(text),
        Cow::Owned(text) => match make(&text) {
            Cow::Owned(made) => made.into(),
            Cow::Borrowed(_) => text.into(),
        },
    }
}

/// A text whose lines end as others do: some programs, and old ones, write a carriage return alone.
pub(crate) fn with_line_feeds(text: &str) -> Cow<'_, str> {
    match text.trim_end().contains('\n') {
        true => text.into(),
        false => text.replace('\r', "\n").into(),
    }
}

/// A text without what mails put before lines of others: `> `, `> > `.
fn without_quote_marks(text: &str) -> Cow<'_, str> {
    if !text.lines().any(|line| line.starts_with('>')) {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    for line in text.lines() {
        let mut rest = line;
        while let Some(behind) = rest.strip_prefix('>') {
            rest = behind.strip_prefix(' ').unwrap_or(behind);
        }
        plain.push_str(rest);
        plain.push('\n');
    }
    plain.into()
}

/// A text without the links that mail programs write behind what they stand at: `evil.com <https://safelinks.example/?url=...>`,
/// `a@b.example <mailto:a@b.example>`. What was flagged is what they stand at.
fn without_links(text: &str) -> Cow<'_, str> {
    const STARTS: [&str; 3] = ["<http://", "<https://", "<mailto:"];
    if !STARTS.iter().any(|start| text.contains(start)) {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        while let Some(at) = STARTS.iter().filter_map(|start| rest.find(start)).min() {
            let (before, link) = rest.split_at_checked(at).unwrap_or((rest, ""));
            let Some((_, behind)) = link.split_once('>') else { break };
            let is_behind_words = !before.trim().is_empty() || !plain.ends_with('\n');
            // Alone in its line it is what is meant.
            plain.push_str(if is_behind_words { before.trim_end_matches(' ') } else { before });
            if !is_behind_words || before.trim_end().ends_with([':', '=', ',', ';', '\t']) {
                plain.push_str(
                    link.split_once('>').map_or("", |(link, _)| link.get(1..).unwrap_or_default()),
                );
            }
            rest = behind;
        }
        plain.push_str(rest);
    }
    plain.into()
}

/// Marks without a width: places where a line may break or may not, the direction of the script, how a sign is drawn.
fn is_invisible(c: char) -> bool {
    let ends_line = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text::is_unseen(c) && !ends_line && !is_joiner(c)
}

/// What joins letters or keeps them apart, which some scripts write with it, also in names.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Blanks at which no line breaks.
fn is_fixed_blank(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}')
}

/// Hyphens at which a line breaks, or does not; in a name all are one.
fn is_hyphen(c: char) -> bool {
    matches!(c, '\u{2010}' | '\u{2011}')
}

/// A text without what nobody sees, with plain hyphens and blanks.
fn without_invisible(text: &str) -> Cow<'_, str> {
    let is_other = |c: char| is_invisible(c) || is_joiner(c) || is_fixed_blank(c) || is_hyphen(c);
    if text.is_ascii() || !text.contains(is_other) {
        return text.into();
    }
    let chars: Vec<char> = text.chars().filter(|c| !is_invisible(*c)).collect();
    let mut plain = String::with_capacity(text.len());
    let mut before = None;
    for (at, c) in chars.iter().copied().enumerate() {
        let behind = chars.get(at + 1).copied();
        let is_latin = |c: Option<char>| c.is_none_or(|c| c.is_ascii());
        let is_of_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric());
        match c {
            _ if is_joiner(c) && (is_latin(before) || is_latin(behind)) => continue,
            _ if is_hyphen(c) => plain.push('-'),
            // `mi .kenal-cn .com`: no script has a blank before a dot that a word follows at once.
            _ if is_fixed_blank(c)
                && behind == Some('.')
                && is_of_name(before)
                && is_of_name(chars.get(at + 2).copied()) => {}
            _ if is_fixed_blank(c) && before == Some('.') && is_in_spaced_name(&chars, at) => {}
            _ if is_fixed_blank(c) => plain.push(' '),
            _ => plain.push(c),
        }
        before = Some(c);
    }
    plain.into()
}

/// The most characters of a name or an address that are looked at around one.
const NAME_LEN_MAX: usize = 300;

/// Whether a blank behind a dot is of a name that has one behind each of its dots, and two at least: `z. B.` and
/// `2. März` have some as well.
fn is_in_spaced_name(chars: &[char], at: usize) -> bool {
    let is_of =
        |c: char| c.is_alphanumeric() || c == '-' || c == '_' || c == '.' || is_fixed_blank(c);
    let back = chars.get(..at).unwrap_or_default().iter().rev().take(NAME_LEN_MAX);
    let ahead = chars.get(at..).unwrap_or_default().iter().take(NAME_LEN_MAX);
    let before = back.take_while(|c| is_of(**c)).count();
    let behind = ahead.take_while(|c| is_of(**c)).count();
    let name: String = chars.get(at - before..at + behind).unwrap_or_default().iter().collect();
    let name = name.trim_matches(|c: char| c == '.' || is_fixed_blank(c));
    let labels: Vec<&str> = name.split('.').collect();
    let (first, others) = labels.split_first().unwrap_or((&"", &[]));
    let is_label = |label: &str| !label.is_empty() && !label.contains(is_fixed_blank);
    let is_number = |label: &str| label.chars().all(|c| c.is_ascii_digit());
    let is_address = labels.iter().all(|label| is_number(label.trim_start_matches(is_fixed_blank)));
    let is_long = is_label(first) && first.chars().count() > 1;
    let is_parted = |label: &&str| {
        let rest = label.strip_prefix(is_fixed_blank);
        rest.is_some_and(is_label)
    };
    others.len() >= 2
        && others.iter().all(is_parted)
        && (is_address && others.len() == 3 || is_long && !is_number(first))
}

/// Dots as people write them so that nobody clicks on them, and how they are written in the two ways that are known in all
/// forms. The last one is half of the first.
const DOTS: [(&str, &str); 8] = [
    ("[.]", "[.]"),
    ("(.)", "(.)"),
    ("[dot]", "[.]"),
    ("(dot)", "[.]"),
    ("{dot}", "[.]"),
    ("{.}", "[.]"),
    ("<.>", "[.]"),
    ("[.", "[.]"),
];
/// The same of colons: `hxxps[:]//evil[.]com`.
const COLONS: [(&str, &str); 4] =
    [("[:]//", "://"), ("(:)//", "://"), ("[://]", "://"), ("(://)", "://")];

/// A text with such dots and colons between the parts of names, and blanks around them left out: `mi [dot] kenal-cn[.com`.
fn without_defanging(text: &str) -> Cow<'_, str> {
    let pairs = || text.bytes().zip(text.bytes().skip(1));
    let is_begun = |(one, other): (u8, u8)| b"[({<".contains(&one) && b".dD:".contains(&other);
    if !pairs().any(is_begun) {
        return text.into();
    }
    // Of the same length, so that what stands at a place of one stands there in the other.
    let lower = text.to_ascii_lowercase();
    let is_of_name =
        |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '*' | '-' | '_'));
    let mut plain = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find(['[', '(', '{', '<'])) {
        plain.push_str(text.get(at..at + open).unwrap_or_default());
        at += open;
        let ahead = lower.get(at..).unwrap_or_default();
        let mark = DOTS.iter().chain(&COLONS).find(|(mark, _)| ahead.starts_with(mark));
        let (length, meant) = mark.map_or((1, ""), |(mark, meant)| (mark.len(), *meant));
        let (mark, behind) =
            text.get(at..).and_then(|rest| rest.split_at_checked(length)).unwrap_or_default();
        let is_apart = plain.ends_with(' ') && behind.starts_with(' ');
        let (left, right) = match is_apart {
            true => (plain.trim_end_matches(' '), behind.trim_start_matches(' ')),
            false => (plain.as_str(), behind),
        };
        let is_between = is_of_name(left.chars().next_back()) && is_of_name(right.chars().next());
        at += length;
        if is_between && !meant.is_empty() {
            at += behind.len() - right.len();
            plain.truncate(left.len());
            plain.push_str(meant);
        } else {
            plain.push_str(mark);
        }
    }
    plain.push_str(text.get(at..).unwrap_or_default());
    plain.into()
}
