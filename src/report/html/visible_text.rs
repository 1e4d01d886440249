//! Text that may stand on the page.

use std::fmt;

use crate::text::printable;

/// The longest text that is shown whole, in characters: four times the longest name as it is written.
const CHARACTERS_MAX: usize = 4_096;

/// Text without anything that is not seen, or that changes how the text around it is read: control
/// characters, marks that turn the direction of writing, and what XML does not allow. All text on the page
/// is this; the templates escape it for where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct VisibleText(String);

impl VisibleText {
    /// Text from anywhere, made fit to be seen.
    pub fn new(text: &str) -> VisibleText {
        let mut out = String::with_capacity(text.len());
        let mut rest = text.chars();
        for character in rest.by_ref().take(CHARACTERS_MAX) {
            match character {
                '\u{fdd0}'..='\u{fdef}' => out.extend(character.escape_unicode()),
                _ if u32::from(character) & 0xfffe == 0xfffe => {
                    out.extend(character.escape_unicode());
                }
                _ => out.push(character),
            }
        }
        let left = rest.count();
        if left > 0 {
            out.push_str(&format!("… ({left} more characters)"));
        }
        VisibleText(printable(&out).into_owned())
    }

    /// As [`VisibleText::new`], shortened in the middle to at most so many characters: the end of a name says
    /// most of whose it is, the beginning which it is.
    pub fn short(text: &str, characters: usize) -> VisibleText {
        let whole = VisibleText::new(text);
        let count = whole.0.chars().count();
        if count <= characters {
            return whole;
        }
        let kept = characters.saturating_sub(1);
        let (head, tail) = (kept / 2, kept - kept / 2);
        let head: String = whole.0.chars().take(head).collect();
        let tail: String = whole.0.chars().skip(count - tail).collect();
        VisibleText(format!("{head}…{tail}"))
    }

    /// The text.
    #[cfg(test)]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for VisibleText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_unseen_comes_onto_the_page() {
        let hostile = "a\u{202e}b\u{0}c\u{fffe}d\u{fdd0}e\u{1ffff}f\u{200b}g\r\n";
        let shown = VisibleText::new(hostile).to_string();
        assert_eq!(
            shown,
            "a\\u{202e}b\\u{0}c\\u{fffe}d\\u{fdd0}e\\u{1ffff}f\\u{200b}g\\u{d}\\u{a}"
        );
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let shown = VisibleText::new(&"x".repeat(10_000)).to_string();
        assert!(shown.ends_with("… (5904 more characters)"), "{shown:.9}");
        assert_eq!(VisibleText::short("e13678.dspb.akamaiedge.net", 13).as_str(), "e13678…ge.net");
        assert_eq!(VisibleText::short("evil.com", 13).as_str(), "evil.com");
        assert_eq!(VisibleText::short("äöü", 2).as_str(), "…ü");
        assert_eq!(VisibleText::short("abc", 0).as_str(), "…");
    }
}
