//! Plain lists: one name, address or network a line.
//!
//! A comment begins with `#`, `;` or `//` at the start of a line or behind white space, and ends with
//! the line.

/// The line without its comment and the white space around it.
pub(super) fn content_of(line: &[u8]) -> &[u8] {
    let mut space = true;
    let comment = line.iter().enumerate().position(|(at, &octet)| {
        let begins = match octet {
            b'#' | b';' => space,
            b'/' => space && line.get(at + 1) == Some(&b'/'),
            _ => false,
        };
        space = octet.is_ascii_whitespace();
        begins
    });
    line.get(..comment.unwrap_or(line.len())).unwrap_or(line).trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_end_the_content() {
        for (line, content) in [
            ("evil.com", "evil.com"),
            ("  evil.com\t\r", "evil.com"),
            ("# evil.com", ""),
            ("; evil.com", ""),
            ("//evil.com", ""),
            ("evil.com # c2", "evil.com"),
            ("evil.com ; c2", "evil.com"),
            ("evil.com\t// c2", "evil.com"),
            ("http://evil.com/#a;b//c", "http://evil.com/#a;b//c"),
            ("evil.com / c2", "evil.com / c2"),
            ("", ""),
            (" \r", ""),
        ] {
            assert_eq!(content_of(line.as_bytes()), content.as_bytes(), "{line:?}");
        }
    }
}
