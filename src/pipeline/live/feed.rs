//! From frames to what was read of them: on the thread that wants it, or by decoders on threads of their own.

use std::collections::BTreeMap;
use std::thread::Scope;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::Lookout;
use crate::frame::Batch;
use crate::pipeline::decode::{Decoded, Decoder};
use crate::time::Timestamp;

/// How many stages each decoder has: few, so that they stay in the cache.
const STAGES_EACH: usize = 4;

/// A batch of frames, and until when all frames were in it or in those before.
pub(super) struct Raw {
    pub(super) batch: Batch,
    pub(super) until: Timestamp,
}

/// The same, decoded.
#[derive(Default)]
pub(super) struct Stage {
    pub(super) decoded: Decoded,
    pub(super) until: Timestamp,
}

/// Who decodes.
#[derive(Clone)]
pub(super) struct Reading<'l> {
    decoder: Decoder,
    lookout: &'l Lookout,
    turn: u64,
}

impl<'l> Reading<'l> {
    pub(super) fn new(decoder: Decoder, lookout: &'l Lookout) -> Reading<'l> {
        Reading { decoder, lookout, turn: 0 }
    }

    fn read(&mut self, raw: Raw, stage: &mut Stage) {
        if let Some(indicators) = self.lookout.newer(&mut self.turn) {
            self.decoder.look_out_for(indicators);
        }
        stage.decoded.clear();
        (stage.decoded.batch, stage.until) = (raw.batch, raw.until);
        self.decoder.decode(&mut stage.decoded);
    }

    /// Decodes what comes, as one of several. A stage is taken first: whoever has the next batch must not wait for
    /// those behind it to give one back.
    fn serve(mut self, idle: &Receiver<Stage>, raw: &Receiver<Raw>, done: &Sender<Stage>) {
        for mut stage in idle {
            let Ok(next) = raw.recv() else { break };
            self.read(next, &mut stage);
            if done.send(stage).is_err() {
                break;
            }
        }
    }
}

/// Decoded batches, in order.
#[allow(clippy::large_enum_variant, reason = "there is one")]
pub(super) enum Feed<'l> {
    /// Decoded when they are asked for.
    Here { reading: Reading<'l>, raw: Receiver<Raw>, stage: Stage },
    /// Decoded by others, and put back in order.
    Apart { done: Receiver<Stage>, idle: Sender<Stage>, early: BTreeMap<u64, Stage>, next: u64 },
}

impl<'l> Feed<'l> {
    /// Of what comes raw. With more than one worker, so many threads decode.
    pub(super) fn new<'s>(
        scope: &'s Scope<'s, '_>,
        reading: Reading<'l>,
        raw: Receiver<Raw>,
        workers: usize,
    ) -> Feed<'l>
    where
        'l: 's,
    {
        if workers <= 1 {
            return Feed::Here { reading, raw, stage: Stage::default() };
        }
        let stages = STAGES_EACH * workers;
        let (done_in, done) = bounded(stages);
        let (idle, idle_out) = bounded(stages);
        for _ in 0..stages {
            // There is room for all of them.
            let _ = idle.send(Stage::default());
        }
        for _ in 0..workers {
            let (reading, idle) = (reading.clone(), idle_out.clone());
            let (raw, done) = (raw.clone(), done_in.clone());
            scope.spawn(move || reading.serve(&idle, &raw, &done));
        }
        Feed::Apart { done, idle, early: BTreeMap::new(), next: 0 }
    }

    /// The next one. It is to be put back.
    pub(super) fn next(&mut self, wait: Duration) -> Result<Stage, RecvTimeoutError> {
        match self {
            Feed::Here { reading, raw, stage } => {
                let next = raw.recv_timeout(wait)?;
                reading.read(next, stage);
                Ok(std::mem::take(stage))
            }
            Feed::Apart { done, early, next, .. } => loop {
                if let Some(stage) = early.remove(next) {
                    *next += 1;
                    return Ok(stage);
                }
                let stage = done.recv_timeout(wait)?;
                early.insert(stage.decoded.batch.sequence, stage);
            },
        }
    }

    /// Takes a stage back, and returns its batch.
    pub(super) fn put_back(&mut self, mut used: Stage) -> Batch {
        let batch = std::mem::take(&mut used.decoded.batch);
        match self {
            Feed::Here { stage, .. } => *stage = used,
            Feed::Apart { idle, .. } => drop(idle.send(used)),
        }
        batch
    }
}
