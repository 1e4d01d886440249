//! The hours in which an office asks, and those in which it does not.
//!
//! An hour of the day is quiet when all clients together asked less than a tenth of what they ask in a
//! busy hour, which is the mean of the six busiest. What is judged is left out of the count. It takes a
//! capture of most of a day and enough questions, and there must be both: busy hours and several quiet
//! ones. A client is then at odds with the office when much of what it is judged by falls into quiet hours,
//! while of its other questions hardly any does.

use foldhash::HashMap;

use super::dealings::Dealings;
use crate::bounded::Sequence;
use crate::flow::Address;
use crate::resolution::{Leg, Resolution};
use crate::time::{Span, Timestamp, Zone};

/// The capture must be so long: a night must be in it.
const LASTING_MIN: Span = Span::from_secs(20 * 3600);
/// So many questions of clients are enough.
const QUESTIONS_MIN: u64 = 500;
/// How many of the busiest hours are taken for what a busy hour is.
const BUSY: usize = 6;
/// So many quiet hours there must be.
const QUIET_MIN: usize = 4;
/// So many of a client's questions must be in quiet hours.
const ODD_MIN: u64 = 3;
/// So many other questions of the client tell its usual hours.
const OWN_MIN: u64 = 20;

type ByHour = [u64; 24];

/// When clients asked, by hour of the day.
#[derive(Clone, Debug, Default)]
pub(super) struct Hours {
    office: ByHour,
    own: HashMap<Address, ByHour>,
    lasted: Span,
}

/// Questions at odd hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Odd {
    /// How many of the questions.
    pub odd: u64,
    /// How many there are in all.
    pub all: u64,
    /// The quiet hours, as ranges: from, until.
    pub quiet: Vec<(u8, u8)>,
    /// Of its other questions, how many are in quiet hours.
    pub own_quiet: u64,
    /// How many other questions it asked.
    pub own: u64,
}

impl Hours {
    /// Counts the questions of clients that are kept. Empty if some are forgotten: then it is not known
    /// who asked when.
    pub fn of(resolution: &Resolution, clients: &[Address], zone: &Zone) -> Hours {
        let transactions = resolution.transactions();
        let mut hours = Hours::default();
        if transactions.forgotten() > 0 || clients.is_empty() {
            return hours;
        }
        let hosts = transactions.hosts();
        let own: HashMap<_, _> =
            clients.iter().filter_map(|a| Some((hosts.find(*a)?, *a))).collect();
        hours.own = clients.iter().map(|client| (*client, ByHour::default())).collect();
        let mut span: Option<(Timestamp, Timestamp)> = None;
        // A zone is a whole number of quarter hours from UTC, so an hour holds for one.
        let mut quarter = (i64::MIN, 0);
        let all = transactions.oldest().0..transactions.next().0;
        for asked in all.filter_map(|sequence| transactions.kept(Sequence(sequence))) {
            let (ends, time) = (asked.ends(), asked.asked());
            if resolution.leg_between(ends) != Leg::Client {
                continue;
            }
            let this = time.seconds().div_euclid(900);
            if quarter.0 != this {
                quarter = (this, usize::from(zone.hour(time)));
            }
            let (first, last) = span.unwrap_or((time, time));
            span = Some((first.min(time), last.max(time)));
            let own = own.get(&ends.0).and_then(|client| hours.own.get_mut(client));
            for by_hour in std::iter::once(&mut hours.office).chain(own) {
                if let Some(count) = by_hour.get_mut(quarter.1) {
                    *count += 1;
                }
            }
        }
        hours.lasted = span.map_or(Span(0), |(first, last)| last - first);
        hours
    }

    /// Whether what a client asked is at odds with when it and the office ask.
    pub fn odd(&self, client: Address, dealings: &Dealings) -> Option<Odd> {
        let flagged: ByHour = dealings.by_hour.map(u64::from);
        let less = |all: &ByHour| -> ByHour {
            std::array::from_fn(|hour| at(all, hour).saturating_sub(at(&flagged, hour)))
        };
        let (office, own) = (less(&self.office), less(self.own.get(&client)?));
        if self.lasted < LASTING_MIN || office.iter().sum::<u64>() < QUESTIONS_MIN {
            return None;
        }
        let mut busiest = office;
        busiest.sort_unstable_by(|one, other| other.cmp(one));
        let busy = busiest.iter().take(BUSY).sum::<u64>() / BUSY as u64;
        let is_quiet: Vec<bool> = office.iter().map(|count| count * 10 <= busy).collect();
        if is_quiet.iter().filter(|quiet| **quiet).count() < QUIET_MIN {
            return None;
        }
        let in_quiet = |by_hour: &ByHour| -> u64 {
            by_hour.iter().zip(&is_quiet).filter(|(_, quiet)| **quiet).map(|(count, _)| count).sum()
        };
        let odd = Odd {
            odd: in_quiet(&flagged),
            all: flagged.iter().sum(),
            quiet: ranges(&is_quiet),
            own_quiet: in_quiet(&own),
            own: own.iter().sum(),
        };
        let is_odd = odd.odd >= ODD_MIN
            && odd.odd * 2 >= odd.all
            && odd.own >= OWN_MIN
            && odd.own_quiet * 10 <= odd.own;
        is_odd.then_some(odd)
    }
}

fn at(by_hour: &ByHour, hour: usize) -> u64 {
    by_hour.get(hour).copied().unwrap_or_default()
}

/// Runs of quiet hours, over midnight too: from the first hour until the one after the last.
fn ranges(is_quiet: &[bool]) -> Vec<(u8, u8)> {
    let hours = is_quiet.len().max(1);
    let quiet = |hour: usize| is_quiet.get(hour % hours).copied().unwrap_or(false);
    let starts = (0..hours).filter(|hour| quiet(*hour) && !quiet(hour + hours - 1));
    starts
        .map(|start| {
            let lasts = (0..hours).take_while(|after| quiet(start + after)).count();
            (start as u8, ((start + lasts) % hours) as u8)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: Address = Address::UNSPECIFIED;

    /// An office that asks from 7 to 18 and a little at night, one client of it likewise.
    fn office(own_at_night: u64) -> Hours {
        let day = |by_day: u64, by_night: u64| -> ByHour {
            std::array::from_fn(|hour| if (7..18).contains(&hour) { by_day } else { by_night })
        };
        Hours {
            office: day(200, 4),
            own: HashMap::from_iter([(CLIENT, day(10, own_at_night))]),
            lasted: Span::from_secs(24 * 3600),
        }
    }

    fn asked_at(hours: &[usize]) -> Dealings {
        let mut dealings = Dealings::default();
        hours.iter().for_each(|hour| dealings.by_hour[*hour] += 1);
        dealings
    }

    #[test]
    fn questions_at_night_are_odd_where_the_office_sleeps() {
        let odd = office(0).odd(CLIENT, &asked_at(&[1, 2, 3, 14])).unwrap();
        assert_eq!((odd.odd, odd.all, odd.own, odd.own_quiet), (3, 4, 109, 0));
        assert_eq!(odd.quiet, [(18, 7)]);
    }

    #[test]
    fn they_are_not_if_there_is_no_telling() {
        let night = asked_at(&[1, 2, 3, 14]);
        assert_eq!(office(0).odd(CLIENT, &asked_at(&[1, 2, 14])), None, "two are few");
        assert_eq!(office(0).odd(CLIENT, &asked_at(&[1, 2, 3, 9, 10, 11, 12])), None, "by day too");
        assert_eq!(office(3).odd(CLIENT, &night), None, "this client asks by night anyway");
        let short = Hours { lasted: Span::from_secs(9 * 3600), ..office(0) };
        assert_eq!(short.odd(CLIENT, &night), None, "no night in the capture");
        let around_the_clock = Hours { office: [100; 24], ..office(0) };
        assert_eq!(around_the_clock.odd(CLIENT, &night), None, "nothing is quiet");
        let few = Hours { office: office(0).office.map(|count| count / 20), ..office(0) };
        assert_eq!(few.odd(CLIENT, &night), None, "too few questions");
        let stranger = Address::v4([10, 0, 0, 1]);
        assert_eq!(office(0).odd(stranger, &night), None);
    }

    #[test]
    fn quiet_hours_are_ranges_over_midnight() {
        let quiet =
            |hours: &[usize]| ranges(&(0..24).map(|h| hours.contains(&h)).collect::<Vec<_>>());
        assert_eq!(quiet(&[22, 23, 0, 1, 12]), [(12, 13), (22, 2)]);
        assert_eq!(quiet(&[]), []);
        assert_eq!(quiet(&(0..24).collect::<Vec<_>>()), [], "no hour begins it");
    }
}
