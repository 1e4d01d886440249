//! What no client is named for, reason by reason.

use super::view::{Evidence, PageContext};
use super::visible_text::VisibleText;
use super::{Group, Unnamed, left_out};
use crate::attribution::Verdict;
use crate::report::wording::words;

/// How many groups are shown, and how many indicators in each.
const GROUPS_MAX: usize = 40;
/// See [`GROUPS_MAX`].
const INDICATORS_MAX: usize = 60;

/// The groups of one verdict.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub id: &'static str,
    pub title: &'static str,
    pub intro: &'static str,
    pub groups: Vec<ForReason>,
    pub more: String,
}

/// What is unnamed for one reason.
#[derive(Clone, Debug)]
pub(super) struct ForReason {
    pub queries: String,
    pub resolver: VisibleText,
    pub reason: VisibleText,
    pub rows: Vec<Row>,
    pub more: String,
}

/// One indicator.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub value: VisibleText,
    pub listed: VisibleText,
    pub asked: VisibleText,
    pub when: VisibleText,
    pub evidence: Evidence,
}

/// Both sections, as far as there is anything in them.
pub(super) fn sections(context: &PageContext<'_>) -> Vec<Section> {
    let kinds = [
        (
            Verdict::NoClient,
            "no-client",
            "No client",
            "The DNS server's own work: as far as the capture shows, no client asked for it.",
        ),
        (
            Verdict::Undetermined,
            "undecided",
            "Cannot be decided",
            "Nobody is named here, because it might be the wrong one. The reason says what would help.",
        ),
    ];
    let section = |(verdict, id, title, intro)| {
        let groups = context.fold.groups.of(verdict);
        let left = groups.len().saturating_sub(GROUPS_MAX);
        Section {
            id,
            title,
            intro,
            groups: groups
                .iter()
                .take(GROUPS_MAX)
                .map(|group| for_reason(context, group))
                .collect(),
            more: left_out(left as u64, "more group", "more groups"),
        }
    };
    kinds.into_iter().map(section).filter(|section| !section.groups.is_empty()).collect()
}

fn for_reason(context: &PageContext<'_>, group: &Group) -> ForReason {
    let unnamed = group.in_order();
    let left = unnamed.len().saturating_sub(INDICATORS_MAX);
    ForReason {
        queries: words::count(group.queries, "query", "queries"),
        resolver: VisibleText::new(&group.resolver.to_string()),
        reason: VisibleText::new(&group.why()),
        rows: unnamed.iter().take(INDICATORS_MAX).map(|unnamed| row(context, unnamed)).collect(),
        more: left_out(left as u64, "more indicator", "more indicators"),
    }
}

fn row(context: &PageContext<'_>, unnamed: &Unnamed) -> Row {
    let further = match unnamed.further {
        0 => String::new(),
        more => {
            format!("; {} for further names", words::count(more, "query", "queries"))
        }
    };
    let when = context.often(unnamed.queries, unnamed.first, unnamed.last);
    Row {
        value: VisibleText::new(context.value(unnamed.indicator)),
        listed: context.listed(unnamed.indicator),
        asked: VisibleText::new(&format!("{}{further}", words::list(&unnamed.names))),
        when: VisibleText::new(&when),
        evidence: context.filters(&unnamed.frames),
    }
}
