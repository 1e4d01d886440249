//! What is true of a capture, written beside it: who caused each flagged upstream query.
//!
//! The simulation knows every cause; nothing here is inferred from the packets, except which of them
//! are in the file. The form is that of the captures of real resolvers in `captures/lab`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use anyhow::Result;
use hickory_proto::op::Message;
use hickory_proto::rr::{Name, RData};
use serde_json::{Value, json};

use crate::simulate::{Ask, Origin, Query, Served, Simulation};
use crate::wire::Packet;
use crate::world::{self, addresses, service};

/// Where the messages stand in the file: frame numbers, from 1.
#[derive(Default)]
pub struct Frames {
    asked: BTreeMap<usize, Vec<usize>>,
    answered: BTreeMap<usize, Vec<usize>>,
    sent: BTreeMap<usize, Vec<usize>>,
    heard: BTreeMap<usize, Vec<usize>>,
    whole: BTreeSet<usize>,
}

impl Frames {
    /// Notes that a packet is complete with this frame, and whether nothing of it was cut off.
    pub fn note(&mut self, packet: &Packet, frame: usize, whole: bool) {
        if whole {
            self.whole.insert(frame);
        }
        let (asks, queries) = match packet.about.kind {
            crate::scenario::Kind::Query => (&mut self.asked, &mut self.sent),
            crate::scenario::Kind::Response => (&mut self.answered, &mut self.heard),
        };
        if let Some(ask) = packet.about.ask {
            asks.entry(ask).or_default().push(frame);
        }
        if let Some(query) = packet.about.query {
            queries.entry(query).or_default().push(frame);
        }
    }

    fn tells(&self, messages: &BTreeMap<usize, Vec<usize>>, number: usize) -> bool {
        let at = messages.get(&number).into_iter().flatten();
        at.into_iter().any(|frame| self.whole.contains(frame))
    }

    fn has_ask(&self, ask: usize) -> bool {
        self.asked.contains_key(&ask) || self.answered.contains_key(&ask)
    }
}

/// A line of the flagged list.
struct Indicator {
    value: String,
    exact: bool,
    name: Option<Name>,
    address: Option<IpAddr>,
}

impl Indicator {
    fn read(line: &str) -> Result<Indicator> {
        let (exact, value) = match line.strip_prefix('=') {
            Some(value) => (true, value),
            None => (false, line),
        };
        let address: Option<IpAddr> = value.parse().ok();
        let name = if address.is_none() { Some(world::name(value)?) } else { None };
        Ok(Indicator { value: value.to_lowercase(), exact, name, address })
    }

    fn names(&self, name: &Name) -> bool {
        match &self.name {
            Some(own) if self.exact => own == name,
            Some(own) => own.zone_of(name),
            None => false,
        }
    }

    fn json(&self) -> Value {
        match self.address {
            Some(at) => json!({"type": "ip", "value": at.to_string()}),
            None => {
                let matches = if self.exact { "exact" } else { "suffix" };
                json!({"type": "domain", "value": self.value, "match": matches})
            }
        }
    }
}

/// A flagged upstream query.
struct Row {
    query: usize,
    indicators: BTreeSet<String>,
    matched: BTreeSet<&'static str>,
    causes: BTreeSet<String>,
    joined: BTreeSet<String>,
    asks: Vec<usize>,
    ambiguous: Option<&'static str>,
    role: &'static str,
    verdict: Option<&'static str>,
}

const ANSWER_MISSING: &str = "the answer that is flagged is not in this capture";

/// What led an ask to an indicator.
type Reaches = BTreeMap<String, BTreeSet<&'static str>>;

/// The truth of a run of which these frames are in the file.
pub fn truth(run: &Simulation<'_>, frames: &Frames) -> Result<Value> {
    let indicators: Vec<Indicator> =
        run.scenario.flagged.iter().map(|line| Indicator::read(line)).collect::<Result<_>>()?;
    let rows: Vec<Row> =
        (0..run.queries.len()).filter_map(|query| row(run, frames, &indicators, query)).collect();
    let mut reaches: Vec<Reaches> =
        run.asks.iter().map(|ask| reached_by_itself(ask, &indicators)).collect();
    for row in &rows {
        let via = if row.matched.contains("dst-ip") { "ns-contact" } else { "nsdep" };
        for ask in &row.asks {
            for indicator in &row.indicators {
                let known = reaches[*ask].entry(indicator.clone()).or_default();
                if known.is_empty() {
                    known.insert(via);
                }
            }
        }
    }
    let scenario = run.scenario;
    let group = |addresses: &[IpAddr], more: &[IpAddr]| -> Vec<String> {
        addresses.iter().chain(more).map(IpAddr::to_string).collect()
    };
    let resolvers = scenario.resolver.iter().map(|box_| group(&box_.addresses, &box_.asks_from));
    let resolvers: Vec<Vec<String>> = resolvers.collect();
    let texts = |addresses: Vec<IpAddr>| -> Vec<String> {
        addresses.iter().map(IpAddr::to_string).collect()
    };
    let forwarders = scenario.forwarder.iter().flat_map(|to| to.addresses.clone()).collect();
    let pairs = pairs(run, frames, &reaches, &rows, &resolvers);
    let planted = planted(run, frames, &reaches, &rows);
    let first = rows.iter().map(|row| row_json(run, frames, row)).collect::<Vec<_>>();
    Ok(json!({
        "scenario": scenario.name,
        "resolver": "simulated",
        "seed": scenario.seed,
        "version": 1,
        "story": scenario.story.trim(),
        "must_say": scenario.must_say.trim(),
        "dc": resolvers,
        "internal": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fd00::/8"],
        "upstream_forwarders": texts(forwarders),
        "root_servers": texts(run.world.root_servers()),
        "tld_servers": texts(run.world.tld_servers()),
        "indicators": indicators.iter().map(Indicator::json).collect::<Vec<_>>(),
        "planted": planted,
        "upstream_rows": first,
        "pairs": pairs,
    }))
}

fn row(
    run: &Simulation<'_>,
    frames: &Frames,
    indicators: &[Indicator],
    number: usize,
) -> Option<Row> {
    let query = &run.queries[number];
    let (mut hit, mut matched) = (BTreeSet::new(), BTreeSet::new());
    for indicator in indicators {
        for how in matches(query, indicator) {
            hit.insert(indicator.value.clone());
            matched.insert(how);
        }
    }
    if hit.is_empty() {
        return None;
    }
    let until_ns = query.answer.as_ref().map_or(i64::MAX, |(at_ns, _)| *at_ns);
    let mut roots = run.roots(query.fetch);
    roots.retain(|root| root.since_ns <= until_ns);
    let first = *roots.first()?;
    let asked = &run.asks[first.ask];
    let by_client = asked.origin == Origin::Client;
    let mut causes = BTreeSet::new();
    if by_client {
        causes.insert(asked.source.ip().to_string());
    }
    let others = roots.iter().skip(1).filter(|root| run.asks[root.ask].origin == Origin::Client);
    let others: Vec<_> = others.collect();
    let joined = others.iter().map(|root| run.asks[root.ask].source.ip().to_string());
    let joined = joined.filter(|client| !causes.contains(client)).collect();
    let other_name = others
        .iter()
        .any(|root| root.since_ns <= query.sent_ns && run.asks[root.ask].qname != asked.qname);
    let unseen = by_client && !roots.iter().any(|root| frames.has_ask(root.ask));
    let by_answer = matched.iter().all(|how| how.starts_with("answer"));
    let unlinked = by_client && !roots.iter().any(|root| linked(run, frames, root.ask, query));
    let ambiguous = if unseen {
        Some("no question or answer of a client behind it is in this capture")
    } else if by_answer && !frames.tells(&frames.heard, number) {
        Some(ANSWER_MISSING)
    } else if unlinked {
        Some("nothing in this capture links a client's question to this query")
    } else if other_name {
        Some("asks of different names in flight need this query")
    } else {
        None
    };
    let answered = asked.answered_ns.is_some_and(|at_ns| at_ns <= query.sent_ns);
    let asks = roots.iter().filter(|root| run.asks[root.ask].origin == Origin::Client);
    Some(Row {
        query: number,
        indicators: hit,
        matched,
        causes,
        joined,
        asks: asks.map(|root| root.ask).collect(),
        ambiguous,
        role: match (by_client, answered) {
            (false, _) => "unexplained",
            (true, true) => "post-answer",
            (true, false) => "inflight",
        },
        verdict: match ambiguous {
            Some(ANSWER_MISSING) => None,
            _ if !by_client => Some("no-client"),
            _ if unseen || unlinked => Some("undetermined"),
            _ => Some("attributed"),
        },
    })
}

/// Whether the file shows how an ask leads to a query: by its name, by its answer, or by an answer
/// from upstream that has the query's name as the target of an alias or as a name server.
fn linked(run: &Simulation<'_>, frames: &Frames, ask: usize, query: &Query) -> bool {
    if query.qname.zone_of(&run.asks[ask].qname) || frames.tells(&frames.answered, ask) {
        return true;
    }
    run.queries.iter().enumerate().any(|(number, other)| {
        let Some((at_ns, message)) = &other.answer else { return false };
        let mut records = message.answers.iter().chain(&message.authorities);
        *at_ns <= query.sent_ns
            && frames.tells(&frames.heard, number)
            && records.any(|record| match &record.data {
                RData::CNAME(target) => target.0 == query.qname,
                RData::NS(host) => host.0 == query.qname || record.name == query.qname,
                _ => false,
            })
    })
}

fn matches(query: &Query, indicator: &Indicator) -> Vec<&'static str> {
    let mut how = Vec::new();
    if indicator.names(&query.qname) {
        how.push("qname");
    }
    if indicator.address == Some(query.server.ip()) {
        how.push("dst-ip");
    }
    let answers = query.answer.iter().flat_map(|(_, message)| &message.answers);
    for record in answers {
        let target = match &record.data {
            RData::CNAME(target) => Some(&target.0),
            _ => service(record),
        };
        let owner = (record.name != query.qname).then_some(&record.name);
        if owner.into_iter().chain(target).any(|name| indicator.names(name)) {
            how.push("answer-name");
        }
        if addresses(record).iter().any(|at| indicator.address == Some(*at)) {
            how.push("answer-ip");
        }
    }
    how
}

/// The indicators that an ask leads to by its name, its aliases, its services and its addresses.
fn reached_by_itself(ask: &Ask, indicators: &[Indicator]) -> Reaches {
    let mut reaches = Reaches::new();
    if ask.origin != Origin::Client {
        return reaches;
    }
    for indicator in indicators {
        let mut via = BTreeSet::new();
        for (place, name) in ask.chain.iter().enumerate() {
            if indicator.names(name) {
                via.insert(if place == 0 { "self" } else { "cname" });
            }
        }
        if ask.services.iter().any(|name| indicator.names(name)) {
            via.insert("svcb");
        }
        if ask.addresses.iter().any(|at| indicator.address == Some(*at)) {
            via.insert("answer");
        }
        if !via.is_empty() {
            reaches.insert(indicator.value.clone(), via);
        }
    }
    reaches
}

/// Every (client, indicator) for which the file shows the client and what led there.
fn pairs(
    run: &Simulation<'_>,
    frames: &Frames,
    reaches: &[Reaches],
    rows: &[Row],
    resolvers: &[Vec<String>],
) -> Vec<Value> {
    let mut pairs: BTreeMap<(String, String), (BTreeSet<&str>, usize, bool)> = BTreeMap::new();
    for (number, ask) in run.asks.iter().enumerate() {
        if !frames.has_ask(number) {
            continue;
        }
        let client = ask.source.ip().to_string();
        for (indicator, via) in &reaches[number] {
            let shown = via.contains("self")
                || frames.tells(&frames.answered, number)
                // An earlier answer to the same question showed where it leads.
                || run.asks[..number].iter().enumerate().any(|(earlier, other)| {
                    other.qname == ask.qname && frames.tells(&frames.answered, earlier)
                })
                || rows.iter().any(|row| {
                    row.indicators.contains(indicator)
                        && row.asks.contains(&number)
                        && row.verdict == Some("attributed")
                });
            if !shown {
                continue;
            }
            let key = (client.clone(), indicator.clone());
            let (known, asks, caused) = pairs.entry(key).or_default();
            known.extend(via);
            *asks += 1;
            *caused |= rows
                .iter()
                .any(|row| row.indicators.contains(indicator) && row.causes.contains(&client));
        }
    }
    let resolvers: Vec<&String> = resolvers.iter().flatten().collect();
    let pairs = pairs.into_iter().map(|((client, indicator), (via, asks, caused))| {
        let is_dc = resolvers.contains(&&client);
        json!({"client": client, "indicator": indicator, "via": via, "asks": asks,
               "caused_upstream": caused, "is_dc": is_dc})
    });
    pairs.collect()
}

fn planted(run: &Simulation<'_>, frames: &Frames, reaches: &[Reaches], rows: &[Row]) -> Vec<Value> {
    let mut planted = Vec::new();
    for (number, ask) in
        run.asks.iter().enumerate().filter(|(number, _)| !reaches[*number].is_empty())
    {
        let caused = rows.iter().filter(|row| row.asks.first() == Some(&number));
        let caused: Vec<_> =
            caused.filter_map(|row| frames.sent.get(&row.query)?.first()).collect();
        let reached: Vec<_> = reaches[number]
            .iter()
            .flat_map(|(indicator, via)| via.iter().map(move |via| (indicator, via)))
            .map(|(indicator, via)| json!({"indicator": indicator, "via": via}))
            .collect();
        let served = match (ask.served, ask.answered_ns) {
            (_, None) => "none",
            (Served::Cache, _) if !caused.is_empty() => "cache-and-trigger",
            (Served::Cache, _) => "cache",
            (Served::Joined, _) => "joined",
            (Served::Upstream, _) => "upstream",
        };
        planted.push(json!({
            "client": ask.source.ip().to_string(),
            "port": ask.source.port(),
            "id": ask.id,
            "proto": if ask.connection.is_some() { "tcp" } else { "udp" },
            "time": seconds(ask.sent_ns),
            "frame": first(&frames.asked, number),
            "retries": ask.repeats,
            "dc": ask.server.ip().to_string(),
            "qname": world::text(&ask.qname).to_lowercase(),
            "qtype": ask.qtype.to_string(),
            "answered": ask.answered_ns.map(seconds),
            "answer_frame": first(&frames.answered, number),
            "rcode": ask.rcode.map(u16::from),
            "chain": ask.chain.iter().map(|name| world::text(name).to_lowercase()).collect::<Vec<_>>(),
            "reaches": reached,
            "served": served,
            "rows": caused,
        }));
    }
    planted
}

fn row_json(run: &Simulation<'_>, frames: &Frames, row: &Row) -> Value {
    let query = &run.queries[row.query];
    let sent = frames.sent.get(&row.query).cloned().unwrap_or_default();
    let answer: Option<&(i64, Message)> = query.answer.as_ref();
    let served = cache_served(run, row);
    let mut value = json!({
        "frame": sent.first(),
        "frames": sent,
        "in_capture": !sent.is_empty(),
        "time": seconds(query.sent_ns),
        "dc": query.source.ip().to_string(),
        "dst": query.server.ip().to_string(),
        "sport": query.source.port(),
        "id": query.id,
        "proto": if query.tcp { "tcp" } else { "udp" },
        "qname": world::text(&query.qname).to_lowercase(),
        "qraw": world::text(&query.qname),
        "qtype": query.qtype.to_string(),
        "resp_frame": first(&frames.heard, row.query),
        "resp_time": answer.map(|(at_ns, _)| seconds(*at_ns)),
        "rcode": answer.map(|(_, message)| u16::from(message.metadata.response_code)),
        "indicators": row.indicators,
        "match": row.matched,
        "causes": row.causes,
        "role": row.role,
        "verdict": row.verdict,
        "joined": row.joined,
        "also_possible": [],
        "cache_served": served,
    });
    let asks: Vec<_> = row.asks.iter().filter_map(|ask| frames.asked.get(ask)?.first()).collect();
    value["first_asker"] = json!(row.causes.first());
    value["ask_frames"] = json!(asks);
    value["ambiguous"] = json!(row.ambiguous.is_some());
    value["why"] = json!(row.ambiguous);
    value
}

/// Others whom the cache told what this query brought, until the like was asked again.
fn cache_served(run: &Simulation<'_>, row: &Row) -> BTreeSet<String> {
    let query = &run.queries[row.query];
    let Some((from_ns, _)) = query.answer else { return BTreeSet::new() };
    let later = run.queries.iter().filter(|later| {
        later.sent_ns > from_ns && later.qname == query.qname && later.qtype == query.qtype
    });
    let until_ns = later.map(|later| later.sent_ns).min().unwrap_or(i64::MAX);
    let asks = run.asks.iter().filter(|ask| {
        ask.served == Served::Cache
            && ask.origin == Origin::Client
            && (from_ns..until_ns).contains(&ask.sent_ns)
            && ask.chain.contains(&query.qname)
    });
    let clients = asks.map(|ask| ask.source.ip().to_string());
    clients.filter(|client| !row.causes.contains(client) && !row.joined.contains(client)).collect()
}

fn first(frames: &BTreeMap<usize, Vec<usize>>, number: usize) -> Option<usize> {
    frames.get(&number)?.first().copied()
}

fn seconds(time_ns: i64) -> f64 {
    time_ns as f64 / 1e9
}
