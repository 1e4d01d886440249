//! Numbers, names and spans in the words of a hint.

use std::fmt::Display;

pub(super) use crate::number::{count, times};
use crate::time::Span;
pub(super) use crate::time::period;

/// How many names or addresses are named one by one.
const NAMED_MAX: usize = 3;

/// `a`, `a and b`, `a, b and c`, `a, b, c and 4 more`; `a, b, c and more` where not all are known.
pub(super) fn few<S: Display>(names: impl IntoIterator<Item = S>, not_all: bool) -> String {
    let mut names = names.into_iter();
    let mut named: Vec<String> = names.by_ref().take(NAMED_MAX).map(|s| s.to_string()).collect();
    let rest = names.count();
    let last = match (rest, not_all) {
        (_, true) => Some("more".to_owned()),
        (0, false) => named.pop(),
        (rest, false) => Some(format!("{rest} more")),
    };
    match (named.is_empty(), last) {
        (_, None) => String::new(),
        (true, Some(last)) => last,
        (false, Some(last)) => format!("{} and {last}", named.join(", ")),
    }
}

/// A deviation: `0.2 s`, `12 s`, `3 min`.
pub(super) fn deviation(span: Span) -> String {
    match span.0 {
        ..100_000_000 => "less than 0.1 s".to_owned(),
        100_000_000..10_000_000_000 => format!("{:.1} s", span.as_secs_f64()),
        _ => period(span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_named_and_the_others_counted() {
        assert_eq!(few(["a"], false), "a");
        assert_eq!(few(["a", "b"], false), "a and b");
        assert_eq!(few(["a", "b", "c"], false), "a, b and c");
        assert_eq!(few(["a", "b", "c", "d", "e"], false), "a, b, c and 2 more");
        assert_eq!(few(["a"], true), "a and more");
        assert_eq!(few::<&str>([], false), "");
    }

    #[test]
    fn periods_are_said_as_people_say_them() {
        let said = |seconds| period(Span::from_secs(seconds));
        assert_eq!([45, 300, 90, 7_200].map(said), ["45 s", "5 min", "1 min 30 s", "2 h"]);
        assert_eq!([5_400, 93_600, 86_400].map(said), ["1 h 30 min", "1 d 2 h", "1 d"]);
        assert_eq!([86_369, 86_370, 86_399].map(said), ["23 h 59 min", "1 d", "1 d"]);
        assert_eq!(period(Span::from_millis(7_200_400)), "2 h");
        assert_eq!(deviation(Span::from_millis(200)), "0.2 s");
        assert_eq!(deviation(Span::from_millis(20)), "less than 0.1 s");
        assert_eq!(deviation(Span::from_secs(720)), "12 min");
    }
}
