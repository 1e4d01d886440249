//! The answer as a page that can be forwarded: one HTML file, without scripts or outside resources.
//!
//! The verdict comes first, and where there are more than a few clients a table of them and what to do about each kind;
//! then a card for each client; then the answers to the alerts; then what led there, indicator by indicator; then what
//! no client is named for; then what the capture shows and lacks. It is written at the end, from what was folded while
//! attributions were settled. Page one is for whoever decides; what proves it comes after, and stays off paper where it
//! is much.
//!
//! # What an attacker may write
//!
//! Names, host names, alerts and file names are chosen by others. Three things stand between them and
//! whoever opens the page, each enough for itself:
//!
//! 1. All text is [`VisibleText`](visible_text::VisibleText), which has nothing in it that is not seen.
//! 2. The templates escape it, as HTML and as SVG within HTML; nothing foreign stands in a style, in the
//!    address of a link, or in an attribute without quotes.
//! 3. The page's content security policy allows no script, no request and no style but the one whose hash
//!    it names.
//!
//! # How large it gets
//!
//! What is kept is bounded (`said/fold.rs`), and so is what is shown of it: where something has no room, the
//! page says how much.

mod advice;
mod alerts;
mod capture;
mod cards;
mod diagram;
mod file;
mod flagged;
mod overview;
mod path;
mod timeline;
mod unnamed;
mod view;
mod visible_text;

use std::io;
use std::path::Path;

use askama::Template;

use self::advice::ToDo;
use self::alerts::Alerts;
use self::capture::Capture;
use self::cards::Card;
use self::file::Destination;
use self::flagged::Flagged;
use self::overview::Overview;
use self::timeline::Timeline;
use self::view::PageContext;
use self::visible_text::VisibleText;
use super::wording::caveats::{caveats, unread};
use super::wording::headline::{self, Found};
use super::wording::words::{count, list};
use super::wording::{fold, unnamed as groups};
use super::{Ending, Report, Subject};
use crate::attribution::Attribution;
use crate::report::weighed::Weighed;

/// How the page looks. The content security policy of the page names its hash, so that no other style is
/// heeded; a test holds the two together.
const STYLE: &str = include_str!("../../../templates/report.css");
/// The SHA-256 of [`STYLE`] in base64, as CSP level 3 wants it.
const STYLE_HASH: &str = "sha256-sdx0F3c6T4fSX5oOQ33OOFpc5rhcg8+3olQsHMimWoc=";
/// How many clients have a card; more stand in the table alone.
const CARDS_MAX: usize = 120;
/// How many indicators have a section; more are listed in short.
const SECTIONS_MAX: usize = 80;
/// How many clients have a rail in the overview.
const RAILS_MAX: usize = 24;
/// How many names asked for are kept with a dealing.
const WAYS_MAX: usize = 8;
/// How many frames are named, those of one sighting aside.
const FRAMES_MAX: usize = 24;
/// How many lists are named at the top.
const LISTS_MAX: usize = 4;

type Fold = fold::Fold<WAYS_MAX, FRAMES_MAX>;
type Dealing = fold::Dealing<WAYS_MAX, FRAMES_MAX>;
type Suspected<'f> = fold::Suspected<'f, WAYS_MAX, FRAMES_MAX>;
type Frames = fold::Frames<FRAMES_MAX>;
type Group = groups::Group<WAYS_MAX, FRAMES_MAX>;
type Unnamed = groups::Unnamed<WAYS_MAX, FRAMES_MAX>;

/// The page.
#[derive(Debug)]
pub struct Html<'a> {
    destination: Destination,
    subject: Subject<'a>,
    fold: Fold,
}

impl<'a> Html<'a> {
    /// A page to be written to `path` at the end.
    ///
    /// # Errors
    /// When it cannot be written there, or something else than a page would be lost by it.
    pub fn create(path: &Path, subject: Subject<'a>) -> io::Result<Html<'a>> {
        Ok(Html { destination: Destination::new(path)?, subject, fold: Fold::default() })
    }
}

impl Report for Html<'_> {
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()> {
        self.fold.add(attribution);
        Ok(())
    }

    fn end(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        self.fold.complete(ending, &Weighed::of(ending));
        let page =
            Page::new(&PageContext::new(self.subject, ending, &self.fold, CARDS_MAX, SECTIONS_MAX));
        let page = page.render().map_err(io::Error::other)?;
        self.destination.write(&(page + "\n"))
    }
}

/// All that stands on the page, for `templates/report.html`.
#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    style: &'static str,
    style_hash: &'static str,
    version: &'static str,
    title: VisibleText,
    heading: Heading,
    looked_at: VisibleText,
    zone: VisibleText,
    cautions: Vec<VisibleText>,
    overview: Overview,
    to_do: Vec<ToDo>,
    when: Timeline,
    cards: Vec<Card>,
    /// How many clients have none.
    cards_more: String,
    clients_left_out: String,
    alerts: Alerts,
    flagged: Vec<Flagged>,
    /// Whether there are so many drawings that they are closed, and left out on paper.
    are_drawings_many: bool,
    flagged_rows: Vec<flagged::Row>,
    flagged_more: String,
    unnamed: Vec<unnamed::Section>,
    unnamed_left_out: String,
    capture: Capture,
}

impl Page {
    fn new(context: &PageContext<'_>) -> Page {
        let (flagged_rows, flagged_more) = flagged::rows(context, SECTIONS_MAX);
        let of_clients: Vec<_> = context
            .clients
            .iter()
            .map(|client| (client.address, client.dealings.clone()))
            .collect();
        let mut cautions: Vec<VisibleText> =
            caveats(context.ending).iter().map(|text| VisibleText::new(text)).collect();
        cautions.extend(alerts::cautions(context));
        Page {
            style: STYLE,
            style_hash: STYLE_HASH,
            version: env!("CARGO_PKG_VERSION"),
            title: title(context),
            heading: heading(context),
            looked_at: VisibleText::new(&looked_at(context)),
            zone: context.zone(),
            cautions,
            overview: overview::overview(context),
            to_do: advice::by_urgency(context),
            when: timeline::draw(context, &of_clients, RAILS_MAX),
            cards: cards::cards(context, CARDS_MAX),
            cards_more: left_out(
                context.clients.len().saturating_sub(CARDS_MAX) as u64,
                "more client",
                "more clients",
            ),
            clients_left_out: left_out(context.fold.clients_left_out, "lookup", "lookups"),
            alerts: alerts::answers(context),
            flagged: flagged::sections(context, SECTIONS_MAX),
            are_drawings_many: flagged::are_many(context, SECTIONS_MAX),
            flagged_rows,
            flagged_more,
            unnamed: unnamed::sections(context),
            unnamed_left_out: left_out(context.fold.groups.left_out, "query", "queries"),
            capture: capture::capture(context),
        }
    }
}

/// How many had no room; nothing if all had.
fn left_out(number: u64, one: &str, many: &str) -> String {
    if number == 0 { String::new() } else { count(number, one, many) }
}

/// The heading, and what stands beside it.
#[derive(Clone, Debug)]
struct Heading {
    verdict: VisibleText,
    beside: VisibleText,
}

/// What it comes to, as the text has it, too.
fn heading(context: &PageContext<'_>) -> Heading {
    let found: Vec<Found> = context.clients.iter().map(Suspected::found).collect();
    let is_more = context.fold.clients_left_out > 0;
    let heading = headline::heading(context.ending, context.timed.as_ref(), &found, is_more);
    let unread = unread(context.ending).map_or(String::new(), |unread| format!(" {unread}"));
    Heading {
        verdict: VisibleText::new(&(heading.verdict + &unread)),
        beside: VisibleText::new(&heading.beside),
    }
}

/// What the browser's tab and the head of a printed page say.
fn title(context: &PageContext<'_>) -> VisibleText {
    let answers = context.ending.answers;
    let is_named = |client: &&Suspected<'_>| {
        context.timed.as_ref().is_none_or(|timed| timed.names(client.address))
    };
    let named = context.clients.iter().filter(is_named).count() as u64;
    let who = match (named, answers.len() as u64) {
        (0, alerts @ 1..) => format!("Nobody is named for {}", count(alerts, "alert", "alerts")),
        (_, 1..) => format!("{} behind the alerts", count(named, "client", "clients")),
        (_, 0) => format!("{} behind what was flagged", count(named, "client", "clients")),
    };
    let files = match context.subject.files.0.as_slice() {
        [file] => format!(" in {}", VisibleText::short(&context.file(file), 60)),
        files => format!(" in {}", count(files.len() as u64, "file", "files")),
    };
    VisibleText::new(&format!("Who asked? {who}{files}"))
}

/// When, and how much.
fn looked_at(context: &PageContext<'_>) -> String {
    let indicators = context.subject.indicators;
    let messages = count(context.ending.lacked.decoded.messages, "DNS message", "DNS messages");
    let all = indicators.list_names().count();
    let mut lists: Vec<String> =
        indicators.list_names().take(LISTS_MAX).map(|path| context.list(path)).collect();
    if all > LISTS_MAX {
        lists.push(count((all - LISTS_MAX) as u64, "other list", "other lists"));
    }
    let entries = count(indicators.len() as u64, "indicator", "indicators");
    let span = context.ending.coverage.span.map(|(first, last)| context.times.span(first, last));
    let held = format!("{messages} searched for {entries} of {}.", list(&lists));
    span.into_iter().chain([held]).collect::<Vec<_>>().join(": ")
}
