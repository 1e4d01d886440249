//! A text that was made of another, and where each of its lines stood there.
//!
//! What is said of a row names its line, and that is to be the one of the file that the reader has before them.

/// The text, line by line.
#[derive(Debug, Default)]
pub(crate) struct NumberedText {
    text: String,
    /// By line: where it stood.
    line_numbers: Vec<u32>,
}

impl NumberedText {
    /// A text as it is.
    pub(crate) fn of(text: &str) -> NumberedText {
        let mut numbered = NumberedText::default();
        for (place, line) in (1..).zip(text.lines()) {
            numbered.push(line, place);
        }
        numbered
    }

    /// Adds a line, or several that stood in one.
    pub(crate) fn push(&mut self, line: &str, place: u32) {
        for line in line.split('\n') {
            self.text.push_str(line);
            self.text.push('\n');
            self.line_numbers.push(place);
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where a line, counted from 1, stood.
    pub(crate) fn original_line(&self, line: u32) -> u32 {
        let at = usize::try_from(line).ok().and_then(|line| line.checked_sub(1));
        at.and_then(|at| self.line_numbers.get(at))
            .or(self.line_numbers.last())
            .copied()
            .unwrap_or(line)
    }

    /// Its lines, each with where it stood.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (u32, &str)> + Clone {
        self.line_numbers.iter().copied().zip(self.text.split('\n'))
    }

    /// What was made of this, with where it stood before this was made.
    pub(crate) fn renumbered(&self, made: NumberedText) -> NumberedText {
        let line_numbers =
            made.line_numbers.iter().map(|place| self.original_line(*place)).collect();
        NumberedText { text: made.text, line_numbers }
    }
}
