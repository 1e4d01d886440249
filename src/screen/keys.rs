//! Keys, from the octets that a terminal sends for them (ECMA-48, xterm's control sequences).
//!
//! Read by ourselves: crossterm's reader never returns from a terminal that has gone away, nor from a
//! sequence that was begun and not ended, and a run of months meets both.

/// A key that means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// Return.
    Enter,
    /// Escape.
    Escape,
    /// Takes the last character away.
    Backspace,
    /// Takes the whole line away: Ctrl-U.
    ClearLine,
    /// Draws anew: Ctrl-L.
    Redraw,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Z.
    Suspend,
    /// A character that prints.
    Character(char),
}

/// A sequence longer than this is none.
const SEQUENCE_MAX: usize = 32;

const ESCAPE: u8 = 0x1b;

/// Takes octets apart, however they come in pieces.
#[derive(Debug, Default)]
pub struct Keyboard {
    held: Vec<u8>,
}

/// What stands at the beginning of some octets.
enum Head {
    /// A key, or none that means anything, of so many octets.
    Is(Option<Key>, usize),
    /// The beginning of a sequence.
    Part,
}

impl Keyboard {
    /// Takes what the terminal sent, and hands out the keys that are complete.
    pub fn take(&mut self, octets: &[u8], mut to: impl FnMut(Key)) {
        self.held.extend_from_slice(octets);
        let mut at = 0;
        while let Some(rest) = self.held.get(at..).filter(|rest| !rest.is_empty()) {
            match head(rest) {
                Head::Is(key, length) => {
                    key.into_iter().for_each(&mut to);
                    at += length.max(1);
                }
                Head::Part if rest.len() > SEQUENCE_MAX => at += 1,
                Head::Part => break,
            }
        }
        self.held.drain(..at.min(self.held.len()));
    }

    /// Whether a sequence was begun, or an escape stands alone so far.
    pub fn is_amid(&self) -> bool {
        !self.held.is_empty()
    }

    /// Nothing more came for a moment: an escape that stands alone is the key of that name, and a sequence
    /// that was begun is none.
    pub fn idle(&mut self) -> Option<Key> {
        let is_escape = self.held == [ESCAPE];
        self.held.clear();
        is_escape.then_some(Key::Escape)
    }
}

fn head(octets: &[u8]) -> Head {
    match octets {
        [ESCAPE] | [ESCAPE, b'[' | b'O'] => Head::Part,
        [ESCAPE, b'[', rest @ ..] => match rest.iter().position(|octet| *octet >= b'@') {
            Some(end) => {
                let (parameters, last) = (rest.get(..end).unwrap_or_default(), rest.get(end));
                Head::Is(last.and_then(|last| control(parameters, *last)), end + 3)
            }
            None => Head::Part,
        },
        [ESCAPE, b'O', last, ..] => Head::Is(control(&[], *last), 3),
        // With Alt: no key of ours.
        [ESCAPE, other, ..] if *other != ESCAPE => Head::Is(None, 2),
        [ESCAPE, ..] => Head::Is(Some(Key::Escape), 1),
        [0x03, ..] => Head::Is(Some(Key::Interrupt), 1),
        [0x0c, ..] => Head::Is(Some(Key::Redraw), 1),
        [0x15, ..] => Head::Is(Some(Key::ClearLine), 1),
        [0x1a, ..] => Head::Is(Some(Key::Suspend), 1),
        [b'\r' | b'\n', ..] => Head::Is(Some(Key::Enter), 1),
        [0x08 | 0x7f, ..] => Head::Is(Some(Key::Backspace), 1),
        [first, ..] => character(octets, *first),
        [] => Head::Part,
    }
}

/// `ESC [ parameters last`, and `ESC O last`.
fn control(parameters: &[u8], last: u8) -> Option<Key> {
    let number = parameters.split(|octet| *octet == b';').next();
    Some(match (last, number) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'H', _) | (b'~', Some(b"1" | b"7")) => Key::Home,
        (b'F', _) | (b'~', Some(b"4" | b"8")) => Key::End,
        (b'~', Some(b"5")) => Key::PageUp,
        (b'~', Some(b"6")) => Key::PageDown,
        (b'M', _) => Key::Enter,
        _ => return None,
    })
}

/// A character of UTF-8 (RFC 3629).
fn character(octets: &[u8], first: u8) -> Head {
    let length = match first {
        0x00..0x20 => return Head::Is(None, 1),
        0x20..0x80 => 1,
        0xc2..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf5 => 4,
        _ => return Head::Is(None, 1),
    };
    let Some(whole) = octets.get(..length) else { return Head::Part };
    match std::str::from_utf8(whole).ok().and_then(|text| text.chars().next()) {
        Some(letter) if !letter.is_control() => Head::Is(Some(Key::Character(letter)), length),
        _ => Head::Is(None, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(pieces: &[&[u8]]) -> Vec<Key> {
        let (mut keyboard, mut keys) = (Keyboard::default(), Vec::new());
        for piece in pieces {
            keyboard.take(piece, |key| keys.push(key));
        }
        keys.extend(keyboard.idle());
        keys
    }

    #[test]
    fn keys_are_known_in_all_the_ways_that_terminals_send_them() {
        for (octets, key) in [
            (&b"\x1b[A"[..], Key::Up),
            (b"\x1bOA", Key::Up),
            (b"\x1b[1;5B", Key::Down),
            (b"\x1b[5~", Key::PageUp),
            (b"\x1b[6;2~", Key::PageDown),
            (b"\x1b[H", Key::Home),
            (b"\x1b[1~", Key::Home),
            (b"\x1bOF", Key::End),
            (b"\x1b[4~", Key::End),
            (b"\r", Key::Enter),
            (b"\x1b", Key::Escape),
            (b"\x7f", Key::Backspace),
            (b"\x03", Key::Interrupt),
            (b"\x1a", Key::Suspend),
            (b"/", Key::Character('/')),
            ("ü".as_bytes(), Key::Character('ü')),
        ] {
            assert_eq!(keys(&[octets]), [key], "{octets:?}");
            // And in pieces, as over a slow line.
            let pieces: Vec<&[u8]> = octets.chunks(1).collect();
            assert_eq!(keys(&pieces), [key], "{octets:?}");
        }
    }

    #[test]
    fn what_is_no_key_of_ours_is_passed_over_whole() {
        assert_eq!(keys(&[b"\x1b[200~q"]), [Key::Character('q')]);
        assert_eq!(keys(&[b"\x1bqj"]), [Key::Character('j')], "Alt-Q ends nothing");
        assert_eq!(keys(&[b"\x1b[15~\x1b[C\x00\xff\xc0k"]), [Key::Character('k')]);
        assert_eq!(keys(&[b"\x1b\x1b[A"]), [Key::Escape, Key::Up]);
        assert_eq!(keys(&[b"\x1b["]), [], "begun and not ended");
    }

    #[test]
    fn a_sequence_without_end_is_given_up() {
        let (mut keyboard, mut count) = (Keyboard::default(), 0);
        for _ in 0..1_000 {
            keyboard.take(b"\x1b[000000000000000000", |_| count += 1);
            assert!(keyboard.held.len() <= 2 * SEQUENCE_MAX, "{}", keyboard.held.len());
        }
        assert!(count > 0, "its octets are characters then");
    }
}
