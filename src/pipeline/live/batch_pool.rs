//! What goes round, where it lies while nobody has it.
//!
//! Each capture thread has batches whose memory is taken once, at the start, and not when the analysis is behind for
//! the first time, an hour later: else resident memory would go up by a step with each stall that is longer than those
//! before. To give it back in the calm would not do. What is freed in a thread's heap of glibc stays with the process,
//! since its thresholds rise with the largest block that was ever freed (measured: of 33 MB in such batches none went back
//! once 20 MB had been freed anywhere). Instead little is needed: what waits is frames as they came, and only what is being
//! analysed or is about to be was read.

use std::sync::Mutex;

use super::{BATCHES, lock};
use crate::capture::BATCH_FRAMES_MAX;
use crate::frame::Batch;

/// The octets that a batch has room for from the start: 160 a frame, where those of DNS have some 130 on average.
const OCTETS: usize = 160 * BATCH_FRAMES_MAX;
/// A batch whose frames took more than this gives it back.
const OCTETS_KEPT: usize = 1 << 20;

/// Batches that are used again. Who takes one takes the one that was put back last, which is still in the cache.
pub(super) struct BatchPool(Mutex<Vec<Batch>>);

impl BatchPool {
    /// Those of a source.
    pub(super) fn batches() -> BatchPool {
        let batch = || Batch::with_room(BATCH_FRAMES_MAX, OCTETS);
        BatchPool(Mutex::new(std::iter::repeat_with(batch).take(BATCHES).collect()))
    }

    pub(super) fn take(&self) -> Option<Batch> {
        lock(&self.0).pop()
    }

    /// Takes an emptied batch back. What frames of unusual size took does not lie there for ever; and what has no
    /// memory stood for a batch where no frame came, and is none.
    pub(super) fn put_back(&self, mut batch: Batch) {
        batch.clear();
        if batch.arena.capacity() == 0 {
            return;
        }
        if batch.arena.capacity() > OCTETS_KEPT {
            batch.arena = Vec::with_capacity(OCTETS);
        }
        lock(&self.0).push(batch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Frame, FrameId, LinkType};
    use crate::time::Timestamp;

    fn filled(batch: &mut Batch, octets: usize) {
        let (id, time, link) = (FrameId::NONE, Timestamp(1), LinkType(1));
        let bytes = &vec![0; octets];
        batch.push(Frame { id, time, link, original_len: 1, bytes });
    }

    #[test]
    fn a_batch_has_its_memory_from_the_start_and_gives_back_what_is_unusual() {
        let pile = BatchPool::batches();
        let mut batch = pile.take().unwrap();
        let arena = batch.arena.as_ptr();
        assert!(batch.is_empty() && batch.arena.capacity() >= OCTETS);
        filled(&mut batch, OCTETS);
        assert_eq!(batch.arena.as_ptr(), arena, "nothing was allocated");
        pile.put_back(batch);
        let mut batch = pile.take().unwrap();
        assert!(batch.is_empty() && batch.arena.as_ptr() == arena, "the last comes first");
        filled(&mut batch, OCTETS_KEPT + 1);
        pile.put_back(batch);
        assert!(pile.take().unwrap().arena.capacity() < OCTETS_KEPT);
    }
}
