//! Where alerts have times: who is named for them, and who asked at other times only.

use std::collections::BTreeSet;

use super::text::words::{list, number};
use crate::alert::Answer;
use crate::flow::Address;

/// How many clients are called by name.
const NAMES_MAX: usize = 4;

/// Who is named for alerts of which some have times.
#[derive(Clone, Debug)]
pub(super) struct Timed {
    named: BTreeSet<Address>,
    is_one: bool,
    is_seen_elsewhere: bool,
}

impl Timed {
    /// By the answers; none where no alert has a time, for then all that was seen answers them.
    pub fn of(answers: &[Answer]) -> Option<Timed> {
        answers.iter().find(|answer| answer.alert.time.is_some())?;
        let clients = answers.iter().flat_map(|answer| &answer.clients);
        Some(Timed {
            named: clients.map(|client| client.address).collect(),
            is_one: answers.len() == 1,
            is_seen_elsewhere: answers.iter().any(|answer| answer.basis.is_seen_elsewhere),
        })
    }

    /// Whether a client is named for one of them.
    pub fn names(&self, client: Address) -> bool {
        self.named.contains(&client)
    }

    /// What it comes to, if not all clients that were seen are named: those who are, and the others. They come with
    /// what they are called.
    pub fn words(&self, clients: impl Iterator<Item = (Address, String)>) -> Option<String> {
        let (these, others): (Vec<_>, Vec<_>) =
            clients.partition(|(client, _)| self.names(*client));
        let few = |clients: Vec<(Address, String)>| {
            let more = clients.len().saturating_sub(NAMES_MAX);
            let mut few: Vec<String> =
                clients.into_iter().take(NAMES_MAX).map(|(_, called)| called).collect();
            if more > 0 {
                few.push(format!("{} more", number(more as u64)));
            }
            list(&few)
        };
        if others.is_empty() {
            return None;
        }
        let times = self.times();
        let elsewhere = match self.is_seen_elsewhere {
            true => "At other times or DNS servers",
            false => "At other times",
        };
        Some(match these.is_empty() {
            true => format!("Nobody is named for {times}. {elsewhere}: {}.", few(others)),
            false => format!("At {times}: {}. {elsewhere} also: {}.", few(these), few(others)),
        })
    }

    /// What stands with a client that is not named.
    pub fn not_then(&self) -> String {
        format!("not at {}", self.times())
    }

    fn times(&self) -> &'static str {
        if self.is_one { "the alert's time" } else { "the alerts' times" }
    }
}
