//! Pictures, held against golden copies at the sizes that terminals have.

use hdrhistogram::Histogram;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::*;
use crate::attribution::{Attribution, Coverage, ResolverCoverage, Verdict, Verdicts};
use crate::live::{Complaint, Interface, Lists, Losses, OutputState};
use crate::resolution::{Known, Role};
use crate::screen::keys::Key;
use crate::screen::tests::{DC, MORNING, address, attributions, feed, sights};
use crate::time::UTC;

const NOW: Timestamp = Timestamp(MORNING.0 + 90_000_000_000);

fn resolver(ip: &str, asked: u64) -> ResolverCoverage {
    ResolverCoverage {
        addresses: vec![address(ip)],
        known: Known::AsksAndAnswers,
        shared_mac: None,
        asked,
        asks: asked / 3,
        answers: asked - 1,
    }
}

fn interface(name: &str) -> Interface {
    let (received, octets) = (1_234_567, 123_456_789);
    Interface { name: name.to_owned(), is_up: true, received, octets, ..Interface::default() }
}

/// All is well.
fn well() -> Status {
    let mut to_report = Histogram::new_with_bounds(1, 600_000_000, 2).unwrap();
    to_report.record(52_000).unwrap();
    let mut status = Status {
        began: MORNING + Span::from_secs(-7_500),
        at: NOW,
        interfaces: vec![interface("eth1")],
        provisional: Verdicts { attributed: 4, no_client: 1, undetermined: 0 },
        settled: Verdicts { attributed: 3, no_client: 1, undetermined: 0 },
        coverage: Some(Coverage {
            span: Some((MORNING, NOW)),
            resolvers: vec![resolver(DC, 81_234), resolver("192.168.2.12", 4_321)],
            ..Coverage::default()
        }),
        to_report: Some(to_report),
        lists: Lists { indicators: 1_000_000, read: MORNING, fault: None },
        ..Status::default()
    };
    status.decoded.messages = 1_200_000;
    status
}

/// Nothing is.
fn ill() -> Status {
    let mut status = well();
    status.interfaces.push(Interface {
        fault: Some("the interface eth2 is down".to_owned()),
        is_up: false,
        dropped_by_kernel: 12_345,
        dropped_by_interface: 77,
        ..interface("eth2")
    });
    status.losses = Losses { batches: 3, frames: 3_072, panics: 1 };
    status.decoded.malformed = 9;
    status.lists.fault = Some("flagged.txt: no usable entry".to_owned());
    status.outputs = vec![OutputState {
        name: "jsonl=answers.jsonl".to_owned(),
        written: 1_000,
        queued: 12,
        lost: 40,
        fault: Some("No space left on device".to_owned()),
    }];
    let words = "Only packets to the DNS server are seen, none from it: mirror its port in both directions.";
    status.complaints = vec![
        Complaint { name: "one-direction", words: words.to_owned() },
        Complaint { name: "duplicates", words: "Each frame comes twice.".to_owned() },
    ];
    let coverage = status.coverage.get_or_insert_default();
    coverage.forgotten = 17;
    coverage.resolvers.extend((1..9).map(|n| resolver(&format!("10.0.0.{n}"), 10)));
    status
}

/// A screen to be looked at.
struct Desk {
    status: Status,
    stance: Stance,
    all: Vec<Group>,
    notices: Notices,
    newer: u64,
    is_coloured: bool,
    first: usize,
    fell_out: u64,
    now: Timestamp,
}

impl Desk {
    fn new(status: Status) -> Desk {
        let (stance, notices, all) = (Stance::default(), Notices::new(), sights());
        Desk {
            status,
            stance,
            all,
            notices,
            newer: 0,
            is_coloured: false,
            first: 0,
            fell_out: 0,
            now: NOW,
        }
    }

    fn press(mut self, keys: &[Key]) -> Desk {
        for key in keys {
            let shown = self.stance.shown(&self.all);
            self.stance.key(*key, &shown, Room { list: 5, text: 5, text_lines: 50, first: 0 });
        }
        self
    }

    fn terminal(&self, width: u16, height: u16) -> (Terminal<TestBackend>, Room) {
        let mut pulse = Pulse::default();
        for second in 0..60i64 {
            let mut status = self.status.clone();
            status.at = MORNING + Span::from_secs(second);
            let count = (second * second * 40) as u64;
            status.interfaces[0].received = count;
            status.decoded.messages = count / 2;
            pulse.note(&status);
        }
        let shown = self.stance.shown(&self.all);
        let view = View {
            status: &self.status,
            pulse: &pulse,
            sights: &shown,
            all: self.all.len(),
            fell_out: self.fell_out,
            newer: self.newer,
            first: self.first,
            stance: &self.stance,
            notices: &self.notices,
            zone: &UTC,
            now: self.now,
            is_coloured: self.is_coloured,
            is_ending: false,
        };
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let mut room = Room::default();
        terminal.draw(|frame| room = draw(&view, frame.buffer_mut())).unwrap();
        (terminal, room)
    }

    fn picture(&self, width: u16, height: u16) -> String {
        self.terminal(width, height).0.backend().to_string()
    }
}

#[test]
fn all_is_well_at_80x24() {
    insta::assert_snapshot!(Desk::new(well()).picture(80, 24));
}

#[test]
fn all_is_well_at_120x40() {
    insta::assert_snapshot!(Desk::new(well()).picture(120, 40));
}

#[test]
fn all_is_well_at_60x15() {
    insta::assert_snapshot!(Desk::new(well()).picture(60, 15));
}

#[test]
fn all_is_ill_at_80x24() {
    let mut desk = Desk::new(ill());
    desk.notices.push(NOW, "whoasked: the interface eth2 is down; waiting for it");
    insta::assert_snapshot!(desk.picture(80, 24));
}

#[test]
fn all_is_ill_at_120x40() {
    insta::assert_snapshot!(Desk::new(ill()).picture(120, 40));
}

#[test]
fn all_is_ill_at_60x15() {
    insta::assert_snapshot!(Desk::new(ill()).picture(60, 15));
}

#[test]
fn a_sighting_in_full_at_80x24() {
    let desk = Desk::new(well()).press(&[Key::Enter]);
    insta::assert_snapshot!(desk.picture(80, 24));
}

#[test]
fn a_sighting_in_full_below_the_list_at_120x40() {
    let desk = Desk::new(well()).press(&[Key::Down, Key::Enter]);
    insta::assert_snapshot!(desk.picture(120, 40));
}

#[test]
fn what_has_no_client_in_full_at_80x24() {
    let desk = Desk::new(well()).press(&[Key::Down, Key::Down, Key::Down, Key::Enter]);
    insta::assert_snapshot!(desk.picture(80, 24));
}

#[test]
fn a_filter_and_a_pause_at_80x24() {
    let mut desk = Desk::new(well()).press(&[Key::Character('p'), Key::Character('/')]);
    desk = desk.press(&[Key::Character('k'), Key::Character('e'), Key::Character('v')]);
    desk.newer = 12;
    insta::assert_snapshot!(desk.picture(80, 24));
}

#[test]
fn help_at_80x24() {
    insta::assert_snapshot!(Desk::new(well()).press(&[Key::Character('?')]).picture(80, 24));
}

#[test]
fn the_state_in_full_at_120x40() {
    let mut desk = Desk::new(ill()).press(&[Key::Character('s')]);
    desk.notices.push(NOW, "whoasked: 12 packets\n  eth1: up\n  eth2: down");
    insta::assert_snapshot!(desk.picture(120, 40));
}

#[test]
fn nothing_was_seen_so_far() {
    let mut desk = Desk::new(Status { began: NOW, at: NOW, ..Status::default() });
    desk.status.interfaces = vec![Interface { name: "eth1".to_owned(), ..Interface::default() }];
    desk.all.clear();
    insta::assert_snapshot!(desk.picture(80, 24));
}

#[test]
fn any_size_is_drawn_and_the_too_small_say_so() {
    for status in [well(), ill()] {
        for key in [Key::Escape, Key::Enter, Key::Character('?'), Key::Character('s')] {
            let desk = Desk::new(status.clone()).press(&[key]);
            for (width, height) in [
                (1, 1),
                (39, 24),
                (80, 7),
                (40, 8),
                (41, 9),
                (79, 23),
                (80, 31),
                (200, 32),
                (300, 100),
            ] {
                let picture = desk.picture(width, height);
                let is_small = width < LEAST.0 || height < LEAST.1;
                assert_eq!(picture.contains("too small"), is_small && width > 20, "{picture}");
                let has_keys = picture.contains("q quit") || picture.contains("q back");
                assert_eq!(has_keys, !is_small, "{picture}");
            }
        }
    }
}

#[test]
fn without_colours_there_are_none_and_with_them_what_is_flagged_is_red() {
    for is_coloured in [false, true] {
        let desk = Desk { is_coloured, ..Desk::new(ill()) };
        let (terminal, _) = desk.terminal(120, 40);
        let cells = terminal.backend().buffer().content();
        let colours =
            cells.iter().filter(|cell| (cell.fg, cell.bg) != (Color::Reset, Color::Reset));
        assert_eq!(colours.count() > 0, is_coloured);
        let red: String =
            cells.iter().filter(|cell| cell.fg == Color::Red).map(|cell| cell.symbol()).collect();
        assert_eq!(red.contains("mi.kenal-cn.com"), is_coloured, "{red}");
    }
}

#[test]
fn the_chosen_one_is_in_sight_and_the_list_moves_no_more_than_it_must() {
    let attributions = (0..50u64).map(|number| {
        let mut attribution = attributions().remove(0);
        attribution.id = format!("n{number}");
        // Each is of another client, or they would be one line.
        attribution.clients[0].address = address(&format!("10.0.0.{number}"));
        attribution.sighting.time = MORNING + Span::from_secs(number as i64);
        attribution
    });
    let all = feed(attributions.collect()).newest().0;
    let mut desk = Desk { all, ..Desk::new(well()) };
    let room = desk.terminal(80, 24).1;
    assert!(room.list >= 10, "{room:?}");
    let mut firsts = Vec::new();
    for key in [Key::PageDown, Key::PageDown, Key::Up, Key::Up, Key::End, Key::Home] {
        let shown = desk.stance.shown(&desk.all);
        desk.stance.key(key, &shown, room);
        let (terminal, room) = desk.terminal(80, 24);
        desk.first = room.first;
        let picture = terminal.backend().to_string();
        assert_eq!(picture.matches('>').count(), 1, "{picture}");
        let place = desk.stance.place(&shown);
        assert!((room.first..room.first + room.list).contains(&place), "{room:?} {place}");
        firsts.push(room.first);
    }
    let page = room.list - 1;
    assert_eq!(firsts, [0, page, page, page, 50 - room.list, 0]);
}

#[test]
fn names_that_were_made_to_harm_do_not_steer_the_terminal() {
    let hostile = "a\u{1b}[2J\u{9b}31m\u{202e}b\r\nc\u{200b}漢字";
    let mut attributions = attributions();
    for attribution in &mut attributions {
        for client in &mut attribution.clients {
            client.asked = hostile.to_owned();
            client.hostname.iter_mut().for_each(|host| host.name = hostile.to_owned());
        }
        attribution.reason = Some(hostile.to_owned());
    }
    let mut desk = Desk { all: feed(attributions).newest().0, ..Desk::new(ill()) };
    desk.status.complaints[0].words = hostile.to_owned();
    desk.notices.push(NOW, hostile);
    desk.stance.filter = "a".to_owned();
    for keys in [&[][..], &[Key::Enter], &[Key::Character('s')]] {
        let desk = Desk {
            stance: desk.stance.clone(),
            all: desk.all.clone(),
            notices: desk.notices.clone(),
            ..Desk::new(desk.status.clone())
        };
        let (terminal, _) = desk.press(keys).terminal(120, 40);
        for cell in terminal.backend().buffer().content() {
            let is_harmless = |c: char| !c.is_control() && !"\u{200b}\u{202e}".contains(c);
            assert!(cell.symbol().chars().all(is_harmless), "{:?}", cell.symbol());
        }
    }
}

#[test]
fn each_column_begins_where_its_title_does_however_long_names_are() {
    let long = "a-very-long-name.of-a-host-in-some.sub-department.example.com";
    let mut attributions = attributions();
    let mut cached = attributions[1].clone();
    (cached.id, cached.clients[0].role) = ("cached".to_owned(), Role::Cached);
    // Of another client, or it would be the same line.
    cached.clients[0].address = address("192.168.2.43");
    let mut untold = attributions[3].clone();
    (untold.id, untold.verdict) = ("untold".to_owned(), Verdict::Undetermined);
    untold.sighting.name = long.to_owned();
    let again = Attribution { id: "again".to_owned(), ..untold.clone() };
    attributions.extend([cached, untold, again]);
    for client in attributions.iter_mut().flat_map(|attribution| &mut attribution.clients) {
        client.hostname.iter_mut().for_each(|host| host.name = long.to_owned());
    }
    let all = feed(attributions).newest().0;
    assert!(all.iter().any(|group| group.foremost().is_none() && group.times > 1));
    for width in [80, 100, 119, 120, 200] {
        let desk = Desk { all: all.clone(), ..Desk::new(well()) };
        let picture = desk.picture(width, 31);
        // Without the quotation marks that each line stands in.
        let lines = picture.lines().map(|line| line.chars().skip(1).collect::<Vec<char>>());
        let lines: Vec<_> = lines.skip_while(|line| !holds(line, "asked for ")).collect();
        let titles: String = lines[0].iter().collect();
        let words = ["client", "flagged", "asked for", "sure", "verdict", "state"];
        let places: Vec<usize> = words.iter().filter_map(|word| titles.find(word)).collect();
        assert_eq!(places.len(), if width < 100 { 4 } else { 6 }, "{titles}");
        for line in lines.iter().skip(1).take(all.len()) {
            for place in &places {
                assert_eq!(line[place - 1], ' ', "{width}, at {place}:\n{picture}");
            }
        }
        assert!(picture.contains("itself, cached"), "{picture}");
    }
}

fn holds(line: &[char], text: &str) -> bool {
    line.iter().collect::<String>().contains(text)
}

#[test]
fn what_was_on_another_day_bears_its_date() {
    let mut desk = Desk::new(well());
    desk.notices.push(MORNING, "whoasked: lists read anew");
    let tomorrow = NOW + Span::from_secs(86_400);
    for (now, in_list, in_state) in
        [(NOW, "09:18:43", "09:17:42"), (tomorrow, "02 Mar  ", "02 Mar 09:17")]
    {
        desk.now = now;
        let list = desk.picture(80, 24);
        assert!(list.contains(&format!("{in_list} 192.168.2.42")), "{list}");
        desk.stance.page = Page::State;
        let state = desk.picture(120, 60);
        assert!(state.contains(&format!("{in_state} ")), "{state}");
        desk.stance.page = Page::Sightings;
    }
    let detail = desk.press(&[Key::Enter]).picture(120, 31);
    assert!(detail.contains("(A) at 2026-03-02 09:18:52"), "{detail}");
}

#[test]
fn what_fell_out_of_the_list_is_told_where_somebody_looks_for_it() {
    let mut desk = Desk::new(well()).press(&[Key::Character('/'), Key::Character('z')]);
    desk.fell_out = 1_290;
    let list = desk.picture(80, 24);
    assert!(list.contains("0 of 5; 1,290 older lookups were dropped"), "{list}");
    desk.stance.page = Page::State;
    assert!(desk.picture(120, 60).contains("1,290 older lookups were dropped from the list"));
}
