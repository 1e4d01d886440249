//! How a question led to what is flagged, drawn: a line for each host from the client to the server
//! upstream, an arrow for each message, and a remark for each alias on the way.
//!
//! Places are in percent across and in pixels down, so that the drawing is as wide as its room, on a
//! telephone too, and its text stays as large as the text around it.

use super::view::PageContext;
use super::visible_text::VisibleText;
use crate::attribution::{ChainStep, Place, Step};
use crate::flow::Address;
use crate::frame::FrameId;
use crate::report::wording::fold::Example;
use crate::report::wording::words;
use crate::resolution::{Leg, Role};
use crate::time::Timestamp;

/// Where the first arrow stands, below the hosts' names.
const TOP: u32 = 50;
/// How much lower every other host's name stands where there are more than three: side by side, their
/// addresses have no room on a narrow page.
const STAGGER: u32 = 34;
/// How high an arrow with its two lines of text is.
const ARROW: u32 = 54;
/// How high a remark is.
const REMARK: u32 = 26;
/// How many characters of a name fit beside a line on a narrow page.
const NAME_MAX: usize = 36;
/// How many resolvers are drawn between the client and the one that asked upstream.
const HOPS_MAX: usize = 3;
/// How many steps of the chain are drawn.
const STEPS_MAX: usize = 8;

/// A drawing.
#[derive(Clone, Debug)]
pub(super) struct Diagram {
    pub title: VisibleText,
    pub description: VisibleText,
    pub lanes: Vec<Lane>,
    /// Where the hosts' lines stand.
    pub lines: Vec<String>,
    pub arrows: Vec<Arrow>,
    pub remarks: Vec<Remark>,
    pub height: u32,
    /// Where the hosts' lines begin and end.
    pub top: u32,
    pub bottom: u32,
}

/// A host.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub x: String,
    pub y: u32,
    pub anchor: &'static str,
    pub role: &'static str,
    pub class: &'static str,
    pub host: VisibleText,
    pub whole: VisibleText,
}

/// A message.
#[derive(Clone, Debug)]
pub(super) struct Arrow {
    pub from: String,
    pub to: String,
    /// The shape of its head.
    pub head: &'static str,
    pub class: &'static str,
    /// Where its text stands, and which side of it.
    pub x: String,
    pub dx: i32,
    pub anchor: &'static str,
    pub y: u32,
    pub text: VisibleText,
    pub detail: VisibleText,
}

/// A step of the chain.
#[derive(Clone, Debug)]
pub(super) struct Remark {
    pub x: String,
    pub dx: i32,
    pub anchor: &'static str,
    pub y: u32,
    pub class: &'static str,
    pub text: VisibleText,
}

impl Arrow {
    /// Where the text above it stands.
    pub fn text_y(&self) -> u32 {
        self.y - 7
    }

    /// Where the text below it stands.
    pub fn detail_y(&self) -> u32 {
        self.y + 15
    }
}

impl Lane {
    /// Where its address stands, below what it is.
    pub fn host_y(&self) -> u32 {
        self.y + 17
    }

    /// As a percentage.
    fn x(place: usize, count: usize) -> String {
        let (first, last) = if count <= 2 { (15, 85) } else { (12, 88) };
        let steps = count.saturating_sub(1).max(1);
        format!("{}%", first + (last - first) * place / steps)
    }
}

/// Draws line by line.
struct Pen<'a> {
    context: &'a PageContext<'a>,
    asked: Timestamp,
    count: usize,
    y: u32,
    arrows: Vec<Arrow>,
    remarks: Vec<Remark>,
}

impl Pen<'_> {
    fn arrow(&mut self, from: usize, to: usize, class: &'static str, text: &str, detail: &str) {
        // Text begins at the client's line or ends at the server's, so that it has the whole width.
        let (left, right) = (from.min(to), from.max(to));
        let (x, dx, anchor) = if left == 0 {
            (Lane::x(0, self.count), 8, "start")
        } else if right + 1 == self.count {
            (Lane::x(right, self.count), -8, "end")
        } else {
            (Lane::x(left, self.count), 8, "start")
        };
        self.arrows.push(Arrow {
            from: Lane::x(from, self.count),
            to: Lane::x(to, self.count),
            head: if from < to { "M-9-5 0 0-9 5z" } else { "M9-5 0 0 9 5z" },
            class,
            x,
            dx,
            anchor,
            y: self.y + 22,
            text: VisibleText::new(text),
            detail: VisibleText::new(detail),
        });
        self.y += ARROW;
    }

    fn remark(&mut self, lane: usize, class: &'static str, text: &str) {
        let x = Lane::x(lane, self.count);
        // Beside the last line there is no room on its right.
        let (dx, anchor) = if lane + 1 == self.count { (-8, "end") } else { (0, "middle") };
        let text = VisibleText::new(text);
        self.remarks.push(Remark { x, dx, anchor, y: self.y + 12, class, text });
        self.y += REMARK;
    }

    /// When, and in which frame. The first message has its time; the others how long after it they came.
    fn at(&self, time: Option<Timestamp>, frame: FrameId) -> String {
        let when = time.map(|time| match time - self.asked {
            passed if passed.0 == 0 => self.context.moment(time),
            passed if passed.0 < 0 => format!("{} earlier", passed.abs()),
            passed => format!("{passed} later"),
        });
        let which = if frame.is_some() {
            match self.context.subject.files.of(frame) {
                Some(file) => {
                    format!(
                        "frame {} of {}",
                        frame.number(),
                        VisibleText::short(&self.context.file(file), 16)
                    )
                }
                None => format!("frame {}", frame.number()),
            }
        } else {
            "not captured".to_owned()
        };
        when.into_iter().chain([which]).collect::<Vec<_>>().join(" · ")
    }
}

/// Draws an example.
pub(super) fn draw<'a>(context: &'a PageContext<'a>, example: &Example) -> Diagram {
    let (client, sighting) = (&example.client, &example.sighting);
    let is_upstream = sighting.leg == Leg::Upstream;
    let hosts = hosts(example);
    let count = hosts.len();
    let resolver = count - 1 - usize::from(is_upstream);
    let top = if count > 3 { TOP + STAGGER } else { TOP };
    let mut pen = Pen {
        context,
        asked: client.asked_time,
        count,
        y: top,
        arrows: Vec::new(),
        remarks: Vec::new(),
    };
    let flagged_first = sighting.place == Place::Qname && client.chain.len() <= 1;
    let question =
        format!("{}  {}", client.asked_type, VisibleText::short(&client.asked, NAME_MAX));
    let answer = words::outcome(client.rcode);
    let (before, after) = split(example);
    // What was flagged is the last step, unless it is a host and stands at the top.
    let ends_before = before.len() + 1 == client.chain.len();
    let ends_after = before.len() + after.len() + 1 == client.chain.len();
    let upstream_first = is_upstream && sighting.time < client.asked_time;
    let ask = |pen: &mut Pen<'_>| {
        let class = if flagged_first { "ask flagged" } else { "ask" };
        let detail = pen.at(Some(client.asked_time), client.asked_frame);
        pen.arrow(0, 1.min(resolver), class, &question, &detail);
        for hop in 1..resolver {
            pen.arrow(hop, hop + 1, "ask", "forwards", "");
        }
    };
    let served = |pen: &mut Pen<'_>| {
        // The server that it asked is the one that answers it.
        match client.rcode {
            Some(_) => {
                let detail = pen.at(None, client.answer_frame);
                pen.arrow(1.min(resolver), 0, "answer", &answer, &detail);
            }
            None => pen.remark(resolver, "remark", "no answer to the client is in the capture"),
        }
    };
    if upstream_first {
        upstream(&mut pen, example, resolver);
        steps(&mut pen, resolver, after, ends_after);
        ask(&mut pen);
        steps(&mut pen, resolver, before, ends_before);
        served(&mut pen);
    } else if client.role == Role::Refresh {
        ask(&mut pen);
        served(&mut pen);
        steps(&mut pen, resolver, before, ends_before);
        upstream(&mut pen, example, resolver);
        steps(&mut pen, resolver, after, ends_after);
    } else {
        ask(&mut pen);
        steps(&mut pen, resolver, before, ends_before);
        if is_upstream {
            upstream(&mut pen, example, resolver);
            steps(&mut pen, resolver, after, ends_after);
        } else if client.role == Role::Cached {
            pen.remark(resolver, "remark", "it had the answer in its cache");
        }
        served(&mut pen);
    }
    let (title, description) = told(context, example);
    Diagram {
        title,
        description,
        lanes: lanes(&hosts, is_upstream && sighting.place == Place::Server),
        lines: (0..count).map(|place| Lane::x(place, count)).collect(),
        top: top - 13,
        bottom: pen.y,
        height: pen.y + 6,
        arrows: pen.arrows,
        remarks: pen.remarks,
    }
}

/// The hosts from left to right, with what they are.
fn hosts(example: &Example) -> Vec<(&'static str, Address)> {
    let (client, sighting) = (&example.client, &example.sighting);
    let mut hosts = vec![("client", client.address)];
    hosts.extend(client.hops.iter().take(HOPS_MAX).map(|hop| ("DNS server", *hop)));
    hosts.push(("DNS server", sighting.resolver));
    if sighting.leg == Leg::Upstream {
        hosts.push(("asked upstream", sighting.server));
    }
    hosts
}

/// The steps after the name asked for: those known when the question went upstream, and those that its
/// answer showed. That the server asked is what was flagged is shown at its name.
fn split(example: &Example) -> (&[ChainStep], &[ChainStep]) {
    let sighting = &example.sighting;
    let steps = example.client.chain.get(1..).unwrap_or_default();
    let steps = match steps {
        [before @ .., last] if last.step == Step::Server && sighting.leg == Leg::Upstream => before,
        _ => steps,
    };
    let is_shown = |step: &ChainStep| {
        sighting.leg == Leg::Upstream
            && sighting.response_frame.is_some()
            && step.frame == sighting.response_frame
    };
    let first_shown = steps.iter().position(is_shown).unwrap_or(steps.len());
    steps.split_at(first_shown)
}

fn lanes(hosts: &[(&'static str, Address)], flagged: bool) -> Vec<Lane> {
    let count = hosts.len();
    // On a narrow page three IPv4 addresses stand side by side.
    let room = if count == 2 { 22 } else { 17 };
    let lane = |(place, (role, address)): (usize, &(&'static str, Address))| Lane {
        x: match place {
            0 => "0%".to_owned(),
            _ if place + 1 == count => "100%".to_owned(),
            _ => Lane::x(place, count),
        },
        y: if count > 3 && place % 2 == 1 { 12 + STAGGER } else { 12 },
        anchor: match place {
            0 => "start",
            _ if place + 1 == count => "end",
            _ => "middle",
        },
        role,
        class: if flagged && place + 1 == count { "host hit" } else { "host" },
        host: VisibleText::short(&address.to_string(), room),
        whole: VisibleText::new(&address.to_string()),
    };
    hosts.iter().enumerate().map(lane).collect()
}

/// What the resolver asked upstream, and what came back.
fn upstream(pen: &mut Pen<'_>, example: &Example, resolver: usize) {
    let sighting = &example.sighting;
    let class =
        if matches!(sighting.place, Place::Qname | Place::Server) { "ask flagged" } else { "ask" };
    let question = format!("{}  {}", sighting.rtype, VisibleText::short(&sighting.name, NAME_MAX));
    let detail = pen.at(Some(sighting.time), sighting.frame);
    pen.arrow(resolver, resolver + 1, class, &question, &detail);
    let flagged_in_answer =
        matches!(sighting.place, Place::Alias | Place::Target | Place::Address | Place::Nameserver);
    let class = if flagged_in_answer { "answer flagged" } else { "answer" };
    match sighting.rcode {
        Some(_) => {
            let detail = pen.at(None, sighting.response_frame);
            let text = words::outcome(sighting.rcode);
            pen.arrow(resolver + 1, resolver, class, &text, &detail);
        }
        None => pen.remark(resolver, "remark", "nothing came back"),
    }
}

/// Steps of the chain, a remark each; whether the last of them is what was flagged.
fn steps(pen: &mut Pen<'_>, resolver: usize, steps: &[ChainStep], to_the_end: bool) {
    let left_out = steps.len().saturating_sub(STEPS_MAX);
    for (place, step) in steps.iter().enumerate() {
        let is_last = place + 1 == steps.len();
        if place + 1 >= STEPS_MAX && !is_last {
            if place + 1 == STEPS_MAX {
                pen.remark(
                    resolver,
                    "remark",
                    &format!("… {}", words::count(left_out as u64, "more step", "more steps")),
                );
            }
            continue;
        }
        let class = if is_last && to_the_end { "remark flagged" } else { "remark" };
        let text = format!("↳ {}{}", how(step.step), VisibleText::short(&step.name, NAME_MAX));
        pen.remark(resolver, class, &text);
    }
}

/// What a step of a chain is, before its name.
pub(super) fn how(step: Step) -> String {
    match (step, words::step(step)) {
        (Step::Alias, _) => "alias of ".to_owned(),
        (_, Some(what)) => format!("{what}: "),
        (_, None) => String::new(),
    }
}

/// The drawing in words.
fn told(context: &PageContext<'_>, example: &Example) -> (VisibleText, VisibleText) {
    let (client, sighting) = (&example.client, &example.sighting);
    let title = format!("How the question of {} led there", client.address);
    let mut text = format!(
        "At {} {} asked {} for {} ({}).",
        context.moment(client.asked_time),
        client.address,
        client.hops.first().unwrap_or(&sighting.resolver),
        client.asked,
        client.asked_type,
    );
    for step in client.chain.iter().skip(1).take(STEPS_MAX) {
        text.push_str(&format!(" {}{}.", how(step.step), step.name));
    }
    if sighting.leg == Leg::Upstream {
        text.push_str(&format!(
            " {} asked {} for {} ({}); {} came back.",
            sighting.resolver,
            sighting.server,
            sighting.name,
            sighting.rtype,
            words::outcome(sighting.rcode),
        ));
    }
    text.push_str(&format!(" The client got {}.", words::outcome(client.rcode)));
    (VisibleText::new(&title), VisibleText::new(&text))
}
