//! An upstream query that is a further step of another: its answer led on to the name.

use super::History;
use super::candidate::INSTANT;
use super::cause::{Cause, Causes, LIKELY, Role, Trail};
use super::choice::SETS_OUT_MAX;
use super::no_client_reason::NoClientReason;
use super::retry::FAIL_OVER_MAX;
use super::walk::{Relation, Step, StepKind, Walk};
use crate::bounded::Sequence;
use crate::time::{Span, Timestamp};
use crate::transaction::Transaction;

impl History<'_> {
    /// Who caused a query by way of one whose answer had just led on to its name. A resolver that refreshes what it
    /// serves follows an alias that has changed; the answers that it served then hold what was known before, and clear
    /// those whose questions set it off. Where it cannot be told for whom that one was, neither can it of this.
    pub(super) fn led_on(
        &self,
        sent: &Transaction,
        walk: &Walk<'_>,
        began: Timestamp,
        trail: &mut Trail,
    ) -> Option<Causes> {
        let (number, before) = self.step_before(sent, walk)?;
        let mut causes = self.causes_beyond(number, &before, began, trail);
        if causes.clients.is_empty() {
            return causes.unexplained.is_some_and(NoClientReason::is_open).then_some(causes);
        }
        let aliases = self.edges.of_answer(number);
        let last = aliases.iter().position(|edge| edge.target == sent.name)?;
        let steps: Vec<Step> = aliases
            .iter()
            .take(last + 1)
            .map(|edge| Step {
                name: self.edges.target_name(edge).wire().to_vec(),
                kind: StepKind::Alias,
                frame: before.response,
            })
            .collect();
        for Cause { ask, role, relation, confidence_permille, chain, .. } in &mut causes.clients {
            let ask = self.transactions.get(*ask);
            if ask.and_then(|ask| ask.answered()).is_some_and(|at| at < sent.asked) {
                *role = Role::Refresh;
            }
            *relation = (*relation).max(Relation::Alias);
            *confidence_permille = (*confidence_permille).min(LIKELY);
            chain.extend(steps.iter().cloned());
        }
        Some(causes)
    }

    /// The query of the same type whose answer had just come and holds the alias that leads to the name of another.
    fn step_before(&self, sent: &Transaction, walk: &Walk<'_>) -> Option<(Sequence, Transaction)> {
        let just_told = |query: &Transaction| {
            let since = query.answered().map(|at| sent.asked - at);
            since.is_some_and(|since| (Span(-INSTANT.0)..=SETS_OUT_MAX).contains(&since))
        };
        let aliases = walk.reaches.iter().filter(|reach| reach.relation == Relation::Alias);
        let steps = aliases.filter_map(|reach| {
            let about = (reach.hash, reach.domain);
            let mut queries = self
                .upstream_about(&sent.client, about, sent.qtype, sent.asked)
                .take_while(|(_, query)| query.asked + FAIL_OVER_MAX >= sent.asked);
            queries.find(|(number, query)| {
                just_told(query)
                    && self.edges.of_answer(*number).iter().any(|edge| edge.target == sent.name)
            })
        });
        steps.max_by_key(|(number, query)| (query.answered(), *number))
    }
}
