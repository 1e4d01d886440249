//! What the forms of one line a client have in common: a sighting, and one of the clients behind it.
//!
//! Names come from packets, so whoever sent them chose them; lists and files have names of their own. Each
//! form escapes all of them in its own way, and what does not print is shown as an escape before that.

use crate::attribution::{Attribution, Client, Verdict, way};
use crate::contact::Contact;
use crate::flow::{Address, Mac};
use crate::frame::FrameId;
use crate::indicator::Indicator;
use crate::report::weighed::Weight;
use crate::report::wording::words::percent;
use crate::report::{Files, Subject};
use crate::time::Timestamp;

/// A sighting with one of its clients; or with none, where nobody is named.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub attribution: &'a Attribution,
    pub client: Option<&'a Client>,
    pub indicator: Indicator<'a>,
    pub list: &'a str,
    pub files: &'a Files,
}

/// How severe a row is, for programs that rank alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// A client led to what was flagged.
    High,
    /// The same, but perhaps a false alarm, or the client is not certain.
    Middle,
    /// Nobody is named.
    Low,
}

/// A client is certain from here on, in thousandths.
const CERTAIN: u16 = 950;

/// A row for each client of an attribution; one without a client if nobody is named.
pub(super) fn rows<'a>(
    attribution: &'a Attribution,
    subject: Subject<'a>,
) -> impl Iterator<Item = Row<'a>> {
    let indicator = subject.indicators.get(attribution.indicator);
    let nobody = attribution.clients.is_empty().then_some(None);
    let clients = nobody.into_iter().chain(attribution.clients.iter().map(Some));
    clients.filter_map(move |client| {
        let indicator = indicator?;
        let list = subject.indicators.list_name(indicator.list);
        Some(Row { attribution, client, indicator, list, files: subject.files })
    })
}

impl<'a> Row<'a> {
    /// When the client asked; without one, when the flagged query was sent.
    pub fn time(&self) -> Timestamp {
        self.client.map_or(self.attribution.sighting.time, |client| client.asked_time)
    }

    /// Who asked: the client, or the resolver where none is named.
    pub fn source(&self) -> Address {
        self.client.map_or(self.attribution.sighting.resolver, |client| client.address)
    }

    /// Whom it asked.
    pub fn destination(&self) -> Address {
        let sighting = &self.attribution.sighting;
        match self.client {
            Some(client) => client.hops.first().copied().unwrap_or(sighting.resolver),
            None => sighting.server,
        }
    }

    /// The name that it asked for, and the type.
    pub fn question(&self) -> (&'a str, &'a str) {
        match self.client {
            Some(client) => (&client.asked, &client.asked_type),
            None => (&self.attribution.sighting.name, &self.attribution.sighting.rtype),
        }
    }

    /// The code of the answer that it got, if it got one.
    pub fn rcode(&self) -> Option<&'static str> {
        self.client.map_or(self.attribution.sighting.rcode, |client| client.rcode)
    }

    /// The frame of its question.
    pub fn frame(&self) -> FrameId {
        self.client.map_or(self.attribution.sighting.frame, |client| client.asked_frame)
    }

    /// From its question to what was flagged. No name holds a blank, so ` > ` stands between them only.
    pub fn chain(&self) -> Option<String> {
        let chain = &self.client?.chain;
        let names: Vec<&str> = chain.iter().map(|step| step.name.as_str()).collect();
        Some(names.join(" > "))
    }

    /// The resolvers between.
    pub fn hops(&self) -> Vec<String> {
        self.client.into_iter().flat_map(|client| &client.hops).map(Address::to_string).collect()
    }

    /// The link-layer address of the client.
    pub fn mac(&self) -> Option<Mac> {
        self.client.and_then(|client| client.mac).filter(|mac| mac.is_some())
    }

    /// What the client was called.
    pub fn hostname(&self) -> Option<&'a str> {
        self.client?.hostname.as_ref().map(|hostname| hostname.name.as_str())
    }

    /// How sure the list is of its entry, in per cent.
    pub fn list_confidence(&self) -> Option<String> {
        self.indicator.confidence.map(|confidence| confidence.to_string())
    }

    /// How grave it is by this lookup alone; nothing where nobody is named. At the end of the run more may be known.
    pub fn triage(&self) -> Option<&'static str> {
        let client = self.client?;
        let way = way(self.attribution, client, self.indicator);
        let weight = Weight::by_itself(way.is_led(), matches!(client.contact, Contact::Yes(_)));
        Some(weight.code())
    }

    /// How severe it is.
    pub fn severity(&self) -> Severity {
        match (self.attribution.verdict, self.client) {
            (Verdict::Attributed, Some(client)) => {
                let certain = client.confidence_permille >= CERTAIN;
                let doubtful = !self.attribution.doubts.is_empty();
                if certain && !doubtful { Severity::High } else { Severity::Middle }
            }
            _ => Severity::Low,
        }
    }

    /// What it says, in a sentence of one line.
    pub fn sentence(&self) -> String {
        let sighting = &self.attribution.sighting;
        let value = self.indicator.value;
        let Some(client) = self.client else {
            let why = self.attribution.reason.as_deref().unwrap_or("no reason is known");
            let what = match self.attribution.verdict {
                Verdict::NoClient => "no client is behind",
                _ => "it cannot be told who is behind",
            };
            return format!("{what} {value} at {}: {why}", sighting.resolver);
        };
        format!(
            "{} is behind {value}: it asked {} for {} ({}); {}, {} sure",
            client.address,
            self.destination(),
            client.asked,
            client.asked_type,
            client.role.as_str(),
            percent(client.confidence_permille)
        )
    }
}

/// A frame's number, if there is one.
pub(super) fn number(frame: FrameId) -> Option<u64> {
    frame.is_some().then(|| frame.number())
}

/// `0.995`.
pub(super) fn confidence(permille: u16) -> String {
    format!("{}.{:03}", permille / 1000, permille % 1000)
}

/// RFC 3339 in UTC cut to microseconds, which is all that some forms allow, without the zone:
/// `2019-11-29T08:25:01.123456`.
pub(super) fn micros(time: Timestamp) -> String {
    let text = time.to_string();
    let keep = text.len().saturating_sub("789Z".len());
    text.get(..keep).unwrap_or_default().to_owned()
}
