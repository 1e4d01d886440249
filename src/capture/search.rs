//! Where a damaged file goes on: the next place where some records stand in a row, each where the one before it ends.
//!
//! One record alone shows nothing, for what lies in a hole may look like its header. Each place is given up after a
//! few headers, so that the search takes time in proportion to what it passes over.

/// How many records in a row show where records go on.
const IN_A_ROW: usize = 4;
/// What is searched for is no longer than that, its header included: a frame that a network card has put together.
pub(super) const RECORD_OCTETS_MAX: usize = (1 << 16) + 4_096;
/// Octets in which as many records surely lie.
pub(super) const SEARCHED_IN: usize = IN_A_ROW * RECORD_OCTETS_MAX;

/// Where records go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resumption {
    /// After so many octets.
    After(usize),
    /// Not within so many; what is behind them is too short to tell.
    NotWithin(usize),
}

/// Whether some octets are records in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    /// As many as are needed.
    Whole,
    /// Fewer, of which the last ends with the octets.
    ToTheEnd,
    /// Fewer, of which the last goes on behind them.
    Beyond,
    None,
}

/// Searches octets, behind which there are no more if `is_end`, for where records go on. `likely` says of octets, `header`
/// of them at least, how long the record is that they begin with, from `header` to [`RECORD_OCTETS_MAX`], if they do.
pub(super) fn search(
    bytes: &[u8],
    is_end: bool,
    header: usize,
    likely: impl Fn(&[u8]) -> Option<usize>,
) -> Resumption {
    for start in 0..bytes.len() {
        match row_at(bytes, start, header, &likely) {
            Row::Whole => return Resumption::After(start),
            Row::ToTheEnd if is_end => return Resumption::After(start),
            Row::ToTheEnd | Row::Beyond if !is_end => return Resumption::NotWithin(start),
            Row::ToTheEnd | Row::Beyond | Row::None => {}
        }
    }
    Resumption::NotWithin(bytes.len())
}

/// Whether records stand in a row from somewhere on.
fn row_at(
    bytes: &[u8],
    start: usize,
    header: usize,
    likely: &impl Fn(&[u8]) -> Option<usize>,
) -> Row {
    let mut at = start;
    for _ in 0..IN_A_ROW {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.len() < header {
            return if at == bytes.len() { Row::ToTheEnd } else { Row::Beyond };
        }
        let Some(len) = likely(rest) else { return Row::None };
        at += len;
    }
    Row::Whole
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records of which the first octet is their length, and the second 9.
    fn found(bytes: &[u8], is_end: bool) -> Resumption {
        search(bytes, is_end, 2, |rest| {
            let [len, 9, ..] = rest else { return None };
            (*len >= 2).then_some(usize::from(*len))
        })
    }

    #[test]
    fn four_in_a_row_are_records() {
        assert_eq!(found(&[7, 7, 2, 9, 2, 9, 3, 9, 0, 2, 9, 5], false), Resumption::After(2));
        assert_eq!(found(&[2, 9, 2, 9, 7, 7, 2, 9, 2, 9, 2, 9, 2, 9], false), Resumption::After(6));
    }

    #[test]
    fn fewer_are_records_where_the_file_ends_with_them() {
        assert_eq!(found(&[7, 7, 7, 3, 9, 0], true), Resumption::After(3));
        assert_eq!(found(&[7, 7, 7, 3, 9, 0], false), Resumption::NotWithin(3));
        // A record that is cut, or only looks like one.
        assert_eq!(found(&[7, 7, 7, 4, 9, 0], true), Resumption::NotWithin(6));
        assert_eq!(found(&[7, 7, 7, 4, 9, 0], false), Resumption::NotWithin(3));
    }
}
