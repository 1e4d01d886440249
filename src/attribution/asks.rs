//! Which of a client's questions were counted: one leads to several lookups upstream, each with an attribution.

use super::Client;
use crate::frame::FrameId;

/// How many of the latest are told apart; the lookups of so many questions may be in flight at a time.
const LATEST_MAX: usize = 64;

/// The latest questions of one client, in their order.
#[derive(Clone, Debug, Default)]
pub struct Asks(Vec<FrameId>);

impl Asks {
    /// Whether the question behind an attribution was not counted yet. From now on it is.
    pub fn is_new(&mut self, client: &Client) -> bool {
        let question = client.question();
        let Err(place) = self.0.binary_search(&question) else { return false };
        self.0.insert(place, question);
        if self.0.len() > LATEST_MAX {
            self.0.remove(0);
        }
        true
    }
}
