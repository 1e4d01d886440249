//! Numbers and lists as a person would write them.

/// `1,234,567`.
pub(crate) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 frame`, `2,000 frames`.
pub(crate) fn count(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// `once`, `twice`, `3 times`.
pub(crate) fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => number(count) + " times",
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list<S: AsRef<str>>(parts: &[S]) -> String {
    let mut out = String::new();
    for (place, part) in parts.iter().enumerate() {
        match (place, parts.len() - place) {
            (0, _) => {}
            (_, 1) => out.push_str(" and "),
            _ => out.push_str(", "),
        }
        out.push_str(part.as_ref());
    }
    out
}

/// The first of `all` things, as far as they are told, and how many more there are: `a, b and 3 more`.
pub(crate) fn few<S: AsRef<str>>(first: impl IntoIterator<Item = S>, all: usize) -> String {
    let mut told: Vec<String> = first.into_iter().map(|part| part.as_ref().to_owned()).collect();
    if told.len() < all {
        told.push(format!("{} more", number((all - told.len()) as u64)));
    }
    list(&told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_the_first_are_told_and_how_many_more_there_are() {
        let names = ["a", "b", "c"];
        assert_eq!(few(names, 3), "a, b and c");
        assert_eq!(few(&names[..2], 1_002), "a, b and 1,000 more");
        assert_eq!(few(&names[..1], 2), "a and 1 more");
        assert_eq!(few(&names[..0], 2), "2 more");
    }

    #[test]
    fn numbers_are_grouped_and_counted() {
        assert_eq!([7, 999, 1_000, 1_234_567].map(number), ["7", "999", "1,000", "1,234,567"]);
        assert_eq!(count(1, "frame", "frames"), "1 frame");
        assert_eq!(count(0, "frame", "frames"), "0 frames");
        assert_eq!([1, 2, 1_000].map(times), ["once", "twice", "1,000 times"]);
    }
}
