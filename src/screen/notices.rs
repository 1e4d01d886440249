//! What would have gone to stderr while the screen is up: it would stand across it.

use std::collections::VecDeque;

use crate::text::printable;
use crate::time::Timestamp;

/// How many are kept; at the limit the oldest goes, counted.
const KEPT_MAX: usize = 100;
/// What a line begins with that is said on stderr.
const SPEAKER: &str = "whoasked: ";

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// When.
    pub time: Timestamp,
    /// What; perhaps in several lines.
    pub text: String,
    /// Whether stderr has it already.
    is_said: bool,
}

/// What was said, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    kept: VecDeque<Notice>,
    left_out: u64,
}

impl Notices {
    /// None.
    pub const fn new() -> Notices {
        Notices { kept: VecDeque::new(), left_out: 0 }
    }

    /// Keeps one, without what could steer a terminal: a panic's words may hold anything.
    pub fn push(&mut self, time: Timestamp, text: &str) {
        if self.kept.len() >= KEPT_MAX {
            let gone = self.kept.pop_front();
            self.left_out += u64::from(gone.is_some_and(|gone| !gone.is_said));
        }
        let lines = text.strip_prefix(SPEAKER).unwrap_or(text).split('\n');
        let lines: Vec<_> = lines.map(printable).collect();
        self.kept.push_back(Notice { time, text: lines.join("\n"), is_said: false });
    }

    /// All that is kept was said on stderr, before there was a screen.
    pub fn are_said(&mut self) {
        self.left_out = 0;
        self.kept.iter_mut().for_each(|notice| notice.is_said = true);
    }

    /// All that is kept, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Notice> {
        self.kept.iter()
    }

    /// Takes all, as lines for stderr, each with its time of day; those that stderr has already are left out.
    pub fn drain(&mut self, clock: impl Fn(Timestamp) -> String) -> Vec<String> {
        let left_out = std::mem::take(&mut self.left_out);
        let more =
            (left_out > 0).then(|| format!("{SPEAKER}earlier messages not kept: {left_out}"));
        let kept = std::mem::take(&mut self.kept);
        let unsaid = kept.into_iter().filter(|notice| !notice.is_said);
        let lines =
            unsaid.map(|Notice { time, text, .. }| format!("{SPEAKER}{}: {text}", clock(time)));
        more.into_iter().chain(lines).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UTC;

    #[test]
    fn the_newest_are_kept_and_said_with_their_times() {
        let mut notices = Notices::new();
        for number in 0..KEPT_MAX as i64 + 3 {
            notices.push(Timestamp(number * 1_000_000_000), &format!("whoasked: n{number}"));
        }
        assert_eq!(notices.all().next().unwrap().text, "n3");
        let lines = notices.drain(|time| UTC.clock(time));
        assert_eq!(lines.len(), KEPT_MAX + 1);
        assert_eq!(lines[0], "whoasked: earlier messages not kept: 3");
        assert_eq!(lines[1], "whoasked: 00:00:03: n3");
        assert!(notices.drain(|_| String::new()).is_empty());
        notices.push(Timestamp(0), "panicked at x.rs:\n\u{1b}[2J");
        assert_eq!(
            notices.drain(|_| "t".to_owned()),
            ["whoasked: t: panicked at x.rs:\n\\u{1b}[2J"]
        );
    }

    #[test]
    fn what_was_said_before_there_was_a_screen_is_shown_on_it_and_not_said_again() {
        let mut notices = Notices::new();
        notices.push(Timestamp(0), "whoasked: the list is too broad");
        notices.are_said();
        notices.push(Timestamp(0), "whoasked: later");
        let shown: Vec<&str> = notices.all().map(|notice| notice.text.as_str()).collect();
        assert_eq!(shown, ["the list is too broad", "later"]);
        assert_eq!(notices.drain(|_| "t".to_owned()), ["whoasked: t: later"]);
    }

    #[test]
    fn of_those_that_go_only_the_unsaid_are_counted() {
        let mut notices = Notices::new();
        notices.push(Timestamp(0), "whoasked: the list is too broad");
        notices.are_said();
        (0..=KEPT_MAX).for_each(|_| notices.push(Timestamp(0), "whoasked: later"));
        let lines = notices.drain(|_| "t".to_owned());
        assert_eq!(lines[0], "whoasked: earlier messages not kept: 1");
    }
}
