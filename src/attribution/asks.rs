//! Which of a client's questions were counted: one leads to several lookups upstream, each with an attribution.

use crate::frame::FrameId;

/// Which question of the capture one is: its file in the upper 16 bits, the frame's number in 40, and in 8 how many
/// messages that held before it (a TCP segment holds several). In the order of the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(u64);

impl QuestionId {
    /// The question in a message of a frame: that of the answer, where the question was not captured.
    pub fn new(frame: FrameId, place_in_frame: u8) -> QuestionId {
        let number = frame.number() << 8 & 0xffff_ffff_ff00;
        QuestionId(u64::from(frame.file()) << 48 | number | u64::from(place_in_frame))
    }
}

/// How many of the latest are told apart: the lookups of so many questions may be in flight at a time. There may be a
/// million of these, each full.
const LATEST_MAX: usize = 32;

/// The latest questions of one client, in their order.
#[derive(Clone, Debug, Default)]
pub struct Asks(Vec<QuestionId>);

impl Asks {
    /// Whether a question was not counted yet. From now on it is. One that is older than all that are remembered was:
    /// where many are tried again for long, that comes up more often than one that is first led there so late.
    pub fn is_new(&mut self, question: QuestionId) -> bool {
        let Err(place) = self.0.binary_search(&question) else { return false };
        if self.0.len() < LATEST_MAX {
            if self.0.is_empty() {
                // Of most clients it is the only one.
                self.0.reserve_exact(1);
            }
            self.0.insert(place, question);
            return true;
        }
        let Some(older @ [_, ..]) = self.0.get_mut(..place) else { return false };
        // The oldest makes room.
        older.rotate_left(1);
        if let Some(last) = older.last_mut() {
            *last = question;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(number: u64) -> QuestionId {
        QuestionId::new(FrameId::new(0, number), 0)
    }

    #[test]
    fn each_question_is_new_once_in_whatever_order_their_lookups_come() {
        let mut asks = Asks::default();
        let questions = (1..=32).chain([1, 20, 32, 2]).chain(33..=38).chain([7, 38]);
        let new = questions.filter(|number| asks.is_new(question(*number)));
        assert_eq!(new.count(), 38);
        assert!(asks.0.capacity() <= LATEST_MAX);
    }

    #[test]
    fn questions_that_are_all_tried_again_are_counted_once() {
        let mut asks = Asks::default();
        let tries = (0..3).flat_map(|_| 1..=40).map(question);
        assert_eq!(tries.filter(|question| asks.is_new(*question)).count(), 40);
    }
}
