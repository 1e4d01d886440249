//! Where the person at the screen has gone to, and how keys move that. No terminal, no clock.

use super::keys::Key;
use crate::live::Group;

/// The longest text to filter by, in characters: longer than any name.
const FILTER_MAX: usize = 255;

/// What is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// The sightings.
    #[default]
    Sightings,
    /// All that is known of one of them.
    Detail,
    /// How the run is doing, in full.
    State,
    /// The keys, and what the words mean.
    Help,
}

/// What a key asks of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To end.
    End,
    /// The same, and at once if it is ending already.
    Interrupt,
    /// To stop until it is told to go on, as a shell does.
    Suspend,
    /// To draw all anew.
    Redraw,
}

/// How much there was room for when it was last drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Lines of the list.
    pub list: usize,
    /// The first of the sightings that stands there.
    pub first: usize,
    /// Lines of the text beside or in place of the list.
    pub text: usize,
    /// How many lines of that text there are.
    pub text_lines: usize,
}

/// Where the person has gone to.
#[derive(Clone, Debug, Default)]
pub struct Stance {
    /// What is shown.
    pub page: Page,
    /// What sightings must hold to be shown, in lower case; all are if it is empty.
    pub filter: String,
    /// Whether it is being typed.
    pub is_typing: bool,
    /// Whether what is shown stays as it was.
    pub is_paused: bool,
    /// The line that a text begins at.
    pub scroll: usize,
    /// What was chosen, and where it stood; none: whichever is the newest.
    chosen: Option<(String, usize)>,
}

impl Stance {
    /// The sightings that are shown, of all there are.
    pub fn shown(&self, all: &[Group]) -> Vec<Group> {
        all.iter()
            .filter(|sight| self.filter.is_empty() || holds(sight, &self.filter))
            .cloned()
            .collect()
    }

    /// Which of those shown is chosen. One that is no longer there leaves its place to the next.
    pub fn place(&self, shown: &[Group]) -> usize {
        let Some((subject, was)) = &self.chosen else { return 0 };
        let here = shown.iter().position(|sight| sight.subject() == *subject);
        here.unwrap_or_else(|| (*was).min(shown.len().saturating_sub(1)))
    }

    /// Keeps to the place of what is chosen, which moves down when newer ones come.
    pub fn settle(&mut self, shown: &[Group]) {
        if self.chosen.is_some() {
            self.choose(self.place(shown), shown);
        }
    }

    fn choose(&mut self, place: usize, shown: &[Group]) {
        let place = place.min(shown.len().saturating_sub(1));
        // What is being read in full stays, also when newer ones come.
        let sight = shown.get(place).filter(|_| place > 0 || self.page == Page::Detail);
        self.chosen = sight.map(|sight| (sight.subject(), place));
    }

    /// Obeys a key.
    pub fn key(&mut self, key: Key, shown: &[Group], room: Room) -> Option<Wish> {
        match key {
            Key::Interrupt => return Some(Wish::Interrupt),
            Key::Suspend => return Some(Wish::Suspend),
            Key::Redraw => return Some(Wish::Redraw),
            _ if self.is_typing && self.types(key) => return None,
            Key::Character('q') if self.page == Page::Sightings => return Some(Wish::End),
            Key::Character('p') => self.is_paused = !self.is_paused,
            Key::Character('?') => self.turn_to(Page::Help),
            Key::Character('s') => self.turn_to(Page::State),
            Key::Character('/') => {
                self.page = Page::Sightings;
                self.is_typing = true;
                if !self.filter.is_empty() {
                    self.refilter(String::new());
                }
            }
            Key::Escape if self.page == Page::Sightings => self.refilter(String::new()),
            Key::Escape | Key::Character('q') => self.turn_to(self.page),
            Key::Enter if self.page != Page::Sightings => self.turn_to(self.page),
            Key::Enter if shown.is_empty() => {}
            Key::Enter => {
                self.turn_to(Page::Detail);
                self.choose(self.place(shown), shown);
            }
            _ => self.moves(key, shown, room),
        }
        None
    }

    /// Shows a page, or the sightings again if it is shown already.
    fn turn_to(&mut self, page: Page) {
        self.page = if self.page == page { Page::Sightings } else { page };
        self.scroll = 0;
    }

    /// Takes a key into the filter. What is no part of a text is left to others.
    fn types(&mut self, key: Key) -> bool {
        let mut filter = self.filter.clone();
        match key {
            Key::Character(letter) if filter.chars().count() < FILTER_MAX => {
                filter.extend(letter.to_lowercase());
            }
            Key::Character(_) => {}
            Key::Backspace => drop(filter.pop()),
            Key::ClearLine => filter.clear(),
            Key::Enter => self.is_typing = false,
            Key::Escape => {
                self.is_typing = false;
                filter.clear();
            }
            _ => return false,
        }
        if filter != self.filter {
            self.refilter(filter);
        }
        true
    }

    fn refilter(&mut self, filter: String) {
        self.filter = filter;
        self.chosen = None;
    }

    fn moves(&mut self, key: Key, shown: &[Group], room: Room) {
        let last = room.text_lines.saturating_sub(room.text);
        let page = room.text.saturating_sub(1).max(1);
        let here = self.place(shown);
        let is_text = matches!(self.page, Page::State | Page::Help);
        let is_detail = self.page == Page::Detail;
        let scrolled = self.scroll.min(last);
        match key {
            Key::Up | Key::Character('k') if is_text => self.scroll = scrolled.saturating_sub(1),
            Key::Down | Key::Character('j') if is_text => self.scroll = (scrolled + 1).min(last),
            Key::PageUp if is_text || is_detail => self.scroll = scrolled.saturating_sub(page),
            Key::PageDown if is_text || is_detail => self.scroll = (scrolled + page).min(last),
            Key::Home if is_text || is_detail => self.scroll = 0,
            Key::End if is_text || is_detail => self.scroll = last,
            _ => {
                let page = room.list.saturating_sub(1).max(1);
                let to = match key {
                    Key::Up | Key::Character('k') => here.saturating_sub(1),
                    Key::Down | Key::Character('j') => here + 1,
                    Key::PageUp => here.saturating_sub(page),
                    Key::PageDown => here + page,
                    Key::Home => 0,
                    Key::End => shown.len(),
                    _ => return,
                };
                self.choose(to, shown);
                self.scroll = 0;
            }
        }
    }
}

/// Whether a sighting holds a text, in lower case: in its clients' addresses, names and questions, in what was
/// flagged, or in its resolver.
fn holds(sight: &Group, text: &str) -> bool {
    let attribution = &sight.attribution;
    let has = |part: &str| part.to_lowercase().contains(text);
    has(&sight.indicator)
        || has(&attribution.sighting.name)
        || has(&attribution.sighting.resolver.to_string())
        || attribution.clients.iter().any(|client| {
            has(&client.address.to_string())
                || has(&client.asked)
                || client.hostname.as_ref().is_some_and(|host| has(&host.name))
        })
        || sight.others.iter().any(|(address, name)| {
            has(&address.to_string()) || name.as_ref().is_some_and(|name| has(name))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::tests::sights;

    const ROOM: Room = Room { list: 3, first: 0, text: 4, text_lines: 10 };

    fn press(stance: &mut Stance, keys: &str, shown: &[Group]) -> Option<Wish> {
        let mut wish = None;
        for key in keys.split(' ') {
            let key = match key {
                "up" => Key::Up,
                "down" => Key::Down,
                "pgup" => Key::PageUp,
                "pgdn" => Key::PageDown,
                "home" => Key::Home,
                "end" => Key::End,
                "enter" => Key::Enter,
                "esc" => Key::Escape,
                "back" => Key::Backspace,
                "^C" => Key::Interrupt,
                letter => Key::Character(letter.chars().next().unwrap()),
            };
            wish = stance.key(key, shown, ROOM);
        }
        wish
    }

    #[test]
    fn the_newest_is_followed_until_another_is_chosen_which_then_stays_so() {
        let sights = sights();
        let mut stance = Stance::default();
        let newest =
            |stance: &Stance, shown: &[Group]| shown[stance.place(shown)].attribution.id.clone();
        assert_eq!(newest(&stance, &sights[1..]), sights[1].attribution.id);
        assert_eq!(newest(&stance, &sights), sights[0].attribution.id);
        press(&mut stance, "down", &sights[1..]);
        // Another comes: the same one is chosen, one line lower.
        stance.settle(&sights);
        assert_eq!(stance.place(&sights), 2);
        assert_eq!(newest(&stance, &sights), sights[2].attribution.id);
        // One that is read in full stays so, too, though it was the newest.
        let mut reading = Stance::default();
        press(&mut reading, "enter", &sights[1..]);
        assert_eq!(reading.place(&sights), 1);
        // It goes: its place is kept.
        let without: Vec<_> = sights
            .iter()
            .filter(|s| s.attribution.id != sights[2].attribution.id)
            .cloned()
            .collect();
        assert_eq!(stance.place(&without), 2);
        press(&mut stance, "home", &sights);
        assert_eq!(stance.place(&sights), 0);
        assert_eq!(newest(&stance, &sights[1..]), sights[1].attribution.id);
    }

    #[test]
    fn one_does_not_run_off_the_ends() {
        let sights = sights();
        let last = sights.len() - 1;
        let mut stance = Stance::default();
        for (keys, place) in [
            ("up", 0),
            ("pgup", 0),
            ("end", last),
            ("down", last),
            ("pgdn", last),
            ("k", last - 1),
            ("home", 0),
            ("pgdn", 2.min(last)),
            ("j", 3.min(last)),
        ] {
            press(&mut stance, keys, &sights);
            assert_eq!(stance.place(&sights), place, "{keys}");
        }
        let mut stance = Stance::default();
        press(&mut stance, "down enter end", &[]);
        assert_eq!((stance.page, stance.place(&[])), (Page::Sightings, 0));
    }

    #[test]
    fn a_filter_is_typed_kept_and_taken_off() {
        let sights = sights();
        let mut stance = Stance::default();
        press(&mut stance, "down / K E V q back", &sights);
        assert!(stance.is_typing);
        assert_eq!(stance.filter, "kev");
        let shown = stance.shown(&sights);
        assert!(!shown.is_empty() && shown.len() < sights.len());
        assert!(
            shown
                .iter()
                .all(|s| s.attribution.clients[0].hostname.as_ref().unwrap().name == "KEVIN-PC")
        );
        // Letters are keys again, and the arrows move in what is shown.
        press(&mut stance, "enter", &shown);
        assert_eq!(press(&mut stance, "q", &shown), Some(Wish::End));
        press(&mut stance, "/ m i enter", &sights);
        assert_eq!(stance.filter, "mi", "another one, not more of the same");
        press(&mut stance, "esc", &shown);
        assert_eq!((stance.filter.as_str(), stance.is_typing), ("", false));
        press(&mut stance, "/ x esc", &sights);
        assert_eq!((stance.filter.as_str(), stance.is_typing), ("", false));
        for (text, found) in
            [("akamaiedge", 1), ("192.168.2.194", 5), ("2001:db8", 1), ("nobody", 0)]
        {
            let stance = Stance { filter: text.to_owned(), ..Stance::default() };
            assert_eq!(stance.shown(&sights).len(), found, "{text}");
        }
    }

    #[test]
    fn pages_open_and_close_and_scroll() {
        let sights = sights();
        let mut stance = Stance::default();
        for (keys, page, scroll, place) in [
            ("down enter", Page::Detail, 0, 1),
            ("pgdn", Page::Detail, 3, 1),
            ("end", Page::Detail, 6, 1),
            ("pgdn", Page::Detail, 6, 1),
            ("down", Page::Detail, 0, 2),
            ("esc", Page::Sightings, 0, 2),
            ("? down down", Page::Help, 2, 2),
            ("s", Page::State, 0, 2),
            ("s", Page::Sightings, 0, 2),
            ("? ?", Page::Sightings, 0, 2),
            ("? q", Page::Sightings, 0, 2),
            ("enter q", Page::Sightings, 0, 2),
            ("enter enter", Page::Sightings, 0, 2),
            ("s /", Page::Sightings, 0, 2),
        ] {
            press(&mut stance, keys, &sights);
            assert_eq!(
                (stance.page, stance.scroll, stance.place(&sights)),
                (page, scroll, place),
                "{keys}"
            );
        }
    }

    #[test]
    fn ctrl_c_ends_whatever_is_typed_and_p_pauses() {
        let mut stance = Stance::default();
        assert_eq!(press(&mut stance, "/ a ^C", &[]), Some(Wish::Interrupt));
        let mut stance = Stance::default();
        press(&mut stance, "p", &[]);
        assert!(stance.is_paused);
        press(&mut stance, "p", &[]);
        assert!(!stance.is_paused);
    }
}
