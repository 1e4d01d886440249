//! Tables that are drawn with signs, as consoles, wikis and mails have them, made plain: bars between the cells, and no lines
//! that only part rows.
//!
//! ```text
//! +---------------------+---------------+-----------------+
//! | Time                | Host          | Destination     |
//! +---------------------+---------------+-----------------+
//! | 2026-03-02 09:17:42 | 192.168.2.194 | mi.kenal-cn.com |
//! ```
//!
//! So does Markdown with `|---|---|`, and Jira writes `||Time||Host||` above its rows.

use std::borrow::Cow;

/// What lines that part rows are made of.
const RULES: &str = "+-=|: \t─━═│┃║┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬┏┓┗┛┣┫┳┻╋";
/// Bars that are drawn.
const BARS: [char; 3] = ['│', '┃', '║'];

/// The text without them, each line where it was.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.lines().any(|line| is_rule(line) || is_heading(line) || line.contains(BARS)) {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    for line in text.lines() {
        match () {
            () if is_rule(line) => {}
            () if is_heading(line) => plain.push_str(&line.replace("||", "|")),
            () => plain.extend(line.chars().map(|c| if BARS.contains(&c) { '|' } else { c })),
        }
        plain.push('\n');
    }
    plain.into()
}

/// Whether a line only parts rows of a table; one that is mere dashes may part anything.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    // So psql ends.
    let is_count = line.starts_with('(') && (line.ends_with(" row)") || line.ends_with(" rows)"));
    if is_count && line.chars().filter(char::is_ascii_digit).count() > 0 && line.len() < 20 {
        return true;
    }
    let has_corners = line.starts_with(['+', '|']) || line.contains("-+-") || line.contains("─");
    let dashes = || line.chars().filter(|c| "-=─━═".contains(*c)).count();
    has_corners && line.chars().all(|c| RULES.contains(c)) && dashes() >= 3
}

/// Whether a line is the heading of a table in Jira.
fn is_heading(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("||") && line.ends_with("||") && line.matches("||").count() >= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_part_rows_are_left_out_and_all_others_stay_where_they_are() {
        for (text, made) in [
            ("+---+---+\n| a | b |\n+---+---+\n", "\n| a | b |\n\n"),
            ("| a | b |\n|:--|--:|\n| c | d |\n", "| a | b |\n\n| c | d |\n"),
            ("||a||b||\n|c|d|\n", "|a|b|\n|c|d|\n"),
            (" a | b \n---+---\n c | d \n", " a | b \n\n c | d \n"),
            ("┌───┬───┐\n│ a │ b │\n└───┴───┘\n", "\n| a | b |\n\n"),
        ] {
            assert_eq!(plain(text), made, "{text}");
        }
        for text in ["-----\na\n", "a || b\n", "||evil.com^\n||bad.example^\n", "2026-03-02\n", ""]
        {
            assert!(matches!(plain(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
